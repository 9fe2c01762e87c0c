"""`tts-explorer solve`: one search or several repeats, drawn live, stored as they grow."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from types import FrameType, SimpleNamespace
from typing import Annotated, Any

import typer
from rich.console import Console

from tts_explorer.cli.options import (
    Aggregate,
    BudgetFlops,
    BudgetNodes,
    BudgetSeconds,
    BudgetTokens,
    Db,
    Device,
    Json,
    MaxStepTokens,
    Quantize,
    Rule,
    Temperature,
    Threads,
    budget_of,
    no_bars,
    open_store,
)
from tts_explorer.cli.screen import Screen
from tts_explorer.errors import BadSession, TTSExplorerError
from tts_explorer.runner import Ask, Live, Loop, Models, Run, prepare
from tts_explorer.store import Store, new_id

DEFAULT = Ask()
VERIFIED = "solve_and_verify"
"""The strategy whose budget --worth divides."""


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
    temperature: Temperature = DEFAULT.temperature,
    max_step_tokens: MaxStepTokens = DEFAULT.max_step_tokens,
    aggregate: Aggregate = DEFAULT.aggregate,
    rule: Rule = DEFAULT.rule,
    budget_nodes: BudgetNodes = None,
    budget_tokens: BudgetTokens = None,
    budget_flops: BudgetFlops = None,
    budget_seconds: BudgetSeconds = None,
    worth: Annotated[float | None, option("worth", "Of solve_and_verify: what n and votes may cost, in solutions.")] = None,
    divide: Annotated[str | None, option("divide", "How --worth is shared: paper, even, fit, or a number of votes.")] = None,
    ratio: Annotated[float | None, option("ratio", "Tokens of a verdict over those of a solution; else as measured.")] = None,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=256, help="Searches, with seeds from --seed on.")] = 1,
    device: Device = "cpu",
    threads: Threads = None,
    quantize: Quantize = None,
    db: Db = None,
    json: Json = False,
) -> None:
    """Search for the answer to one problem: a task's, by level and index, or one in your own words.

    The new session's id goes to standard error. Ctrl-C ends the search with its best answer so far.
    """
    perform(SimpleNamespace(**locals()))


def perform(given: SimpleNamespace) -> None:
    """Do what the options say."""
    check_usage(given)
    ask = asked(given)
    with closing(open_store(given.db)) as store:
        models = Models(device=given.device, threads=given.threads, precision=given.quantize)
        if given.worth is not None:
            ask = shared_out(ask, given, models, store)
        search([replace(ask, seed=ask.seed + i) for i in range(given.repeats)], models, store, given.json)


def check_usage(given: SimpleNamespace) -> None:
    """Raise BadParameter for options that don't go together."""
    if given.answer is not None and given.problem is None:
        raise typer.BadParameter("it needs --problem", param_hint="--answer")
    if given.worth is None:
        for name in ("divide", "ratio"):
            if getattr(given, name) is not None:
                raise typer.BadParameter("it needs --worth", param_hint=f"--{name}")
    elif given.strategy != VERIFIED:
        raise typer.BadParameter(f"it needs --strategy {VERIFIED}", param_hint="--worth")
    elif taken := sorted({"n", "votes"} & set(pairs(given.set or []))):
        raise typer.BadParameter(f"{taken[0]} follows from --worth: leave one of them away", param_hint="--set")


def asked(given: SimpleNamespace) -> Ask:
    """The search that the options describe."""
    same = (field.name for field in fields(Ask) if hasattr(given, field.name))
    return Ask(**{name: getattr(given, name) for name in same}, settings=pairs(given.set or []), budget=budget_of(given))


def shared_out(ask: Ask, given: SimpleNamespace, models: Models, store: Store) -> Ask:
    """`ask` with the solutions and verdicts that --worth buys, which is said on standard error; no verdicts are plain majority.

    Raises BadSetting before anything is spent.
    """
    from tts_explorer.lab.divide import divided, fitted, known_ratio, points_of, recorded, require_ratio

    way = "paper" if given.divide is None else int(given.divide) if given.divide.lstrip("-").isdecimal() else given.divide
    divided(given.worth, 1.0 if given.ratio is None else require_ratio(given.ratio), way if way != "fit" else "even")
    least = loaded(replace(ask, settings={**ask.settings, "n": 1, "votes": 1}), models)
    names = least.policy.name, least.verifier.name if least.verifier else ""
    trees = recorded(store, *names, ask.task) if given.ratio is None or way == "fit" else []
    ratio = known_ratio(trees, *names, ask.task) if given.ratio is None else given.ratio
    law = fitted(points_of(trees), ratio) if way == "fit" else None
    parts = divided(given.worth, ratio, way, law=law)
    settings = {"n": parts.solutions} | ({"votes": parts.verdicts} if parts.verdicts else {})
    ask = replace(ask, strategy=VERIFIED if parts.verdicts else "self_consistency", settings={**ask.settings, **settings})
    prepare(ask, models, id="")
    told = f"S = {parts.solutions}, V = {parts.verdicts}: worth {parts.cost(ratio):.3g} of {given.worth:g} solutions"
    fit = f" ({law.budgets} budgets: S = {law.scale:.2f} C^{law.exponent:.2f})" if law else ""
    typer.echo(f"{told} at λ = {ratio:.3g}, by {way}{fit}", err=True)
    return ask


def pairs(settings: Sequence[str]) -> dict[str, str]:
    """KEY=VALUE texts as a dictionary; values are checked by the strategy."""
    split = [text.partition("=") for text in settings]
    for text, (key, equals, _) in zip(settings, split, strict=True):
        if not key.strip() or not equals:
            raise typer.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--set")
    return {key.strip(): value.strip() for key, _, value in split}


def search(asks: Sequence[Ask], models: Models, store: Store, json: bool) -> None:
    """Run them together to their ends in this thread and show them."""
    runs = [loaded(ask, models) for ask in asks]
    loop, lives = Loop(store), list[Live]()
    screen = Screen([run.id for run in runs], json, lambda: cancel(lives))
    lives += [loop.start(run, screen.watching(run.id)) for run in runs]
    with screen, stopping(lives) as caught:
        loop.drive()
    if (error := next((live.error for live in lives if live.error is not None), None)) is not None:
        raise BadSession(f"the session could not be saved ({error}): make room, or choose another database with --db")
    screen.end()
    if caught:
        raise typer.Exit(128 + caught[0])
    if failed := [run.tree.detail for run in runs if run.tree.status == "failed"]:
        raise TTSExplorerError(f"the search failed: {failed[0]}")


def cancel(lives: Sequence[Live]) -> None:
    """Ask all of them to stop."""
    for live in lives:
        live.cancel()


def loaded(ask: Ask, models: Models) -> Run:
    """The run, its models loaded. Only downloads show their own progress."""
    downloads = any(name.startswith("hf:") for name in (ask.policy, ask.verifier or ""))
    if downloads and sys.stderr.isatty():
        return prepare(ask, models, id=new_id())
    no_bars()
    with Console(stderr=True, markup=False).status(f"loading {ask.policy}"):
        return prepare(ask, models, id=new_id())


@contextmanager
def stopping(lives: Sequence[Live]) -> Iterator[list[int]]:
    """Ctrl-C and SIGTERM cancel the runs; a second one ends the process at once. Yields the signals that came."""
    caught: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        cancel(lives)
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
