"""A sweep: every combination of policy, verifier, strategy and settings, on the same problems with the same seeds.

A combination on one level of one task is a cell. Its searches run in jobs of many at once (`runner.searches`), and each job's
results are kept as it ends (`lab.results`), so that a sweep goes on where it was, and a larger one takes up what a smaller one
found. A strategy that asks no verifier has one cell whatever verifiers are named; greedy, which draws nothing, has one seed.
Intervals are Wilson's at 95% over all (problem, seed) pairs; pairs of one problem are not independent, so they are a little
too narrow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from tts_explorer.errors import BadSetting, TTSExplorerError
from tts_explorer.events import Noted
from tts_explorer.intervals import wilson
from tts_explorer.lab.results import KEY, Cell, Key, Pair, Result, keep, kept, key_of
from tts_explorer.lab.table import GREEDY, MOST
from tts_explorer.runner import Ask, Models, Plan, prepare
from tts_explorer.runner.searches import ROWS, models, searched
from tts_explorer.store import Store
from tts_explorer.strategies import checked_settings, settings_of, strategy_named
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import Problem, Split, problem_at
from tts_explorer.workers import as_they_end, cores, hands

JOB = 75
"""Searches of a job, at most."""
SEEDS = 1000
"""At most."""
WORKERS = 8
"""At most, unless more are asked for."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What is asked for: every task with every level, and every combination of the rest. `settings` are values by name."""

    tasks: Sequence[str]
    strategies: Sequence[str]
    levels: Sequence[int] = (3,)
    policies: Sequence[str] = ("bundled:small",)
    verifiers: Sequence[str] = ()
    settings: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    problems: int = 200
    seeds: int = 3
    first: int = 0
    """The number of the first problem."""
    split: Split = "test"
    temperature: float = 1.0
    max_step_tokens: int = 128
    aggregate: str = "last"
    rule: str | None = None
    """None for each strategy's own."""
    budget: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Raise BadSetting or UnknownName for what no search can have; no model is loaded for it."""
        for name in ("tasks", "levels", "policies", "strategies"):
            if not getattr(self, name):
                raise BadSetting(f"there are no {name}: name at least one")
        for name, number, most in (("problems", self.problems, MOST), ("seeds", self.seeds, SEEDS)):
            if not 1 <= number <= most:
                raise BadSetting(f"{name} is {number}: it must be from 1 to {most:,}")
        last = MOST - self.problems
        if not 0 <= self.first <= last:
            raise BadSetting(f"first is {self.first}: with {self.problems} problems it must be from 0 to {last:,}")
        for task, level in product(self.tasks, self.levels):
            problem_at(task_named(task), self.split, level, 0)
        self._check_settings()

    def _check_settings(self) -> None:
        known: dict[str, None] = {}
        for name in self.strategies:
            strategy = strategy_named(name)
            Plan(Problem("", "?", "", "?", None), None, strategy, **self._sampling())
            known |= dict.fromkeys(settings_of(strategy))
            for key, values in self.settings.items():
                for value in values if key in settings_of(strategy) else ():
                    checked_settings(strategy, {key: value})
        for key, values in self.settings.items():
            if key not in known:
                given, named = ",".join(map(str, values)), ", ".join(dict.fromkeys(self.strategies))
                has = f"choose one of {', '.join(known)}" if known else "leave it away"
                raise BadSetting(f"{key}={given} is a setting that none of these strategies has ({named}): {has}")
            if not values:
                raise BadSetting(f"there are no values of {key}: give at least one")

    def asks(self) -> Iterator[Ask]:
        """Each combination, as the search of the first problem with seed 0. Some may be the same, and some impossible."""
        sides = self.tasks, self.levels, self.policies, self.verifiers or (None,), self.strategies
        for task, level, policy, verifier, strategy in product(*sides):
            for settings in self._combined(strategy):
                which = {"task": task, "level": level, "split": self.split, "index": self.first}
                yield Ask(policy, verifier, strategy, settings, **which, **self._sampling())

    def _combined(self, strategy: str) -> list[dict[str, Any]]:
        """Its settings, defaults included, with every combination of the values."""
        named = strategy_named(strategy)
        keys = [key for key in self.settings if key in settings_of(named)]
        chosen = product(*(self.settings[key] for key in keys))
        return [checked_settings(named, dict(zip(keys, values, strict=True))) for values in chosen]

    def _sampling(self) -> dict[str, Any]:
        """What all searches have alike."""
        names = ("temperature", "max_step_tokens", "aggregate", "rule")
        return {**{name: getattr(self, name) for name in names}, "budget": dict(self.budget)}


@dataclass(frozen=True, slots=True)
class Point:
    """A cell to be measured."""

    ask: Ask
    """The search of its first problem with seed 0."""
    verifier: str | None
    """None where none is asked."""
    pairs: tuple[Pair, ...]
    """All its searches."""
    key: Key
    notes: tuple[str, ...]
    """What a reader should know."""

    @classmethod
    def of(cls, ask: Ask, grid: Grid, models: Models) -> Point:
        """Raises BadSetting if such a search can't be; loads its models."""
        run = prepare(ask, models, id="")
        seeds = 1 if ask.strategy == GREEDY else grid.seeds
        pairs = tuple(product(range(grid.first, grid.first + grid.problems), range(seeds)))
        notes = tuple(record.event.message for record in run.outbox if isinstance(record.event, Noted))
        return cls(ask, run.verifier and run.verifier.name, pairs, key_of(run), notes)


