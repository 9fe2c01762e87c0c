"""Best score against cost for several sessions at once: a line each, told apart by colour, dash and mark."""

from __future__ import annotations

from collections.abc import Sequence

from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui.sides import Side
from tts_explorer.viz.climb import UNITS, climb, one_by_one, reached, spelt
from tts_explorer.viz.look import Chart, Trace, dressed, shown
from tts_explorer.viz.marks import palette

LIGHT = ("#0a4a94", "#c2410c", "#15803d", "#7c2d92")
DARK = ("#9dd0ff", "#fb923c", "#4ade80", "#e0a5f5")
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up")
CORNERS = ("top left", "bottom left", "top right", "bottom right")
"""Where a line's letter stands at its end, so that lines that end together can be told apart."""
OF = {"steps": "any step", "answers": "finished answers"}
BEST = {"steps": "best score, any step", "answers": "best score, finished answers"}
NO_SCORE = (
    "No verifier scored a step of these searches, so there is no score to draw. The table above has their cost and answers."
)


def curves(sides: Sequence[Side], unit: str = "tokens", of: str = "steps", dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """The best score so far of any step, or of finished answers, against what had been spent on it."""
    traces, told = list[Trace](), list[str]()
    for i, side in enumerate(sides):
        spent, steps, answers = (one_by_one if side.tree.independent else climb)(side.course, side.records, unit)
        scores = answers if of == "answers" else steps
        told.append(_sentence(side, spent, scores, unit, say))
        if any(score is not None for score in scores):
            traces.append(_line(i, side, spent, scores, dark))
    if not traces:
        return Chart(None, say(NO_SCORE))
    figure = dressed(traces, palette(dark), say(UNITS[unit]), say(BEST[of]), say=say,
                     yaxis_range=[-0.04, 1.06], xaxis_tickformat="~s")  # fmt: skip
    figure.update_xaxes(range=[0, 1.14 * max(max(trace["x"]) for trace in traces) or 1])
    return Chart(figure, "; ".join(told) + ".")


def _line(i: int, side: Side, spent: list[float], scores: list[float | None], dark: bool) -> Trace:
    colour = (DARK if dark else LIGHT)[i % 4]
    sign = {True: " ✓", False: " ✗", None: ""}[side.tree.correct]
    end = [""] * (len(scores) - 1) + [side.lane.upper() + sign]
    return {
        "type": "scatter", "mode": "lines+markers+text", "x": spent, "y": scores, "name": shown(side.name + sign, 48),
        "line": {"shape": "hv", "width": 2.6, "dash": DASHES[i % 4], "color": colour}, "cliponaxis": False, "connectgaps": False,
        "marker": {"symbol": SYMBOLS[i % 4], "size": 7, "color": colour}, "text": end, "textposition": CORNERS[i % 4],
        "textfont": {"color": colour, "size": 14}, "hovertemplate": "%{y:.3f} · %{x:,.4~s}",
    }  # fmt: skip


def _sentence(side: Side, spent: list[float], scores: list[float | None], unit: str, say: Tongue) -> str:
    lane, known = side.lane.upper(), [score for score in scores if score is not None]
    if not known:
        return say("{lane} has no scores", lane=lane)
    cost = spelt(reached(spent, scores, max(known)), unit, say)
    return say("{lane} reached its best, {best:.2f}, after {cost}", lane=lane, best=max(known), cost=cost)
