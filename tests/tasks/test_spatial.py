"""Map: golden problems, a visitor's words, places in any spelling, steps, the map's marks."""

import re
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.tasks import spatial, task_named
from tts_explorer.tasks.base import LEVELS, problem_at
from tts_explorer.tasks.spatial import RULES, canonical, check, draw, draw_problem, grade, parse, review, reworded, solve

GOLDEN = {
    ("test", 1, 0): "Tess is 6 east of Ann. Cara is 3 south of Ann. From Cara, where is Tess? = 3 north 6 east",
    ("train", 1, 3): "Uma is 7 north of Finn. Uma is 7 east of Cara. Where is Cara from Finn? = 7 north 7 west",
    ("test", 2, 0): (
        "Raj is 2 south of Eva. Pia is 1 north of Will. Eva is 3 east of Will. Ben is 5 east of Eva. From Pia, where is Ben?"
        " = 1 south 8 east"
    ),
    ("train", 3, 3): (
        "Max is 6 west of Zoe. Max is 1 south of Ann. Max is 3 south of Will. Tess is 7 south of Ann. Eva is 2 south of Max. "
        "Finn is 6 south of Zoe. Where is Finn from Tess? = 6 east"
    ),
    ("test", 4, 0): (
        "Kai is 8 north of Gus. Noah is 1 west of Dan. Raj is 3 north of Noah. Mia is 2 west of Gus. "
        "Noah is 8 south and 4 west of Mia. Dan is 3 north and 5 east of Eva. Dan is 5 south and 3 west of Max. "
        "Eva is 1 east of Lena. From Kai, where is Max? = 11 south 2 west"
    ),
    ("train", 5, 3): (
        "Cara is 8 south of Kai. Kai is 8 south and 5 east of Olga. Tess is 2 south and 1 west of Cara. Hana is 1 south "
        "and 3 west of Kai. Dan is 7 north and 5 west of Olga. Tess is 3 east of Uma. Dan is 8 "
        "south and 5 west of Ivan. Uma is 5 south of Max. Zoe is 1 south of Max. Where is Zoe from Dan? = 21 south 6 east"
    ),
}


@pytest.mark.parametrize(("place", "text"), GOLDEN.items())
def test_problems_are_fixed_for_ever(place, text):
    problem = problem_at(task_named("spatial"), *place)
    assert f"{problem.text} = {problem.truth}" == text


TEXT = "Ben is 2 north of Ann. Cara is 4 west of Ben. Dan is 1 south of Ann. Eva is 3 north and 1 east of Cara. "
P = parse(TEXT + "Where is Eva from Ann?")


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "Where is Eva from Ann?",
        TEXT + "From Ann, where is Eva?",
        TEXT + "Where is Eva relative to Ann?",
        TEXT + "where is Eva, as seen from Ann",
        TEXT + "Seen from Ann: where does Eva stand?",
        "Some friends meet in a park.\n" + TEXT + "Where is Eva from Ann?",
        TEXT.replace("2 north", "2 km north").replace("4 west", "4 steps to the west") + "Where is Eva from Ann?",
        TEXT.replace("3 north and 1 east", "3N, 1E").replace(" is", " stands") + "Where is Eva from Ann?",
        TEXT.replace(". ", ", ") + "where is Eva from Ann?",
        "Ann is 2 south of Ben. Cara is 1 west and 3 south of Eva. Ben is 4 east of Cara. Ann is 1 north of Dan. "
        "Where is Eva from Ann?",
        "Ben is 2 north of Ann. " + TEXT + "Where is Eva from Ann?",
        TEXT.replace("Ben", "Zoë").replace("Ann", "Mary-Lou").replace("Cara", "O2").replace("Eva", "É")
        + "Where is É from Mary-Lou?",
    ],
)
def test_a_visitor_may_say_it_in_other_words(text):
    problem = parse(text)
    assert (problem.truth, problem.key) == ("5 north 3 west", P.key)
    assert grade(problem, problem.truth) and parse(problem.text) == problem


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Where is Eva from Ann?",
        TEXT + "Where is Eva?",
        TEXT + "Where is Ann from Ann?",
        TEXT + "Where is Zed from Ann?",
        TEXT + "Where is Ann from Zed?",
        TEXT + "Where is Eva from Ann? Where is Ben from Dan?",
        TEXT + "Ben is 3 north of Ann. Where is Eva from Ann?",
        TEXT + "Ben is 2 north of Ben. Where is Eva from Ann?",
        TEXT + "Max is 2 north of Mia. Where is Eva from Ann?",
        TEXT + "Max is north of Ann. Where is Eva from Ann?",
        TEXT + "Max is 2 northeast of Ann. Where is Eva from Ann?",
        TEXT + "Max is not 2 north of Ann. Where is Eva from Ann?",
        TEXT + "Max is 2 north and 3 north of Ann. Where is Eva from Ann?",
        TEXT + "Max is 0 north of Ann. Where is Eva from Ann?",
        TEXT + "Max is 1000 north of Ann. Where is Eva from Ann?",
        TEXT + "Max is ٣ north of Ann. Where is Eva from Ann?",
        TEXT + "Max is 2 ſouth of Ann. Where is Eva from Ann?",
        TEXT + "Where is Eva from Ann?" + " " * 2000,
        " ".join(f"A{i} is 1 north of A{i + 1}." for i in range(24)) + " Where is A0 from A24?",
    ],
)
def test_what_is_no_map_is_not_read(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    "text", ["A1 is " + "2 " * 900 + "north", "A " * 999, "A" * 1999, "1 " * 999, "A is 1" + " " * 900 + "n of"]
)
def test_text_of_no_sense_is_refused_at_once(text):
    assert parse(text) is None and not grade(P, text)


