"""Splits, the endless streams of problems, and reading the boxed answer."""

import time
from dataclasses import replace
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.errors import BadSetting, UnknownName
from tts_explorer.tasks import parse, task_named, task_names
from tts_explorer.tasks.base import LEVELS, SPLITS, boxed, problem_at, problems, split_of

ALL = [(name, level) for name in task_names() for level in LEVELS]


@pytest.mark.parametrize(("name", "level"), ALL)
def test_problems_are_the_same_every_time_distinct_and_of_their_split(name, level):
    task = task_named(name)
    for split in SPLITS:
        some = list(islice(problems(task, split, level), 12))
        assert some == list(islice(problems(task, split, level), 12))
        assert len({problem.key for problem in some}) == 12
        assert all(split_of(name, problem.key) == split for problem in some)
        assert [problem.id for problem in some] == [f"{split}/{level}/{i}" for i in range(12)]
        assert all(problem.task == name and problem.level == level for problem in some)


@pytest.mark.parametrize("name", task_names())
def test_a_problem_keeps_its_index(name):
    task = task_named(name)
    assert problem_at(task, "test", 2, 5) == next(islice(problems(task, "test", 2), 5, None))


@pytest.mark.parametrize(("name", "level"), ALL)
def test_a_solution_is_right_and_every_step_of_it(name, level):
    task, rng = task_named(name), Random(level)
    for _ in range(15):
        problem = task.draw_problem(rng, level)
        steps = task.solve(problem, rng)
        assert task.grade(problem, "".join(steps)) and task.grade(problem, problem.truth)
        assert task.check(problem, steps) == [True] * len(steps)
        assert all(step.endswith("\n\n") for step in steps[:-1]) and not steps[-1].endswith("\n")
        assert all(task.answer(step) is None for step in steps[:-1])


@pytest.mark.parametrize(("name", "level"), ALL)
def test_reading_a_problem_inverts_drawing_it(name, level):
    task, rng = task_named(name), Random(level)
    for _ in range(15):
        drawn = task.draw_problem(rng, level)
        for read in (task.parse(drawn.text), parse(f"  {drawn.text}\n")):
            assert (read.task, read.text, read.key) == (name, drawn.text, drawn.key)
            assert task.grade(read, drawn.truth) and task.grade(drawn, read.truth)


@pytest.mark.parametrize(("name", "level"), ALL)
def test_wrong_answers_and_broken_steps_fail(name, level):
    task, rng = task_named(name), Random(level)
    problem, other = (task.draw_problem(rng, level) for _ in range(2))
    for wrong in ("", "\\boxed{}", "\\boxed{-1}", "0", "none", problem.truth + " + 1", "\\boxed{" + problem.truth):
        assert not task.grade(problem, wrong)
    steps = task.solve(problem, rng)
    first, *rest = task.check(problem, ["x" + steps[0], *steps[1:]])
    assert not first and not any(rest[:-1])
    assert not any(task.check(problem, ["", " ", "hello\n\n", steps[0] + "x"]))
    assert other.key != problem.key


HOSTILE = [
    "", " ", "\n\n", "\0", "\ud800", "(" * 100_000, ")" * 500, "((" * 60 + "1" + "))" * 60, "9**9**9",
    "9 * * 9", "1//1", "1/0",
    "__import__('os')", "lambda: 1", "1_000", "1e999", "0x10", "٣ + ٤", "²", "½", "9" * 100_000,
    "-" * 150 + "1", "1 if 1 else 2",
    "[1]*10", "f'{1}'", "'a'*9", "True", "None", "...", "x" * 1_000_000, "\\boxed{" * 50_000,
    "\\boxed{1}" * 20_000, "1;2", "1\n2",
    "make " * 200_000, "make" + " " * 300 + "5", "Bo has " + "9" * 5000 + " figs. How many figs are left?",
    "Bo has 5 figs. " * 500, "make ٣ with ٤ ٥", "total " + "1 " * 190, "3 +", "+ 3", "()",
    "1(2)", "3 3", "\x0c3", "# 3", "3 # 3",
]  # fmt: skip


