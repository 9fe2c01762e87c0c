"""The page's words in other languages: English sentences, as they stand in the code, and what stands for them elsewhere.

`assets/words/LANGUAGE.json` holds one dictionary a language, from English; a plural is an object of its forms, as CLDR names
them, under "{n} sessions". Gradio gets all of them, translates the labels of its own components by them, and hands them to the
browser, where `speak.js` does the same for ours. What a dictionary lacks stays English. Texts of people and models are never
looked up.
"""

from __future__ import annotations

import html
from functools import cache
from typing import Any

import gradio as gr
import orjson

from tts_explorer.assets import folder

LANGUAGES = ("it", "pt", "pl")
"""Besides English."""
LANGUAGE = "language code"
"""Said in each language as that language's code."""
Dictionary = dict[str, Any]


@cache
def dictionary(language: str) -> Dictionary:
    """What stands for English in a language; empty for English and for languages that there is no file of."""
    if language not in LANGUAGES:
        return {}
    return orjson.loads((folder() / "words" / f"{language}.json").read_bytes())


@cache
def speech() -> str:
    """The script that gives a component of ours its words: the first of its scripts."""
    return (folder() / "words" / "speak.js").read_text(encoding="utf-8")


def i18n() -> gr.I18n:
    """All dictionaries, for `launch`; the English one says every sentence as it is."""
    known = {language: dictionary(language) | {LANGUAGE: language} for language in LANGUAGES}
    english = {key: key for key, said in known[LANGUAGES[0]].items() if isinstance(said, str)}
    return gr.I18n(en=english | {LANGUAGE: "en"}, **known)


def marked(english: str) -> str:
    """A mark that the browser replaces by the sentence in the reader's language; one a text."""
    return str(gr.I18n()(english))


def spoken(english: str, language: str = "en", **values: object) -> str:
    """The sentence in a language, with `values` put in where it has their names in braces."""
    said = dictionary(language).get(english, english)
    return (said if isinstance(said, str) else english).format_map(_Kept(values))


def labelled(sentence: str) -> str:
    """A sentence for a label: marked if it is one of the page's own, else as it is."""
    return marked(sentence) if sentence in dictionary(LANGUAGES[0]) else sentence


def worded(sentence: str) -> str:
    """The same as HTML, escaped."""
    said = labelled(sentence)
    return html.escape(sentence) if said is sentence else said


def mark(page: gr.Blocks) -> None:
    """Mark what Gradio's components are called and say of themselves, wherever it is one of the page's own sentences."""
    for block in page.blocks.values():
        for name in ("label", "info", "placeholder", *(["value"] if isinstance(block, gr.Button) else [])):
            if isinstance(said := getattr(block, name, None), str):
                setattr(block, name, labelled(said))


class _Kept(dict[str, object]):
    """A name in braces without a value stays as it is."""

    def __missing__(self, name: str) -> str:
        return "{" + name + "}"
