"""The page's words in the reader's language, of which `tongue` has the dictionaries.

Gradio gets those of the browser, translates the labels of its own components by them, and hands them to the browser, where
`speak.js` does the same for ours. What the server writes for one reader is said in the `reader`'s tongue.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import cache

import gradio as gr

from tts_explorer.assets import folder
from tts_explorer.tongue import LANGUAGES, Tongue, dictionary

LANGUAGE = "language code"
"""Said in each language as that language's code."""
READER = "(...given) => [...given.slice(0, -2), document.body.classList.contains('dark'), document.documentElement.lang]"
"""A handler's last two inputs are whether the page is dark, and its language."""


@cache
def speech() -> str:
    """The script that gives a component of ours its words: the first of its scripts."""
    return (folder() / "words" / "speak.js").read_text(encoding="utf-8")


def i18n() -> gr.I18n:
    """The browser's dictionaries, for `launch`; the English one says every sentence as it is.

    Gradio takes a component's first value, and what it offers to choose, for a sentence of these wherever it is spelt like one.
    """
    known = {language: dictionary(language, browser=True) | {LANGUAGE: language} for language in LANGUAGES}
    english = {key: key for key, said in known[LANGUAGES[0]].items() if isinstance(said, str)}
    return gr.I18n(en=english | {LANGUAGE: "en"}, **known)


def marked(english: str) -> str:
    """A mark that the browser replaces by the sentence in the reader's language; one a text."""
    return str(gr.I18n()(english))


def reader(request: gr.Request | None) -> Tongue:
    """The language of whoever asks: the first that their browser names, in which the page opens."""
    named = request.headers.get("accept-language", "") if request else ""
    return Tongue(named[:2].lower())


def labelled(sentence: str) -> str:
    """A sentence for a label: marked if it is one of the page's own, else as it is."""
    return marked(sentence) if sentence in dictionary(LANGUAGES[0], browser=True) else sentence


def worded(sentence: str) -> str:
    """The same as HTML, escaped."""
    said = labelled(sentence)
    return html.escape(sentence) if said is sentence else said


def numbered(names: Iterable[str]) -> list[tuple[str, int]]:
    """What a choice offers, by numbers: those are never taken for one of the page's own sentences."""
    return [(name, number) for number, name in enumerate(names)]


def mark(page: gr.Blocks) -> None:
    """Mark what Gradio's components are called and say of themselves, wherever it is one of the page's own sentences."""
    for block in page.blocks.values():
        for name in ("label", "info", "placeholder", *(["value"] if isinstance(block, gr.Button) else [])):
            if isinstance(said := getattr(block, name, None), str):
                setattr(block, name, labelled(said))
