r"""Arithmetic: word problems of several steps about one growing and shrinking pile of things.

One real example (level 2)::

    Ben has 7 apples. Ben buys 3 bags with 6 apples in each. Ben gives 4 apples to Mia. How many apples does Ben have now?

    3 * 6 = 18

    7 + 18 = 25

    25 - 4 = 21

    \boxed{21}

Each sentence is a template that is both written and read: `parse` inverts `draw_problem`, so a typed problem with other
names, things and numbers in these patterns is solved and graded too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "arithmetic"
TITLE = "Arithmetic: word problems"
ORACLE = True
RULES = {1: (2, 10), 2: (3, 20), 3: (4, 40), 4: (6, 60), 5: (8, 99)}
"""level: (sentences that change the pile, largest number in them)."""

PEOPLE = "Ann Ben Cara Dan Eva Finn Gus Hana Ivan Jill Kai Lena Max Mia Noah Olga Pia Raj Sam Tess Uma Vera Will Zoe".split()
THINGS = "apples books cards coins eggs marbles pens shells stamps stickers stones tickets toys trees cups keys".split()

STARTS = ("{who} has {a} {things}.", "{who} starts with {a} {things}.", "At first {who} owns {a} {things}.")
CHANGES = {
    "{who} buys {a} more {things}.": "+a",
    "{who} finds {a} {things}.": "+a",
    "{friend} gives {who} {a} {things}.": "+a",
    "{who} gives {a} {things} to {friend}.": "-a",
    "{who} loses {a} {things}.": "-a",
    "{who} sells {a} of the {things}.": "-a",
    "{who} buys {a} bags with {b} {things} in each.": "+a*b",
    "{who} gets {a} {things} from each of {b} friends.": "+a*b",
    "{who} gives {a} {things} to each of {b} friends.": "-a*b",
    "Then the pile of {things} grows to {a} times its size.": "*a",
    "{who} shares the {things} equally among {a} people and keeps one share.": "/a",
    "{friend} has {a} {things} too.": "",
    "Each of the {things} weighs {a} grams.": "",
}
"""sentence: what it does to the pile; empty for one that only distracts."""

QUESTIONS = (
    "How many {things} does {who} have now?",
    "How many {things} are left?",
    "How many {things} does {who} have in the end?",
)

Equation = tuple[int, str, int, int]


def draw_problem(rng: random.Random, level: int) -> Problem:
    """Draw a start, `RULES[level]` sentences and a question; totals stay between 1 and 999."""
    count, largest = RULES[level]
    who, friend = rng.sample(PEOPLE, 2)
    words = {"who": who, "friend": friend, "things": rng.choice(THINGS)}
    total = rng.randint(2, max(10, largest))
    sentences = [rng.choice(STARTS).format(a=total, **words)]
    done = distractors = 0
    while done < count:
        sentence, effect = rng.choice(list(CHANGES.items()))
        if not effect and (level < 3 or distractors == 2):
            continue
        a, b = _numbers(rng, effect, largest, total)
        equations = _effect(effect, a, b, total)
        if equations is None:
            continue
        sentences.append(sentence.format(a=a, b=b, **words))
        done, distractors = done + bool(effect), distractors + (not effect)
        total = equations[-1][3] if equations else total
    text = " ".join([*sentences, rng.choice(QUESTIONS).format(**words)])
    problem = parse(text)
    assert problem is not None, text
    return problem


def _numbers(rng: random.Random, effect: str, largest: int, total: int) -> tuple[int, int]:
    """Two numbers that suit `effect`: small factors, and a divisor of the pile where there is one."""
    if effect == "/a":
        return rng.choice([d for d in range(2, 10) if total % d == 0] or [0]), 0
    if effect == "*a":
        return rng.randint(2, 4), 0
    small = max(4, min(12, largest // 3))
    return (rng.randint(2, small), rng.randint(2, small)) if "b" in effect else (rng.randint(1, largest), 0)


def _effect(effect: str, a: int, b: int, total: int) -> list[Equation] | None:
    """The equations of one sentence; None if it takes the pile out of 1 to 999 or splits it unevenly."""
    equations: list[Equation] = []
    if effect == "":
        return equations
    if effect.endswith("a*b"):
        equations.append((a, "*", b, a * b))
        a = a * b
    op = effect[0]
    if op == "/" and (a < 2 or total % a):
        return None
    result = {"+": total + a, "-": total - a, "*": total * a, "/": total // a if op == "/" else 0}[op]
    equations.append((total, op, a, result))
    return equations if 1 <= result <= 999 else None


def _pattern(template: str) -> re.Pattern[str]:
    """A template as a regular expression with its slots as groups."""
    name = r"[A-Z][a-z]+"
    slots = {"a": r"\d{1,4}", "b": r"\d{1,4}", "things": r"[a-z]+", "who": name, "friend": name}
    pattern = re.escape(template.rstrip(".?"))
    for slot, regex in slots.items():
        pattern = pattern.replace(re.escape("{" + slot + "}"), f"(?P<{slot}>{regex})")
    return re.compile(pattern)


START_PATTERNS = [_pattern(template) for template in STARTS]
CHANGE_PATTERNS = [(_pattern(template), effect) for template, effect in CHANGES.items()]
QUESTION_PATTERNS = [_pattern(template) for template in QUESTIONS]


def parse(text: str) -> Problem | None:
    """Read sentences in the patterns above, all about one person's pile of one thing.

    None if a sentence is unknown or about another pile, or if a total leaves 1 to 999.

    >>> parse("Bo has 5 figs. Bo finds 3 figs. How many figs are left?").truth
    '8'
    """
    if len(text) > 2000:
        return None
    *body, question = [part.strip() for part in re.split(r"(?<=[.?])\s+", text.strip())] or [""]
    start = next((m for p in START_PATTERNS if body and (m := p.fullmatch(body[0].rstrip(".")))), None)
    asked = start and next((m for p in QUESTION_PATTERNS if (m := p.fullmatch(question.rstrip("?")))), None)
    if not asked or not _same_pile(start, asked):
        return None
    total, equations = int(start["a"]), []
    if not 1 <= total <= 999:
        return None
    for sentence in body[1:]:
        told = ((m, effect) for p, effect in CHANGE_PATTERNS if (m := p.fullmatch(sentence.rstrip("."))))
        found = next(((m, effect) for m, effect in told if _same_pile(start, m)), None)
        if found is None:
            return None
        match, effect = found
        new = _effect(effect, int(match["a"]), int(match.groupdict().get("b") or 0), total)
        if new is None:
            return None
        equations += new
        total = new[-1][3] if new else total
    key = " ".join(f"{a}{op}{b}" for a, op, b, _ in equations)
    return Problem(NAME, text.strip(), str(total), f"{start['a']} {key}", {"equations": tuple(equations)})


def _same_pile(start: re.Match[str], sentence: re.Match[str]) -> bool:
    """Whether a sentence is about the person and the things that `start` is about, and its friend is someone else."""
    said = sentence.groupdict()
    same = all(said.get(slot, start[slot]) == start[slot] for slot in ("who", "things"))
    return same and said.get("friend") != start["who"]


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """One equation a step, then the boxed number."""
    steps = [f"{a} {op} {b} = {c}{DELIMITER}" for a, op, b, c in problem.data["equations"]]
    return [*steps, f"\\boxed{{{problem.truth}}}"]


def answer(text: str) -> str | None:
    """The boxed number."""
    return boxed(text)


def canonical(answer: str) -> str:
    """The whole number in `answer` without leading zeros, commas or spaces; else the text itself.

    >>> canonical(" 1,200 ")
    '1200'
    """
    plain = answer.replace(",", "").strip()
    return str(int(plain)) if re.fullmatch(r"-?\d{1,18}", plain) else " ".join(answer.split())


def grade(problem: Problem, text: str) -> bool:
    """Right if the number equals the truth."""
    return canonical(answer(text) or text) == problem.truth


LINE = re.compile(r"(\d{1,18}) ([-+*/]) (\d{1,18}) = (\d{1,18})")


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """A step is right if all before it are and it is the next equation of the solution (+ and * may swap sides)."""
    equations, fine, verdicts = list(problem.data["equations"]), True, []
    for step in steps:
        if boxed(step) is not None:
            fine = fine and grade(problem, step)
        elif fine:
            found = LINE.fullmatch(step.strip())
            fine = found is not None and bool(equations) and _same(found.groups(), equations.pop(0))
        verdicts.append(fine)
    return verdicts


def _same(written: Sequence[str], equation: Equation) -> bool:
    a, op, b, c = int(written[0]), written[1], int(written[2]), int(written[3])
    swapped = op in "+*" and (b, op, a, c) == equation
    return (a, op, b, c) == equation or swapped


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """The equation that belongs in each step's place beside the number written there: `Step 2: 7 + 18 = 25, written 26, wrong.`

    The two numbers stand side by side because a tiny model that has to look one of them up can't tell whether they agree.

    >>> review(parse("Bo has 5 figs. Bo finds 3 figs. How many figs are left?"), ["5 + 3 = 9", "\\\\boxed{9}"])
    ['Step 1: 5 + 3 = 8, written 9, wrong.']
    """
    lines, fine = [], check(problem, steps)
    for place, (step, right) in enumerate(zip(steps, fine, strict=True)):
        if (boxed_text := boxed(step)) is not None:
            return [*lines, f"Answer: {problem.truth}, {_written(boxed_text)}{RIGHT if right else WRONG}"]
        equations = problem.data["equations"][place : place + 1]
        due = "{} {} {} = {}".format(*equations[0]) if equations else "nothing is left to do"
        lines.append(f"Step {place + 1}: {due}, {_written(step.partition('=')[2])}{RIGHT if right else WRONG}")
        if not right:
            return lines
    return [*lines, f"Answer: none{WRONG}"]


def _written(text: str) -> str:
    """The number that an attempt has there."""
    found = re.fullmatch(r"\D{0,20}(\d{1,18})", text.strip())
    return f"written {int(found[1])}" if found else "no number"
