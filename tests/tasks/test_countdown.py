"""Countdown: golden problems, expressions, what is still reachable."""

import ast
import time
from fractions import Fraction
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.expressions import OPS, reachable, read_expression, value_of
from tts_explorer.tasks import countdown, task_named
from tts_explorer.tasks.base import problem_at, split_of
from tts_explorer.tasks.countdown import canonical, check, grade, parse, review, solve

GOLDEN = {
    ("test", 1, 0): "With 9, 20 and 9, each used exactly once, and + - * /, reach 38. = 20 + 9 + 9",
    ("train", 1, 3): "Use 3, 16 and 3, each once, with + - * / to make 15. = 16 - 3 / 3",
    ("test", 2, 0): "Use 1, 2 and 40, each once, with + - * / to make 37. = 40 - 1 - 2",
    ("train", 2, 3): "Use 34, 40 and 14, each once, with + - * / to make 88. = 34 + 14 + 40",
    ("test", 3, 0): "With 13, 7, 10 and 17, each used exactly once, and + - * /, reach 21. = 7 + 17 - 13 + 10",
    ("train", 3, 3): "Use 24, 1, 8 and 1, each once, with + - * / to make 32. = 24 + 1 + 8 - 1",
    ("test", 4, 0): "With 8, 21, 2, 8 and 16, each used exactly once, and + - * /, reach 67. = 8 * 8 + 21 - 2 - 16",
    ("train", 4, 3): ("With 24, 21, 1, 10 and 3, each used exactly once, and + - * /, reach 58. = 24 * 10 / 3 - (21 + 1)"),
    ("test", 5, 0): "Use 5, 12, 6, 13, 47 and 3, each once, with + - * / to make 218. = (5 * 3 + 6) * 12 - 47 + 13",
    ("train", 5, 3): "Use 37, 5, 12, 36, 7 and 43, each once, with + - * / to make 28. = 36 - (43 - (37 + 12) * 5 / 7)",
}


@pytest.mark.parametrize(("place", "text"), GOLDEN.items())
def test_problems_are_fixed_for_ever(place, text):
    problem = problem_at(task_named("countdown"), *place)
    assert f"{problem.text} = {problem.truth}" == text


@pytest.mark.parametrize(
    "text",
    [
        "Make 46 from 3, 7 and 25, using each number once and + - * /.",
        "make 46 with 3 7 25",
        "I have 3, 7, 25. How do I get 46?",
        "numbers: 3 7 25, target: 46",
        "target is 46\nnumbers are 3/7/25",
        "can 3 and 7 and 25 reach 46",
        "3 7 25 makes 46",
    ],
)
def test_a_visitor_may_say_it_in_any_words(text):
    problem = parse(text)
    assert problem.data["numbers"] == (3, 7, 25) and problem.data["target"] == 46
    assert grade(problem, problem.truth) and problem.key == "3 7 25 -> 46"


@pytest.mark.parametrize(
    "text",
    [
        "make 46",
        "make 46 with 3",
        "3 7 25",
        "make 46 with 1 2 3 4 5 6 7",
        "make 12345 with 3 7",
        "make 4 with 0 3",
        "make it so",
    ],
)
def test_what_is_no_countdown_is_not_read(text):
    assert parse(text) is None


def test_a_wording_it_knows_is_kept_and_the_split_does_not_depend_on_it():
    forms = [wording.format(numbers="3, 7 and 25", target=46) for wording in countdown.WORDINGS]
    assert [parse(form).text for form in forms] == forms
    assert len({split_of("countdown", parse(form).key) for form in [*forms, "make 46 with 25 7 3"]}) == 1
    assert parse("make 46 with 25 7 3").text == "Use 25, 7 and 3, each once, with + - * / to make 46."


def test_a_problem_without_a_solution_says_so():
    problem = parse("make 9999 with 1 1")
    assert problem.truth == "" and not grade(problem, "".join(solve(problem, Random(0))))
    assert check(problem, ["1 + 1 = 2, left: 2\n\n"]) == [False]


@pytest.mark.parametrize("text", ["make 9998 from 83 85 87 91 93 97"])
def test_six_numbers_without_a_solution_are_settled_in_seconds(text):
    """Trying every order of operations takes half a minute."""
    began = time.process_time()
    assert parse(text).truth == "" and time.process_time() - began < 15


