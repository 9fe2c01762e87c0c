"""Maze: golden problems, what is read, moves and dead ends, the drawing."""

import time
import xml.etree.ElementTree as ET
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.tasks import maze, task_named
from tts_explorer.tasks.base import problem_at, split_of
from tts_explorer.tasks.maze import canonical, check, draw, grade, parse, review, reworded, solve

GOLDEN = {
    ("test", 1, 0): ("Walk from G to F through this maze. Enter no room twice.\nA##B#\nCDEF#\nGHIJK = GCDEF"),
    ("train", 1, 3): ("Find a way from E to C. Enter no room twice.\nAB##C\nD#EFG\nHIJ## = EFGC"),
    ("test", 2, 0): ("Find a way from L to C. Enter no room twice.\n#AB#C\n##DEF\nGHIJK\nLMNOP = LGHIDEFC"),
    ("train", 2, 3): (
        "This maze has a path from H to K that enters no room twice. Find one.\n#A#B#\nCDEFG\nH#IJ#\n#KL## = HCDEILK"
    ),
    ("test", 3, 0): (
        "This maze has a path from O to D that enters no room twice. Find one.\nA#BC#\nDEFG#\nHI#JK\n##LMN\n###O# = OMJGFED"
    ),
    ("train", 3, 3): ("Find a way from L to C. Enter no room twice.\nAB#CD\nEFGHI\n#JK##\nLMN##\n##### = LMJFGHC"),
    ("test", 4, 0): (
        "This maze has a path from V to A that enters no room twice. Find one.\n"
        "AB#C#\nD#EF#\nGHIJK\nLMNOP\n##QR#\n##STU\nVWX## = VWXSQNIHGDA"
    ),
    ("test", 5, 0): (
        "Walk from W to S through this maze. Enter no room twice.\n"
        "###AB\n#C#D#\nEFGHI\n###J#\n#KLMN\nOPQ#R\n#S#TU\n####V\n##WXY = WXYVURNMLQPS"
    ),
}


@pytest.mark.parametrize(("place", "text"), GOLDEN.items())
def test_problems_are_fixed_for_ever(place, text):
    problem = problem_at(task_named("maze"), *place)
    assert f"{problem.text} = {problem.truth}" == text


GRID = "AB#C\nD##E\nFGHI\n#J#K\nLM#N"
P = parse(f"Find a way from C to M. Enter no room twice.\n{GRID}")


@pytest.mark.parametrize(
    "text",
    [
        f"How do I get from C to M?\n\n{GRID}\n",
        f"from room C to room M\n{GRID}",
        f"{GRID}\nPlease walk from c to m.",
        "A B # C\nD # # E\nF G H I\n# J # K\nL M # N\nFROM C TO M",
        f'from "C" to "M"!\r\n{GRID}'.replace("\n", "\r\n"),
        "from C to M\n" + GRID.replace("\n", "\n\n"),
        f"```\n{GRID}\n```\nfrom C to M, yes, from C to M",
    ],
)
def test_a_visitor_may_say_it_in_any_words(text):
    problem = parse(text)
    assert problem == P and problem.key == "AB#C/D##E/FGHI/#J#K/LM#N C M" and grade(P, problem.truth)


@pytest.mark.parametrize(
    "text",
    [
        GRID,
        "from C to M",
        f"from C to C\n{GRID}",
        f"from C to Z\n{GRID}",
        f"from Z to C\n{GRID}",
        f"from C to M or from C to L\n{GRID}",
        f"from C to M\n{GRID}\n\n{GRID}",
        f"from C to M\n{GRID}\nhello\n{GRID}",
        "from A to B\nA#\n#B",
        "from A to B\nAB",
        "from A to B\nA\nB",
        "from A to B\nAB\nAC",
        "from A to B\nAB\nC",
        "from a to b\nab\ncd",
        "from A to B\nABCDEFGHIJKLM\n#############",
        "from A to B\nAB" + "\n##" * 12,
        "from A to B\nAB\n##" + " " * 2000,
    ],
)
def test_what_is_no_maze_or_has_no_way_is_not_read(text):
    assert parse(text) is None


