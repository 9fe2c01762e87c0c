"""Calendar: what is read, the lists of free hours, the slot, the picture."""

import re
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.tasks import calendar
from tts_explorer.tasks.base import DELIMITER, LEVELS, split_of
from tts_explorer.tasks.calendar import canonical, check, draw, draw_problem, grade, parse, review, reworded, solve

THREE = "Ann is busy 9-11, 13-14. Ben is busy 10-12, 16-18. Cara is busy 8-9."
ASK = "Find the first slot of 2 hours from 8 to 18 that all have free."
P = parse(f"{THREE} {ASK}")
STEPS = ["Ann: 8 11 12 14 15 16 17", "Ben: 8 12 14 15", "Cara: 12 14 15", "starts: 14", "\\boxed{14-16}"]
ONE = parse("Ann is busy 8-10. Ben is busy 10-12. Find the first slot of 1 hour from 8 to 16 that all have free.")


def test_the_example_of_the_docstring_is_real():
    text, *steps = [line.strip() for line in calendar.__doc__.split("::")[1].split("A step names")[0].strip().split("\n") if line]
    whole = [step.strip() for step in solve(parse(text), Random(0))]
    assert parse(text).text == text and steps == [*whole[:2], "…", *whole[3:]]


def test_a_solution_goes_from_person_to_person():
    assert P.truth == "14-16" and P.text == f"{THREE} {ASK}"
    assert solve(P, Random(0)) == [*(step + DELIMITER for step in STEPS[:-1]), STEPS[-1]]
    assert solve(ONE, Random(0)) == ["Ann: 10 11 12 13 14 15\n\n", "Ben: 12 13 14 15\n\n", "\\boxed{12-13}"]


@pytest.mark.parametrize(
    "text",
    [
        f"{THREE} Between 8 and 18, find the first meeting of 2 hours that suits all.",
        f"{THREE} When can all first meet for 2 hours between 8 and 18?",
        f"Find the earliest two-hour slot from 8:00 to 18:00 for all. {THREE}",
        f"{ASK}\n\nAnn is busy 9-11, 13-14\nBen is busy 10-12 and 16-18\nCara is busy 8-9",
        f"Ann is busy from 9 to 11 and from 13 to 14; Ben is busy between 10 and 12, and 16 – 18; Cara is busy 08:00-9. {ASK}",
        f"Cara is busy 8-9. Zoë is busy 13-14, 9-10, 10-11. Ben is busy 16-18, 10-12. {ASK}",
        f"Ann is busy 9-11 and 13-14, Ben is busy 10-12, 11-12, 16-24 and Cara is busy 6-9. {ASK}",
    ],
)
def test_a_visitor_may_say_it_in_other_words(text):
    problem = parse(text)
    assert (problem.key, problem.truth) == ("8-18 2h: 10-12, 16-18 | 8-9 | 9-11, 13-14", "14-16")
    assert problem.key == P.key and parse(problem.text) == problem


@pytest.mark.parametrize(
    ("asked", "truth"),
    [
        ("What is the first hour that all have free from 8 to 18?", "11-12"),
        ("Find the earliest one-hour meeting, 8-18.", "11-12"),
        ("When can they first meet for an hour between 10 and 18?", "11-12"),
        ("Find the first 3 hours between 8 and 18 when all are free.", "11-14"),
        ("Find the first 7h slot from 8 to 18.", "11-18"),
        ("Find the first slot of 1 hour from 0 to 24 for all.", "0-1"),
    ],
)
def test_the_question_decides_length_and_day(asked, truth):
    assert parse(f"Ann is busy 8-11. Ben is free all day. {asked}").truth == truth


