"""Small multiples: points with intervals in panels side by side, shares over costs (logarithmic) or over levels, as data.

`figure` draws them with Plotly and `panels_svg.svg` as a picture; both read the same `Panels`. It knows nothing of what was
measured. A line is told by colour, a mark by shape, so that each can be read without the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tts_explorer.viz.look import Trace, dressed, shown
from tts_explorer.viz.marks import Palette, palette

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

SHAPES = {
    "disc": ("M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0", "circle"),
    "ring": ("M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0", "circle-open"),
    "square": ("M-3.8-3.8h7.6v7.6h-7.6z", "square"),
    "triangle": ("M0-5L4.8 3.6H-4.8z", "triangle-up"),
    "diamond": ("M0-5.4L4.6 0L0 5.4L-4.6 0z", "diamond"),
    "down": ("M0 5L4.8-3.6H-4.8z", "triangle-down"),
    "cross": ("M-4.6-2.6L-2.6-4.6L0-2L2.6-4.6L4.6-2.6L2 0L4.6 2.6L2.6 4.6L0 2L-2.6 4.6L-4.6 2.6L-2 0z", "x"),
    "star": ("M0-5.6L1.5-1.7L5.6-1.7L2.3 .8L3.5 4.8L0 2.4L-3.5 4.8L-2.3 .8L-5.6-1.7L-1.5-1.7z", "star"),
    "plus": ("M-1.6-5h3.2v3.4h3.4v3.2h-3.4v3.4h-3.2v-3.4h-3.4v-3.2h3.4z", "cross"),
}
"""Each as an SVG path around its middle, and as Plotly's symbol. A ring is a line only."""
UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True, slots=True)
class Mark:
    """A measured point: y is a share, `low` to `high` its interval."""

    x: float
    y: float
    low: float
    high: float
    shape: str
    tip: str
    """What a pointer on it reads."""


