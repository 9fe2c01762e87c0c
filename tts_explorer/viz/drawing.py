"""The tree of a search as one SVG picture that needs nothing else: for slides, papers and print, in light or dark colours.

It has the marks of the live view and the tidy rows of `graph`. Text enters as text, on one line, and is never markup.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

from tts_explorer.events import NodeId
from tts_explorer.tree import Node
from tts_explorer.viz.course import Course
from tts_explorer.viz.graph import rows_of_layers
from tts_explorer.viz.marks import FATES, SAYS, SHAPES, TICK, Palette, palette
from tts_explorer.viz.terminal import plain

LABELS_UP_TO = 40
"""Nodes with their step's text beside them; more have their score alone."""
LONGEST = 30
"""Characters of a label."""
CHARACTER, ROW, PAD, GAP = 6.65, 27.0, 26.0, 44.0
"""px: a character of the 11 px monospace face, a row, the margin, the room between two columns for edges."""
MONO, SANS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace", "system-ui, 'DejaVu Sans', Arial, sans-serif"
KEY = 168.0
"""px: the width of one part of the legend."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is needed to place and colour one node after another."""

    course: Course
    colours: Palette
    places: dict[NodeId, tuple[float, float]]
    labels: dict[NodeId, str]


def svg(course: Course, dark: bool = False) -> str:
    """The picture as a file's text."""
    labels = {node.id: label(course, node) for node in course.tree.nodes.values()}
    columns = _columns(labels)
    rows = rows_of_layers({id: sorted(kids) for id, kids in course.tree.grown.items()})
    top = PAD + 70
    row_height = ROW + (5 if any(under(course, node) for node in course.tree.nodes.values()) else 0)
    places = {id: (columns[len(id)], top + row * row_height) for id, row in rows.items()}
    drawing = Drawing(course, palette(dark), places, labels)
    width = float(math.ceil(max(columns[-1] + PAD, 560.0)))
    bottom = top + max(rows.values()) * row_height + 38
    legend, height = _legend(drawing, width, bottom)
    made = element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width:g} {height:g}", width=width, height=height,
                    role="img", font_family=SANS)  # fmt: skip
    element("title", made).text = plain(course.tree.started.problem) if course.tree.started else "A search"
    element("desc", made).text = f"{about(course)}. {outcome(course)}."
    element("rect", made, width=width, height=height, fill=drawing.colours.card)
    made.append(_heading(drawing, width))
    for group in (_edges(drawing), _nodes(drawing), legend):
        made.append(group)
    return ElementTree.tostring(made, encoding="unicode")


def label(course: Course, node: Node) -> str:
    """What stands beside a node: its score, ✓ or ✗, and in a small tree the beginning of its text."""
    if not node.id:
        return "problem"
    grade = {True: "✓", False: "✗", None: ""}[course.grade(node)]
    score = "none" if node.scored and node.reward is None else f"{node.score:.2f}" if node.scored else ""
    words = clipped(node.text, LONGEST) if len(course.tree.nodes) <= LABELS_UP_TO + 1 else ""
    return " ".join(part for part in (score, grade, words) if part)


def under(course: Course, node: Node) -> str:
    """What else the strategy or a judge said of a node, in small print: visits and mean value, a share or a weight, verdicts."""
    said = []
    if (node.visits or 0) > 1:
        said.append(f"{node.visits} · {node.value:.2f}" if node.value is not None else f"{node.visits}×")
    if node.weight:
        said.append(f"→ {node.weight:g}" if course.shares else f"w {node.weight:.2f}")
    if node.verdicts:
        said.append(f"{sum(verdict.p_yes > 0.5 for verdict in node.verdicts)}/{len(node.verdicts)} yes")
    return "  ".join(said)


