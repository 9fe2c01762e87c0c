"""The evidence of the bundled ladder: the cells of its sweeps in one file, which everything that is said of it is read from.

A cell there is what a sweep says of it and each seed's accuracy besides. New cells join old ones; old ones that were measured
with other weights than those that are here now go. Nothing is run here.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from tts_explorer.errors import BadSetting, UserError
from tts_explorer.lab.results import Cell, kept
from tts_explorer.lab.rungs import POLICY, Rung, by_size, models_of
from tts_explorer.lab.sweep import Point, cell_of
from tts_explorer.lab.table import GREEDY
from tts_explorer.models import PROGRAM
from tts_explorer.store import Store

SAMPLE = "one sample"
"""How a policy answers that neither searches nor is greedy."""
OUTCOME = ("problems", "seeds", "correct", "total", "accuracy", "low", "high", "tokens", "tokens_spread", "flops", "policy_flops",
           "verifier_flops", "seconds", "cut", "by_seed")  # fmt: skip
"""What a cell came to; the rest says which cell it is."""


@dataclass(frozen=True, slots=True)
class Measured(Cell):
    """A cell of the ladder."""

    by_seed: tuple[float, ...] = ()
    """The accuracy of each seed alone."""

    @property
    def n(self) -> int:
        """Samples, one where the strategy has no such setting."""
        return int(self.settings.get("n", 1))

    @property
    def checked(self) -> bool:
        """Whether a program is its verifier."""
        return self.verifier == PROGRAM

    @property
    def how(self) -> str:
        """The strategy, said apart where a program checks, or `one sample`."""
        if self.checked:
            return f"{self.strategy}, checked"
        return SAMPLE if self.strategy == "self_consistency" and self.n == 1 else self.strategy

    @property
    def searches(self) -> bool:
        """Whether it is more than the policy as it is."""
        return self.how not in (GREEDY, SAMPLE)

    @property
    def key(self) -> bytes:
        """Which cell it is."""
        facts = {name: value for name, value in asdict(self).items() if name not in OUTCOME}
        return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)


def measured(points: Sequence[Point], store: Store) -> list[Measured]:
    """The points all of whose searches are kept."""
    cells = []
    for point in points:
        found = kept(store, point.key)
        if found.keys() >= set(point.pairs):
            seeds = sorted({seed for _, seed in point.pairs})
            right = [[found[pair].correct for pair in point.pairs if pair[1] == seed] for seed in seeds]
            shares = tuple(sum(some) / len(some) for some in right)
            cells.append(Measured(**asdict(cell_of(point, found)), by_seed=shares))
    return cells


@dataclass
class Evidence:
    """What is known of the ladder."""

    rungs: list[Rung]
    """The models as they were when it was measured."""
    cells: list[Measured]
    about: dict[str, Any] = field(default_factory=dict)
    """When, and with which versions."""

    @classmethod
    def read(cls, file: Path) -> Evidence:
        """What `file` holds. Raises BadSetting if that is nothing, or no such evidence."""
        try:
            data = orjson.loads(file.read_bytes())
            about, cells = data["about"], data["cells"]
            rungs = [Rung(name=name, **facts) for name, facts in about.pop("models").items()]
            return cls(rungs, [Measured(**{**cell, "by_seed": tuple(cell["by_seed"])}) for cell in cells], about)
        except OSError as error:
            raise BadSetting(f"{file} can't be read ({error.strerror}): make it with `tts-explorer bench ladder`") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSetting(f"{file} holds no evidence of the ladder: move it away, or name another file") from error

    @property
    def policies(self) -> list[Rung]:
        """By size, specialists last; only those that were measured."""
        seen = {cell.policy for cell in self.cells}
        return by_size(rung for rung in self.rungs if rung.role == POLICY and rung.name in seen)

    @property
    def families(self) -> list[str]:
        """Those that were measured, by name."""
        return sorted({cell.task for cell in self.cells})

    def of(self, policy: str, family: str, level: int) -> list[Measured]:
        """A policy's cells on one level of one family."""
        return [cell for cell in self.cells if (cell.policy, cell.task, cell.level) == (policy, family, level)]

    def write(self, file: Path) -> None:
        """Write it whole or not at all, a cell a line. Raises UserError."""
        models = {rung.name: {name: value for name, value in asdict(rung).items() if name != "name"} for rung in self.rungs}
        lines = b",\n".join(orjson.dumps(asdict(cell)) for cell in self.cells)
        about = orjson.dumps({**self.about, "models": models})
        new = file.with_name(f".{file.name}.new")
        try:
            new.write_bytes(b'{\n"about": ' + about + b',\n"cells": [\n' + lines + b"\n]\n}\n")
            os.replace(new, file)
        except OSError as error:
            raise UserError(f"{file} can't be written: {error.strerror}") from error


def require_room(file: Path) -> None:
    """Raise BadSetting unless `file` can be made or added to, before hours are spent."""
    if file.exists():
        Evidence.read(file)
    elif not file.parent.is_dir():
        raise BadSetting(f"there is no folder {file.parent} to write {file.name} to: make it, or name another file")


def merged(file: Path, cells: Sequence[Measured], rungs: Sequence[Rung], versions: Mapping[str, Any]) -> list[str]:
    """Add cells to `file`, and say which of the old ones had to go. Raises BadSetting or UserError."""
    old = Evidence.read(file) if file.exists() else Evidence([], [])
    weights = {rung.name: rung.weights for rung in rungs}
    others = {rung.name for rung in old.rungs if weights.get(rung.name) != rung.weights}
    gone = [models_of(cell.policy, cell.verifier) & others for cell in old.cells]
    still = [cell for cell, names in zip(old.cells, gone, strict=True) if not names]
    about = {"date": str(date.today()), "versions": dict(versions)}
    Evidence(by_size(rungs), _ordered(joined(still, cells), rungs), about).write(file)
    counts = Counter(" and ".join(sorted(names)) for names in gone if names)
    return [f"{count} cells are dropped: measured with other weights of {names} than are here" for names, count in counts.items()]


def joined(old: Iterable[Measured], new: Iterable[Measured]) -> list[Measured]:
    """Each cell once: of two, the one with more searches, and of equal ones the new one."""
    found: dict[bytes, Measured] = {}
    for cell in (*old, *new):
        if cell.key not in found or cell.total >= found[cell.key].total:
            found[cell.key] = cell
    return list(found.values())


def _ordered(cells: Iterable[Measured], rungs: Iterable[Rung]) -> list[Measured]:
    """By family, level and size, so that the file changes only where a figure does."""
    size = {rung.name: place for place, rung in enumerate(by_size(rungs))}
    return sorted(cells, key=lambda cell: (cell.task, cell.level, size.get(cell.policy, len(size)), cell.key))