def planned(grid: Grid, models: Models) -> tuple[list[Point], list[str]]:
    """The cells of `grid`, each once, and what to say about them: what was left out as impossible, and the searches' notes.

    Loads the models. Raises BadSetting or UnknownName as `check`, and for a strategy of which nothing is possible.
    """
    grid.check()
    points, refused, remarks = dict[Key, Point](), dict[str, BadSetting](), dict[str, None]()
    for ask in grid.asks():
        try:
            point = Point.of(ask, grid, models)
        except BadSetting as error:
            asked = [f"{name}={value}" for name, value in ask.settings.items() if name in grid.settings]
            refused.setdefault(ask.strategy, error)
            remarks[f"left out: {' '.join([ask.strategy, *asked])}: {error}"] = None
            continue
        points.setdefault(point.key, point)
    for name in grid.strategies:
        if not any(point.ask.strategy == name for point in points.values()):
            raise BadSetting(f"no combination of {name} is possible: {refused[name]}")
    notes = dict.fromkeys(note for point in points.values() for note in point.notes)
    return list(points.values()), [*remarks, *notes]


@dataclass(frozen=True, slots=True)
class Job:
    """Some of a point's searches, to be run together."""

    point: Point
    pairs: tuple[Pair, ...]


def missing(points: Sequence[Point], store: Store) -> list[Job]:
    """What is to be run yet. The largest searches come first, so that at the end no worker waits long for another."""
    jobs = []
    for point in points:
        there = kept(store, point.key)
        lacks = [pair for pair in point.pairs if pair not in there]
        size = math.ceil(len(lacks) / math.ceil(len(lacks) / JOB)) if lacks else 1
        jobs += [Job(point, tuple(lacks[at : at + size])) for at in range(0, len(lacks), size)]
    return sorted(jobs, key=lambda job: job.point.ask.settings.get("n", 1), reverse=True)


def counted(points: Sequence[Point], store: Store) -> tuple[int, int]:
    """Searches that are kept, and all there are to be."""
    total = sum(len(point.pairs) for point in points)
    return total - sum(len(job.pairs) for job in missing(points, store)), total


def measured(job: Job) -> dict[Pair, Result]:
    """Run it. Where seconds are the budget the searches run one by one, as company would take time from each."""
    asks = [replace(job.point.ask, index=index, seed=seed) for index, seed in job.pairs]
    rows = 1 if "seconds" in job.point.ask.budget else ROWS
    return dict(zip(job.pairs, searched(asks, models(), Result.of, rows=rows), strict=True))


Tell = Callable[[int, int, Cell | str | None], None]
"""Is told the searches done and all there are, and the cell that has become whole, or what failed."""


