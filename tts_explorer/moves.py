"""What a strategy may ask for, and how its settings are described. Every move takes nodes and is answered with nodes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
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
    """Judge every node without a reward on the path to each of `nodes`; answered with `nodes`, twins merged."""

    nodes: Sequence[Node]


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


Move = Expand | Score | Prune | Select | Note
Search = Generator[Move, list[Node], None]
"""A running strategy: yields moves, is sent nodes, returns when it has nothing more to try."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A whole-number setting: its range, both ends allowed, and its effect in one sentence."""

    low: int
    high: int
    effect: str


Samples = Annotated[int, Setting(1, 256, "Samples drawn in each iteration; more samples cost more and find more.")]
BeamWidth = Annotated[int, Setting(1, 64, "Steps tried after each kept one (M); n / M are kept, so it must divide n.")]
Depth = Annotated[int, Setting(1, 64, "Iterations at most; the last one writes each answer to its end.")]


def shares(n: int, k: int) -> list[int]:
    """Divide n samples among k beams: the first n mod k get one more.

    >>> shares(16, 3)
    [6, 5, 5]
    """
    return [n // k + (i < n % k) for i in range(k)]


def require_divides(beam_width: int, n: int) -> None:
    """Raise BadSetting unless `beam_width` divides `n`."""
    if n % beam_width:
        fits = [m for m in range(1, n + 1) if n % m == 0]
        raise BadSetting(f"beam_width is {beam_width} and n is {n}: beam_width must divide n, so choose one of {fits}")


def require_setting(name: str, value: Any, setting: Setting) -> int:
    """`value` as a whole number in range. Raises BadSetting with the value and the range."""
    whole = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str) and value.strip().removeprefix("-").isdecimal() and len(value) < 20:
        whole = int(value)
    if whole is None or not setting.low <= whole <= setting.high:
        raise BadSetting(f"{name} is {value!r}: it must be a whole number from {setting.low} to {setting.high}")
    return whole
