"""How well a policy verifies and revises, on held-out problems: `python -m tts_explorer.train.evaluate verdicts`, `… refinement`.

Both run real searches (`solve_and_verify`, `sequential_refinement`) and read the figures off their trees. Balanced accuracy is
the mean of the shares of right and of wrong solutions that are judged so, p(yes) ≥ ½ meaning yes; its interval is a bootstrap
over problems. Verdicts that came to neither yes nor no are `missing` from it. Accuracies after each round have Wilson's interval
over all (problem, seed) pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np

from tts_explorer.errors import ModelUnavailable
from tts_explorer.intervals import wilson
from tts_explorer.models import POLICY_AS_JUDGE
from tts_explorer.runner import Ask, Models
from tts_explorer.runner.searches import searched
from tts_explorer.tree import SearchTree
from tts_explorer.workers import follow

SOLUTIONS = 4
"""Sampled of each problem, to be judged."""
FEEDBACK = {"truth": None, "self": POLICY_AS_JUDGE, "verifier": "bundled:prm"}
"""Who finds fault, and the verifier that it takes."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One solution: its problem's number, whether it is right, its tokens, and p(yes) and tokens of each verdict on it."""

    problem: int
    right: bool
    tokens: int
    verdicts: tuple[float, ...]
    written: tuple[int, ...]


def trees(base: Ask, jobs: Sequence[tuple[int, int]]) -> list[SearchTree]:
    """What `base` grew on each (index, seed)."""
    return searched([replace(base, index=index, seed=seed) for index, seed in jobs], Models(), lambda run: run.tree)


def judged_in(base: Ask, jobs: Sequence[tuple[int, int]]) -> list[Judged]:
    """Every solution that these searches verified."""
    found = []
    for (index, _), tree in zip(jobs, trees(base, jobs), strict=True):
        for leaf in (node for node in tree.nodes.values() if node.verdicts):
            tokens = sum(node.tokens for node in tree.path(leaf.id))
            said = tuple(verdict.p_yes for verdict in leaf.verdicts)
            written = tuple(verdict.tokens for verdict in leaf.verdicts)
            found.append(Judged(index, tree.grades.get(leaf.answer or "") is True, tokens, said, written))
    return found


def verdict_figures(policy: str, task: str, level: int, *, problems: int, votes: int, split: str, workers: int) -> dict[str, Any]:
    """Balanced accuracy of one verdict and of the mean of `votes`, and what a verdict costs against a solution (λ)."""
    settings = {"n": SOLUTIONS, "votes": votes}
    base = Ask(policy, POLICY_AS_JUDGE, "solve_and_verify", settings, task, level, split=split)
    found = [one for part in shared(partial(judged_in, base), [(index, 0) for index in range(problems)], workers) for one in part]
    if not found:
        raise ModelUnavailable(f"no verdict of {policy} came to yes or no: it was not taught to verify")
    solution = sum(one.tokens for one in found) / len(found)
    verdict = float(np.mean([tokens for one in found for tokens in one.written]))
    one, mean = ([(j.problem, j.right, share(j.verdicts, alone)) for j in found] for alone in (True, False))
    return {
        "policy": policy, "verifier": f"judge:{policy}", "task": task, "level": level, "split": split, "problems": problems,
        "solutions": len(found), "right": sum(j.right for j in found), "votes": votes,
        "missing": problems * SOLUTIONS * votes - sum(len(j.verdicts) for j in found),
        "one": with_interval(one), "mean": with_interval(mean),
        "solution_tokens": solution, "verdict_tokens": verdict, "ratio": verdict / solution,
    }  # fmt: skip


def share(verdicts: Sequence[float], alone: bool) -> float:
    """The share of single verdicts that say yes, or whether their mean does.

    >>> share([0.9, 0.4, 0.8, 0.9], alone=True), share([0.9, 0.4, 0.8, 0.9], alone=False)
    (0.75, 1.0)
    """
    return sum(p >= 0.5 for p in verdicts) / len(verdicts) if alone else float(sum(verdicts) / len(verdicts) >= 0.5)


def with_interval(said: Sequence[tuple[int, bool, float]], resamples: int = 1000) -> dict[str, float]:
    """Balanced accuracy of (problem, right, share of yes), with its 95% bootstrap interval over problems."""
    problems = sorted({problem for problem, _, _ in said})
    places = {problem: place for place, problem in enumerate(problems)}
    sums = np.zeros((len(problems), 4))
    for problem, right, yes in said:
        sums[places[problem], 0 if right else 2] += yes if right else 1 - yes
        sums[places[problem], 1 if right else 3] += 1
    times = np.random.default_rng(0).multinomial(len(problems), np.full(len(problems), 1 / len(problems)), size=resamples)
    low, high = np.nanquantile(_balanced(times @ sums), [0.025, 0.975])
    return {"balanced": float(_balanced(sums.sum(0)[None])[0]), "low": float(low), "high": float(high)}


def _balanced(sums: np.ndarray) -> np.ndarray:
    """From (judged right, right, judged wrong, wrong), sums over solutions, to balanced accuracies; NaN without both kinds."""
    with np.errstate(invalid="ignore"):
        return (sums[:, 0] / sums[:, 1] + sums[:, 2] / sums[:, 3]) / 2


def refinement_figures(
    policy: str, task: str, level: int, *, problems: int, seeds: int, rounds: int, split: str, workers: int
) -> list[dict[str, Any]]:
    """For each kind of feedback the accuracy of the attempt that stands after 0, 1, … `rounds` revisions."""
    jobs = [(index, seed) for index in range(problems) for seed in range(seeds)]
    table = []
    for feedback, verifier in FEEDBACK.items():
        settings = {"rounds": rounds, "feedback": feedback}
        base = Ask(policy, verifier, "sequential_refinement", settings, task, level, split=split)
        found = [row for part in shared(partial(rounds_in, base), jobs, workers) for row in part]
        for done in range(rounds + 1):
            right = sum(row[done] for row in found)
            low, high = wilson(right, len(found))
            fact = {"policy": policy, "task": task, "level": level, "split": split, "problems": problems, "seeds": seeds}
            fact |= {"feedback": feedback, "round": done, "correct": right, "total": len(found), "low": low, "high": high}
            table.append(fact)
    return table


def rounds_in(base: Ask, jobs: Sequence[tuple[int, int]]) -> list[list[bool]]:
    """For each search whether the answer that stands after each number of revisions is right."""
    return [standing(tree, int(base.settings["rounds"])) for tree in trees(base, jobs)]


def standing(tree: SearchTree, rounds: int) -> list[bool]:
    """Whether the last attempt of the first 1, 2, … `rounds` + 1 is right; one without an answer is not."""
    ends = [max((id for id in tree.nodes if id[:1] == (attempt,)), key=len) for attempt in range(len(tree.children(())))]
    right = [tree.grades.get(tree.nodes[end].answer or "") is True for end in ends]
    return [right[min(done, len(right) - 1)] for done in range(rounds + 1)]


def shared(work: partial[Any], jobs: Sequence[tuple[int, int]], workers: int) -> list[Any]:
    """`work` on `jobs`, dealt to a process a core."""
    parts = [jobs[at::workers] for at in range(workers)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=follow) as pool:
        return list(pool.map(work, [part for part in parts if part]))
