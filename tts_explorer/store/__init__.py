"""Sessions on disk: what happened, as events, and beside it what lists show, words to search by, and what people said of it.

The tables are in `schema`. One writer connection in the process, every write `BEGIN IMMEDIATE`; readers open their own. Events
are stored in their wire form; outlines are made from them as they come in, so a list of sessions reads no event. A search is
*interrupted* when it has no `SearchFinished` and the process that ran it is gone (`processes` names one for good), so there is no
heartbeat to keep. This package knows no models and no page.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson
import platformdirs
from filelock import FileLock
from sqlite_utils import Database

from tts_explorer.errors import BadSession, UnknownName
from tts_explorer.events import Record, clean, from_dict, to_dict
from tts_explorer.processes import alive, this_process
from tts_explorer.store import judged, labels, outlines, wanted
from tts_explorer.store.judged import Judged
from tts_explorer.store.schema import migrations
from tts_explorer.store.wanted import Session, Wanted
from tts_explorer.wire import read_streams

__all__ = ["Judged", "Session", "Store", "Wanted", "alive", "default_path", "in_memory", "migrations", "new_id", "this_process"]

CATCHING_UP = 0.5
"""Seconds that one look at judged answers may spend on sessions that were not read yet."""


UNUSABLE = "{name} can't be used as a session database ({reason}): choose another with --db"
NONE = "no session {id!r}: `tts-explorer sessions` lists them"


class Store:
    """The database at `path`, made if absent. Raises BadSession, and changes nothing, if the file is no session database."""

    def __init__(self, path: Path):
        self.path = path
        self.lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, timeout=10, check_same_thread=False)
            self._prepare()
        except (sqlite3.DatabaseError, OSError) as error:
            reason = str(getattr(error, "strerror", None) or error).rstrip(".")
            raise BadSession(UNUSABLE, name=path.name, reason=reason) from error

    def _prepare(self) -> None:
        self.connection.execute("PRAGMA schema_version").fetchone()
        with FileLock(f"{self.path}.lock", timeout=30):
            db = Database(self.connection)
            tables = set(db.table_names())
            if tables - {"_sqlite_migrations"} and "searches" not in tables:
                raise sqlite3.DatabaseError("it holds another program's tables")
            known = {m.name for m in migrations._migrations}
            newer = [m.name for m in migrations.applied(db) if m.name not in known]
            if newer:
                raise sqlite3.DatabaseError(f"a newer TTS Explorer wrote it ({newer[-1]}); update the app")
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            migrations.apply(db)
            with self.writing() as connection:
                labels.remove_deleted(connection)

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the one writer."""
        with self.lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
            except BaseException:
                self.connection.rollback()
                raise
            self.connection.commit()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that can't write."""
        connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def append(self, batch: Sequence[tuple[str, Sequence[Record]]]) -> None:
        """Commit new records of several searches in one transaction; a search's first record makes its row."""
        with self.writing() as connection:
            for id, records in batch:
                _insert(connection, id, records, "run")

    def import_file(self, path: Path, *, largest: int = 64 << 20) -> list[str]:
        """Store the streams in a JSON-lines file under new ids; a damaged file is refused whole. Raises BadSession."""
        try:
            if path.stat().st_size > largest:
                size = path.stat().st_size >> 20
                raise BadSession(
                    "{name} has {size} MB: at most {most} MB can be imported", name=path.name, size=size, most=largest >> 20
                )
            data = path.read_bytes()
        except OSError as error:
            raise BadSession("{name} can't be read: {reason}", name=path.name, reason=error.strerror) from error
        return self.import_bytes(data, path.name)

    def import_bytes(self, data: bytes, name: str = "the file") -> list[str]:
        """Like `import_file`, from memory; `name` is what messages call it."""
        streams = read_streams(data, name)
        ids = [new_id() for _ in streams]
        with self.writing() as connection:
            for id, stream in zip(ids, streams, strict=True):
                _insert(connection, id, stream, "import")
        return ids

    def export(self, id: str) -> bytes:
        """The stream as JSON lines. Raises UnknownName."""
        with self.reading() as connection:
            rows = connection.execute("SELECT body FROM events WHERE search = ? ORDER BY seq", [id]).fetchall()
        if not rows:
            raise UnknownName(NONE, id=id)
        return b"".join(row["body"].encode() + b"\n" for row in rows)

    def records(self, id: str, after: int = -1) -> list[Record]:
        """The records with a `seq` over `after`, in order; empty for an unknown id."""
        with self.reading() as connection:
            query = "SELECT body FROM events WHERE search = ? AND seq > ? ORDER BY seq"
            return [from_dict(orjson.loads(row["body"])) for row in connection.execute(query, [id, after])]

    def resolve(self, name: str) -> str:
        """The id that `name` means: an id, a unique prefix of one, or `last`. Raises UnknownName."""
        name = clean(name)
        with self.reading() as connection:
            if name == "last":
                deleted = "SELECT search FROM labels JOIN outlines USING (number) WHERE deleted NOT NULL"
                query, given = (
                    f"SELECT id FROM searches WHERE id NOT IN ({deleted}) ORDER BY created DESC, rowid DESC LIMIT 1",
                    [],
                )
            else:
                query, given = "SELECT id FROM searches WHERE substr(id, 1, length(?)) = ? LIMIT 3", [name, name]
            found = [row["id"] for row in connection.execute(query, given)]
        if name in found:
            return name
        if not name or not found:
            raise UnknownName(NONE, id=name)
        if len(found) > 1:
            raise UnknownName("{name!r} begins more than one session's id: give more of it", name=name)
        return found[0]

    def sessions(self, search: str = "", limit: int = 200, offset: int = 0, *, children: bool = True) -> list[Session]:
        """Sessions, newest first; with `search`, those with all its words; without `children`, those whose parent isn't here."""
        return self.find(Wanted(search, children=children), limit, offset)[0]

    def find(self, asked: Wanted, limit: int, offset: int = 0) -> tuple[list[Session], int]:
        """A page of the sessions that are asked for, and how many there are on all pages."""
        with self.reading() as connection:
            connection.execute("BEGIN")
            return wanted.found(connection, asked, limit, offset), wanted.how_many(connection, asked)

    def choices(self) -> dict[str, list[Any]]:
        """What the stored sessions can be told apart by: every task, level, strategy, policy, verifier and tag there is."""
        names = ("task", "level", "strategy", "policy", "verifier")
        with self.reading() as connection:
            rows = connection.execute(f"SELECT DISTINCT {', '.join(names)} FROM outlines").fetchall()
            tags = connection.execute("SELECT DISTINCT value FROM labels, json_each(tags) WHERE deleted IS NULL").fetchall()
        known = {name: sorted({row[name] for row in rows} - {None, ""}) for name in names}
        return known | {"tag": sorted(tag["value"] for tag in tags)}

    def session(self, id: str) -> Session:
        """One session, deleted or not. Raises UnknownName."""
        with self.reading() as connection:
            row = connection.execute(f"SELECT {wanted.COLUMNS} {wanted.FROM} WHERE id = ?", [id]).fetchone()
        if row is None:
            raise UnknownName(NONE, id=id)
        return wanted.session(row)

    def child(self, id: str, strategy: str) -> str | None:
        """The first session whose parent is `id` and that ran `strategy`."""
        query = "SELECT search FROM outlines WHERE parent = ? AND strategy = ? ORDER BY number LIMIT 1"
        with self.reading() as connection:
            row = connection.execute(query, [id, strategy]).fetchone()
        return row["search"] if row else None

    def label(self, id: str, *, title: str, tags: Sequence[str], notes: str) -> None:
        """Give a session these words of its reader's. Raises BadSetting or UnknownName."""
        given = labels.checked(title, tags, notes)
        with self.writing() as connection:
            labels.write(connection, _number(connection, id), *given)

    def pin(self, id: str, pinned: bool) -> None:
        """Put a session before those that aren't pinned, or back in its place. Raises UnknownName."""
        with self.writing() as connection:
            labels.pin(connection, _number(connection, id), pinned)

    def delete(self, ids: Sequence[str]) -> None:
        """Take sessions, with what went beside them, out of every list. The first start a day later removes them for good."""
        with self.writing() as connection:
            labels.delete(connection, ids, datetime.now(timezone.utc))

    def restore(self, ids: Sequence[str]) -> None:
        """Take back `delete`, as long as it can be."""
        with self.writing() as connection:
            labels.delete(connection, ids, None)

    def judged(self, asked: Judged, most: int) -> judged.Look:
        """What verifiers said of finished answers beside what is true; sessions older than that table are read for a moment."""
        with self.reading() as connection:
            unread = judged.waiting(connection)
        if unread:
            with self.writing() as connection:
                judged.catch_up(connection, CATCHING_UP)
        with self.reading() as connection:
            return judged.look(connection, asked, most)


