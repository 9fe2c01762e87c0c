r"""Map: where one person is from another, told in facts about pairs, in any order and in both directions.

One real example (level 2)::

    Pia is 8 east of Hana. Eva is 2 east of Max. Eva is 2 north of Hana. Vera is 4 north of Max. Where is Pia relative to Max?

    Max to Eva: 2 east, now 2 east

    Eva to Hana: 2 south, now 2 south 2 east

    Hana to Pia: 8 east, now 2 south 10 east

    \boxed{2 south 10 east}

The answer is a displacement; it is right if the person is there, in any spelling ("3 west, 5 north", "5N 3W"). A step goes
along one fact, from someone placed (at first the person of reference) to someone new, and says where that one now is as seen
from the person of reference; it may leave the way to the person asked for. The prompt has 26, 43, 61, 97 and 108 tokens on
average at levels 1 to 5, the solution 38, 55, 73, 105 and 146, a review of it 56, 81, 107, 147 and 204.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape

from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "spatial"
TITLE = "Map: where is one person from another"
ORACLE = False
RULES = {1: (2, 0, 0.0), 2: (3, 1, 0.0), 3: (4, 2, 0.0), 4: (5, 3, 0.5), 5: (7, 2, 0.5)}
"""level: (facts between the two people, people who only distract, share of facts with two directions)."""
answer = boxed  # the answer is the boxed place

PEOPLE = "Ann Ben Cara Dan Eva Finn Gus Hana Ivan Jill Kai Lena Max Mia Noah Olga Pia Raj Sam Tess Uma Vera Will Zoe".split()
QUESTIONS = ("Where is {who} from {base}?", "Where is {who} relative to {base}?", "From {base}, where is {who}?")
FARTHEST, MAX_DISTANCE, MAX_PEOPLE = 30, 999, 24
"""From the person of reference in a drawn problem; in a visitor's fact; in a visitor's problem."""

Place = tuple[int, int]
"""(steps north, steps east); south and west are negative."""
Fact = tuple[str, Place, str]
"""(person, place, seen from this person)."""
Map = tuple[str, str, dict[str, Place], dict[str, dict[str, Place]]]
"""A problem's data: whom it is seen from, who is asked for, everyone's place (nearest in facts first), everyone's ways."""


