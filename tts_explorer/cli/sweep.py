"""`tts-explorer sweep`: a grid of searches, kept as they end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from types import SimpleNamespace
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from rich.text import Text

from tts_explorer.cli.options import (
    Aggregate,
    BudgetFlops,
    BudgetNodes,
    BudgetSeconds,
    BudgetTokens,
    Db,
    Json,
    MaxStepTokens,
    Rule,
    Temperature,
    budget_of,
    console,
    emit,
    no_bars,
    open_store,
)
from tts_explorer.cli.solve import pairs
from tts_explorer.errors import TTSExplorerError
from tts_explorer.runner import Ask
from tts_explorer.viz.terminal import plain

DEFAULT = Ask()


def add_to(app: typer.Typer) -> None:
    app.command()(sweep)


def option(name: str, help: str, **more: Any) -> Any:
    return typer.Option(f"--{name}", help=help, **more)


def sweep(
    task: Annotated[list[str], option("task", "A task; may be repeated, as may all that name one thing.")],
    strategy: Annotated[list[str], option("strategy", "How to search.")],
    level: Annotated[list[int] | None, option("level", f"Difficulty, 1 to 5, of every task; else {DEFAULT.level}.")] = None,
    policy: Annotated[list[str] | None, option("policy", f"The model that writes; else {DEFAULT.policy}.")] = None,
    verifier: Annotated[list[str] | None, option("verifier", "What scores, for strategies that score.")] = None,
    set: Annotated[list[str] | None, option("set", "KEY=VALUE,VALUE,…: values of a setting, where a strategy has it.")] = None,
    problems: Annotated[int, option("problems", "Problems of each level.")] = 200,
    first: Annotated[int, option("first", "Number of the first one.")] = 0,
    split: Annotated[str, option("split", "train, validation or test.")] = DEFAULT.split,
    seeds: Annotated[int, option("seeds", "Seeds from 0; greedy has one.")] = 3,
    temperature: Temperature = DEFAULT.temperature,
    max_step_tokens: MaxStepTokens = DEFAULT.max_step_tokens,
    aggregate: Aggregate = DEFAULT.aggregate,
    rule: Rule = DEFAULT.rule,
    budget_nodes: BudgetNodes = None,
    budget_tokens: BudgetTokens = None,
    budget_flops: BudgetFlops = None,
    budget_seconds: BudgetSeconds = None,
    workers: Annotated[
        int | None, option("workers", "Processes, of one thread each; else as many as cores, at most 8.", min=1, max=256)
    ] = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Measure every combination of what is named: accuracy, tokens, FLOPs, seconds.

    Each search is kept once it has ended: the same command goes on where it was, and a larger one runs only what is new.
    """
    perform(SimpleNamespace(**locals()))


def perform(given: SimpleNamespace) -> None:
    """Do what the options say."""
    no_bars()
    from tts_explorer.lab import sweep as lab

    grid = asked(given)
    grid.check()
    with closing(open_store(given.db)) as store:
        points, remarks = lab.planned(grid, lab.models())
        for remark in remarks:
            typer.echo(plain(remark), err=True)
        failed = filled(points, store, given.workers)
        found = lab.read(points, store)
    if given.json:
        emit(b"".join(orjson.dumps(asdict(cell)) + b"\n" for cell in found))
    elif found:
        console().print(table(found))
    if failed:
        raise TTSExplorerError(f"{failed} of the jobs failed, and the same command tries them again")


def asked(given: SimpleNamespace) -> Any:
    """The grid that the options describe."""
    from tts_explorer.lab.sweep import Grid

    lists = {"tasks": given.task, "strategies": given.strategy, "verifiers": given.verifier or []}
    lists |= {"levels": given.level or [DEFAULT.level], "policies": given.policy or [DEFAULT.policy]}
    names = ("problems", "seeds", "first", "split", "temperature", "max_step_tokens", "aggregate", "rule")
    same = {name: getattr(given, name) for name in names}
    return Grid(**lists, settings=values(given.set or []), budget=budget_of(given), **same)


def values(settings: Sequence[str]) -> dict[str, list[str]]:
    """KEY=VALUE,VALUE texts as lists by name; a name that comes again adds to its list."""
    found: dict[str, list[str]] = {}
    for text in settings:
        for key, chosen in pairs([text]).items():
            found.setdefault(key, []).extend(value.strip() for value in chosen.split(","))
    return found


def filled(points: Sequence[Any], store: Any, workers: int | None) -> int:
    """Run what is missing, with a bar and a line a cell on standard error; how many jobs failed."""
    from tqdm import tqdm

    from tts_explorer.lab.sweep import counted, fill

    before, total = counted(points, store)
    if before:
        typer.echo(f"{before:,} of {total:,} searches are there already", err=True)
    bar = tqdm(unit="search", disable=None, initial=before, total=total)

    def tell(done: int, total: int, what: Any) -> None:
        bar.update(done - bar.n)
        if what is not None:
            bar.write(f"{done:,} of {total:,}: {said(what)}", file=sys.stderr)

    try:
        with bar:
            return len(fill(points, store, workers=workers, tell=tell))
    except KeyboardInterrupt:
        held = f"{counted(points, store)[0]:,} of {total:,} searches are kept in {store.path.name}"
        typer.echo(f"stopped: {held}, and the same command goes on from there", err=True)
        raise typer.Exit(130) from None


def said(what: Any) -> str:
    """A cell, or what failed, in a line."""
    if isinstance(what, str):
        return f"failed: {plain(what)}"
    named = " ".join(part for part in described(what) if part)
    return f"{named}: {100 * what.accuracy:.1f}%, {what.flops / 1e6:,.0f} MFLOPs a search"


def described(cell: Any) -> tuple[str, ...]:
    """Which cell it is."""
    settings = " ".join(f"{name}={value}" for name, value in cell.settings.items())
    return tuple(map(plain, (f"{cell.task} {cell.level}", cell.strategy, settings, cell.verifier or "", cell.policy)))


def table(cells: Sequence[Any]) -> Table:
    """A line a cell; what is the same for all stands above."""
    parts = [described(cell) for cell in cells]
    alike = [len({*column}) == 1 for column in zip(*parts, strict=True)]
    grid = Table(box=None, pad_edge=False, header_style="dim", title_justify="left", title_style="dim")
    if above := [part for part, same in zip(parts[0], alike, strict=True) if same and part]:
        grid.title = Text(", ".join(above))
    grid.add_column("cell")
    for name in ("right", "95%", "searches", "tokens", "MFLOPs", "seconds"):
        grid.add_column(name, justify="right", no_wrap=True)
    for cell, told in zip(cells, parts, strict=True):
        differs = " ".join(part for part, same in zip(told, alike, strict=True) if part and not same)
        grid.add_row(*map(Text, (differs, *figures(cell))))
    return grid


def figures(cell: Any) -> tuple[str, ...]:
    """What a cell came to; searches as problems × seeds."""
    ends = f"{100 * cell.low:.1f} – {100 * cell.high:.1f}"
    costs = f"{cell.tokens:,.0f}", f"{cell.flops / 1e6:,.0f}", f"{cell.seconds:.3f}"
    return f"{100 * cell.accuracy:.1f}%", ends, f"{cell.problems} × {cell.seeds}", *costs