P = parse("make 46 with 3 7 25")


@pytest.mark.parametrize("text", ["3 * 7 + 25", "25+7*3", "\\boxed{(7 × 3) + 25}", "7·3+25", "  25 + 3*7\n", "(((3)))*7+25"])
def test_any_right_expression_is_right(text):
    assert grade(P, text)


@pytest.mark.parametrize(
    "text",
    [
        "46",
        "3 * 7 + 25 + 0",
        "3 * 7",
        "25 + 21",
        "3 * 7 + 25 = 46",
        "3 * 7 + 2 5",
        "21 + 25",
        "3 * 7 + 25 - 3 + 3",
        "-3 * -7 + 25",
        "3 * 7 + 25.0",
        "03 * 7 + 25",
        "3 * 7 + 25 # yes",
        "46 * 3 / 3",
        "٣ * 7 + 25",
    ],
)
def test_any_wrong_expression_is_wrong(text):
    assert not grade(P, text)


def test_fractions_in_between_are_allowed_in_an_answer():
    assert grade(parse("make 24 with 3 3 8 8"), "8 / (3 - 8 / 3)")


def test_a_step_is_valid_only_if_the_target_is_still_reachable():
    assert check(P, ["3 * 7 = 21, left: 21 25\n\n", "21 + 25 = 46, left: 46\n\n", "\\boxed{3 * 7 + 25}"]) == [True] * 3
    assert check(P, ["7 - 3 = 4, left: 4 25\n\n", "4 + 25 = 29, left: 29\n\n"]) == [False, False]
    assert check(P, ["3 * 7 = 22, left: 22 25\n\n"]) == [False]
    assert check(P, ["3 * 7 = 21, left: 25\n\n"]) == [False]
    assert check(P, ["3 * 8 = 24, left: 7 25\n\n"]) == [False]
    assert check(P, ["3 * 7 = 21, left: 25 21\n\n"]) == [True]
    assert check(P, ["3 * 7 = 21, left: 21 25\n\n", "\\boxed{3}"]) == [True, False]


def brute(pool, target):
    """Every value that the numbers make, the slow way."""
    if len(pool) == 1:
        return pool[0] == target
    for a, b, *rest in permutations(pool):
        for c in (a + b, a - b, a * b, *([Fraction(a) / b] if b else [])):
            if brute([c, *rest], target):
                return True
    return False


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(0, 40))
def test_reachable_agrees_with_trying_everything(pool, target):
    assert reachable(tuple(sorted(pool)), target) == brute(pool, target)


EXPRESSIONS = st.recursive(
    st.integers(1, 99).map(str),
    lambda inner: st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from("+-*/"), inner),
    max_leaves=7,
)


