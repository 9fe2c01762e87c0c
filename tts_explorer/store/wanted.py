"""Which sessions somebody wants to see, and in what order, as a condition on the outlines; and a session as a list shows it.

No event is read here: everything that can be asked for is a column, or words to be found.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from tts_explorer.events import clean
from tts_explorer.processes import alive
from tts_explorer.store.outlines import PLACE, ROWS

Grade = Literal["right", "wrong", "unknown"]
State = Literal["done", "budget", "cancelled", "failed", "running", "interrupted", "deleted"]
Order = Literal["newest", "oldest", "dearest", "cheapest"]
ORDERS = {
    "newest": "o.number DESC",
    "oldest": "o.number",
    "dearest": "flops DESC, o.number DESC",
    "cheapest": "flops, o.number DESC",
}
GRADES = {"right": 1, "wrong": 0, "unknown": None}
MOST_WORDS = 20
"""More words are left out of a search."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; an empty field asks for nothing. Deleted sessions are seen by `state` alone."""

    words: str = ""
    """All of them, in the problem, the steps, the title, the tags or the notes; "words in quotes" stand together."""
    task: str = ""
    level: int | None = None
    strategy: str = ""
    policy: str = ""
    verifier: str = ""
    """`none` asks for searches without one."""
    grade: Grade | Literal[""] = ""
    state: State | Literal[""] = ""
    tag: str = ""
    flops_from: float | None = None
    flops_to: float | None = None
    since: str = ""
    """A date, or the beginning of a time: UTC, ISO 8601."""
    until: str = ""
    """Likewise; that day is included."""
    children: bool = True
    """Whether searches that went beside another that is here are wanted too."""
    order: Order = "newest"


@dataclass(frozen=True, slots=True)
class Session:
    """One line in a list of sessions."""

    id: str
    created: str
    """When it was stored: UTC, ISO 8601."""
    origin: str
    """`run` or `import`."""
    problem: str
    task: str | None
    problem_id: str | None
    strategy: str
    settings: dict[str, Any]
    policy: str
    verifier: str | None
    seed: int
    temperature: float | None
    parent: str | None
    state: str
    """running, interrupted, or the status it finished with."""
    answer: str | None
    correct: bool | None
    events: int
    nodes: int
    tokens: int
    flops: float
    seconds: float
    title: str = ""
    tags: list[str] = field(default_factory=list)
    notes: str = ""
    pinned: bool = False
    deleted: str | None = None
    """When; None if it isn't."""

    @property
    def place(self) -> tuple[str, int, int] | None:
        """Split, level and index of a generated problem."""
        found = PLACE.fullmatch(self.problem_id or "")
        return (found[1], int(found[2]), int(found[3])) if found else None


FROM = "FROM outlines o JOIN searches s ON s.id = o.search LEFT JOIN labels l ON l.number = o.number"
COLUMNS = (
    "id, s.created, origin, owner, problem, task, problem_id, strategy, settings, policy, verifier, seed, temperature, parent,"
    " status, answer, correct, events, nodes, tokens, flops, seconds, title, tags, notes, pinned, deleted"
)


def found(connection: sqlite3.Connection, wanted: Wanted, limit: int, offset: int) -> list[Session]:
    """The sessions that are wanted, pinned ones first, `limit` of them after the first `offset`."""
    where, given = _condition(connection, wanted)
    page = f"SELECT o.number {_tables(where)} WHERE {where} ORDER BY {_order(wanted)} LIMIT ? OFFSET ?"
    numbers = [row[0] for row in connection.execute(page, [*given, limit, offset])]
    rows = connection.execute(f"SELECT o.number, {COLUMNS} {FROM} WHERE o.number IN ({_places(numbers)})", numbers)
    by_number = {row["number"]: session(row) for row in rows}
    return [by_number[number] for number in numbers]


def how_many(connection: sqlite3.Connection, wanted: Wanted) -> int:
    where, given = _condition(connection, wanted)
    return int(connection.execute(f"SELECT count(*) {_tables(where)} WHERE {where}", given).fetchone()[0])


