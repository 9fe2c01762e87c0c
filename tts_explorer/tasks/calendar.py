r"""Calendar: the first slot of some hours in which everybody is free.

One real example (level 2)::

    Pia is busy 9-11. Mia is busy 12-13, 16-17. Eva is busy 10-13. When can all first meet for 2 hours between 8 and 17?

    Pia: 8 11 12 13 14 15 16

    Mia: 8 11 13 14 15
    …
    starts: 13 14

    \boxed{13-15}

A step names the next person and the hours, by their start, that are still free for everybody so far; for a slot of more
than one hour a last step names the starts from which that many hours in a row are free. The answer is the first slot, from
its start to its end; it is right if both are. The day has whole hours only.

Tokens of a prompt with its solution, mean: 81, 112, 138, 166, 189 (levels 1 to 5).
"""

from __future__ import annotations

import random
import re
from collections.abc import Container, Iterable, Sequence
from html import escape
from itertools import takewhile

from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "calendar"
TITLE = "Calendar: find the first slot that all have free"
ORACLE = False
RULES = {1: (2, (1,), 8, 1), 2: (3, (1, 2), 9, 1), 3: (4, (1, 2), 10, 2), 4: (5, (1, 2, 3), 10, 2), 5: (6, (1, 2, 3), 10, 3)}
"""level: (people, lengths of the slot, longest day, earlier hours at which at most one person is busy)."""
PEOPLE = "Ann Ben Cara Dan Eva Finn Gus Hana Ivan Jill Kai Lena Max Mia Noah Olga Pia Raj Sam Tess Uma Vera Will Zoe".split()
WORDINGS = (
    "Find the first slot of {length} from {start} to {end} that all have free.",
    "Between {start} and {end}, find the first meeting of {length} that suits all.",
    "When can all first meet for {length} between {start} and {end}?",
)
MAX_PEOPLE, SHORTEST_DAY = 6, 8
AT_ONCE, GAP, TRIES = 0.06, 0.5, 30
"""How often the slot is at the day's start, and a gap too short must come before it; timetables tried around one slot."""

Busy = dict[str, frozenset[int]]
"""Each person's busy hours, by their start, in the problem's order."""


def draw_problem(rng: random.Random, level: int) -> Problem:
    """Draw a day and a slot in it, then timetables around it, until it is the first and earlier hours nearly do."""
    count, lengths, longest, near = RULES[level]
    while True:
        start = rng.randint(7, 10)
        end = start + rng.randint(SHORTEST_DAY, longest)
        length = rng.choice(lengths)
        slot = start if rng.random() < AT_ONCE else rng.randint(start + 1, end - length)
        gap = length > 1 and rng.random() < GAP
        taken = [hour for hour in range(start, end) if not slot <= hour < slot + length]
        for _ in range(TRIES):
            busy = [_some(rng, taken) for _ in range(count)]
            blocked = [sum(hour in hours for hours in busy) for hour in range(start, slot + length)]
            first = next(i for i in range(len(blocked)) if not any(blocked[i : i + length])) + start
            hard = sum(n < 2 for n in blocked[:-length]) >= near and (0 in blocked[:-length] or not gap)
            if first == slot and (slot == start or hard):
                people = dict(zip(rng.sample(PEOPLE, count), busy, strict=True))
                return _problem(people, (start, end), length, rng.choice(WORDINGS))


def _some(rng: random.Random, taken: Sequence[int]) -> frozenset[int]:
    """One to three busy spells of one to three hours, all in the hours `taken`."""
    hours: set[int] = set()
    for _ in range(rng.choice((1, 2, 2, 3))):
        hour = rng.choice(taken)
        hours.update(takewhile(taken.__contains__, range(hour, hour + rng.randint(1, 3))))
    return frozenset(hours)


def _problem(busy: Busy, day: tuple[int, int], length: int, wording: str) -> Problem:
    told = " ".join(f"{name} is busy {_spells(hours)}." if hours else f"{name} is free all day." for name, hours in busy.items())
    asked = wording.format(length=f"{length} hour{'s' if length > 1 else ''}", start=day[0], end=day[1])
    key = f"{day[0]}-{day[1]} {length}h: " + " | ".join(sorted(map(_spells, busy.values())))
    starts = _starts(_free(busy, day)[-1], length)
    truth = f"{starts[0]}-{starts[0] + length}" if starts else ""
    return Problem(NAME, f"{told} {asked}", truth, key, {"busy": busy, "day": day, "length": length})