def shuffled(node: ast.expr, rng: Random) -> str:
    """The same expression with the sides of + and * swapped here and there."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    left, right, op = shuffled(node.left, rng), shuffled(node.right, rng), OPS[type(node.op)]
    if op in "+*" and rng.random() < 0.5:
        left, right = right, left
    return f"({left} {op} {right})"


@given(EXPRESSIONS, st.integers(0, 99))
def test_swapping_sides_keeps_the_canonical_form(expression, seed):
    other = shuffled(ast.parse(expression, mode="eval").body, Random(seed))
    assert canonical(other) == canonical(expression) == canonical(expression.replace("*", "×").replace(" ", ""))


def value(expression):
    try:
        return value_of(read_expression(expression), [])
    except (ValueError, SyntaxError):
        return None


@given(EXPRESSIONS, EXPRESSIONS)
def test_equal_canonical_forms_have_equal_values(one, other):
    if canonical(one) == canonical(other) and "/" not in one:
        assert value(one) == value(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1 + 2 + 3", "3 + (2 + 1)"),
        ("9 - (3 - 2)", "9 + 2 - 3"),
        ("8 / (4 / 2)", "8 * 2 / 4"),
        ("2 * (3 + 4)", "(4 + 3) * 2"),
    ],
)
def test_other_spellings_of_one_solution_are_one_answer(one, other):
    assert canonical(one) == canonical(other) and value(one) == value(other)


@pytest.mark.parametrize(
    ("one", "other"), [("1 + 2", "2 - 1"), ("1 - 2", "2 - 1"), ("8 / 4", "4 / 8"), ("1 + 2 * 3", "(1 + 2) * 3")]
)
def test_other_solutions_are_other_answers(one, other):
    assert canonical(one) != canonical(other)


STEP, LAST, BOX = "3 * 7 = 21, left: 21 25\n\n", "21 + 25 = 46, left: 46\n\n", "\\boxed{3 * 7 + 25}"
FIRST = "Step 1: 3 * 7 = 21, right."


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ([STEP, LAST, BOX], [FIRST, "Step 2: 21 + 25 = 46, right.", "Answer: 3 7 25 make 46, right."]),
        (["3 * 7 = 21, left: 25 21", BOX], [FIRST, "Answer: 3 7 25 make 46, right."]),
        (["3 * 7 = 22, left: 22 25\n\n", LAST, BOX], ["Step 1: 3 * 7 = 21, wrong."]),
        (["25 / 3 = 8, left: 7 8"], ["Step 1: 25 / 3 = 25/3, wrong."]),
        (["3 - 7 = 4, left: 4 25"], ["Step 1: 3 - 7 = -4, wrong."]),
        ([STEP, "21 + 25 = 47, left: 47", BOX], [FIRST, "Step 2: 21 + 25 = 46, wrong."]),
        (["3 * 8 = 24, left: 7 25"], ["Step 1: 8 is not left, wrong."]),
        ([STEP, "7 + 21 = 28, left: 25 28"], [FIRST, "Step 2: 7 is not left, wrong."]),
        (["3 + 3 = 6, left: 7 25"], ["Step 1: 3 is not left, wrong."]),
        (["3 * 7 = 21, left: 25"], ["Step 1: 3 * 7 = 21, left: 21 25, wrong."]),
        (["3 * 7 = 21, left: 3 7 21 25"], ["Step 1: 3 * 7 = 21, left: 21 25, wrong."]),
        (["Let me think.\n\n"], ["Step 1: no operation, wrong."]),
        (["3 * 7 = 21\n\n"], ["Step 1: no operation, wrong."]),
        (["7 / 0 = 0, left: 3 25"], ["Step 1: 0 is not left, wrong."]),
        (
            [STEP, LAST, "46 * 1 = 46, left: 46"],
            [FIRST, "Step 2: 21 + 25 = 46, right.", "Step 3: no operation, wrong."],
        ),
        ([STEP], [FIRST, "Answer: none, wrong."]),
        ([], ["Answer: none, wrong."]),
        ([STEP, "\\boxed{3 * 7}"], [FIRST, "Answer: 3 7 make 21, wrong."]),
        ([STEP, "\\boxed{3 * 7 * 25}"], [FIRST, "Answer: 3 7 25 make 525, wrong."]),
        (["\\boxed{25 + 7 * 3}"], ["Answer: 3 7 25 make 46, right."]),
        (["\\boxed{7 / 3 + 25}"], ["Answer: 3 7 25 make 82/3, wrong."]),
        (["\\boxed{46}"], ["Answer: 46 make 46, wrong."]),
        (["\\boxed{x}"], ["Answer: no expression, wrong."]),
        (["\\boxed{3 / (7 - 7)}"], ["Answer: no expression, wrong."]),
        (["\\boxed{" + "9" * 198 + "}"], [f"Answer: {'9' * 198} make {'9' * 198}, wrong."]),
        (["\\boxed{((((((3}"], ["Answer: no expression, wrong."]),
        ([BOX, STEP], ["Answer: 3 7 25 make 46, right."]),
    ],
    ids=str,
)
def test_a_review_works_each_step_out_again_up_to_the_first_mistake(steps, lines):
    assert review(P, steps) == lines


def test_a_zero_among_the_numbers_that_are_left_can_not_be_divided_by():
    steps = ["7 - 7 = 0, left: 0 3", "3 / 0 = 3, left: 3"]
    assert review(parse("make 21 with 7 7 3"), steps) == ["Step 1: 7 - 7 = 0, right.", "Step 2: division by 0, wrong."]


@given(st.sampled_from([1, 2, 3, 4, 5]), st.integers(0, 30), st.integers(0, 9))
def test_a_right_solution_is_reviewed_right_to_its_end(level, index, seed):
    problem = problem_at(task_named("countdown"), "train", level, index)
    steps = solve(problem, Random(seed))
    lines = review(problem, steps)
    assert len(lines) == len(steps) and all(line.endswith(", right.") for line in lines)
