"""Sessions on disk: two append-only tables, `searches` and `events`, and full-text search over problems and steps.

One writer connection in the process, every write `BEGIN IMMEDIATE`; readers open their own. Events are stored in their wire
form; whatever a list of sessions shows is read from them, so there is no second truth. A search is *interrupted* when it has
no `SearchFinished` and the process that ran it is gone: process id, start time and boot name a process for good, so there is
no heartbeat to keep. This module knows no models and no page.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import orjson
import platformdirs
from filelock import FileLock
from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from tts_explorer.errors import BadSession, UnknownName
from tts_explorer.events import Record, SearchStarted, clean, from_dict, to_dict
from tts_explorer.wire import event_texts, read_streams

migrations = Migrations("tts_explorer")


@migrations()
def m001_searches_and_events(db: Database) -> None:
    db.execute(
        "CREATE TABLE searches (id TEXT PRIMARY KEY, created TEXT NOT NULL, origin TEXT NOT NULL, owner TEXT NOT NULL,"
        " heartbeat TEXT NOT NULL) STRICT"
    )
    db.execute(
        "CREATE TABLE events (search TEXT NOT NULL REFERENCES searches(id), seq INTEGER NOT NULL, kind TEXT NOT NULL,"
        " body TEXT NOT NULL, PRIMARY KEY (search, seq)) STRICT, WITHOUT ROWID"
    )
    db.execute("CREATE INDEX searches_created ON searches(created)")
    db.execute(
        "CREATE INDEX events_of_note ON events(search, kind) WHERE kind IN ('AnswerSelected', 'AnswerGraded', 'SearchFinished')"
    )
    db.execute("CREATE INDEX events_by_parent ON events(json_extract(body, '$.parent')) WHERE seq = 0")
    db.execute("CREATE VIRTUAL TABLE texts USING fts5(search UNINDEXED, text)")


@migrations()
def m002_no_heartbeat(db: Database) -> None:
    """It was written and never read."""
    db.execute("ALTER TABLE searches DROP COLUMN heartbeat")


@dataclass(frozen=True, slots=True)
class Session:
    """One line in a list of sessions."""

    id: str
    created: str
    origin: str
    """`run` or `import`."""
    started: SearchStarted
    state: str
    """running, interrupted, or the status it finished with."""
    answer: str | None
    correct: bool | None
    events: int


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
            raise BadSession(f"{path.name} can't be used as a session database ({reason}): choose another with --db") from error

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

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
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
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    def append(self, batch: Sequence[tuple[str, Sequence[Record]]]) -> None:
        """Commit new records of several searches in one transaction; a search's first record makes its row."""
        with self._writing() as connection:
            for id, records in batch:
                _insert(connection, id, records, "run")

    def import_file(self, path: Path, *, largest: int = 64 << 20) -> list[str]:
        """Store the streams in a JSON-lines file under new ids; a damaged file is refused whole. Raises BadSession."""
        try:
            if path.stat().st_size > largest:
                raise BadSession(f"{path.name} has {path.stat().st_size >> 20} MB: at most {largest >> 20} MB can be imported")
            data = path.read_bytes()
        except OSError as error:
            raise BadSession(f"{path.name} can't be read: {error.strerror}") from error
        return self.import_bytes(data, path.name)

    def import_bytes(self, data: bytes, name: str = "the file") -> list[str]:
        """Like `import_file`, from memory; `name` is what messages call it."""
        streams = read_streams(data, name)
        ids = [new_id() for _ in streams]
        with self._writing() as connection:
            for id, stream in zip(ids, streams, strict=True):
                _insert(connection, id, stream, "import")
        return ids

    def export(self, id: str) -> bytes:
        """The stream as JSON lines. Raises UnknownName."""
        with self._reading() as connection:
            rows = connection.execute("SELECT body FROM events WHERE search = ? ORDER BY seq", [id]).fetchall()
        if not rows:
            raise UnknownName(f"no session {id!r}: `tts-explorer sessions` lists them")
        return b"".join(row["body"].encode() + b"\n" for row in rows)

    def records(self, id: str, after: int = -1) -> list[Record]:
        """The records with a `seq` over `after`, in order; empty for an unknown id."""
        with self._reading() as connection:
            query = "SELECT body FROM events WHERE search = ? AND seq > ? ORDER BY seq"
            return [from_dict(orjson.loads(row["body"])) for row in connection.execute(query, [id, after])]

    def resolve(self, name: str) -> str:
        """The id that `name` means: an id, a unique prefix of one, or `last`. Raises UnknownName."""
        name = clean(name)
        with self._reading() as connection:
            if name == "last":
                query, given = "SELECT id FROM searches ORDER BY created DESC, rowid DESC LIMIT 1", []
            else:
                query, given = "SELECT id FROM searches WHERE substr(id, 1, length(?)) = ? LIMIT 3", [name, name]
            found = [row["id"] for row in connection.execute(query, given)]
        if name in found:
            return name
        if not name or not found:
            raise UnknownName(f"no session {name!r}: `tts-explorer sessions` lists them")
        if len(found) > 1:
            raise UnknownName(f"{name!r} begins more than one session's id: give more of it")
        return found[0]

    def sessions(self, search: str = "", limit: int = 200, offset: int = 0, *, children: bool = True) -> list[Session]:
        """Sessions, newest first; with `search`, those whose problem or steps contain all its words.

        Without `children`, those that have a parent are left out.
        """
        query = "SELECT id, created, origin, owner FROM searches WHERE 1"
        given: list[Any] = []
        if not children:
            query += (
                " AND NOT EXISTS (SELECT 1 FROM events WHERE search = id AND seq = 0 AND json_extract(body, '$.parent') NOT NULL)"
            )
        words = [word for word in clean(search.replace("\x00", " ")).split() if word.strip('"')]
        if words:
            quoted = " ".join('"' + word.replace('"', '""') + '"' for word in words)
            query += " AND id IN (SELECT search FROM texts WHERE texts MATCH ?)"
            given.append(quoted)
        query += " ORDER BY created DESC, rowid DESC LIMIT ? OFFSET ?"
        with self._reading() as connection:
            rows = connection.execute(query, [*given, limit, offset]).fetchall()
            return [self._session(connection, row) for row in rows]

    def session(self, id: str) -> Session:
        """One session. Raises UnknownName."""
        with self._reading() as connection:
            row = connection.execute("SELECT id, created, origin, owner FROM searches WHERE id = ?", [id]).fetchone()
            if row is None:
                raise UnknownName(f"no session {id!r}: `tts-explorer sessions` lists them")
            return self._session(connection, row)

    def child(self, id: str, strategy: str) -> str | None:
        """The first session whose parent is `id` and that ran `strategy`."""
        query = (
            "SELECT search FROM events WHERE seq = 0 AND json_extract(body, '$.parent') = ?"
            " AND json_extract(body, '$.strategy') = ? LIMIT 1"
        )
        with self._reading() as connection:
            row = connection.execute(query, [id, strategy]).fetchone()
        return row["search"] if row else None

    def _session(self, connection: sqlite3.Connection, row: sqlite3.Row) -> Session:
        def bodies(condition: str) -> list[dict[str, Any]]:
            query = f"SELECT body FROM events WHERE search = ? AND {condition} ORDER BY seq"
            return [orjson.loads(found["body"]) for found in connection.execute(query, [row["id"]])]

        started = cast(SearchStarted, from_dict(bodies("seq = 0")[0]).event)
        ends = bodies("kind = 'SearchFinished'")
        answers = bodies("kind = 'AnswerSelected'")
        grades = {grade["answer"]: grade["correct"] for grade in bodies("kind = 'AnswerGraded'")}
        answer = answers[-1]["answer"] if answers else None
        state = ends[-1]["status"] if ends else "running" if alive(row["owner"]) else "interrupted"
        count = connection.execute("SELECT max(seq) + 1 FROM events WHERE search = ?", [row["id"]]).fetchone()[0]
        return Session(row["id"], row["created"], row["origin"], started, state, answer, grades.get(answer), count)


