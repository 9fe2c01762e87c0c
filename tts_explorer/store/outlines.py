"""What lists show and filter by, kept as columns while events come in, and the words by which a session is found.

Both are folds of the events, written in the same transaction. A session's words are one row; while it runs they are a row for
each time that something was written, which its end makes one. Nothing here opens or commits.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Sequence

import orjson

from tts_explorer.cost import Cost
from tts_explorer.events import AnswerGraded, AnswerSelected, Record, SearchFinished, SearchStarted
from tts_explorer.store import judged
from tts_explorer.wire import event_texts

ROWS = 24
"""The row of a session's words is number << ROWS; of words that were added while it ran, that plus the first event's seq."""
LARGEST = 2**62
"""A sum of tokens that an imported file claims is cut here: SQLite's whole numbers end soon after."""
PLACE = re.compile(r"(train|validation|test)/(\d{1,3})/(\d{1,9})")
"""A generated problem's id: split, level, index."""


def learn(connection: sqlite3.Connection, id: str, created: str, records: Sequence[Record]) -> None:
    """Bring the outline and the words of session `id` up to what `records`, just inserted, say."""
    if records and isinstance(records[0].event, SearchStarted):
        _begin(connection, id, created, records[0].event)
    row = connection.execute("SELECT number FROM outlines WHERE search = ?", [id]).fetchone()
    if row is None or not records:
        return
    _count(connection, row[0], records)
    kinds = {type(record.event) for record in records}
    if kinds & {AnswerSelected, AnswerGraded}:
        _settle(connection, id)
    text = "\n".join(text for record in records for text in event_texts(record.event))
    if text or records[0].seq == 0:
        connection.execute("INSERT INTO words (rowid, text, label) VALUES (?, ?, '')", [(row[0] << ROWS) + records[0].seq, text])
    if SearchFinished in kinds:
        _gather(connection, row[0])
        judged.learn(connection, id, row[0])


def _begin(connection: sqlite3.Connection, id: str, created: str, start: SearchStarted) -> None:
    place, warmth = PLACE.fullmatch(start.problem_id or ""), start.sampling.get("temperature")
    known = {
        "search": id, "created": created, "problem": start.problem, "task": start.task, "problem_id": start.problem_id,
        "level": int(place[2]) if place else None, "strategy": start.strategy, "settings": orjson.dumps(start.settings).decode(),
        "policy": start.policy, "verifier": start.verifier, "seed": str(start.seed),
        "temperature": float(warmth) if isinstance(warmth, int | float) else None, "parent": start.parent,
    }  # fmt: skip
    connection.execute(
        f"INSERT INTO outlines ({', '.join(known)}, events, nodes, tokens, flops, seconds)"
        f" VALUES ({', '.join('?' * len(known))}, 0, 0, 0, 0, 0)",
        [*known.values()],
    )


def _count(connection: sqlite3.Connection, number: int, records: Sequence[Record]) -> None:
    cost = Cost.of(record.event for record in records)
    seconds = cost.policy.seconds + cost.verifier.seconds
    ends = [record.event.status for record in records if isinstance(record.event, SearchFinished)]
    sums = (len(records), cost.nodes, LARGEST, min(cost.tokens, LARGEST), _finite(cost.flops), _finite(seconds))
    connection.execute(
        "UPDATE outlines SET events = events + ?, nodes = nodes + ?, tokens = min(?, tokens + ?), flops = flops + ?,"
        " seconds = seconds + ?, status = coalesce(?, status) WHERE number = ?",
        [*sums, ends[-1] if ends else None, number],
    )


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 1e300


def _settle(connection: sqlite3.Connection, id: str) -> None:
    """The selected answer and its grade, whichever came first."""
    last = "SELECT json_extract(body, '$.{}') FROM events WHERE search = ? AND kind = '{}'{} ORDER BY seq DESC LIMIT 1"
    row = connection.execute(last.format("answer", "AnswerSelected", ""), [id]).fetchone()
    if row is not None:
        same = " AND json_extract(body, '$.answer') = ?"
        grade = connection.execute(last.format("correct", "AnswerGraded", same), [id, row[0]]).fetchone()
        connection.execute("UPDATE outlines SET answer = ?, correct = ? WHERE search = ?", [row[0], grade and grade[0], id])


def rows_of(number: int) -> list[int]:
    """The first and the last row that the words of a session may have."""
    return [number << ROWS, ((number + 1) << ROWS) - 1]


def _gather(connection: sqlite3.Connection, number: int) -> None:
    """One row of words where there were several."""
    place = rows_of(number)
    rows = connection.execute("SELECT text, label FROM words WHERE rowid BETWEEN ? AND ? ORDER BY rowid", place).fetchall()
    if len(rows) > 1:
        connection.execute("DELETE FROM words WHERE rowid BETWEEN ? AND ?", place)
        text, label = "\n".join(row[0] for row in rows), rows[0][1]
        connection.execute("INSERT INTO words (rowid, text, label) VALUES (?, ?, ?)", [place[0], text, label])
