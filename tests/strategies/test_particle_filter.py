"""Particle filtering, move by move."""

import random
from collections import Counter
from math import inf, log

import pytest
from hands import ROOT, ended, step
from hypothesis import given
from hypothesis import strategies as st
from worlds import POLICIES, VERIFIERS, as_json, chosen, comparable, drive, only, search

from tts_explorer.errors import BadSetting
from tts_explorer.events import NodeAdded, NodePruned, NodeScored, NodeSelected
from tts_explorer.moves import Expand, Prune, Score, Search, Select
from tts_explorer.strategies import checked_settings, draws, settings_of
from tts_explorer.strategies.particle_filter import logit, particle_filter

SEEDS = st.integers(0, 2**40)


class Drawn(random.Random):
    """Draws what it is told to, and notes the weights."""

    def __init__(self, *plans):
        super().__init__(0)
        self.plans, self.weights = list(plans), []

    def choices(self, population, weights, *, k):
        self.weights.append(weights)
        indices = self.plans.pop(0)
        assert len(indices) == k
        return [population[i] for i in indices]


def test_particles_step_are_weighed_by_their_odds_and_drawn_anew():
    rng = Drawn([3, 1, 3, 1], [2, 2, 0, 3], [0, 0, 0, 0])
    search = particle_filter(ROOT, n=4, max_depth=3, rng=rng)
    assert next(search) == Expand([ROOT], [4])
    steps = [step(i) for i in range(4)]
    assert search.send(steps) == Score(steps, merge=False)
    a, b, c, d = steps = [step(i, score=score) for i, score in enumerate([0.5, 0.75, 0.5, 0.9])]
    selected = search.send(steps)
    assert selected == Select(steps, weights=pytest.approx([1 / 14, 3 / 14, 1 / 14, 9 / 14]))
    assert search.send(steps) == Prune([a, c], "not drawn")
    assert search.send([]) == Expand([d, b], [2, 2])
    done = step(3, 1, score=0.5, done=True)
    steps = [step(3, 0, score=0.5), done, step(1, 0, score=0.5), step(1, 1, score=0.5, done=True)]
    assert search.send(steps) == Score(steps, merge=False)
    assert search.send(steps) == Select(steps, weights=[0.25] * 4)
    assert search.send(steps) == Prune([], "not drawn")
    assert search.send([]) == Expand([steps[2], steps[0]], [2, 1], to_end=True)
    last = [step(1, 0, i, score=0.5, done=True) for i in range(2)] + [step(3, 0, 0, score=0.5, done=True)]
    assert search.send(last) == Score(last, merge=False)
    assert search.send(last) == Select([steps[3], *last], weights=[0.25] * 4)
    assert search.send([]) == Prune([], "not drawn")
    assert ended(search, [])
    assert all(sum(weights) == pytest.approx(1) for weights in rng.weights)


def test_a_finished_particle_keeps_its_weight_is_drawn_again_and_takes_no_step():
    rng = Drawn([0, 0, 1], [0, 1, 0])
    search = particle_filter(ROOT, n=3, max_depth=9, rng=rng)
    next(search)
    steps = [step(0, score=0.9, done=True), step(1, score=0.5), step(2, score=0.1, done=True)]
    search.send(steps)
    search.send(steps)
    assert search.send([]) == Prune([], "not drawn")
    assert search.send([]) == Expand([steps[1]], [1])
    new = [step(1, 0, score=0.9)]
    search.send(new)
    assert search.send(new) == Select([steps[0], steps[0], new[0]], weights=pytest.approx([1 / 3] * 3))
    assert search.send([]) == Prune(new, "not drawn")
    assert ended(search, [])


def test_two_equal_steps_are_two_particles():
    """Nothing is merged: each gets a reward of its own, and none is a duplicate."""
    run = search("particle_filter", chosen(("go\n\n", "step")), settings={"n": 5, "max_depth": 3})
    [records] = drive(run)
    assert not [event for event in only(records, NodePruned) if event.reason == "duplicate"]
    assert (
        len(only(records, NodeScored))
        == len(only(records, NodeAdded))
        == run.verifier.calls + sum(len(node.id) > 3 for node in run.tree.nodes.values())
    )


@pytest.mark.parametrize(
    ("score", "expected"), [(0.5, 0.0), (0.75, log(3)), (0.0, log(1e-7)), (-inf, log(1e-7)), (1.0, -log(1e-7))]
)
def test_the_logit_is_kept_finite(score, expected):
    assert logit(score) == pytest.approx(expected)


def test_its_random_numbers_come_from_the_run_and_are_no_setting():
    assert list(settings_of(particle_filter)) == ["n", "max_depth"] and draws(particle_filter)
    with pytest.raises(BadSetting, match="no setting 'rng'"):
        checked_settings(particle_filter, {"rng": 3})


def test_the_seed_decides_what_is_drawn_and_nothing_else_does():
    seen = []

    def draw(root, *, rng: random.Random) -> Search:
        seen.append([rng.random() for _ in range(3)])
        yield Expand([root], 1, to_end=True)

    for seed in (7, 7, 8):
        drive(search(draw, seed=seed, settings={}))
    assert seen[0] == seen[1] != seen[2]
    assert not draws(search("greedy").plan.strategy)


def test_a_rerun_draws_the_same_particles():
    def streams(seed):
        return [comparable(drive(search("particle_filter", seed=seed, settings={"n": 6}))[0]) for _ in range(2)]

    first, second = streams(3)
    assert first == second != streams(4)[0]


@given(
    st.sampled_from(sorted(POLICIES)), st.sampled_from(sorted(VERIFIERS)), st.integers(1, 8), st.integers(1, 6), st.integers(0)
)
def test_there_are_n_particles_after_every_iteration(policy, verifier, n, depth, seed):
    """A path is grown as often as it was drawn; weights sum to 1; every iteration steps the unfinished ones."""
    run = search("particle_filter", policy, verifier, settings={"n": n, "max_depth": depth}, seed=seed)
    [records] = drive(run)
    as_json(records)
    assert run.tree.status == "done"
    weights: list[list[float]] = []
    for before, record in zip(records, records[1:], strict=False):
        if isinstance(record.event, NodeSelected):
            if not isinstance(before.event, NodeSelected):
                weights.append([])
            weights[-1].append(record.event.weight)
    assert all(len(iteration) == n and sum(iteration) == pytest.approx(1) for iteration in weights)
    assert len(weights) <= depth
    parents = Counter(event.node[:-1] for event in only(records, NodeAdded) if len(event.node) <= depth)
    assert parents[()] == n and all(count <= n for count in parents.values())
