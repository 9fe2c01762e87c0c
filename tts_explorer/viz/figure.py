"""The tree of a search as a Plotly figure: the rows of `graph`, the marks of the live view, a node's text under the pointer."""

from __future__ import annotations

from tts_explorer.events import NodeId
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import Node
from tts_explorer.viz.course import Course
from tts_explorer.viz.graph import rows_of_layers
from tts_explorer.viz.look import Chart, Trace, dressed, fate_marks
from tts_explorer.viz.marks import Palette, palette

HIGHEST = 1100
"""px of the figure; rows come closer in a larger tree."""
GROWN = "{n} steps, up to {deep} deep: {gone} given up, {finished} finished with an answer."
GROWN_ONE = "{n} step, up to {deep} deep: {gone} given up, {finished} finished with an answer."


def tree_figure(course: Course, dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """The whole tree: columns by depth, what was given up on dashed edges, the path to the answer bold."""
    if len(course.tree.nodes) == 1:
        return Chart(None, say("No step has been sampled yet."))
    colours = palette(dark)
    rows = rows_of_layers({id: sorted(kids) for id, kids in course.tree.grown.items()})
    most = max(rows.values())
    height = int(min(HIGHEST, 130 + (most + 1) * 24))
    room = (height - 130) / (most + 1) / 24
    places = [(course.tree.nodes[id], float(len(id)), row) for id, row in rows.items() if id]
    disc = {"symbol": "circle", "size": 14, "color": colours.card, "line": {"color": colours.ink, "width": 1.5}}
    problem = {"type": "scatter", "mode": "markers", "x": [0], "y": [rows[()]], "marker": disc, "cliponaxis": False}
    problem |= {"showlegend": False, "hoverinfo": "text", "hovertext": [say("the problem")]}
    ink = lambda node: fill(course, node, colours)  # noqa: E731
    marks = fate_marks(course, places, colours, ink, max(0.35, room), colours.ink, say)
    figure = dressed([*_edges(course, rows, colours), problem, *marks], colours, say("step"), "", height, say=say)
    figure.update_yaxes(autorange="reversed", showgrid=False, showticklabels=False, ticks="", showline=False)
    figure.update_xaxes(showgrid=False, dtick=1, tick0=0, showline=False, range=[-0.3, max(map(len, rows)) + 0.3])
    fates = [course.fate(node.id) for node, _, _ in places]
    gone = sum(fate in ("pruned", "duplicate") for fate in fates)
    finished = sum(fate in ("finished", "selected") for fate in fates)
    told = {"deep": max(map(len, rows)), "gone": gone, "finished": finished}
    return Chart(figure, say.plural(len(places), GROWN_ONE, GROWN, **told))


def fill(course: Course, node: Node, colours: Palette) -> str:
    """The colour of a node: its score's, or grey where it was given up or waits."""
    if course.fate(node.id) in ("pruned", "duplicate", "waiting"):
        return colours.gone
    return colours.card if node.reward is None else colours.ramp(node.score)


def _edges(course: Course, rows: dict[NodeId, float], colours: Palette) -> list[Trace]:
    """Edges of four kinds, each one trace: of steps, of what was given up, of the path to the answer, of revisions."""
    kinds = {
        "step": {"color": colours.edge, "width": 1.3},
        "gone": {"color": colours.edge, "width": 1, "dash": "dot"},
        "best": {"color": colours.path, "width": 3.2},
        "revises": {"color": colours.ink, "width": 1.5, "dash": "dot"},
    }
    ends: dict[str, tuple[list[float | None], list[float | None]]] = {kind: ([], []) for kind in kinds}
    best = course.best_path
    for node in course.tree.nodes.values():
        gone = course.fate(node.id) in ("pruned", "duplicate")
        kind = "best" if node.id in best else "gone" if gone else "step"
        for start, found in ((node.id[:-1], kind), (node.revises, "revises")):
            if start is not None and node.id:
                ends[found][0].extend((len(start), node.depth, None))
                ends[found][1].extend((rows[start], rows[node.id], None))
    look: Trace = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    return [look | {"x": xs, "y": ys, "line": kinds[kind]} for kind, (xs, ys) in ends.items() if xs]
