"""REBASE, move by move."""

from itertools import groupby
from math import inf

import pytest
from hands import ROOT, ended, step
from hypothesis import given
from hypothesis import strategies as st
from worlds import POLICIES, VERIFIERS, drive, events, search

from tts_explorer.errors import BadSetting
from tts_explorer.events import NodeAdded, NodeSelected
from tts_explorer.moves import Expand, Prune, Score, Select
from tts_explorer.strategies import checked_settings, default_rule
from tts_explorer.strategies.rebase import rebase

SEEDS = st.integers(0, 2**40)


def test_a_step_gets_its_share_of_the_next_samples():
    """At temperature 0.2 scores 0.9, 0.8 and 0.4 weigh e^0 : e^-0.5 : e^-2.5 = 0.592 : 0.359 : 0.049."""
    search = rebase(ROOT, n=8, max_depth=3)
    assert next(search) == Expand([ROOT], [8])
    steps = [step(i) for i in range(8)]
    assert search.send(steps) == Score(steps)
    a, b, c = left = [step(0, score=0.9), step(1, score=0.4), step(2, score=0.8)]
    assert search.send(left) == Select(left, weights=[5, 0, 3])
    assert search.send(left) == Prune([b], "no share")
    assert search.send([b]) == Expand([a, c], [5, 3])
    steps = [*(step(0, i, score=0.5) for i in range(5)), *(step(2, i, score=0.5) for i in range(3))]
    assert search.send(steps) == Score(steps)
    assert search.send(steps) == Select(steps, weights=[1] * 8)
    assert search.send(steps) == Prune([], "no share")
    assert search.send([]) == Expand(steps, [1] * 8, to_end=True)
    ends = [step(0, i, 0, score=0.5, done=True) for i in range(8)]
    assert search.send(ends) == Score(ends)
    assert ended(search, ends)


def test_a_finished_step_takes_its_sample_with_it_and_a_merged_twin_leaves_its_own():
    search = rebase(ROOT, n=6, max_depth=9)
    next(search)
    sampled = [step(0, done=True), step(1), step(2, done=True), step(3), step(4), step(5, done=True)]
    assert search.send(sampled) == Score(sampled)
    merged = [step(0, score=0.9, done=True), step(1, score=0.5)]
    assert search.send(merged) == Select([merged[1]], weights=[3])
    search.send([])
    assert search.send([]) == Expand([merged[1]], [3])


def test_ties_go_to_the_earlier_and_the_unscorable_get_nothing():
    search = rebase(ROOT, n=4, max_depth=9)
    next(search)
    search.send([step(i) for i in range(4)])
    failed, a, b, c = steps = [step(0, score=-inf), *(step(i, score=0.5) for i in range(1, 4))]
    assert search.send(steps) == Select(steps, weights=[0, 2, 1, 1])
    assert search.send([]) == Prune([failed], "no share")


def test_if_the_verifier_failed_on_all_they_share_alike():
    search = rebase(ROOT, n=3, max_depth=9)
    next(search)
    steps = [step(i, score=-inf) for i in range(3)]
    search.send(steps)
    assert search.send(steps) == Select(steps, weights=[1, 1, 1])


@pytest.mark.parametrize(("temperature", "widths"), [(0.01, [8, 0]), (10, [4, 4])])
def test_its_temperature_decides_how_even_shares_are(temperature, widths):
    search = rebase(ROOT, n=8, balance_temperature=temperature)
    next(search)
    search.send([step(i) for i in range(8)])
    steps = [step(0, score=0.6), step(1, score=0.4)]
    assert search.send(steps) == Select(steps, weights=widths)


def test_it_ends_when_nothing_is_open_and_votes_by_weight():
    search = rebase(ROOT, n=2)
    next(search)
    steps = [step(i, score=0.5, done=True) for i in range(2)]
    search.send(steps)
    assert ended(search, steps)
    assert default_rule(rebase) == "weighted"


def test_at_depth_one_the_first_iteration_is_the_last():
    assert next(rebase(ROOT, n=4, max_depth=1)) == Expand([ROOT], [4], to_end=True)


@pytest.mark.parametrize("value", [0, 0.005, 10.5, "nan", "inf", "warm", True, None])
def test_its_temperature_is_a_number_in_range(value):
    with pytest.raises(BadSetting, match=r"balance_temperature is .*: it must be a number from 0\.01 to 10"):
        checked_settings(rebase, {"balance_temperature": value})
    assert checked_settings(rebase, {"balance_temperature": " 0.5"})["balance_temperature"] == 0.5


@given(st.sampled_from(sorted(POLICIES)), st.sampled_from(sorted(VERIFIERS)), st.integers(1, 9), st.integers(1, 6), SEEDS)
def test_n_solutions_come_of_it_whatever_the_models_do(policy, verifier, n, depth, seed):
    """Finished paths add up to n, and the shares announced to what is not finished."""
    run = search("rebase", policy, verifier, settings={"n": n, "max_depth": depth}, seed=seed)
    [records] = drive(run)
    assert run.tree.status == "done" and sum(node.terminal for node in run.tree.nodes.values()) == n
    finished = 0
    for announced, group in groupby(events(records), key=lambda event: isinstance(event, NodeSelected)):
        if announced:
            assert sum(event.weight for event in group) == n - finished
        else:
            finished += sum(event.terminal for event in group if isinstance(event, NodeAdded))
