"""Party: golden problems, what a visitor may write, wishes against trying every party, reviews, the picture."""

import time
from itertools import product
from random import Random
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.tasks import sat, task_named
from tts_explorer.tasks.base import LEVELS, problem_at
from tts_explorer.tasks.sat import canonical, check, draw, draw_problem, grade, parse, review, reworded, solve

GOLDEN = {
    ("test", 1, 0): (
        "Choose who comes from Ann, Noah, Tess, so that every wish has a true part: not Ann/Tess, not Noah/no"
        "t Ann/not Tess, not Ann/Noah, not Noah/Ann, not Tess/not Noah. = nobody"
    ),
    ("train", 1, 3): (
        "Cara, Max, Noah: who comes? Make every wish true, with / for or: not Max/not Noah/not Cara, not Max/"
        "Cara/Noah, Cara/Max/not Noah, Noah/not Max, not Cara/not Noah, not Cara/Max. = nobody"
    ),
    ("test", 2, 0): (
        "Ben, Finn, Jill, Max: who comes? Make every wish true, with / for or: not Jill/Max, Finn/not Jill, M"
        "ax/Jill/not Finn, Finn/Max, Ben/Finn/Jill, Max/Ben, not Max/Jill/not Finn, not Jill/Ben. = Ben, Max"
    ),
    ("train", 2, 3): (
        "Cara, Sam, Will, Zoe: who comes? Make every wish true, with / for or: Zoe/not Sam, not Cara/Sam, not"
        " Cara/not Sam/not Zoe, not Cara/Will, Cara/Zoe, Cara/Will, not Will/not Cara/not Sam. = Will, Zoe"
    ),
    ("test", 3, 0): (
        "Who comes? Cara, Finn, Noah, Tess, Will. Each wish needs a true part: Finn/not Noah/Tess, not Finn/n"
        "ot Noah, not Will/Tess/Noah, Finn/not Will, Will/Cara, Cara/Will/Noah, Cara/Tess/not Will, not Cara/"
        "not Tess, Will/not Finn, not Finn/not Will/not Tess. = Cara"
    ),
    ("train", 3, 3): (
        "Choose who comes from Cara, Hana, Ivan, Jill, Kai, so that every wish has a true part: not Ivan/Kai,"
        " Hana/not Ivan/not Cara, Jill/Hana, not Ivan/not Cara/not Kai, not Cara/not Jill/Kai, Kai/Ivan/Hana,"
        " Cara/not Hana, Cara/not Jill, not Hana/Jill. = Cara, Jill, Kai"
    ),
    ("test", 4, 0): (
        "Choose who comes from Hana, Ivan, Raj, Tess, Uma, Zoe, so that every wish has a true part: Tess/not "
        "Zoe, Hana/Zoe, not Uma/not Hana, not Raj/Uma, not Zoe/Raj, Ivan/Uma/Tess, not Ivan/not Tess, not Zoe"
        "/not Ivan, Tess/Zoe, not Raj/not Tess/Hana, Uma/not Zoe/not Tess. = Hana, Tess"
    ),
    ("train", 4, 3): (
        "Cara, Olga, Tess, Vera, Will, Zoe: who comes? Make every wish true, with / for or: Tess/Cara, Tess/n"
        "ot Olga/not Vera, Zoe/not Vera, Cara/Zoe, Olga/Tess/Zoe, not Will/Cara/Olga, not Vera/not Olga/not W"
        "ill, not Vera/not Zoe, not Vera/Tess, not Cara/not Olga/Zoe, not Cara/Zoe, not Zoe/not Olga, not Car"
        "a/Will, Will/not Tess. = Cara, Will, Zoe"
    ),
    ("test", 5, 0): (
        "Choose who comes from Ann, Dan, Eva, Finn, Noah, Olga, Raj, so that every wish has a true part: not "
        "Noah/Ann/Olga, not Ann/not Raj/Noah, not Noah/Raj/not Ann, not Finn/Dan/not Ann, not Ann/not Raj, no"
        "t Eva/not Olga, not Eva/Ann/Olga, not Eva/Olga/not Ann, not Dan/not Ann/Raj, Finn/Olga/Raj, not Olga"
        "/Eva, Raj/Dan, Dan/not Finn/Ann, Noah/not Raj/Eva. = Dan, Finn"
    ),
    ("train", 5, 3): (
        "Who comes? Ann, Dan, Hana, Max, Mia, Tess, Zoe. Each wish needs a true part: Hana/Tess/Mia, Dan/not "
        "Ann, Zoe/not Hana, Ann/not Max/Zoe, Dan/Max/Mia, Mia/Zoe, not Dan/Hana/not Mia, not Tess/Dan/not Mia"
        ", Hana/not Ann, Ann/not Zoe, Zoe/Tess, not Tess/not Max, Tess/not Zoe. = Ann, Dan, Hana, Tess, Zoe"
    ),
}


