"""A component of our own: its markup, look and behaviour are the files of a folder in `assets/`.

The markup is static. What a person or a model wrote reaches it as a value, or as the answer of a server function, and becomes
text there, never HTML.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import gradio as gr

from tts_explorer.assets import folder
from tts_explorer.errors import UserError
from tts_explorer.tongue import Tongue
from tts_explorer.ui.words import reader, speech


class OwnComponent(gr.HTML):
    """`name`.html and `name`.css of `place`, and its `scripts`, in order, as the body of one function.

    The markup is in English; `words/speak.js` puts it into the reader's language, and gives the scripts `tr` to do the same.

    Each of `answers` becomes a server function of its name; it is called with one value, which anyone may have made.
    """

    def __init__(
        self,
        place: str,
        name: str,
        scripts: Sequence[str],
        value: str = "",
        *,
        answers: Sequence[Callable[[Any], dict[str, Any]]] = (),
        **options: Any,
    ) -> None:
        super().__init__(
            value,
            html_template=read(place, f"{name}.html"),
            css_template=read(place, f"{name}.css"),
            js_on_load="\n".join([speech(), *(read(place, f"{script}.js") for script in scripts)]),
            apply_default_css=False,
            server_functions=[safely(answer) for answer in answers],
            **options,
        )

    def postprocess(self, value: str | None) -> str:
        return value or ""

    def get_block_name(self) -> str:
        return "html"


@cache
def read(place: str, file: str) -> str:
    """A file of `assets/`."""
    return (folder() / place / file).read_text(encoding="utf-8")


NO_DATABASE = "The session database can't be used ({error}): is it still in its place? Restart the app if it moved."
BROKEN = "Something broke on our side; the server's log has it under {number}. Try again."


def said_of(error: BaseException, tongue: Tongue) -> str:
    """What a visitor is told of what went wrong, in one sentence; what nobody foresaw is written to the log."""
    if isinstance(error, UserError):
        return tongue.of(error)
    if isinstance(error, sqlite3.Error):
        return tongue(NO_DATABASE, error=error)
    number = secrets.token_hex(4)
    logging.getLogger(__name__).error("error %s", number, exc_info=error)
    return tongue(BROKEN, number=number)


def safely(answer: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """`answer` for the browser: what goes wrong becomes {"error": one sentence, the reader's}, and never a traceback."""

    def called(asked: Any, request: gr.Request | None = None) -> dict[str, Any]:
        try:
            return answer(asked)
        except Exception as error:
            return {"error": said_of(error, reader(request))}

    called.__name__ = answer.__name__
    return called
