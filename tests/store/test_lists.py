"""Finding stored sessions: filters, words, order and pages, what people say of a session, and that no list reads an event."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database
from worlds import as_json

from tts_explorer.errors import BadSetting, UnknownName
from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    NodeAdded,
    Record,
    SearchFinished,
    SearchStarted,
)
from tts_explorer.store import Store, Wanted, labels, migrations
from tts_explorer.store.outlines import LARGEST, rows_of


def stream(problem="How many figs?", *, flops=1e9, correct=True, status="done", text="7 figs\n\n", seed=0, **about):
    about = {"strategy": "greedy", "policy": "bundled:small", "seed": seed} | about
    events = [SearchStarted(problem, **about), NodeAdded((0,), text, 5, -1.0, "eos", True, "7")]
    events += [CostIncurred("policy", 9, 9, 5, flops, 0.5), CostIncurred("verifier", 9, 9, 2, flops, 0.25)]
    events += [AnswerSelected("7", (0,), "best"), AnswerGraded("8", not correct), AnswerGraded("7", correct)]
    events += [SearchFinished(status)] if status else []
    return [Record(i, i / 10, None, event) for i, event in enumerate(events)]


def ids(store, limit=100, offset=0, **wanted):
    return [session.id for session in store.find(Wanted(**wanted), limit, offset)[0]]


@pytest.fixture
def shelf(store):
    """Four sessions, the last the newest."""
    store.append([("a", stream(task="countdown", problem_id="test/3/12", verifier="program"))])
    store.append(
        [("b", stream("Red pears", correct=False, flops=5e9, task="arithmetic", problem_id="test/5/0", strategy="dvts"))]
    )
    store.append([("c", stream("Blue pears", correct=None, flops=2e9, status="budget", policy="bundled:nano"))])
    store.append([("d", stream("Green figs", status=None, text="9 apples\n\n"))])
    return store


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "dcba"),
        ({"task": "countdown"}, "a"),
        ({"level": 5}, "b"),
        ({"strategy": "dvts"}, "b"),
        ({"policy": "bundled:nano"}, "c"),
        ({"verifier": "program"}, "a"),
        ({"verifier": "none"}, "dcb"),
        ({"grade": "right"}, "da"),
        ({"grade": "wrong"}, "b"),
        ({"grade": "unknown"}, "c"),
        ({"state": "done"}, "ba"),
        ({"state": "budget"}, "c"),
        ({"state": "running"}, "d"),
        ({"state": "interrupted"}, ""),
        ({"flops_from": 4e9}, "cb"),
        ({"flops_from": 3e9, "flops_to": 5e9}, "c"),
        ({"since": "2020-01-01", "until": "2999-12-31"}, "dcba"),
        ({"until": "2020-01-01"}, ""),
        ({"words": "pears", "grade": "wrong"}, "b"),
        ({"words": "apples figs"}, "d"),
        ({"words": '"pears red"'}, ""),
        ({"words": '"RED pears"'}, "b"),
        ({"words": "+"}, ""),
        ({"order": "oldest"}, "abcd"),
        ({"order": "dearest"}, "bcda"),
        ({"order": "cheapest"}, "dacb"),
    ],
)
def test_every_filter_and_order(shelf, wanted, found):
    assert ids(shelf, **wanted) == list(found)
    assert shelf.find(Wanted(**wanted), 1)[1] == len(found)


def test_an_outline_is_what_the_events_say(shelf):
    found = shelf.session("a")
    assert (found.place, found.tokens, found.flops, found.seconds) == (("test", 3, 12), 7, 2e9, 0.75)
    assert (found.events, found.nodes, found.answer, found.correct, found.state) == (8, 1, "7", True, "done")
    assert shelf.session("d").place is None


def test_an_outline_is_the_same_however_the_events_come_in(store):
    whole = stream(task="countdown", problem_id="test/3/12")
    store.append([("whole", whole)])
    for record in whole:
        store.append([("parts", [record])])
    (copy,) = store.import_bytes(store.export("whole"))
    names = ("problem", "place", "tokens", "flops", "seconds", "events", "nodes", "answer", "correct", "state")
    assert len({tuple(getattr(store.session(id), name) for name in names) for id in ("whole", "parts", copy)}) == 1
    assert sorted(ids(store, words="figs countdown")) == []
    assert sorted(ids(store, words="many 7")) == sorted(["whole", "parts", copy])
    with store.reading() as connection:
        rows = [row[0] for row in connection.execute("SELECT rowid FROM words ORDER BY rowid")]
        assert rows == [rows_of(number)[0] for number in (1, 2, 3)]


def test_a_page_after_another_and_no_list_reads_an_event(store, monkeypatch):
    store.append([(f"s{i:03}", stream(f"figs {i}", seed=i)) for i in range(120)])
    said, connect = [], sqlite3.connect

    def tapped(*given, **options):
        connection = connect(*given, **options)
        connection.set_trace_callback(said.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", tapped)
    for wanted in (Wanted(), Wanted("figs", grade="right", order="dearest"), Wanted(state="interrupted")):
        said.clear()
        found, total = store.find(wanted, 25, 25)
        asked = [query for query in said if "words" not in query or "FROM outlines" in query]
        assert len([query for query in asked if "SELECT" in query and "FROM outlines" in query]) == 3, asked
        assert not [query for query in said if "events" in query.replace("parent, status, answer, correct, events", "")]
        assert (len(found), total) == ((25, 120) if wanted.state == "" else (0, 0))
    pages = [ids(store, 25, at) for at in range(0, 150, 25)]
    assert [len(page) for page in pages] == [25, 25, 25, 25, 20, 0]
    assert sum(pages, []) == [f"s{i:03}" for i in reversed(range(120))]


def test_what_stored_sessions_can_be_told_apart_by(shelf):
    shelf.label("a", title="", tags=["talk", "best"], notes="")
    assert shelf.choices() == {
        "task": ["arithmetic", "countdown"], "level": [3, 5], "strategy": ["dvts", "greedy"],
        "policy": ["bundled:nano", "bundled:small"], "verifier": ["program"], "tag": ["best", "talk"],
    }  # fmt: skip


def test_title_tags_and_notes_are_kept_and_found(shelf):
    shelf.label("b", title=" The  one\x00 ", tags=["for talk", " for  talk", "", "x"], notes=" see d \n")
    found = shelf.session("b")
    assert (found.title, found.tags, found.notes) == ("The one\ufffd", ["for talk", "x"], "see d")
    assert ids(shelf, tag="for talk") == ids(shelf, words="talk pears") == ids(shelf, words='"see d"') == ["b"]
    shelf.label("b", title="", tags=[], notes="")
    assert ids(shelf, words="talk") == ids(shelf, tag="x") == []
    shelf.label("d", title="running", tags=[], notes="")
    shelf.append([("d", [Record(7, 1.0, None, SearchFinished("done"))])])
    assert ids(shelf, words="running apples figs") == ["d"]
    with pytest.raises(UnknownName, match="no session 'nope'"):
        shelf.label("nope", title="", tags=[], notes="")


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"title": "x" * 201}, "the title has 201 characters: 200 at most"),
        ({"notes": "x" * 4001}, "the note has 4,001 characters"),
        ({"tags": ["x" * 41]}, "the tag has 41 characters"),
        ({"tags": [str(i) for i in range(13)]}, "there are 13 tags: 12 at most"),
    ],
)
def test_words_that_are_too_long_are_refused(shelf, said, complaint):
    with pytest.raises(BadSetting, match=complaint):
        shelf.label("a", **({"title": "", "tags": [], "notes": ""} | said))
    assert shelf.session("a").title == ""


def test_pinned_ones_come_first(shelf):
    shelf.pin("a", True)
    assert ids(shelf) == ["a", "d", "c", "b"] and ids(shelf, order="dearest") == ["a", "b", "c", "d"]
    shelf.pin("a", False)
    assert ids(shelf) == ["d", "c", "b", "a"]


def test_a_deleted_session_is_nowhere_until_it_is_restored(shelf):
    shelf.append([("beside", stream(parent="d"))])
    shelf.delete(["b", "d", "nope"])
    assert ids(shelf) == ids(shelf, words="7") == ["c", "a"] and shelf.resolve("last") == "c"
    assert ids(shelf, state="deleted") == ["beside", "d", "b"] and shelf.session("b").deleted
    shelf.restore(["d"])
    assert ids(shelf, children=False) == ["d", "c", "a"] and ids(shelf) == ["beside", "d", "c", "a"]


def test_the_first_start_a_day_later_removes_it_for_good(shelf):
    shelf.append([("beside", stream(parent="d"))])
    shelf.label("a", title="kept", tags=[], notes="")
    with shelf.writing() as connection:
        labels.delete(connection, ["b"], datetime.now(timezone.utc) - timedelta(hours=23))
        labels.delete(connection, ["d"], datetime.now(timezone.utc) - timedelta(hours=25))
    with closing(Store(shelf.path)) as again:
        assert ids(again, state="deleted") == ["b"] and ids(again) == ["c", "a"]
        assert again.records("d") == again.records("beside") == []
        left = [again.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("searches", "words")]
        assert left == [3, 3] and again.session("a").title == "kept"
        again.append([("new", stream("Plums"))])
        assert ids(again, words="plums") == ["new"] and again.session("new").title == ""


def test_a_search_beside_one_that_is_not_here_is_listed(store):
    store.append([("alone", stream(parent="elsewhere"))])
    assert ids(store, children=False) == ["alone"]


def test_huge_numbers_in_a_file_are_no_error(store):
    about = {"seed": 2**64 - 1, "sampling": {"temperature": "hot"}, "problem_id": "test/999999/9999999999"}
    events = stream(**about)[:2] + [Record(2 + i, 0.0, None, CostIncurred("policy", 0, 0, 2**63, 1.7e308, 1.0)) for i in range(3)]
    store.append([("huge", events)])
    found = store.session("huge")
    assert found.seed == 2**64 - 1 and found.temperature is None and found.place is None
    assert found.tokens == LARGEST and found.flops >= 1e300
    assert ids(store, order="dearest") == ["huge"]


def test_an_older_database_gets_its_outlines_and_words(tmp_path):
    """What the migration writes is what a store that always had these tables would have."""
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        migrations.apply(Database(old), stop_before="m004_outlines_words_and_labels")
        for id, records in (("a", stream(task="countdown", problem_id="test/3/12")), ("d", stream("Green figs", status=None))):
            old.execute("INSERT INTO searches VALUES (?, '2026-11-21T10:00:00.000+00:00', 'run', '')", [id])
            for record, body in zip(records, as_json(records), strict=True):
                values = [id, record.seq, type(record.event).__name__, body]
                old.execute("INSERT INTO events VALUES (?, ?, ?, ?)", values)
            old.execute("INSERT INTO texts VALUES (?, ?)", [id, records[0].event.problem])
            old.execute("INSERT INTO texts VALUES (?, ?)", [id, "7 figs\n\n"])
        old.commit()
    with closing(Store(path)) as store, closing(Store(tmp_path / "new.db")) as new:
        new.append([("a", stream(task="countdown", problem_id="test/3/12")), ("d", stream("Green figs", status=None))])
        table = "SELECT * FROM outlines ORDER BY number"
        ours, theirs = ([(*row[:2], *row[3:]) for row in each.connection.execute(table)] for each in (store, new))
        assert ours == theirs
        assert ids(store, words="figs 7") == ["d", "a"] and ids(store, words="many") == ["a"]
        store.append([("d", [Record(7, 1.0, None, SearchFinished("done"))])])
        assert store.session("d").state == "done" and ids(store, words="green 7") == ["d"]


WORD = st.text(max_size=30)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(words=WORD, task=WORD, tag=WORD, since=WORD, until=WORD, level=st.none() | st.integers())
def test_nothing_that_can_be_asked_is_an_error(shelf, words, task, tag, since, until, level):
    shelf.find(Wanted(words, task=task, tag=tag, since=since, until=until, level=level), 25)
