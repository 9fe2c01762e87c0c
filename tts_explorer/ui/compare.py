"""Compare: two to four sessions side by side. What differs, the trees in step on one clock, best score against cost.

The sessions are named by the link: `/compare?a=ID&b=ID&c=ID&d=ID`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import orjson

from tts_explorer.errors import UserError
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui import frame
from tts_explorer.ui.clocks import clocks
from tts_explorer.ui.component import OwnComponent
from tts_explorer.ui.curves import OF, curves
from tts_explorer.ui.differences import badge, differences
from tts_explorer.ui.explore import guarded, say
from tts_explorer.ui.links import LANES, compare_query, compared
from tts_explorer.ui.service import EXAMPLE, Service, examples
from tts_explorer.ui.sides import Side
from tts_explorer.ui.view import SearchView
from tts_explorer.ui.words import READER, marked, numbered, reader
from tts_explorer.viz.log import projected

TITLE = "Compare"
LEAD = "Searches side by side: what differs, their trees on one clock, and what a score cost."
UNITS = {"tokens": "tokens", "flops": "FLOPs"}
CHOOSE = "Choose two to four sessions on {sessions} and press Compare."
CHOOSE_SECOND = "Choose a second session on {sessions} and press Compare."
LOOK = "Or look at {recordings}."


@dataclass(frozen=True, slots=True)
class Lane:
    """The place of one session on the page."""

    column: gr.Column
    head: gr.HTML
    view: SearchView


def build(service: Service) -> None:
    """Lay the page out inside the route that is open."""
    frame.build(TITLE, LEAD)
    message = gr.HTML("", elem_id="message", apply_default_css=False)
    table = gr.HTML("", elem_id="compared", apply_default_css=False, visible=False)
    clock = OwnComponent("compare", "clock", ["clock"], elem_id="clock", visible=False)
    with gr.Row(elem_id="lanes"):
        lanes = [_lane(service, lane) for lane in LANES]
    with gr.Column(visible=False, elem_id="curves") as charts:
        gr.HTML(f"<h2>{marked('Best score against cost')}</h2>", apply_default_css=False)
        with gr.Row():
            unit = gr.Radio(numbered(UNITS.values()), value=0, label="Cost in", elem_id="curve-unit")
            of = gr.Radio(numbered(OF.values()), value=0, label="Best score of", elem_id="curve-of")
        plot = gr.Plot(show_label=False, elem_id="curve", container=False)
        sentence = gr.HTML("", elem_id="curve-said", apply_default_css=False)
    dark, language = gr.Checkbox(False, visible="hidden", label="dark"), gr.Textbox(visible="hidden")
    drawn: dict[str, Any] = {"inputs": [unit, of, dark, language], "outputs": [plot, sentence], "js": READER}
    shown = [message, table, clock, *(part for lane in lanes for part in (lane.column, lane.head, lane.view)), charts]
    draw = _drawer(service)
    load = gr.context.Context.root_block.load
    load(_shower(service), None, shown, queue=False, show_progress="hidden").then(draw, show_progress="hidden", **drawn)
    for control in (unit, of):
        control.input(draw, show_progress="hidden", **drawn)


def _lane(service: Service, lane: str) -> Lane:
    with gr.Column(visible=False, min_width=320, elem_classes=["compare-lane"]) as column:
        head = gr.HTML("", apply_default_css=False)
        view = SearchView(server_functions=[service.node], elem_id=f"lane-{lane}")
    return Lane(column, head, view)


def sides_of(service: Service, query: Any, tongue: Tongue = ENGLISH) -> tuple[list[Side], list[str]]:
    """The sessions that a link names, and what is to be said of those that can't be had."""
    sides, complaints = list[Side](), list[str]()
    for lane, id in compared(query).items():
        try:
            sides.append(Side(lane, id, service.records(id)))
        except UserError as error:
            complaints.append(f"{lane.upper()}: {tongue.of(error)}.")
    return sides, complaints


def _shower(service: Service) -> Callable[..., Any]:
    """The handler of a page load: everything but the curves."""

    def show(request: gr.Request) -> list[Any]:
        tongue = reader(request)
        told, problem = guarded(lambda: sides_of(service, request.query_params, tongue), tongue)
        sides, complaints = told or ([], [])
        message = problem or (say(" ".join(complaints), alarm=True) if complaints else "") + _hint(len(sides), tongue)
        enough = len(sides) > 1
        beside = [{"lane": side.lane, **clocks(side.records)} for side in sides]
        head = [
            message,
            gr.update(value=differences(sides, tongue) if enough else "", visible=enough),
            gr.update(value=orjson.dumps(beside).decode(), visible=bool(sides)),
        ]
        places = {side.lane: side for side in sides}
        return [*head, *(part for lane in LANES for part in _placed(service, places.get(lane))), gr.update(visible=enough)]

    return show


def _placed(service: Service, side: Side | None) -> list[Any]:
    """Updates of a lane's column, head and view."""
    if side is None:
        return [gr.update(visible=False), gr.skip(), gr.skip()]
    cut = side.tree.status is None and service.loop.find(side.id) is None
    log = gr.update(value=projected(side.records), session=side.id, interrupted=cut)
    return [gr.update(visible=True), f'<h2 class="lane-head">{badge(side)}</h2>', log]


def _hint(found: int, tongue: Tongue) -> str:
    """What to do when there is nothing to compare yet."""
    if found > 1:
        return ""
    known = [EXAMPLE + name for name in examples()[:2]]
    sessions = f'<a href="./sessions">{tongue("Sessions")}</a>'
    words = tongue(CHOOSE_SECOND if found else CHOOSE, sessions=sessions)
    if len(known) > 1:
        recordings = f'<a href="./compare?{compare_query(known)}">{tongue("two recorded ones")}</a>'
        words += " " + tongue(LOOK, recordings=recordings)
    return f'<p class="message quiet">{words}</p>'


def _drawer(service: Service) -> Callable[..., Any]:
    """The handler that draws the curves."""

    def draw(unit: int, of: int, dark: bool, language: str, request: gr.Request) -> list[Any]:
        tongue = Tongue(str(language))
        told, problem = guarded(lambda: sides_of(service, request.query_params)[0], tongue)
        if not told or len(told) < 2:
            return [gr.skip(), problem]
        chart = curves(told, list(UNITS)[unit], list(OF)[of], bool(dark), tongue)
        return [gr.update(value=chart.figure, visible=chart.figure is not None), say(chart.sentence)]

    return draw
