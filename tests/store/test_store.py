"""Sessions on disk: what goes in comes out, in order, after it was committed; lists, names and words to search by."""

import json
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database
from worlds import as_json, search

from tts_explorer.cost import Cost
from tts_explorer.errors import UnknownName
from tts_explorer.events import (
    CostIncurred,
    NodeAdded,
    NodePruned,
    NodeScored,
    Noted,
    Record,
    SearchFinished,
    SearchStarted,
    clean,
)
from tts_explorer.runner import Loop
from tts_explorer.store import Store, alive, migrations, new_id, this_process
from tts_explorer.tree import SearchTree

TEXT = st.text(max_size=40).map(clean)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
SHARED = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def streams(draw):
    """The records of one search: nodes below nodes, each perhaps scored and pruned, with or without an end."""
    events = [SearchStarted(draw(TEXT), draw(TEXT), settings=draw(st.dictionaries(TEXT, st.integers(0, 99), max_size=2)))]
    nodes, grown = [()], {}
    for _ in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from(nodes))
        nodes.append((*parent, grown.get(parent, 0)))
        grown[parent] = grown.get(parent, 0) + 1
        answer = draw(st.none() | TEXT)
        events.append(NodeAdded(nodes[-1], draw(TEXT), 1, draw(NUMBER), "step", answer is not None, answer))
        events += draw(st.sampled_from([[], [NodeScored(nodes[-1], draw(st.none() | st.floats(0, 1)))]]))
        events += draw(st.sampled_from([[], [NodePruned(nodes[-1], draw(TEXT))], [Noted("info", draw(TEXT))]]))
        events.append(CostIncurred("policy", 1, 2, 3, draw(NUMBER), draw(NUMBER)))
    events += draw(st.sampled_from([[], [SearchFinished("done", draw(TEXT))]]))
    return [Record(i, draw(NUMBER), draw(st.none() | st.integers(1, 99)), event) for i, event in enumerate(events)]


def kept(store, *runs, watch=None):
    """Search with `runs` and keep what they do; their lives."""
    loop = Loop(store)
    lives = [loop.start(run, watch) for run in runs]
    loop.drive()
    return lives


@SHARED
@given(stream=streams(), cut=st.integers(0, 40))
def test_what_goes_in_comes_out(store, stream, cut):
    id = new_id()
    store.append([(id, stream[: max(1, cut)])])
    store.append([(id, stream[max(1, cut) :])])
    assert store.records(id) == stream
    assert store.records(id, after=0) == stream[1:]


@SHARED
@given(found=st.lists(streams(), min_size=1, max_size=3))
def test_an_export_of_several_imports_under_new_ids_and_exports_the_same_bytes(store, found):
    ids = [new_id() for _ in found]
    store.append(list(zip(ids, found, strict=True)))
    data = b"".join(map(store.export, ids))
    new = store.import_bytes(data)
    assert not set(new) & set(ids)
    assert b"".join(map(store.export, new)) == data
    assert [store.records(id) for id in new] == found


def test_a_search_is_stored_whole_and_replays_to_the_same_tree_and_cost(store):
    (live,) = kept(store, search("beam_search"))
    events = [record.event for record in store.records("a")]
    assert events == [record.event for record in live.published]
    assert SearchTree.of(events) == live.run.tree
    assert Cost.of(events) == live.run.cost


def test_what_is_shown_is_on_disk_already(store):
    shown = []

    def watch(records):
        reader = Store(store.path)
        on_disk = {record.seq: record for record in reader.records("a")}
        reader.close()
        assert all(on_disk[record.seq] == record for record in records)
        shown.extend(records)

    kept(store, search("beam_search"), watch=watch)
    assert [record.seq for record in shown] == list(range(len(shown)))
    assert isinstance(shown[-1].event, SearchFinished)


def test_a_list_tells_of_each_session_its_answer_its_grade_and_how_it_ended(store):
    kept(store, search("beam_search", id="one"), search("greedy", id="two", budget={"tokens": 1}))
    one, two = store.session("one"), store.session("two")
    started = store.records("one")[0].event
    assert (one.problem, one.strategy, one.settings) == (started.problem, started.strategy, started.settings)
    assert (one.policy, one.verifier, one.seed, one.parent) == (started.policy, started.verifier, started.seed, started.parent)
    assert (one.state, one.origin) == ("done", "run")
    assert one.correct is (one.answer in ("8", "08")) and one.events == len(store.records("one"))
    assert (two.state, two.answer, two.correct) == ("budget", None, None)
    assert [session.id for session in store.sessions()][::-1] == ["one", "two"]
    assert store.sessions(limit=1, offset=1) == [one]


def test_a_search_without_its_end_runs_as_long_as_its_process(store):
    stream = [Record(0, 0.0, None, SearchStarted("p", "greedy"))]
    store.append([("mine", stream)])
    assert store.session("mine").state == "running"
    (copy,) = store.import_bytes(store.export("mine"))
    assert store.session(copy).state == "interrupted"
    store.connection.execute("UPDATE searches SET owner = '1:0:another boot' WHERE id = 'mine'")
    store.connection.commit()
    assert store.session("mine").state == "interrupted"