def session(row: sqlite3.Row) -> Session:
    """A row of COLUMNS as a session."""
    known = {name: row[name] for name in row.keys() if name not in ("number", "owner", "status")}  # noqa: SIM118
    known |= {"settings": orjson.loads(row["settings"]), "tags": orjson.loads(row["tags"] or "[]"), "seed": int(row["seed"])}
    known |= {"title": row["title"] or "", "notes": row["notes"] or "", "pinned": bool(row["pinned"])}
    correct = None if row["correct"] is None else bool(row["correct"])
    state = row["status"] or ("running" if alive(row["owner"]) else "interrupted")
    return Session(**(known | {"correct": correct, "state": state}))


def _tables(where: str) -> str:
    """As few tables as the condition needs: `searches` is wide, and wanted for the owner alone."""
    owners = " JOIN searches s ON s.id = o.search" if "s.owner" in where else ""
    return f"FROM outlines o{owners} LEFT JOIN labels l ON l.number = o.number"


def _order(wanted: Wanted) -> str:
    return f"coalesce(l.pinned, 0) DESC, {ORDERS[wanted.order]}"


def _places(values: list[Any]) -> str:
    return ", ".join("?" * len(values))


def _condition(connection: sqlite3.Connection, wanted: Wanted) -> tuple[str, list[Any]]:
    """SQL that is true for what is wanted, with its values."""
    parts = [*_plain(wanted), *_labelled(wanted), *_state(connection, wanted.state)]
    parts += [(f"o.number IN (SELECT rowid >> {ROWS} FROM words WHERE words MATCH ?)", [word]) for word in phrases(wanted.words)]
    if wanted.words.strip('" \n') and not phrases(wanted.words):
        parts.append(("false", []))  # nothing in it could be found
    return " AND ".join(f"({sql})" for sql, _ in parts), [value for _, values in parts for value in values]


def _plain(wanted: Wanted) -> Iterator[tuple[str, list[Any]]]:
    """Conditions on one column each."""
    for column in ("task", "strategy", "policy", "verifier"):
        value = getattr(wanted, column)
        if column == "verifier" and value == "none":
            yield "o.verifier IS NULL", []
        elif value:
            yield f"o.{column} = ?", [clean(value)]
    level = wanted.level if wanted.level is None or 0 <= wanted.level < 1000 else -1
    for sql, number in (("o.level = ?", level), ("o.flops >= ?", wanted.flops_from), ("o.flops <= ?", wanted.flops_to)):
        if number is not None:
            yield sql, [number]
    if wanted.since:
        yield "o.created >= ?", [clean(wanted.since)]
    if wanted.until:
        yield "o.created < ?", [clean(wanted.until) + "\U0010ffff"]
    if wanted.grade:
        yield "o.correct IS ?", [GRADES[wanted.grade]]
    if not wanted.children:
        yield "o.parent IS NULL OR o.parent NOT IN (SELECT search FROM outlines)", []


def _labelled(wanted: Wanted) -> Iterator[tuple[str, list[Any]]]:
    yield f"l.deleted IS {'NOT NULL' if wanted.state == 'deleted' else 'NULL'}", []
    if wanted.tag:
        yield "EXISTS (SELECT 1 FROM json_each(l.tags) WHERE value = ?)", [clean(wanted.tag)]


def _state(connection: sqlite3.Connection, state: str) -> Iterator[tuple[str, list[Any]]]:
    """What has no end runs, or is interrupted: its owner's process tells."""
    if state in ("running", "interrupted"):
        query = "SELECT DISTINCT owner FROM searches JOIN outlines ON search = id WHERE status IS NULL"
        here = [row[0] for row in connection.execute(query) if alive(row[0])]
        yield f"o.status IS NULL AND s.owner {'IN' if state == 'running' else 'NOT IN'} ({_places(here)})", here
    elif state and state != "deleted":
        yield "o.status = ?", [state]


def phrases(search: str) -> list[str]:
    """What a visitor typed as queries of FTS5: each word, and words in quotes together, but for what has no letter or digit.

    >>> phrases('marbles "3 + 7" - red')
    ['"marbles"', '"3 + 7"', '"red"']
    """
    typed = [quoted or word for quoted, word in re.findall(r'"([^"]*)"|([^\s"]+)', clean(search))]
    return ['"' + word + '"' for word in typed if any(letter.isalnum() for letter in word)][:MOST_WORDS]