def _spells(hours: Iterable[int]) -> str:
    """Busy hours as spells.

    >>> _spells({9, 10, 13})
    '9-11, 13-14'
    """
    ends = sorted(hours)
    begins = [hour for hour in ends if hour - 1 not in ends]
    return ", ".join(f"{a}-{b + 1}" for a, b in zip(begins, (hour for hour in ends if hour + 1 not in ends), strict=True))


def _free(busy: Busy, day: tuple[int, int]) -> list[list[int]]:
    """The hours that are free for everybody so far, after each person."""
    left, lists = list(range(*day)), []
    for hours in busy.values():
        left = [hour for hour in left if hour not in hours]
        lists.append(left)
    return lists


def _starts(free: Sequence[int], length: int) -> list[int]:
    """The hours from which `length` hours in a row are free."""
    return [hour for hour in free if all(hour + i in free for i in range(length))]


def _steps(problem: Problem) -> list[str]:
    """Every step of the right way, without delimiters and without the boxed line."""
    lists, length = _free(problem.data["busy"], problem.data["day"]), problem.data["length"]
    said = list(zip(problem.data["busy"], lists, strict=True))
    said += [("starts", _starts(lists[-1], length))] if length > 1 else []
    return [f"{name}: {' '.join(map(str, hours))}" for name, hours in said]


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """One person a step, then the starts of a longer slot, then the boxed slot."""
    return [*(step + DELIMITER for step in _steps(problem)), f"\\boxed{{{problem.truth}}}"]


HOUR = r"(?<![0-9:])([0-9]{1,2})(?::00)?(?![0-9:])"
RANGE = rf"(?:(?:[Ff]rom|[Bb]etween|at) )?{HOUR} ?(?:-|–|to|and|until|till) ?{HOUR}"
SPELLS = re.compile(RANGE)
ONE_SPELL = re.sub(r"\((?!\?)", "(?:", RANGE)
PERSON = re.compile(rf"\b([^\W\d_]+) is (?:busy ({ONE_SPELL}(?:(?:, and |, ?| and ){ONE_SPELL})*)|free all day)[.,;!]?(?!\S)")
AN_HOUR = r"(?:(?<=first )|(?<=earliest )|an |one[ -])hour"
LENGTH = re.compile(rf"\b(?:([0-9]{{1,2}})[ -]?h(?:ours?)?|{AN_HOUR}|(two)[ -]hours?|(three)[ -]hours?)\b", re.IGNORECASE)
ASKING = frozenset(
    "a all and are at can common day earliest everybody everyone find first for free have in is it long meet meeting of please "
    "slot suit suits that the them they time to what when where which will with".split()
)
"""The words that a question may have besides its length and its day; any other may ask for something else."""


def parse(text: str) -> Problem | None:
    """Read who is busy when, and a question for the first slot, in any order and many words.

    None if a word or a number is left over, an hour is not whole, or no slot is free.

    >>> parse("Bo is busy 9:00-11:00. Di is free all day. What is the earliest 2-hour slot between 9 and 13?").truth
    '11-13'
    """
    if len(text) > 2000:
        return None
    text = " ".join(text.split())
    people, asked = list(PERSON.finditer(text)), _asked(PERSON.sub(" ", text))
    if asked is None or not 2 <= len({found[1] for found in people}) == len(people) <= MAX_PEOPLE:
        return None
    (start, end), length, busy = *asked, Busy()
    for found in people:
        spells = [(int(a), int(b)) for a, b in SPELLS.findall(found[2] or "")]
        if any(not a < b <= 24 for a, b in spells) or not found[1][0].isupper() or found[1] == "Nobody" or len(found[1]) > 20:
            return None
        busy[found[1]] = frozenset(hour for a, b in spells for hour in range(max(a, start), min(b, end)))
    worded = [_problem(busy, (start, end), length, wording) for wording in WORDINGS]
    problem = next((known for known in worded if known.text == text), worded[0])
    return problem if problem.truth else None