@dataclass(frozen=True, slots=True)
class Line:
    """Marks in one colour, joined in their order, from where another line starts if `start` says so."""

    series: int
    marks: tuple[Mark, ...]
    start: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot; `level` is a share to compare with, and the series whose it is."""

    title: str
    lines: tuple[Line, ...]
    level: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True)
class Panels:
    """All of them, on the same scales, with one legend."""

    title: str
    sentence: str
    """What they show, for whoever can't see it."""
    x: str
    y: str
    panels: tuple[Panel, ...]
    series: tuple[str, ...]
    """Names, in the order of the palette's lanes."""
    shapes: tuple[tuple[str, str], ...]
    """Shape, and what it means: one that means a series is in its colour."""
    note: str = ""
    """What the reader is told besides."""
    across: int = 3
    levels: bool = False
    """Whether x are whole numbers on an even scale, and not costs."""

    @property
    def rows(self) -> int:
        return -(-len(self.panels) // self.across)

    def legend(self) -> tuple[list[tuple[str, int]], list[tuple[str, str, int | None]]]:
        """Series to be told by a line, with their numbers; shapes, each with what it means and its series if it means one."""
        means = [says for _, says in self.shapes]
        lines = [(name, at) for at, name in enumerate(self.series) if name not in means]
        shapes = [(shape, says, self.series.index(says) if says in self.series else None) for shape, says in self.shapes]
        return lines, shapes

    def marks(self) -> Iterator[Mark]:
        """All of them."""
        return (mark for panel in self.panels for line in panel.lines for mark in line.marks)

    def place(self, x: float) -> float:
        """Where on the scale: the number, or its logarithm."""
        return x if self.levels else math.log10(x)

    def ends(self) -> tuple[float, float]:
        """Where the scale begins and ends, with some room, in terms of `place`."""
        values = [self.place(mark.x) for mark in self.marks()] or [0.0, 1.0]
        room = 0.4 if self.levels else 0.13
        return min(values) - room, max(values) + room

    def ticks(self) -> list[tuple[float, str]]:
        """Numbers on the scale of x, with their labels."""
        low, high = self.ends()
        if self.levels:
            return [(level, str(level)) for level in range(math.ceil(low), math.floor(high) + 1)]
        return ticks(10**low, 10**high)


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers on a logarithmic scale, with their labels: powers of ten, and three times them where there are few.

    >>> ticks(2e7, 4e8)
    [(30000000.0, '30M'), (100000000.0, '100M'), (300000000.0, '300M')]
    """
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    tens = [10.0**power for power in powers]
    inside = [value for value in tens if low <= value <= high]
    if len(inside) < 4:
        inside = [value for ten in tens for value in (ten, 3 * ten) if low <= value <= high]
    return [(value, counted(value)) for value in inside]


def counted(value: float) -> str:
    """A large number for a reader.

    >>> counted(3e7), counted(1.25e9), counted(12)
    ('30M', '1.2G', '12')
    """
    size, unit = next(((size, unit) for size, unit in UNITS if value >= 0.9995 * size), (1, ""))
    return f"{float(f'{value / size:.2g}') if value / size < 100 else round(value / size):g}{unit}"


def figure(panels: Panels, dark: bool = False) -> Figure:
    """As a Plotly figure, in the page's colours."""
    colours = palette(dark)
    traces = [trace for at, panel in enumerate(panels.panels, 1) for trace in _traces(panel, str(at) if at > 1 else "", colours)]
    traces += _legend(panels, colours)
    layout, names = _axes(panels), [f"<b>{shown(panel.title)}</b>" for panel in panels.panels]
    titles = [
        {"text": name, "showarrow": False, "xref": f"x{_number(at)} domain", "yref": f"y{_number(at)} domain", "x": 0, "y": 1,
         "xanchor": "left", "yanchor": "bottom"}
        for at, name in enumerate(names)
    ]  # fmt: skip
    made = dressed(traces, colours, "", "", 180 + 230 * panels.rows, annotations=titles, **layout)
    spots, scale = panels.ticks(), "linear" if panels.levels else "log"
    axis = {"gridcolor": colours.line, "linecolor": colours.line, "zeroline": False, "fixedrange": True}
    made.update_xaxes(type=scale, range=panels.ends(), tickvals=[value for value, _ in spots],
                      ticktext=[label for _, label in spots], **axis)  # fmt: skip
    made.update_yaxes(range=[-0.03, 1.03], tickformat=".0%", dtick=0.25, showticklabels=False, **axis)
    for at in range(len(panels.panels)):
        if at + panels.across >= len(panels.panels):
            made.layout[f"xaxis{_number(at)}"].title = {"text": panels.x, "font": {"size": 12}}
        if at % panels.across == 0:
            made.layout[f"yaxis{_number(at)}"].update(showticklabels=True, title={"text": panels.y, "font": {"size": 12}})
    return made


def _number(at: int) -> str:
    """How Plotly numbers the axes of the panel at that place."""
    return str(at + 1) if at else ""


def _axes(panels: Panels) -> dict[str, Any]:
    """Each panel's share of the figure."""
    found: dict[str, Any] = {}
    wide, tall = 1 / panels.across, 1 / max(1, panels.rows)
    for at in range(len(panels.panels)):
        row, column = divmod(at, panels.across)
        top, bottom = 1 - row * tall, 1 - (row + 1) * tall
        found[f"xaxis{_number(at)}"] = {"domain": [column * wide + 0.06 * wide, (column + 1) * wide], "anchor": f"y{_number(at)}"}
        found[f"yaxis{_number(at)}"] = {"domain": [bottom + 0.14 * tall, top - 0.08 * tall], "anchor": f"x{_number(at)}"}
    return found


def _traces(panel: Panel, number: str, colours: Palette) -> Iterator[Trace]:
    for line in panel.lines:
        colour = colours.lane(line.series)
        base: Trace = {"type": "scatter", "xaxis": f"x{number}", "yaxis": f"y{number}", "showlegend": False}
        if line.start:
            path = [line.start, *((mark.x, mark.y) for mark in line.marks)]
            yield base | {"mode": "lines", "x": [x for x, _ in path], "y": [y for _, y in path], "hoverinfo": "skip",
                          "line": {"color": colour, "width": 1.2}, "opacity": 0.55}  # fmt: skip
        bars = {"type": "data", "symmetric": False, "array": [mark.high - mark.y for mark in line.marks],
                "arrayminus": [mark.y - mark.low for mark in line.marks], "thickness": 1.2, "width": 0}  # fmt: skip
        symbols = [SHAPES[mark.shape][1] for mark in line.marks]
        yield base | {"mode": "markers", "x": [mark.x for mark in line.marks], "y": [mark.y for mark in line.marks],
                      "error_y": bars, "marker": {"symbol": symbols, "size": 9, "color": colour}, "cliponaxis": False,
                      "hovertext": [shown(mark.tip, 200) for mark in line.marks], "hoverinfo": "text"}  # fmt: skip
    if panel.level:
        y, series = panel.level
        yield {"type": "scatter", "mode": "lines", "x": [1e-3, 1e30], "y": [y, y], "xaxis": f"x{number}", "yaxis": f"y{number}",
               "line": {"color": colours.lane(series), "width": 1.2, "dash": "dash"},
               "showlegend": False, "hoverinfo": "skip"}  # fmt: skip


def _legend(panels: Panels, colours: Palette) -> Iterator[Trace]:
    base: Trace = {"type": "scatter", "x": [None], "y": [None]}
    lines, shapes = panels.legend()
    for name, at in lines:
        yield base | {"mode": "lines", "name": shown(name), "line": {"color": colours.lane(at), "width": 3}}
    for shape, says, series in shapes:
        marker = {"symbol": SHAPES[shape][1], "size": 9, "color": colours.quiet if series is None else colours.lane(series)}
        yield base | {"mode": "markers", "name": shown(says), "marker": marker}
