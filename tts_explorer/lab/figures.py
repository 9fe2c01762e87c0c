"""The figures of the table of strategies, as data: read, added to, written after every cell. It runs nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from tts_explorer.errors import BadSetting, UserError
from tts_explorer.lab.spend import Pilot


@dataclass(frozen=True, slots=True)
class Cell:
    """One strategy at one budget on one level of one task."""

    task: str
    level: int
    row: str
    worth: float
    """Of the budget, in greedy answers."""
    budget: float
    """FLOPs of both models."""
    settings: dict[str, Any]
    verifier: str | None
    """None where it asked none."""
    fits: bool
    share: float
    """Of the setting's pilot searches, those that stay within the budget."""
    problems: int
    seeds: int
    correct: int
    total: int
    low: float
    high: float
    tokens: float
    """Sampled by both models, a search."""
    flops: float
    """Of both models, a search."""
    flops_most: float
    """Of any one search."""
    cut: int
    """Searches that the budget stopped."""

    @property
    def accuracy(self) -> float:
        return self.correct / self.total


@dataclass(frozen=True, slots=True)
class Place:
    """One level of one task, and what a greedy answer costs on its validation split, in FLOPs."""

    task: str
    level: int
    mean: float
    most: float
    """What 95% of them stay within: the budget that is worth one."""
    answers: int
    ratio: float | None
    """λ, tokens of a verdict over those of a solution, where a strategy needed it."""


@dataclass
class Figures:
    """What is known so far, `about` what it was measured with, and the file that keeps it."""

    file: Path
    about: dict[str, Any]
    places: list[Place] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    pilots: list[tuple[str, int, str, Pilot]] = field(default_factory=list)
    """Task, level, row, and the pilot."""

    @classmethod
    def read(cls, file: Path) -> Figures:
        """What `file` holds. Raises BadSetting if that is nothing, or no such figures."""
        try:
            data = orjson.loads(file.read_bytes())
            pilots = [(p.pop("task"), p.pop("level"), p.pop("row"), Pilot(**p)) for p in data["pilots"]]
            pilots = [(*where, replace(pilot, flops=tuple(pilot.flops))) for *where, pilot in pilots]
            return cls(file, data["about"], [Place(**p) for p in data["places"]], [Cell(**c) for c in data["cells"]], pilots)
        except OSError as error:
            raise BadSetting(f"{file} can't be read ({error.strerror}): make it with `tts-explorer bench strategies`") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSetting(f"{file} holds no table of strategies: move it away, or name another file") from error

    @classmethod
    def resumed(cls, file: Path, about: dict[str, Any], environment: Mapping[str, Any]) -> Figures:
        """What `file` holds, to be gone on with, or nothing yet. Raises BadSetting if it was measured with something else."""
        if not file.exists():
            if not file.parent.is_dir():
                raise BadSetting(f"there is no folder {file.parent} to write {file.name} to: make it, or name another file")
            return cls(file, {**about, "date": str(date.today()), "environment": dict(environment)})
        found = cls.read(file)
        for name, value in about.items():
            if found.about.get(name) != value:
                raise BadSetting(
                    f"{file.name} was measured with {name} {found.about.get(name)}, and this would be with {value}: "
                    "name another file with --out, or move that one away"
                )
        return found

    def place(self, task: str, level: int) -> Place | None:
        return next((place for place in self.places if (place.task, place.level) == (task, level)), None)

    def add_place(self, place: Place, pilot: Pilot, row: str) -> None:
        self.places.append(place)
        self.pilots.append((place.task, place.level, row, pilot))
        self.write()

    def holds(self, task: str, level: int, row: str, worth: float) -> bool:
        """Whether that cell was measured."""
        return any((c.task, c.level, c.row, c.worth) == (task, level, row, worth) for c in self.cells)

    def known(self, task: str, level: int, row: str) -> tuple[Pilot, ...]:
        """The row's pilots there."""
        return tuple(pilot for *where, pilot in self.pilots if where == [task, level, row])

    def add(self, cell: Cell, pilots: tuple[Pilot, ...], ratio: float | None) -> None:
        """Take in a cell with the pilots known by then, and write all."""
        where = [cell.task, cell.level, cell.row]
        fresh = {repr(pilot.settings): pilot for pilot in (*self.known(*where), *pilots)}
        self.pilots = [p for p in self.pilots if list(p[:3]) != where] + [(*where, pilot) for pilot in fresh.values()]
        self.places = [replace(p, ratio=p.ratio or ratio) if [p.task, p.level] == where[:2] else p for p in self.places]
        self.cells.append(cell)
        self.write()

    def write(self) -> None:
        """Write the file whole or not at all, an entry a line. Raises UserError."""
        pilots = [{"task": t, "level": lv, "row": row, **asdict(pilot)} for t, lv, row, pilot in self.pilots]
        lists = {"places": list(map(asdict, self.places)), "cells": list(map(asdict, self.cells)), "pilots": pilots}
        parts = [b'"about": ' + orjson.dumps(self.about)]
        for name, entries in lists.items():
            parts.append(f'"{name}": [\n'.encode() + b",\n".join(map(orjson.dumps, entries)) + b"\n]")
        new = self.file.with_name(f".{self.file.name}.new")
        try:
            new.write_bytes(b"{\n" + b",\n".join(parts) + b"\n}\n")
            os.replace(new, self.file)
        except OSError as error:
            raise UserError(f"{self.file} can't be written: {error.strerror}") from error