@pytest.mark.parametrize(("place", "text"), GOLDEN.items())
def test_problems_are_fixed_for_ever(place, text):
    problem = problem_at(task_named("sat"), *place)
    assert f"{problem.text} = {problem.truth}" == text


TEXT = (
    "Who comes? Ivan, Sam, Vera, Will. Each wish needs a true part: "
    "not Ivan/Vera/Will, not Vera/not Ivan/Will, Ivan/not Sam, not Ivan/not Will, Will/Sam."
)
P = parse(TEXT)
FITS = ["Will", "Vera, Will"]


@pytest.mark.parametrize(
    "text",
    [
        "Ann, Ben: who comes? Make every wish true, with / for or: Ann/not Ben, Ben.",
        "who comes of Ann and Ben?\nwishes:\nAnn or not Ben\nBen",
        "Ann,Ben have a party: (Ann | !Ben) & Ben",
        "Make the wishes true: Not Ben or Ann; Ben. Who comes?",
        "Friends: Ann, Ben. Their wishes: Ann / no Ben / Ann, and Ben, and Ben or Ben",
    ],
)
def test_a_visitor_may_say_it_in_many_ways(text):
    problem = parse(text)
    assert problem.truth == "Ann, Ben" and problem.key == "2: Ba b" and problem.data["people"] == ("Ann", "Ben")


def test_other_names_are_the_same_problem_and_their_order_is_the_visitors():
    other = parse(TEXT.replace("Ivan", "Zoë").replace("Will", "Al"))
    assert other.key == P.key and other.data["people"] == ("Zoë", "Sam", "Vera", "Al")
    assert other.truth in ("Al", "Vera, Al") and grade(other, "Al, Vera")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "wishes:",
        "Ann, Ben: Ann/Ben",
        "Make every wish true: Ann",
        "Make every wish true: Ann/Ben, not Ann, not Ben",
        "Who comes? Ann, Ben. Wishes: Ann/Cara",
        "Who comes? Ann, Ben, Ann. Wishes: Ann/Ben",
        "Who comes? Ann, Ben. Wishes: Ann/Ben/",
        "Who comes? Ann, Ben. Wishes: Ann sits left of Ben",
        "Who comes? Ann, Ben. Wishes: Ann/not not Ben",
        "Who comes? Ann, Ben. Wishes: ann/ben",
        "Who comes, with wishes: A/B, C/D, E/F, G/H, I/J, K",
        "Who comes, with wishes: Abcdefghijklm/Ben",
        "Who comes, with wishes: Ann/Nobody",
        "Ann has 7 apples: how many wishes come true?",
        TEXT + " " * 2000,
        "Wishes: " + ",".join("/".join(f"{'!' * (n >> i & 1)}Abcdefghijk{'abcd'[i]}" for i in range(4)) for n in range(15)) * 3,
    ],
    ids=lambda text: text[:50],
)
def test_what_is_no_party_is_not_read(text):
    assert parse(text) is None


PIECES = ["A", "B", "l", " ", ",", ", ", "/", ":", "wish ", "not ", " or ", "and", "\n", ".", "Al/Bo, "]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_no_text_breaks_the_reader(text):
    for form in (text, f"Wishes: {text}", f"Who comes? {text}: Al/Bo"):
        problem = parse(form)
        if problem is not None:
            assert grade(problem, problem.truth) and parse(problem.text) == problem
            assert parse(reworded(form, Random(0))).key == problem.key


@pytest.mark.parametrize("text", ["A " * 999 + ": wish", "wish" + " " * 1900 + ":", "wish: " + " or" * 600, "wish:" + "A/" * 990])
def test_long_texts_are_read_quickly(text):
    began = time.process_time()
    assert parse(text) is None and time.process_time() - began < 0.2


@pytest.mark.parametrize("level", LEVELS)
def test_a_problem_has_its_levels_size_and_few_parties_that_fit(level):
    people, most, cap = sat.RULES[level]
    for seed in range(30):
        data = draw_problem(Random(seed), level).data
        assert len(data["people"]) == people and data["people"] == tuple(sorted(data["people"]))
        assert 1 <= data["fits"].bit_count() <= most and len(data["wishes"]) <= cap
        assert len({frozenset(wish) for wish in data["wishes"]}) == len(data["wishes"])
        assert all(len({i for i, _ in wish}) == len(wish) in (2, 3) for wish in data["wishes"])


