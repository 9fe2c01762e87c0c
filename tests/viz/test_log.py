"""The page's log stays small and whole whatever the text, and says which nodes gave an answer."""

from __future__ import annotations

import random

import orjson
import pytest

from tts_explorer.events import AnswerGraded, AnswerSelected, NodeAdded, NodePruned, NodeScored, Record, SearchStarted, clean
from tts_explorer.viz.log import cut, projected

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
    sizes: dict[int, int] = {}
    for line in projected(records).split("\n")[1:-1]:
        number = orjson.loads(line)["n"]
        sizes[number] = sizes.get(number, 0) + len(line.encode()) + 1
    assert len(sizes) == 2000
    assert max(sizes.values()) <= 250


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
