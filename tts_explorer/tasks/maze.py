r"""Maze: a way through a grid whose open rooms carry letters and whose walls are `#`.

One real example (level 2)::

    Find a way from L to C. Enter no room twice.
    #AB#C
    ##DEF
    GHIJK
    LMNOP

    right to M

    …
    \boxed{LMNIJKFC}

The answer is the rooms of the way in order, right if it begins at the start, ends at the goal, each room is next to the one
before and none comes twice; it need not be the shortest. A step is right if that room lies there, is new, and the goal can still
be reached through new rooms. Problem and solution take 74, 86, 102, 128 and 151 tokens on average at levels 1 to 5.
"""

from __future__ import annotations

import html
import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby, pairwise
from string import ascii_uppercase

from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "maze"
TITLE = "Maze: find a way through a grid"
ORACLE = False
RULES = {1: (5, 3, 7, 3, 0), 2: (5, 4, 9, 4, 1), 3: (5, 5, 13, 6, 1), 4: (5, 7, 18, 8, 2), 5: (5, 9, 22, 10, 3)}
"""level: (width, height, fewest rooms, fewest moves, fewest forks on a shortest way). One width: below is always as far away."""

WORDINGS = (
    "Find a way from {start} to {goal}. Enter no room twice.",
    "Walk from {start} to {goal} through this maze. Enter no room twice.",
    "This maze has a path from {start} to {goal} that enters no room twice. Find one.",
)
SIDES = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}

Rows = tuple[str, ...]
Doors = Mapping[str, Mapping[str, str]]
"""room: {direction: the room next to it there}."""


def draw_problem(rng: random.Random, level: int) -> Problem:
    """Draw walls at random, then a start and a goal that are far apart, until there are enough rooms, moves and forks."""
    width, height, fewest, least, forks = RULES[level]
    while True:
        rows = _random_rows(rng, width, height)
        doors = _doors(rows)
        if len(doors) < fewest:
            continue
        distances = _distances(doors, rng.choice(list(doors)))
        far = max(distances, key=distances.__getitem__)
        distances = _distances(doors, far)
        start, goal = rng.sample([far, rng.choice([room for room in doors if distances[room] >= least] or [far])], 2)
        way, distances = _shortest(doors, start, goal), _distances(doors, goal)
        turns = [r for r in way[:-1] if any(distances[n] > distances[r] and n not in way for n in doors[r].values())]
        if start != goal and len(turns) >= forks:
            return _problem(rows, start, goal, rng.choice(WORDINGS))


def _random_rows(rng: random.Random, width: int, height: int) -> Rows:
    """A grid with 42% walls at random, of which one room and the nearest 25 that can be reached from it stay rooms."""
    beyond = width + 1  # cells are numbered row by row, with one wall after each row
    free = [y * beyond + x for y in range(height) for x in range(width) if rng.random() >= 0.42]
    found = [rng.choice(free)] if free else []
    waiting = set(free) - set(found)
    for cell in found:
        for other in (cell - beyond, cell - 1, cell + 1, cell + beyond):
            if other in waiting and len(found) < len(ascii_uppercase):
                waiting.remove(other)
                found.append(other)
    letters = dict(zip(sorted(found), ascii_uppercase, strict=False))
    return tuple("".join(letters.get(y * beyond + x, "#") for x in range(width)) for y in range(height))


def _problem(rows: Rows, start: str, goal: str, wording: str) -> Problem:
    text = "\n".join([wording.format(start=start, goal=goal), *rows])
    truth = _shortest(_doors(rows), start, goal)
    return Problem(NAME, text, truth, f"{'/'.join(rows)} {start} {goal}", {"rows": rows, "start": start, "goal": goal})


