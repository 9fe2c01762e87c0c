"""Solve and verify: move by move, and where verdicts choose what most samples miss."""

import pytest
from hands import ROOT, ended, step
from worlds import drive, judge_of, only, policy_of, search

from tts_explorer.errors import BadSetting
from tts_explorer.events import AnswerSelected, CostIncurred, NodeAdded, NodeScored
from tts_explorer.moves import Expand, Score
from tts_explorer.strategies import checked_settings, default_rule, needs_words
from tts_explorer.strategies.solve_and_verify import solve_and_verify


def test_it_writes_answers_and_asks_for_votes_on_each():
    search = solve_and_verify(ROOT, n=3, votes=5)
    assert next(search) == Expand([ROOT], 3, to_end=True)
    answers = [step(i, answer=str(i)) for i in range(3)]
    assert search.send(answers) == Score(answers, votes=5)
    assert ended(search, answers)


@pytest.mark.parametrize(("given", "words"), [({"votes": 0}, "votes is 0.*from 1 to 64"), ({"n": 257}, "n is 257.*1 to 256")])
def test_settings_out_of_range_are_refused_with_the_range(given, words):
    with pytest.raises(BadSetting, match=words):
        checked_settings(solve_and_verify, given)


def test_it_needs_a_verifier_that_writes_and_chooses_the_best_answer():
    assert needs_words(solve_and_verify, {}) and default_rule(solve_and_verify) == "best"


def mostly_wrong(text, rng):
    return f"\\boxed{{{8 if rng.random() < 0.2 else 7}}}", "eos"


def unsure(problem, steps):
    """Rightly sure on average, now and then badly wrong. The judge's last step is a word of its own random number."""
    right, luck = "\\boxed{8}" in problem, {"go": 0.0, "on": 0.1, "up": 0.2}[steps[-1]]
    return 0.9 - luck if right else 0.1 + luck


def solved(votes, **plan):
    run = search("solve_and_verify", mostly_wrong, judge_of(unsure), settings={"n": 16, "votes": votes}, **plan)
    [records] = drive(run)
    return run, records


def test_verdicts_choose_a_right_answer_that_most_samples_miss():
    run, records = solved(4)
    said = [node.answer for node in run.tree.finished()]
    assert 0 < said.count("8") < said.count("7") and len(said) == 16
    [majority] = drive(search("self_consistency", mostly_wrong, settings={"n": 16}))
    assert [event.answer for event in only(majority, AnswerSelected)] == ["7"]
    assert run.tree.selected.answer == "8" and run.tree.correct


def test_an_answer_scores_the_mean_of_its_verdicts_and_weighs_their_sum():
    run, records = solved(4, rule="weighted")
    for event in only(records, NodeScored):
        assert len(event.verdicts) == 4
        assert event.reward == pytest.approx(sum(verdict.p_yes for verdict in event.verdicts) / 4)
    weights = {"7": 0.0, "8": 0.0}
    for node in run.tree.finished():
        weights[node.answer] += node.reward
    assert run.tree.selected.votes == pytest.approx(weights, abs=1e-3)


def test_verdicts_on_one_answer_differ_as_samples_do():
    run, _ = solved(8)
    assert all(len({verdict.text for verdict in node.verdicts}) > 1 for node in run.tree.finished())


def test_it_costs_an_answer_each_and_votes_on_each():
    run, records = solved(3)
    policy, verifier = only(records, CostIncurred)
    assert (policy.role, verifier.role) == ("policy", "verifier")
    assert policy.sampled_tokens == sum(event.tokens for event in only(records, NodeAdded))
    verdicts = [verdict for event in only(records, NodeScored) for verdict in event.verdicts]
    assert len(verdicts) == 48 and verifier.sampled_tokens == sum(verdict.tokens for verdict in verdicts)


def test_answers_are_as_good_as_the_samples_that_any_other_strategy_gets():
    """The same seed draws the same answers: solving and verifying share no random number."""
    texts = []
    for name, settings in (("solve_and_verify", {"n": 16, "votes": 2}), ("self_consistency", {"n": 16})):
        run = search(name, policy_of(lambda text, rng: (f"\\boxed{{{rng.randrange(99)}}}", "eos")), settings=settings, seed=6)
        drive(run)
        texts.append([node.text for node in run.tree.children(())])
    assert sorted(texts[0]) == sorted(texts[1]) and len(set(texts[0])) > 8