@pytest.mark.parametrize("level", LEVELS)
def test_problems_are_plentiful(level):
    rng = Random(level)
    keys = {draw_problem(rng, level).key for _ in range(1500)}
    assert len(keys) > (1200 if level == 1 else 1480)


def wish_by_wish(problem, party):
    """Whether everything wished for in the problem's own text is so, read the plain way."""
    wishes = problem.text[:-1].rpartition(": ")[2].split(", ")
    held = {name: name in party for name in problem.data["people"]}
    return all(any(held[part.removeprefix("not ")] != part.startswith("not ") for part in wish.split("/")) for wish in wishes)


@given(st.sampled_from(LEVELS), st.integers(0, 500))
def test_right_answers_are_those_that_make_every_wish_of_the_text_true(level, seed):
    problem = draw_problem(Random(seed), level)
    people = problem.data["people"]
    for choice in product([False, True], repeat=len(people)):
        party = [name for name, comes in zip(people, choice, strict=True) if comes]
        assert grade(problem, ", ".join(party) or "nobody") == wish_by_wish(problem, party)


@given(st.sampled_from(LEVELS), st.integers(0, 500), st.integers(0, 9))
def test_a_solution_is_right_to_its_end_and_survives_other_words(level, seed, other):
    problem, rng = draw_problem(Random(seed), level), Random(other)
    steps, again = solve(problem, rng), parse(reworded(problem.text, rng))
    assert (again.key, again.truth, again.data) == (problem.key, problem.truth, problem.data)
    for same in (problem, again):
        assert check(same, steps) == [True] * len(steps) and grade(same, "".join(steps))
        lines = review(same, steps)
        assert lines[:-1] == [f"Step {i}: {step.strip().partition(': ')[2]}, right." for i, step in enumerate(steps[:-1], 1)]
        assert lines[-1] == "Answer: every wish is true, right."


@given(st.sampled_from(LEVELS), st.integers(0, 500), st.integers(0, 9))
def test_a_solution_copies_each_wish_and_answers_with_those_it_chose(level, seed, other):
    problem = draw_problem(Random(seed), level)
    *steps, box = solve(problem, Random(other))
    wishes, parts = zip(*(step.strip().split(": ") for step in steps), strict=True)
    assert problem.text[:-1].endswith(f": {', '.join(wishes)}")
    coming = [name for name in problem.data["people"] if name in parts]
    assert box == f"\\boxed{{{', '.join(coming) or 'nobody'}}}" and wish_by_wish(problem, coming)
    for i, (wish, part) in enumerate(zip(wishes, parts, strict=True)):
        again = [known for known in wish.split("/") if known in parts[:i]]
        assert part == again[0] if again else part in wish.split("/")


def opposite(part):
    return part.removeprefix("not ") if part.startswith("not ") else f"not {part}"


@given(st.sampled_from(LEVELS), st.integers(0, 500), st.randoms(use_true_random=False))
def test_any_choices_are_judged_as_the_parties_left_to_them_say(level, seed, rng):
    """The check doubts a choice when no party fits any more, the review when it contradicts one before, and never sooner."""
    problem = draw_problem(Random(seed), level)
    wishes = problem.text[:-1].rpartition(": ")[2].split(", ")
    parts = [rng.choice(wish.split("/")) for wish in wishes]
    mixed = ["/".join(rng.sample(wish.split("/"), wish.count("/") + 1)) for wish in wishes]
    steps = [f"{wish}: {part}" for wish, part in zip(mixed, parts, strict=True)]
    against = [opposite(part) in parts[:i] for i, part in enumerate(parts)]
    parties = [
        [name for name, comes in zip(problem.data["people"], choice, strict=True) if comes]
        for choice in product([False, True], repeat=len(problem.data["people"]))
    ]
    fit = [party for party in parties if wish_by_wish(problem, party)]
    held = [{*party, *(f"not {name}" for name in problem.data["people"] if name not in party)} for party in fit]
    assert check(problem, steps) == [any(party.issuperset(parts[: i + 1]) for party in held) for i in range(len(parts))]
    lines = review(problem, steps)
    if any(against):
        first = against.index(True)
        assert lines[first:] == [f"Step {first + 1}: {opposite(parts[first])} was chosen before, wrong."]
    assert all(line.endswith(", right.") for line in lines[:-1])


def test_solutions_vary():
    boxes = {solve(P, Random(seed))[-1] for seed in range(20)}
    assert boxes == {f"\\boxed{{{party}}}" for party in FITS}


