"""Small multiples as one SVG picture that needs nothing else, on a ground of its own: for a README, papers and slides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from tts_explorer.viz.drawing import SANS, element, words
from tts_explorer.viz.marks import Palette, palette
from tts_explorer.viz.panels import SHAPES, Line, Panel, Panels

WIDTH, PAD, LEFT, GAP = 900.0, 16.0, 66.0, 16.0
"""px: of the picture, its margin, the room for the labels of y, between panels."""
TALL, TITLE, FOOT = 200.0, 24.0, 22.0
"""px: of a plot, its title, the labels of x."""
LETTER = 6.7
"""px, of the 12 px face, on the wide side."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where one plot lies, and whose scale it has."""

    x: float
    y: float
    width: float
    panels: Panels

    def across(self, x: float) -> float:
        low, high = self.panels.ends()
        return self.x + self.width * (self.panels.place(x) - low) / (high - low)

    def up(self, share: float) -> float:
        return self.y + TALL * (1 - (share + 0.03) / 1.06)


def svg(panels: Panels, dark: bool = False) -> str:
    """The picture as a file's text."""
    colours, (legend, top) = palette(dark), _legend(panels, palette(dark))
    height = top + panels.rows * (TITLE + TALL) + FOOT * panels.rows + 16 + PAD
    made = element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH:g} {height:g}", width=WIDTH, height=height,
                   role="img", font_family=SANS, font_size=12)  # fmt: skip
    element("title", made).text = panels.title
    element("desc", made).text = panels.sentence
    element("rect", made, width=WIDTH, height=height, fill=colours.card)
    words(made, panels.title, PAD, PAD + 12, font_size=15, font_weight="600", fill=colours.ink)
    made.append(legend)
    width = (WIDTH - LEFT - PAD - GAP * (panels.across - 1)) / panels.across
    for at, panel in enumerate(panels.panels):
        row, column = divmod(at, panels.across)
        place = LEFT + column * (width + GAP), top + TITLE + row * (TITLE + TALL + FOOT)
        made.append(_plot(panel, Frame(*place, width, panels), colours, column == 0))
    middle = top + panels.rows * (TITLE + TALL + FOOT) / 2
    words(made, panels.x, LEFT + (WIDTH - LEFT - PAD) / 2, height - PAD, text_anchor="middle", fill=colours.quiet)
    turned = element("g", made, transform=f"translate({PAD + 4} {middle:g}) rotate(-90)")
    words(turned, panels.y, 0, 4, text_anchor="middle", fill=colours.quiet)
    return ElementTree.tostring(made, encoding="unicode")


def _plot(panel: Panel, frame: Frame, colours: Palette, labels: bool) -> ElementTree.Element:
    """One panel: scales, lines, intervals, marks, in this order, so that no mark is hidden by a line."""
    made = element("g")
    words(made, panel.title, frame.x, frame.y - 7, font_weight="600", font_size=13, fill=colours.ink)
    _scales(made, frame, colours, labels)
    if panel.level:
        share, series = panel.level
        element("path", made, d=f"M{frame.x:.1f} {frame.up(share):.1f}h{frame.width:.1f}", stroke=colours.lane(series),
                stroke_width=1.2, stroke_dasharray="5 4", fill="none")  # fmt: skip
    for line in panel.lines:
        _joined(made, line, frame, colours)
    for line in panel.lines:
        _marks(made, line, frame, colours)
    return made


def _scales(made: ElementTree.Element, frame: Frame, colours: Palette, labels: bool) -> None:
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = frame.up(share)
        element("path", made, d=f"M{frame.x:.1f} {y:.1f}h{frame.width:.1f}", stroke=colours.line, stroke_width=1)
        if labels:
            words(made, f"{share:.0%}", frame.x - 6, y + 4, text_anchor="end", font_size=11, fill=colours.quiet)
    for value, label in frame.panels.ticks():
        x = frame.across(value)
        element("path", made, d=f"M{x:.1f} {frame.y:.1f}v{TALL:g}", stroke=colours.line, stroke_width=1)
        words(made, label, x, frame.y + TALL + 14, text_anchor="middle", font_size=11, fill=colours.quiet)


def _joined(made: ElementTree.Element, line: Line, frame: Frame, colours: Palette) -> None:
    path = [*([line.start] if line.start else []), *((mark.x, mark.y) for mark in line.marks)]
    if line.start and len(path) > 1:
        d = "L".join(f"{frame.across(x):.1f} {frame.up(y):.1f}" for x, y in path)
        element("path", made, d=f"M{d}", fill="none", stroke=colours.lane(line.series), stroke_width=1.2, opacity=0.55)


def _marks(made: ElementTree.Element, line: Line, frame: Frame, colours: Palette) -> None:
    colour = colours.lane(line.series)
    for mark in line.marks:
        x, y = frame.across(mark.x), frame.up(mark.y)
        group = element("g", made)
        element("title", group).text = mark.tip
        d = f"M{x:.1f} {frame.up(mark.low):.1f}V{frame.up(mark.high):.1f}"
        element("path", group, d=d, stroke=colour, stroke_width=1.3)
        _shape(group, mark.shape, x, y, colour, colours)


def _shape(made: ElementTree.Element, shape: str, x: float, y: float, colour: str, colours: Palette) -> None:
    look = {"fill": colours.card, "stroke": colour} if shape == "ring" else {"fill": colour, "stroke": colours.card}
    width = 1.6 if shape == "ring" else 0.8
    element("path", made, d=SHAPES[shape][0], transform=f"translate({x:.1f} {y:.1f})", stroke_width=width, **look)


def _legend(panels: Panels, colours: Palette) -> tuple[ElementTree.Element, float]:
    """Lines by colour, marks by shape, the note; and where the panels may begin."""
    (lines, shapes), made, y = panels.legend(), element("g", fill=colours.quiet), PAD + 36
    for x, row, at in _flowing(names := [name for name, _ in lines]):
        element("rect", made, x=x, y=y + row * 20 - 6, width=16, height=4, fill=colours.lane(lines[at][1]), rx=2)
        words(made, names[at], x + 22, y + row * 20, fill=colours.ink)
    y += 20 * _rows(names)
    for x, row, at in _flowing(says := [says for _, says, _ in shapes]):
        shape, _, series = shapes[at]
        _shape(made, shape, x + 8, y + row * 20 - 4, colours.quiet if series is None else colours.lane(series), colours)
        words(made, says[at], x + 22, y + row * 20, fill=colours.ink)
    y += 20 * _rows(says)
    words(made, panels.note, PAD, y, font_size=11.5)
    return made, y + (12 if panels.note else -6)


def _flowing(texts: Sequence[str]) -> Iterator[tuple[float, int, int]]:
    """x, row and number of each entry of a legend, as many in a row as there is room for."""
    x, row = PAD, 0
    for at, text in enumerate(texts):
        room = 22 + LETTER * len(text) + 18
        if x > PAD and x + room > WIDTH:
            x, row = PAD, row + 1
        yield x, row, at
        x += room


def _rows(texts: Sequence[str]) -> int:
    return max((row for _, row, _ in _flowing(texts)), default=-1) + 1
