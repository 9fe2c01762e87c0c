"""What several commands share: the session database, how models are run, consoles."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, one object a line.")]


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