@pytest.mark.parametrize("text", ["Will", "Will, Vera", "Vera,Will", "\\boxed{Vera and Will}", " Will\n", "Vera, and Will"])
def test_any_party_that_fits_is_right(text):
    assert grade(P, text)


@pytest.mark.parametrize(
    "text", ["", "nobody", "Vera", "Will, Ann", "will", "Will.", "not Vera", "Will or Vera", "Will/Vera", "yes"]
)
def test_any_other_is_wrong(text):
    assert not grade(P, text)


def test_nobody_is_an_answer_too():
    problem = parse("Who comes? Wishes: not Al/Bo, not Bo")
    assert problem.truth == "nobody" and grade(problem, "\\boxed{nobody}") and not grade(problem, "")
    assert solve(problem, Random(0)) == ["not Al/Bo: not Al\n\n", "not Bo: not Bo\n\n", "\\boxed{nobody}"]
    assert review(problem, ["\\boxed{Bo}"]) == ["Answer: not Bo is false, wrong."]


@pytest.mark.parametrize(
    ("one", "other"), [("Ann, Cara", "Cara  and Ann"), ("Ann,Cara", "Ann,\nCara"), (" nobody ", "nobody"), ("Cara", "Cara,")]
)
def test_other_spellings_of_one_party_are_one_answer(one, other):
    assert canonical(one) == canonical(other) != canonical("Ann, Ben")


ONE, TWO, THREE, FOUR, FIVE, BOX = solve(P, Random(0))
LINES = [f"Step {i}: {step.strip().partition(': ')[2]}, right." for i, step in enumerate((ONE, TWO, THREE, FOUR, FIVE), 1)]
TRUE, NONE = "Answer: every wish is true, right.", "Answer: none, wrong."


def test_the_steps_are_these():
    assert [ONE, TWO, THREE, FOUR, FIVE, BOX] == [
        "not Ivan/Vera/Will: Vera\n\n",
        "not Vera/not Ivan/Will: not Ivan\n\n",
        "Ivan/not Sam: not Sam\n\n",
        "not Ivan/not Will: not Ivan\n\n",
        "Will/Sam: Will\n\n",
        "\\boxed{Vera, Will}",
    ]


@pytest.mark.parametrize(
    ("steps", "fine", "lines"),
    [
        ([ONE, TWO], [True, True], [*LINES[:2], NONE]),
        (["Will/not Ivan/Vera: Vera"], [True], [LINES[0], NONE]),
        ([ONE, BOX], [True, True], [LINES[0], TRUE]),
        ([ONE, "\\boxed{Will}"], [True, True], [LINES[0], TRUE]),
        ([ONE, "\\boxed{Will, Sam}"], [True, False], [LINES[0], "Answer: Ivan/not Sam is false, wrong."]),
        ([ONE, "\\boxed{Al}"], [True, False], [LINES[0], "Answer: no list of people, wrong."]),
        ([ONE, "not Vera/not Ivan/Will: not Vera", BOX], [True, False, False],
         [LINES[0], "Step 2: Vera was chosen before, wrong."]),
        ([ONE, TWO, "Ivan/not Sam: Ivan"], [True, True, False], [*LINES[:2], "Step 3: not Ivan was chosen before, wrong."]),
        ([ONE, "not Vera/not Ivan/Will: Sam"], [True, False], [LINES[0], "Step 2: Sam is no part of it, wrong."]),
        (["not Ivan/Vera/Will: not Vera"], [False], ["Step 1: not Vera is no part of it, wrong."]),
        (["not Ivan/Vera/Will: Ann"], [False], ["Step 1: Ann is no part of it, wrong."]),
        ([ONE, "not Vera/not Ivan/Will: Will", "Ivan/not Sam: Ivan", "not Ivan/not Will: not Will"], [True, True, False, False],
         [LINES[0], "Step 2: Will, right.", "Step 3: Ivan, right.",
          "Step 4: Will was chosen before, wrong."]),
        ([ONE, THREE], [True, False], [LINES[0], "Step 2: not Vera/not Ivan/Will is next, wrong."]),
        ([ONE, ONE], [True, False], [LINES[0], "Step 2: not Vera/not Ivan/Will is next, wrong."]),
        (["not Ivan/Vera: Vera"], [False], ["Step 1: not Ivan/Vera/Will is next, wrong."]),
        (["not Ivan/Vera/Will/Will: Vera"], [False], ["Step 1: not Ivan/Vera/Will is next, wrong."]),
        (["not Ivan/Vera/Will"], [False], ["Step 1: not Ivan/Vera/Will is next, wrong."]),
        (["not Ivan/Vera/Will: maybe"], [False], ["Step 1: not Ivan/Vera/Will is next, wrong."]),
        (["Let me think.\n\n"], [False], ["Step 1: not Ivan/Vera/Will is next, wrong."]),
        ([ONE, TWO, THREE, FOUR, FIVE, FIVE], [True] * 5 + [False], [*LINES, "Step 6: the answer is next, wrong."]),
        ([BOX, ONE], [True, False], [TRUE]),
        ([], [], [NONE]),
    ],
    ids=str,
)  # fmt: skip
def test_steps_are_worked_out_again_up_to_the_first_mistake(steps, fine, lines):
    """A choice that no party fits is doubted at once; the review finds the choice that contradicts it."""
    assert check(P, steps) == fine and review(P, steps) == lines


