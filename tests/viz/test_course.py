"""Iterations, fates and variety as a fold of the record, and rows that keep nodes apart."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from viz.streams import recorded, refinement, verified
from worlds import drive, search

from tts_explorer.events import NodeAdded, NodeId, NodePruned, NodeScored, SearchStarted
from tts_explorer.viz.course import Course, Variety
from tts_explorer.viz.graph import COLUMNS, graph, key, rows, rows_of_layers


def step(*node: int, text: str = "go\n\n", answer: str | None = None) -> NodeAdded:
    return NodeAdded(node, text, 3, -1.0, "eos" if answer else "step", bool(answer), answer)


def beam() -> list[tuple[None, object]]:
    """Two iterations; of the first, one is kept, one pruned, one a duplicate."""
    first = [step(0), step(1), step(2), NodeScored((0,), 0.9), NodeScored((1,), 0.2), NodeScored((2,), 0.9)]
    told = [NodePruned((2,), "duplicate"), NodePruned((1,), "rank")]
    second = [step(0, 0, answer="8"), step(0, 1), NodeScored((0, 0), 0.7)]
    return [(None, event) for event in (SearchStarted("p", "s", verifier="v"), *first, *told, *second)]


def test_fates_change_as_the_record_grows() -> None:
    records = recorded(*beam())
    assert [Course.of(records[:4]).fate((i,)) for i in range(3)] == ["waiting"] * 3
    assert [Course.of(records[:7]).fate((i,)) for i in range(3)] == ["open"] * 3
    assert [Course.of(records[:9]).fate((i,)) for i in range(3)] == ["kept", "pruned", "duplicate"]
    whole = Course.of(records)
    assert (whole.fate(()), whole.fate((0, 0)), whole.fate((0, 1))) == ("kept", "finished", "waiting")


def test_an_iteration_begins_with_the_first_sample_after_something_was_said() -> None:
    course = Course.of(recorded(*beam()))
    assert course.iterations == [[], [(0,), (1,), (2,)], [(0, 0), (0, 1)]]
    assert course.varieties == [Variety(1, 1, 0), Variety(2, 1, 1)]


def test_a_chain_is_one_candidate_and_attempts_follow_one_another() -> None:
    course = Course.of(refinement())
    assert len(course.iterations) == 4
    assert [[node.id for node in course.candidates(i)] for i in (1, 2, 3)] == [[(0, 0, 0)], [(1, 0, 0)], [(2, 0, 0)]]


@pytest.mark.parametrize("strategy", ["beam_search", "dvts", "mcts", "rebase", "particle_filter", "best_of_n"])
def test_every_node_is_in_one_iteration_and_has_a_fate(strategy: str) -> None:
    for seed in range(3):
        (stream,) = drive(search(strategy, seed=seed))
        for cut in {len(stream), len(stream) // 2, 1}:
            course = Course.of(stream[:cut])
            listed = Counter(id for ids in course.iterations for id in ids)
            assert set(listed) == set(course.tree.nodes) - {()} and set(listed.values()) <= {1}
            fates = {id: course.fate(id) for id in course.tree.nodes}
            assert (list(fates.values()).count("selected") == 1) == (course.tree.selected is not None)
            assert len(course.varieties) == len(course.iterations) - 1


@pytest.mark.parametrize("seed", range(30))
def test_rows_keep_nodes_apart_and_parents_among_their_children(seed: int) -> None:
    rng, nodes = random.Random(seed), list[NodeId]([()])
    children: dict[NodeId, list[NodeId]] = {}
    for _ in range(rng.randrange(1, 120)):
        parent = rng.choice(nodes[-rng.choice((3, 9, 120)) :])
        child = (*parent, len(children.get(parent, [])))
        children.setdefault(parent, []).append(child)
        nodes.append(child)
    placed = rows_of_layers(children)
    assert set(placed) == set(nodes) and min(placed.values()) == 0
    for depth in range(max(map(len, nodes)) + 1):
        at = [placed[id] for id in sorted(nodes) if len(id) == depth]
        assert all(b - a >= 1 - 1e-9 for a, b in zip(at, at[1:], strict=False))
    for parent, kids in children.items():
        assert placed[parent] == pytest.approx((placed[kids[0]] + placed[kids[-1]]) / 2)


def test_a_very_deep_tree_is_placed() -> None:
    deep = {(0,) * depth: [(0,) * (depth + 1)] for depth in range(2000)}
    assert set(rows_of_layers(deep).values()) == {0.0}


def test_the_graph_and_the_rows_hold_all_that_is_known() -> None:
    course = Course.of(verified())
    made, table = graph(course), rows(course)
    assert len(made) == len(course.tree.nodes) == len(table) + 1
    for row in table:
        assert list(row) == COLUMNS
        assert made.nodes[row["node"]] == {name: value for name, value in row.items() if value is not None}
        assert made.has_edge(row["parent"], row["node"])
    tip = made.nodes[key((1, 0, 0))]
    assert (tip["answer"], tip["correct"], tip["fate"], tip["iteration"]) == ("89", True, "finished", 1)
    assert tip["verdicts"].count('"p_yes"') == 8
    revised = graph(Course.of(refinement()))
    assert [(a, b) for a, b, kind in revised.edges(data="kind") if kind == "revises"] == [
        ("root.0.0.0", "root.1"),
        ("root.1.0.0", "root.2"),
    ]
