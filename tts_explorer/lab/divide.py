"""Solve or verify: how a budget is divided between solutions and written verdicts on them (Singhi et al. 2025, arXiv:2504.01005).

C(S, V) = S (1 + λ V) is what S solutions with V verdicts on each cost, in solutions' worth; λ is the tokens of a verdict over
those of a solution, measured. Every way below says how many solutions C should buy; the verdicts are what is left of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from tts_explorer.assets import folder
from tts_explorer.errors import BadSetting
from tts_explorer.estimates import Outcome, best_of_k, majority_at_k
from tts_explorer.events import Verdict
from tts_explorer.store import Store
from tts_explorer.tree import Node, SearchTree

WAYS = ("even", "paper", "fit")
"""even: as many verdicts on a solution as solutions, S = V. paper: S : V = C^0.57 : C^0.39. fit: from one's own searches."""
PAPER = (0.57, 0.39)
"""Exponents of S and V in C: a prior, measured for Llama-3.1-8B with a fine-tuned verifier on MATH, elsewhere others."""
FEWEST = 3
"""Budgets that a line is fitted through, at least."""
NEWEST = 200
"""Sessions that are looked through."""


@dataclass(frozen=True, slots=True)
class Division:
    """S solutions, V verdicts on each; V = 0 is plain majority."""

    solutions: int
    verdicts: int

    def cost(self, ratio: float) -> float:
        """C(S, V), in solutions' worth.

        >>> Division(4, 2).cost(0.5)
        8.0
        """
        return self.solutions * (1 + ratio * self.verdicts)


@dataclass(frozen=True, slots=True)
class Point:
    """The share of problems answered rightly, 0 to 1, with S solutions and V verdicts on each."""

    division: Division
    accuracy: float


@dataclass(frozen=True, slots=True)
class Law:
    """S = scale · C^exponent, a straight line through `budgets` points on logarithmic scales."""

    scale: float
    exponent: float
    budgets: int

    def solutions(self, worth: float) -> float:
        return self.scale * worth**self.exponent


def divided(worth: float, ratio: float, way: str | int, *, law: Law | None = None, least: int = 0) -> Division:
    """`worth` solutions' worth as whole numbers, S ≥ 1 and V ≥ `least`, that never cost more.

    `way` is one of `WAYS`, `fit` with its `law`, or a number of verdicts. S is rounded, and V is as large as what is left of
    `worth` allows. Raises BadSetting for values out of range, and where not even one solution can be had.

    >>> divided(21, 1.0, "even"), divided(21, 1.0, "paper"), divided(21, 1.0, 2)
    (Division(solutions=4, verdicts=4), Division(solutions=5, verdicts=3), Division(solutions=7, verdicts=2))
    """
    require_ratio(ratio)
    if not (math.isfinite(worth) and worth >= 1):
        raise BadSetting(f"worth is {worth:g}: it must be a number from 1, the worth of one solution")
    if isinstance(way, int):
        return _fixed(worth, ratio, way)
    if way not in WAYS:
        raise BadSetting(f"divide is {way!r}: choose {', '.join(WAYS)}, or a whole number of verdicts")
    if way == "fit" and law is None:
        raise BadSetting("to divide by a fit, give the law that was fitted")
    wanted = law.solutions(worth) if way == "fit" else _balanced(worth, ratio, *(PAPER if way == "paper" else (0.0, 0.0)))
    solutions = min(max(1, round(wanted)), math.floor(worth + 1e-9))
    verdicts = math.floor((worth / solutions - 1) / ratio + 1e-9)
    return Division(solutions, verdicts) if verdicts >= least else _fixed(worth, ratio, least)


def require_ratio(ratio: float) -> float:
    """λ, if it is one. Raises BadSetting."""
    if not (math.isfinite(ratio) and ratio > 0):
        raise BadSetting(f"ratio is {ratio:g}: it must be more than 0, the tokens of a verdict over those of a solution")
    return ratio


def _fixed(worth: float, ratio: float, verdicts: int) -> Division:
    if verdicts < 0:
        raise BadSetting(f"divide is {verdicts}: it must be a number of verdicts from 0, or one of {', '.join(WAYS)}")
    price = 1 + ratio * verdicts
    solutions = math.floor(worth / price + 1e-9)
    if solutions < 1:
        raise BadSetting(
            f"worth is {worth:g}: one solution with {verdicts} verdicts takes {price:.3g}, so raise it or ask for fewer"
        )
    return Division(solutions, verdicts)


def _balanced(worth: float, ratio: float, solving: float, verifying: float) -> float:
    """S where S : V = C^solving : C^verifying and S (1 + λ V) = C: with S = k C^solving the root of a square equation in k."""
    s, v = worth**solving, worth**verifying
    return s * (math.sqrt(s * s + 4 * ratio * s * v * worth) - s) / (2 * ratio * s * v)