@pytest.mark.parametrize(
    "text",
    [
        "5 north 3 west", "3 west, 5 north", "5 north and 3 west", "5N 3W", "5n3w", "5 steps North, and 3 to the west.",
        "\\boxed{3W 5N}",
    ],
)  # fmt: skip
def test_any_spelling_of_the_place_is_right(text):
    assert grade(P, text) and canonical(spatial.answer(text) or text) == "5 north 3 west" == P.truth


@pytest.mark.parametrize(
    "text",
    [
        "5 north", "5 south 3 west", "3 north 5 west", "5 north 3 west 1 east", "5 north 0 north", "north west", "5 3", "here",
        "05 north 3 westward", "5 north 3 west or 4 north", "-5 south 3 west", "5.0 north 3 west", "\\boxed{5 north} 3 west",
    ],
)  # fmt: skip
def test_any_other_place_is_wrong(text):
    assert not grade(P, text)


def test_two_people_on_one_spot_are_here():
    problem = parse("Bo is 2 north of Al. Bo is 2 north of Cy. Where is Cy from Al?")
    assert problem.truth == "here" and grade(problem, "\\boxed{0 north}")
    steps = ["Al to Bo: 2 north, now 2 north\n\n", "Bo to Cy: 2 south, now here\n\n", "\\boxed{here}"]
    assert solve(problem, Random(0)) == steps and check(problem, steps) == [True] * 3


BEN, CARA = "Ann to Ben: 2 north, now 2 north\n\n", "Ben to Cara: 4 west, now 2 north 4 west\n\n"
EVA, BOX = "Cara to Eva: 3 north 1 east, now 5 north 3 west\n\n", "\\boxed{5 north 3 west}"
DAN, DONE = "Ann to Dan: 1 south, now 1 south\n\n", [f"Step {i}: {s.strip()}, right." for i, s in enumerate([BEN, CARA], 1)]


def test_the_solution_goes_along_the_facts():
    assert solve(P, Random(0)) == [BEN, CARA, EVA, BOX]


@pytest.mark.parametrize(
    ("steps", "right"),
    [
        ([BEN, CARA, EVA, BOX], 4), ([DAN, BEN, CARA, EVA, BOX], 5), ([BEN, CARA, DAN, EVA, BOX], 5), ([BEN, BOX], 2),
        ([BOX, BEN], 2), ([CARA, BEN], 0), ([BEN, BEN, CARA], 1), ([BEN, "\\boxed{5 north}", CARA], 1),
        (["Ann to Ben: 2 south, now 2 south\n\n", CARA], 0), (["Ann to Ben: 2N, now 2 steps to the north."], 1),
    ],
)  # fmt: skip
def test_a_step_goes_by_a_fact_from_someone_placed_to_someone_new(steps, right):
    assert check(P, steps) == [True] * right + [False] * (len(steps) - right)


