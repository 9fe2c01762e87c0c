"""Equal spend: the largest setting that fits, the hard stop, and nothing spent on what can't be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.errors import BadSetting, TTSExplorerError, UnknownName
from tts_explorer.lab.spend import SHARE, Dial, Fit, Pilot, Pilots, at_equal_spend, climbed, dial_of, largest
from tts_explorer.runner import Ask
from tts_explorer.runner.searches import Ended, searched
from tts_explorer.strategies import checked_settings, needs_verifier, strategy_named, strategy_names

ASK = Ask("p", "v", "best_of_n", {}, "arithmetic", 1)
"""Pilots of it are cheap."""


def fits_up_to(most, sizes=10**9):
    return lambda size: Fit({"n": size}, size <= most, float(size <= most)) if size <= sizes else None


@given(st.integers(0, 1), st.integers(1, 300), st.sampled_from([1, 4]), st.integers(0, 400))
def test_the_largest_size_is_found_to_an_eighth(smallest, biggest, grain, most):
    tried = []
    fits = fits_up_to(most)
    found = climbed(smallest, biggest, grain, lambda size: tried.append(size) or fits(size))
    best = min(most, biggest)
    if most < smallest:
        assert found == Fit({"n": smallest}, False, 0.0) and tried == [smallest]
    else:
        size = found.settings["n"]
        assert found.fits and size <= best and best - size <= max(grain, best // 8)
    assert len(tried) == len(set(tried)) <= 14 and all(smallest <= size <= biggest for size in tried)


def test_a_strategy_that_has_no_larger_size_keeps_its_largest():
    assert climbed(1, 256, 1, fits_up_to(999, sizes=6)).settings == {"n": 6}
    assert climbed(1, 256, 1, fits_up_to(999, sizes=0)) is None
    assert climbed(0, 0, 1, fits_up_to(999)).settings == {"n": 0}


@pytest.mark.parametrize("name", [name for name in strategy_names() if name != "compute_optimal"])
def test_every_strategy_has_sizes_that_it_accepts(name):
    dial = Dial(name, ratio=0.8)
    strategy, (low, high) = strategy_named(name), dial.ends
    for size in {low, 1, 2, 3, 7, 8, 24, high} if dial.knob else {0}:
        checked_settings(strategy, dial.settings(max(low, min(size, high))))
    assert dial.knob == {"greedy": None, "sequential_refinement": "rounds"}.get(name, "n")


def test_the_beam_width_divides_where_it_must():
    beam, tree = Dial("beam_search"), Dial("mcts")
    assert [beam.settings(n)["beam_width"] for n in (1, 2, 3, 4, 5, 6, 8, 12)] == [1, 2, 3, 4, 1, 3, 4, 4]
    assert {tree.settings(n)["beam_width"] for n in (1, 2, 3, 5)} == {4}
    assert (beam.grain, tree.grain, Dial("self_consistency").grain) == (4, 1, 1)


def test_solutions_and_verdicts_grow_together_unless_one_is_kept():
    dial = Dial("solve_and_verify", {}, 1.0, "even")
    assert dial.divides and [dial.settings(size) for size in (1, 2, 10)] == [
        {"n": 1, "votes": 1},
        {"n": 2, "votes": 1},
        {"n": 4, "votes": 4},
    ]
    kept = Dial("solve_and_verify", {"votes": 2})
    assert not kept.divides and kept.settings(5) == {"votes": 2, "n": 5}
    with pytest.raises(BadSetting, match="give the ratio of a verdict's tokens"):
        Dial("solve_and_verify").settings(1)


def test_what_is_kept_stays():
    dial = Dial("beam_search", {"beam_width": 2, "max_depth": 5})
    assert dial.settings(8) == {"n": 8, "beam_width": 2, "max_depth": 5}
    assert Dial("best_of_n", {"n": 3}).knob is None and Dial("best_of_n", {"n": 3}).settings(0) == {"n": 3}


def test_a_pilot_tells_what_share_fits_and_what_it_cannot_know():
    pilot = Pilot({}, 100.0, (50.0, 70.0, None, 90.0))
    assert [pilot.share(budget) for budget in (10, 70, 100)] == [0, 0.5, 0.75]
    assert pilot.tells(100) and not pilot.tells(101) and Pilot({}, 100.0, (50.0,)).tells(1e9)


def test_the_chosen_setting_fits_and_the_next_power_of_two_does_not(models):
    pilots = Pilots(ASK, models, limit=4000.0, count=20)
    found = largest(Dial("best_of_n"), pilots, 4000.0)
    n = found.settings["n"]
    assert found.fits and found.share >= SHARE and n > 2
    assert pilots.at({"n": 2 * n}, 4000.0).share(4000.0) < SHARE
    assert largest(Dial("best_of_n"), pilots, 1000.0).settings["n"] <= n


def test_a_setting_is_piloted_once_unless_more_must_be_known(models):
    pilots = Pilots(ASK, models, limit=1000.0, count=3)
    first = pilots.at({"n": 8}, 1000.0)
    policy = models.policy("p")
    sampled = policy.sampled
    assert pilots.at({"n": 8}, 500.0) is first and policy.sampled == sampled and None in first.flops
    more = Pilots(ASK, models, limit=1e9, count=3, known=pilots.known)
    assert None not in more.at({"n": 8}, 1e9).flops and len(more.known) == 1 and policy.sampled > sampled


def test_pilots_are_of_the_validation_split(models, monkeypatch):
    from tts_explorer.lab import spend

    seen = []
    monkeypatch.setattr(spend, "searched", lambda asks, models, read: seen.extend(asks) or searched(asks, models, read))
    Pilots(replace(ASK, seed=5), models, limit=1e4, count=4).at({"n": 2}, 1e4)
    assert [(a.split, a.index, a.seed, a.budget, a.settings) for a in seen] == [
        ("validation", i, 5, {"flops": 1e4}, {"n": 2}) for i in range(4)
    ]


def test_where_not_even_the_smallest_fits_it_is_said_and_run_under_the_stop(models):
    ask, found = at_equal_spend(ASK, 20.0, models, count=3)
    assert not found.fits and ask.settings == {"n": 1} and ask.budget == {"flops": 20.0}
    (ended,) = searched([ask], models, Ended.of)
    assert ended.status == "budget"


@pytest.mark.parametrize("name", [name for name in strategy_names() if name != "compute_optimal"])
def test_a_search_stops_within_one_batch_of_its_budget(models, name):
    """One batch: a step of each row under way, or the verifier's reading of their paths. Scripted FLOPs are characters read."""
    dial = Dial(name, ratio=1.0)
    settings = dial.settings(8) if dial.knob else {}
    rows = settings.get("n", 1) * settings.get("votes", 1) + settings.get("beam_width", 0)
    longest = 139 + 21 + 120
    """The problem, an attempt, and a check of it or feedback on it."""
    for budget in (50.0, 500.0, 2000.0, 5000.0):
        ask = Ask("p", "v", name, settings, "arithmetic", 1, budget={"flops": budget})
        for ended in searched([replace(ask, index=i) for i in range(3)], models, Ended.of):
            assert ended.flops <= budget + rows * longest
            assert ended.status == "done" or ended.flops >= budget