def _asked(question: str) -> tuple[tuple[int, int], int] | None:
    """The day and the length of the slot that a question is about."""
    lengths, rest = LENGTH.findall(question), LENGTH.sub(" ", question)
    days, words = SPELLS.findall(rest), re.findall(r"[^\s.,?!:;]+", SPELLS.sub(" ", rest).lower())
    if len(lengths) != 1 or len(days) != 1 or not ASKING.issuperset(words) or {"first", "earliest"}.isdisjoint(words):
        return None
    (digits, two, three), (start, end) = lengths[0], map(int, days[0])
    length = int(digits or (2 if two else 3 if three else 1))
    return ((start, end), length) if start < end <= 24 and length >= 1 else None


def reworded(text: str, rng: random.Random) -> str:
    """The same problem with its question in another of the wordings; the steps follow the people's order, so it stays."""
    problem = parse(text)
    return _problem(**problem.data, wording=rng.choice(WORDINGS)).text if problem else text


def answer(text: str) -> str | None:
    """The boxed slot."""
    return boxed(text)


def canonical(answer: str) -> str:
    """The slot as `12-14`; else the text itself.

    >>> canonical("from 12:00 to 14:00")
    '12-14'
    """
    found = SPELLS.fullmatch(plain := " ".join(answer.split()))
    return f"{int(found[1])}-{int(found[2])}" if found else plain


def grade(problem: Problem, text: str) -> bool:
    """Right if start and end equal the truth; the start alone is no slot."""
    return canonical(answer(text) or text) == problem.truth


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """A step is right if all before it are and it is exactly the next one; the boxed line is right or wrong as an answer."""
    due, fine, verdicts = iter(_steps(problem)), True, []
    for step in steps:
        fine = fine and (grade(problem, step) if boxed(step) is not None else step.strip() == next(due, None))
        verdicts.append(fine)
    return verdicts


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """The list that belongs in each step's place, then the slot: `Step 2: Ben: 8 12 14 15, right.`

    >>> two = parse("Bo is busy 9-10. Di is busy 10-11. Find the first slot of 1 hour from 9 to 12 that all have free.")
    >>> review(two, ["Bo: 10 11", "Di: 10 11", "\\\\boxed{10-11}"])
    ['Step 1: Bo: 10 11, right.', 'Step 2: Di: 11, wrong.']
    """
    due, lines = _steps(problem), []
    for place, (step, right) in enumerate(zip(steps, check(problem, steps), strict=True)):
        if boxed(step) is not None:
            return [*lines, f"Answer: {problem.truth}{RIGHT if right else WRONG}"]
        said = due[place] if place < len(due) else "nothing is left to do"
        lines.append(f"Step {place + 1}: {said}{RIGHT if right else WRONG}")
        if not right:
            return lines
    return [*lines, f"Answer: none{WRONG}"]


LEFT, WIDTH, TOP, ROW = 62, 250, 24, 22
"""Of the timetable's cells, in units of the picture."""
ACCENT, BAD = "accent, #2563eb", "bad, #b91c1c"
MARKS = {
    "free": '<circle cx="{x:.1f}" cy="{y}" r="3" fill="var(--accent, #2563eb)"/>',
    "start": '<circle cx="{x:.1f}" cy="{y}" r="{r:.1f}" fill="none" stroke="var(--accent, #2563eb)" stroke-width="1.5"/>',
    "missed": '<circle cx="{x:.1f}" cy="{y}" r="{r:.1f}" fill="none" stroke="var(--bad, #b91c1c)" stroke-dasharray="3 2"/>',
    "wrong": '<path d="M{x:.1f} {y}m-4-4l8 8m0-8l-8 8" fill="none" stroke="var(--bad, #b91c1c)" stroke-width="2"/>',
    "bar": '<rect x="{x:.1f}" y="{y}" width="{w:.1f}" height="14" rx="3" fill-opacity=".3" stroke="currentColor"/>',
    "slot": '<path d="M{x:.1f} {y}h{w:.1f}v{h}h-{w:.1f}z" fill="none" stroke="var(--{how})" stroke-width="2.5"{dash}/>',
}
LIST = re.compile(r"\S{1,40}: ([0-9]{1,2}(?: [0-9]{1,2})*)")