def _insert(connection: sqlite3.Connection, id: str, records: Sequence[Record], origin: str) -> None:
    if records and records[0].seq == 0:
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        owner = this_process() if origin == "run" else ""
        connection.execute("INSERT INTO searches VALUES (?, ?, ?, ?)", [id, now, origin, owner])
    rows = [(id, r.seq, (data := to_dict(r))["kind"], orjson.dumps(data).decode()) for r in records]
    connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    texts = [(id, text) for record in records for text in event_texts(record.event)]
    connection.executemany("INSERT INTO texts (search, text) VALUES (?, ?)", texts)


def new_id() -> str:
    """An id that nobody can guess: 128 random bits. It doesn't begin with a dash, so that it can stand on a command line."""
    while (id := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return id


def this_process() -> str:
    """This process among all that ever ran on this machine: pid, start time, boot."""
    return _process(os.getpid())


def alive(owner: str) -> bool:
    """Whether the process that `this_process` named is still there."""
    pid = owner.split(":")[0]
    return pid.isdecimal() and _process(int(pid)) == owner


def _process(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return _listed(pid)
    return f"{pid}:{fields[19]}:{boot}" if fields[0] != "Z" else ""


def _listed(pid: int) -> str:
    """Without /proc: pid and start time as `ps` tells them; where there is no `ps` either, this process alone is known."""
    if os.path.isdir("/proc/self") or os.name == "nt":
        return f"{pid}::" if pid == os.getpid() else ""
    asked = ["ps", "-o", "lstart=", "-p", str(pid)]
    told = subprocess.run(asked, env={"LC_ALL": "C", "TZ": "UTC"}, capture_output=True, text=True).stdout.strip()
    return f"{pid}:{told}:" if told else ""


def default_path() -> Path:
    """`sessions.db` in the platform's data folder."""
    return Path(platformdirs.user_data_dir("tts-explorer")) / "sessions.db"
