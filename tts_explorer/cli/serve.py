"""`tts-explorer serve`: the page."""

from __future__ import annotations

from typing import Annotated

import typer

from tts_explorer.cli.options import Db, Device, Quantize, Threads
from tts_explorer.errors import UserError
from tts_explorer.viz.terminal import plain


def add_to(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen on; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Else the first free one from 7860.")] = None,
    db: Db = None,
    device: Device = "cpu",
    threads: Threads = None,
    quantize: Quantize = None,
) -> None:
    """Show the page in a browser, until Ctrl-C."""
    from tts_explorer import app

    try:
        app.serve(host=host, port=port, db=db, device=device, threads=threads, precision=quantize)
    except OSError as error:
        place = f"{host}:{port}" if port else host
        raise UserError(
            f"{place} can't be listened on ({plain(str(error)).partition('. ')[0]}): try another --port or --host"
        ) from error
