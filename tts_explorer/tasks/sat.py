r"""Party: who comes, so that every wish is true? (Satisfiability with 2 or 3 parts a clause; NP-complete.)

One real example (level 2)::

    Who comes? Ivan, Sam, Vera, Will. Each wish needs a true part: not Ivan/Vera/Will, not Vera/not Ivan/Will,
    Ivan/not Sam, not Ivan/not Will, Will/Sam.

    not Ivan/Vera/Will: Vera

    not Vera/not Ivan/Will: not Ivan

    Ivan/not Sam: not Sam

    …

    \boxed{Vera, Will}

A step copies the next wish, then chooses the part that makes it true, against no part chosen before. The answer lists those
chosen to come, or nobody; it is right if every wish is true: a wish is, if one of its parts is. 1 or 2 parties fit. On average
by level: 5, 7, 10, 13, 15 wishes; tokens of the problem 55, 74, 92, 110, 128, of its solution 48, 71, 96, 118, 141, of the
solution's review 63, 91, 120, 149, 177.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape

from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "sat"
TITLE = "Party: make every wish true"
ORACLE = False
RULES = {1: (3, 2, 8), 2: (4, 2, 12), 3: (5, 2, 16), 4: (6, 2, 20), 5: (7, 2, 22)}
"""level: (people, most parties that make every wish true, most wishes)."""

PEOPLE = "Ann Ben Cara Dan Eva Finn Gus Hana Ivan Jill Kai Lena Max Mia Noah Olga Pia Raj Sam Tess Uma Vera Will Zoe".split()
WORDINGS = (
    "Who comes? {people}. Each wish needs a true part: {wishes}.",
    "{people}: who comes? Make every wish true, with / for or: {wishes}.",
    "Choose who comes from {people}, so that every wish has a true part: {wishes}.",
)
MAX_PEOPLE, MAX_WISHES, MAX_TEXT = 10, 60, 2000
NOBODY = "nobody"

Part = tuple[int, bool]
"""(Place of a person, whether to come)."""
Wish = tuple[Part, ...]


@lru_cache(maxsize=50_000)
def _true(wish: Wish, count: int) -> int:
    """The set of parties of `count` people that make `wish` true, as a number: its bit 5 is the party of people 0 and 2."""
    if len(wish) == 1:
        return sum(1 << party for party in range(1 << count) if (party >> wish[0][0] & 1) == wish[0][1])
    return _true(wish[:1], count) | _true(wish[1:], count) if wish else 0


def draw_problem(rng: random.Random, level: int) -> Problem:
    """Draw a party and wishes that it makes true, each ruling some other party out, until few are left."""
    count, most, cap = RULES[level]
    while True:
        planted, fits, wishes = rng.getrandbits(count), (1 << (1 << count)) - 1, list[Wish]()
        while fits.bit_count() > most and len(wishes) < cap:
            wish = tuple((i, rng.random() < 0.5) for i in rng.sample(range(count), rng.choice((2, 3))))
            left = fits & _true(wish, count)
            if left >> planted & 1 and left != fits:
                fits = left
                wishes.append(wish)
        if fits.bit_count() <= most:
            rng.shuffle(wishes)
            return _problem(sorted(rng.sample(PEOPLE, count)), wishes, fits, rng.choice(WORDINGS))


def _problem(people: Sequence[str], wishes: Sequence[Wish], fits: int, wording: str) -> Problem:
    letters = ("".join(sorted(chr((97 if comes else 65) + i) for i, comes in wish)) for wish in wishes)
    key = f"{len(people)}: {' '.join(sorted(letters))}"
    text = wording.format(people=", ".join(people), wishes=_spelt(wishes, people))
    party = (fits & -fits).bit_length() - 1
    truth = _listed(people, [bool(party >> i & 1) for i in range(len(people))])
    return Problem(NAME, text, truth, key, {"people": tuple(people), "wishes": tuple(wishes), "fits": fits})


def _spelt(wishes: Sequence[Sequence[Part]], people: Sequence[str]) -> str:
    return ", ".join("/".join(people[i] if comes else f"not {people[i]}" for i, comes in wish) for wish in wishes)


def _listed(people: Sequence[str], chosen: Sequence[bool]) -> str:
    return ", ".join(name for name, comes in zip(people, chosen, strict=True) if comes) or NOBODY


PERSON = r"(?!(?i:not?|and|or|who|nobody|nothing)\b)[A-ZÀ-ÖØ-Þ][^\W\d_]{0,11}"
ABOUT = re.compile(r"\b(?:wish|wishes|comes?|coming|party|invited?)\b", re.IGNORECASE)
LIST = re.compile(rf"\b{PERSON}(?:(?: ?,(?: and| or)?| and| or) ?{PERSON}\b)+")
PART = re.compile(rf"((?i:not?)\s+|[!¬~-]\s*)?({PERSON})")


def parse(text: str) -> Problem | None:
    """Read people and, after the last colon, their wishes; "or" or | may stand for /, lines or ; or . or "and" for the comma.

    None for wishes that no party makes true.

    >>> parse("Who comes? Bo, Al. Wishes: Bo or not Al; Al").truth
    'Bo, Al'
    """
    people, wishes = _read(text) or ([], [])
    fits = (1 << (1 << len(people))) - 1 if people else 0
    for wish in wishes:
        fits &= _true(wish, len(people))
    made = [_problem(people, wishes, fits, wording) for wording in WORDINGS] if fits else [None]
    problem = next((same for same in made if same and same.text == text.strip()), made[0])
    return problem if problem and len(problem.text) <= MAX_TEXT else None


def _read(text: str) -> tuple[list[str], list[Wish]] | None:
    """The people in their order (in the alphabet's if they are not listed) and the wishes."""
    head, colon, tail = text.rpartition(":") if len(text) <= MAX_TEXT else ("", "", "")
    if not colon or not ABOUT.search(text):
        return None
    said = [wish.strip("() ") for wish in re.split(r"[;,.\n&∧]|\band\b", re.sub(r"\bWho\b[^?]*\?\s*$", "", tail))]
    parts = [[PART.fullmatch(part.strip()) for part in re.split(r"[/|∨]|\bor\b", wish)] for wish in said if wish.strip()]
    if any(part is None for wish in parts for part in wish):
        return None
    found = [[(part[2], not part[1]) for part in wish if part] for wish in parts]
    named, roster = {who for wish in found for who, _ in wish}, LIST.search(" ".join(head.split()))
    people = re.findall(rf"\b{PERSON}\b", roster[0]) if roster else sorted(named)
    if not named <= set(people) or len(set(people)) < len(people) or not 2 <= len(people) <= MAX_PEOPLE:
        return None
    wishes = _once([tuple(dict.fromkeys((people.index(who), comes) for who, comes in wish)) for wish in found])
    return (people, wishes) if 1 <= len(wishes) <= MAX_WISHES else None


def _once(wishes: Sequence[Wish]) -> list[Wish]:
    """Without those that say again, perhaps in another order, what one before them says."""
    return list({frozenset(wish): wish for wish in wishes}.values())


def reworded(text: str, rng: random.Random) -> str:
    """The same problem in one of the wordings; its wishes stay in their order, which an attempt's steps follow."""
    if (read := _read(text)) is None:
        return text
    people, wishes = read
    return rng.choice(WORDINGS).format(people=", ".join(people), wishes=_spelt(wishes, people))


def answer(text: str) -> str | None:
    """The boxed list of people."""
    return boxed(text)


def canonical(answer: str) -> str:
    """The people in the alphabet's order.

    >>> canonical("Cara and  Ann")
    'Ann, Cara'
    """
    names = set(filter(None, re.split(r"(?:[\s,]|\band\b)+", answer)))
    return ", ".join(sorted(names)) if all(re.fullmatch(PERSON, name) for name in names) else " ".join(answer.split())


def _party(problem: Problem, answer: str) -> list[bool] | None:
    """Who comes by an answer; None if it lists someone else or is no list."""
    names, people = canonical(answer), problem.data["people"]
    listed = set() if names == NOBODY else set(names.split(", "))
    return [name in listed for name in people] if listed <= set(people) else None


def grade(problem: Problem, text: str) -> bool:
    """Right if every wish is true.

    >>> grade(parse("Who comes? Wishes: Al/Bo, not Al/Bo"), r"\\boxed{Bo}")
    True
    """
    return not _fault(problem, _party(problem, answer(text) or text))


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """One of the parties that fit: a wish a step, fulfilled by a part chosen before where one of its parts is."""
    people, wishes, fits = (problem.data[name] for name in ("people", "wishes", "fits"))
    party = rng.choice([party for party in range(1 << len(people)) if fits >> party & 1])
    picks = list[Part]()
    for wish in wishes:
        again = [part for part in wish if part in picks]
        picks.append(again[0] if again else rng.choice([(i, comes) for i, comes in wish if (party >> i & 1) == comes]))
    steps = [f"{_spelt([wish], people)}: {_spelt([[part]], people)}{DELIMITER}" for wish, part in zip(wishes, picks, strict=True)]
    return [*steps, f"\\boxed{{{_listed(people, [(i, True) in picks for i in range(len(people))])}}}"]


def _truth(wish: Sequence[Part], chosen: Mapping[int, bool]) -> bool | None:
    """Whether `wish` is true; None while that is open."""
    said = [chosen[i] == comes if i in chosen else None for i, comes in wish]
    return True if True in said else None if None in said else False


def _fault(problem: Problem, party: Sequence[bool] | None) -> str:
    """What is wrong with an answer, the first wish that is false; empty if nothing is."""
    if party is None:
        return "no list of people"
    false = (wish for wish in problem.data["wishes"] if not _truth(wish, dict(enumerate(party))))
    return f"{_spelt([wish], problem.data['people'])} is false" if (wish := next(false, None)) else ""


STEP = re.compile(rf"([^:\n]+): ((?:not )?{PERSON})")


def _judged(problem: Problem, picks: list[Part], step: str) -> tuple[str, list[Part]]:
    """The line of the review on the step after `picks`, and the parts chosen with it, even if it contradicts one before."""
    people, wishes = problem.data["people"], problem.data["wishes"]
    if (listed := boxed(step)) is not None:
        fault = _fault(problem, _party(problem, listed))
        return f"Answer: {fault}{WRONG}" if fault else f"Answer: every wish is true{RIGHT}", picks
    due = wishes[len(picks)] if len(picks) < len(wishes) else ()
    head, wish, found = f"Step {len(picks) + 1}: ", _spelt([due], people), STEP.fullmatch(step.strip())
    if not due or found is None or sorted(found[1].split("/")) != sorted(wish.split("/")):
        return f"{head}{wish or 'the answer'} is next{WRONG}", picks
    part = next((part for part in due if _spelt([[part]], people) == found[2]), None)
    if part is None:
        return f"{head}{found[2]} is no part of it{WRONG}", picks
    if (other := (part[0], not part[1])) in picks:
        return f"{head}{_spelt([[other]], people)} was chosen before{WRONG}", [*picks, part]
    return f"{head}{found[2]}{RIGHT}", [*picks, part]


def _attempt(problem: Problem, steps: Sequence[str]) -> list[tuple[str, list[Part]]]:
    """What `_judged` says of each step, up to and with the first mistake or the answer."""
    judged = [("", list[Part]())]
    for step in steps:
        judged.append(_judged(problem, judged[-1][1], step))
        if boxed(step) is not None or judged[-1][0].endswith(WRONG):
            break
    return judged[1:]


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """The next wish copied, one of its parts chosen against none before, and a party that fits still possible, for each step."""
    fits, count, fine, verdicts = problem.data["fits"], len(problem.data["people"]), True, list[bool]()
    for line, picks in _attempt(problem, steps):
        fits &= _true((picks[-1],), count) if picks else fits
        fine = fine and line.endswith(RIGHT) and fits != 0
        verdicts.append(fine)
    return verdicts + [False] * (len(steps) - len(verdicts))


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """Whether each step takes the next wish and a part that nothing before is against; then whether every wish is true.

    >>> review(parse("Who comes? Wishes: Al/Bo, not Al/Bo"), ["Al/Bo: Al", "not Al/Bo: not Al"])
    ['Step 1: Al, right.', 'Step 2: Al was chosen before, wrong.']
    """
    lines = [line for line, _ in _attempt(problem, steps)]
    ended = lines and (lines[-1].startswith("Answer") or lines[-1].endswith(WRONG))
    return lines if ended else [*lines, f"Answer: none{WRONG}"]


ACCENT, BAD = "var(--accent, #2563eb)", "var(--bad, #b91c1c)"
COMES, OPEN = ("✓", f'stroke="{ACCENT}" stroke-width="2"'), ("?", 'stroke="currentColor"')
STAYS = ("–", f'stroke="{ACCENT}" stroke-dasharray="4"')
MARKS = {True: ("✓", ACCENT, "currentColor"), None: ("·", "currentColor", "currentColor"), False: ("✗", BAD, BAD)}


def draw(problem: Problem, steps: Sequence[str]) -> str:
    """The people (✓ comes, – stays, ? open) over the wishes: true ones ticked, chosen parts underlined, false ones struck out.

    A wish that is lost is crossed, and so is a choice that contradicts one before.
    """
    people, wishes, body, attempt = problem.data["people"], problem.data["wishes"], list[str](), _attempt(problem, steps)
    line, picks = attempt[-1] if attempt else ("", [])
    said = _party(problem, boxed(steps[len(attempt) - 1]) or "") if line.startswith("Answer") else None
    chosen = dict(reversed(picks)) if said is None else dict(enumerate(said))
    for i, name in enumerate(people):
        x, y, (mark, frame) = 8 + i % 3 * 104, 8 + i // 3 * 28, (COMES if chosen[i] else STAYS) if i in chosen else OPEN
        body.append(f'<rect x="{x}" y="{y}" width="96" height="22" rx="11" fill="none" {frame}/>')
        body.append(f'<text x="{x + 48}" y="{y + 16}" text-anchor="middle">{escape(name)} {mark}</text>')
    y += 52
    for place, wish in enumerate(wishes):
        pick = picks[place : place + 1]
        mark, colour, row = MARKS[_truth(pick if pick and said is None else wish, chosen)]
        parts = " or ".join(_part(people, part, chosen, part in pick) for part in wish)
        body.append(f'<text x="8" y="{y}" fill="{colour}">{mark}<tspan x="26" fill="{row}">{parts}</tspan></text>')
        y += 18
    if line.endswith(WRONG):
        note = line.removesuffix(WRONG).replace(": ", " wrong: ", 1)
        note = note if len(note) < 50 else note[:48] + "…"
        body.append(f'<text x="8" y="{y + 6}" fill="{BAD}" font-size="12">✗<tspan x="26">{escape(note)}</tspan></text>')
    width = max(320, *(26 + 7 * len(_spelt([wish], people)) + 28 * len(wish) for wish in wishes))
    label = f"{sum(_truth(wish, chosen) is True for wish in wishes)} of {len(wishes)} wishes are true. {line}"
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 14}" role="img" aria-label="{escape(label)}"'
    return f'<svg {head} font-family="system-ui" font-size="13" fill="currentColor">{"".join(body)}</svg>'


def _part(people: Sequence[str], part: Part, chosen: Mapping[int, bool], picked: bool) -> str:
    """One part of a wish, underlined if a step chose it, struck out if it is false."""
    false = _truth([part], chosen) is False
    words, lines = escape(_spelt([[part]], people)), " ".join(["underline"] * picked + ["line-through"] * false)
    colour = f' fill="{BAD if false else ACCENT}"' if picked else ' opacity="0.7"' if false else ""
    return f'<tspan text-decoration="{lines}"{colour}>{words}</tspan>' if lines else words
