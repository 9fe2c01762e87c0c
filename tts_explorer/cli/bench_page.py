"""`tts-explorer bench page`: the page in a real browser, against its goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from tts_explorer.cli.options import Json


def command(show: Callable[[Mapping[str, Any], bool], None]) -> Callable[..., None]:
    """The command, which hands its result to `show`."""

    def page(
        part: Annotated[
            list[str] | None,
            typer.Option("--part", help="first-paint, start, update, large or store; may be repeated. Else all."),
        ] = None,
        repeat: Annotated[int, typer.Option("--repeat", min=1, help="Repetitions; the median counts.")] = 20,
        nodes: Annotated[int, typer.Option("--nodes", min=1, help="Nodes of the search that grows.")] = 2_000,
        large: Annotated[int, typer.Option("--large", min=1, help="Nodes of the large session.")] = 10_000,
        sessions: Annotated[int, typer.Option("--sessions", min=1, help="Sessions in the store.")] = 20_000,
        json: Json = False,
    ) -> None:
        """The page in Chromium through Playwright: first paint, Start, updates, a large session, a full store."""
        from tts_explorer.bench.page import Sizes, bench_page

        show(bench_page(part or [], Sizes(repeat, nodes, large, sessions)), json)

    return page
