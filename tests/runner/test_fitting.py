"""Which verifiers go with which strategies, who is put in a verifier's place, and that a misfit costs nothing."""

from __future__ import annotations

import pytest
from worlds import POLICIES, PROBLEM, SMALL, TASK, drive, judge_of, only, policy_of, search, verifier_of

from tts_explorer.errors import BadSetting
from tts_explorer.events import FeedbackGiven, LookedAhead, NodeScored, Noted, SearchStarted
from tts_explorer.models import verifiers
from tts_explorer.models.judge import Judge
from tts_explorer.moves import Expand, Score, Search
from tts_explorer.outcomes import OUTCOMES, Outcome
from tts_explorer.runner import Ask, Models, Plan, prepare
from tts_explorer.runner.fitting import require_fitting
from tts_explorer.strategies import checked_settings, needs_verifier, needs_words, strategy_named, strategy_names
from tts_explorer.tasks.base import Problem
from tts_explorer.tree import Node

LOOSE = Problem("", "Why?", "", "", None)
"""No task can grade it, and its answer isn't known."""
STEPWISE = ("beam_search", "dvts", "lookahead_search", "rebase", "particle_filter", "mcts", "best_first")
SCORING = (*STEPWISE, "best_of_n")


def fitting(strategy, verifier, *, problem=PROBLEM, task=TASK, **settings):
    plan = Plan(problem, task, strategy_named(strategy), settings)
    require_fitting(plan, checked_settings(plan.strategy, settings), verifier)


def test_every_strategy_is_one_of_these_kinds():
    kinds = {*SCORING, "solve_and_verify", "sequential_refinement", "greedy", "self_consistency", "adaptive_consistency"}
    assert kinds >= set(SMALL)


@pytest.mark.parametrize("strategy", [*SCORING, "solve_and_verify"])
def test_a_strategy_that_scores_needs_a_verifier(strategy):
    with pytest.raises(BadSetting, match=f"^{strategy} asks for scores: choose a verifier, for example bundled:prm$"):
        fitting(strategy, None)


@pytest.mark.parametrize("feedback", ["verifier", "self"])
def test_feedback_that_is_no_known_answer_needs_a_verifier(feedback):
    with pytest.raises(BadSetting, match="^sequential_refinement asks for scores: choose a verifier"):
        fitting("sequential_refinement", None, feedback=feedback)


@pytest.mark.parametrize("strategy", ["greedy", "self_consistency", "adaptive_consistency"])
def test_what_asks_for_no_score_needs_no_verifier(strategy):
    fitting(strategy, None)


@pytest.mark.parametrize(("strategy", "settings"), [("solve_and_verify", {}), ("sequential_refinement", {"feedback": "self"})])
def test_words_need_a_verifier_that_writes(strategy, settings):
    for verifier in (verifier_of(name="dumb"), *map(Outcome, OUTCOMES)):
        words = f"^{strategy} needs a verifier that writes, and {verifier.name} doesn't: choose judge:policy$"
        with pytest.raises(BadSetting, match=words):
            fitting(strategy, verifier, **settings)
    fitting(strategy, judge_of(), **settings)


@pytest.mark.parametrize("strategy", SCORING)
def test_a_judge_may_score_for_any_strategy(strategy):
    fitting(strategy, judge_of())


@pytest.mark.parametrize("strategy", [*STEPWISE, "sequential_refinement"])
def test_agreement_is_refused_where_other_than_finished_answers_are_asked_about(strategy):
    words = f"^agreement compares finished answers with one another, and {strategy} asks about others: choose best_of_n, or"
    with pytest.raises(BadSetting, match=words):
        fitting(strategy, Outcome("agreement"))


def test_agreement_may_judge_whole_answers_and_the_other_formulas_anything():
    fitting("best_of_n", Outcome("agreement"))
    for name in set(OUTCOMES) - {"agreement"}:
        for strategy in (*SCORING, "sequential_refinement"):
            fitting(strategy, Outcome(name))


