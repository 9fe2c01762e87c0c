"""Reading exports: two thousand damaged ones, each accepted or refused whole, and the damage that is named."""

import json
import random
from contextlib import closing

import pytest
from worlds import drive, search

from tts_explorer.cost import Cost
from tts_explorer.errors import BadSession
from tts_explorer.events import to_dict
from tts_explorer.store import Store
from tts_explorer.tongue import Tongue
from tts_explorer.tree import SearchTree
from tts_explorer.viz.log import PageLog
from tts_explorer.viz.terminal import picture, summary
from tts_explorer.wire import DEEPEST, read_streams

VALUES = [
    None,
    True,
    -1,
    0,
    1,
    2**53,
    2**70,
    -0.0,
    1e308,
    "",
    "nan",
    "1",
    "\ud800\x00",
    [],
    [0],
    [0, 0],
    {},
    [[[]]],
    {"a": {}},
]
STARTED = {"seq": 0, "at": 0.0, "line": None, "kind": "SearchStarted", "problem": "p", "strategy": "s"}


def of(*objects):
    """An export of `objects`; a missing envelope is made up."""
    whole = [{"seq": i, "at": 0.0, "line": None} | fields for i, fields in enumerate(objects)]
    return b"".join(json.dumps(fields).encode() + b"\n" for fields in whole)


def added(*node, **fields):
    base = {
        "kind": "NodeAdded",
        "node": node,
        "text": "x",
        "tokens": 1,
        "logprob": 0.0,
        "stop": "step",
        "terminal": False,
    }
    return base | fields


@pytest.fixture(scope="module")
def lines():
    (records,) = drive(search("beam_search", settings={"n": 4, "beam_width": 2, "max_depth": 3}))
    return [json.dumps(to_dict(record)).encode() for record in records]


def mutant(lines, rng):
    """An export, damaged in one to three ways: bytes, lines or values."""
    lines = list(lines)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        i = rng.randrange(len(lines))
        line = bytearray(lines[i])
        match rng.randrange(12):
            case 0 if line:
                line[rng.randrange(len(line))] = rng.randrange(256)
            case 1:
                line = line[: rng.randrange(len(line) + 1)]
            case 2:
                lines.insert(rng.randrange(len(lines)), bytes(line))
            case 3 if len(lines) > 1:
                lines.pop(i)
                continue
            case 4:
                lines[i], lines[0] = lines[0], lines[i]
                continue
            case 5:
                line = bytearray(b"[" * rng.choice([1, 200, 5000]) + line)
            case _:
                line = bytearray(swapped(bytes(line), rng))
        lines[i] = bytes(line)
    return b"\n".join(lines)