def clipped(text: str, longest: int) -> str:
    """The beginning of a text on one line.

    >>> clipped("one\\ntwo three", 8)
    'one two…'
    """
    line = plain(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def about(course: Course) -> str:
    """One line on what searched."""
    started = course.tree.started
    if started is None:
        return ""
    verifier = f" · verifier {started.verifier}" if started.verifier else ""
    return plain(f"{started.strategy.replace('_', ' ')} · policy {started.policy}{verifier}")


def outcome(course: Course) -> str:
    """One line on what came of it."""
    tree = course.tree
    if tree.selected is None:
        return "no answer"
    verdict = {True: " ✓ right", False: " ✗ wrong", None: ""}[tree.correct]
    return f"answer {clipped(tree.selected.answer, 60)}{verdict}"


def _columns(labels: dict[NodeId, str]) -> list[float]:
    """Where each depth begins, and where the last one ends."""
    widest: dict[int, int] = {}
    for id, text in labels.items():
        widest[len(id)] = max(widest.get(len(id), 0), len(text))
    columns = [PAD]
    for depth in range(len(widest)):
        columns.append(columns[-1] + 14 + widest[depth] * CHARACTER + GAP)
    return columns


def element(name: str, parent: ElementTree.Element | None = None, **attributes: str | float) -> ElementTree.Element:
    """One of SVG, in `parent` if there is one; `_` in a name stands for `-`, numbers are cut to two places."""
    values = {
        key.replace("_", "-"): value if isinstance(value, str) else f"{round(value, 2):g}" for key, value in attributes.items()
    }
    return ElementTree.Element(name, values) if parent is None else ElementTree.SubElement(parent, name, values)


def words(parent: ElementTree.Element, text: str, x: float, y: float, **attributes: str | float) -> ElementTree.Element:
    """A line of text, in `parent`."""
    made = element("text", parent, x=x, y=y, **attributes)
    made.text = text
    return made


def _heading(drawing: Drawing, width: float) -> ElementTree.Element:
    """The problem and the line about the search, cut where the picture ends."""
    made, started = element("g"), drawing.course.tree.started
    for y, size, fill, text in (
        (PAD + 2, 14, drawing.colours.ink, started.problem if started else "A search"),
        (PAD + 21, 12, drawing.colours.quiet, about(drawing.course)),
        (PAD + 38, 12, drawing.colours.quiet, outcome(drawing.course)),
    ):
        room = int((width - 2 * PAD) / (size * 0.58))
        line = element("text", made, x=PAD - 9, y=y, font_size=size, fill=fill, font_weight="600" if size == 14 else "400")
        line.text = clipped(text, room)
    return made


def _edges(drawing: Drawing) -> ElementTree.Element:
    made, colours, best = element("g", fill="none"), drawing.colours, drawing.course.best_path
    for id in sorted(drawing.places, key=lambda id: id in best):
        if not id:
            continue
        fate, bold = drawing.course.fate(id), id in best
        (x1, y1), (x2, y2) = drawing.places[id[:-1]], drawing.places[id]
        x1 += 16 + len(drawing.labels[id[:-1]]) * CHARACTER
        x2 -= 13 if fate == "selected" else 9
        bend = max(12.0, (x2 - x1) * 0.55)
        dashes = {"stroke_dasharray": "3 4"} if fate in ("pruned", "duplicate") else {}
        colour, thick = (colours.path, 3.2) if bold else (colours.edge, 1.0 if dashes else 1.3)
        element("path", made, d=f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}",
                 stroke=colour, stroke_width=thick, **dashes)  # fmt: skip
    for node in drawing.course.tree.nodes.values():
        if node.revises is not None:
            (x1, y1), (x2, y2) = drawing.places[node.revises], drawing.places[node.id]
            d = f"M{x1:.1f} {y1 + 10:.1f}C{x1:.1f} {y2 - 4:.1f} {x2:.1f} {y1 + 4:.1f} {x2:.1f} {y2 - 11:.1f}"
            element("path", made, d=d, stroke=colours.ink, stroke_width=1.7, stroke_dasharray="0.1 4", stroke_linecap="round")
    return made


def _nodes(drawing: Drawing) -> ElementTree.Element:
    made, course, best = element("g"), drawing.course, drawing.course.best_path
    for id, (x, y) in drawing.places.items():
        node, fate = course.tree.nodes[id], course.fate(id)
        group = element("g", made, transform=f"translate({x:.1f} {y:.1f})")
        tip = plain(node.text) if id else "the problem"
        element("title", group).text = f"{tip} ({'the answer' if fate == 'selected' else fate})"
        mark(group, fate, drawing.colours, node.score if node.reward is not None else None)
        colour = drawing.colours.gone if fate in ("pruned", "duplicate") else drawing.colours.ink
        text = element("text", group, x=17 if fate == "selected" else 12, y=4, font_size=11, font_family=MONO, fill=colour,
                        font_weight="700" if id in best else "400")  # fmt: skip
        text.text = drawing.labels[id]
        if below := under(course, node):
            text = element("text", group, x=12, y=15.5, font_size=9.5, font_family=MONO, fill=drawing.colours.quiet)
            text.text = below
    return made


def mark(group: ElementTree.Element, fate: str, colours: Palette, score: float | None) -> None:
    """The shape of a fate, filled with the colour of its score."""
    fill = colours.card if score is None else colours.ramp(score)
    look: dict[str, str | float] = {"fill": fill, "stroke": colours.ink, "stroke_width": 1.4}
    if fate in ("pruned", "duplicate", "waiting"):
        look |= {"fill": "none", "stroke": colours.gone}
    if fate == "pruned":
        look |= {"stroke_width": 2.2, "stroke_linecap": "round"}
    if fate == "duplicate":
        look |= {"stroke_dasharray": "2 2"}
    if fate == "selected":
        look |= {"fill": "none", "stroke": colours.path, "stroke_width": 1.8}
    element("path", group, d=SHAPES[FATES[fate]], **look)
    if fate == "selected":
        element("path", group, d=TICK, fill="none", stroke=colours.path, stroke_width=2.4, stroke_linecap="round")


def _legend(drawing: Drawing, width: float, y: float) -> tuple[ElementTree.Element, float]:
    """What the shapes and the colours mean, and where the picture ends."""
    made, colours = element("g", font_size=12, fill=drawing.colours.quiet), drawing.colours
    present = {drawing.course.fate(id) for id in drawing.places if id}
    shown = [fate for fate in SAYS if fate in present or (fate == "kept" and "open" in present)]
    across = max(1, int((width - PAD) // KEY))
    for i, fate in enumerate([*shown, "ramp"]):
        x, line = PAD + i % across * KEY, y + i // across * 24
        group = element("g", made, transform=f"translate({x:.1f} {line:.1f})")
        if fate == "ramp":
            for part in range(9):
                element("rect", group, x=-7 + part * 6, y=-5, width=6.2, height=10, fill=colours.ramp(part / 8))
        else:
            mark(group, fate, colours, 0.6)
        text = element("text", group, x=54 if fate == "ramp" else 17, y=4)
        text.text = "score 0 to 1" if fate == "ramp" else SAYS[fate]
    return made, float(math.ceil(y + (len(shown) // across) * 24 + PAD))
