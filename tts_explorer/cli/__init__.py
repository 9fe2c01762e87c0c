"""The command line. One module a group of commands; heavy imports wait inside the command that needs them.

Exit codes: 0; 1 for a failure that the user can act on (one line); 2 for bad usage; 130 after Ctrl-C; 143 after
SIGTERM. The environment: TTS_EXPLORER_DEBUG is read here, TTS_EXPLORER_DB by the option `--db`; `app.serve`, which a Space
runs without this command line, reads the latter and SPACE_ID itself.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from tts_explorer.cli import bench, doctor, models, serve, sessions, solve, sweep, train
from tts_explorer.errors import TTSExplorerError
from tts_explorer.viz.terminal import plain


class Commands(TyperGroup):
    """The commands; what goes wrong on purpose is told in one line."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TTSExplorerError as error:
            tell(str(error))
            raise typer.Exit(1) from error


def tell(sentence: str) -> None:
    """Say what failed on standard error; with TTS_EXPLORER_DEBUG set, the traceback before it."""
    if os.environ.get("TTS_EXPLORER_DEBUG"):
        traceback.print_exc()
    typer.echo(f"Error: {plain(sentence)}", err=True)


app = typer.Typer(
    cls=Commands,
    name="tts-explorer",
    help="Watch small language models search: solve problems, keep every search, replay it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for module in (serve, solve, sweep, sessions, models, train, bench, doctor):
    module.add_to(app)


def main() -> None:
    """The entry point `tts-explorer`."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    try:
        app(prog_name="tts-explorer")
    except Exception as error:
        tell(f"{type(error).__name__}: {error} (this is a bug; run with TTS_EXPLORER_DEBUG=1 for the traceback)")
        sys.exit(1)
