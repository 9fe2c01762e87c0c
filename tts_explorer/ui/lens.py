"""A PRM under the lens: where verifiers were wrong, each a click from its tree, and whether their scores can be taken at their
word.

Over the stored sessions; over the recordings that come with the program while there are none. The page is one component of our
own (`assets/lens/`), which asks for lists (`look`), and a chart that follows it.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import asdict
from functools import cache, partial
from typing import Any

import gradio as gr
from pydantic import TypeAdapter

from tts_explorer.store import Judged, Store, in_memory
from tts_explorer.store.judged import Look, look
from tts_explorer.tongue import Tongue
from tts_explorer.ui import frame
from tts_explorer.ui.component import OwnComponent
from tts_explorer.ui.explore import guarded, say
from tts_explorer.ui.service import EXAMPLE, Service, example, examples
from tts_explorer.ui.shelf import checked
from tts_explorer.ui.words import READER
from tts_explorer.viz.calibration import calibration

TITLE = "A PRM under the lens"
LEAD = (
    "Wrong answers that a verifier scored high, right ones that it scored low, and whether its scores can be taken at their word."
)
DRAWING = "Drawing the chart…"
MOST = 12
"""Answers of a list."""
LONGEST = 300
Asked = TypeAdapter(dict[str, str])


class Lens:
    """What the page asks."""

    def __init__(self, store: Store):
        self.store = store

    def look(self, asked: Any) -> dict[str, Any]:
        """The lists for {task, verifier}; empty ones mean all."""
        wanted = wish(checked(Asked, asked))
        found, recorded = self.found(wanted)
        lists = {name: [_row(asdict(one)) for one in getattr(found, name)] for name in ("wrong", "right")}
        return lists | {"choices": found.choices, "unread": found.unread, "recorded": recorded}

    def found(self, wanted: Judged) -> tuple[Look, bool]:
        """What is judged, and whether it is of the recordings: there are no sessions of one's own with judged answers."""
        found = self.store.judged(wanted, MOST)
        if any(found.choices.values()) or found.unread:
            return found, False
        return recordings(wanted), True


def wish(asked: dict[str, str]) -> Judged:
    return Judged(asked.get("task", "")[:100], asked.get("verifier", "")[:200])


def _row(known: dict[str, Any]) -> dict[str, Any]:
    return known | {"problem": known["problem"][:LONGEST]}


@cache
def _recorded() -> tuple[sqlite3.Connection, threading.Lock]:
    return in_memory({EXAMPLE + name: example(name)[0] for name in examples()}), threading.Lock()


def recordings(wanted: Judged) -> Look:
    """The same of the recordings that come with the program."""
    connection, lock = _recorded()
    with lock:
        return look(connection, wanted, MOST)


def build(service: Service) -> None:
    """Lay the page out inside the route that is open."""
    frame.build(TITLE, LEAD)
    lens = Lens(service.store)
    lists = OwnComponent("lens", "lens", ["lens"], answers=[lens.look], elem_id="lens")
    plot = gr.Plot(show_label=False, container=False, elem_id="calibration", visible=False)
    sentence = gr.HTML(say(DRAWING), elem_id="calibration-said", apply_default_css=False)
    wanted, dark, language = gr.JSON(visible="hidden"), gr.Checkbox(visible="hidden"), gr.Textbox(visible="hidden")
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    lists.looked(_taken, None, wanted, **quiet).then(
        partial(_draw, lens), [wanted, dark, language], [plot, sentence], js=READER, show_progress="hidden", concurrency_limit=4
    )


def _taken(event: gr.EventData) -> dict[str, str]:
    """What the lists show, so that the chart shows the same."""
    given = event._data if isinstance(event._data, dict) else {}
    return {name: str(given.get(name) or "") for name in ("task", "verifier")}


def _draw(lens: Lens, wanted: Any, dark: bool, language: str) -> tuple[Any, str]:
    tongue = Tongue(str(language))
    told, problem = guarded(lambda: lens.found(wish(wanted or {}))[0], tongue)
    if told is None:
        return gr.skip(), problem
    chart = calibration(told.bins, bool(dark), tongue)
    return gr.update(value=chart.figure, visible=chart.figure is not None), say(chart.sentence)
