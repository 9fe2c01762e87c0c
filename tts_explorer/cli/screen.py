"""What `solve` shows: JSON lines, a live tree on a terminal, or nothing before the end elsewhere; then what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import orjson
import typer
from rich.live import Live as Display
from rich.table import Table
from rich.text import Text

from tts_explorer.cli.options import console, emit
from tts_explorer.cost import Cost
from tts_explorer.estimates import Repeat, over_repeats
from tts_explorer.events import Record, to_dict
from tts_explorer.tree import SearchTree
from tts_explorer.viz.terminal import picture, plain, summary

FRAMES = 8
"""Pictures a second at most."""


class View:
    """One search as far as it is on disk."""

    def __init__(self, id: str):
        self.id, self.tree, self.cost = id, SearchTree(), Cost()
        self.lines: list[bytes] = []
        """Not printed yet."""

    @property
    def ended(self) -> bool:
        return self.tree.status is not None

    def take(self, records: Sequence[Record], json: bool) -> None:
        """Take in new records, which are on disk by now."""
        if records[0].seq == 0:
            typer.echo(self.id, err=True)
        for record in records:
            self.tree.apply(record.event)
            self.cost.apply(record.event)
        if json:
            self.lines += [orjson.dumps(to_dict(record)) + b"\n" for record in records]


class Screen:
    """Shows committed records of one search or of several, whose streams then come one after another."""

    def __init__(self, ids: Sequence[str], json: bool, stop: Callable[[], None]):
        self.views, self.json, self.stop = {id: View(id) for id in ids}, json, stop
        self.console = console()
        self.display = Display(console=self.console, auto_refresh=False, transient=True, redirect_stderr=False)
        self.drawn = 0.0
        self.broken: BrokenPipeError | None = None

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *error: object) -> None:
        if self.display.is_started:
            self.display.stop()

    def watching(self, id: str) -> Callable[[Sequence[Record]], None]:
        """What is to be called with the new records of the search `id`."""

        def watch(records: Sequence[Record]) -> None:
            self.views[id].take(records, self.json)
            if self.json:
                self._write()
            elif self.console.is_terminal and time.monotonic() - self.drawn > 1 / FRAMES:
                self._draw()

        return watch

    def _draw(self) -> None:
        """The first search that still goes on."""
        view = next((view for view in self.views.values() if not view.ended), None)
        if view is None:
            return
        if not self.display.is_started:
            self.display.start()
            self.console.show_cursor(True)
        self.display.update(picture(view.tree, rows=self.console.height - 1), refresh=True)
        self.drawn = time.monotonic()

    def _write(self) -> None:
        """What may be printed by now. Nobody reads on once a pipe is closed, so all is cancelled; `end` says so to the shell."""
        for view in self.views.values():
            if self.broken is None and view.lines:
                try:
                    emit(b"".join(view.lines))
                except BrokenPipeError as error:
                    self.broken = error
                    self.stop()
                view.lines = []
            if not view.ended:
                return

    def end(self) -> None:
        """Print the finished tree and what came of it, or the report over repeats. Raises BrokenPipeError if nobody reads on."""
        if self.broken is not None:
            raise self.broken
        if self.json:
            return
        views = list(self.views.values())
        if len(views) == 1:
            self.console.print(picture(views[0].tree))
            self.console.print(summary(views[0].tree, views[0].cost, views[0].tree.status or "interrupted"))
        else:
            self.console.print(Text(plain(views[0].tree.started.problem) if views[0].tree.started else "", style="bold"))
            self.console.print(each(views))
            self.console.print(report(views))


def each(views: Sequence[View]) -> Table:
    """A line a search."""
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("seed", "answer", "", "tokens", "FLOPs", "ended"):
        grid.add_column(name, justify="right" if name in ("seed", "tokens", "FLOPs") else "left")
    for view in views:
        tree, cost = view.tree, view.cost
        answer = plain(tree.selected.answer) if tree.selected else "none"
        grade = {True: "✓ right", False: "✗ wrong", None: ""}[tree.correct]
        seed = str(tree.started.seed) if tree.started else ""
        grid.add_row(seed, Text(answer), grade, f"{cost.tokens:,}", f"{cost.flops:.2e}", plain(tree.status or "interrupted"))
    return grid


def report(views: Sequence[View]) -> Table:
    """Mean, best, worst and majority over the searches, and the spread of the tokens that they took."""
    trees = [view.tree for view in views]
    known = any(tree.started is not None and tree.started.truth for tree in trees)
    known = known or any(grade is not None for tree in trees for grade in tree.grades.values())
    runs = [
        Repeat(tree.selected.answer if tree.selected else None, tree.correct is True, view.cost.tokens)
        for tree, view in zip(trees, views, strict=True)
    ]
    found = over_repeats(runs)
    right, wrong = ("right", "wrong") if known else ("not graded", "not graded")
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    if known:
        grid.add_row("mean", f"{100 * found.mean:.0f}% of {len(runs)} searches right")
        grid.add_row("best", f"{right if found.best else wrong} (any of them right: what an oracle would choose)")
        grid.add_row("worst", f"{right if found.worst else wrong} (all of them right)")
    grid.add_row("majority", Text(plain(voted(runs))).append(f"  {right if found.majority else wrong}", style="dim"))
    grid.add_row("tokens", f"{found.tokens:,.0f} a search, spread {found.spread:,.0f} (standard deviation)")
    return grid


def voted(runs: Sequence[Repeat]) -> str:
    """The most frequent answer, of equals the earlier; `none` without any."""
    answers = [run.answer for run in runs if run.answer]
    return max(dict.fromkeys(answers), key=answers.count, default="none")
