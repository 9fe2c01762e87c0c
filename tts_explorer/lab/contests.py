"""What the evidence of the ladder says: who beats whom at what cost, where search does not help, which strategy is best where.

One figure is above another when their 95% intervals lie apart, and else it isn't said to be. Nothing is run or drawn here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tts_explorer.intervals import wilson
from tts_explorer.lab.evidence import SAMPLE, Evidence, Measured
from tts_explorer.lab.ladder import LEVEL
from tts_explorer.lab.rungs import Rung, specialty
from tts_explorer.lab.table import GREEDY

EQUAL = 16
"""The n at which strategies are set against one another."""
CLASSES = ("easy", "medium", "hard")
EASY, HARD = 0.5, 0.1
"""A policy's own pass@1: easy from the one on, hard below the other."""
Place = tuple[str, int]
"""A family and its level."""


def above(one: Measured, other: Measured) -> bool:
    """Whether the intervals lie apart, the one's over the other's."""
    return one.low > other.high


@dataclass(frozen=True, slots=True)
class Contest:
    """A search by a smaller policy against the greedy answer of a larger one."""

    search: Measured
    greedy: Measured
    ratio: float
    """FLOPs of a token, the larger over the smaller."""

    @property
    def special(self) -> bool:
        """Whether the smaller one knows this family only."""
        return specialty(self.search.policy) is not None

    @property
    def won(self) -> bool:
        return above(self.search, self.greedy)

    @property
    def spent(self) -> float:
        """FLOPs of the search, the verifier's among them, over those of the greedy answer."""
        return self.search.flops / self.greedy.flops

    @property
    def thrifty(self) -> bool:
        """Whether it was won at no more FLOPs."""
        return self.won and self.spent <= 1


def contests(evidence: Evidence, family: str) -> Iterator[Contest]:
    """Every one on `family`, at the level where policies are set against one another."""
    for large in evidence.policies:
        greedy = greedy_of(evidence, large, family)
        for small in evidence.policies if greedy else ():
            if small.parameters < large.parameters and large.family is None:
                cells = evidence.of(small.name, family, LEVEL)
                yield from (Contest(cell, greedy, large.flops / small.flops) for cell in cells if cell.searches)


def greedy_of(evidence: Evidence, policy: Rung, family: str, level: int = LEVEL) -> Measured | None:
    """A policy's greedy answers there, if they were measured."""
    return next((cell for cell in evidence.of(policy.name, family, level) if cell.strategy == GREEDY), None)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Accuracy over several levels, each problem of the same weight, with its 95% interval."""

    accuracy: float
    low: float
    high: float


def pooled_greedy(evidence: Evidence, policy: Rung, family: str, levels: Sequence[int]) -> Pooled | None:
    """A policy's greedy answers on all these levels together, if they were measured on each."""
    cells = [greedy_of(evidence, policy, family, level) for level in levels]
    known = [cell for cell in cells if cell is not None]
    if len(known) < len(cells):
        return None
    correct, total = sum(cell.correct for cell in known), sum(cell.total for cell in known)
    return Pooled(correct / total, *wilson(correct, total))


def thriftiest(among: Iterable[Contest]) -> Contest | None:
    """The win at no more FLOPs that bridges the largest ratio; of such the most accurate."""
    won = [contest for contest in among if contest.thrifty]
    return max(won, key=lambda contest: (contest.ratio, contest.search.accuracy, -contest.spent), default=None)


def farthest(among: Iterable[Contest]) -> Contest | None:
    """The win at whatever cost that bridges the largest ratio; of such the cheapest."""
    won = [contest for contest in among if contest.won]
    return max(won, key=lambda contest: (contest.ratio, -contest.spent), default=None)


def nearest(among: Iterable[Contest]) -> Contest | None:
    """The one that came nearest to a win."""
    return max(among, key=lambda contest: contest.search.low - contest.greedy.high, default=None)


@dataclass(frozen=True, slots=True)
class Harm:
    """The best search that asks a model for scores, and what does better without: greedy, or a majority of no more samples."""

    scored: Measured
    other: Measured

    @property
    def apart(self) -> bool:
        return above(self.other, self.scored)

    @property
    def loss(self) -> float:
        return self.other.accuracy - self.scored.accuracy


