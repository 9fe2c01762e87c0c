"""What all charts share: their dress, how they show a model's text, and marks for what became of a node.

Plotly is imported when a figure is made. It knows no chart.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tts_explorer.events import dotted
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
OPEN = ("cross", "ring", "hollow")
"""Shapes that are lines only."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure, or None where there is nothing to draw, and in a sentence what it shows or why there is none."""

    figure: Figure | None
    sentence: str


def dressed(traces: Sequence[Trace], colours: Palette, x: str, y: str, height: int = 380, **layout: Any) -> Figure:
    """A figure with these axis titles in the page's colours, over whatever lies beneath. A finger on it scrolls the page."""
    from plotly.graph_objects import Figure

    axis = {"gridcolor": colours.line, "linecolor": colours.line, "zeroline": False, "automargin": True, "fixedrange": True}
    figure = Figure(list(traces))
    figure.update_layout(
        template="none", paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", height=height, autosize=True,
        font={"family": "system-ui, 'DejaVu Sans', sans-serif", "size": 13, "color": colours.ink}, dragmode=False,
        margin={"l": 8, "r": 12, "t": 8, "b": 8}, hovermode="closest",
        hoverlabel={"bgcolor": colours.card, "bordercolor": colours.edge, "font": {"color": colours.ink}, "align": "left"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal",
                "bgcolor": "rgba(0,0,0,0)", "font": {"size": 12}},
        modebar={"remove": ["select2d", "lasso2d", "zoom2d", "pan2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "resetScale2d"],
                 "bgcolor": "rgba(0,0,0,0)", "color": colours.quiet, "activecolor": colours.ink},
        xaxis={**axis, "title": {"text": x, "font": {"size": 13}}}, yaxis={**axis, "title": {"text": y, "font": {"size": 13}}},
    )  # fmt: skip
    return figure.update_layout(**layout)


def unscored(course: Course) -> Chart:
    """No figure, and why."""
    return Chart(None, YET if course.tree.started and course.tree.started.verifier and not course.tree.status else UNSCORED)


def many(count: int, one: str) -> str:
    """A number of things.

    >>> many(1, "answer"), many(1200, "answer")
    ('1 answer', '1,200 answers')
    """
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def shown(text: str, longest: int = 60) -> str:
    """Text of a model as Plotly shows it: one line, cut, and no markup.

    >>> shown("a <b>bold</b>\\nclaim")
    'a &lt;b&gt;bold&lt;/b&gt; claim'
    """
    return html.escape(clipped(text, longest), quote=False)


def hover(course: Course, node: Node) -> str:
    """What a pointer on a node reads."""
    score = f"{node.score:.2f}" if node.reward is not None else "failed" if node.scored else "none"
    fate = course.fate(node.id)
    why = f": {shown(node.pruned)}" if fate == "pruned" and node.pruned else ""
    said = [f"node {dotted(node.id)} · score {score} · {'the answer' if fate == 'selected' else fate}{why}"]
    return "<br>".join([shown(node.text) or "(empty step)", *said])


def fate_marks(course: Course, places: Sequence[Place], colours: Palette, ink: Callable[[Node], str], scale: float = 1.0,
               outline: str | None = None) -> list[Trace]:  # fmt: skip
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
            "hovertext": [hover(course, node) for node, _, _ in ours],
        }
        marker = _marker(shape, inks, outline, colours, scale)
        traces.append({"type": "scatter", "mode": "markers", "showlegend": False, "marker": marker, "cliponaxis": False,
                       "hoverinfo": "text", **spots})  # fmt: skip
        sample = _marker(shape, colours.gone if shape in OPEN else colours.ink, None, colours, 0.8)
        traces.append({"type": "scatter", "mode": "markers", "x": [None], "y": [None], "name": SHORT[fate], "marker": sample})
    return traces


def _marker(shape: str, inks: list[str] | str, outline: str | None, colours: Palette, scale: float) -> Trace:
    symbol, size = SYMBOLS[shape]
    line: Trace = {"color": outline or inks, "width": 1.4 if outline else 0}
    if shape in OPEN:
        line = {"color": inks, "width": 2}
    if shape == "chosen":
        line = {"color": colours.path, "width": 3}
    return {"symbol": symbol, "size": max(4.0, size * scale), "color": inks, "line": line, "opacity": 1}
