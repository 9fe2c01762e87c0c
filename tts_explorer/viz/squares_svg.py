"""A heat map of few large fields with words in them, as one SVG picture on a ground of its own. It knows nothing of what won."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree import ElementTree

from tts_explorer.viz.drawing import SANS, element, words
from tts_explorer.viz.marks import Palette, contrast, palette

WIDTH, PAD, LEFT, HIGH, GAP, TOP = 900.0, 16.0, 162.0, 92.0, 4.0, 106.0
"""px: of the picture, its margin, the rows' names, a field's height, between fields, above them."""
LETTER = 7.4
"""px, of the 14 px face, on the wide side."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: what is best, what is as good as far as is known, what it gains, and where."""

    best: str
    others: tuple[str, ...]
    said: str
    where: str
    tip: str
    gain: float


@dataclass(frozen=True, slots=True)
class Fields:
    """The whole; columns and rows have a name and a remark, fields are by row and column."""

    title: str
    sentence: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, str], ...]
    cells: Mapping[tuple[int, int], Field]
    scale: str
    note: str

    @property
    def most(self) -> float:
        """Where the colours end: the largest gain, rounded up to ten points."""
        return max(0.1, math.ceil(max(field.gain for field in self.cells.values()) * 10 - 1e-9) / 10)


def svg(fields: Fields, dark: bool = False) -> str:
    """The picture as a file's text."""
    colours, height = palette(dark), TOP + len(fields.rows) * (HIGH + GAP) + PAD + 8
    made = element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH:g} {height:g}", width=WIDTH, height=height,
                   role="img", font_family=SANS, font_size=12)  # fmt: skip
    element("title", made).text = fields.title
    element("desc", made).text = fields.sentence
    element("rect", made, width=WIDTH, height=height, fill=colours.card)
    words(made, fields.title, PAD, PAD + 12, font_size=15, font_weight="600", fill=colours.ink)
    words(made, fields.note, PAD, PAD + 34, font_size=11.5, fill=colours.quiet)
    _scale(made, fields, colours)
    wide = (WIDTH - LEFT - PAD) / len(fields.columns)
    for at, (name, remark) in enumerate(fields.columns):
        _named(made, LEFT + at * wide + 2, TOP - 26, name, remark, colours)
    for row, (name, remark) in enumerate(fields.rows):
        y = TOP + row * (HIGH + GAP)
        _named(made, PAD, y + HIGH / 2 - 4, name, remark, colours)
        for column in range(len(fields.columns)):
            _field(made, fields, (row, column), (LEFT + column * wide, y, wide - GAP), colours)
    return ElementTree.tostring(made, encoding="unicode")


def _named(made: ElementTree.Element, x: float, y: float, name: str, remark: str, colours: Palette) -> None:
    words(made, name, x, y, font_size=14, font_weight="600", fill=colours.ink)
    words(made, remark, x, y + 16, fill=colours.quiet)


def _field(made: ElementTree.Element, fields: Fields, at: tuple[int, int], place: tuple[float, float, float],
           colours: Palette) -> None:  # fmt: skip
    x, y, width = place
    group, field = element("g", made), fields.cells.get(at)
    if field is None:
        element("rect", group, x=x, y=y, width=width, height=HIGH, fill="none", stroke=colours.line, rx=4)
        words(group, "none measured", x + 12, y + HIGH / 2 + 4, fill=colours.quiet)
        return
    fill = colours.ramp(field.gain / fields.most)
    ink = max((colours.ink, colours.card), key=lambda ink: contrast(ink, fill))
    element("title", group).text = field.tip
    element("rect", group, x=x, y=y, width=width, height=HIGH, fill=fill, rx=4)
    lines = wrapped(field, int((width - 24) / LETTER))
    for number, line in enumerate(lines):
        bold = "600" if number == 0 else "400"
        words(group, line, x + 12, y + 21 + 16 * number, font_size=12 if number else 14, font_weight=bold, fill=ink)
    words(group, field.said, x + 12, y + HIGH - 26, fill=ink, font_weight="600")
    words(group, field.where, x + 12, y + HIGH - 10, fill=ink, font_size=11)


def wrapped(field: Field, letters: int) -> list[str]:
    """The best, and on at most two lines more what is as good; what has no room is counted.

    >>> wrapped(Field("dvts", ("beam search", "best of n", "greedy"), "", "", "", 0.0), 20)
    ['dvts', 'or beam search,', 'best of n, greedy']
    """
    lines = [field.best]
    for place, name in enumerate(field.others):
        word = f"or {name}" if place == 0 else name
        if place and len(f"{lines[-1]}, {word}") <= letters:
            lines[-1] += f", {word}"
        elif len(lines) < 3:
            lines[-1] += "," if place else ""
            lines.append(word)
        else:
            return [*lines[:-1], f"{lines[-1]} + {len(field.others) - place}"]
    return lines


def _scale(made: ElementTree.Element, fields: Fields, colours: Palette) -> None:
    """What the colours mean, at the top on the right."""
    group = element("g", made, transform=f"translate({WIDTH - PAD - 150:g} {PAD + 2:g})", font_size=11, fill=colours.quiet)
    for part in range(25):
        element("rect", group, x=part * 6, y=0, width=6.2, height=10, fill=colours.ramp(part / 24))
    words(group, fields.scale, -6, 9, text_anchor="end")
    words(group, "0", 0, 23)
    words(group, f"{100 * fields.most:.0f}", 150, 23, text_anchor="end")