def _places(rows: Rows) -> dict[str, tuple[int, int]]:
    """room: (column, row)."""
    return {cell: (x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell != "#"}


@lru_cache(maxsize=256)
def _doors(rows: Rows) -> Doors:
    """Which rooms are next to which."""
    places = _places(rows)
    room_at = {place: room for room, place in places.items()}
    near = {room: {side: room_at.get((x + dx, y + dy)) for side, (dx, dy) in SIDES.items()} for room, (x, y) in places.items()}
    return {room: {side: other for side, other in beside.items() if other} for room, beside in near.items()}


def _distances(doors: Doors, room: str, closed: str = "") -> dict[str, int]:
    """Moves from `room` to every room that can be reached without entering a `closed` one."""
    moves, queue = {room: 0}, [room]
    for here in queue:
        for there in doors[here].values():
            if there not in moves and there not in closed:
                moves[there] = moves[here] + 1
                queue.append(there)
    return moves


def _shortest(doors: Doors, start: str, goal: str, rng: random.Random | None = None) -> str:
    """The rooms of a shortest way: the first one, or with `rng` any."""
    moves, way = _distances(doors, goal), start
    while way[-1] != goal:
        nearer = [room for room in doors[way[-1]].values() if moves[room] < moves[way[-1]]]
        way += rng.choice(nearer) if rng else nearer[0]
    return way


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """A shortest way, at random where there are several: one move a step, then its rooms in a box."""
    doors = _doors(problem.data["rows"])
    way = _shortest(doors, problem.data["start"], problem.data["goal"], rng)
    sides = [next(side for side, room in doors[a].items() if room == b) for a, b in pairwise(way)]
    steps = [f"{side} to {room}{DELIMITER}" for side, room in zip(sides, way[1:], strict=True)]
    return [*steps, f"\\boxed{{{way}}}"]


ASKS = re.compile(r"\bfrom\W{1,4}(?:room\W{1,4})?([A-Z])\W{1,4}to\W{1,4}(?:room\W{1,4})?([A-Z])\b", re.IGNORECASE | re.ASCII)
ROW = re.compile("[A-Z#]{2,12}")


def parse(text: str) -> Problem | None:
    r"""Read a grid of 2x2 to 12x12 with capital letters and `#`, spaces in its rows or not, and the words "from X to Y".

    None if a letter comes twice, or if there is no way.

    >>> parse("How do I get from room A to room D?\nA B\n# D").key
    'AB/#D A D'
    """
    asked = {(start.upper(), goal.upper()) for start, goal in ASKS.findall(text)} if len(text) <= 2000 else set()
    lines = [line for part in text.splitlines() if (line := re.sub(r"[ \t]", "", part))] if asked else []
    blocks = [tuple(block) for _, block in groupby(lines, lambda line: len(line) if ROW.fullmatch(line) else 0)]
    grids = [block for block in blocks if ROW.fullmatch(block[0]) and 2 <= len(block) <= 12]
    if len(asked) != 1 or len(grids) != 1:
        return None
    rows, (start, goal) = grids[0], asked.pop()
    rooms = "".join(rows).replace("#", "")
    if len(set(rooms)) < len(rooms) or start == goal or start not in rooms or goal not in _distances(_doors(rows), start):
        return None
    worded = (made for wording in WORDINGS if (made := _problem(rows, start, goal, wording)).text == text.strip())
    return next(worded, _problem(rows, start, goal, WORDINGS[0]))


def reworded(text: str, rng: random.Random) -> str:
    """The same maze in another of the wordings."""
    problem = parse(text)
    return text if problem is None else _problem(**problem.data, wording=rng.choice(WORDINGS)).text


def answer(text: str) -> str | None:
    """The boxed rooms."""
    return boxed(text)


def canonical(answer: str) -> str:
    """The letters alone, in upper case; else the text itself.

    >>> canonical("c - e, I")
    'CEI'
    """
    if re.fullmatch(r"[A-Za-z](?:[\s,>→-]*[A-Za-z])*", answer.strip()):
        return re.sub("[^A-Z]", "", answer.upper())
    return " ".join(answer.split())


def grade(problem: Problem, text: str) -> bool:
    """Right if the rooms are a way from the start to the goal that enters none twice, of any length.

    >>> grade(parse("from A to D\\nAB\\nCD"), r"\\boxed{A-B-D}")
    True
    """
    return not _followed(problem, text)[1]


def _followed(problem: Problem, text: str) -> tuple[str, str]:
    """The rooms of an answer up to its first mistake, and the mistake in words, empty if there is none."""
    said = canonical(answer(text) or text)
    doors, start, goal = _doors(problem.data["rows"]), problem.data["start"], problem.data["goal"]
    if not re.fullmatch("[A-Z]+", said):
        return "", "no path"
    if said[0] != start:
        return "", f"{said[0]} is not the start"
    for place, (here, there) in enumerate(pairwise(said), start=1):
        if there not in doors[here].values():
            return said[:place], f"{there} is not next to {here}"
        if there in said[:place]:
            return said[:place], f"{there} was entered before"
    return said, "" if said[-1] == goal else f"{said[-1]} is not the end"


LINE = re.compile(r"(up|down|left|right) to ([A-Z])")


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """Valid so far and the goal still within reach, for each step; the boxed line is right or wrong as an answer."""
    way, fine, verdicts = problem.data["start"], True, []
    for step in steps:
        if boxed(step) is not None:
            fine = fine and grade(problem, step)
        elif fine:
            way, _, fine = _moved(problem, way, step)
        verdicts.append(fine)
    return verdicts


def _moved(problem: Problem, way: str, step: str) -> tuple[str, str, bool]:
    """The way after `step`, what is true of the step in words, and whether it is right. A wrong one leaves the way as it is."""
    found, doors, goal = LINE.fullmatch(step.strip()), _doors(problem.data["rows"]), problem.data["goal"]
    if found is None:
        return way, "no move", False
    if way[-1] == goal:
        return way, f"{goal} is the end", False
    side, said, room = found[1], found[2], doors[way[-1]].get(found[1])
    if room is None:
        return way, f"{side} of {way[-1]} is a wall", False
    if room == said and room in way:
        return way, f"{room} was entered before", False
    if room == said and goal not in _distances(doors, room, closed=way):
        return way, "dead end", False
    return (way + room if room == said else way), f"{side} of {way[-1]} is {room}", room == said


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """Each move looked up in the grid again, then the answer: `Step 2: down of B is D, right.`

    >>> review(parse("from A to D\\nAB\\nCD"), ["right to B", "right to D", "\\\\boxed{ABD}"])
    ['Step 1: right of A is B, right.', 'Step 2: right of B is a wall, wrong.']
    """
    lines = _attempt(problem, steps)[0]
    ended = lines and (lines[-1].startswith("Answer") or lines[-1].endswith(WRONG))
    return lines if ended else [*lines, f"Answer: none{WRONG}"]


def _attempt(problem: Problem, steps: Sequence[str]) -> tuple[list[str], str, str, str | None]:
    """Until the first mistake: the lines of `review`, rooms walked, rooms boxed, what the mistake aims at (room, side or "")."""
    way, lines, doors = problem.data["start"], [], _doors(problem.data["rows"])
    for place, step in enumerate(steps, start=1):
        if boxed(step) is not None:
            rooms, mistake = _followed(problem, step)
            right = "a way from {start} to {goal}".format(**problem.data)
            aim = canonical(boxed(step) or "")[len(rooms) :][:1] if mistake else None
            return [*lines, f"Answer: {mistake}{WRONG}" if mistake else f"Answer: {right}{RIGHT}"], way, rooms, aim
        way, said, fine = _moved(problem, way, step)
        lines.append(f"Step {place}: {said}{RIGHT if fine else WRONG}")
        if not fine:
            found = LINE.fullmatch(step.strip())
            return lines, way, "", found[1 + (found[2] in doors and found[1] in doors[way[-1]])] if found else ""
    return lines, way, "", None


def draw(problem: Problem, steps: Sequence[str]) -> str:
    """Walls filled, a ring at the start, a flag at the goal; the way (broad), the answer (dots), a cross at the first mistake."""
    rows, (lines, way, rooms, aim) = problem.data["rows"], _attempt(problem, steps)
    half = 152 // max(len(rows), len(rows[0]), 5)
    cell, left, low, size = 2 * half, 160 - half * len(rows[0]), 8 + 2 * half * len(rows), max(11, half * 4 // 5)
    spots = {room: (left + cell * x + half, 8 + cell * y + half) for room, (x, y) in _places(rows).items()}
    walls = [(left + cell * x, 8 + cell * y) for y, row in enumerate(rows) for x, room in enumerate(row) if room == "#"]
    (x, y), (to_x, to_y) = spots[problem.data["start"]], spots[problem.data["goal"]]
    pole = half // 2
    accent, bad = (f'fill="none" stroke-linecap="round" stroke="var({c})"' for c in ("--accent, #2563eb", "--bad, #b91c1c"))
    way_line, answer_line = (" ".join(f"{x},{y}" for x, y in map(spots.__getitem__, some)) for some in (way, rooms))
    parts = [
        f'<path d="{"".join(f"M{x} {y}h{cell}v{cell}h-{cell}z" for x, y in walls)}" fill-opacity="0.25"/>',
        f'<path d="M{left} 8h{cell * len(rows[0])}V{low}H{left}z" fill="none" stroke="currentColor"/>',
        f'<polyline points="{way_line}" {accent} stroke-linejoin="round" stroke-width="{pole}" stroke-opacity="0.4"/>',
        f'<polyline points="{answer_line}" {accent} stroke-width="3" stroke-dasharray="1 6"/>',
        f'<circle cx="{x}" cy="{y}" r="{half * 4 // 5}" fill="none" stroke="currentColor" stroke-width="2"/>',
        f'<path d="M{to_x + pole} {to_y}v-{2 * pole - 2}l{pole - 2} {pole // 2}l-{pole - 2} {pole // 2}" stroke="currentColor"/>',
        *(f'<text x="{x}" y="{y}" dy="0.35em" font-size="{size}">{room}</text>' for room, (x, y) in spots.items()),
    ]
    if aim is not None:
        (x, y), (dx, dy) = spots[(rooms or way)[-1]], SIDES.get(aim, (0, 0))
        to_x, to_y = spots.get(aim, (x + half * dx, y + half * dy))
        parts.append(f'<path d="M{x} {y}L{to_x} {to_y}" {bad} stroke-width="2" stroke-dasharray="4"/>')
        arm = 7 if aim in SIDES else half * 3 // 5
        cross = f"M{to_x - arm} {to_y - arm}l{2 * arm} {2 * arm}m0 -{2 * arm}l-{2 * arm} {2 * arm}"
        parts.append(f'<path d="{cross}" {bad} stroke-width="2.5"/>')
    task = "from {start} to {goal}".format(**problem.data)
    said = html.escape(lines[-1] if lines else f"A way {task}")
    parts.append(f'<text x="160" y="{low + 20}" font-size="13">{said}</text>')
    shape = f'viewBox="0 0 320 {low + 30}" role="img" aria-label="Maze {task}, way {way}. {said}" font-family="system-ui"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {shape} text-anchor="middle" fill="currentColor">{"".join(parts)}</svg>'