def test_the_smallest_and_the_largest_grids_are_read_and_letters_may_come_in_any_order():
    assert parse("from B to A\nB#\nXA").truth == "BXA"
    assert parse("from A to L\nABCDEFGHIJKL" + "\n############" * 11).truth == "ABCDEFGHIJKL"


def test_a_wording_it_knows_is_kept_and_the_split_does_not_depend_on_it():
    forms = ["\n".join([wording.format(start="C", goal="M"), GRID]) for wording in maze.WORDINGS]
    assert [parse(form).text for form in forms] == forms
    assert len({split_of("maze", parse(form).key) for form in forms}) == 1
    assert {reworded(forms[0], Random(seed)) for seed in range(20)} == set(forms)
    assert reworded("hello", Random(0)) == "hello"


LEVELS = {1: (5, 3, 3), 2: (5, 4, 4), 3: (5, 5, 6), 4: (5, 7, 8), 5: (5, 9, 10)}


@pytest.mark.parametrize(("level", "size"), LEVELS.items())
def test_problems_are_plentiful_drawn_fast_and_of_their_level(level, size):
    rng, (width, height, least) = Random(level), size
    began = time.process_time()
    some = [maze.draw_problem(rng, level) for _ in range(1000)]
    assert time.process_time() - began < 3
    assert len({problem.key for problem in some}) > (900 if level == 1 else 980)
    for problem in some:
        _, *rows = problem.text.splitlines()
        letters = "".join(rows).replace("#", "")
        assert len(rows) == height and {len(row) for row in rows} == {width}
        assert letters == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(letters)]
        assert len(problem.truth) > least and len(problem.text) < 140
        assert len(maze._distances(maze._doors(tuple(rows)), "A")) == len(letters)


def test_a_solution_is_any_of_the_shortest():
    problem = parse("from A to D\nAB\nCD")
    assert {tuple(solve(problem, Random(seed))) for seed in range(20)} == {
        ("right to B\n\n", "down to D\n\n", "\\boxed{ABD}"),
        ("down to C\n\n", "right to D\n\n", "\\boxed{ACD}"),
    }


@pytest.mark.parametrize("text", ["CEIHGJM", "C-E-I-H-G-J-M", "c e i h g j m", "\\boxed{C, E, I, H, G, J, M}", "C→E→I->H>GJM\n"])
def test_any_spelling_of_a_way_is_right(text):
    assert grade(P, text)


@pytest.mark.parametrize(
    "text",
    [
        "CEIHGJ", "EIHGJM", "CEIHGM", "CEIHGJMJM", "CEIHGJML", "CBAFGJM", "CEIKNM", "C", "M", "", "CC", "CEI HGJM.",
        "CEIHGJM + 1", "ZEIHGJM", "CEIHGFGJM", "C#M", "the way is CEIHGJM", "ⒸEIHGJM", "\\boxed{CEIHGJM",
    ],
)  # fmt: skip
def test_any_wrong_answer_is_wrong(text):
    assert not grade(P, text)


def test_a_way_need_not_be_the_shortest():
    problem = parse("from A to B\nAB\nCD")
    assert grade(problem, "AB") and grade(problem, "ACDB")
    assert check(problem, ["down to C\n\n", "right to D\n\n", "up to B\n\n", "\\boxed{ACDB}"]) == [True] * 4


@pytest.mark.parametrize(("one", "other"), [("C - e,I", "CEI"), (" 4 + \n 3", "4 + 3"), ("ceI", "CEI"), ("", "")])
def test_an_answer_has_one_spelling(one, other):
    assert canonical(one) == other


WAY = ["down to E\n\n", "down to I\n\n", "left to H\n\n", "left to G\n\n", "down to J\n\n", "down to M\n\n", "\\boxed{CEIHGJM}"]
LINES = [
    "Step 1: down of C is E, right.",
    "Step 2: down of E is I, right.",
    "Step 3: left of I is H, right.",
    "Step 4: left of H is G, right.",
    "Step 5: down of G is J, right.",
    "Step 6: down of J is M, right.",
]

