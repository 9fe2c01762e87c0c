r"""Countdown: reach a target with the given numbers, each used once (NP-hard in the number of numbers).

One real example (level 3)::

    Use 3, 7, 12 and 25, each once, with + - * / to make 64.

    25 - 12 = 13, left: 3 7 13

    13 * 7 = 91, left: 3 91
    …
    \boxed{…}

The answer is an expression; it is right if it uses each number exactly once and equals the target. Generated problems have
a solution whose intermediate results are whole and not negative; the grader and `check` take any fraction.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from fractions import Fraction

from tts_explorer.expressions import applied, normal_form, reachable, read_expression, value_of
from tts_explorer.tasks.base import DELIMITER, RIGHT, WRONG, Problem, boxed

NAME = "countdown"
TITLE = "Countdown: make a target from numbers"
ORACLE = False
RULES = {1: (3, 20, 60), 2: (3, 50, 200), 3: (4, 25, 100), 4: (5, 25, 200), 5: (6, 50, 500)}
"""level: (how many numbers, largest number, largest target)."""

WORDINGS = (
    "Use {numbers}, each once, with + - * / to make {target}.",
    "Make {target} from {numbers}, using each number once and + - * /.",
    "With {numbers}, each used exactly once, and + - * /, reach {target}.",
)
MAX_NUMBERS, MAX_VALUE = 6, 9999

Step = tuple[int, str, int, int]
"""(a, operator, b, result)."""


def draw_problem(rng: random.Random, level: int) -> Problem:
    """Draw numbers, combine them at random into a target of at least 10; a solution therefore exists."""
    count, largest, target_max = RULES[level]
    while True:
        numbers = [rng.randint(1, largest) for _ in range(count)]
        steps = _random_steps(rng, numbers)
        if steps and 10 <= steps[-1][3] <= target_max and steps[-1][3] not in numbers:
            return _problem(numbers, steps[-1][3], steps, rng.choice(WORDINGS))


def _problem(numbers: list[int], target: int, steps: list[Step] | None, wording: str) -> Problem:
    listed = ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
    key = f"{' '.join(map(str, sorted(numbers)))} -> {target}"
    truth = _expression(steps) if steps else ""
    data = {"numbers": tuple(numbers), "target": target, "steps": tuple(steps or ())}
    return Problem(NAME, wording.format(numbers=listed, target=target), truth, key, data)


def _random_steps(rng: random.Random, numbers: list[int]) -> list[Step] | None:
    """Combine two of the pool until one is left; None if a result grows over 999."""
    pool, steps = list(numbers), []
    while len(pool) > 1:
        a, b = (pool.pop(rng.randrange(len(pool))) for _ in range(2))
        a, b = max(a, b), min(a, b)
        ops = [("+", a + b), ("-", a - b), ("*", a * b)]
        if b > 1 and a % b == 0:
            ops.append(("/", a // b))
        ops = [(op, c) for op, c in ops if 0 < c <= 999 and not (op == "*" and b == 1)]
        if not ops:
            return None
        op, c = rng.choice(ops)
        steps.append((a, op, b, c))
        pool.append(c)
    return steps


def solve(problem: Problem, rng: random.Random) -> list[str]:
    """The solution that the problem was made from, one operation a step, then the boxed expression."""
    pool, lines = list(problem.data["numbers"]), []
    for a, op, b, c in problem.data["steps"]:
        pool.remove(a)
        pool.remove(b)
        pool.append(c)
        lines.append(f"{a} {op} {b} = {c}, left: {' '.join(map(str, sorted(pool)))}{DELIMITER}")
    return [*lines, f"\\boxed{{{_expression(problem.data['steps'])}}}"]


def _expression(steps: Sequence[Step]) -> str:
    """Write `steps` as one expression, with the parentheses that it needs.

    >>> _expression([(25, "-", 12, 13), (13, "*", 7, 91), (91, "-", 3, 88)])
    '(25 - 12) * 7 - 3'
    """
    made: list[tuple[int, str, str]] = []  # value, expression, its outermost operator

    def take(value: int) -> tuple[str, str]:
        for i in range(len(made) - 1, -1, -1):
            if made[i][0] == value:
                _, text, op = made.pop(i)
                return text, op
        return str(value), ""

    for a, op, b, c in steps:
        (left, left_op), (right, right_op) = take(a), take(b)
        if op in "*/" and left_op in ("+", "-"):
            left = f"({left})"
        if (op in "*/" and right_op in ("+", "-")) or (op == "-" and right_op in ("+", "-")) or (op == "/" and right_op):
            right = f"({right})"
        made.append((c, f"{left} {op} {right}", op))
    return made[-1][1] if made else ""


ASKS = re.compile(r"\b(make|makes|making|reach|get|obtain|equals?|target|total)\b\D{0,20}(\d+)", re.IGNORECASE)


def parse(text: str) -> Problem | None:
    """Read "use 3, 7 and 25 to make 46" in any words: a verb of reaching before the target, the other numbers in order.

    >>> parse("make 24 with 4 6 8").data["numbers"]
    (4, 6, 8)
    """
    read = _numbers(text)
    if read is None:
        return None
    numbers, target = read
    steps = _found(tuple(sorted(numbers)), target)
    worded = (made for wording in WORDINGS if (made := _problem(numbers, target, steps, wording)).text == text.strip())
    return next(worded, _problem(numbers, target, steps, WORDINGS[0]))


def _numbers(text: str) -> tuple[list[int], int] | None:
    """The numbers in their order, and the target."""
    goal = ASKS.search(text)
    if goal is None or len(text) > 400:
        return None
    words = [(m.start(), m.group()) for m in re.finditer(r"\d+", text)]
    if any(len(word) > 4 for _, word in words):
        return None
    numbers = [int(word) for at, word in words if at != goal.start(2)]
    if not 2 <= len(numbers) <= MAX_NUMBERS or min(numbers) < 1:
        return None
    return numbers, int(goal.group(2))


def reworded(text: str, rng: random.Random) -> str:
    """The same problem with its numbers in another order and in another of the wordings."""
    read = _numbers(text)
    if read is None:
        return text
    return _problem(rng.sample(read[0], len(read[0])), read[1], None, rng.choice(WORDINGS)).text


def _found(pool: tuple[int, ...], target: int) -> list[Step] | None:
    """A solution in whole numbers, or None if there is none."""
    if len(pool) == 1:
        return [] if pool[0] == target else None
    for i in range(len(pool)):
        for j in range(i):
            a, b = max(pool[i], pool[j]), min(pool[i], pool[j])
            rest = pool[:j] + pool[j + 1 : i] + pool[i + 1 :]
            results = [("+", a + b), ("*", a * b), ("-", a - b)] + ([("/", a // b)] if b and a % b == 0 else [])
            for op, c in results:
                smaller = tuple(sorted((*rest, c)))
                if reachable(smaller, target) and (tail := _found(smaller, target)) is not None:
                    return [(a, op, b, c), *tail]
    return None


def answer(text: str) -> str | None:
    """The boxed expression."""
    return boxed(text)


def canonical(answer: str) -> str:
    """Equal but for the order of sums and products: `7 * (25 - 12)` equals `(25 - 12) * 7`.

    >>> canonical("3 + 7 * 2") == canonical("(2 * 7) + 3")
    True
    """
    try:
        return normal_form(read_expression(answer))
    except (SyntaxError, ValueError, RecursionError):
        return " ".join(answer.split())


def grade(problem: Problem, text: str) -> bool:
    """Right if the expression uses each number exactly once and equals the target.

    >>> grade(parse("make 46 with 3 7 25"), r"\\boxed{3 * 7 + 25}")
    True
    """
    used: list[int] = []
    try:
        value = value_of(read_expression(answer(text) or text), used)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return value == problem.data["target"] and sorted(used) == sorted(problem.data["numbers"])


LINE = re.compile(r"(\d{1,30}) ([-+*/]) (\d{1,30}) = (\d{1,30}), left: ((?:\d{1,30} )*\d{1,30})")


def check(problem: Problem, steps: Sequence[str]) -> list[bool]:
    """Valid so far and the target still reachable, for each step; the boxed line is right or wrong as an answer.

    A correct operation whose result is a fraction or negative is outside the step format and counts as invalid.
    """
    pool, fine, verdicts = sorted(problem.data["numbers"]), True, []
    for step in steps:
        if boxed(step) is not None:
            fine = fine and grade(problem, step)
        else:
            after = _after(pool, step) if fine else None
            fine = after is not None and reachable(tuple(after), problem.data["target"])
            pool = after or pool
        verdicts.append(fine)
    return verdicts


def _after(pool: list[int], step: str) -> list[int] | None:
    """The sorted pool after `step`, or None if the step is not a valid operation on `pool`."""
    found = LINE.fullmatch(step.strip())
    if found is None or len(pool) < 2:
        return None
    a, op, b, c = int(found[1]), found[2], int(found[3]), int(found[4])
    after = list(pool)
    for number in (a, b):
        if number not in after:
            return None
        after.remove(number)
    after = sorted([*after, c])
    right = (op != "/" or b != 0) and applied(Fraction(a), op, Fraction(b)) == c
    return after if right and after == sorted(map(int, found[5].split())) else None


def review(problem: Problem, steps: Sequence[str]) -> list[str]:
    """Each operation worked out again, then the answer: `Step 2: 126 - 37 = 89, wrong.`

    >>> review(parse("make 76 with 3 37 42"), ["42 * 3 = 126, left: 37 126", "126 - 37 = 76, left: 76", "\\\\boxed{42 * 3 - 37}"])
    ['Step 1: 42 * 3 = 126, right.', 'Step 2: 126 - 37 = 89, wrong.']
    """
    pool, lines = sorted(problem.data["numbers"]), []
    for place, step in enumerate(steps, start=1):
        if boxed(step) is not None:
            return [*lines, _reviewed_answer(problem, step)]
        said = f"Step {place}: {_worked_out(pool, step)}"
        after = _after(pool, step)
        lines.append(said + (WRONG if after is None else RIGHT))
        if after is None:
            return lines
        pool = after
    return [*lines, f"Answer: none{WRONG}"]


def _worked_out(pool: list[int], step: str) -> str:
    """The operation of `step` with its true result; if that is not the trouble, what is."""
    found = LINE.fullmatch(step.strip())
    if found is None or len(pool) < 2:
        return "no operation"
    a, op, b = int(found[1]), found[2], int(found[3])
    rest = list(pool)
    for number in (a, b):
        if number not in rest:
            return f"{number} is not left"
        rest.remove(number)
    if op == "/" and b == 0:
        return "division by 0"
    result = applied(Fraction(a), op, Fraction(b))
    if result != int(found[4]):
        return f"{a} {op} {b} = {result}"
    return f"{a} {op} {b} = {result}" + ("" if _after(pool, step) else f", left: {' '.join(map(str, sorted([*rest, result])))}")


def _reviewed_answer(problem: Problem, step: str) -> str:
    """What the boxed expression uses and makes."""
    used: list[int] = []
    try:
        value = value_of(read_expression(boxed(step) or ""), used)
    except (SyntaxError, ValueError, RecursionError):
        return f"Answer: no expression{WRONG}"
    said = f"Answer: {' '.join(map(str, sorted(used)))} make {value}"
    return said + (RIGHT if grade(problem, step) else WRONG)
