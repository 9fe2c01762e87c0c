"""Adaptive consistency, move by move; its stopping rule against the Beta distribution's own definition."""

from math import comb

import pytest
from hands import ROOT, ended, step
from hypothesis import given
from hypothesis import strategies as st
from worlds import POLICIES, chosen, drive, only, search

from tts_explorer.errors import BadSetting
from tts_explorer.events import NodeAdded, Noted
from tts_explorer.moves import Expand, Note
from tts_explorer.strategies import checked_settings, default_rule, scores
from tts_explorer.strategies.adaptive_consistency import adaptive_consistency, lead


def said(*answers):
    return [step(i, answer=answer) if answer else step(i, done=True) for i, answer in enumerate(answers)]


def test_it_stops_when_the_leader_is_decided_and_says_why():
    search = adaptive_consistency(ROOT, n=16, batch=4)
    assert next(search) == Expand([ROOT], 4, to_end=True)
    assert search.send(said("8", "8", "7", "8")) == Expand([ROOT], 4, to_end=True)
    why = "stopped after 8 of 16 answers: 7 votes to 1 make it 98.05% sure, where 95.0% is asked"
    assert search.send(said("8", "8", "8", "8")) == Note(why)
    assert ended(search, [])


def test_agreement_stops_it_after_one_batch():
    search = adaptive_consistency(ROOT, n=16, batch=4)
    next(search)
    assert search.send(said("8", "8", "8", "8")) == Note(
        "stopped after 4 of 16 answers: 4 votes to 0 make it 96.88% sure, where 95.0% is asked"
    )


def test_undecided_it_draws_n_and_no_more():
    search = adaptive_consistency(ROOT, n=5, batch=2)
    next(search)
    assert search.send(said("8", "7")) == Expand([ROOT], 2, to_end=True)
    assert search.send(said("8", "7")) == Expand([ROOT], 1, to_end=True)
    note = search.send(said("8"))
    assert note == Note("undecided after all 5 answers: 3 votes to 2 make it 65.62% sure, where 95.0% is asked")
    assert ended(search, [])


def test_only_the_two_leading_answers_count_and_no_answer_is_no_vote():
    search = adaptive_consistency(ROOT, n=30, batch=10)
    next(search)
    assert isinstance(search.send(said(*"8888888", "7", "6", None)), Note)
    search = adaptive_consistency(ROOT, n=30, batch=10, confidence=0.51)
    next(search)
    assert search.send(said(*[None] * 10)) == Expand([ROOT], 10, to_end=True)


def test_it_asks_no_verifier_and_the_majority_wins():
    assert not scores(adaptive_consistency) and default_rule(adaptive_consistency) == "majority"


@pytest.mark.parametrize("confidence", [0.5, 1, "1.0", "sure", float("nan")])
def test_its_confidence_is_in_range(confidence):
    with pytest.raises(BadSetting, match=r"a number from 0\.51 to 0\.999"):
        checked_settings(adaptive_consistency, {"confidence": confidence})


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_rule_is_the_tail_of_the_beta_distribution(first, second):
    """∫ p^a (1 − p)^b over [½, 1], in whole numbers: integrate each term of (1 − p)^b, over the same integral on [0, 1]."""
    from fractions import Fraction

    def below(x):
        terms = ((-1) ** k * comb(second, k) * x ** (first + k + 1) / (first + k + 1) for k in range(second + 1))
        return sum(terms, Fraction(0))

    assert lead(first, second) == float(1 - below(Fraction(1, 2)) / below(Fraction(1)))


@pytest.mark.parametrize(("first", "second", "stops"), [(3, 0, False), (4, 0, True), (6, 1, True), (5, 1, False), (7, 2, False)])
def test_known_decisions_at_95_percent(first, second, stops):
    """P(p > ½): 3-0 0.9375, 4-0 0.9688, 6-1 0.9648, 5-1 0.9375, 7-2 0.9453."""
    assert (lead(first, second) >= 0.95) == stops


@given(st.sampled_from(sorted(POLICIES)), st.integers(1, 9), st.integers(1, 5), st.sampled_from([0.51, 0.8, 0.95, 0.999]))
def test_it_draws_whole_batches_until_decided_whatever_the_policy_does(policy, n, batch, confidence):
    run = search("adaptive_consistency", policy, None, settings={"n": n, "batch": batch, "confidence": confidence})
    [records] = drive(run)
    drawn = len({event.node[0] for event in only(records, NodeAdded)})
    reasons = [event.message for event in only(records, Noted) if "votes" in event.message]
    assert run.tree.status == "done" and len(reasons) == 1
    assert drawn == n or (drawn % batch == 0 and reasons[0].startswith(f"stopped after {drawn} of {n} "))


def test_it_needs_fewer_samples_than_self_consistency_where_answers_agree():
    run = search("adaptive_consistency", chosen(("\\boxed{8}", "eos")), None, settings={"n": 64, "batch": 1})
    drive(run)
    assert run.cost.nodes == 4 and run.tree.selected.answer == "8"