def test_the_truth_must_be_known_to_give_feedback():
    words = "^feedback is 'truth' and the answer isn't known: give it, or choose verifier or self$"
    with pytest.raises(BadSetting, match=words):
        fitting("sequential_refinement", None, problem=LOOSE, task=None, feedback="truth")
    known = Problem("", "Why?", "because", "", None)
    fitting("sequential_refinement", None, problem=known, task=None, feedback="truth")
    fitting("sequential_refinement", None, feedback="truth")
    fitting("sequential_refinement", verifier_of(), problem=LOOSE, task=None, feedback="verifier")


def test_a_misfit_is_refused_when_a_run_is_made():
    with pytest.raises(BadSetting, match="needs a verifier that writes"):
        search("solve_and_verify", "fair", verifier_of())
    with pytest.raises(BadSetting, match="compares finished answers"):
        search("beam_search", "fair", Outcome("agreement"))


# By name.


def untouched(role):
    return lambda name, **options: pytest.fail(f"the {role} {name} was loaded")


def nothing_loads():
    return Models(untouched("policy"), untouched("verifier"))


def asked(**ask):
    return Ask(**{"task": "arithmetic", "level": 1, "index": 0, "policy": "model"} | ask)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({"strategy": "beam_search"}, "beam_search asks for scores: choose a verifier"),
        ({"strategy": "lookahead_search"}, "lookahead_search asks for scores"),
        ({"strategy": "sequential_refinement"}, "sequential_refinement asks for scores"),
        ({"strategy": "lookahead_search", "verifier": "agreement"}, "agreement compares finished answers"),
        ({"strategy": "beam_search", "verifier": "agreement"}, "agreement compares finished answers"),
        ({"strategy": "sequential_refinement", "verifier": "agreement"}, "agreement compares finished answers"),
        ({"strategy": "lookahead_search", "settings": {"lookahead": 17}}, "lookahead is 17"),
        ({"strategy": "lookahead_search", "settings": {"n": 6}}, "must divide n"),
        ({"strategy": "solve_and_verify", "settings": {"votes": 0}}, "votes is 0"),
        ({"strategy": "sequential_refinement", "settings": {"feedback": "me"}}, "feedback is 'me'"),
        ({"strategy": "beam_search", "settings": {"votes": 3}}, "no setting 'votes'"),
        (
            {"strategy": "sequential_refinement", "settings": {"feedback": "truth"}, "task": None, "problem": "Why?"},
            "'truth' and the answer isn't known",
        ),
        ({"strategy": "best_of_n", "verifier": "program", "task": None, "problem": "Why?"}, "program checks problems of the"),
    ],
    ids=str,
)
def test_nothing_is_loaded_before_a_misfit_is_refused(ask, words):
    with pytest.raises(BadSetting, match=words):
        prepare(asked(**ask), nothing_loads(), id="a")


def writers():
    """Models by any name: policies that write, verifiers that judge or score."""
    loaded = []

    def policy(name, **options):
        loaded.append(("policy", name))
        return policy_of("fair", name=name, context=400)

    def verifier(name, **options):
        loaded.append(("verifier", name))
        if not name.startswith("judge:"):
            return verifier_of(name=name)
        return Judge(policy_of(POLICIES["fair"], name=name.removeprefix("judge:"), context=400))

    return Models(policy, verifier), loaded


def prepared(**ask):
    models, loaded = writers()
    run = prepare(asked(**ask), models, id="a")
    return run, loaded


@pytest.mark.parametrize("strategy", ["solve_and_verify", "best_of_n"])
def test_judge_policy_is_the_policy_itself_with_rows_of_its_own(strategy):
    run, loaded = prepared(strategy=strategy, verifier="judge:policy")
    assert loaded == [("verifier", "judge:model"), ("policy", "model")]
    assert run.verifier.name == run.tree.started.verifier == "judge:model" and run.verifier.writer is not run.policy
    assert not run.tree.notes


