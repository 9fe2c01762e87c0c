"""The verifier `program`: what it rewards, that it costs nothing, and searches with it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import POLICIES, PROBLEM, TASK, as_json, comparable, drive, only, policy_of, search, written

from tts_explorer.errors import BadSetting
from tts_explorer.events import CostIncurred, NodeAdded, NodeScored, Noted, SearchStarted
from tts_explorer.models import verifiers
from tts_explorer.models.base import Judgement, Spend
from tts_explorer.models.program import ProgramVerifier
from tts_explorer.runner import Ask, Models, prepare
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tasks.base import LEVELS

SCORING = ("best_of_n", "beam_search", "dvts")
COUNTDOWN = task_named("countdown")
MADE = COUNTDOWN.parse("make 46 with 3 7 25")
"""3 * 7 + 25."""


def sums(text: str, rng: random.Random):
    """The right equation or a wrong one, then the right answer or a wrong one."""
    if written(text).count("\n\n"):
        return f"\\boxed{{{rng.choice('78')}}}", "eos"
    return rng.choice(["5 + 3 = 8\n\n", "3 + 5 = 8\n\n", "5 - 3 = 2\n\n", "so\n\n"]), "step"


def program() -> ProgramVerifier:
    return ProgramVerifier(TASK, PROBLEM)


def judged(verifier: ProgramVerifier, *steps: str) -> Judgement:
    verifier.submit(("a", "judge", (0,)), verifier.problem(verifier.given.text), [verifier.step(step) for step in steps])
    [(key, judgement)] = verifier.tick()
    assert key == ("a", "judge", (0,)) and verifier.tick() == []
    return judgement


@pytest.mark.parametrize(
    ("steps", "rewards"),
    [
        (["3 * 7 = 21, left: 21 25\n\n", "25 + 21 = 46, left: 46\n\n", "\\boxed{3 * 7 + 25}"], (1, 1, 1)),
        (["3 * 7 = 21, left: 21 25\n\n", "25 - 21 = 4, left: 4\n\n"], (1, 0)),
        (["3 * 7 = 22, left: 22 25\n\n", "25 + 22 = 47, left: 47\n\n"], (0, 0)),
        (["3 + 7 = 10, left: 10 25\n\n"], (0,)),
        (["25 + 3 = 28, left: 7 28\n\n", "\\boxed{25 + 3 * 7}"], (0, 0)),
        (["\\boxed{25 + 3 * 7}"], (1,)),
        (["\\boxed{3 * 7 + 26}"], (0,)),
        (["3 * 7 = 21, left: 21 25"], (0,)),
        (["3 * 7 = 2"], (0,)),
        (["\ufffd\n\n"], (0,)),
        ([f"{'9' * 5000} - 3 = {'9' * 4999}6, left: 7\n\n"], (0,)),
    ],
)
def test_a_step_is_worth_one_while_a_right_answer_is_reachable(steps, rewards):
    assert judged(ProgramVerifier(COUNTDOWN, MADE), *steps) == Judgement(rewards, Spend())


@pytest.mark.parametrize(("name", "level"), [(name, level) for name in task_names() for level in LEVELS])
def test_every_task_has_a_program_that_knows_a_right_solution_and_says_what_it_knows(name, level):
    task, rng = task_named(name), random.Random(level)
    problem = task.draw_problem(rng, level)
    verifier = ProgramVerifier(task, problem)
    steps = task.solve(problem, rng)
    assert judged(verifier, *steps).rewards == (1.0,) * len(steps)
    assert judged(verifier, "what?\n\n", *steps[:-1]).rewards == (0.0,) * len(steps)
    assert verifier.note.count(".") == 0 and ("oracle" in verifier.note) == task.ORACLE
    assert (verifier.name, verifier.versions) == ("program", {"program": name})


def test_a_number_of_any_length_is_a_wrong_step_and_no_error():
    assert judged(program(), f"5 + {'3' * 5000} = 8\n\n").rewards == (0.0,)


def test_work_that_is_dropped_is_forgotten():
    verifier = program()
    for node in ((0,), (1,)):
        verifier.submit(("a", "judge", node), (), [verifier.step("5 + 3 = 8\n\n")])
    verifier.submit(("b", "judge", (0,)), (), [verifier.step("5 + 3 = 8\n\n")])
    assert verifier.drop([("a", "judge", (0,))]) == {} and len(verifier.waiting) == 2
    assert verifier.drop([("a",)]) == {} and [key for key, _ in verifier.tick()] == [("b", "judge", (0,))]


@pytest.mark.parametrize("strategy", SCORING)
def test_a_search_with_it_pays_for_the_policy_alone_and_says_once_what_it_knows(strategy):
    run = search(strategy, sums, program(), seed=3)
    [records] = drive(run)
    assert only(records, SearchStarted)[0].verifier == "program"
    assert [note.message for note in only(records, Noted)] == [run.verifier.note]
    ledgers = [cost for cost in only(records, CostIncurred) if cost.role == "verifier"]
    assert ledgers and {(c.prompt_tokens, c.forwarded_tokens, c.sampled_tokens, c.flops) for c in ledgers} == {(0, 0, 0, 0.0)}
    texts = {event.node: event.text for event in only(records, NodeAdded)}
    for event in only(records, NodeScored):
        path = "".join(texts[event.node[: depth + 1]] for depth in range(len(event.node)))
        valid = path.split("\n\n")[0] in ("5 + 3 = 8", "3 + 5 = 8") and path.split("\n\n")[1] in ("", "\\boxed{8}")
        assert event.reward == float(valid)
    assert run.tree.status == "done" and run.tree.correct is True


@settings(max_examples=40)
@given(st.sampled_from(SCORING), st.sampled_from([sums, *POLICIES.values()]), st.integers(0, 2**40), st.sampled_from([1, 3, 30]))
def test_a_search_with_it_alone_equals_the_same_search_among_others(strategy, script, seed, most):
    plan = {"strategy": strategy, "seed": seed, "max_step_tokens": most}
    [alone] = drive(search(policy=script, verifier=program(), **plan))
    policy = policy_of(script)
    others = [search("beam_search", policy, program(), id=str(i), seed=seed + i) for i in range(3)]
    together = drive(search(policy=policy, verifier=program(), **plan), *others)
    assert comparable(together[0]) == comparable(alone)
    as_json(alone)


LOOSE = Ask(policy="folder", verifier="program", problem="Why?", strategy="beam_search")


def unloadable(name, **options):
    pytest.fail(f"{name} was loaded")


def test_a_problem_of_no_task_can_not_be_checked_by_program_and_nothing_is_loaded():
    sentence = "program checks problems of the families arithmetic, .*none of them can read this one: choose a model"
    with pytest.raises(BadSetting, match=sentence):
        prepare(LOOSE, Models(unloadable, unloadable), id="a")


@pytest.mark.parametrize("ask", [replace(LOOSE, problem=PROBLEM.text), replace(LOOSE, problem=None, task="countdown")])
def test_a_problem_of_a_task_is_checked_by_its_own_program(ask):
    models = Models(lambda name: policy_of(sums), unloadable)
    run, other = (prepare(replace(ask, index=index), models, id="a") for index in (0, 1))
    assert isinstance(run.verifier, ProgramVerifier) and run.verifier is not other.verifier
    assert run.verifier.given == run.plan.problem and run.verifier.task is run.plan.task


def test_a_strategy_that_scores_nothing_needs_no_program():
    run = prepare(replace(LOOSE, strategy="self_consistency"), Models(lambda name: policy_of(sums), unloadable), id="a")
    assert run.verifier is None


def test_it_is_listed_with_the_verifiers():
    assert "program" in verifiers() and "bundled:prm" in verifiers()