def places(evidence: Evidence) -> list[tuple[Rung, Place]]:
    """Every policy on every level of a family that it was measured on."""
    found = dict.fromkeys((cell.policy, (cell.task, cell.level)) for cell in evidence.cells)
    order = {rung.name: rung for rung in evidence.policies}
    return sorted(((order[name], place) for name, place in found), key=lambda pair: (list(order).index(pair[0].name), pair[1]))


def compared(evidence: Evidence) -> Iterator[tuple[Measured, Measured]]:
    """For every place that has both: the best search that asks a model for scores, and the best that asks none."""
    for policy, place in places(evidence):
        cells = [cell for cell in evidence.of(policy.name, *place) if not cell.checked]
        scored = [cell for cell in cells if cell.verifier is not None]
        most = max((cell.n for cell in scored), default=0)
        others = [cell for cell in cells if cell.verifier is None and cell.how != SAMPLE and cell.n <= most]
        if scored and others:
            yield tuple(max(side, key=lambda cell: (cell.accuracy, -cell.flops)) for side in (scored, others))


def harms(evidence: Evidence) -> list[Harm]:
    """Where the verifier's best is below what needs none; intervals apart first, then by how much is lost."""
    found = [Harm(scored, other) for scored, other in compared(evidence) if other.accuracy > scored.accuracy]
    return sorted(found, key=lambda harm: (not harm.apart, -harm.loss))


@dataclass(frozen=True, slots=True)
class Square:
    """What is best for a policy on problems of one difficulty, all strategies with the same n."""

    policy: Rung
    difficulty: str
    places: tuple[Place, ...]
    best: tuple[str, ...]
    """The best strategy, then those whose intervals overlap with its."""
    accuracy: float
    greedy: float

    @property
    def gain(self) -> float:
        return self.accuracy - self.greedy


def difficulty(share: float) -> str:
    """Of a policy's own pass@1.

    >>> difficulty(0.5), difficulty(0.1), difficulty(0.09)
    ('easy', 'medium', 'hard')
    """
    return CLASSES[(share < EASY) + (share < HARD)]


def squares(evidence: Evidence) -> list[Square]:
    """One for each policy and difficulty of which there are problems that it searched, no program at hand; policies by size."""
    found: dict[tuple[str, str], list[Place]] = {}
    for policy, place in places(evidence):
        cells = evidence.of(policy.name, *place)
        alone = [cell for cell in cells if cell.how == SAMPLE]
        if alone and any(cell.searches and not cell.checked and cell.n == EQUAL for cell in cells):
            found.setdefault((policy.name, difficulty(alone[0].accuracy)), []).append(place)
    made = [
        square(evidence, policy, kind, found[policy.name, kind])
        for policy in evidence.policies
        for kind in CLASSES
        if (policy.name, kind) in found
    ]
    return [one for one in made if one is not None]


def square(evidence: Evidence, policy: Rung, kind: str, where: Sequence[Place]) -> Square | None:
    """The mean over `where` of each strategy that was measured on all of it; None without greedy or without a search."""
    cells = {place: evidence.of(policy.name, *place) for place in where}
    names = dict.fromkeys(cell.how for some in cells.values() for cell in some if cell.how != SAMPLE and not cell.checked)
    means = {name: mean for name in names if (mean := _mean([_best(some, name) for some in cells.values()])) is not None}
    if GREEDY not in means or len(means) < 2:
        return None
    ranked = sorted(means, key=lambda name: -means[name][0])
    accuracy, low, _ = means[ranked[0]]
    rivals = [name for name in ranked[1:] if means[name][2] >= low]
    return Square(policy, kind, tuple(where), (ranked[0], *rivals), accuracy, means[GREEDY][0])


def _best(cells: Sequence[Measured], how: str) -> Measured | None:
    """A strategy's best cell of the common n; greedy has no n."""
    fit = [cell for cell in cells if cell.how == how and cell.n == (1 if how == GREEDY else EQUAL)]
    return max(fit, key=lambda cell: cell.accuracy, default=None)


def _mean(cells: Sequence[Measured | None]) -> tuple[float, float, float] | None:
    """Mean accuracy and its interval, each place of the same weight; of one place its own. None if one was not measured."""
    known = [cell for cell in cells if cell is not None]
    if len(known) < len(cells):
        return None
    middle = math.fsum(cell.accuracy for cell in known) / len(known)
    low = math.hypot(*(cell.accuracy - cell.low for cell in known)) / len(known)
    high = math.hypot(*(cell.high - cell.accuracy for cell in known)) / len(known)
    return middle, middle - low, middle + high
