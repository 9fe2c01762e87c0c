"""The charts of the search on the page: made when the panel is opened, and again when the search has ended; never while it is
closed. This module knows components; the figures come from `viz`.
"""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from tts_explorer.errors import UserError
from tts_explorer.events import Record
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui.downloads import Downloads, writer
from tts_explorer.ui.service import Service
from tts_explorer.ui.words import READER, numbered, worded
from tts_explorer.viz.charts import diversity, heat_map, ribbons, votes
from tts_explorer.viz.climb import best_score
from tts_explorer.viz.course import Course
from tts_explorer.viz.figure import tree_figure
from tts_explorer.viz.look import Chart

TOKENS, FLOPS, SCORES, HEAT = "Score by tokens", "Score by FLOPs", "Spread", "Heat map"
VARIETY, VOTES, TREE = "Diversity", "Votes", "Tree"
ABOUT = {
    TOKENS: "The best score so far against the tokens spent on it.",
    FLOPS: "The best score so far against the FLOPs spent on it.",
    SCORES: "How the candidates’ scores spread; what was given up stands to the right of what was kept.",
    HEAT: "Every step: its colour is its score, its symbol what became of it.",
    VARIETY: "How many different beginnings and answers the search still had.",
    VOTES: "The answers by what they weigh under the search’s rule.",
    TREE: "The whole tree; point at a node to read it.",
}
"""What each chart shows."""
EMPTY = "No search yet: start one, or open a recorded session. Its charts are drawn here."
DRAWING = "Drawing the chart…"


def build(service: Service, session: gr.Textbox) -> None:
    """Lay the panel and the downloads out below the view; `session` holds the id that the page shows."""
    files = Downloads(answers=[writer(service)])
    opened, dark, language = gr.State(False), gr.Checkbox(visible="hidden"), gr.Textbox(visible="hidden")
    with gr.Accordion("Charts", open=False, elem_id="charts") as panel:
        which = gr.Radio(numbered(ABOUT), value=0, label="Chart", elem_id="chart-choice")
        words = gr.HTML("", elem_id="chart-words", apply_default_css=False)
        plot = gr.Plot(None, show_label=False, container=False, elem_id="chart")
        again = gr.Button("Draw again", size="sm", elem_id="chart-again")

    def draw(is_open: bool, id: str, number: int, is_dark: bool, spoken: str) -> tuple[Any, Any]:
        return shown(service, id, list(ABOUT)[number], is_dark, Tongue(spoken)) if is_open else (gr.skip(), gr.skip())

    inputs, outputs = [opened, session, which, dark, language], [plot, words]
    quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": 4, "js": READER}
    begun = panel.expand(lambda: (True, worded(DRAWING)), None, [opened, words], queue=False, show_progress="hidden")
    begun.then(draw, inputs, outputs, **quiet)
    panel.collapse(lambda: (False, None), None, [opened, plot], queue=False, show_progress="hidden")
    for trigger in (which.input, again.click, session.change, files.search_ended):
        trigger(draw, inputs, outputs, **quiet)
    session.change(lambda id: id, session, files, queue=False, show_progress="hidden")


def shown(service: Service, session: str, name: str, dark: bool, say: Tongue = ENGLISH) -> tuple[Any, str]:
    """The figure, and what is said above it."""
    chart = of_session(service, session, name, dark, say)
    return gr.update(value=chart.figure, visible=chart.figure is not None), said(chart.sentence, say(ABOUT[name]))


def said(sentence: str, about: str) -> str:
    """What stands above the figure, as HTML with nothing in it but text."""
    return f'<p class="about">{html.escape(about)}</p><p role="status">{html.escape(sentence)}</p>'


def of_session(service: Service, session: str, name: str, dark: bool, say: Tongue = ENGLISH) -> Chart:
    """The chart of that name, or none and why."""
    if not session:
        return Chart(None, say(EMPTY))
    try:
        return chart_named(name, service.records(session), dark, say)
    except UserError as error:
        return Chart(None, say.of(error))


def chart_named(name: str, records: list[Record], dark: bool, say: Tongue = ENGLISH) -> Chart:
    """One of `ABOUT`, of the search as far as it is recorded."""
    course = Course.of(records)
    if name in (TOKENS, FLOPS):
        return best_score(course, records, "tokens" if name == TOKENS else "flops", dark, say)
    makers = {SCORES: ribbons, HEAT: heat_map, VARIETY: diversity, VOTES: votes}
    return makers.get(name, tree_figure)(course, dark, say)
