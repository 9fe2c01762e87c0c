"""The store under bad luck: killed processes, several at once, a full disk, files that are no session database."""

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from worlds import search

from tts_explorer.errors import BadSession
from tts_explorer.events import Record, SearchFinished, SearchStarted, to_dict
from tts_explorer.runner import Loop
from tts_explorer.store import Store
from tts_explorer.tree import SearchTree

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def program(*arguments, **options):
    """Start Python on `arguments` from the checkout."""
    given = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(given, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def finished(processes):
    """Standard outputs of programs that must end well."""
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert all(code == 0 for _, code in ends), ends
    return [out for (out, _), _ in ends]


def test_nothing_printed_is_lost_when_a_search_is_killed(tmp_path):
    """Twenty searches, each killed at a random moment; commit, then show."""
    path = tmp_path / "sessions.db"
    Store(path).close()
    (out,) = finished([program("-m", "tests.store.nursery", path, 20)])
    store, seen = Store(path), 0
    for victim in map(json.loads, out.splitlines()):
        stored = store.records(victim["id"])
        assert [record.seq for record in stored] == list(range(len(stored)))
        assert [json.loads(json.dumps(to_dict(r))) for r in stored[: len(victim["printed"])]] == victim["printed"]
        assert store.session(victim["id"]).state == "interrupted"
        tree = SearchTree.of(record.event for record in stored)
        assert tree.status is None and len(tree.nodes) >= 1
        seen += len(victim["printed"])
    assert seen > 200 and len(store.sessions()) == 20
    assert store.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.close()


WRITES = """
import sys
from pathlib import Path
from tts_explorer.events import Noted, Record, SearchStarted
from tts_explorer.store import Store
store, name = Store(Path(sys.argv[1])), sys.argv[2]
store.append([(name, [Record(0, 0.0, None, SearchStarted("p", "greedy"))])])
for i in range(1, 200):
    store.append([(name, [Record(i, 0.0, None, Noted("info", name))])])
"""

STARTS = """
import sys, time
from pathlib import Path
from tts_explorer.events import Record, SearchStarted
from tts_explorer.store import Store
while not Path(sys.argv[1] + ".go").exists():
    time.sleep(0.001)
Store(Path(sys.argv[1])).append([(sys.argv[2], [Record(0, 0.0, None, SearchStarted("p", "greedy"))])])
"""


def test_two_processes_write_at_once(tmp_path):
    path = tmp_path / "sessions.db"
    finished([program("-c", WRITES, path, name) for name in ("one", "two")])
    with closing(Store(path)) as store:
        assert [len(store.records(name)) for name in ("one", "two")] == [200, 200]


def test_eight_first_starts_at_once(tmp_path):
    path = tmp_path / "sessions.db"
    starting = [program("-c", STARTS, path, f"p{i}") for i in range(8)]
    Path(f"{path}.go").touch()
    finished(starting)
    with closing(Store(path)) as store:
        assert len(store.sessions()) == 8


def refused(path):
    """What the store says of the file at `path`, which must stay as it is."""
    before = path.read_bytes()
    with pytest.raises(BadSession) as caught:
        Store(path)
    assert path.read_bytes() == before
    sentence = str(caught.value)
    assert sentence.startswith(f"{path.name} can't be used as a session database (") and "\n" not in sentence
    return sentence


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("What I did last summer. " * 100)
    assert "not a database" in refused(path)


def test_another_programs_database(tmp_path):
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE songs (title TEXT)")
        theirs.commit()
    assert "another program's tables" in refused(path)
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
        theirs.commit()
    assert "another program's tables" in refused(path)


def test_a_database_that_a_newer_program_wrote(tmp_path):
    path = tmp_path / "sessions.db"
    with closing(Store(path)) as store:
        store.connection.execute(
            "INSERT INTO _sqlite_migrations SELECT 9, migration_set, 'm999_later', applied_at FROM _sqlite_migrations LIMIT 1"
        )
        store.connection.commit()
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert "m999_later" in refused(path) and "update" in refused(path)


def test_a_file_that_may_only_be_read(tmp_path, monkeypatch):
    """Opened as the system opens it for someone who may not write; the tests may run as root, who may."""
    path, connect = tmp_path / "sessions.db", sqlite3.connect
    path.touch()
    monkeypatch.setattr(sqlite3, "connect", lambda p, **o: connect(f"{Path(p).as_uri()}?mode=ro", uri=True, **o))
    assert "readonly" in refused(path)


@pytest.mark.parametrize("name", ["folder", "file/x.db", "folder/"])
def test_a_path_where_no_file_can_be(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadSession, match="can't be used"):
        Store(tmp_path / name)


def test_a_full_disk_stops_the_search_and_keeps_what_was_stored(store):
    loop = Loop(store)
    first = loop.start(search("beam_search", id="first"))
    loop.drive()
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    lives = [loop.start(search("beam_search", id=f"more{i}", seed=i)) for i in range(30)]
    loop.drive()
    failed = [live for live in lives if live.error is not None]
    assert failed and all("full" in str(live.error) and live.done.is_set() for live in failed)
    for live in [first, *lives]:
        assert store.records(live.run.id) == live.published
    assert store.connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    store.connection.execute("PRAGMA max_page_count = 1000000")
    (again,) = [loop.start(search("beam_search", id="again"))]
    loop.drive()
    assert again.error is None and isinstance(store.records("again")[-1].event, SearchFinished)


@pytest.mark.parametrize("nth", range(1, 12))
def test_a_write_that_fails_is_told_and_nothing_of_it_is_kept(store, monkeypatch, nth):
    """The n-th commit fails, for every n: what was shown before is stored, and nothing else."""
    whole, calls = store.append, []

    def append(batch):
        calls.append(batch)
        if len(calls) == nth:
            store.connection.execute(
                "CREATE TEMP TRIGGER no AFTER INSERT ON main.events WHEN new.seq % 2"
                " BEGIN SELECT raise(ABORT, 'disk I/O error'); END"
            )
        whole(batch)

    monkeypatch.setattr(store, "append", append)
    loop = Loop(store)
    live = loop.start(search("beam_search"))
    loop.drive()
    assert live.done.is_set() and store.records("a") == live.published
    assert live.error is None or "disk I/O error" in str(live.error)


def test_a_copy_of_the_file_is_a_database_of_its_own(tmp_path, store):
    store.append([("one", [Record(0, 0.0, None, SearchStarted("p", "greedy"))])])
    store.close()
    shutil.copy(store.path, tmp_path / "copy.db")
    with closing(Store(tmp_path / "copy.db")) as copy:
        assert [session.id for session in copy.sessions()] == ["one"]