def draw(problem: Problem, steps: Sequence[str]) -> str:
    """A timetable: bars busy, dots in the last row free so far, rings starts, a frame the slot; a cross is on what's wrong."""
    busy, (start, end), length = problem.data["busy"], problem.data["day"], problem.data["length"]
    unit, parts, foot = WIDTH / (end - start), list[str](), TOP + ROW * (len(busy) + 1)
    for hour in range(start, end + 1):
        x = LEFT + (hour - start) * unit
        parts.append(f'<path d="M{x:.1f} {TOP}V{foot}" stroke="currentColor" opacity=".2"/>')
        if end - start <= 12 or (hour - start) % 2 == 0:
            parts.append(f'<text x="{x:.1f}" y="{TOP - 7}" text-anchor="middle">{hour}</text>')
    for y, (name, hours) in zip(range(TOP, foot, ROW), [*busy.items(), ("free", ())], strict=True):
        parts.append(f'<text x="15" y="{y + 15}">{escape(name if len(name) < 8 else name[:5] + "…")}</text>')
        for a, b in SPELLS.findall(_spells(hours)):
            parts.append(MARKS["bar"].format(x=LEFT + (int(a) - start) * unit + 1, y=y + 4, w=(int(b) - int(a)) * unit - 2))
    drawn, said, right = _attempt(problem, steps, unit, foot)
    said = "".join(c if c.isprintable() else " " for c in said[:44])
    told = "; ".join(f"{name} busy {_spells(hours) or 'never'}" for name, hours in busy.items())
    label = escape(f"Timetable, {start} to {end}, slot of {length}h: {told}. {said}{'' if right or not said else WRONG}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 {foot + ROW}" role="img" aria-label="{label}" '
        f'font-family="system-ui" font-size="12" fill="currentColor">{"".join([*parts, *drawn])}'
        f'<text x="15" y="{foot + 16}" fill="var(--{ACCENT if right else BAD})">{escape(said)}</text></svg>'
    )


def _attempt(problem: Problem, steps: Sequence[str], unit: float, foot: int) -> tuple[list[str], str, bool]:
    """The marks for the steps up to the first box, what the last or first wrong one says, and whether it is right."""
    (start, end), due, lists = problem.data["day"], _steps(problem), _free(problem.data["busy"], problem.data["day"])
    box = next((i for i, step in enumerate(steps) if boxed(step) is not None), len(steps))
    good, parts, said, right = sum(check(problem, steps[:box])), list[str](), "", True

    def mark(kind: str, hours: Container[int]) -> None:
        places = [LEFT + (hour - start + 0.5) * unit for hour in range(start, end) if hour in hours]
        parts.extend(MARKS[kind].format(x=x, y=foot - ROW // 2, r=min(7, unit * 0.45)) for x in places)

    mark("free", lists[min(good, len(lists)) - 1] if good else ())
    mark("start", _hours(due[-1]) if good > len(lists) else ())
    if box < len(steps):
        slot, right = canonical(boxed(steps[box]) or ""), grade(problem, steps[box])
        said, found = f"answer: {slot}", SPELLS.fullmatch(slot)
        if found and start <= int(found[1]) < int(found[2]) <= end:
            x, w = LEFT + (int(found[1]) - start) * unit, (int(found[2]) - int(found[1])) * unit
            how, dash = (ACCENT, "") if right else (BAD, ' stroke-dasharray="5 3"')
            parts.append(MARKS["slot"].format(x=x, y=TOP - 2, w=w, h=foot - TOP + 2, how=how, dash=dash))
            parts += [] if right else [MARKS["wrong"].format(x=x + w / 2, y=foot)]
    if good < box:
        named, asked = _hours(steps[good]), _hours(due[good]) if good < len(due) else set()
        mark("wrong", named - asked)
        mark("missed", asked - named if named else ())
        parts.append(MARKS["wrong"].format(x=7, y=TOP + min(good, len(lists)) * ROW + 11))
        said, right = f"step {good + 1}: {steps[good].strip()}", False
    return [*parts, *([] if right else [MARKS["wrong"].format(x=7, y=foot + 12)])], said, right


def _hours(step: str) -> set[int]:
    """The hours that a step names; none if it isn't one."""
    found = LIST.fullmatch(step.strip())
    return set(map(int, found[1].split())) if found else set()
