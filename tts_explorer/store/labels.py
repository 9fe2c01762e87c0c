"""What people say of a session: title, tags and notes, and whether it is pinned or deleted.

A deleted session is out of every list, and can be brought back; a day later the next start removes it for good, with what went
beside it. Nothing here opens or commits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson

from tts_explorer.errors import BadSetting
from tts_explorer.events import clean
from tts_explorer.store import judged
from tts_explorer.store.outlines import rows_of

TITLE, TAG, NOTES = 200, 40, 4000
"""Characters at most."""
TAGS = 12
LONG = {
    "title": "the title has {n:,} characters: {most:,} at most",
    "note": "the note has {n:,} characters: {most:,} at most",
    "tag": "the tag has {n:,} characters: {most:,} at most",
}
KEPT = timedelta(days=1)
"""For so long at least a deleted session can be brought back."""
FAMILY = (
    "WITH RECURSIVE family(id, number) AS (SELECT search, number FROM outlines WHERE search IN (SELECT value FROM json_each(?))"
    " UNION SELECT search, o.number FROM outlines o JOIN family ON o.parent = family.id)"
)
"""Sessions, and those that went beside them."""


def checked(title: str, tags: Sequence[str], notes: str) -> tuple[str, list[str], str]:
    """The three, tidy: tags without blanks around them, none twice. Raises BadSetting."""
    title, notes = " ".join(clean(title).split()), clean(notes).strip()
    tidy = list(dict.fromkeys(" ".join(clean(tag).split()) for tag in tags if tag.strip()))
    for name, text, most in (("title", title, TITLE), ("note", notes, NOTES), *(("tag", tag, TAG) for tag in tidy)):
        if len(text) > most:
            raise BadSetting(LONG[name], n=len(text), most=most)
    if len(tidy) > TAGS:
        raise BadSetting("there are {n} tags: {most} at most", n=len(tidy), most=TAGS)
    return title, tidy, notes


def write(connection: sqlite3.Connection, number: int, title: str, tags: Sequence[str], notes: str) -> None:
    """Keep what `checked` let through, and let it be found by its words."""
    _set(connection, number, title=title, tags=orjson.dumps(tags).decode(), notes=notes)
    label = "\n".join((title, *tags, notes))
    connection.execute("UPDATE words SET label = ? WHERE rowid = ?", [label, rows_of(number)[0]])


def pin(connection: sqlite3.Connection, number: int, pinned: bool) -> None:
    _set(connection, number, pinned=int(pinned))


def _set(connection: sqlite3.Connection, number: int, **values: Any) -> None:
    names = ", ".join(values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    connection.execute(
        f"INSERT INTO labels (number, {names}) VALUES ({', '.join('?' * (len(values) + 1))})"
        f" ON CONFLICT (number) DO UPDATE SET {changes}",
        [number, *values.values()],
    )


def delete(connection: sqlite3.Connection, ids: Sequence[str], now: datetime | None) -> None:
    """Mark sessions, and what went beside them, as deleted at `now`; None brings them back."""
    connection.execute(
        f"{FAMILY} INSERT INTO labels (number, deleted) SELECT number, ? FROM family WHERE true"
        " ON CONFLICT (number) DO UPDATE SET deleted = excluded.deleted",
        [orjson.dumps(ids).decode(), now and now.isoformat(timespec="milliseconds")],
    )


def remove_deleted(connection: sqlite3.Connection) -> int:
    """Remove for good what was deleted over a day ago; how many sessions that were."""
    before = (datetime.now(timezone.utc) - KEPT).isoformat(timespec="milliseconds")
    query = "SELECT number, search FROM labels JOIN outlines USING (number) WHERE deleted < ?"
    gone = connection.execute(query, [before]).fetchall()
    for number, id in gone:
        connection.execute("DELETE FROM words WHERE rowid BETWEEN ? AND ?", rows_of(number))
        judged.forget(connection, number)
        connection.execute("DELETE FROM labels WHERE number = ?", [number])
        connection.execute("DELETE FROM outlines WHERE number = ?", [number])
        connection.execute("DELETE FROM events WHERE search = ?", [id])
        connection.execute("DELETE FROM searches WHERE id = ?", [id])
    return len(gone)
