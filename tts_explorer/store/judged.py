"""What verifiers said of finished answers, beside what is true: a row an answer that has both a score and a grade.

Filled when a search ends, so that the page that sets scores against grades reads no event; searches that ended before there was
such a table are read a few at a time (`catch_up`). It could be made again. Nothing here opens or commits.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tts_explorer.events import clean, dotted, from_dict
from tts_explorer.tree import SearchTree

BINS = 10
LONGEST = 200
"""Characters of an answer that are kept."""
KINDS = ("SearchStarted", "NodeAdded", "NodeScored", "AnswerGraded")
FROM = "FROM judged j JOIN outlines o USING (number) LEFT JOIN labels l USING (number)"


@dataclass(frozen=True, slots=True)
class Judged:
    """Which answers are asked for; an empty field asks for nothing."""

    task: str = ""
    verifier: str = ""


@dataclass(frozen=True, slots=True)
class Surprise:
    """An answer that the verifier misjudged: the best, or the worst, scored of those alike in one session."""

    session: str
    node: str
    """Its path: dotted child indices."""
    score: float
    answer: str
    truth: str
    times: int
    """So many answers of the session are this one."""
    problem: str
    task: str | None
    strategy: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose scores lie close together."""

    low: float
    high: float
    """Not in it, but for 1."""
    answers: int
    right: int
    mean: float
    """Of the scores."""


@dataclass(frozen=True, slots=True)
class Look:
    """All that the page shows of them."""

    wrong: list[Surprise]
    """Wrong answers, the highest scores first."""
    right: list[Surprise]
    """Right answers, the lowest scores first."""
    bins: list[Bin]
    choices: dict[str, list[str]]
    """The tasks and verifiers that there are."""
    unread: int
    """Sessions that ended and were not read yet."""


def look(connection: sqlite3.Connection, asked: Judged, most: int) -> Look:
    """What is asked for, at most so many answers a list."""
    wrong, right = (surprises(connection, asked, side, most) for side in (False, True))
    return Look(wrong, right, bins(connection, asked), choices(connection), waiting(connection))


def learn(connection: sqlite3.Connection, id: str, number: int) -> int:
    """Keep the judged answers of a session that has ended; how many there are."""
    marks = ", ".join("?" * len(KINDS))
    query = f"SELECT body FROM events WHERE search = ? AND kind IN ({marks}) ORDER BY seq"
    tree = SearchTree.of(from_dict(orjson.loads(body)).event for (body,) in connection.execute(query, [id, *KINDS]))
    truth = (tree.started.truth if tree.started else None) or ""
    rows = [(number, dotted(node), score, right, answer[:LONGEST]) for node, score, right, answer in answers_of(tree)]
    connection.execute("DELETE FROM judged WHERE number = ?", [number])
    connection.executemany("INSERT INTO judged VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("INSERT OR REPLACE INTO judged_sessions VALUES (?, ?)", [number, truth[:LONGEST]])
    return len(rows)


def answers_of(tree: SearchTree) -> list[tuple[Any, float, int, str]]:
    """(node, score, right, answer) of every finished answer with a finite score and a grade."""
    graded = ((node, tree.grades.get(node.answer or "")) for node in tree.finished() if node.aggregated is not None)
    return [
        (node.id, node.score, int(right), node.answer or "")
        for node, right in graded
        if right is not None and math.isfinite(node.score)
    ]


def waiting(connection: sqlite3.Connection) -> int:
    """How many sessions have ended and were not read yet."""
    return int(connection.execute(f"SELECT count(*) {_UNREAD}").fetchone()[0])


_UNREAD = "FROM outlines WHERE status NOT NULL AND verifier NOT NULL AND number NOT IN (SELECT number FROM judged_sessions)"


def catch_up(connection: sqlite3.Connection, seconds: float) -> int:
    """Read sessions that ended before the table was there, newest first, for about so long; how many are left."""
    until = time.monotonic() + seconds
    rows = connection.execute(f"SELECT search, number {_UNREAD} ORDER BY number DESC").fetchall()
    for done, (id, number) in enumerate(rows):
        if time.monotonic() > until:
            return len(rows) - done
        learn(connection, id, number)
    return 0


def surprises(connection: sqlite3.Connection, asked: Judged, right: bool, most: int) -> list[Surprise]:
    """Wrong answers, the highest scores first; with `right`, right ones, the lowest first. One of those alike in a session."""
    where, given = _condition(asked)
    extreme, order = ("min", "score") if right else ("max", "score DESC")
    query = (
        f"SELECT number, node, {extreme}(score) AS score, j.answer, count(*) AS times {FROM} WHERE is_right = ? AND {where}"
        f" GROUP BY number, j.answer ORDER BY {order}, number DESC LIMIT ?"
    )
    found = connection.execute(query, [int(right), *given, most]).fetchall()
    return [Surprise(*_about(connection, row)) for row in found]


def _about(connection: sqlite3.Connection, row: Sequence[Any]) -> list[Any]:
    """The fields of a `Surprise`, from (number, node, score, answer, times)."""
    number, node, score, answer, times = row
    names = "search, problem, task, strategy, verifier, truth"
    query = f"SELECT {names} FROM outlines JOIN judged_sessions USING (number) WHERE number = ?"
    session, problem, task, strategy, verifier, truth = connection.execute(query, [number]).fetchone()
    return [session, node, score, answer, truth, times, problem, task, strategy, verifier or ""]


def bins(connection: sqlite3.Connection, asked: Judged) -> list[Bin]:
    """The answers by their scores, in bins of a tenth; those with nothing in them are left out."""
    where, given = _condition(asked)
    query = (
        f"SELECT min(CAST(score * {BINS} AS INTEGER), {BINS - 1}) AS place, count(*), total(is_right), avg(score) {FROM}"
        f" WHERE {where} GROUP BY place ORDER BY place"
    )
    rows = connection.execute(query, given)
    return [Bin(place / BINS, (place + 1) / BINS, answers, int(right), mean) for place, answers, right, mean in rows]


def choices(connection: sqlite3.Connection) -> dict[str, list[str]]:
    """The tasks and verifiers of sessions with judged answers."""
    query = (
        "SELECT DISTINCT task, verifier FROM outlines o LEFT JOIN labels l USING (number) WHERE deleted IS NULL"
        " AND EXISTS (SELECT 1 FROM judged j WHERE j.number = o.number)"
    )
    rows = connection.execute(query).fetchall()
    return {"task": sorted({row[0] for row in rows} - {None, ""}), "verifier": sorted({row[1] for row in rows} - {None, ""})}


def _condition(asked: Judged) -> tuple[str, list[Any]]:
    wishes = {f"o.{name} = ?": clean(value) for name in ("task", "verifier") if (value := getattr(asked, name))}
    return " AND ".join(["l.deleted IS NULL", *wishes]), [*wishes.values()]


def forget(connection: sqlite3.Connection, number: int) -> None:
    """Drop what is kept of a session that is being removed."""
    for table in ("judged", "judged_sessions"):
        connection.execute(f"DELETE FROM {table} WHERE number = ?", [number])
