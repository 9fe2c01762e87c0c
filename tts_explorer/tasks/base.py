"""The seam of tasks: a problem, its split, and what every task module offers.

A task is a module of functions (`Task` below lists them), found by its file's name. It knows nothing of models,
trees or strategies: it makes problems, reads a visitor's words, extracts and grades answers, checks steps.
"""

from __future__ import annotations

import hashlib
import random
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, Protocol, get_args

from tts_explorer.errors import BadSetting

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
LEVELS = (1, 2, 3, 4, 5)
DELIMITER = "\n\n"
"""Ends every step; part of the step's text."""

RIGHT, WRONG = ", right.", ", wrong."
"""How a line of a written check ends."""

GIVE_UP = 20_000
"""Draws in a row that were all of another split or seen before: the level is used up, repeats are let through."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One question. `key` is canonical (its numbers, not its wording) and decides the split; `data` is the task's own."""

    task: str
    text: str
    truth: str
    """An answer known to be right, in the task's own spelling."""
    key: str
    data: Any
    level: int | None = None
    id: str = ""
    """`split/level/index` for a generated problem, empty for a typed one."""


class Task(Protocol):
    """What a module in `tasks/` offers.

    It may offer two functions more: `reworded(text, rng)`, the same problem in other words, and `draw(problem, steps)`, the
    problem and an attempt at it as one SVG, where a picture helps.
    """

    NAME: str
    TITLE: str
    ORACLE: bool
    """Whether `check` needs a known solution, so that as a verifier it is an oracle."""

    def draw_problem(self, rng: random.Random, level: int) -> Problem: ...

    def parse(self, text: str) -> Problem | None:
        """Read a visitor's own words; None when this task can't."""

    def answer(self, text: str) -> str | None:
        """The final answer in `text`, or None."""

    def canonical(self, answer: str) -> str:
        """The one spelling that equal answers share: people read it, and `grade` takes it."""

    def grade(self, problem: Problem, text: str) -> bool:
        """Whether the answer `text` (or the answer in the solution `text`) is right."""

    def check(self, problem: Problem, steps: Sequence[str]) -> list[bool]:
        """For each step: everything so far is valid and a right answer is still reachable."""

    def solve(self, problem: Problem, rng: random.Random) -> list[str]:
        """A right solution: steps with their closing delimiter, then the final line."""

    def review(self, problem: Problem, steps: Sequence[str]) -> list[str]:
        """A check in words, which the bundled models learn to write: a line a step, up to and with the first mistake.

        A line ends in `RIGHT` or `WRONG`.
        """


def split_of(task: str, key: str) -> Split:
    """The split that a canonical problem belongs to, for ever: 10% test, 5% validation, the rest train."""
    bucket = int.from_bytes(hashlib.blake2b(f"{task}:{key}".encode(), digest_size=4).digest(), "big") % 100
    return "test" if bucket < 10 else "validation" if bucket < 15 else "train"


def problems(task: Task, split: Split, level: int) -> Iterator[Problem]:
    """The problems of (task, split, level): endless, always the same, distinct while there are new ones.

    Raises BadSetting for an unknown split or level.
    """
    if split not in SPLITS:
        raise BadSetting("no split {split!r}: choose one of {known}", split=split, known=", ".join(SPLITS))
    if level not in LEVELS:
        raise BadSetting("no level {level!r}: choose one of {low} to {high}", level=level, low=LEVELS[0], high=LEVELS[-1])
    return _drawn(task, split, level)


def _drawn(task: Task, split: Split, level: int) -> Iterator[Problem]:
    rng = random.Random(f"{task.NAME}/{split}/{level}")
    seen: set[str] = set()
    index = misses = 0
    while True:
        problem = task.draw_problem(rng, level)
        repeat = problem.key in seen and misses <= GIVE_UP
        if repeat or split_of(task.NAME, problem.key) != split:
            misses += 1
            continue
        seen.add(problem.key)
        yield Problem(problem.task, problem.text, problem.truth, problem.key, problem.data, level, f"{split}/{level}/{index}")
        index, misses = index + 1, misses if misses > GIVE_UP else 0


def problem_at(task: Task, split: Split, level: int, index: int) -> Problem:
    """Problem number `index` (from 0) of (task, split, level). Raises BadSetting if `index` is negative or over 100,000."""
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= 100_000:
        raise BadSetting("index is {index}: it must be between 0 and 100000", index=index)
    return _numbered(task, split, level).at(index)


class _Numbered:
    """A stream of problems read as far as someone asked. Safe to share between threads."""

    def __init__(self, stream: Iterator[Problem]):
        self.stream, self.read, self.lock = stream, list[Problem](), threading.Lock()

    def at(self, index: int) -> Problem:
        with self.lock:
            self.read += islice(self.stream, max(0, index + 1 - len(self.read)))
            return self.read[index]


@lru_cache(maxsize=64)
def _numbered(task: Task, split: Split, level: int) -> _Numbered:
    return _Numbered(problems(task, split, level))


BOXED = re.compile(r"\\boxed\{([^{}]*)\}")


def boxed(text: str) -> str | None:
    """The content of the last `\\boxed{…}` in `text`, stripped; None without one.

    >>> boxed(r"so it is \\boxed{ 7 * 9 }.")
    '7 * 9'
    """
    found = BOXED.findall(text)
    return found[-1].strip() if found and found[-1].strip() else None
