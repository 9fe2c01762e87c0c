"""The table of strategies at equal spend: every strategy, the same budgets in FLOPs, held-out problems, kept cell by cell.

A budget is told in greedy answers: 1 is what `SHARE` of the greedy answers on the validation split cost at most, so that greedy
itself fits. Each cell has the largest setting that fits (`lab.spend`) and the budget as a hard stop. Intervals are Wilson's at
95% over all (problem, seed) pairs; pairs of one problem are not independent, so they are a little too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tts_explorer.errors import BadSetting, TTSExplorerError
from tts_explorer.intervals import wilson
from tts_explorer.lab.figures import Cell, Figures, Place
from tts_explorer.lab.spend import PILOTS, SHARE, Fit, Pilot, Pilots, dial_of, largest, require_pilots
from tts_explorer.runner import Ask
from tts_explorer.runner.searches import Ended, models, searched
from tts_explorer.strategies import settings_of, strategy_names
from tts_explorer.strategies import strategy_named as named
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import problem_at
from tts_explorer.workers import as_they_end, hands

GREEDY = "greedy"
ANSWERS = 200
"""Greedy answers on the validation split that one's worth is measured on."""
MOST = 100_000
"""Problems of a level."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What is asked for: all `rows` at all `worths` on all `places` (task, level). A row is a strategy, and settings to keep."""

    places: tuple[tuple[str, int], ...] = (("countdown", 3), ("arithmetic", 5))
    rows: tuple[str, ...] = ()
    worths: tuple[float, ...] = (1, 4, 16, 64)
    problems: int = 200
    seeds: int = 3
    policy: str = "bundled:small"
    verifier: str = "bundled:prm"
    pilots: int = PILOTS
    way: str = "paper"
    """How solve_and_verify divides its budget."""

    def ask(self, row: str, place: tuple[str, int]) -> Ask:
        """A search of that row: the strategy, and the settings that it keeps. Raises BadSetting or UnknownName."""
        strategy, *kept = row.split() or [""]
        split = [text.partition("=") for text in kept]
        if wrong := [text for text, (_, equals, value) in zip(kept, split, strict=True) if not (equals and value)]:
            raise BadSetting(f"{wrong[0]!r} in the row {row!r} is not KEY=VALUE")
        task, level = place
        settings = {key: value for key, _, value in split}
        return Ask(self.policy, self.verifier, strategy, settings, task, level, split="test")

    def check(self) -> None:
        """Raise BadSetting or UnknownName for what can't be measured, before anything is spent."""
        for name, number in (("problems", self.problems), ("seeds", self.seeds), ("pilots", self.pilots)):
            if number < 1:
                raise BadSetting(f"{name} is {number}: at least one is needed")
        if self.problems > MOST:
            raise BadSetting(f"problems is {self.problems}: at most {MOST:,} are numbered")
        for worth in self.worths:
            if not 0 < worth < math.inf:
                raise BadSetting(f"worth is {worth:g}: it must be more than 0 greedy answers")
        for place in self.places:
            problem_at(task_named(place[0]), "test", place[1], 0)
            for row in self.rows:
                require_pilots(self.ask(row, place), 1.0, self.pilots)


def every_row() -> tuple[str, ...]:
    """Every strategy, greedy first, and those that may be told the truth once more so."""
    names = sorted(strategy_names(), key=lambda name: (name != GREEDY, name))
    told = [name for name in names if "truth" in getattr(settings_of(named(name)).get("feedback", (None,))[0], "options", ())]
    return (*names, *(f"{name} feedback=truth" for name in told))


@dataclass(frozen=True, slots=True)
class Job:
    """One cell to be measured, and what is known by then."""

    grid: Grid
    place: Place
    row: str
    worth: float
    known: tuple[Pilot, ...]

    @property
    def budget(self) -> float:
        """FLOPs."""
        return self.worth * self.place.most

    @property
    def limit(self) -> float:
        return max(self.grid.worths) * self.place.most


@dataclass(frozen=True, slots=True)
class Done:
    """A cell, and what was learnt on the way."""

    cell: Cell
    known: tuple[Pilot, ...]
    ratio: float | None


