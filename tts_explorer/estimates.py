"""What k answers would have been worth, for every k ≤ n, estimated from one run of n; and the report over repeated runs.

Each estimator is the expected grade of what `answers.select` chooses from k of the n answers, drawn without replacement
and kept in their order: equal answers share one spelling, an answer that is missing never wins, a tie goes to the earlier
answer, a score of −inf has no weight, and where no answer drawn has a score frequency decides. Nothing here calls a model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np

from tts_explorer.errors import BadSetting
from tts_explorer.tree import SearchTree

EXACT = 10_000
"""The most subsets that are all looked at; of more, `DRAWS` are drawn."""
DRAWS = 2_000
"""A single problem's standard error is then at most 1.1 points."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One sampled answer: its group's spelling (None or empty: it has none), its score, whether it is right."""

    answer: str | None
    score: float = -math.inf
    """Finite, or −inf where the verifier failed or was never asked."""
    correct: bool = False

    def __post_init__(self) -> None:
        if math.isnan(self.score) or self.score == math.inf:
            raise ValueError(f"a score is {self.score}: it must be a finite number, or -inf for none")

    @property
    def right(self) -> bool:
        return bool(self.answer) and self.correct

    @property
    def scored(self) -> bool:
        return bool(self.answer) and self.score > -math.inf


def outcomes_of(tree: SearchTree) -> list[Outcome]:
    """The answers that `tree` sampled whole, in the order of their samples; one cut by a stop counts as none.

    Raises BadSetting unless the samples are independent, and without a truth.
    """
    if not tree.independent:
        raise BadSetting("these answers depend on one another, so k of them are no run of k: estimate from whole samples")
    leaves = [node for node in tree.nodes.values() if node.id and node.id not in tree.grown]
    if any(tree.grades.get(node.answer) is None for node in leaves if node.answer):
        raise BadSetting("it isn't known which of these answers are right: give the known answer, or choose a task's problem")
    return [
        Outcome(node.answer, -math.inf if node.aggregated is None else node.aggregated, bool(tree.grades.get(node.answer)))
        for node in sorted(leaves, key=lambda node: node.id)
    ]


def pass_at_k(total: int, right: int, k: int) -> float:
    """The chance that at least one of k answers is right, `right` of `total` being so: 1 − C(n−c, k) / C(n, k).

    As a product, which neither overflows nor cancels (Chen et al. 2021, arXiv:2107.03374, §2.1). Raises BadSetting unless
    1 ≤ k ≤ total, ValueError unless 0 ≤ right ≤ total.

    >>> [round(pass_at_k(5, 2, k), 9) for k in (1, 2, 4)]
    [0.4, 0.7, 1.0]
    """
    _require(k, total)
    if not 0 <= right <= total:
        raise ValueError(f"{right} of {total} answers are right")
    return 1.0 - math.prod(1.0 - k / i for i in range(total - right + 1, total + 1)) if total - right >= k else 1.0


def best_of_k(outcomes: Sequence[Outcome], k: int, seed: int = 0) -> float:
    """The expected grade of the highest-scored of k answers, in closed form.

    Without ties: Σ right_i · C(n−i, k−1) / C(n, k), i the place from the top (sc-genrm-scaling; Singhi et al. 2025,
    arXiv:2504.01005). Where right and wrong answers share a score the draws are counted by which answer comes first.
    `seed` matters only to draws in which no answer has a score, if they are too many to look at.

    >>> best_of_k([Outcome("7", 0.9), Outcome("8", 0.5, True), Outcome("8", 0.4, True)], 2)
    0.3333333333333333
    >>> best_of_k([Outcome("7", 0.5), Outcome("8", 0.5, True)], 2)
    0.0
    """
    _require(k, len(outcomes))
    _require_one_grade_each(outcomes)
    return _best(outcomes, _ways_right(outcomes), k, seed)


def majority_at_k(outcomes: Sequence[Outcome], k: int, seed: int = 0) -> float:
    """The expected grade of the most frequent of k answers: over all C(n, k) draws, or over `DRAWS` seeded ones.

    >>> majority_at_k([Outcome("7"), Outcome("8", correct=True), Outcome("8", correct=True)], 2)
    0.3333333333333333
    """
    return _voted(outcomes, k, seed, weighted=False)


def weighted_at_k(outcomes: Sequence[Outcome], k: int, seed: int = 0) -> float:
    """The expected grade of the answer with the largest sum of scores among k (sums of floats, in the answers' order).

    >>> weighted_at_k([Outcome("7", 0.9), Outcome("8", 0.5, True), Outcome("8", 0.5, True)], 3)
    1.0
    """
    return _voted(outcomes, k, seed, weighted=True)


def curves(outcomes: Sequence[Outcome], seed: int = 0) -> dict[str, list[float]]:
    """Every estimator for k = 1 … n, by its name in the literature.

    >>> curves([Outcome("8", 0.5, True), Outcome("7", 0.9)])["best-of-k"]
    [0.5, 0.0]
    """
    _require_one_grade_each(outcomes)
    total, right, ways = len(outcomes), sum(o.right for o in outcomes), _ways_right(outcomes)
    ks = range(1, total + 1)
    return {
        "pass@k": [pass_at_k(total, right, k) for k in ks],
        "best-of-k": [_best(outcomes, ways, k, seed) for k in ks],
        "maj@k": [majority_at_k(outcomes, k, seed) for k in ks],
        "weighted@k": [weighted_at_k(outcomes, k, seed) for k in ks],
    }


@dataclass(frozen=True, slots=True)
class Band:
    """A mean over problems, and the interval in which it falls when the problems are drawn again."""

    mean: float
    low: float
    high: float


def bands(problems: Sequence[Sequence[float]], *, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> list[Band]:
    """For every k the mean of the problems' curves with its percentile bootstrap band (Efron 1979), problems resampled.

    `problems` holds one curve a problem, all of one length. Raises ValueError for none, for ragged ones, or for numbers out
    of range: 0 < level < 1, resamples ≥ 1.

    >>> bands([[0.0, 1.0], [1.0, 1.0]])
    [Band(mean=0.5, low=0.0, high=1.0), Band(mean=1.0, low=1.0, high=1.0)]
    """
    if not problems or len({len(curve) for curve in problems}) != 1:
        raise ValueError("a band needs at least one problem, and curves of one length")
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(f"level is {level} and resamples {resamples}: 0 < level < 1 and resamples ≥ 1 are needed")
    values, count = np.array(problems, float), len(problems)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    low, high = np.quantile(times @ values / count, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Band(*map(float, found)) for found in zip(values.mean(axis=0), low, high, strict=True)]


@dataclass(frozen=True, slots=True)
class Repeat:
    """One of several runs of one problem: the answer chosen (None or empty: none), whether it is right, tokens sampled."""

    answer: str | None
    correct: bool
    tokens: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """What repeated runs of one problem came to, or the mean of that over problems. Shares from 0 to 1."""

    mean: float
    best: float
    """Right in any run: what an oracle would choose, an upper bound."""
    worst: float
    """Right in every run."""
    majority: float
    """Right by the most frequent answer, of equals the earlier; an answer that is missing has no vote."""
    tokens: float
    """Mean a run."""
    spread: float
    """Standard deviation of the tokens spent on one problem (n − 1; 0 for a single run)."""


def over_repeats(runs: Sequence[Repeat]) -> Repeats:
    """The report over runs of one problem (Balachandran et al. 2025, arXiv:2504.00294). Raises ValueError for none.

    >>> over_repeats([Repeat("7", False, 90), Repeat("8", True, 100), Repeat("8", True, 110)])
    Repeats(mean=0.6666666666666666, best=1.0, worst=0.0, majority=1.0, tokens=100.0, spread=10.0)
    """
    if not runs:
        raise ValueError("a report over repeats needs at least one run")
    voted = majority_at_k([Outcome(run.answer, correct=run.correct) for run in runs], len(runs))
    right = [bool(run.answer) and run.correct for run in runs]
    tokens = [run.tokens for run in runs]
    spread = float(np.std(tokens, ddof=1)) if len(runs) > 1 else 0.0
    return Repeats(sum(right) / len(runs), float(any(right)), float(all(right)), voted, sum(tokens) / len(runs), spread)


def over_problems(reports: Sequence[Repeats]) -> Repeats:
    """The mean of each figure over problems: `spread` stays one problem's, as the study means it. Raises ValueError for none."""
    if not reports:
        raise ValueError("a report over problems needs at least one")
    return Repeats(*map(float, np.mean([astuple(report) for report in reports], axis=0)))


def _require(k: int, total: int) -> None:
    if not 1 <= k <= total:
        raise BadSetting(f"k is {k}: it must be between 1 and the number of answers, which is {total}")


def _require_one_grade_each(outcomes: Sequence[Outcome]) -> None:
    """Equal answers are right or wrong together. Raises ValueError."""
    if len({(o.answer, o.correct) for o in outcomes if o.answer}) > len({o.answer for o in outcomes if o.answer}):
        raise ValueError("the same answer is given as right and as wrong")


def _best(outcomes: Sequence[Outcome], ways: int, k: int, seed: int) -> float:
    """Read best-of-k off `ways`, and add the draws without a score, which frequency decides."""
    total, bare = len(outcomes), [o for o in outcomes if not o.scored]
    found = (ways >> (total + 1) * k & (1 << total + 1) - 1) / math.comb(total, k)
    if len(bare) >= k and any(o.right for o in bare):
        found += math.comb(len(bare), k) / math.comb(total, k) * majority_at_k(bare, k, seed)
    return found


def _ways_right(outcomes: Sequence[Outcome]) -> int:
    """For every k at once, in how many draws of k the highest-scored answer is right, as Σ_k ways_k · x^k.

    A polynomial whose coefficients are at most C(n, k), so it is kept as one whole number, at x = 2^(n+1) (Kronecker 1882).
    """
    total = len(outcomes)
    free = [(1 + (1 << total + 1)) ** size for size in range(total + 1)]
    ways, below = 0, list(range(total))
    for score in sorted({o.score for o in outcomes if o.scored}, reverse=True):
        top = {i for i in below if outcomes[i].scored and outcomes[i].score == score}
        grades = {outcomes[i].correct for i in top}
        if grades == {True}:
            ways += free[len(below)] - free[len(below) - len(top)]
        elif True in grades:
            ways += _ways_tied(outcomes, below, top, free)
        below = [i for i in below if i not in top]
    return ways


def _ways_tied(outcomes: Sequence[Outcome], below: list[int], top: set[int], free: list[int]) -> int:
    """The same among the answers `below`, for draws with one of `top`, which share the highest score, right and wrong.

    The earliest answer wins of those that have a highest score in the draw, and any of its samples may be the one that
    comes first. Summed over that one, `at`: the winner has no sample before it and a top one at or after it; every other
    tied answer has no top one, or none before it (inclusion and exclusion); the rest is free.
    """
    tied = {outcomes[i].answer: [j for j in below if outcomes[j].answer == outcomes[i].answer] for i in top}
    rest = len(below) - sum(map(len, tied.values()))
    ways = 0
    for own in tied.values():
        for at in own if outcomes[own[0]].correct else ():
            later = [i for i in own if i > at]
            new = free[len(later)] - (0 if at in top else free[len(set(later) - top)])
            for other in tied.values():
                if other is not own:
                    later, low = {i for i in other if i > at}, set(other) - top
                    new *= free[len(low)] + free[len(later)] - free[len(later & low)]
            ways += new * free[rest]
    return ways * (free[1] - 1)


def _voted(outcomes: Sequence[Outcome], k: int, seed: int, *, weighted: bool) -> float:
    """The share of draws of k whose vote is right."""
    _require(k, len(outcomes))
    _require_one_grade_each(outcomes)
    drawn = _drawn(len(outcomes), k, seed)
    grades = {o.answer: o.correct for o in outcomes if o.answer}
    if not any(grades.values()):
        return 0.0
    places, shape = {answer: place for place, answer in enumerate(grades)}, (len(drawn), len(grades))
    counts, sums, first, scored = np.zeros(shape), np.zeros(shape), np.full(shape, len(outcomes)), np.zeros(len(drawn), bool)
    for i, outcome in enumerate(outcomes):
        if outcome.answer:
            place, met = places[outcome.answer], drawn[:, i]
            counts[:, place] += met
            first[:, place] = np.where(met, np.minimum(first[:, place], i), first[:, place])
            if outcome.scored:
                sums[:, place] += met * outcome.score
                scored |= met
    votes = np.where(counts > 0, np.where(scored[:, None], sums, counts) if weighted else counts, -np.inf)
    leading = np.where(votes == votes.max(axis=1, keepdims=True), first, len(outcomes) + 1)
    right = np.array(list(grades.values()))[leading.argmin(axis=1)] & (counts.sum(axis=1) > 0)
    return float(right.mean())


@lru_cache(maxsize=128)
def _drawn(total: int, k: int, seed: int) -> np.ndarray:
    """Draws of k of `total`, bool [draws, total]: all of them, or `DRAWS` seeded ones where there are more than `EXACT`."""
    if math.comb(total, k) > EXACT:
        order = np.random.default_rng([seed, total, k]).random((DRAWS, total)).argsort(axis=1)
        return order < k
    chosen = np.array(list(combinations(range(total), k)))
    return (chosen[:, :, None] == np.arange(total)).any(axis=1)
