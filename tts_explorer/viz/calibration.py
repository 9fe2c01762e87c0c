"""How far a verifier's scores can be taken at their word: of the answers scored about 0.8, are eight in ten right?

A reliability diagram over bins of scores; it knows no store and no session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tts_explorer.intervals import wilson
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.viz.look import Chart, Trace, dressed
from tts_explorer.viz.marks import Palette, palette, veil

NOTHING = "No answer has both a score and a grade yet: run a search with a verifier on a problem whose answer is known."
POINT = "{right:,} / {answers:,} ✓ · {low:.1f} – {high:.1f}"
TOLD = (
    "Of {answers:,} answers {share:.0%} are right; their scores are {mean:.2f} on average, and differ from the share that is"
    " right by {error:.2f} (expected calibration error)."
)
FOOT = -0.16
"""Where the chart begins, below a share of none."""


class Bin(Protocol):
    """Answers whose scores lie close together."""

    low: float
    high: float
    answers: int
    right: int
    mean: float


def calibration(bins: Sequence[Bin], dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """The share of right answers against their scores, with 95% intervals and counts."""
    if not bins:
        return Chart(None, say(NOTHING))
    colours = palette(dark)
    figure = dressed(
        [*_bars(bins, colours, say), *_points(bins, colours, say)],
        colours, say("score of the answer"), say("share that is right"), height=400, say=say,
        xaxis_range=[-0.02, 1.02], yaxis_range=[FOOT, 1.08],
        yaxis2={"overlaying": "y", "side": "right", "range": [0, 4 * max(b.answers for b in bins)], "visible": False},
    )  # fmt: skip
    return Chart(figure, _sentence(bins, say))


def _bars(bins: Sequence[Bin], colours: Palette, say: Tongue) -> list[Trace]:
    """How many answers each bin has, low and behind the rest; the numbers stand at the foot, where nothing else does."""
    middles = [(b.low + b.high) / 2 for b in bins]
    heights = {
        "type": "bar", "x": middles, "y": [b.answers for b in bins], "width": 0.09, "yaxis": "y2",
        "marker": {"color": veil(colours.edge, 0.3)}, "name": say("number of answers"), "hoverinfo": "skip",
    }  # fmt: skip
    numbers = {
        "type": "scatter", "mode": "text", "x": middles, "y": [FOOT / 2] * len(bins),
        "text": [say.number(b.answers) for b in bins],
        "textfont": {"size": 11, "color": colours.ink}, "showlegend": False, "hoverinfo": "skip",
    }  # fmt: skip
    return [heights, numbers]


def _points(bins: Sequence[Bin], colours: Palette, say: Tongue) -> list[Trace]:
    shares = [b.right / b.answers for b in bins]
    ends = [wilson(b.right, b.answers) for b in bins]
    bars = {
        "type": "data", "symmetric": False, "array": [max(0.0, high - at) for at, (_, high) in zip(shares, ends, strict=True)],
        "arrayminus": [max(0.0, at - low) for at, (low, _) in zip(shares, ends, strict=True)], "color": colours.high,
        "thickness": 1.4, "width": 4,
    }  # fmt: skip
    even = {
        "type": "scatter", "mode": "lines", "x": [0, 1], "y": [0, 1], "name": say("a verifier to be taken at its word"),
        "line": {"dash": "dash", "color": colours.gone, "width": 1.6}, "hoverinfo": "skip",
    }  # fmt: skip
    found = {
        "type": "scatter", "mode": "lines+markers", "x": [b.mean for b in bins], "y": shares, "name": say("this verifier, 95%"),
        "error_y": bars, "line": {"color": colours.high, "width": 2}, "cliponaxis": False,
        "marker": {"size": 9, "color": colours.high, "symbol": "square"},
        "hovertext": [say(POINT, right=b.right, answers=b.answers, low=b.low, high=b.high) for b in bins], "hoverinfo": "text",
    }  # fmt: skip
    return [even, found]


def error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: by how much score and share differ, on average over answers."""
    return sum(abs(b.right - b.mean * b.answers) for b in bins) / sum(b.answers for b in bins)


def _sentence(bins: Sequence[Bin], say: Tongue) -> str:
    answers, right = sum(b.answers for b in bins), sum(b.right for b in bins)
    mean = sum(b.mean * b.answers for b in bins) / answers
    return say(TOLD, answers=answers, share=right / answers, mean=mean, error=error(bins))