def greedy_worth(grid: Grid, place: tuple[str, int]) -> tuple[Place, Pilot]:
    """What a greedy answer costs there: the mean, and what `SHARE` of them stay within."""
    base = replace(grid.ask(GREEDY, place), split="validation")
    ended = searched([replace(base, index=index) for index in range(ANSWERS)], models(), Ended.of)
    costs = sorted(e.flops for e in ended)
    most = costs[math.ceil(SHARE * len(costs)) - 1]
    found = Place(*place, sum(costs) / len(costs), most, len(costs), None)
    return found, Pilot({}, costs[-1], tuple(e.flops for e in ended))


def measured(job: Job) -> Done:
    """Choose the row's setting by pilot searches, and run it on the held-out problems."""
    ask = job.grid.ask(job.row, (job.place.task, job.place.level))
    pilots = Pilots(ask, models(), limit=job.limit, count=job.grid.pilots, known=job.known)
    dial = dial_of(ask, pilots, way=job.grid.way, ratio=job.place.ratio)
    fit = largest(dial, pilots, job.budget)
    seeds = 1 if ask.strategy == GREEDY else job.grid.seeds
    base = replace(ask, settings=fit.settings, budget={"flops": job.budget})
    asks = [replace(base, index=index, seed=seed) for seed in range(seeds) for index in range(job.grid.problems)]
    cell = cell_of(job, fit, searched(asks, models(), Ended.of), seeds)
    return Done(cell, tuple(pilots.known), dial.ratio)


def cell_of(job: Job, fit: Fit, ended: Sequence[Ended], seeds: int) -> Cell:
    """What the searches of one cell came to."""
    total, correct = len(ended), sum(e.correct for e in ended)
    low, high = wilson(correct, total)
    return Cell(
        job.place.task, job.place.level, job.row, job.worth, job.budget, fit.settings, ended[0].verifier, fit.fits, fit.share,
        job.grid.problems, seeds, correct, total, low, high,
        tokens=sum(e.tokens for e in ended) / total,
        flops=sum(e.flops for e in ended) / total,
        flops_most=max(e.flops for e in ended),
        cut=sum(e.status == "budget" for e in ended),
    )  # fmt: skip


def resumed(grid: Grid, file: Path, environment: Mapping[str, Any]) -> Figures:
    """The figures in `file`, to be gone on with. Raises BadSetting if they were measured with something else than `grid` asks."""
    names = ("policy", "verifier", "problems", "seeds", "pilots", "way")
    weights = {**models().policy(grid.policy).versions, **models().verifier(grid.verifier).versions}
    return Figures.resumed(file, {**{name: getattr(grid, name) for name in names}, "weights": weights}, environment)


def fill(grid: Grid, figures: Figures, *, workers: int, tell: Callable[[Cell | str, int, int], None]) -> list[str]:
    """Measure what `figures` lacks, the cheapest cells first; it is written after each, and `tell` is told it with done and all.

    With one worker in this process, else in so many others. A cell that fails is left out, and why is told and returned.
    Raises UserError if a worker process has died.
    """
    failed = []
    with hands(workers) as submit:
        for place in grid.places:
            if figures.place(*place) is None:
                figures.add_place(*submit(greedy_worth, grid, place).result(), GREEDY)
        jobs = missing(grid, figures)
        ended = as_they_end(submit, workers, measured, (informed(job, figures) for job in jobs))
        for done, (job, future) in enumerate(ended, 1):
            try:
                found = future.result()
            except TTSExplorerError as error:
                failed.append(f"{job.row} on {job.place.task} {job.place.level}, worth {job.worth:g}: {error}")
                tell(failed[-1], done, len(jobs))
                continue
            figures.add(found.cell, found.known, found.ratio)
            tell(found.cell, done, len(jobs))
    return failed


def missing(grid: Grid, figures: Figures) -> list[Job]:
    """The cells that `figures` lacks, by rising budget."""
    places = [found for place in grid.places if (found := figures.place(*place)) is not None]
    jobs = [Job(grid, place, row, worth, ()) for place in places for row in grid.rows for worth in grid.worths]
    wanted = [job for job in jobs if not figures.holds(job.place.task, job.place.level, job.row, job.worth)]
    return sorted(wanted, key=lambda job: job.budget)


def informed(job: Job, figures: Figures) -> Job:
    """`job` with what is known by now."""
    where = job.place.task, job.place.level
    return replace(job, place=figures.place(*where), known=figures.known(*where, job.row))