def draw_problem(rng: random.Random, level: int) -> Problem:
    """Draw a way from the first person to the last, hang the others on it, and turn half of the facts on the way round."""
    links, others, double = RULES[level]
    people = rng.sample(PEOPLE, links + 1 + others)
    turned = rng.sample(range(1, links + 1), (links + rng.randrange(2)) // 2)
    places, facts = {people[0]: (0, 0)}, list[Fact]()
    while (i := len(places)) < len(people):
        near, far = people[i - 1] if i <= links else rng.choice(people[:i]), people[i]
        north, east = (rng.randint(1, 9) * rng.choice((1, -1)) for _ in range(2))
        if rng.random() >= double:
            north, east = (north, 0) if rng.random() < 0.5 else (0, east)
        place = (places[near][0] + north, places[near][1] + east)
        if place not in places.values() and max(map(abs, place)) <= FARTHEST:
            places[far] = place
            back = i in turned if i <= links else rng.random() < 0.5
            facts.append((near, (-north, -east), far) if back else (far, (north, east), near))
    rng.shuffle(facts)
    problem = _problem(facts, people[0], people[links], rng.choice(QUESTIONS))
    assert problem is not None, facts
    return problem


def _problem(facts: Sequence[Fact], base: str, who: str, question: str) -> Problem | None:
    """The problem, its key without names, order and direction; None if facts contradict or leave someone without a place."""
    links: dict[str, list[tuple[str, int, int]]] = {base: []}
    for a, (north, east), b in facts:
        links.setdefault(a, []).append((b, -north, -east))
        links.setdefault(b, []).append((a, north, east))
    places, queue = {base: (0, 0)}, [base]
    for near in queue:
        for far, north, east in links[near]:
            place = (places[near][0] + north, places[near][1] + east)
            if places.setdefault(far, place) != place:
                return None
            queue += [far] * (len(places) > len(queue))
    if len(places) < len(links) or who == base or who not in places:
        return None
    told = [f"{a} is {_words(place, ' and ')} of {b}." for a, place, b in facts]
    pairs = sorted({(*min(ends), *max(ends)) for a, _, b in facts if (ends := (places[a], places[b]))})
    key = "; ".join(" ".join(map(str, numbers)) for numbers in [*pairs, places[who]])
    data: Map = base, who, places, {near: {far: (north, east) for far, north, east in ways} for near, ways in links.items()}
    return Problem(NAME, " ".join([*told, question.format(who=who, base=base)]), _words(places[who]), key, data)


def _words(place: Place, between: str = " ") -> str:
    """A place in words, "5 north 3 west" or "2 east" or "here"."""
    named = zip(place, (("north", "south"), ("east", "west")), strict=True)
    return between.join(f"{abs(far)} {ways[far < 0]}" for far, ways in named if far) or "here"


PERSON = r"(?<![\w-])[A-ZÀ-ÖØ-Þ]\w{0,19}(?:-\w{1,19})?(?![\w-])"
UNIT = r"(?:(?:km|miles?|m|steps?|blocks?|paces?|feet|yards?|met(?:er|re)s?) ?)?"
PART = rf"([0-9]{{1,6}}) ?{UNIT}(?:to the )?(north|south|east|west|[nsew])(?![a-z])"
PLACE = rf"{PART}(?:(?:,? and |, ?| )?{PART})?"
ONE_PART, WHOLE_PLACE = re.compile(PART), re.compile(PLACE)
STEP = re.compile(rf"({PERSON}) to ({PERSON}): (.{{1,99}}), now (.{{1,99}})")
FACT = re.compile(rf"(?P<a>{PERSON}) (?:is|stands|sits|lives|works) (?P<place>(?i:{PLACE})) (?:of|from) (?P<b>{PERSON})")
WHO, BASE = re.compile(rf"\b(?i:where) [a-z]+ ({PERSON})"), re.compile(rf"\b(?i:from|of|to|with) ({PERSON})")
UNREAD = re.compile(r"\b(\d|north|south|east|west)", re.IGNORECASE)


def _place(text: str) -> Place | None:
    """Read a place in any spelling, each direction named at most once.

    >>> _place("3 west, 5 north"), _place("5N 3W"), _place("2 steps to the east"), _place("5 north 3 south")
    ((5, -3), (5, -3), (0, 2), None)
    """
    plain = " ".join(text.split()).rstrip(".").lower() if len(text) <= 100 else ""
    if plain == "here":
        return 0, 0
    parts = ONE_PART.findall(plain) if WHOLE_PLACE.fullmatch(plain) else []
    axes = {way[0] in "ew": int(far) if way[0] in "ne" else -int(far) for far, way in parts}
    return (axes.get(False, 0), axes.get(True, 0)) if parts and len(axes) == len(parts) else None


def parse(text: str) -> Problem | None:
    """Read facts like "Ben is 2 north of Ann" and a question like "Where is Eva from Ann?", the facts in their order.

    None if a number or a direction is left over, if facts contradict each other, if someone is linked to nobody.

    >>> parse("Bo is 2 km north of Al. Cy stands 3 km to the east of Bo. Seen from Al, where is Cy?").truth
    '2 north 3 east'
    """
    read = _read(text)
    made = [problem for question in QUESTIONS if read and (problem := _problem(*read, question))]
    return next((problem for problem in made if problem.text == text.strip()), made[0] if made else None)


def _read(text: str) -> tuple[list[Fact], str, str] | None:
    """The facts, the person of reference and the person asked for."""
    plain = " ".join(text.split()) if len(text) <= 2000 else ""
    told = [(fact["a"], _place(fact["place"]), fact["b"]) for fact in FACT.finditer(plain)]
    facts = [(a, place, b) for a, place, b in told if place and 0 < max(map(abs, place)) <= MAX_DISTANCE]
    rest = FACT.sub(" ", plain)
    who, base, people = WHO.findall(rest), BASE.findall(rest), {person for a, _, b in facts for person in (a, b)}
    fits = len(told) == len(facts) and len(people) <= MAX_PEOPLE and len(who) == len(base) == 1 and not UNREAD.search(rest)
    return (facts, base[0], who[0]) if facts and fits else None


def reworded(text: str, rng: random.Random) -> str:
    """The same problem with its facts in another order and in another of the questions."""
    read = _read(text)
    problem = read and _problem(rng.sample(read[0], len(read[0])), read[1], read[2], rng.choice(QUESTIONS))
    return problem.text if problem else text


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """The way along the facts from the person of reference to the person asked for, then the boxed place."""
    base, who, places, ways = problem.data
    way = [who]
    while way[-1] != base:
        way.append(next(person for person in places if person in ways[way[-1]]))  # places are in order of facts from base
    steps = [_step(problem.data, *ends) + DELIMITER for ends in zip(way[:0:-1], way[-2::-1], strict=True)]
    return [*steps, f"\\boxed{{{problem.truth}}}"]


def _step(data: Map, near: str, far: str) -> str:
    """The step from someone placed to someone whom a fact links with them."""
    _, _, places, ways = data
    return f"{near} to {far}: {_words(ways[near][far])}, now {_words(places[far])}"


def canonical(answer: str) -> str:
    """The place in the steps' own words, so "5 north 3 west" for "3W and 5N"; else the text itself."""
    return " ".join(answer.split()) if (place := _place(answer)) is None else _words(place)


def grade(problem: Problem, text: str) -> bool:
    """Right if it is the place of the person asked for."""
    _, who, places, _ = problem.data
    return _place(answer(text) or text) == places[who]


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """Right if all before are, and it goes by a fact from someone placed to someone new, who is there, or is boxed rightly."""
    fine = True
    return [fine := fine and right for _, _, _, right in _judged(problem, steps)]


def _judged(problem: Problem, steps: Sequence[str]) -> Iterator[tuple[str, Place | None, str, bool]]:
    """For each step: the person it places, where it says they are, what is true instead or too, whether it is right."""
    base, who, places, ways = problem.data
    placed = {base}
    for step in steps:
        if (box := boxed(step)) is not None:
            yield who, _place(box), problem.truth, grade(problem, step)
            continue
        near, far, *said = found.groups() if (found := STEP.fullmatch(step.strip())) else [""] * 4
        way, place = map(_place, said)
        faults = {"no step": None in (way, place), f"{near} is not placed": near not in placed, f"{far} is placed": far in placed}
        faults[f"no fact links {near} and {far}"] = far not in ways.get(near, ())
        truth = next((fault for fault, holds in faults.items() if holds), "") or _step(problem.data, near, far)
        right = not any(faults.values()) and (way, place) == (ways[near][far], places[far])
        placed |= {far} if right else set()
        yield far, place, truth, right


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """Each step worked out again, then the answer.

    >>> review(parse("Al is 2 south of Bo. Where is Bo from Al?"), ["Al to Bo: 2 north, now 2 north", "\\\\boxed{2 south}"])
    ['Step 1: Al to Bo: 2 north, now 2 north, right.', 'Answer: 2 north, wrong.']
    """
    lines = list[str]()
    for step, (_, _, truth, right) in zip(steps, _judged(problem, steps), strict=True):
        last = boxed(step) is not None
        lines.append(f"{'Answer' if last else f'Step {len(lines) + 1}'}: {truth}{RIGHT if right else WRONG}")
        if last or not right:
            return lines
    return [*lines, f"Answer: none{WRONG}"]


WIDTH, SIDE, TOP, FOOT, DRAWN_STEPS = 320, 46, 54, 46, 26
INK, ACCENT, BAD = "currentColor", "var(--accent, #2563eb)", "var(--bad, #b91c1c)"
AROUND = ((11, -6, 0), (-11, -6, 1), (0, -22, 0.5), (0, 9, 0.5), (9, -17, 0), (-9, -17, 1), (9, 5, 0), (-9, 5, 1))
"""Where a label's left upper corner may lie about its dot: to the right, down, and by which share of its width to the left."""
Point = tuple[float, float]


def draw(problem: Problem, steps: Sequence[str]) -> str:
    """A map of everyone, the attempt's people in colour; a wrong place is crossed, dashes lead from it to the true one."""
    base, who, places, ways = problem.data
    steps, claims = list(steps[:DRAWN_STEPS]), list[tuple[str, Place, bool]]()
    for person, place, _, right in _judged(problem, steps):
        if place and (truth := places.get(person)):
            (n, e), (north, east) = place, truth  # said far off: drawn 20 off
            claims.append((person, (min(max(n, north - 20), north + 20), min(max(e, east - 20), east + 20)), right))
    placed = {base, *(person for person, _, right in claims if right)}
    at, unit, height = _scaled([*places.values(), *(place for _, place, _ in claims)])
    marks = [_ground(at((0, 0)), unit, height), _path("M{} {}m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0", at((0, 0)), ACCENT)]
    links = [(a, b, *at(places[a]), *at(places[b])) for a in places for b in ways[a] if a < b]
    marks += [_path("M{} {}L{} {}", ends, *((ACCENT,) if {a, b} <= placed else (INK, 'opacity=".5"'))) for a, b, *ends in links]
    for person, place in places.items():
        paint = f'"{ACCENT}"' if person in placed else f'"{INK}" opacity=".6"'
        marks.append('<circle cx="{}" cy="{}" r="4" fill={}/>'.format(*at(place), paint))
    names = [(person[:14] + " ?" * (person == who), at(place), INK) for person, place in places.items()]
    for person, place, right in claims:
        if not right:
            marks.append(_path("M{} {}m-6-6l12 12m0-12l-12 12", at(place), BAD))
            marks.append(_path("M{} {}L{} {}", (*at(place), *at(places[person])), BAD, 'stroke-dasharray="4 3"'))
            names += [(person[:14], at(place), BAD)] * (place != places[person])
    if any(boxed(step) is not None and grade(problem, step) for step in steps):
        marks.append(_path("M{} {}m-8-8h16v16h-16z", at(places[who]), ACCENT))
    if (fine := sum(check(problem, steps))) < len(steps):
        said = "".join(c if c.isprintable() else " " for c in f"✗ Step {fine + 1}: {steps[fine].strip()}"[:60])
        fit = 'textLength="304" lengthAdjust="spacingAndGlyphs"' if len(said) > 50 else ""
        marks.append(f'<text x="8" y="{height - 8}" fill="{BAD}" font-size="11" {fit}>{escape(said)}</text>')
    label = escape(f"Map of {len(places)} people: where is {who} from {base}? {len(placed) - 1} placed so far")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}"'
    drawn = "".join([*marks, *_labels(names, [link[2:] for link in links])])
    return f'{head} font-family="system-ui, sans-serif" font-size="12">{drawn}</svg>'


