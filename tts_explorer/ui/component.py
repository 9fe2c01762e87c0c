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
from tts_explorer.ui.words import speech


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


def safely(answer: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """`answer` for the browser: what goes wrong becomes {"error": one sentence}, and never a traceback."""

    def called(asked: Any) -> dict[str, Any]:
        try:
            return answer(asked)
        except UserError as error:
            return {"error": str(error)}
        except sqlite3.Error as error:
            return {
                "error": f"The session database can't be used ({error}): is it still in its place? Restart the app if it moved."
            }
        except Exception:
            number = secrets.token_hex(4)
            logging.getLogger(__name__).exception("error %s", number)
            return {"error": f"Something broke on our side; the server's log has it under {number}. Try again."}

    called.__name__ = answer.__name__
    return called
