"""`tts-explorer bench`: measurements of this machine that need nothing but the program."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from tts_explorer.assets import folder
from tts_explorer.cli.options import Json, Quantize, console, emit, no_bars
from tts_explorer.errors import BadSetting, TTSExplorerError
from tts_explorer.models import require_runnable


def option(name: str, help: str, low: int = 1) -> Any:
    return typer.Option(f"--{name}", min=low, help=help)


Shape = Annotated[str, typer.Option("--shape", help="bundled (1.2M parameters), slice (0.1B) or 0.5b; weights are random.")]
N = Annotated[int, option("n", "Steps a round.")]
BeamWidth = Annotated[int, option("beam-width", "Steps after each kept one; it divides n.")]
Rounds = Annotated[int, option("rounds", "Rounds of a search.")]
Steps = Annotated[int, option("steps", "Tokens of a step.")]
Prompt = Annotated[int, option("prompt", "Tokens of the problem.")]
Repeat = Annotated[int, option("repeat", "Repetitions; the sides take turns.")]
Threads = Annotated[int, option("threads", "Threads of torch.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    for command in (engine, verifier, concurrency, quantize, store, strategies, table):
        group.command()(command)
    app.add_typer(group, name="bench", help="Measure this machine: CPU time, medians over repetitions, sides by turns.")


def show(result: Mapping[str, Any], json: bool) -> None:
    """One JSON object and nothing else, or a table."""
    from tts_explorer.bench import report

    if json:
        emit(orjson.dumps(result) + b"\n")
    else:
        report.show(result, console())


def engine(
    shape: Shape = "bundled",
    n: N = 16,
    beam_width: BeamWidth = 4,
    rounds: Rounds = 10,
    steps: Steps = 32,
    ragged: Annotated[bool, typer.Option("--ragged", help="Steps of 4 tokens to twice --steps, instead of all alike.")] = False,
    prompt: Prompt = 100,
    roofline: Annotated[bool, typer.Option("--roofline", help="One token of 1 to 64 rows against the machine's limits.")] = False,
    repeat: Repeat = 3,
    threads: Threads = 1,
    quantize: Quantize = None,
    json: Json = False,
) -> None:
    """The engine against generate on whole texts: one beam search on random weights."""
    no_bars()
    require_runnable(precision=quantize)
    if roofline:
        if quantize:
            raise BadSetting("the roofline is that of float32 weights: leave --quantize or --roofline away")
        from tts_explorer.bench.roofline import bench_roofline

        show(bench_roofline(shape, prompt=prompt, repeat=repeat, threads=threads), json)
        return
    from tts_explorer.bench.engine import bench_engine
    from tts_explorer.bench.rounds import Course

    course = Course(n, beam_width, rounds, steps, prompt, ragged)
    show(bench_engine(course, shape, repeat=repeat, threads=threads, precision=quantize), json)


def verifier(
    shape: Shape = "bundled",
    n: N = 16,
    beam_width: BeamWidth = 4,
    rounds: Rounds = 10,
    steps: Steps = 32,
    prompt: Prompt = 100,
    repeat: Repeat = 3,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """The verifier alone: each step read once against each text read whole, even steps and ragged ones."""
    no_bars()
    from tts_explorer.bench.rounds import Course
    from tts_explorer.bench.verifier import bench_verifier

    course = Course(n, beam_width, rounds, steps, prompt)
    show(bench_verifier(course, shape, repeat=repeat, threads=threads), json)


def concurrency(
    searches: Annotated[int, option("searches", "Searches at once.")] = 10,
    rows: Annotated[int, option("rows", "Samples under way at once, of all searches.")] = 160,
    n: N = 16,
    beam_width: BeamWidth = 4,
    level: Annotated[int, option("level", "Difficulty of the countdown problems.")] = 3,
    repeat: Repeat = 3,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Searches with the bundled models, all at once against each alone: time, and whether they stay the same."""
    no_bars()
    from tts_explorer.bench.concurrency import Party, bench_concurrency

    party = Party(searches, rows, n, beam_width, level)
    show(bench_concurrency(party, repeat=repeat, threads=threads), json)


def quantize(
    problems: Annotated[int, option("problems", "Problems; the beam search takes 60 of them at most.")] = 200,
    level: Annotated[int, option("level", "Difficulty of the countdown problems.")] = 3,
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """The bundled models with int8 weights against float32: accuracy, equal answers, time."""
    no_bars()
    from tts_explorer.bench.quantize import bench_quantize

    show(bench_quantize(problems, level=level, threads=threads), json)


def store(
    events: Annotated[int, option("events", "Events of the session.")] = 20_000,
    repeat: Repeat = 3,
    json: Json = False,
) -> None:
    """The session database: events appended in batches of 1, 16 and 256, and read back."""
    from tts_explorer.bench.store import bench_store

    show(bench_store(events, repeat=repeat), json)


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


def results() -> Path:
    """Where the figures lie."""
    return folder() / "results" / "strategies.json"


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
