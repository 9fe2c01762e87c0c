"""Arithmetic: golden problems, a visitor's own words, steps."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.tasks import arithmetic, task_named
from tts_explorer.tasks.arithmetic import canonical, check, grade, parse, review, solve
from tts_explorer.tasks.base import LEVELS, problem_at, split_of

GOLDEN = {
    ("test", 1, 0): (
        "Raj starts with 3 stones. Raj sells 2 of the stones. Raj buys 2 bags with 3 stones in each. How many "
        "stones are left? = 7"
    ),
    ("train", 1, 3): (
        "Ben starts with 8 pens. Ben gives 2 pens to each of 3 friends. Ben shares the pens equally among 2 people "
        "and keeps one share. How many pens does Ben have now? = 1"
    ),
    ("test", 2, 0): (
        "At first Lena owns 10 marbles. Mia gives Lena 13 marbles. Lena finds 19 marbles. Lena sells 12 of the "
        "marbles. How many marbles does Lena have now? = 30"
    ),
    ("train", 2, 3): (
        "Tess has 19 shells. Then the pile of shells grows to 4 times its size. Will gives Tess 4 shells. Tess "
        "sells 13 of the shells. How many shells does Tess have in the end? = 67"
    ),
    ("test", 3, 0): (
        "Will has 34 keys. Will loses 9 keys. Noah has 25 keys too. Noah gives Will 8 keys. Will buys 17 more "
        "keys. Will gives 4 keys to Noah. How many keys does Will have now? = 46"
    ),
    ("train", 3, 3): (
        "Mia starts with 32 eggs. Each of the eggs weighs 12 grams. Mia finds 31 eggs. Each of the eggs weighs 32 "
        "grams. Mia buys 8 bags with 8 eggs in each. Mia gives 2 eggs to each of 12 friends. Mia gets 4 eggs from "
        "each of 9 friends. How many eggs does Mia have in the end? = 139"
    ),
    ("test", 4, 0): (
        "At first Gus owns 56 stones. Each of the stones weighs 26 grams. Each of the stones weighs 34 grams. Gus "
        "loses 46 stones. Gus buys 12 bags with 7 stones in each. Gus gives 23 stones to Kai. Gus buys 2 bags with "
        "5 stones in each. Gus buys 9 bags with 2 stones in each. Gus finds 48 stones. How many stones does Gus "
        "have in the end? = 147"
    ),
    ("train", 4, 3): (
        "Ben starts with 54 keys. Each of the keys weighs 60 grams. Ben finds 28 keys. Gus has 20 keys too. Ben "
        "buys 4 bags with 7 keys in each. Ben gives 24 keys to Gus. Ben gives 6 keys to each of 6 friends. Gus "
        "gives Ben 45 keys. Ben buys 19 more keys. How many keys does Ben have now? = 114"
    ),
    ("test", 5, 0): (
        "At first Eva owns 57 eggs. Eva finds 62 eggs. Eva finds 22 eggs. Hana gives Eva 53 eggs. Eva sells 88 of "
        "the eggs. Eva finds 52 eggs. Eva loses 25 eggs. Hana gives Eva 57 eggs. Eva gives 3 eggs to Hana. How "
        "many eggs are left? = 187"
    ),
    ("train", 5, 3): (
        "Will starts with 36 coins. Then the pile of coins grows to 2 times its size. Will sells 62 of the coins. "
        "Will buys 78 more coins. Will buys 90 more coins. Will sells 34 of the coins. Will finds 41 coins. Raj "
        "gives Will 93 coins. Will loses 62 coins. How many coins are left? = 216"
    ),
}


@pytest.mark.parametrize(("place", "text"), GOLDEN.items())
def test_problems_are_fixed_for_ever(place, text):
    problem = problem_at(task_named("arithmetic"), *place)
    assert f"{problem.text} = {problem.truth}" == text


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("Zed has 5 figs. How many figs are left?", "5"),
        (
            "Zed has 7 kites. Zed buys 3 bags with 6 kites in each. Zed gives 4 kites to Yan. How many kites does Zed have now?",
            "21",
        ),
        (
            "At first Zed owns 6 figs.\nZed shares the figs equally among 3 people and keeps one share.\nHow many figs are left?",
            "2",
        ),
        (
            "Zed has 5 figs. Then the pile of figs grows to 4 times its size. Each of the figs weighs 9 grams. "
            "How many figs are left?",
            "20",
        ),
        ("Zed has 5 figs. Yan has 9 figs too. Yan gives Zed 2 figs. How many figs are left?", "7"),
    ],
)
def test_other_names_things_and_numbers_are_read(text, truth):
    assert parse(text).truth == truth


@pytest.mark.parametrize(
    "text",
    [
        "How many figs are left?",
        "Zed has 5 figs.",
        "Zed has 5 figs. Zed eats 2 figs. How many figs are left?",
        "Zed has 5 figs. Zed loses 5 figs. How many figs are left?",
        "Zed has 900 figs. Zed finds 100 figs. How many figs are left?",
        "Zed has 5 figs. Zed shares the figs equally among 2 people and keeps one share. How many figs are left?",
        "Zed has 5 figs. Zed shares the figs equally among 0 people and keeps one share. How many figs are left?",
        "Zed has 5000 figs. How many figs are left?",
        "Zed has 0 figs. Zed finds 2 figs. How many figs are left?",
    ],
)
def test_what_it_can_not_answer_is_not_read(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Zed has 5 figs. Yan buys 3 more figs. How many figs does Zed have now?",
        "Zed has 5 figs. Zed buys 3 more pens. How many figs does Zed have now?",
        "Zed has 5 figs. Zed finds 3 figs. How many figs does Yan have now?",
        "Zed has 5 figs. Zed finds 3 figs. How many pens are left?",
        "Zed has 5 figs. Zed gives Yan 3 figs. How many figs are left?",
        "Zed has 5 figs. Yan gives 3 figs to Zed. How many figs are left?",
    ],
)
def test_sentences_about_another_pile_are_not_read_as_this_one(text):
    assert parse(text) is None


def test_other_words_with_the_same_numbers_are_in_the_same_split():
    one = parse("Zed has 5 figs. Zed finds 3 figs. How many figs are left?")
    other = parse("At first Bo owns 5 pens. Bo buys 3 more pens. Al has 9 pens too. How many pens does Bo have in the end?")
    assert one.key == other.key and split_of("arithmetic", one.key) == split_of("arithmetic", other.key)


@pytest.mark.parametrize("level", LEVELS)
def test_totals_stay_between_1_and_999(level):
    rng = Random(level)
    for _ in range(50):
        problem = arithmetic.draw_problem(rng, level)
        assert 1 <= int(problem.truth) <= 999
        assert all(1 <= c <= 999 for _, op, _, c in problem.data["equations"] if op != "*" or c <= 999)


P = parse("Zed has 7 figs. Zed buys 3 bags with 6 figs in each. Zed gives 4 figs to Yan. How many figs does Zed have now?")


def test_a_solution_is_one_equation_a_step():
    assert solve(P, Random(0)) == ["3 * 6 = 18\n\n", "7 + 18 = 25\n\n", "25 - 4 = 21\n\n", "\\boxed{21}"]


@pytest.mark.parametrize(
    ("steps", "verdicts"),
    [
        (["6 * 3 = 18", "18 + 7 = 25", "25 - 4 = 21", "\\boxed{21}"], [True] * 4),
        (["3 * 6 = 19", "7 + 18 = 25"], [False, False]),
        (["7 + 18 = 25"], [False]),
        (["3 * 6 = 18", "4 - 25 = 21"], [True, False]),
        (["\\boxed{21}"], [True]),
        (["3 * 6 = 18", "\\boxed{20}"], [True, False]),
        (["3 * 7 = 21", "\\boxed{21}"], [False, False]),
        (["3 * 6 = 18", "7 + 18 = 25", "25 - 4 = 21", "21 + 1 = 22"], [True, True, True, False]),
        ([], []),
    ],
)
def test_a_step_is_right_if_it_is_the_next_equation(steps, verdicts):
    assert check(P, [f"{step}\n\n" for step in steps]) == verdicts


@pytest.mark.parametrize("text", ["21", " 21 ", "021", "\\boxed{21}", "first \\boxed{3}, then \\boxed{21}", "2,1"])
def test_right_answers(text):
    assert grade(P, text)


@pytest.mark.parametrize("text", ["22", "21.5", "twenty-one", "21 figs", "\\boxed{21} or \\boxed{3}", "-21", "2 1"])
def test_wrong_answers(text):
    assert not grade(P, text)


@given(st.integers(-(10**16), 10**16), st.integers(0, 1))
def test_a_number_has_one_canonical_form(number, zeros):
    spelled = f"-{'0' * zeros}{-number}" if number < 0 else f"{'0' * zeros}{number}"
    assert canonical(spelled) == canonical(f" {number:,} ") == str(number)


@given(st.text())
def test_a_canonical_form_is_its_own(text):
    assert canonical(canonical(text)) == canonical(text)


DUE = [
    "Step 1: 3 * 6 = 18, written 18, right.",
    "Step 2: 7 + 18 = 25, written 25, right.",
    "Step 3: 25 - 4 = 21, written 21, right.",
]


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        (["3 * 6 = 18\n\n", "7 + 18 = 25\n\n", "25 - 4 = 21\n\n", "\\boxed{21}"], [*DUE, "Answer: 21, written 21, right."]),
        (["6 * 3 = 18", "18 + 7 = 25", "25 - 4 = 21", "\\boxed{ 021 }"], [*DUE, "Answer: 21, written 21, right."]),
        (["3 * 6 = 19\n\n", "7 + 19 = 26\n\n"], ["Step 1: 3 * 6 = 18, written 19, wrong."]),
        (["3 * 6 = 18\n\n", "7 + 18 = 26\n\n", "\\boxed{22}"], [DUE[0], "Step 2: 7 + 18 = 25, written 26, wrong."]),
        (["7 + 3 = 10"], ["Step 1: 3 * 6 = 18, written 10, wrong."]),
        (["3 * 6 = 18", "18 - 4 = 14"], [DUE[0], "Step 2: 7 + 18 = 25, written 14, wrong."]),
        (["Let me think.\n\n", "3 * 6 = 18"], ["Step 1: 3 * 6 = 18, no number, wrong."]),
        (["3 * 6 = 18", "7 + 18 = 25", "25 - 4 = 21"], [*DUE, "Answer: none, wrong."]),
        (["3 * 6 = 18", "7 + 18 = 25", "25 - 4 = 21", "\\boxed{22}"], [*DUE, "Answer: 21, written 22, wrong."]),
        (["3 * 6 = 18", "\\boxed{25}"], [DUE[0], "Answer: 21, written 25, wrong."]),
        (["\\boxed{21}"], ["Answer: 21, written 21, right."]),
        (
            ["3 * 6 = 18", "7 + 18 = 25", "25 - 4 = 21", "21 + 1 = 22", "\\boxed{22}"],
            [*DUE, "Step 4: nothing is left to do, written 22, wrong."],
        ),
        ([], ["Answer: none, wrong."]),
    ],
    ids=str,
)
def test_a_review_names_the_equation_that_is_due_up_to_the_first_mistake(steps, lines):
    assert review(P, steps) == lines


@given(st.sampled_from([1, 2, 3, 4, 5]), st.integers(0, 30), st.integers(0, 9))
def test_a_right_solution_is_reviewed_right_to_its_end(level, index, seed):
    problem = problem_at(task_named("arithmetic"), "train", level, index)
    steps = solve(problem, Random(seed))
    lines = review(problem, steps)
    assert len(lines) == len(steps) and all(line.endswith(", right.") for line in lines)
