"""What a strategy may ask for, and how its settings are described. Every move takes nodes and is answered with nodes."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from tts_explorer.errors import BadSetting
from tts_explorer.tree import Node


@dataclass(frozen=True, slots=True)
class Expand:
    """Sample next steps after each of `nodes`: `n` each, or one count a node. Answered flat, in the order of `nodes`.

    `to_end` samples to the end of the answer as a chain of one node a step, answered with the last node of each.
    """

    nodes: Sequence[Node]
    n: int | Sequence[int] = 1
    to_end: bool = False
    greedy: bool = False

    @property
    def counts(self) -> list[int]:
        """How many for each node. Raises ValueError if `n` is a list of another length."""
        counts = [self.n] * len(self.nodes) if isinstance(self.n, int) else list(self.n)
        if len(counts) != len(self.nodes) or any(count < 0 for count in counts):
            raise ValueError(f"Expand got {len(self.nodes)} nodes and the counts {counts}: one count of 0 or more a node")
        return counts


@dataclass(frozen=True, slots=True)
class Score:
    """Judge every node without a reward on the path to each of `nodes`; answered with `nodes`, twins merged.

    `votes` verdicts are asked of a generative verifier, or as many as are missing. With `lookahead` = k, k greedy steps are
    written after each unfinished node, and the reward at their end is the node's. Without `merge` twins stay what they are:
    of particles, two equal ones stand for twice the probability.
    """

    nodes: Sequence[Node]
    votes: int = 1
    lookahead: int = 0
    merge: bool = True


Giver = Literal["verifier", "self", "truth"]
"""Who finds fault with an attempt: the verifier, the model in words, or the known answer (an upper bound)."""


@dataclass(frozen=True, slots=True)
class Revise:
    """Get feedback on each of the finished `nodes`, and `n` new attempts at each that isn't accepted, as chains under the root.

    Answered with the last nodes of the new attempts: none if all were accepted.
    """

    nodes: Sequence[Node]
    n: int = 1
    feedback: Giver = "verifier"


@dataclass(frozen=True, slots=True)
class Prune:
    """Give up on `nodes`; answered with the same nodes, pruned."""

    nodes: Sequence[Node]
    reason: str


@dataclass(frozen=True, slots=True)
class Select:
    """Announce that the search turns to `nodes`, with numbers for each where they mean something."""

    nodes: Sequence[Node]
    visits: Sequence[int] | None = None
    values: Sequence[float] | None = None
    weights: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Say something to the reader; answered with no nodes."""

    message: str
    level: Literal["info", "warning"] = "info"

    @property
    def nodes(self) -> Sequence[Node]:
        return ()


Move = Expand | Score | Revise | Prune | Select | Note
Search = Generator[Move, list[Node], None]
"""A running strategy: yields moves, is sent nodes, returns when it has nothing more to try."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A number's range, both ends allowed, and its effect in one sentence. `step` is a slider's; with 1, whole numbers only."""

    low: float
    high: float
    effect: str
    step: float = 1


@dataclass(frozen=True, slots=True)
class Choice:
    """A word out of several, and the effect in one sentence."""

    options: tuple[str, ...]
    effect: str


Samples = Annotated[int, Setting(1, 256, "Samples drawn in each iteration; more samples cost more and find more.")]
BeamWidth = Annotated[int, Setting(1, 64, "Steps tried after each kept one (M); n / M are kept, so it must divide n.")]
Depth = Annotated[int, Setting(1, 64, "Iterations at most; the last one writes each answer to its end.")]
Expansions = Annotated[int, Setting(1, 256, "Steps sampled after the problem, and nodes expanded at most, the problem included.")]
Branching = Annotated[int, Setting(1, 64, "Steps sampled after each expanded node but the problem (M).")]


DIVIDES = "beam_width is {beam_width} and n is {n}: beam_width must divide n, so choose one of {fits}"
WHOLE = "{name} is {value!r}: it must be a whole number from {low} to {high}"
NUMBER = "{name} is {value!r}: it must be a number from {low} to {high}"


def shares(n: int, k: int) -> list[int]:
    """Divide n samples among k beams: the first n mod k get one more.

    >>> shares(16, 3)
    [6, 5, 5]
    """
    return [n // k + (i < n % k) for i in range(k)]


def portions(n: int, weights: Sequence[float]) -> list[int]:
    """Divide n samples in proportion to `weights`, which sum to 1: by largest remainder, ties to the earlier.

    >>> portions(16, [0.6, 0.3, 0.1])
    [10, 5, 1]
    """
    counts = [math.floor(n * weight) for weight in weights]
    by_remainder = sorted(range(len(counts)), key=lambda i: round(counts[i] - n * weights[i], 9))
    for i in by_remainder[: n - sum(counts)]:
        counts[i] += 1
    return counts


def softmax(scores: Sequence[float], temperature: float = 1.0) -> list[float]:
    """exp(score / temperature), scaled to sum to 1. A score of −inf weighs nothing, unless there is no other.

    >>> softmax([0.5, 0.5, float("-inf")])
    [0.5, 0.5, 0.0]
    """
    best = max(scores, default=0.0)
    weights = [1.0 if score == best else math.exp((score - best) / temperature) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]


def require_divides(beam_width: int, n: int) -> None:
    """Raise BadSetting unless `beam_width` divides `n`."""
    if n % beam_width:
        fits = [m for m in range(1, n + 1) if n % m == 0]
        raise BadSetting(DIVIDES, beam_width=beam_width, n=n, fits=fits)


def require_setting(name: str, value: Any, setting: Setting) -> float:
    """`value` as a number in range, whole where the setting is. Raises BadSetting with the value and the range."""
    whole = setting.step == 1
    number = _number(value)
    if number is None or (whole and not isinstance(number, int)) or not setting.low <= number <= setting.high:
        raise BadSetting(WHOLE if whole else NUMBER, name=name, value=value, low=setting.low, high=setting.high)
    return number if whole else float(number)


def require_choice(name: str, value: Any, choice: Choice) -> str:
    """`value`, if it is one of the options. Raises BadSetting with the value and the options."""
    if value not in choice.options:
        raise BadSetting(
            "{name} is {value!r}: it must be one of {options}", name=name, value=value, options=", ".join(choice.options)
        )
    return value


def _number(value: Any) -> float | None:
    """The number that `value` is or spells; None if it is none."""
    if isinstance(value, str) and len(value) < 20 and "_" not in value:
        if value.strip().removeprefix("-").isdecimal():
            return int(value)
        with suppress(ValueError):
            return float(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