def _path(shape: str, numbers: Sequence[float], colour: str, more: str = 'stroke-width="2"') -> str:
    return f'<path d="{shape.format(*numbers)}" fill="none" stroke="{colour}" {more}/>'


def _scaled(places: list[Place]) -> tuple[Callable[[Place], Point], float, int]:
    """Where a place lies in the picture, the length of a step in it, the picture's height."""
    (north, east), (south, west) = (tuple(map(pick, zip(*places, strict=True))) for pick in (max, min))
    unit = min(24, (WIDTH - 2 * SIDE) / max(1, east - west), 260 / max(1, north - south))
    left, top = (WIDTH - unit * (east - west)) / 2, max(TOP, TOP + 20 - unit * (north - south) / 2)
    height = int(2 * top - TOP + unit * (north - south)) + FOOT
    return lambda place: (round(left + unit * (place[1] - west), 1), round(top + unit * (north - place[0]), 1)), unit, height


def _ground(origin: Point, unit: float, height: int) -> str:
    """The grid, how wide a square of it is, and an arrow to the north."""
    step = next((step for step in (1, 5, 10, 50, 100, 500, 1000) if step * unit >= 12), 5000)
    gap, low = step * unit, height - 26
    grid = [f"M{origin[0] % gap + gap * i:.1f} 30V{low}" for i in range(int(WIDTH / gap) + 1)]
    grid += [f"M0 {y:.1f}H{WIDTH}" for i in range(int(low / gap) + 1) if 30 <= (y := origin[1] % gap + gap * i) <= low]
    faint = _path("".join(grid), (), INK, 'opacity=".12"')
    words = f'<text x="8" y="18" opacity=".7">A square is {step} wide</text><text x="296" y="18" text-anchor="end">N</text>'
    return f'{faint}<g fill="{INK}">{words}</g>{_path("M306 24V8m-4 6l4-6l4 6", (), INK)}'