@pytest.mark.parametrize(
    "step",
    [
        "Ben to Ann: 2 south, now here", "Ben to Ben: here, now 2 north", "Ben to Dan: 3 south, now 1 south",
        "Ben to Zed: 1 north, now 3 north", "Zed to Dan: 1 south, now 1 south", "Cara to Ben: 4 east, now 2 north 4 west",
        "Ben to Cara: 4 east, now 2 north 4 west", "Ben to Cara: 4 west,\nnow 2 north 4 west", "Ben to Cara: 4 west",
        "Ben to Cara: 4 west, now 4 west", "Ben to Cara: 4 west, 2 north 4 west", "Cara: 2 north 4 west", "Ben to Cara", "",
    ],
)  # fmt: skip
def test_any_other_step_is_wrong(step):
    assert check(P, [BEN, step + "\n\n", BOX]) == [True, False, False]


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        ([BEN, CARA, EVA, BOX], [*DONE, f"Step 3: {EVA.strip()}, right.", "Answer: 5 north 3 west, right."]),
        ([BEN, "Ben to Cara: 4 west, now 4 west", EVA], [DONE[0], f"Step 2: {CARA.strip()}, wrong."]),
        (["Ann to Ben: 2 south, now 2 north", EVA], ["Step 1: Ann to Ben: 2 north, now 2 north, wrong."]),
        ([BEN, "Ben to Cara: 4W, now 4 west and 2 north"], [*DONE, "Answer: none, wrong."]),
        ([CARA, BEN], ["Step 1: Ben is not placed, wrong."]),
        (["Zed to Ben: 1 north, now 1 north"], ["Step 1: Zed is not placed, wrong."]),
        (["Ann to Zed: 1 north, now 1 north"], ["Step 1: no fact links Ann and Zed, wrong."]),
        (["Ann to Eva: 5 north, now 5 north"], ["Step 1: no fact links Ann and Eva, wrong."]),
        ([BEN, BEN], [DONE[0], "Step 2: Ben is placed, wrong."]),
        (["Let me think.\n\n", BEN], ["Step 1: no step, wrong."]),
        ([BEN, "\\boxed{5 north}", CARA], [DONE[0], "Answer: 5 north 3 west, wrong."]),
        ([BOX, CARA], ["Answer: 5 north 3 west, right."]),
        ([], ["Answer: none, wrong."]),
    ],
    ids=str,
)
def test_a_review_says_what_is_true_up_to_the_first_mistake(steps, lines):
    assert review(P, steps) == lines


