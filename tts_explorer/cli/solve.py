"""`tts-explorer solve`: one search, its tree drawn live, stored as it grows."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from types import FrameType
from typing import Annotated, Any, cast

import orjson
import typer
from rich.console import Console
from rich.live import Live as Display

from tts_explorer.cli.options import Db, Device, Json, Quantize, Threads, console, emit, no_bars, open_store
from tts_explorer.cost import Cost
from tts_explorer.errors import BadSession, TTSExplorerError
from tts_explorer.events import Record, to_dict
from tts_explorer.runner import Ask, Live, Loop, Models, Run, prepare
from tts_explorer.store import Store, new_id
from tts_explorer.tree import SearchTree
from tts_explorer.viz.terminal import picture, summary

DEFAULT = Ask()
FRAMES = 8
"""Pictures a second at most."""


def add_to(app: typer.Typer) -> None:
    app.command()(solve)


def option(name: str, help: str) -> Any:
    return typer.Option(f"--{name}", help=help)


def solve(
    task: Annotated[str | None, option("task", "The task that the problem is of.")] = None,
    level: Annotated[int, option("level", "Difficulty, 1 to 5.")] = DEFAULT.level,
    index: Annotated[int, option("index", "Number of the problem, from 0; the same one for ever.")] = DEFAULT.index,
    split: Annotated[str, option("split", "train, validation or test.")] = DEFAULT.split,
    problem: Annotated[str | None, option("problem", "A problem in your own words, instead of an index.")] = None,
    answer: Annotated[str | None, option("answer", "The answer to --problem, where no task can grade it.")] = None,
    policy: Annotated[str, option("policy", "bundled:NAME, hf:ORG/NAME[@REVISION] or a folder.")] = DEFAULT.policy,
    verifier: Annotated[str | None, option("verifier", "A name likewise, for strategies that score.")] = None,
    strategy: Annotated[str, option("strategy", "How to search.")] = DEFAULT.strategy,
    set: Annotated[list[str] | None, option("set", "KEY=VALUE, a setting of the strategy; may be repeated.")] = None,
    seed: Annotated[int, option("seed", "Decides every random number.")] = DEFAULT.seed,
    temperature: Annotated[float, option("temperature", "0 is greedy.")] = DEFAULT.temperature,
    max_step_tokens: Annotated[int, option("max-step-tokens", "A longer step is cut.")] = DEFAULT.max_step_tokens,
    aggregate: Annotated[str, option("aggregate", "last, min, prod or mean of the rewards.")] = DEFAULT.aggregate,
    rule: Annotated[str | None, option("rule", "best, majority, weighted or last; else the strategy's own.")] = None,
    budget_nodes: Annotated[int | None, option("budget-nodes", "Stop at this many nodes.")] = None,
    budget_tokens: Annotated[int | None, option("budget-tokens", "Stop at this many sampled tokens.")] = None,
    budget_flops: Annotated[float | None, option("budget-flops", "Stop at this many FLOPs of both models.")] = None,
    budget_seconds: Annotated[float | None, option("budget-seconds", "Stop after this many seconds.")] = None,
    device: Device = "cpu",
    threads: Threads = None,
    quantize: Quantize = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Search for the answer to one problem: a task's, by level and index, or one in your own words.

    The new session's id goes to standard error. Ctrl-C ends the search with its best answer so far.
    """
    if answer is not None and problem is None:
        raise typer.BadParameter("it needs --problem", param_hint="--answer")
    limits = {"nodes": budget_nodes, "tokens": budget_tokens, "flops": budget_flops, "seconds": budget_seconds}
    budget = {name: limit for name, limit in limits.items() if limit is not None}
    ask = Ask(
        policy, verifier, strategy, pairs(set or []), task, level, index, cast(Any, split), problem, answer,
        seed, temperature, max_step_tokens, aggregate, rule, budget,
    )  # fmt: skip
    with closing(open_store(db)) as store:
        search(ask, Models(device=device, threads=threads, precision=quantize), store, json)


def pairs(settings: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE texts as a dictionary; values are checked by the strategy."""
    split = [text.partition("=") for text in settings]
    for text, (key, equals, _) in zip(settings, split, strict=True):
        if not key.strip() or not equals:
            raise typer.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--set")
    return {key.strip(): value.strip() for key, _, value in split}


def search(ask: Ask, models: Models, store: Store, json: bool) -> None:
    """Run `ask` to its end in this thread and show it."""
    run = loaded(ask, models)
    loop = Loop(store)
    screen = Screen(run.id, json)
    live = loop.start(run, screen.watch)
    screen.stop = live.cancel
    with screen, stopping(live) as caught:
        loop.drive()
    if live.error is not None:
        raise BadSession(f"the session could not be saved ({live.error}): make room, or choose another database with --db")
    screen.end()
    if caught:
        raise typer.Exit(128 + caught[0])
    if screen.tree.status == "failed":
        raise TTSExplorerError(f"the search failed: {screen.tree.detail}")


def loaded(ask: Ask, models: Models) -> Run:
    """The run, its models loaded. Only downloads show their own progress."""
    downloads = any(name.startswith("hf:") for name in (ask.policy, ask.verifier or ""))
    if downloads and sys.stderr.isatty():
        return prepare(ask, models, id=new_id())
    no_bars()
    with Console(stderr=True, markup=False).status(f"loading {ask.policy}"):
        return prepare(ask, models, id=new_id())


@contextmanager
def stopping(live: Live) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM cancel the run; a second one ends the process at once. Yields the signals that came."""
    caught: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        live.cancel()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Screen:
    """Shows committed records: JSON lines, a live tree on a terminal, or nothing before the end elsewhere."""

    def __init__(self, id: str, json: bool):
        self.id, self.json = id, json
        self.tree, self.cost = SearchTree(), Cost()
        self.console = console()
        self.display = Display(console=self.console, auto_refresh=False, transient=True, redirect_stderr=False)
        self.drawn = 0.0
        self.stop = lambda: None
        self.broken: BrokenPipeError | None = None

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *error: object) -> None:
        if self.display.is_started:
            self.display.stop()

    def watch(self, records: Sequence[Record]) -> None:
        """Take in new records, which are on disk by now."""
        if records[0].seq == 0:
            typer.echo(self.id, err=True)
        for record in records:
            self.tree.apply(record.event)
            self.cost.apply(record.event)
        if self.json:
            self._write(b"".join(orjson.dumps(to_dict(record)) + b"\n" for record in records))
        elif self.console.is_terminal and time.monotonic() - self.drawn > 1 / FRAMES:
            self._draw()

    def _draw(self) -> None:
        if not self.display.is_started:
            self.display.start()
            self.console.show_cursor(True)
        self.display.update(picture(self.tree, rows=self.console.height - 1), refresh=True)
        self.drawn = time.monotonic()

    def _write(self, lines: bytes) -> None:
        """Nobody reads on once a pipe is closed, so the search is cancelled; `end` says so to the shell."""
        if self.broken is not None:
            return
        try:
            emit(lines)
        except BrokenPipeError as error:
            self.broken = error
            self.stop()

    def end(self) -> None:
        """Print the finished tree and what came of it. Raises BrokenPipeError if the reader has gone."""
        if self.broken is not None:
            raise self.broken
        if not self.json:
            self.console.print(picture(self.tree))
            self.console.print(summary(self.tree, self.cost, self.tree.status or "interrupted"))