CASES = [
    (0, "left to B", "left of C is a wall"),
    (0, "up to C", "up of C is a wall"),
    (0, "right to D", "right of C is a wall"),
    (0, "down to I", "down of C is E"),
    (0, "down to e", "no move"),
    (0, "down to E.", "no move"),
    (0, "Let me think.\n\n", "no move"),
    (0, "", "no move"),
    (1, "up to C", "C was entered before"),
    (2, "down to K", "dead end"),
    (3, "right to I", "I was entered before"),
    (3, "left to F", "left of H is G"),
    (4, "left to F", "dead end"),
    (5, "up to G", "G was entered before"),
    (6, "left to L", "M is the end"),
    (6, "right to N", "M is the end"),
]


@pytest.mark.parametrize(("done", "step", "said"), CASES)
def test_a_wrong_move_is_found_and_said(done, step, said):
    steps = [*WAY[:done], step, *WAY[done:]]
    assert check(P, steps) == [True] * done + [False] * (len(steps) - done)
    assert review(P, steps) == [*LINES[:done], f"Step {done + 1}: {said}, wrong."]


@pytest.mark.parametrize(
    ("steps", "lines"),
    [
        (WAY, [*LINES, "Answer: a way from C to M, right."]),
        (WAY[6:], ["Answer: a way from C to M, right."]),
        ([*WAY[:2], WAY[6], "up to C"], [*LINES[:2], "Answer: a way from C to M, right."]),
        (WAY[:6], [*LINES, "Answer: none, wrong."]),
        ([], ["Answer: none, wrong."]),
        (["\\boxed{CEIGJM}"], ["Answer: G is not next to I, wrong."]),
        (["\\boxed{CEZ}"], ["Answer: Z is not next to E, wrong."]),
        (["\\boxed{EIHGJM}"], ["Answer: E is not the start, wrong."]),
        (["\\boxed{CEIHGJ}"], ["Answer: J is not the end, wrong."]),
        (["\\boxed{CEIHGJMJ}"], ["Answer: J was entered before, wrong."]),
        (["\\boxed{46}"], ["Answer: no path, wrong."]),
    ],
)
def test_a_review_ends_with_the_answer(steps, lines):
    assert review(P, steps) == lines
    assert check(P, steps)[: len(lines)] == [line.endswith(", right.") for line in lines][: len(steps)]


@st.composite
def mazes(draw_from):
    """A grid of at most 4x4 with a way, and a walk in it that enters no room twice and stops somewhere."""
    width, height = draw_from(st.integers(2, 4)), draw_from(st.integers(2, 4))
    open_cells = draw_from(st.lists(st.booleans(), min_size=width * height, max_size=width * height))
    letters = iter("QWERTYUIOPASDFGHJK")
    cells = [next(letters) if free else "#" for free in open_cells]
    rooms = [cell for cell in cells if cell != "#"] or ["Q"]
    start, goal = draw_from(st.sampled_from(rooms)), draw_from(st.sampled_from(rooms))
    rows = ["".join(cells[y * width : (y + 1) * width]) for y in range(height)]
    return "\n".join([f"from {start} to {goal}", *rows]), start, goal, rows


def ways(rows, way, goal):
    """Every way that begins with `way` and ends at the goal, the slow way."""
    if way[-1] == goal:
        return [way]
    y, x = next((y, row.index(way[-1])) for y, row in enumerate(rows) if way[-1] in row)
    near = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    cells = [rows[b][a] for b, a in near if 0 <= b < len(rows) and 0 <= a < len(rows[0])]
    return [longer for cell in cells if cell not in f"{way}#" for longer in ways(rows, way + cell, goal)]