def test_a_judge_of_unfinished_steps_is_said_to_guess():
    run, _ = prepared(strategy="beam_search", verifier="judge:policy")
    said = "judge:model checks finished answers: of unfinished steps, which beam_search asks about, it can only guess"
    assert [note.message for note in run.tree.notes] == [said]


def test_another_model_may_be_the_judge():
    run, loaded = prepared(strategy="solve_and_verify", verifier="judge:other")
    assert loaded == [("verifier", "judge:other"), ("policy", "model")] and not run.tree.notes


@pytest.mark.parametrize(
    "words", [{"strategy": "solve_and_verify"}, {"strategy": "sequential_refinement", "settings": {"feedback": "self"}}]
)
def test_without_a_verifier_the_policy_writes_and_nobody_is_surprised(words):
    run, _ = prepared(**words)
    assert run.verifier.name == "judge:model" and not run.tree.notes


@pytest.mark.parametrize("verifier", ["bundled:prm", "program", "logprob", "agreement", "some/folder"])
@pytest.mark.parametrize(
    "words", [{"strategy": "solve_and_verify"}, {"strategy": "sequential_refinement", "settings": {"feedback": "self"}}]
)
def test_where_the_verifier_can_not_write_the_policy_does_and_a_note_says_so(words, verifier):
    run, loaded = prepared(**words, verifier=verifier)
    assert [note.message for note in run.tree.notes] == [
        f"{verifier} can't write: model itself writes the checks, as judge:policy"
    ]
    assert run.verifier.name == "judge:model" and ("verifier", verifier) not in loaded
    [records] = drive(run)
    assert [type(record.event) for record in records[:2]] == [SearchStarted, Noted]


def test_feedback_by_the_truth_loads_no_verifier():
    run, loaded = prepared(strategy="sequential_refinement", settings={"feedback": "truth"}, verifier="bundled:prm")
    assert loaded == [("policy", "model")] and run.verifier is None and run.tree.started.verifier is None
    [records] = drive(run)
    assert {event.by for event in only(records, FeedbackGiven)} == {"truth"}


@pytest.mark.parametrize("strategy", ["greedy", "self_consistency"])
def test_a_verifier_that_nobody_asks_is_not_loaded(strategy):
    assert prepared(strategy=strategy, verifier="judge:policy")[1] == [("policy", "model")]


@pytest.mark.parametrize("name", ["logprob", "self-certainty", "agreement"])
def test_a_formula_is_no_model_and_says_what_it_is(name):
    run, loaded = prepared(strategy="best_of_n", verifier=name, settings={"n": 4})
    assert loaded == [("policy", "model")] and run.tree.started.verifier == name
    assert [note.message for note in run.tree.notes] == [Outcome(name).note]
    [records] = drive(run)
    assert only(records, NodeScored) and run.tree.status == "done"


def test_a_lookahead_search_by_a_formula_runs():
    run, _ = prepared(strategy="lookahead_search", verifier="logprob", settings={"n": 4, "lookahead": 1, "max_depth": 3})
    [records] = drive(run)
    assert run.tree.status == "done" and only(records, LookedAhead)


def test_what_is_offered_as_a_verifier_can_be_had_by_its_name():
    assert {"judge:policy", "program", *OUTCOMES} <= set(verifiers())
    for name in ("judge:policy", "program", *OUTCOMES):
        run, _ = prepared(strategy="best_of_n", verifier=name)
        assert run.tree.started.verifier.replace("model", "policy") == name


def test_every_strategy_says_what_it_needs():
    """Of those there are, and of one that somebody writes."""

    def mine(root: Node) -> Search:
        nodes = yield Expand([root], 1)
        yield Score(nodes)

    assert needs_verifier(mine, {}) and not needs_words(mine, {})
    for name in set(strategy_names()) & set(SMALL):
        strategy = strategy_named(name)
        settings = checked_settings(strategy, {})
        assert needs_verifier(strategy, settings) or not needs_words(strategy, settings)