def fitted(points: Sequence[Point], ratio: float) -> Law:
    """The line through the best S at each budget, both as logarithms, by least squares.

    Budgets double from 1 up to the largest S measured, beyond which the best S may be one that was not; at each, the best of
    the points that cost more than half of it and no more than it, ties to the cheaper one. A budget at which all have the
    same S teaches nothing. Raises BadSetting where fewer than `FEWEST` are left.
    """
    require_ratio(ratio)
    found = list[tuple[int, int]]()
    for budget in _doubling(max((p.division.solutions for p in points), default=0)):
        here = [p for p in points if budget / 2 < p.division.cost(ratio) <= budget]
        if len({p.division.solutions for p in here}) > 1:
            best = max(here, key=lambda p: (p.accuracy, -p.division.cost(ratio)))
            found.append((budget, best.division.solutions))
    if len(found) < FEWEST:
        raise BadSetting(
            f"a fit needs {FEWEST} budgets at which several divisions were measured, and there are {len(found)}: record searches "
            "by solve_and_verify with more solutions (8 or more) on problems whose answer is known, or divide by even or paper"
        )
    exponent, shift = np.polyfit(np.log([b for b, _ in found]), np.log([s for _, s in found]), 1)
    return Law(float(np.exp(shift)), float(exponent), len(found))


def points_of(trees: Sequence[SearchTree]) -> list[Point]:
    """What fewer solutions and fewer verdicts would have come to in recorded searches, graded, of one S and one V.

    Those of the S and V that most searches have are read; the others are left out, since their problems may be easier.
    S and V go by powers of two, V from 0 (majority); the expected grade over all choices of S of the solutions, with the
    mean of each one's first V verdicts as its score, as the paper does it.
    """
    graded = [tree for tree in trees if any(grade is not None for grade in tree.grades.values())]
    sizes = Counter(map(_size, graded))
    if not sizes:
        return []
    most = max(sizes, key=lambda size: (sizes[size], size))
    kept = [_solutions(tree) for tree in graded if _size(tree) == most]
    found = []
    for verdicts in [0, *_doubling(most[1])]:
        for solutions in _doubling(most[0]):
            shares = [_share(answers, solutions, verdicts) for answers in kept]
            found.append(Point(Division(solutions, verdicts), sum(shares) / len(shares)))
    return found


def _size(tree: SearchTree) -> tuple[int, int]:
    """S and V of a recorded search."""
    answers = _solutions(tree)
    return len(answers), max((len(verdicts) for _, _, verdicts in answers), default=0)


def _solutions(tree: SearchTree) -> list[tuple[str | None, bool, tuple[Verdict, ...]]]:
    """Answer, grade and verdicts of each solution, in the order of the samples."""
    leaves = sorted((node for node in tree.nodes.values() if node.id and node.id not in tree.grown), key=lambda node: node.id)
    return [(node.answer, bool(tree.grades.get(node.answer or "")), node.verdicts) for node in leaves]


def _share(answers: Sequence[tuple[str | None, bool, tuple[Verdict, ...]]], solutions: int, verdicts: int) -> float:
    scored = [(answer, [verdict.p_yes for verdict in said[:verdicts]], right) for answer, right, said in answers]
    outcomes = [Outcome(answer, sum(said) / len(said) if said else -math.inf, right) for answer, said, right in scored]
    return best_of_k(outcomes, solutions) if verdicts else majority_at_k(outcomes, solutions)


def _doubling(most: int) -> list[int]:
    return sorted({2**i for i in range(most.bit_length()) if 2**i <= most} | ({most} if most else set()))


def ratio_of(trees: Sequence[SearchTree]) -> float | None:
    """λ: the mean tokens of a verdict over the mean tokens of a finished solution; None where there are none of either."""
    verdicts = [verdict.tokens for tree in trees for node in tree.nodes.values() for verdict in node.verdicts]
    solutions = [_length(tree, node) for tree in trees for node in tree.nodes.values() if node.terminal]
    if not sum(verdicts) or not sum(solutions):
        return None
    return sum(verdicts) / len(verdicts) / (sum(solutions) / len(solutions))


def _length(tree: SearchTree, node: Node) -> int:
    return sum(step.tokens for step in tree.path(node.id))


def recorded(store: Store, policy: str, verifier: str, task: str | None = None) -> list[SearchTree]:
    """The trees with verdicts among the newest sessions of that policy and that verifier, on that task if one is named."""
    mine = [s.id for s in store.sessions(limit=NEWEST) if (s.policy, s.verifier) == (policy, verifier) and task in (None, s.task)]
    trees = [SearchTree.of(record.event for record in store.records(id)) for id in mine]
    return [tree for tree in trees if any(node.verdicts for node in tree.nodes.values())]


def known_ratio(
    trees: Sequence[SearchTree], policy: str, verifier: str, task: str | None = None, *, results: Path | None = None
) -> float:
    """λ as `trees` have it; without any, as `assets/results/verification.json` does, for that task if it can.

    Raises BadSetting if neither knows it.
    """
    measured = ratio_of(trees)
    if measured is not None:
        return measured
    file = (results or folder() / "results") / "verification.json"
    kept = orjson.loads(file.read_bytes()) if file.is_file() else []
    kept = [fact for fact in kept if (fact["policy"], fact["verifier"]) == (policy, verifier)]
    kept = [fact for fact in kept if fact["task"] == task] or kept
    if kept:
        return require_ratio(sum(fact["ratio"] for fact in kept) / len(kept))
    raise BadSetting(
        f"it isn't known what a verdict by {verifier} on a solution by {policy} costs: record a search by solve_and_verify with "
        "both, or give --ratio, the tokens of a verdict over those of a solution"
    )