def test_a_part_chosen_before_is_chosen_again_the_first_in_the_wish():
    problem = parse("Who comes? Wishes: Al, not Bo, Bo/not Bo/Al, Al/not Bo/Cy")
    parts = ["Al: Al", "not Bo: not Bo", "Bo/not Bo/Al: not Bo", "Al/not Bo/Cy: Al"]
    for seed in range(9):
        assert [step.strip() for step in solve(problem, Random(seed))] == [*parts, "\\boxed{Al}"]


def test_what_a_wish_says_again_is_said_once():
    assert len(parse("Who comes? Wishes: Al/Bo/Cy, Cy/Bo/Al/Di, Di/Al, Cy/Al/Bo").data["wishes"]) == 3


def words(svg):
    """Every piece of text in a picture, what is underlined and what is struck out."""
    root = ElementTree.fromstring(svg)
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    parts = [(node.text, node.get("text-decoration") or "") for node in root.iter("{http://www.w3.org/2000/svg}tspan")]
    return texts, [text for text, how in parts if "underline" in how], [text for text, how in parts if "line-through" in how]


def test_the_picture_underlines_the_parts_that_were_chosen():
    texts, chosen, struck = words(draw(P, []))
    assert texts[:4] == ["Ivan ?", "Sam ?", "Vera ?", "Will ?"] and texts[4] == "·not Ivan or Vera or Will"
    assert not chosen and not struck and "var(--bad" not in draw(P, [])
    texts, chosen, struck = words(draw(P, [ONE, TWO]))
    assert texts[:4] == ["Ivan –", "Sam ?", "Vera ✓", "Will ?"] and [text[0] for text in texts[4:]] == list("✓✓·✓·")
    assert chosen == ["Vera", "not Ivan"] and struck == ["not Vera", "Ivan"]


def test_the_picture_crosses_a_choice_that_contradicts_one_before():
    texts, chosen, struck = words(draw(P, [ONE, "not Vera/not Ivan/Will: not Vera"]))
    assert texts[:4] == ["Ivan ?", "Sam ?", "Vera ✓", "Will ?"] and texts[5] == "✗not Vera or not Ivan or Will"
    assert chosen == ["Vera", "not Vera"] and struck == ["not Vera"]
    assert texts[-1] == "✗Step 2 wrong: Vera was chosen before"
    assert words(draw(P, [TWO]))[0][-1] == "✗Step 1 wrong: not Ivan/Vera/Will is next"


def test_the_picture_of_an_answer_has_every_wish_decided():
    texts, chosen, _ = words(draw(P, [ONE, "\\boxed{Ivan}"]))
    assert texts[0] == "Ivan ✓" and [text[0] for text in texts[4:]] == list("✗✓✓✓✗✗") and chosen == ["Vera"]
    texts, _, struck = words(draw(P, [ONE, "\\boxed{Will}"]))
    assert [text[0] for text in texts[4:]] == ["✓"] * 5 and struck == ["Vera", "Ivan", "not Will", "Sam"]
    texts, chosen, _ = words(draw(P, [ONE, TWO, THREE, FOUR, FIVE, BOX]))
    assert [text[0] for text in texts[4:]] == ["✓"] * 5 and chosen == ["Vera", "not Ivan", "not Sam", "not Ivan", "Will"]


ODD = [ONE, TWO, THREE, FIVE, BOX, "\\boxed{<&>}", ": ", "not Ivan/Vera/Will: <&>", "not Ivan/Vera/Will: " + "9" * 999]


@given(st.lists(st.text() | st.sampled_from(ODD), max_size=5))
def test_no_attempt_breaks_the_picture_the_check_or_the_review(steps):
    words(draw(P, steps))
    fine, lines = check(P, steps), review(P, steps)
    assert len(fine) == len(steps) and fine == sorted(fine, reverse=True)
    assert all(line.endswith((", right.", ", wrong.")) for line in lines) and len(lines) <= len(steps) + 1
