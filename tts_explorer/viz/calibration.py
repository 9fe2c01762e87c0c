"""How far a verifier's scores can be taken at their word: of the answers scored about 0.8, are eight in ten right?

A reliability diagram over bins of scores; it knows no store and no session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tts_explorer.intervals import wilson
from tts_explorer.viz.look import Chart, Trace, dressed
from tts_explorer.viz.marks import Palette, palette, veil

NOTHING = "No answer has both a score and a grade yet: run a search with a verifier on a problem whose answer is known."


class Bin(Protocol):
    """Answers whose scores lie close together."""

    low: float
    high: float
    answers: int
    right: int
    mean: float


def calibration(bins: Sequence[Bin], dark: bool = False, say: Callable[..., str] = str.format) -> Chart:
    """The share of right answers against their scores, with 95% intervals and counts. `say` puts words in a language."""
    if not bins:
        return Chart(None, say(NOTHING))
    colours = palette(dark)
    figure = dressed(
        [_bars(bins, colours, say), *_points(bins, colours, say)],
        colours, say("score of the answer"), say("share that is right"), height=400,
        xaxis_range=[-0.02, 1.02], yaxis_range=[-0.04, 1.08],
        yaxis2={"overlaying": "y", "side": "right", "range": [0, 4 * max(b.answers for b in bins)], "visible": False},
    )  # fmt: skip
    return Chart(figure, _sentence(bins, say))


def _bars(bins: Sequence[Bin], colours: Palette, say: Callable[..., str]) -> Trace:
    """How many answers each bin has, low and behind the rest."""
    return {
        "type": "bar", "x": [(b.low + b.high) / 2 for b in bins], "y": [b.answers for b in bins], "width": 0.09, "yaxis": "y2",
        "marker": {"color": veil(colours.edge, 0.3)}, "name": say("number of answers"), "text": [f"{b.answers:,}" for b in bins],
        "textposition": "outside", "cliponaxis": False, "textfont": {"size": 11, "color": colours.quiet}, "hoverinfo": "skip",
    }  # fmt: skip


def _points(bins: Sequence[Bin], colours: Palette, say: Callable[..., str]) -> list[Trace]:
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
        "hovertext": [f"{b.right:,} / {b.answers:,} ✓ · {b.low:.1f} – {b.high:.1f}" for b in bins], "hoverinfo": "text",
    }  # fmt: skip
    return [even, found]


def error(bins: Sequence[Bin]) -> float:
    """The expected calibration error: by how much score and share differ, on average over answers."""
    return sum(abs(b.right - b.mean * b.answers) for b in bins) / sum(b.answers for b in bins)


def _sentence(bins: Sequence[Bin], say: Callable[..., str]) -> str:
    answers, right = sum(b.answers for b in bins), sum(b.right for b in bins)
    mean = sum(b.mean * b.answers for b in bins) / answers
    return say(
        "Of {answers} answers {share} are right; their scores are {mean} on average, and differ from the share that is right by"
        " {error} (expected calibration error).",
        answers=f"{answers:,}", share=f"{right / answers:.0%}", mean=f"{mean:.2f}", error=f"{error(bins):.2f}",
    )  # fmt: skip
