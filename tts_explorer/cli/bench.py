"""`tts-explorer bench`: measurements of this machine that need nothing but the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import typer

from tts_explorer.cli import bench_lab, bench_page
from tts_explorer.cli.options import Json, Quantize, console, emit, no_bars
from tts_explorer.errors import BadSetting
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
    for command in (engine, verifier, concurrency, quantize, store):
        group.command()(command)
    group.command("page")(bench_page.command(show))
    bench_lab.add_to(group)
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
