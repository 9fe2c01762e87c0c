"""MCTS, move by move."""

from math import inf, sqrt

import pytest
from hands import ROOT, ended, step
from hypothesis import given
from hypothesis import strategies as st
from worlds import POLICIES, VERIFIERS, drive, only, search

from tts_explorer.events import NodeAdded, NodePruned, NodeSelected
from tts_explorer.moves import Expand, Score, Select
from tts_explorer.strategies import checked_settings, default_rule
from tts_explorer.strategies.mcts import Place, mcts


def place(value, visits, closed=False):
    return Place(step(0), [], visits, value * visits, closed)


def test_it_walks_to_the_best_leaf_and_backs_its_scores_up():
    search = mcts(ROOT, n=3, beam_width=2, exploration=0)
    assert next(search) == Expand([ROOT], 3)
    steps = [step(i) for i in range(3)]
    assert search.send(steps) == Score(steps)
    a, b, c = steps = [step(0, score=0.25), step(1, score=0.75), step(2, score=0.5)]
    assert search.send(steps) == Select([ROOT, a, b, c], visits=[3, 1, 1, 1], values=[0.5, 0.25, 0.75, 0.5])
    assert search.send([]) == Expand([b], 2)
    d, e = steps = [step(1, 0, score=0.0), step(1, 1, score=0.25)]
    assert search.send(steps) == Score(steps)
    assert search.send(steps) == Select([ROOT, b, d, e], visits=[5, 3, 1, 1], values=[0.35, 1 / 3, 0.0, 0.25])
    assert search.send([]) == Expand([c], 2)
    f, g = steps = [step(2, 0, score=0.5, answer="8"), step(2, 1, score=1.0)]
    search.send(steps)
    assert search.send(steps) == Select(
        [ROOT, c, f, g], visits=[7, 3, 1, 1], values=[pytest.approx(3.25 / 7), pytest.approx(2 / 3), 0.5, 1.0]
    )
    assert ended(search, [])


def test_exploration_turns_to_what_was_visited_little():
    """PUCT by hand: Q + c · P · √ΣN / (1 + N), P uniform."""
    often, seldom = place(0.6, 9), place(0.5, 1)
    parent = Place(step(0), [often, seldom])
    for c, expected in [(0, often), (0.15, often), (0.2, seldom), (10, seldom)]:
        by_hand = [0.6 + c * 0.5 * sqrt(10) / 10, 0.5 + c * 0.5 * sqrt(10) / 2]
        assert (by_hand[0] >= by_hand[1]) == (expected is often)
        assert parent.choice(c) is expected


def test_ties_go_to_the_earlier_and_what_is_closed_is_passed_over():
    children = [place(0.5, 2), place(0.5, 2), place(0.9, 2, closed=True)]
    assert Place(step(0), children).choice(1.25) is children[0]


def test_a_finished_path_is_not_walked_again():
    search = mcts(ROOT, n=4, beam_width=1, exploration=0)
    next(search)
    steps = [step(0, score=0.9, done=True), step(1, score=0.1), step(2, score=0.05), step(3, score=0.0)]
    search.send(steps)
    search.send(steps)
    assert search.send([]) == Expand([steps[1]], 1)
    end = [step(1, 0, score=0.9, done=True)]
    search.send(end)
    assert search.send(end) == Select([ROOT, steps[1], *end], visits=[5, 2, 1], values=[pytest.approx(1.95 / 5), 0.5, 0.9])
    assert search.send([]) == Expand([steps[2]], 1)


def test_it_ends_when_every_path_is_finished():
    search = mcts(ROOT, n=9, beam_width=2)
    next(search)
    steps = [step(i, score=0.5, done=True) for i in range(9)]
    search.send(steps)
    search.send(steps)
    assert ended(search, [])


def test_without_an_answer_the_best_open_leaf_is_written_to_its_end():
    search = mcts(ROOT, n=2, beam_width=2)
    next(search)
    steps = [step(0, score=0.1), step(1, score=0.2)]
    search.send(steps)
    search.send(steps)
    assert search.send([]) == Expand([steps[1]], 2)
    more = [step(1, 0, score=0.05), step(1, 1, score=0.9, done=True)]
    search.send(more)
    search.send(more)
    assert search.send([]) == Expand([steps[0]], 1, to_end=True)
    last = [step(0, 0, 0)]
    assert search.send(last) == Score(last)
    assert ended(search, last)


def test_a_failed_score_counts_as_zero_and_ranks_last_at_the_end():
    search = mcts(ROOT, n=1, beam_width=2)
    next(search)
    steps = [step(0, score=-inf), step(1, score=0.0)]
    search.send(steps)
    assert search.send(steps) == Select([ROOT, *steps], visits=[2, 1, 1], values=[0.0, 0.0, 0.0])
    assert search.send([]) == Expand([steps[1]], 1, to_end=True)


def test_its_exploration_is_a_number_and_its_rule_the_best_score():
    assert checked_settings(mcts, {"exploration": "2"})["exploration"] == 2.0 and default_rule(mcts) == "best"


@given(
    st.sampled_from(sorted(POLICIES)),
    st.sampled_from(sorted(VERIFIERS)),
    st.integers(1, 7),
    st.integers(1, 4),
    st.sampled_from([0, 1.25, 10]),
)
def test_visits_and_values_add_up_whatever_the_models_do(policy, verifier, n, width, exploration):
    """n first steps and n − 1 expansions of beam_width, or all is finished; a node has a visit for each node at or below it."""
    settings = {"n": n, "beam_width": width, "exploration": exploration}
    run = search("mcts", policy, verifier, settings=settings)
    [records] = drive(run)
    assert run.tree.status == "done"
    announced = {event.node for event in only(records, NodeSelected)}
    merged = {event.node for event in only(records, NodePruned)}
    for id in announced:
        below = [node for node in announced if node[: len(id)] == id and node]
        node = run.tree.nodes[id]
        assert node.visits == len(below)
        assert node.value == pytest.approx(sum(max(run.tree.nodes[b].score, 0.0) for b in below) / len(below))
    grown = [event.node for event in only(records, NodeAdded) if event.node in announced | merged]
    expanded = {node[:-1] for node in grown}
    assert len(grown) == n + (len(expanded) - 1) * width
    still_open = [node for node in announced - expanded if not run.tree.nodes[node].terminal]
    assert len(expanded) == n or not still_open
    answered = any(run.tree.nodes[node].answer for node in announced)
    chain = {event.node for event in only(records, NodeAdded)} - announced - merged
    assert bool(chain) == bool(still_open and not answered)