def swapped(line, rng):
    """`line` with one value replaced, removed or nested."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(data, dict) or not data:
        return line
    name = rng.choice(list(data))
    kind = type(data[name])
    alike = {int: data[name] and 3, float: 0.25, str: "\u202e<b>\x1b[2J", bool: True}.get(kind, data[name])
    data[name] = rng.choice([alike, rng.choice(VALUES)])
    if rng.random() < 0.2:
        del data[name]
    return json.dumps(data).encode()


def test_two_thousand_damaged_exports_are_read_or_refused_whole(lines, tmp_path):
    rng, accepted = random.Random(0), 0
    with closing(Store(tmp_path / "sessions.db")) as store:
        for _ in range(2000):
            data, before = mutant(lines, rng), counts(store)
            try:
                ids = store.import_bytes(data)
            except BadSession as error:
                assert "\n" not in str(error) and len(str(error)) < 400
                assert counts(store) == before
            else:
                accepted += 1
                assert counts(store)[0] == before[0] + len(ids)
                folds(store.records(ids[0]))
                assert store.import_bytes(b"".join(map(store.export, ids)))
    assert 100 < accepted < 1900


def counts(store):
    return [store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("searches", "events")]


def folds(records):
    """Everything that reads a stream survives it."""
    events = [record.event for record in records]
    tree = SearchTree.of(events)
    PageLog().write(records)
    picture(tree)
    summary(tree, Cost.of(events), "interrupted")


SCORED = {"kind": "NodeScored", "node": [0], "reward": 0.5}


@pytest.mark.parametrize(
    ("damaged", "complaint"),
    [
        (b"", "holds no session"),
        (b"\n \n", "holds no session"),
        (b"hello", "line 1 is damaged"),
        (of(STARTED)[:-9], "perhaps it was cut"),
        (of(added(0)), "one SearchStarted"),
        (of(STARTED, STARTED | {"seq": 1}), "one SearchStarted"),
        (of(STARTED, added(0) | {"seq": 2}), "seq is 2 where 1 was due"),
        (of(STARTED | {"schema": 2}), "newer"),
        (of(STARTED | {"kind": "Nonsense"}), "unknown kind"),
        (of(STARTED | {"kind": ["SearchStarted"]}), "unknown kind"),
        (of(STARTED | {"aggregate": "median"}), "unknown aggregate"),
        (of(STARTED | {"seed": 2**70}), "line 1 is damaged"),
        (of(STARTED | {"settings": json.loads("[" * 500 + "]" * 500)}), "line 1 is damaged"),
        (of(STARTED).replace(b"0.0", b"NaN"), "not valid JSON"),
        (of(STARTED).replace(b"0.0", b"1e999"), "not valid JSON"),
        (of(STARTED, added(0, 0)), "without its parent"),
        (of(STARTED, added()), "without its parent"),
        (of(STARTED, added(-1)), "without its parent"),
        (of(STARTED, added(0), added(0)), "without its parent, or twice"),
        (of(STARTED, added("0")), "line 2 is damaged"),
        (of(STARTED, added(0, stop="never")), "line 2 is damaged"),
        (of(STARTED, added(0, logprob="nan")), "line 2 is damaged"),
        (of(STARTED, SCORED), "never added"),
        (of(STARTED, added(0), SCORED | {"reward": 1.5}), "outside 0 and 1"),
        (of(STARTED, added(0), SCORED | {"reward": "nan"}), "line 3 is damaged"),
        (of(STARTED, SCORED | {"node": []}), "root has no step"),
        (of(STARTED, {"kind": "SearchFinished", "status": "done"}, added(0)), "follows SearchFinished"),
        (of(STARTED, *[added(*[0] * depth) for depth in range(1, DEEPEST + 2)]), "adds a node"),
    ],
)
def test_damage_is_named(damaged, complaint):
    with pytest.raises(BadSession, match=complaint) as caught:
        read_streams(damaged, "export.jsonl")
    assert str(caught.value).startswith("export.jsonl")


def test_fields_that_a_newer_program_added_are_left_out():
    (stream,) = read_streams(of(STARTED | {"mood": "sunny"}, added(0, colour="red")))
    assert "mood" not in to_dict(stream[0]) and "colour" not in to_dict(stream[1])


def test_text_that_cannot_be_stored_is_replaced():
    data = of(STARTED | {"problem": "a\x00b"})
    assert read_streams(data)[0][0].event.problem == "a\ufffdb"


def test_line_ends_of_other_systems_and_blank_lines_are_fine():
    data = of(STARTED, added(0))
    assert read_streams(data.replace(b"\n", b"\r\n\r\n")) == read_streams(data)
    assert len(read_streams(data + data)) == 2


def test_the_deepest_tree_that_is_allowed_still_folds():
    (stream,) = read_streams(of(STARTED, *[added(*[0] * depth) for depth in range(1, DEEPEST + 1)]))
    folds(stream)


def test_a_refusal_is_said_in_another_language_with_its_reason() -> None:
    with pytest.raises(BadSession) as refused:
        read_streams(b'{"seq": "0"', "a.jsonl")
    assert str(refused.value) == "a.jsonl was refused whole: line 1 is damaged (it is not valid JSON; perhaps it was cut)"
    said = Tongue("it").of(refused.value)
    assert said == "a.jsonl è stato rifiutato per intero: la riga 1 è danneggiata (non è JSON valido; forse è stata troncata)"
