"""DVTS, move by move."""

from math import inf

import pytest
from hands import ROOT, ended, step
from worlds import POLICIES, drive, events, search

from tts_explorer.errors import BadSetting
from tts_explorer.events import NodeAdded, NodePruned
from tts_explorer.moves import Expand, Prune, Score
from tts_explorer.strategies.dvts import dvts


def test_every_subtree_keeps_its_best_step_and_grows_beam_width_more():
    search = dvts(ROOT, n=4, beam_width=2, max_depth=3)
    assert next(search) == Expand([ROOT], 4)
    nodes = [step(i, score=score) for i, score in enumerate([0.9, 0.8, 0.1, 0.2])]
    assert search.send(nodes) == Score(nodes[:2])
    assert search.send(nodes[:2]) == Prune([nodes[1]], "rank")
    assert search.send([]) == Score(nodes[2:])
    assert search.send(nodes[2:]) == Prune([nodes[2]], "rank")
    assert search.send([]) == Expand([nodes[0], nodes[3]], 2)
    nodes = [step(0, 0, score=0.1), step(0, 1, score=0.2), step(3, 0, score=0.3), step(3, 1, score=0.2)]
    assert search.send(nodes) == Score(nodes[:2])
    assert search.send(nodes[:2]) == Prune([nodes[0]], "rank")
    assert search.send([]) == Score(nodes[2:])
    assert search.send(nodes[2:]) == Prune([nodes[3]], "rank")
    assert search.send([]) == Expand([nodes[1], nodes[2]], 2, to_end=True)
    ends = [step(0, 1, i, 0, score=0.5, done=True) for i in range(2)] + [step(3, 0, i, score=0.5, done=True) for i in range(2)]
    assert search.send(ends) == Score(ends[:2])
    assert search.send(ends[:2]) == Prune([], "rank")
    assert search.send([]) == Score(ends[2:])
    assert search.send(ends[2:]) == Prune([], "rank")
    assert ended(search, [])


def test_a_subtree_whose_best_step_is_finished_stops_and_finished_siblings_are_not_pruned():
    search = dvts(ROOT, n=6, beam_width=3, max_depth=5)
    next(search)
    nodes = [step(0, score=0.1), step(1, score=0.9, done=True), step(2, score=0.2, done=True)]
    nodes += [step(3, score=0.5), step(4, score=0.4, done=True), step(5, score=0.5)]
    search.send(nodes)
    assert search.send(nodes[:3]) == Prune([nodes[0]], "rank")
    search.send([])
    assert search.send(nodes[3:]) == Prune([nodes[5]], "rank")
    assert search.send([]) == Expand([nodes[3]], 3)


def test_it_ends_when_every_subtree_has_stopped():
    search = dvts(ROOT, n=2, beam_width=2, max_depth=5)
    next(search)
    nodes = [step(0, score=0.5, done=True), step(1, score=0.4)]
    search.send(nodes)
    search.send(nodes)
    assert ended(search, [])


def test_ties_go_to_the_earlier_and_the_unscorable_rank_last():
    search = dvts(ROOT, n=3, beam_width=3, max_depth=2)
    next(search)
    nodes = [step(0, score=-inf), step(1, score=0.0), step(2, score=0.0)]
    search.send(nodes)
    assert search.send(nodes) == Prune([nodes[0], nodes[2]], "rank")
    assert search.send([]) == Expand([nodes[1]], 3, to_end=True)


def test_merged_twins_do_not_move_a_node_to_another_subtree():
    search = dvts(ROOT, n=4, beam_width=2, max_depth=3)
    next(search)
    nodes = [step(i, score=0.5) for i in range(4)]
    search.send(nodes)
    assert search.send(nodes[:1]) == Prune([], "rank")
    assert search.send([]) == Score(nodes[2:])


def test_at_depth_one_the_first_samples_run_to_their_end():
    search = dvts(ROOT, n=2, beam_width=1, max_depth=1)
    assert next(search) == Expand([ROOT], 2, to_end=True)
    ends = [step(0, 0, score=0.1, done=True), step(1, score=0.2, done=True)]
    assert search.send(ends) == Score(ends[:1])


def test_a_beam_width_that_does_not_divide_n_is_refused_before_the_first_move():
    with pytest.raises(BadSetting, match="must divide"):
        next(dvts(ROOT, n=6, beam_width=4))


@pytest.mark.parametrize("policy", ["fair", "never ends", "answers everywhere"])
def test_a_subtree_is_the_first_index_over_beam_width_for_ever(policy):
    """One open node a subtree after each iteration, and n // beam_width of them at most."""
    assert policy in POLICIES
    run = search("dvts", policy, settings={"n": 6, "beam_width": 2, "max_depth": 4}, seed=3)
    [records] = drive(run)
    gone = {event.node for event in events(records) if isinstance(event, NodePruned)}
    for depth in range(1, 4):
        parents = {e.node[:-1] for e in events(records) if isinstance(e, NodeAdded) and len(e.node) == depth + 1}
        assert not parents & gone
        assert len({p[0] // 2 for p in parents}) == len(parents) <= 3