def test_solutions_and_verdicts_are_divided_by_the_ratio_of_the_pilots(models):
    ask = replace(ASK, strategy="solve_and_verify")
    pilots = Pilots(ask, models, limit=1e5, count=4)
    dial = dial_of(ask, pilots)
    assert dial.ratio == pilots.ratio() > 0 and dial_of(ask, pilots, ratio=0.5).ratio == 0.5
    found = largest(dial, pilots, 1e5)
    assert found.fits and found.settings["n"] > 1 and found.settings["votes"] >= 1
    pilots.ratio = lambda: None
    with pytest.raises(TTSExplorerError, match="no verdict came in any pilot search of solve_and_verify by p"):
        dial_of(ask, pilots)


@pytest.mark.parametrize(
    ("change", "budget", "count", "complaint"),
    [
        ({}, 0.0, 20, "budget of flops is 0"),
        ({}, -5.0, 20, "budget of flops is -5"),
        ({}, float("nan"), 20, "budget of flops is nan"),
        ({}, float("inf"), 20, "budget of flops is inf"),
        ({}, 10.0, 0, "pilots is 0"),
        ({"task": None}, 10.0, 20, "validation split of a task"),
        ({"settings": {"n": 0}}, 10.0, 20, "n is 0"),
        ({"settings": {"size": 2}}, 10.0, 20, "no setting 'size'"),
        ({"strategy": "beam_search", "settings": {"n": 6, "beam_width": 4}}, 10.0, 20, "must divide n"),
    ],
)
def test_nothing_is_loaded_or_spent_on_a_bad_setting(models, change, budget, count, complaint):
    with pytest.raises(BadSetting, match=complaint):
        at_equal_spend(replace(ASK, **change), budget, models, count=count)
    assert models.loaded == {}


def test_names_that_are_not_there(models):
    for change in ({"strategy": "nosuch"}, {"task": "nosuch"}):
        with pytest.raises(UnknownName):
            at_equal_spend(replace(ASK, **change), 10.0, models)
    assert models.loaded == {}


def test_every_strategy_that_scores_is_paid_with_its_verifier(models):
    for name in ("best_of_n", "self_consistency"):
        ask, _ = at_equal_spend(replace(ASK, strategy=name), 5000.0, models, count=4)
        (ended,) = searched([ask], models, Ended.of)
        assert (ended.verifier == "v") == needs_verifier(strategy_named(name), ask.settings)
