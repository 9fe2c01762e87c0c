"""What several commands share: the session database, how models are run, how steps are sampled, budgets, consoles."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tts_explorer.runner.plan import BUDGETS
from tts_explorer.store import Store, default_path

Db = Annotated[
    Path | None,
    typer.Option("--db", envvar="TTS_EXPLORER_DB", help="The session database; else one in the platform's data folder."),
]
Device = Annotated[str, typer.Option("--device", help="cpu or cuda.")]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, max=256, help="Threads of torch; else one for a tiny model, else all cores.")
]
Quantize = Annotated[str | None, typer.Option("--quantize", help="int8: hold the weights of local models so. CPU only.")]
Temperature = Annotated[float, typer.Option("--temperature", help="0 is greedy.")]
MaxStepTokens = Annotated[int, typer.Option("--max-step-tokens", help="A longer step is cut.")]
Aggregate = Annotated[str, typer.Option("--aggregate", help="last, min, prod or mean of the rewards.")]
Rule = Annotated[str | None, typer.Option("--rule", help="best, majority, weighted or last; else the strategy's own.")]
BudgetNodes = Annotated[int | None, typer.Option("--budget-nodes", help="Stop at this many nodes.")]
BudgetTokens = Annotated[int | None, typer.Option("--budget-tokens", help="Stop at this many sampled tokens.")]
BudgetFlops = Annotated[float | None, typer.Option("--budget-flops", help="Stop at this many FLOPs of both models.")]
BudgetSeconds = Annotated[float | None, typer.Option("--budget-seconds", help="Stop after this many seconds.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, one object a line.")]


def budget_of(given: Any) -> dict[str, float]:
    """The budgets among the options."""
    limits = {name: getattr(given, f"budget_{name}") for name in BUDGETS}
    return {name: limit for name, limit in limits.items() if limit is not None}


def open_store(db: Path | None) -> Store:
    """The store at `db`, or at the default place."""
    return Store(db or default_path())


def console() -> Console:
    """Standard output. Text from models is never read as markup; 160 columns where there is no terminal."""
    width = None if sys.stdout.isatty() else 160
    return Console(width=width, markup=False, highlight=False, emoji=False)


def no_bars() -> None:
    """Switch off the bars of model libraries, before they are imported: a bundled model loads in a moment."""
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def emit(data: bytes) -> None:
    """Write bytes to standard output at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
