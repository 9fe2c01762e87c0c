"""Estimators of one run of n answers: each equals looking at every draw of k, by the rules that choose an answer."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts_explorer import estimates
from tts_explorer.answers import select
from tts_explorer.errors import BadSetting
from tts_explorer.estimates import (
    Band,
    Outcome,
    Repeat,
    Repeats,
    bands,
    best_of_k,
    curves,
    majority_at_k,
    outcomes_of,
    over_problems,
    over_repeats,
    pass_at_k,
    weighted_at_k,
)
from tts_explorer.events import AnswerGraded, NodeAdded, NodeScored
from tts_explorer.tree import SearchTree

NONE = -math.inf
RULES = {"best-of-k": "best", "maj@k": "majority", "weighted@k": "weighted"}


@st.composite
def runs(draw, most=8, scores=(NONE, 0.0, 0.25, 0.5, 0.75, 1.0)):
    """Up to `most` answers of few kinds, with few scores, so that ties of every sort are common."""
    right = draw(st.sets(st.sampled_from("abcd")))
    drawn = draw(st.lists(st.tuples(st.sampled_from(["a", "b", "c", "d", None, ""]), st.sampled_from(scores)), max_size=most))
    return [Outcome(answer, score, answer in right) for answer, score in drawn]


def chosen(outcomes, rule):
    """The grade of the answer that the product chooses, 0 without one."""
    tree = SearchTree()
    for i, outcome in enumerate(outcomes):
        tree.apply(NodeAdded((i,), "s", 1, -1.0, "eos", True, outcome.answer))
        tree.apply(NodeScored((i,), outcome.score if outcome.score > NONE else None))
    selected = select(tree, rule)
    return selected is not None and next(o.correct for o in outcomes if o.answer == selected.answer)


def looked_at(outcomes, k, grade):
    """The mean of `grade` over every draw of k."""
    draws = list(combinations(outcomes, k))
    return sum(grade(list(draw)) for draw in draws) / len(draws)


@settings(max_examples=120)
@given(runs())
def test_every_estimator_equals_looking_at_every_draw(outcomes):
    found = curves(outcomes)
    for k in range(1, len(outcomes) + 1):
        assert found["pass@k"][k - 1] == pytest.approx(looked_at(outcomes, k, lambda draw: any(o.right for o in draw)))
        for name, rule in RULES.items():
            expected = looked_at(outcomes, k, lambda draw, rule=rule: chosen(draw, rule))
            assert found[name][k - 1] == pytest.approx(expected, abs=1e-12), (name, k)


@given(runs())
def test_one_k_is_the_same_as_the_curve_at_it(outcomes):
    found = curves(outcomes)
    for k in range(1, len(outcomes) + 1):
        assert best_of_k(outcomes, k) == found["best-of-k"][k - 1]
        assert majority_at_k(outcomes, k) == found["maj@k"][k - 1]
        assert weighted_at_k(outcomes, k) == found["weighted@k"][k - 1]
        assert pass_at_k(len(outcomes), sum(o.right for o in outcomes), k) == found["pass@k"][k - 1]


@given(runs(most=6))
def test_no_choice_beats_the_oracle_and_all_choices_agree_on_one(outcomes):
    found = curves(outcomes)
    for name in RULES:
        assert all(a <= b + 1e-12 for a, b in zip(found[name], found["pass@k"], strict=True))
        assert found[name][:1] == pytest.approx(found["pass@k"][:1])


@given(st.integers(1, 60), st.data())
def test_pass_at_k_is_its_closed_form(total, data):
    right, k = data.draw(st.integers(0, total)), data.draw(st.integers(1, total))
    assert pass_at_k(total, right, k) == pytest.approx(1 - math.comb(total - right, k) / math.comb(total, k), abs=1e-12)


def test_pass_at_k_neither_overflows_nor_cancels():
    published = 1.0 - np.prod(1.0 - 1000 / np.arange(10_000 - 3 + 1, 10_000 + 1))
    assert pass_at_k(10_000, 3, 1000) == pytest.approx(published) == pytest.approx(0.271, abs=1e-3)
    assert pass_at_k(10**6, 1, 1) == pytest.approx(1e-6)


@given(st.permutations(range(12)), st.lists(st.booleans(), min_size=12, max_size=12), st.integers(1, 12))
def test_best_of_k_is_its_closed_form_where_no_score_is_shared(ranks, grades, k):
    outcomes = [Outcome(str(i), rank / 16, right) for i, (rank, right) in enumerate(zip(ranks, grades, strict=True))]
    ordered = sorted(outcomes, key=lambda o: -o.score)
    published = sum(o.correct * math.comb(12 - i - 1, k - 1) for i, o in enumerate(ordered)) / math.comb(12, k)
    assert best_of_k(outcomes, k) == pytest.approx(published, abs=1e-12)


def test_best_of_many_stays_exact_and_quick_where_all_scores_are_shared():
    many = [Outcome(str(i), 0.5, i % 2 == 1) for i in range(100)]
    assert best_of_k(many, 1) == 0.5 and best_of_k(many, 100) == 0.0
    assert best_of_k(many, 2) == pytest.approx(sum(99 - i for i in range(1, 100, 2)) / math.comb(100, 2))


def test_answers_that_are_all_alike_are_right_or_wrong_for_every_k():
    for correct in (True, False):
        found = curves([Outcome("8", 0.5, correct)] * 5)
        assert found == {name: [float(correct)] * 5 for name in ("pass@k", "best-of-k", "maj@k", "weighted@k")}


def test_nothing_sampled_has_empty_curves_and_no_answer_is_never_right():
    assert curves([]) == {"pass@k": [], "best-of-k": [], "maj@k": [], "weighted@k": []}
    assert set(map(tuple, curves([Outcome(None, 1.0, True), Outcome("", 1.0, True)]).values())) == {(0.0, 0.0)}


def test_an_answer_without_a_score_weighs_nothing_beside_one_with_a_score():
    outcomes = [Outcome("8", NONE, True), Outcome("8", NONE, True), Outcome("7", 0.0)]
    assert best_of_k(outcomes, 3) == 0.0 and majority_at_k(outcomes, 3) == 1.0
    assert weighted_at_k(outcomes, 3) == 1.0  # both sums are 0: the earlier answer
    assert best_of_k(outcomes, 2) == pytest.approx(1 / 3)  # the draw without a score, where frequency decides


@pytest.mark.parametrize("k", [0, -1, 4])
@pytest.mark.parametrize("estimator", [best_of_k, majority_at_k, weighted_at_k])
def test_a_k_that_can_not_be_drawn_is_refused(estimator, k):
    with pytest.raises(BadSetting, match=f"k is {k}: it must be between 1 and the number of answers, which is 3"):
        estimator([Outcome("8")] * 3, k)
    with pytest.raises(BadSetting, match=f"k is {k}"):
        pass_at_k(3, 1, k)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="right and as wrong"):
        majority_at_k([Outcome("8"), Outcome("8", correct=True)], 1)
    with pytest.raises(ValueError, match="score is nan"):
        Outcome("8", math.nan)
    with pytest.raises(ValueError, match="4 of 3"):
        pass_at_k(3, 4, 1)


@pytest.mark.parametrize("estimator", [majority_at_k, weighted_at_k])
def test_too_many_draws_are_sampled_near_the_truth_the_same_for_the_same_seed(estimator, monkeypatch):
    outcomes = [Outcome("ab"[i % 3 == 0], (i * 7 % 16) / 32, i % 3 == 0) for i in range(16)]
    assert math.comb(16, 7) > estimates.EXACT
    some = [estimator(outcomes, 7, seed) for seed in range(5)]
    assert some == [estimator(outcomes, 7, seed) for seed in range(5)] and len(set(some)) > 1
    estimates._drawn.cache_clear()
    monkeypatch.setattr(estimates, "EXACT", math.comb(16, 7))
    exact = estimator(outcomes, 7)
    estimates._drawn.cache_clear()
    assert 0.02 < exact < 0.98 and all(abs(value - exact) < 0.05 for value in some)


def test_draws_are_without_replacement_and_all_of_them_where_they_are_few():
    assert {tuple(row) for row in estimates._drawn(5, 2, 0)} == {
        tuple(i in c for i in range(5)) for c in combinations(range(5), 2)
    }
    many = estimates._drawn(40, 7, 3)
    assert many.shape == (estimates.DRAWS, 40) and set(many.sum(axis=1)) == {7}
    assert abs(many.mean(axis=0) - 7 / 40).max() < 0.05


def test_a_band_is_wide_where_problems_differ_and_the_same_for_the_same_seed():
    problems = [[i % 2, 1.0, 0.25] for i in range(40)]
    found = bands(problems)
    assert [band.mean for band in found] == [0.5, 1.0, 0.25]
    assert found[0].low == pytest.approx(0.5 - 1.96 * 0.5 / 40**0.5, abs=0.03) and 0.6 < found[0].high < 0.7
    assert found[1] == Band(1.0, 1.0, 1.0) and found[2] == Band(0.25, 0.25, 0.25)
    uneven = [[i**0.5] for i in range(40)]
    assert bands(uneven) == bands(uneven, seed=0) != bands(uneven, seed=1)
    narrow = bands(problems, level=0.5)
    assert found[0].low < narrow[0].low < 0.5 < narrow[0].high < found[0].high


@pytest.mark.parametrize("wrong", [{"level": 0.0}, {"level": 1.0}, {"resamples": 0}])
def test_a_band_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="level is"):
        bands([[1.0]], **wrong)
    for problems in ([], [[1.0], [1.0, 1.0]]):
        with pytest.raises(ValueError, match="at least one problem"):
            bands(problems)
    assert bands([[], []]) == []


def test_a_report_over_repeats_has_the_best_the_worst_and_the_majority():
    told = [Repeat("8", True, 10), Repeat(None, True, 40), Repeat("7", False, 10), Repeat("8", True, 20)]
    spread = float(np.std([10, 40, 10, 20], ddof=1))
    assert over_repeats(told) == Repeats(0.5, 1.0, 0.0, 1.0, 20.0, spread)
    assert over_repeats(told[:1]) == Repeats(1.0, 1.0, 1.0, 1.0, 10.0, 0.0)
    assert over_repeats([told[2], told[0]]).majority == 0.0 and over_repeats([told[0], told[2]]).majority == 1.0
    assert over_repeats([Repeat("", True, 5)]) == Repeats(0.0, 0.0, 0.0, 0.0, 5.0, 0.0)


def test_over_problems_the_spread_stays_one_problems():
    steady = [over_repeats([Repeat("8", right, tokens)] * 2) for right, tokens in ((True, 10), (False, 1000))]
    assert over_problems(steady) == Repeats(0.5, 0.5, 0.5, 0.5, 505.0, 0.0)
    for report in (over_repeats, over_problems):
        with pytest.raises(ValueError, match="at least one"):
            report([])


def chains(*samples):
    """A tree of whole samples, added in the order given: (index, texts, answer, reward)."""
    tree = SearchTree()
    for i, steps, answer, reward in samples:
        for depth in range(steps):
            node, last = (i, *(0,) * depth), depth == steps - 1
            tree.apply(NodeAdded(node, "s", 1, -1.0, "eos" if last and answer else "step", last, answer if last else None))
            tree.apply(NodeScored(node, reward))
    for answer in ("7", "8"):
        tree.apply(AnswerGraded(answer, answer == "8"))
    return tree


def test_outcomes_are_read_in_the_order_of_samples_not_of_their_ends():
    tree = chains((1, 1, "7", 0.5), (0, 3, "8", 0.75), (2, 2, None, 0.25), (3, 1, "8", None))
    expected = [Outcome("8", 0.75, True), Outcome("7", 0.5), Outcome(None, 0.25), Outcome("8", NONE, True)]
    assert outcomes_of(tree) == expected and outcomes_of(SearchTree()) == []


def test_outcomes_that_are_no_draws_or_have_no_truth_are_refused():
    tree = chains((0, 2, "8", 0.5))
    tree.apply(NodeAdded((0, 1), "s", 1, -1.0, "eos", True, "8"))
    with pytest.raises(BadSetting, match="depend on one another"):
        outcomes_of(tree)
    tree = chains((0, 1, "8", 0.5))
    tree.apply(NodeAdded((1,), "s", 1, -1.0, "eos", True, "8", False, (0,)))
    with pytest.raises(BadSetting, match="depend on one another"):
        outcomes_of(tree)
    with pytest.raises(BadSetting, match="right: give the known answer"):
        outcomes_of(chains((0, 1, "9", 0.5)))
