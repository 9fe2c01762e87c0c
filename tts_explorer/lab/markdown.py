"""The README's table of strategies, made from the figures and put between two marks. It measures nothing."""

from __future__ import annotations

import re
from pathlib import Path
from shlex import quote
from textwrap import fill

from tts_explorer.errors import BadSetting, UserError
from tts_explorer.lab.figures import Cell, Figures
from tts_explorer.lab.table import Grid, every_row

BEGIN, END = "<!-- strategies -->", "<!-- /strategies -->"
CUT = "†"
"""Marks a cell whose smallest setting doesn't fit."""


def markdown(figures: Figures) -> str:
    """Rows are strategies, columns task and worth; accuracy in per cent ± half of the 95% interval. Then what it means.

    Raises BadSetting if there is nothing to show.
    """
    cells = figures.cells
    if not cells:
        raise BadSetting(f"{figures.file.name} holds no cell yet: `tts-explorer bench strategies` measures them")
    columns = sorted({(cell.task, cell.level, cell.worth) for cell in cells}, key=lambda c: (_places(figures).index(c[:2]), c[2]))
    found = {(cell.row, cell.task, cell.level, cell.worth): cell for cell in cells}
    heads = [f"{task} {level}: {worth:g}" for task, level, worth in columns]
    lines = [f"| strategy | {' | '.join(heads)} |", "|---" * (len(columns) + 1) + "|"]
    for row in _rows(figures):
        shown = [accuracy(found[(row, *column)]) if (row, *column) in found else "" for column in columns]
        lines.append(f"| {named(row)} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n\n" + told(figures)


def _places(figures: Figures) -> list[tuple[str, int]]:
    return [(place.task, place.level) for place in figures.places]


def _rows(figures: Figures) -> list[str]:
    """In the order of all rows, others after them."""
    usual = every_row()
    return sorted({cell.row for cell in figures.cells}, key=lambda row: (usual.index(row) if row in usual else len(usual), row))


def accuracy(cell: Cell) -> str:
    """As it stands in the table."""
    half = 50 * (cell.high - cell.low)
    return f"{100 * cell.accuracy:.1f} ±{half:.1f}{'' if cell.fits else CUT}"


def named(row: str) -> str:
    """A row's strategy, with the settings that it keeps; one that was told the truth is no rival.

    >>> named("sequential_refinement feedback=truth")
    '`sequential_refinement` feedback=truth (an upper bound)'
    """
    name, *kept = row.split()
    bound = ["(an upper bound)"] if "feedback=truth" in kept else []
    return " ".join([f"`{name}`", *kept, *bound])


def told(figures: Figures) -> str:
    """What was measured and how."""
    about, places = figures.about, figures.places
    worths = ", ".join(
        f"{p.most / 1e6:,.0f} MFLOPs on {p.task} {p.level} (mean {p.mean / 1e6:,.0f}, {p.answers} answers)" for p in places
    )
    seeds = f"{about['seeds']} {'seed' if about['seeds'] == 1 else 'seeds'}"
    text = (
        f"Accuracy in %, ± half of the 95% interval (Wilson, over problems × seeds), on {about['problems']} problems of the test "
        f"split, {seeds} (greedy 1), temperature 1, at budgets of so many greedy answers. One is what 95% of them stay within on "
        f"the validation split: {worths}. FLOPs of both models count, and a search that reaches its budget ends. Each strategy "
        "has the largest setting that 95% of pilot searches on the validation split finish with; "
        f"{CUT}: not even the smallest does, so that the budget decides. Made on {about['date']} by `{command(figures)}`."
    )
    return fill(text, 128, break_long_words=False, break_on_hyphens=False)


def command(figures: Figures) -> str:
    """The command that makes these figures."""
    words = [f"--task {task} --level {level}" for task, level in _places(figures)]
    rows = _rows(figures)
    words += [] if set(rows) == set(every_row()) else [f"--strategy {quote(row)}" for row in rows]
    words += [f"--worth {worth:g}" for worth in sorted({cell.worth for cell in figures.cells})]
    words += [f"--problems {figures.about['problems']} --seeds {figures.about['seeds']}"]
    usual = Grid()
    for name in ("policy", "verifier", "pilots"):
        if figures.about[name] != getattr(usual, name):
            words.append(f"--{name} {figures.about[name]}")
    return " ".join(["tts-explorer bench strategies", *words])


def put(readme: Path, figures: Figures) -> None:
    """Put the table between the marks in `readme`. Raises BadSetting if it has none, UserError if it can't be written."""
    put_between(readme, BEGIN, END, markdown(figures))


def put_between(readme: Path, begin: str, end: str, made: str) -> None:
    """Put a text between two marks in `readme`. Raises BadSetting if it has none, UserError if it can't be written."""
    try:
        text = readme.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BadSetting(f"{readme} can't be read as text: name a Markdown file with --readme") from error
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise BadSetting(f"{readme} has no place for the table: write {begin} and {end} on lines of their own where it belongs")
    between = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    try:
        readme.write_text(between.sub(lambda _: f"{begin}\n{made}\n{end}", text), encoding="utf-8")
    except OSError as error:
        raise UserError(f"{readme} can't be written: {error.strerror}") from error