def _labels(names: list[tuple[str, Point, str]], links: Sequence[Sequence[float]]) -> Iterator[str]:
    """The names, each on the side of its dot where it covers least of other names, dots and links."""
    points = [(x + (xx - x) * i / 8, y + (yy - y) * i / 8) for x, y, xx, yy in links for i in range(1, 8)]
    sizes = [*((*point, 2) for point in points), *((*point, 8) for _, point, _ in names)]
    taken = [(x - r, y - r, x + r, y + r) for x, y, r in sizes]
    for name, (x, y), colour in names:
        close = [box for box in taken if abs(box[0] - x) < 140 and abs(box[1] - y) < 40]
        wide, options = 7 * len(name), list[tuple[float, tuple[float, float, float, float]]]()
        for right, down, share in AROUND:
            left, top, end, low = x + right - wide * share, y + down, x + right + wide * (1 - share), y + down + 13
            over = sum(max(0, min(end, c) - max(left, a)) * max(0, min(low, d) - max(top, b)) for a, b, c, d in close)
            options.append((over + 99 * max(0, 2 - left, end - WIDTH + 2), (left, top, end, low)))
        taken.append(min(options, key=lambda option: option[0])[1])
        yield f'<text x="{taken[-1][0]:.1f}" y="{taken[-1][1] + 10:.1f}" fill="{colour}">{escape(name)}</text>'
