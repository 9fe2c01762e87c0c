r"""Party: who comes, so that every wish is true? (Satisfiability with 2 or 3 parts a clause; NP-complete.)

One real example (level 2)::

    Who comes? Ivan, Sam, Vera, Will. Each wish needs a true part: not Ivan/Vera/Will, not Vera/not Ivan/Will,
    Ivan/not Sam, not Ivan/not Will, Will/Sam.

    Ivan: no, so not Sam

    Sam: no, so Will
    …
    \boxed{Vera, Will}

A step decides the next person; after "so" come the wishes that this took a part from and that are not true yet, with the parts
still open ("nothing" if none is). The answer lists those who come, or nobody; it is right if every wish is true: a wish is, if
one of its parts is. There may be 2 right answers (3 at level 5). Tokens of a problem and its solution, on average by level:
56 + 30, 74 + 40, 93 + 51, 110 + 62, 143 + 83.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape

from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "sat"
TITLE = "Party: make every wish true"
ORACLE = False
RULES = {1: (3, 2, 8), 2: (4, 2, 12), 3: (5, 2, 16), 4: (6, 2, 20), 5: (8, 3, 22)}
"""level: (people, most parties that make every wish true, most wishes)."""

PEOPLE = "Ann Ben Cara Dan Eva Finn Gus Hana Ivan Jill Kai Lena Max Mia Noah Olga Pia Raj Sam Tess Uma Vera Will Zoe".split()
WORDINGS = (
    "Who comes? {people}. Each wish needs a true part: {wishes}.",
    "{people}: who comes? Make every wish true, with / for or: {wishes}.",
    "Choose who comes from {people}, so that every wish has a true part: {wishes}.",
)
MAX_PEOPLE, MAX_WISHES, MAX_TEXT = 10, 60, 2000
NOBODY, NOTHING = "nobody", "nothing"

Wish = tuple[tuple[int, bool], ...]
"""Its parts: (place of a person, whether to come)."""


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
    truth = _listed(people, _chosen(len(people), (fits & -fits).bit_length() - 1))
    return Problem(NAME, text, truth, key, {"people": tuple(people), "wishes": tuple(wishes), "fits": fits})


def _spelt(wishes: Sequence[Wish], people: Sequence[str]) -> str:
    return ", ".join("/".join(people[i] if comes else f"not {people[i]}" for i, comes in wish) or NOTHING for wish in wishes)


def _listed(people: Sequence[str], chosen: Sequence[bool]) -> str:
    return ", ".join(name for name, comes in zip(people, chosen, strict=True) if comes) or NOBODY


def _chosen(count: int, party: int) -> list[bool]:
    return [bool(party >> i & 1) for i in range(count)]


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
    """The same problem with its wishes and their parts in another order and in another of the wordings."""
    if (read := _read(text)) is None:
        return text
    people, wishes = read
    mixed = [tuple(rng.sample(wish, len(wish))) for wish in rng.sample(wishes, len(wishes))]
    return rng.choice(WORDINGS).format(people=", ".join(people), wishes=_spelt(mixed, people))


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
    party = _party(problem, answer(text) or text)
    return party is not None and not _lost(problem, party)


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """One of the parties that fit: one person a step, then the boxed list."""
    people, fits = problem.data["people"], problem.data["fits"]
    chosen = _chosen(len(people), rng.choice([party for party in range(1 << len(people)) if fits >> party & 1]))
    steps = [_said(problem, chosen[: i + 1], ": ") + DELIMITER for i in range(len(people))]
    return [*steps, f"\\boxed{{{_listed(people, chosen)}}}"]


def _said(problem: Problem, chosen: Sequence[bool], colon: str) -> str:
    """The last choice; what is open of the wishes that it took a part from and that are not true, each once."""
    took, people = (len(chosen) - 1, not chosen[-1]), problem.data["people"]
    states = [_state(wish, chosen) for wish in problem.data["wishes"] if took in wish]
    so = _spelt(_once([open_parts for true, open_parts in states if not true]), people)
    return f"{people[took[0]]}{colon}{'yes' if chosen[-1] else 'no'}{so and f', so {so}'}"


def _state(wish: Wish, chosen: Sequence[bool]) -> tuple[bool, Wish]:
    """Whether `wish` is true by now, and its parts that are open."""
    return any(i < len(chosen) and chosen[i] == comes for i, comes in wish), tuple(p for p in wish if p[0] >= len(chosen))


def _lost(problem: Problem, chosen: Sequence[bool]) -> str:
    """The first wish that has no part left; empty if there is none."""
    lost = (wish for wish in problem.data["wishes"] if _state(wish, chosen) == (False, ()))
    return _spelt([wish], problem.data["people"]) if (wish := next(lost, None)) else ""


STEP = re.compile(rf"({PERSON}): (yes|no)(?:, so ([^\n]+))?")


def _judged(problem: Problem, chosen: list[bool], place: int, step: str) -> tuple[str, list[bool]]:
    """The line of the review on step number `place`, and the choices after it: those of the answer if it is one."""
    people = problem.data["people"]
    if (listed := boxed(step)) is not None:
        party = _party(problem, listed)
        if party is None:
            return f"Answer: no list of people{WRONG}", chosen
        lost = _lost(problem, party)
        return f"Answer: {lost} is false{WRONG}" if lost else f"Answer: every wish is true{RIGHT}", party
    found, due = STEP.fullmatch(step.strip()), people[len(chosen)] if len(chosen) < len(people) else "no one"
    if found is None or found[1] != due:
        return f"Step {place}: {due} is next{WRONG}", chosen
    chosen = [*chosen, found[2] == "yes"]
    lost, said = _lost(problem, chosen), _said(problem, chosen, " ")
    fine = not lost and _parts(said.partition(", so ")[2]) == _parts(found[3] or "")
    return f"Step {place}: {lost + ' is lost' if lost else said}{RIGHT if fine else WRONG}", chosen


def _parts(wishes: str) -> list[list[str]]:
    return sorted(sorted(part.strip() for part in wish.split("/")) for wish in wishes.split(","))


def _attempt(problem: Problem, steps: Sequence[str]) -> list[tuple[str, list[bool]]]:
    """What `_judged` says of each step, up to and with the first mistake or the answer."""
    judged: list[tuple[str, list[bool]]] = []
    for place, step in enumerate(steps, start=1):
        judged.append(_judged(problem, judged[-1][1] if judged else [], place, step))
        if boxed(step) is not None or judged[-1][0].endswith(WRONG):
            break
    return judged


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """The next person decided, what follows said right, and a party that fits still possible, for each step."""
    fits, count = problem.data["fits"], len(problem.data["people"])
    fine, verdicts = True, []
    for line, chosen in _attempt(problem, steps):
        against = _true(tuple((i, not comes) for i, comes in enumerate(chosen)), count)
        fine = fine and line.endswith(RIGHT) and fits & ~against != 0
        verdicts.append(fine)
    return verdicts + [False] * (len(steps) - len(verdicts))


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """What follows from each choice, worked out again, up to a wish that is lost; then whether every wish is true.

    >>> review(parse("Who comes? Wishes: Al/Bo, not Al/Bo"), ["Al: yes, so Bo", "Bo: no, so nothing"])
    ['Step 1: Al yes, so Bo, right.', 'Step 2: not Al/Bo is lost, wrong.']
    """
    lines = [line for line, _ in _attempt(problem, steps)]
    ended = lines and (lines[-1].startswith("Answer") or lines[-1].endswith(WRONG))
    return lines if ended else [*lines, f"Answer: none{WRONG}"]


ACCENT, BAD = "var(--accent, #2563eb)", "var(--bad, #b91c1c)"
COMES, OPEN = ("✓", f'stroke="{ACCENT}" stroke-width="2"'), ("?", 'stroke="currentColor"')
STAYS = ("–", f'stroke="{ACCENT}" stroke-dasharray="4"')


def draw(problem: Problem, steps: Sequence[str]) -> str:
    """The people (✓ comes, – stays, ? open) over the wishes: true parts ticked, false ones struck out, lost wishes crossed."""
    people, wishes, body = problem.data["people"], problem.data["wishes"], list[str]()
    line, chosen = ([("", []), *_attempt(problem, steps)])[-1]
    for i, name in enumerate(people):
        x, y, (mark, frame) = 8 + i % 3 * 104, 8 + i // 3 * 28, (COMES if chosen[i] else STAYS) if i < len(chosen) else OPEN
        body.append(f'<rect x="{x}" y="{y}" width="96" height="22" rx="11" fill="none" {frame}/>')
        body.append(f'<text x="{x + 48}" y="{y + 16}" text-anchor="middle">{escape(name)} {mark}</text>')
    y += 52
    for wish in wishes:
        true, open_parts = _state(wish, chosen)
        mark, colour = ("✓", ACCENT) if true else ("·", "currentColor") if open_parts else ("✗", BAD)
        parts = " or ".join(_part(people, part, chosen) for part in wish)
        row = BAD if colour == BAD else "currentColor"
        body.append(f'<text x="8" y="{y}" fill="{colour}">{mark}<tspan x="26" fill="{row}">{parts}</tspan></text>')
        y += 18
    if line.endswith(WRONG):
        said = line.removesuffix(WRONG).replace(": ", " wrong. True: ", 1)
        said = said if len(said) < 49 else said[:47] + "…"
        body.append(f'<text x="8" y="{y + 6}" fill="{BAD}" font-size="12">✗<tspan x="26">{escape(said)}</tspan></text>')
    width = max(320, *(26 + 7 * len(_spelt([wish], people)) + 28 * len(wish) for wish in wishes))
    label = f"{sum(_state(wish, chosen)[0] for wish in wishes)} of {len(wishes)} wishes are true. {line}"
    head = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + 14}" role="img" aria-label="{escape(label)}"'
    return f'<svg {head} font-family="system-ui" font-size="13" fill="currentColor">{"".join(body)}</svg>'


def _part(people: Sequence[str], part: tuple[int, bool], chosen: Sequence[bool]) -> str:
    """One part of a wish, ticked if it is true and struck out if it is false."""
    words, (true, open_parts) = escape(_spelt([(part,)], people)), _state((part,), chosen)
    if true:
        return f'<tspan fill="{ACCENT}">{words} ✓</tspan>'
    return words if open_parts else f'<tspan text-decoration="line-through" opacity="0.7">{words}</tspan>'