def in_memory(streams: Mapping[str, Sequence[Record]]) -> sqlite3.Connection:
    """A database with the tables of a `Store` that holds these streams by id and lies on no disk."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    migrations.apply(Database(connection))
    for id, records in streams.items():
        _insert(connection, id, records, "import")
    connection.commit()
    return connection


def _number(connection: sqlite3.Connection, id: str) -> int:
    row = connection.execute("SELECT number FROM outlines WHERE search = ?", [id]).fetchone()
    if row is None:
        raise UnknownName("no session {id!r}: it may have been removed", id=id[:40])
    return int(row[0])


def _insert(connection: sqlite3.Connection, id: str, records: Sequence[Record], origin: str) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    if records and records[0].seq == 0:
        owner = this_process() if origin == "run" else ""
        connection.execute("INSERT INTO searches VALUES (?, ?, ?, ?)", [id, now, origin, owner])
    rows = [(id, r.seq, (data := to_dict(r))["kind"], orjson.dumps(data).decode()) for r in records]
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    outlines.learn(connection, id, now, records)


def new_id() -> str:
    """An id that nobody can guess: 128 random bits. It doesn't begin with a dash, so that it can stand on a command line."""
    while (id := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return id


def default_path() -> Path:
    """`sessions.db` in the platform's data folder."""
    return Path(platformdirs.user_data_dir("tts-explorer")) / "sessions.db"
