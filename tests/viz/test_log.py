"""The page's log stays small and whole whatever the text, and says which nodes gave an answer."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from viz.streams import ahead, refinement, verified
from worlds import drive, search

from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    Event,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodePruned,
    NodeScored,
    NodeSelected,
    Record,
    SearchStarted,
    Verdict,
    clean,
)
from tts_explorer.viz.log import PageLog, cut, projected

ALPHABETS = ["abc 0123=+-", '"\\\n\t\x01\x1f\u2028', "🦜🏳️‍🌈é漢ا\u202e", "\x00\ud800<script>`${}", "…"]


def hostile(rng: random.Random, longest: int) -> str:
    """Random text of every awkward kind, as it stands in an event."""
    alphabet = rng.choice(ALPHABETS) + rng.choice(ALPHABETS)
    return clean("".join(rng.choice(alphabet) for _ in range(rng.randrange(longest))))


def lines(log: str) -> list[dict]:
    """The lines of a log, each read on its own."""
    assert log.endswith("\n")
    return [orjson.loads(line) for line in log.split("\n")[:-1]]


@pytest.mark.parametrize("first", [0, 900_000])
def test_an_added_node_its_score_and_its_fate_take_at_most_250_bytes(first: int) -> None:
    rng = random.Random(7)
    nodes, records = [()], [Record(first, 0.0, None, SearchStarted(hostile(rng, 900), "s", aggregate="prod"))]
    for _ in range(2000):
        parent = rng.choice(nodes[-50:])
        node = (*parent, sum(known[:-1] == parent for known in nodes[1:]))
        terminal = rng.random() < 0.3
        answer = hostile(rng, 60) or "x" if terminal else None
        nodes.append(node)
        added = NodeAdded(
            node, hostile(rng, 300), 5, -1.0, rng.choice(["step", "eos", "length"]), terminal, answer, rng.random() < 0.5
        )
        for event in (added, NodeScored(node, rng.random()), NodePruned(node, hostile(rng, 40))):
            records.append(Record(first + len(records), 0.0, rng.randrange(100, 999), event))
    sizes = sizes_of(records)
    assert len(sizes) == 2000 and max(sizes.values()) <= 250


def sizes_of(records: list[Record]) -> dict[int, int]:
    """Bytes of the log by the node that they are about."""
    sizes: dict[int, int] = {}
    for line in projected(records).split("\n")[1:-1]:
        number = orjson.loads(line)["n"]
        sizes[number] = sizes.get(number, 0) + len(line.encode()) + 1
    return sizes


@pytest.mark.parametrize("setting", [{"lookahead": 3}, {"feedback": "self"}])
def test_so_it_does_with_a_look_ahead_or_feedback_and_verdicts(setting: dict[str, Any]) -> None:
    rng = random.Random(8)
    records = [Record(0, 0.0, None, SearchStarted("p", "s", settings=setting, aggregate="prod"))]
    for i in range(2000):
        node, text = (i,), hostile(rng, 300)
        verdicts = tuple(Verdict(hostile(rng, 90), rng.random(), 9) for _ in range(rng.randrange(20)))
        events: list[Event] = []
        if "lookahead" in setting:
            events += [NodeAdded(node, hostile(rng, 300), 5, -1.0, rng.choice(["step", "length"]), False)]
            events += [LookedAhead(node, text, 9), NodeScored(node, rng.random()), NodePruned(node, hostile(rng, 40))]
        else:
            given = FeedbackGiven(node, text, 9, hostile(rng, 30), rng.choice([True, False, None]))
            events += [NodeAdded(node, hostile(rng, 300), 5, -1.0, "eos", True, hostile(rng, 60) or "x")]
            events += rng.sample([NodeScored(node, rng.random(), verdicts), given], 2)
        records += [Record(len(records) + i, 0.0, rng.randrange(100, 999), event) for i, event in enumerate(events)]
    assert max(sizes_of(records).values()) <= 250


def test_what_is_said_of_a_node_is_in_the_log_and_whole_if_it_is_short() -> None:
    told = lines(projected(refinement()))
    feedback = [line for line in told if line["k"] == "f"]
    assert [(line["n"], line.get("A"), line["b"]) for line in feedback] == [
        (3, 0, "verifier"),
        (6, None, "self"),
        (9, 1, "truth"),
    ]
    assert feedback[0]["t"] == "The first mistake is in step 2."
    assert [line["R"] for line in told if "R" in line] == [3, 6]
    assert [line["V"] for line in lines(projected(verified())) if line["k"] == "?"] == [
        [1, 8, 0.23],
        [6, 8, 0.71],
        [3, 8, 0.42],
        [5, 8, 0.62],
    ]
    looked = next(line for line in lines(projected(ahead())) if line["k"] == "~")
    assert looked == {"l": 4, "k": "~", "n": 1, "c": 2, "t": "126 - 37 = 89\n\n\\boxed{89}"}


def test_seq_is_written_only_where_it_jumps_and_never_lost() -> None:
    (stream,) = drive(search("mcts", settings={"n": 6, "beam_width": 2}))
    seq, seen = -1, []
    for line in lines(projected(stream)):
        seq = line.get("q", seq + 1)
        seen.append(seq)
    assert seen == sorted(set(seen)) and seen[-1] == stream[-1].seq
    kinds = {record.seq: type(record.event).__name__ for record in stream}
    assert all(kinds[seq] == "NodeSelected" for seq in set(kinds) - set(seen))


def test_the_log_is_the_same_however_the_records_come_in() -> None:
    (stream,) = drive(search("particle_filter", seed=4))
    whole, log, rng = projected(stream), PageLog(), random.Random(1)
    pieces, at = [], 0
    while at < len(stream):
        step = rng.randrange(1, 7)
        pieces.append(log.write(stream[at : at + step]))
        at += step
    assert "".join(pieces) + log.rest() == whole
    assert log.rest() == ""


def test_a_run_of_selections_at_the_end_of_an_interrupted_stream_is_not_lost() -> None:
    stream = [Record(0, 0.0, None, SearchStarted("p", "s")), Record(1, 0.0, 3, NodeSelected((), 4, 0.5))]
    assert PageLog().write(stream) == projected(stream[:1])
    assert lines(projected(stream))[1] == {"l": 3, "k": ">", "N": [0], "v": [4], "u": [0.5]}


@pytest.mark.parametrize("width", [1, 2, 4])
def test_tree_search_stays_within_250_bytes_a_node_all_told(width: int) -> None:
    (stream,) = drive(search("mcts", "never ends", settings={"n": 30, "beam_width": width}))
    log = lines(projected(stream))
    size = sum(len(orjson.dumps(line)) + 1 for line in log[1:])
    nodes = sum(line["k"] == "+" for line in log)
    assert size / nodes <= 250


def test_cut_keeps_a_prefix_of_bounded_size() -> None:
    rng = random.Random(3)
    for _ in range(2000):
        text, characters = hostile(rng, 120), rng.randrange(1, 100)
        short = cut(text, characters)
        assert len(orjson.dumps(short)) - 2 <= characters + 2
        assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert cut("short", 80) == "short"


def test_a_grade_names_the_nodes_that_gave_the_answer() -> None:
    first, second, third = (NodeAdded((i,), f"so {x}", 3, -1.0, "eos", True, x) for i, x in enumerate(["13", "3", "13"]))
    events = [
        SearchStarted("p", "s"),
        first,
        second,
        third,
        AnswerSelected("13", (0,), "best"),
        AnswerGraded("13", True),
        AnswerGraded("3", False),
    ]
    grades = [
        line for line in lines(projected(Record(i, 0.0, None, event) for i, event in enumerate(events))) if line["k"] == "@"
    ]
    assert [(line["w"], line["c"], line["N"]) for line in grades] == [("13", True, [1, 3]), ("3", False, [2])]
