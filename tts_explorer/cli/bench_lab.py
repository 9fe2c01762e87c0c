"""The lab under `tts-explorer bench`: the table of strategies, and the evidence of the bundled ladder."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from tts_explorer.assets import folder
from tts_explorer.cli.options import Db, no_bars, open_store
from tts_explorer.cli.sweep import filled
from tts_explorer.errors import TTSExplorerError, UserError
from tts_explorer.viz.terminal import plain


def add_to(group: typer.Typer) -> None:
    for command in (strategies, table, ladder, figures):
        group.command()(command)


def option(name: str, help: str, low: int = 1) -> Any:
    return typer.Option(f"--{name}", min=low, help=help)


File = typer.Option("--out", help="The figures; else assets/results/strategies.json.")


def strategies(
    task: Annotated[list[str] | None, typer.Option("--task", help="A task; may be repeated. Else countdown, arithmetic.")] = None,
    level: Annotated[list[int] | None, typer.Option("--level", help="Its level: one for all, or one a task. Else 3, 5.")] = None,
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", help="A row, as 'NAME KEY=VALUE': what it keeps. Else all there are.")
    ] = None,
    worth: Annotated[list[float] | None, typer.Option("--worth", help="A budget in greedy answers. Else 1, 4, 16, 64.")] = None,
    problems: Annotated[int, option("problems", "Problems of the test split.")] = 200,
    seeds: Annotated[int, option("seeds", "Seeds from 0; greedy has one.")] = 3,
    pilots: Annotated[int, option("pilots", "Pilot searches a setting, on the validation split.")] = 20,
    workers: Annotated[int, option("workers", "Processes, of one thread each.")] = 2,
    policy: Annotated[str, typer.Option("--policy", help="The model that writes.")] = "bundled:small",
    verifier: Annotated[str, typer.Option("--verifier", help="The model that scores, where one is asked.")] = "bundled:prm",
    out: Annotated[Path | None, File] = None,
) -> None:
    """Every strategy at the same budgets in FLOPs; kept after every cell, so that the same command goes on where it was."""
    no_bars()
    from tts_explorer.lab.table import Grid, every_row

    places = paired(task or ["countdown", "arithmetic"], level or ([3] if task else [3, 5]))
    rows, worths = tuple(strategy or every_row()), tuple(worth or (1.0, 4.0, 16.0, 64.0))
    grid = Grid(places, rows, worths, problems, seeds, policy, verifier, pilots)
    grid.check()
    measured(grid, out or results(), workers)


def paired(tasks: list[str], levels: list[int]) -> tuple[tuple[str, int], ...]:
    """Each task with its level."""
    if len(levels) not in (1, len(tasks)):
        raise typer.BadParameter(f"{len(levels)} for {len(tasks)} tasks: give one for all, or one each", param_hint="--level")
    return tuple(zip(tasks, levels * len(tasks) if len(levels) == 1 else levels, strict=True))


def results(name: str = "strategies") -> Path:
    """Where figures lie."""
    return folder() / "results" / f"{name}.json"


def measured(grid: Any, file: Path, workers: int) -> None:
    """Fill the table, a line a cell on standard error, and print it."""
    from tqdm import tqdm

    from tts_explorer.bench.measure import environment
    from tts_explorer.lab.markdown import accuracy, markdown
    from tts_explorer.lab.table import fill, resumed

    figures = resumed(grid, file, environment(threads=1))
    bar = tqdm(unit="cell", disable=None)

    def tell(cell: Any, done: int, total: int) -> None:
        bar.total, bar.n = total, done
        if isinstance(cell, str):
            bar.write(f"{done} of {total}: failed: {cell}", file=sys.stderr)
            return
        settings = " ".join(f"{name}={value}" for name, value in cell.settings.items())
        where = f"{cell.task} {cell.level}, worth {cell.worth:g}, {cell.row.split()[0]} {settings}".rstrip()
        bar.write(f"{done} of {total}: {where}: {accuracy(cell)}%, {cell.flops / cell.budget:.2f} of the budget", file=sys.stderr)

    try:
        with bar:
            failed = fill(grid, figures, workers=workers, tell=tell)
    except KeyboardInterrupt:
        typer.echo(
            f"stopped: {len(figures.cells)} cells are kept in {file.name}, and the same command goes on from there", err=True
        )
        raise typer.Exit(130) from None
    if failed:
        raise TTSExplorerError(
            f"{len(failed)} of the cells failed, and the same command tries them again; the last was {failed[-1]}"
        )
    typer.echo(markdown(figures))


def table(
    out: Annotated[Path | None, File] = None,
    readme: Annotated[Path | None, typer.Option("--readme", help="Put it into this file instead, between its marks.")] = None,
) -> None:
    """The table of strategies as Markdown, from the figures that `bench strategies` keeps."""
    from tts_explorer.lab.figures import Figures
    from tts_explorer.lab.markdown import markdown, put

    figures = Figures.read(out or results())
    typer.echo(markdown(figures)) if readme is None else put(readme, figures)


Part = typer.Option(
    "--part", help="sizes, search, checked, difficulty, dvts or verify; may be repeated. Else all, in this order."
)
Workers = typer.Option("--workers", help="Processes, of one thread each; else as many as cores, at most 8.", min=1, max=256)


def ladder(
    problems: Annotated[int, option("problems", "Problems of each level; of some parts 200 at most.")] = 500,
    seeds: Annotated[int, option("seeds", "Seeds from 0; greedy has one.")] = 3,
    policy: Annotated[list[str] | None, typer.Option("--policy", help="A bundled policy; may be repeated. Else all.")] = None,
    family: Annotated[list[str] | None, typer.Option("--family", help="A task; may be repeated. Else all.")] = None,
    part: Annotated[list[str] | None, Part] = None,
    workers: Annotated[int | None, Workers] = None,
    db: Db = None,
    out: Annotated[Path | None, typer.Option("--out", help="The evidence; else assets/results/ladder.json.")] = None,
) -> None:
    """The evidence of the bundled policies, in fixed sweeps: how they do by size, with search, by difficulty.

    Cells join those that the file has; searches are kept as `sweep` keeps them, so that the same command goes on where it was.
    """
    no_bars()
    from tts_explorer.lab import evidence, sweep
    from tts_explorer.lab.ladder import PARTS, Ladder
    from tts_explorer.lab.rungs import rungs

    models, file = sweep.models(), out or results("ladder")
    evidence.require_room(file)
    asked = Ladder(rungs(models), policy or (), family or (), problems, seeds)
    wanted = {name: points_of(name, asked, models) for name in part or PARTS}
    with closing(open_store(db)) as store:
        failed = sum(part_measured(name, points, store, workers, asked.rungs, file) for name, points in wanted.items())
    if failed:
        raise TTSExplorerError(f"{failed} of the jobs failed, and the same command tries them again")


def points_of(part: str, asked: Any, models: Any) -> Sequence[Any]:
    """The cells of a part; what there is to say of them, on standard error."""
    from tts_explorer.lab.ladder import points

    found, remarks = points(part, asked, models)
    for remark in remarks if found else [f"{part}: there is nothing to measure with these policies and families"]:
        typer.echo(plain(remark), err=True)
    return found


def part_measured(name: str, points: Sequence[Any], store: Any, workers: int | None, rungs: Any, file: Path) -> int:
    """Run a part, and add to the file whatever is whole by then, however it ended; how many jobs failed."""
    from tts_explorer.bench.measure import versions
    from tts_explorer.lab.evidence import measured, merged

    try:
        return filled(points, store, workers) if points else 0
    finally:
        cells = measured(points, store)
        for remark in merged(file, cells, rungs, versions()):
            typer.echo(plain(remark), err=True)
        typer.echo(f"{name}: {len(cells)} of {len(points)} cells are in {file.name}", err=True)


def figures(
    results_file: Annotated[Path | None, typer.Option("--results", help="The evidence; else assets/results/ladder.json.")] = None,
    readme: Annotated[Path | None, typer.Option("--readme", help="Put the tables into this file, between its marks.")] = None,
    pictures: Annotated[Path | None, typer.Option("--pictures", help="Folder for the pictures; else assets/pictures.")] = None,
) -> None:
    """The pictures and tables of the bundled models, from what `bench ladder` and `train.evaluate` keep; nothing is measured."""
    from tts_explorer.lab import skill_tables
    from tts_explorer.lab.evidence import Evidence
    from tts_explorer.lab.ladder_tables import BEGIN, END, markdown
    from tts_explorer.lab.markdown import put_between

    evidence, place = Evidence.read(results_file or results("ladder")), pictures or folder() / "pictures"
    base, links = (readme or Path("README.md")).resolve().parent, {}
    for (name, says), text in drawn(evidence).items():
        written(place / name, text)
        links[says] = Path(os.path.relpath(place.resolve() / name, base)).as_posix()
    made, besides = markdown(evidence, links), skill_tables.markdown(folder() / "results")
    if readme is None:
        typer.echo(f"{made}\n\n{besides}")
        return
    put_between(readme, BEGIN, END, made)
    if skill_tables.BEGIN in readme.read_text(encoding="utf-8"):
        put_between(readme, skill_tables.BEGIN, skill_tables.END, besides)


def drawn(evidence: Any) -> dict[tuple[str, str], str]:
    """The pictures there are to draw, by file name and what they show."""
    from tts_explorer.lab.ladder_figures import accuracy_by_flops_svg, best_strategy_svg, duels_svg, levels_svg

    found = {
        ("accuracy-by-flops.svg", "Accuracy against FLOPs of a search, by family and policy"): accuracy_by_flops_svg(evidence),
        ("best-strategy.svg", "The best strategy by policy and difficulty"): best_strategy_svg(evidence),
        ("by-level.svg", "Strategies by level of difficulty"): levels_svg(evidence),
        ("duels.svg", "Strategies against one another, by FLOPs of a search"): duels_svg(evidence),
    }
    return {what: text for what, text in found.items() if text is not None}


def written(file: Path, text: str) -> None:
    """Write a picture. Raises UserError."""
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{file} can't be written: {error.strerror}") from error