def silent(done: int, total: int, what: Cell | str | None) -> None:
    """Tell nobody."""


def fill(points: Sequence[Point], store: Store, *, workers: int | None = None, tell: Tell = silent) -> list[str]:
    """Run what `store` lacks and keep each job's results as it ends. Jobs that fail are left out, and why is told and returned.

    One worker is this process; without a number it is one a core, at most `WORKERS`. Raises UserError if a worker has died.
    """
    jobs, failed, lacking = missing(points, store), list[str](), Counter[Key]()
    for job in jobs:
        lacking[job.point.key] += len(job.pairs)
    total = sum(len(point.pairs) for point in points)
    done = total - lacking.total()
    workers = max(1, min(workers or min(cores(), WORKERS), len(jobs)))
    with hands(workers) as submit:
        for job, future in as_they_end(submit, workers, measured, jobs):
            point, done = job.point, done + len(job.pairs)
            try:
                found = future.result()
            except TTSExplorerError as error:
                failed.append(f"{len(job.pairs)} searches of {point.ask.strategy} on {point.ask.task} {point.ask.level}: {error}")
                tell(done, total, failed[-1])
                continue
            keep(store, point.key, found)
            lacking[point.key] -= len(found)
            tell(done, total, None if lacking[point.key] else cell_of(point, kept(store, point.key)))
    return failed


def read(points: Sequence[Point], store: Store) -> list[Cell]:
    """The points all of whose searches are kept."""
    found = [(point, kept(store, point.key)) for point in points]
    return [cell_of(point, results) for point, results in found if results.keys() >= set(point.pairs)]


def sweep(grid: Grid, store: Store, *, workers: int | None = None, tell: Tell = silent) -> list[Cell]:
    """Measure what `store` lacks of `grid`; all its cells. With more workers than one the caller's `__main__` must be guarded.

    Raises BadSetting or UnknownName before anything is run, and TTSExplorerError at the end if some of it failed: the rest is
    kept then, and `cells` reads it.
    """
    points, _ = planned(grid, models())
    if failed := fill(points, store, workers=workers, tell=tell):
        raise TTSExplorerError(f"some searches failed, and the same sweep tries them again: {failed[-1]}")
    return read(points, store)


def cells(store: Store, grid: Grid) -> list[Cell]:
    """The cells of `grid` all of whose searches are kept, nothing being run. The models are loaded: their weights count."""
    return read(planned(grid, models())[0], store)


def cell_of(point: Point, found: Mapping[Pair, Result]) -> Cell:
    """What all of a point's searches came to."""
    ask, results = point.ask, [found[pair] for pair in point.pairs]
    total, correct = len(results), sum(result.correct for result in results)
    problems = len({index for index, _ in point.pairs})
    low, high = wilson(correct, total)

    def mean(name: str) -> float:
        return math.fsum(getattr(result, name) for result in results) / total

    return Cell(
        *(ask.task, ask.level, ask.split, ask.index, ask.policy, point.verifier, ask.strategy, ask.settings),
        *(ask.temperature, ask.max_step_tokens, ask.aggregate, dict(zip(KEY, point.key, strict=True))["rule"], ask.budget),
        *(problems, total // problems, correct, total, correct / total, low, high),
        tokens=mean("tokens"),
        tokens_spread=tokens_spread(point.pairs, found),
        flops=mean("policy_flops") + mean("verifier_flops"),
        policy_flops=mean("policy_flops"),
        verifier_flops=mean("verifier_flops"),
        seconds=mean("seconds"),
        cut=sum(result.status == "budget" for result in results),
    )


def tokens_spread(pairs: Sequence[Pair], found: Mapping[Pair, Result]) -> float | None:
    """(most − least) / mean of the tokens over a problem's seeds, the mean over problems. None with one seed."""
    tokens: dict[int, list[int]] = {}
    for index, seed in pairs:
        tokens.setdefault(index, []).append(found[index, seed].tokens)
    if len(pairs) == len(tokens):
        return None
    return sum((max(some) - min(some)) / (sum(some) / len(some) or 1) for some in tokens.values()) / len(tokens)
