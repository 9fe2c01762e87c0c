"""What all charts share: their dress, how they show a model's text, and marks for what became of a node.

Plotly is imported when a figure is made. It knows no chart.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tts_explorer.events import dotted
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import Node
from tts_explorer.viz.course import Course
from tts_explorer.viz.drawing import clipped
from tts_explorer.viz.marks import FATES, SYMBOLS, Palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

Trace = dict[str, Any]
UNSCORED = "No step of this search has a score: its strategy asks no verifier. Choose one that does, such as beam search."
YET = "No step has a score yet: draw again when the verifier has judged some."
Place = tuple[Node, float, float]
"""A node, and its x and y."""
SHORT = {
    "kept": "kept or open", "waiting": "waiting", "pruned": "pruned", "duplicate": "duplicate", "finished": "finished",
    "selected": "the answer",
}  # fmt: skip
"""What a legend says of each fate, short enough for a phone."""
WORDS = {
    "kept": "kept", "open": "open", "waiting": "waiting", "duplicate": "duplicate", "finished": "finished",
    "selected": "the answer",
}  # fmt: skip
"""What a pointer reads of each fate."""
REASONS = {
    "rank": "others ranked higher", "by hand": "pruned by hand", "no share": "its share of the next samples is none",
    "not drawn": "no particle drew it",
}  # fmt: skip
"""Why a strategy gave a node up, as the live view says it; other reasons are a strategy's own words."""
OPEN = ("cross", "ring", "hollow")
"""Shapes that are lines only."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, or None where there is nothing to draw, and in a sentence what it shows or why there is none."""

    figure: Figure | None
    sentence: str


def dressed(traces: Sequence[Trace], colours: Palette, x: str, y: str, height: int = 380, *, say: Tongue = ENGLISH,
            **layout: Any) -> Figure:  # fmt: skip
    """A figure with these axis titles in the page's colours, over whatever lies beneath. A finger on it scrolls the page.

    Titles and names come in the reader's language; `say` gives the numbers that Plotly writes their marks.
    """
    from plotly.graph_objects import Figure

    axis = {"gridcolor": colours.line, "linecolor": colours.line, "zeroline": False, "automargin": True, "fixedrange": True}
    figure = Figure(list(traces))
    figure.update_layout(
        template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=height, autosize=True,
        font={"family": "system-ui, 'DejaVu Sans', sans-serif", "size": 13, "color": colours.ink}, dragmode=False,
        margin={"l": 8, "r": 12, "t": 8, "b": 8}, hovermode="closest", separators=say.separators,
        hoverlabel={"bgcolor": colours.card, "bordercolor": colours.edge, "font": {"color": colours.ink}, "align": "left"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal",
                "bgcolor": "rgba(0,0,0,0)", "font": {"size": 12}},
        modebar={"remove": ["select2d", "lasso2d", "zoom2d", "pan2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "resetScale2d"],
                 "bgcolor": "rgba(0,0,0,0)", "color": colours.quiet, "activecolor": colours.ink},
        xaxis={**axis, "title": {"text": x, "font": {"size": 13}}}, yaxis={**axis, "title": {"text": y, "font": {"size": 13}}},
    )  # fmt: skip
    return figure.update_layout(**layout)


def unscored(course: Course, say: Tongue = ENGLISH) -> Chart:
    """No figure, and why."""
    waits = course.tree.started and course.tree.started.verifier and not course.tree.status
    return Chart(None, say(YET if waits else UNSCORED))


def shown(text: str, longest: int = 60) -> str:
    """Text of a model as Plotly shows it: one line, cut, and no markup.

    >>> shown("a <b>bold</b>\\nclaim")
    'a &lt;b&gt;bold&lt;/b&gt; claim'
    """
    return html.escape(clipped(text, longest), quote=False)


def hover(course: Course, node: Node, say: Tongue = ENGLISH) -> str:
    """What a pointer on a node reads."""
    none = say("no score, the verifier failed") if node.scored else say("no score")
    score = none if node.reward is None else say("score {score}", score=say.number(node.score, ".2f"))
    facts = [say("node {path}", path=dotted(node.id)), score, _became(course.fate(node.id), node.pruned or "", say)]
    return "<br>".join([shown(node.text) or say("(empty step)"), " · ".join(facts)])


def _became(fate: str, reason: str, say: Tongue) -> str:
    if fate != "pruned":
        return say(WORDS[fate])
    return say("pruned: {reason}", reason=say(REASONS[reason]) if reason in REASONS else shown(reason))


def fate_marks(course: Course, places: Sequence[Place], colours: Palette, ink: Callable[[Node], str], scale: float = 1.0,
               outline: str | None = None, say: Tongue = ENGLISH) -> list[Trace]:  # fmt: skip
    """Nodes at places, a trace for each shape of fate, in the colours that `ink` gives; what is filled, with an `outline`."""
    traces = []
    for fate in SHORT:
        shape = FATES[fate]
        ours = [place for place in places if FATES[course.fate(place[0].id)] == shape]
        if not ours:
            continue
        inks = [ink(node) for node, _, _ in ours]
        spots = {
            "x": [x for _, x, _ in ours],
            "y": [y for _, _, y in ours],
            "hovertext": [hover(course, node, say) for node, _, _ in ours],
        }
        marker = _marker(shape, inks, outline, colours, scale)
        traces.append({"type": "scatter", "mode": "markers", "showlegend": False, "marker": marker, "cliponaxis": False,
                       "hoverinfo": "text", **spots})  # fmt: skip
        sample = _marker(shape, colours.gone if shape in OPEN else colours.ink, None, colours, 0.8)
        traces.append(
            {"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": say(SHORT[fate]), "marker": sample}
        )
    return traces


def _marker(shape: str, inks: list[str] | str, outline: str | None, colours: Palette, scale: float) -> Trace:
    symbol, size = SYMBOLS[shape]
    line: Trace = {"color": outline or inks, "width": 1.4 if outline else 0}
    if shape in OPEN:
        line = {"color": inks, "width": 2}
    if shape == "chosen":
        line = {"color": colours.path, "width": 3}
    return {"symbol": symbol, "size": max(4.0, size * scale), "color": inks, "line": line, "opacity": 1}