@given(st.sampled_from(LEVELS), st.integers(0, 9999))
def test_a_drawn_problem_keeps_the_rules_of_its_level(level, seed):
    rng = Random(seed)
    problem = draw_problem(rng, level)
    base, who, places, _ = problem.data
    links, others, double = RULES[level]
    facts = re.findall(r"(\w+) is (.*?) of (\w+)\.", problem.text)
    assert len(places) == len(set(places.values())) == len(facts) + 1 == links + others + 1
    assert all(abs(far) <= 30 for place in places.values() for far in place)
    assert double or not any("and" in place for _, place, _ in facts)
    steps = solve(problem, rng)
    assert len(steps) == links + 1
    said = [re.fullmatch(r"(\w+) to (\w+): .*?, now (.*)\n\n", step).groups() for step in steps[:-1]]
    assert [near for near, _, _ in said] == [base, *(far for _, far, _ in said[:-1])] and said[-1][1:] == (who, problem.truth)
    near_first = sum((far, near) in {(a, b) for a, _, b in facts} for near, far, _ in said)
    assert near_first in (links // 2, (links + 1) // 2)
    assert all(line.endswith(", right.") for line in review(problem, steps))


@given(st.sampled_from(LEVELS), st.integers(0, 9999))
def test_order_question_direction_and_names_leave_the_key_alone(level, seed):
    rng = Random(seed)
    problem = draw_problem(rng, level)
    other = parse(reworded(problem.text, rng))
    assert (other.key, other.truth) == (problem.key, problem.truth)
    assert sorted(re.findall(r"\w+ is [^.?]*\.", other.text)) == sorted(re.findall(r"\w+ is [^.?]*\.", problem.text))
    opposite = dict(zip(("north", "south", "east", "west"), ("south", "north", "west", "east"), strict=True))
    a, place, b = re.match(r"(\w+) is (.*?) of (\w+)\.", problem.text).groups()
    turned = f"{b} is {re.sub('north|south|east|west', lambda way: opposite[way[0]], place)} of {a}."
    assert parse(problem.text.replace(f"{a} is {place} of {b}.", turned)).key == problem.key
    assert parse(re.sub(r"\b(?!Where|From)([A-Z]\w+)", r"\1x", problem.text)).key == problem.key


def test_what_is_no_problem_is_not_reworded():
    assert reworded("Where is Eva?", Random(0)) == "Where is Eva?"


def test_another_question_is_another_problem():
    assert len({parse(TEXT + question).key for question in ("Where is Eva from Ann?", "Where is Ann from Eva?")} | {P.key}) == 2


@pytest.mark.parametrize("level", LEVELS)
def test_levels_have_many_problems(level):
    rng = Random(level)
    keys = {draw_problem(rng, level).key for _ in range(3000)}
    assert len(keys) > (1000 if level == 1 else 2950)


def drawn(problem, steps):
    """The map's words, and how many marks it has of each kind."""
    root = ElementTree.fromstring(draw(problem, steps))
    paths = [part for part in root.iter() if part.tag.endswith("path")]
    said = [part.text for part in root.iter() if part.tag.endswith("text")]
    crosses = sum("l12 12m0-12l-12 12" in part.get("d") for part in paths)
    dashes = [part.get("d") for part in paths if part.get("stroke-dasharray")]
    return said, crosses, dashes, sum("h16v16" in part.get("d") for part in paths)


def test_a_right_attempt_is_drawn_without_crosses():
    said, crosses, dashes, squares = drawn(P, [BEN, CARA, EVA, BOX])
    assert {"Ann", "Ben", "Cara", "Dan", "Eva ?", "N"} <= set(said) and not any("✗" in text for text in said)
    assert (crosses, dashes, squares) == (0, [], 1)
    assert drawn(P, [BEN])[1:] == (0, [], 0)


def test_a_false_place_is_crossed_and_tied_to_the_true_one():
    said, crosses, dashes, squares = drawn(P, [BEN, "Ben to Cara: 4 east, now 2 north 4 east\n\n"])
    assert said.count("Cara") == 2 and "✗ Step 2: Ben to Cara: 4 east, now 2 north 4 east" in said
    assert crosses == len(dashes) == 1 and squares == 0
    ends = re.fullmatch(r"M(\S+) (\S+)L(\S+) (\S+)", dashes[0]).groups()
    assert float(ends[0]) > float(ends[2]) and ends[1] == ends[3]


def test_what_can_not_be_placed_yet_and_what_is_no_place_is_marked():
    said, crosses, _, _ = drawn(P, [CARA])
    assert crosses == 1 and f"✗ Step 1: {CARA.strip()}" in said
    assert any(text.startswith("✗ Step 1: <b>&") for text in drawn(P, ["<b>&\0\ud800"])[0])
    assert drawn(P, [BEN, "\\boxed{5 south}"])[1] == 1
    assert 'textLength="304"' in draw(P, ["Cara to Eva: 3 north 1 east, now 15 north 13 west"]) and "Length" not in draw(
        P, [CARA]
    )


FAR = "Cara to Eva: 3 north 1 east, now 999999 west"


@given(
    st.lists(
        st.sampled_from([BEN, CARA, DAN, EVA, BOX, FAR, "\\boxed{999999 east}", "Ann to Zed: here, now here"]) | st.text(),
        max_size=9,
    )
)
def test_any_attempt_is_drawn_checked_and_reviewed(steps):
    root = ElementTree.fromstring(draw(P, steps))
    numbers = [float(part.get(side)) for part in root.iter() for side in ("cx", "cy", "x", "y") if part.get(side)]
    assert all(-20 <= number <= 420 for number in numbers)
    fine = check(P, steps)
    assert fine == sorted(fine, reverse=True) and 1 <= len(review(P, steps)) <= len(steps) + 1
    assert any("✗" in (part.text or "") for part in root.iter()) == (False in fine)


def test_a_visitors_wide_map_is_drawn():
    text = " ".join(f"B{i} is 999 north and 999 east of B{i + 1}." for i in range(23)) + " Where is B0 from B23?"
    assert len(draw(parse(text), ["B23 to B22: 999 north 999 east, now 999 north 999 east", FAR] * 99)) < 30_000
