"""Runs of selections: whatever is left out of the log can be worked out from it."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import drive, search

from tts_explorer.events import NodeAdded, NodeId, NodeScored, NodeSelected, Record, SearchStarted
from tts_explorer.tree import SearchTree
from tts_explorer.viz.log import projected


def read(log: str) -> dict[int, tuple]:
    """Visits, value, weight and share by node number, as a page works them out."""
    parents, scores, pruned, facts = {0: None}, {}, set(), {0: (None,) * 4}
    for line in map(orjson.loads, log.split("\n")[:-1]):
        match line["k"]:
            case "+":
                parents[line["n"]], facts[line["n"]] = line["p"], (None,) * 4
            case "?":
                scores[line["n"]] = max(0.0, line.get("a", line["r"]) or 0.0)
            case "x" if line["y"] == "duplicate":
                pruned.add(line["n"])
            case ">":
                for i, n in enumerate(line["N"]):
                    facts[n] = tuple(line[key][i] if key in line else None for key in "vuws")
            case "^":
                kids = [n for n, parent in parents.items() if parent == line["n"] and n in scores and n not in pruned]
                fresh = [n for n in kids if None in facts[n][:2]]
                visits = {n: (1, scores[n]) for n in fresh}
                at = line["n"]
                while at is not None:
                    visits[at], at = (len(fresh), sum(scores[n] for n in fresh)), parents[at]
                for n, (times, total) in visits.items():
                    known, value = facts[n][:2] if None not in facts[n][:2] else (0, 0.0)
                    facts[n] = (known + times, (known * value + total) / (known + times), None, None)
    return facts


def agree(stream: list[Record]) -> None:
    """Raise AssertionError unless the log of `stream` says what its fold says."""
    tree = SearchTree.of(record.event for record in stream)
    for node, (visits, value, weight, share) in zip(tree.nodes.values(), read(projected(stream)).values(), strict=True):
        assert visits == node.visits
        assert (value is None) == (node.value is None) and (value is None or math.isclose(value, node.value, abs_tol=1e-3))
        told = share if weight is None else weight
        assert (told is None) == (node.weight is None) and (told is None or math.isclose(told, node.weight, rel_tol=0.06))


@pytest.mark.parametrize("strategy", ["mcts", "rebase", "particle_filter", "best_first"])
@pytest.mark.parametrize("verifier", ["fair", "fails now and then", "constant", "zero"])
def test_what_a_strategy_announced_can_be_read_back(strategy: str, verifier: str) -> None:
    for policy in ("fair", "lines", "never ends"):
        agree(drive(search(strategy, policy, verifier, seed=3))[0])


def test_tree_search_says_one_number_an_iteration() -> None:
    (stream,) = drive(search("mcts", settings={"n": 20, "beam_width": 3}))
    kinds = [orjson.loads(line)["k"] for line in projected(stream).split("\n")[:-1]]
    assert kinds.count("^") > 1 and ">" not in kinds
    agree(stream)


NODES: list[NodeId] = [(), (0,), (1,), (0, 0), (0, 1)]
SELECTED = st.builds(
    NodeSelected,
    st.sampled_from(NODES),
    st.none() | st.integers(0, 3),
    st.none() | st.sampled_from([0.0, 0.25, 0.5]),
    st.none() | st.sampled_from([0, 1, 2.0, 0.1]),
)


@given(st.lists(st.lists(SELECTED, max_size=6) | st.just("backed up"), max_size=6))
def test_so_can_anything_else(runs: list) -> None:
    events: list = [SearchStarted("p", "s")]
    for id in NODES[1:]:
        events += [NodeAdded(id, "a", 1, -1.0, "step", False), NodeScored(id, 0.25)]
    for run in runs:
        backed_up = [NodeSelected((), 2, 0.25), NodeSelected((0,), 1, 0.25), NodeSelected((1,), 1, 0.25)]
        events += backed_up if run == "backed up" else run
        events.append(NodeScored((1,), 0.25))
    agree([Record(i, 0.0, None, event) for i, event in enumerate(events)])


def test_shares_are_told_from_weights() -> None:
    shares = [SearchStarted("p", "s"), NodeAdded((0,), "a", 1, -1.0, "step", False), NodeSelected((0,), weight=4)]
    weights = [*shares[:2], NodeSelected((0,), weight=1.0)]
    both = [*shares, NodeScored((0,), 0.5), NodeSelected((0,), weight=1)]
    logs = [projected(Record(i, 0.0, None, event) for i, event in enumerate(events)) for events in (shares, weights, both)]
    assert ['"s":[4]' in logs[0], '"w":[1]' in logs[1], '"s":[1]' in logs[2]] == [True] * 3
