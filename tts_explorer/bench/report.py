"""One table for every bench: its `results` as rows, its other figures below them. It knows no bench by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(result: Mapping[str, Any], console: Console) -> None:
    """Print what a bench returned: its settings, its results, its figures, and what it ran on."""
    console.print(Text(f"bench {result['bench']}: {listed(result['settings'])}"))
    console.print(table(result["results"]))
    for name, value in result["figures"].items():
        console.print(Text(f"{name.replace('_', ' ')}: {cell(value)}"))
    if "note" in result:
        console.print(Text(result["note"], style="dim"))
    console.print(Text(listed(result["environment"]), style="dim"))


WIDEST = 8
"""Columns of a table; more are turned into its lines."""


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Rows as lines, or as columns where each says much. The first value of each names it."""
    head, *names = rows[0]
    lines = [[cell(value) for value in row.values()] for row in rows]
    top = [head, *names]
    if len(top) > WIDEST:
        top, *lines = ([name, *cells] for name, cells in zip(top, map(list, zip(*lines, strict=True)), strict=True))
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for place, name in enumerate(top):
        grid.add_column(Text(name.replace("_", " ")), justify="right" if place else "left")
    for first, *rest in lines:
        grid.add_row(*map(Text, [first.replace("_", " "), *rest]))
    return grid


def listed(facts: Mapping[str, Any]) -> str:
    """Names and values on one line."""
    return ", ".join(f"{name.replace('_', ' ')} {cell(value)}" for name, value in facts.items())


def cell(value: Any) -> str:
    """A value as it is read: a spread as its median with its ends, a number with three digits.

    >>> cell({"median": 2.0, "low": 1.5, "high": 2.25, "values": []}), cell(12345), cell(4e-7), cell(None)
    ('2.00 (1.50–2.25)', '12,345', '4e-07', '–')
    """
    if isinstance(value, Mapping):
        return f"{cell(value['median'])} ({cell(value['low'])}–{cell(value['high'])})"
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    """Three digits, or two after the point where there are more before it.

    >>> number(0.0), number(0.9763), number(31.42), number(98765.4)
    ('0', '0.976', '31.4', '98,765')
    """
    if value == 0 or not 1e-3 <= abs(value) < 1e9:
        return f"{value:.0e}" if value else "0"
    size = abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"
