"""Beam search, move by move."""

from math import inf

import pytest
from hands import ROOT, ended, step

from tts_explorer.errors import BadSetting, NotScored
from tts_explorer.moves import Expand, Prune, Score
from tts_explorer.strategies.beam_search import beam_search


def test_it_keeps_the_best_of_all_candidates_and_shares_n_among_them():
    search = beam_search(ROOT, n=4, beam_width=2, max_depth=3)
    assert next(search) == Expand([ROOT], [4])
    steps = [step(i) for i in range(4)]
    assert search.send(steps) == Score(steps)
    a, b, c, d = scored = [step(i, score=score) for i, score in enumerate([0.1, 0.8, 0.3, 0.9])]
    assert search.send(scored) == Prune([c, a], "rank")
    assert search.send([c, a]) == Expand([d, b], [2, 2])
    steps = [step(3, 0), step(3, 1), step(1, 0), step(1, 1)]
    assert search.send(steps) == Score(steps)
    scored = [step(3, 0, score=0.2), step(3, 1, score=0.7), step(1, 0, score=0.6), step(1, 1, score=0.1)]
    assert search.send(scored) == Prune([scored[0], scored[3]], "rank")
    assert search.send([]) == Expand([scored[1], scored[2]], [2, 2], to_end=True)
    answers = [step(3, 1, 0, score=0.5, done=True), step(1, 0, 0, score=0.5, done=True)]
    assert search.send(answers) == Score(answers)
    assert search.send(answers) == Prune([], "rank")
    assert ended(search, [])


def test_a_finished_node_leaves_the_beam_and_frees_its_slot():
    search = beam_search(ROOT, n=6, beam_width=2, max_depth=4)
    next(search)
    search.send([])
    done = [step(0, score=0.99, done=True), step(1, score=0.01, done=True)]
    opened = [step(i, score=i / 10) for i in range(2, 5)]
    assert search.send([done[0], *opened, done[1]]) == Prune([], "rank")
    assert search.send([]) == Expand([opened[2], opened[1], opened[0]], [2, 2, 2])


def test_fewer_open_beams_get_the_same_number_of_samples():
    search = beam_search(ROOT, n=8, beam_width=2, max_depth=4)
    next(search)
    search.send([])
    opened = [step(i, score=0.5) for i in range(3)]
    search.send(opened)
    assert search.send([]) == Expand(opened, [3, 3, 2])


def test_ties_go_to_the_earlier_and_the_unscorable_rank_last():
    search = beam_search(ROOT, n=4, beam_width=2, max_depth=3)
    next(search)
    search.send([])
    failed, a, b, c = step(0, score=-inf), step(1, score=0.0), step(2, score=0.5), step(3, score=0.5)
    assert search.send([failed, a, b, c]) == Prune([a, failed], "rank")
    assert search.send([]) == Expand([b, c], [2, 2])


def test_it_ends_when_nothing_is_open():
    search = beam_search(ROOT, n=2, beam_width=1, max_depth=9)
    next(search)
    search.send([])
    assert search.send([step(0, score=0.5, done=True)]) == Prune([], "rank")
    assert ended(search, [])


def test_at_depth_one_the_first_iteration_is_the_last():
    assert next(beam_search(ROOT, n=4, beam_width=4, max_depth=1)) == Expand([ROOT], [4], to_end=True)


def test_a_beam_width_that_does_not_divide_n_is_refused_before_the_first_move():
    with pytest.raises(BadSetting, match="must divide"):
        next(beam_search(ROOT, n=6, beam_width=4))


def test_no_samples_end_at_once():
    search = beam_search(ROOT, n=0, beam_width=4)
    assert next(search) == Expand([ROOT], [0])
    assert search.send([]) == Score([])
    assert search.send([]) == Prune([], "rank")
    assert ended(search, [])


def test_ranking_what_was_never_scored_is_an_error():
    search = beam_search(ROOT, n=2, beam_width=1)
    next(search)
    search.send([step(0), step(1)])
    with pytest.raises(NotScored):
        search.send([step(0), step(1)])