def test_a_process_id_given_to_another_process_is_not_its_owner(monkeypatch):
    """With /proc, and without it as on a Mac."""
    for _ in range(2):
        with subprocess.Popen(["sleep", "60"]) as process:
            owner = this_process()
            pid, _, rest = owner.partition(":")
            assert alive(owner) and pid.isdecimal() and rest
            assert not alive(f"{process.pid}:{rest}")
            process.kill()
        assert not alive(f"{process.pid}:{rest}")
        if not shutil.which("ps"):
            break
        monkeypatch.setattr(Path, "read_text", lambda path: open(f"/nowhere{path}"))
        monkeypatch.setattr("os.path.isdir", lambda path: False)


def test_a_database_of_the_first_schema_opens(tmp_path):
    path, stream = tmp_path / "old.db", [Record(0, 0.0, None, SearchStarted("p", "greedy"))]
    with closing(sqlite3.connect(path)) as old:
        migrations.apply(Database(old), stop_before="m002_no_heartbeat")
        old.execute("INSERT INTO searches VALUES ('old', '2026-11-21', 'run', '1:0:boot', '2026-11-21')")
        old.execute("INSERT INTO events VALUES ('old', 0, 'SearchStarted', ?)", [as_json(stream)[0]])
        old.commit()
    with closing(Store(path)) as store:
        store.append([("new", stream), ("old", [Record(1, 0.0, None, SearchFinished("done"))])])
        assert [(s.id, s.state) for s in store.sessions()] == [("new", "running"), ("old", "done")]


def test_sessions_with_a_parent_can_be_left_out(store):
    for id, parent in (("a", None), ("b", "a"), ("c", None), ("d", "c"), ("e", "c")):
        store.append([(id, [Record(0, 0.0, None, SearchStarted("figs", "greedy", parent=parent))])])
    assert [s.id for s in store.sessions(limit=2, children=False)] == ["c", "a"]
    assert [s.id for s in store.sessions("figs", limit=1, offset=1, children=False)] == ["a"]
    assert len(store.sessions("figs")) == 5


def test_names_are_ids_prefixes_or_last(store):
    for id in ("abc", "abd", "xyz", "ab"):
        store.append([(id, [Record(0, 0.0, None, SearchStarted("p", "greedy"))])])
    assert [store.resolve(name) for name in ("abc", "abd", "x", "ab", "last")] == ["abc", "abd", "xyz", "ab", "ab"]
    for name, complaint in (("a", "more than one"), ("q", "no session"), ("", "no session"), ("a%", "no session")):
        with pytest.raises(UnknownName, match=complaint):
            store.resolve(name)
    with pytest.raises(UnknownName):
        Store(store.path.parent / "empty.db").resolve("last")


def test_ids_can_stand_on_a_command_line():
    assert all(not new_id().startswith("-") and len(new_id()) == 22 for _ in range(500))


HOSTILE = [
    '"',
    "'",
    "AND",
    "OR NOT",
    "(",
    ")",
    "^",
    "-",
    "col:x",
    "text:figs",
    "\x00",
    "",
    "*",
    "a*",
    "NEAR(a b)",
    "''--",
]


@pytest.mark.parametrize("query", [*HOSTILE, '"""', "figs AND", "x" * 10_000, "\ud800", "é ü 漢", "{a b}", "+ +"])
def test_no_query_is_an_error(store, query):
    kept(store, search("greedy"))
    assert store.sessions(query) in ([], store.sessions())


@SHARED
@given(query=st.text(max_size=30))
def test_random_queries_are_no_errors_either(store, query):
    store.sessions(query)


def test_search_finds_problems_and_steps_by_all_their_words(store):
    stream = [Record(0, 0.0, None, SearchStarted("How many figs?", "greedy"))]
    stream.append(Record(1, 0.0, 1, NodeAdded((0,), 'Ann\'s "seven" pears\n\n', 1, 0.0, "step", False)))
    store.append([("figs", stream), ("empty", [Record(0, 0.0, None, SearchStarted("", "greedy"))])])

    def found(words):
        return [session.id for session in store.sessions(words)]

    assert found("figs") == found("FIGS many") == found('"seven"') == found("Ann's") == found("pears \x00") == ["figs"]
    assert found("apples") == found("kiwis AND figs") == []
    assert len(found("")) == 2


def test_an_unknown_id_has_no_records_and_no_session(store):
    assert store.records("nosuch") == []
    for ask in (store.export, store.session):
        with pytest.raises(UnknownName, match="nosuch"):
            ask("nosuch")


def test_the_stored_form_is_the_wire_form(store):
    (live,) = kept(store, search("dvts"))
    assert list(map(json.loads, store.export("a").splitlines())) == list(map(json.loads, as_json(live.published)))
