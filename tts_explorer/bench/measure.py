"""How a measurement is made: clocks, sides by turns, medians with their spread, and what it all ran on."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
PACKAGES = ("tts-explorer", "torch", "transformers", "tokenizers", "numpy")


class Clock:
    """Seconds of the process's CPU time (all its threads) and of wall time, added up over the blocks that it is entered for."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0
        self.began = (0.0, 0.0)

    def __enter__(self) -> Clock:
        self.began = (time.process_time(), time.perf_counter())
        return self

    def __exit__(self, *error: object) -> None:
        self.cpu += time.process_time() - self.began[0]
        self.wall += time.perf_counter() - self.began[1]


def by_turns(sides: Mapping[str, Callable[[int], T]], repeat: int) -> dict[str, list[T]]:
    """What each side returned for repetition 0 … repeat−1. Sides take turns, so that a slow moment hits all of them alike."""
    found: dict[str, list[T]] = {name: [] for name in sides}
    turns = [(name, i) for i in range(repeat) for name in sides]
    for name, i in tqdm(turns, unit="run", file=sys.stderr, disable=None, leave=False):
        found[name].append(sides[name](i))
    return found


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Median, lowest and highest, and the values themselves.

    >>> spread([3.0, 1.0, 2.0])["median"]
    2.0
    """
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "values": list(values)}


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, Any]:
    """The spread of ratios, each of two values measured one after the other.

    >>> ratio([4.0, 9.0], [2.0, 3.0])["values"]
    [2.0, 3.0]
    """
    return spread([a / b if b else float("nan") for a, b in zip(above, below, strict=True)])


def environment(threads: int) -> dict[str, Any]:
    """Versions, the machine, and how busy it was when this was called."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    machine = {"platform": platform.platform(), "cpu": processor(), "cores": os.cpu_count(), "load": load}
    return {"threads": threads, "python": platform.python_version(), **versions(), **machine}


def versions() -> dict[str, str | None]:
    """Versions of the packages that decide a figure; None where one is not installed."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name.replace("-", "_")] = version(name)
        except PackageNotFoundError:
            found[name.replace("-", "_")] = None
    return found


def processor() -> str:
    """The CPU's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