@pytest.mark.parametrize("name", task_names())
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_hostile_text_is_just_wrong_and_fast(name, text):
    task = task_named(name)
    problem = problem_at(task, "test", 1, 0)
    began = time.process_time()
    for form in (text, f"\\boxed{{{text}}}", f"so\n\n\\boxed{{{text}}}\n\n"):
        assert not task.grade(problem, form)
        assert task.check(problem, [form, form])[0] in (True, False)
        found = task.answer(form)
        assert found is None or isinstance(task.canonical(found), str)
        assert isinstance(task.canonical(form), str)
    assert task.parse(text) is None or task.parse(text).task == name
    assert time.process_time() - began < 3


@pytest.mark.parametrize("name", task_names())
@given(text=st.text(st.sampled_from("0123456789+-*/() \\boxed{}=,.left٣")) | st.text())
def test_no_text_breaks_a_task(name, text):
    task = task_named(name)
    problem = problem_at(task, "test", 1, 0)
    task.parse(text)
    task.check(problem, [text])
    assert task.grade(problem, text) in (True, False)
    assert task.canonical(task.canonical(text)) == task.canonical(task.canonical(task.canonical(text)))


def test_a_split_is_a_matter_of_the_key_alone():
    assert split_of("countdown", "3 7 25 -> 46") == split_of("countdown", "3 7 25 -> 46")
    counts = {split: 0 for split in SPLITS}
    for i in range(4000):
        counts[split_of("t", str(i))] += 1
    assert 320 < counts["test"] < 480 and 140 < counts["validation"] < 260


@pytest.mark.parametrize(
    ("key", "split"),
    [("139", "test"), ("80", "test"), ("76", "validation"), ("153", "validation"), ("27", "train"), ("15", "train")],
)
def test_splits_are_fixed_for_ever(key, split):
    """Keys whose hashes lie on both sides of each border."""
    assert split_of("t", key) == split


def test_when_a_level_is_used_up_repeats_are_let_through():
    task = task_named("countdown")

    two = [problem_at(task, "test", 1, i) for i in range(2)]

    class Few:
        NAME = "countdown"
        draws = 0

        def draw_problem(self, rng, level):
            self.draws += 1
            return replace(two[rng.randrange(2)], id="")

    few = Few()
    some = list(islice(problems(few, "test", 1), 4))
    assert len({problem.key for problem in some[:2]}) == 2 and [problem.id for problem in some][3] == "test/1/3"


@pytest.mark.parametrize(("split", "level"), [("tests", 1), ("test", 0), ("test", 6)])
def test_an_unknown_split_or_level_is_refused(split, level):
    with pytest.raises(BadSetting, match="choose one of"):
        next(problems(task_named("countdown"), split, level))


@pytest.mark.parametrize("index", [-1, 100_001])
def test_an_index_out_of_range_is_refused(index):
    with pytest.raises(BadSetting, match=str(index)):
        problem_at(task_named("countdown"), "test", 1, index)


@pytest.mark.parametrize("name", ["", "base", "sudoku", "../base"])
def test_an_unknown_task_is_refused(name):
    with pytest.raises(UnknownName, match="choose one of"):
        task_named(name)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{5}", "5"), (r"\boxed{ 7 * 9 }.", "7 * 9"), (r"\boxed{1} or \boxed{2}", "2"), (r"\boxed{}", None),
        (r"\boxed{5", None), ("5", None), (r"\boxed{{5}}", None), (r"\boxed{1} \boxed{ }", None), ("\\boxed{5\n}", "5"),
    ],
)  # fmt: skip
def test_the_last_box_is_the_answer(text, answer):
    assert boxed(text) == answer


def test_text_of_no_task_is_not_a_problem():
    assert parse("What is the capital of France?") is None