@pytest.mark.parametrize(
    "text",
    [
        "",
        THREE,
        ASK,
        f"Ann is busy 9-11. {ASK}",
        f"{THREE} Ann is busy 9-10. {ASK}",
        " ".join(f"{name} is busy 9-10." for name in ["Al", "Bo", "Cy", "Di", "Ed", "Flo", "Gil"]) + ASK,
        f"{THREE} {ASK} {ASK}",
        f"{THREE} Find the last slot of 2 hours from 8 to 18 that all have free.",
        f"{THREE} Find a slot of 2 hours from 8 to 18.",
        f"{THREE} Find the first slot from 8 to 18.",
        f"{THREE} Find the first slot of 2 hours.",
        f"{THREE} Find the first slot of 2 hours from 18 to 8.",
        f"{THREE} Find the first slot of 2 hours from 8 to 25.",
        f"{THREE} Find the first slot of 0 hours from 8 to 18.",
        f"{THREE} Find the first slot of 4 hours from 8 to 18.",
        f"{THREE} Find the first slot of 1.5 hours from 8 to 18.",
        f"{THREE} Find the first slot of 2 hours from 8 to 18 on Monday.",
        f"{THREE} Dan is busy 9:30-11:00. {ASK}",
        f"{THREE} Dan is busy 9.30-11. {ASK}",
        f"{THREE} Dan is busy 9-11.30. {ASK}",
        f"{THREE} Dan is busy 11-9. {ASK}",
        f"{THREE} Dan is busy 9-11, 14. {ASK}",
        f"{THREE} Dan is busy 9-111. {ASK}",
        f"{THREE} Dan is busy 9-25. {ASK}",
        f"{THREE} Dan is busy all day. {ASK}",
        f"{THREE} Dan is not busy 9-11. {ASK}",
        f"{THREE} dan is busy 9-11. {ASK}",
        f"{THREE} Nobody is busy 9-11. {ASK}",
        f"{THREE} Mary Dan is busy 9-11. {ASK}",
        f"{THREE} Dan is busy ٩-١١. {ASK}",
        f"{THREE} Dan is busy 8-18. {ASK}",
        f"{THREE}{' ' * 2000}{ASK}",
    ],
)
def test_what_is_no_solvable_calendar_is_not_read(text):
    assert parse(text) is None


@pytest.mark.parametrize("text", ["14-16", "14:00-16:00", "14 to 16", "from 14 to 16", "\\boxed{14 - 16}", "so \\boxed{14–16}."])
def test_any_spelling_of_the_slot_is_right(text):
    assert grade(P, text)


@pytest.mark.parametrize(
    "text", ["14", "14-17", "12-14", "8-10", "16-14", "14-16-18", "14:30-16", "14-16 or 15-17", "١٤-١٦", "-"]
)
def test_another_slot_or_a_start_alone_is_wrong(text):
    assert not grade(P, text) and not grade(P, f"\\boxed{{{text}}}")
    assert not grade(ONE, "12") and grade(ONE, "12-13")


def test_equal_slots_have_one_spelling():
    assert {canonical(text) for text in ("9-11", " 09:00 - 11:00 ", "from 9 to 11", "Between 9 and 11")} == {"9-11"}
    assert canonical("no  slot") == "no slot"


FIRST, SECOND = "Step 1: Ann: 8 11 12 14 15 16 17, right.", "Step 2: Ben: 8 12 14 15, right."
REST = ["Step 3: Cara: 12 14 15, right.", "Step 4: starts: 14, right."]


@pytest.mark.parametrize(
    ("steps", "fine", "lines"),
    [
        (STEPS, [True] * 5, [FIRST, SECOND, *REST, "Answer: 14-16, right."]),
        ([], [], ["Answer: none, wrong."]),
        (STEPS[:1], [True], [FIRST, "Answer: none, wrong."]),
        (["Ann: 8 11 12 14 15 16", STEPS[1]], [False, False], [FIRST.replace("right", "wrong")]),
        ([STEPS[0], "Ben: 8 14 12 15"], [True, False], [FIRST, SECOND.replace("right", "wrong")]),
        ([STEPS[0], STEPS[2]], [True, False], [FIRST, SECOND.replace("right", "wrong")]),
        ([STEPS[0], "Cara: 8 12 14 15"], [True, False], [FIRST, SECOND.replace("right", "wrong")]),
        ([STEPS[0], "\\boxed{14-16}"], [True, True], [FIRST, "Answer: 14-16, right."]),
        ([STEPS[0], "\\boxed{12-14}", STEPS[1]], [True, False, False], [FIRST, "Answer: 14-16, wrong."]),
        (
            [*STEPS[:4], STEPS[3]],
            [True] * 4 + [False],
            [FIRST, SECOND, *REST, "Step 5: nothing is left to do, wrong."],
        ),
        (["starts: 14\n\n"], [False], [FIRST.replace("right", "wrong")]),
        (["", "9" * 9000], [False, False], [FIRST.replace("right", "wrong")]),
    ],
)
def test_a_step_must_be_the_next_list_and_a_review_works_it_out_again(steps, fine, lines):
    assert check(P, steps) == fine and review(P, steps) == lines


def slow(busy, day, length):
    """The first slot, hour by hour."""
    for at in range(day[0], day[1] - length + 1):
        if all(hour not in hours for hours in busy.values() for hour in range(at, at + length)):
            return f"{at}-{at + length}"