@given(mazes(), st.lists(st.sampled_from(["up", "down", "left", "right"]), max_size=8))
def test_check_agrees_with_trying_every_way(drawn, sides):
    text, start, goal, rows = drawn
    problem = parse(text)
    assert (problem is None) == (start == goal or not ways(rows, start, goal))
    if problem is None:
        return
    assert len(problem.truth) == min(map(len, ways(rows, start, goal)))
    assert all(grade(problem, way) for way in ways(rows, start, goal))
    doors, way, steps, due = maze._doors(tuple(rows)), start, [], []
    for side in sides:
        room = doors[way[-1]].get(side, "A")
        steps.append(f"{side} to {room}\n\n")
        way += room
        due.append(room in doors and len(set(way)) == len(way) and goal not in way[:-1] and bool(ways(rows, way, goal)))
        if not due[-1]:
            break
    assert check(problem, steps) == due


@given(st.sampled_from([1, 2, 3, 4, 5]), st.integers(0, 30), st.integers(0, 9))
def test_a_right_solution_is_reviewed_right_to_its_end(level, index, seed):
    problem = problem_at(task_named("maze"), "train", level, index)
    steps = solve(problem, Random(seed))
    lines = review(problem, steps)
    assert len(lines) == len(steps) and all(line.endswith(", right.") for line in lines)
    assert "var(--bad" not in draw(problem, steps)


SVG = "{http://www.w3.org/2000/svg}"


def drawn(steps, problem=P):
    """The drawing as XML, and its accent lines, each as a number of points."""
    picture = ET.fromstring(draw(problem, steps))
    assert picture.tag == f"{SVG}svg" and picture.get("role") == "img" and picture.get("aria-label")
    return picture, [len(line.get("points").split()) for line in picture.iter(f"{SVG}polyline")]


def test_a_drawing_shows_the_rooms_the_way_and_the_answer():
    picture, lines = drawn([])
    assert lines == [1, 0] and "--bad" not in ET.tostring(picture, "unicode")
    assert [text.text for text in picture.iter(f"{SVG}text")] == [*GRID.replace("#", "").replace("\n", ""), "A way from C to M"]
    assert len(list(picture.iter(f"{SVG}circle"))) == 1
    assert drawn(WAY[:4])[1] == [5, 0] and drawn(WAY)[1] == [7, 7]
    assert drawn(["\\boxed{CEIG}"])[1] == [1, 3]


@pytest.mark.parametrize(
    "steps", [[*WAY[:done], step, "up to A"] for done, step, _ in CASES] + [["\\boxed{CEB}"], ["\\boxed{E}"]]
)
def test_a_drawing_marks_the_first_mistake_with_a_dashed_line_and_a_cross(steps):
    picture, _ = drawn(steps)
    dashed, cross = (path for path in picture.iter(f"{SVG}path") if "--bad" in path.get("stroke", ""))
    assert dashed.get("stroke-dasharray") and cross.get("d").count("m") == 1 and not cross.get("stroke-dasharray")
    assert list(picture.iter(f"{SVG}text"))[-1].text == review(P, steps)[-1]
    assert review(P, steps)[-1] in picture.get("aria-label")


@given(st.lists(st.text() | st.sampled_from([*WAY, "\\boxed{<&>}", "\\boxed{9}", "up to Z", "down to \ud800", "left to B"])))
def test_no_steps_break_the_drawing_or_the_review(steps):
    drawn(steps)
    lines = review(P, steps)
    assert all(line.endswith((", right.", ", wrong.")) for line in lines) and len(check(P, steps)) == len(steps)


def test_a_drawing_of_any_size_has_room_for_its_letters():
    for rows in ("AB\nCD", "ABCDEFGHIJKL" + "\n############" * 11, "AB" + "\n##" * 11, "AB##########\n############"):
        picture, _ = drawn([], parse(f"from A to B\n{rows}"))
        assert picture.get("viewBox").startswith("0 0 320 ") and int(picture.get("viewBox").split()[3]) <= 342
        assert min(int(text.get("font-size")) for text in picture.iter(f"{SVG}text")) >= 11