@given(st.sampled_from(LEVELS), st.integers(0, 10_000))
def test_a_drawn_problem_has_the_right_truth_and_its_own_solution_is_right(level, seed):
    problem = draw_problem(Random(seed), level)
    busy = {name: {h for a, b in re.findall(r"(\d+)-(\d+)", told) for h in range(int(a), int(b))}
            for name, told in re.findall(r"(\w+) is busy ([^.]*)\.", problem.text)}  # fmt: skip
    data = problem.data
    assert data["busy"] == busy and len(busy) == calendar.RULES[level][0] and all(busy.values())
    assert problem.truth == slow(busy, data["day"], data["length"])
    lines = review(problem, solve(problem, Random(0)))
    assert len(lines) == len(busy) + (data["length"] > 1) + 1 and all(line.endswith(", right.") for line in lines)
    assert parse(problem.text) == problem


@given(st.sampled_from(LEVELS), st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_neither_names_nor_order_nor_wording_change_the_problem(level, seed, rng):
    problem = draw_problem(Random(seed), level)
    other = parse(reworded(problem.text, rng))
    assert (other.key, other.truth) == (problem.key, problem.truth)
    assert solve(other, rng) == solve(problem, rng)
    *told, asked = problem.text.split(". ", len(problem.data["busy"]))
    mixed = parse(". ".join([*rng.sample(told, len(told)), asked]).replace("Ann", "Bo"))
    assert (mixed.key, mixed.truth) == (problem.key, problem.truth)
    assert split_of("calendar", mixed.key) == split_of("calendar", problem.key)


def test_what_is_no_calendar_is_not_reworded():
    assert reworded("hello", Random(0)) == "hello"


@pytest.mark.parametrize("level", LEVELS)
def test_problems_are_plentiful_and_the_first_slot_is_seldom_at_once(level):
    rng = Random(level)
    drawn = [draw_problem(rng, level) for _ in range(400)]
    assert len({problem.key for problem in drawn}) > 350
    starts = [int(problem.truth.split("-")[0]) - problem.data["day"][0] for problem in drawn]
    assert starts.count(0) < 80 and all(starts.count(at) < 120 for at in set(starts))


def shapes(svg):
    """What is marked: crosses, dashed shapes, dots, rings."""
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("}svg") and root.get("viewBox").startswith("0 0 320 ") and root.get("role") == "img"
    assert not any("id" in element.attrib or "href" in element.attrib for element in root.iter())
    return svg.count("l8 8m0-8l-8 8"), svg.count("stroke-dasharray"), svg.count('r="3" fill="var(--accent'), svg.count('r="7.0"')


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ([], (0, 0, 0, 0)),
        (STEPS[:1], (0, 0, 7, 0)),
        (STEPS[:4], (0, 0, 3, 1)),
        (STEPS, (0, 0, 3, 1)),
        ([*STEPS[:4], "\\boxed{12-14}"], (2, 1, 3, 1)),
        ([*STEPS[:4], "\\boxed{30-99}"], (1, 0, 3, 1)),
        ([STEPS[0], "Ben: 8 10 12 14"], (3, 1, 7, 1)),
        ([*STEPS[:3], "starts: 12 14", "\\boxed{12-14}"], (4, 1, 3, 0)),
        (["<b>&\0\ud800"], (2, 0, 0, 0)),
    ],
)
def test_a_picture_marks_what_is_wrong_by_its_shape(steps, found):
    assert shapes(draw(P, steps)) == found


def test_a_picture_names_people_and_says_the_first_mistake():
    svg = draw(parse(f"Bartholomew is busy 9-11. Di is free all day. {ASK}"), ["Bartholomew: 8 <"])
    texts = [text.text for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:11] == [str(hour) for hour in range(8, 19)]
    assert texts[11:] == ["Barth…", "Di", "free", "step 1: Bartholomew: 8 <"]
    assert "Bartholomew busy 9-11; Di busy never. step 1" in ElementTree.fromstring(svg).get("aria-label")


@given(st.lists(st.text() | st.from_regex(r"(Ann|Ben|starts|.*): [0-9 ]*|\\boxed\{.*\}") | st.sampled_from(STEPS), max_size=6))
def test_no_steps_break_a_task(steps):
    assert len(check(P, steps)) == len(steps) >= len(review(P, steps)) - 1
    shapes(draw(P, steps))
    for text in steps:
        parse(text)
        parse(f"{THREE} {text}")
        parse(f"{text} {ASK}")
