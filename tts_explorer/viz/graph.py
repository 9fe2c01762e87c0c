"""A search as a networkx graph that holds all facts of its nodes, as rows of a table, and where its nodes stand when it is drawn.

networkx is imported when a graph is made. It draws nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tts_explorer.events import NodeId
from tts_explorer.tree import Node
from tts_explorer.viz.course import Course

if TYPE_CHECKING:
    from networkx import DiGraph

COLUMNS = (
    "node parent depth iteration fate text tokens logprob certainty stop terminal answer correct greedy revises reward score "
    "pruned visits value weight verdicts lookahead feedback"
).split()
"""The facts of a node, in the order of a table."""
OF_THE_ROOT = ("node", "depth", "fate", "visits", "value")
FRACTIONS = ("logprob", "certainty", "reward", "score", "value", "weight")


def facts(course: Course, node: Node) -> dict[str, Any]:
    """All that is known of a node, by `COLUMNS`: text, numbers, truth values, or None where there is nothing to say.

    A verifier that failed leaves `score` empty too. Verdicts and feedback are JSON.
    """
    finite = node.aggregated is not None and math.isfinite(node.aggregated)
    told = {
        "node": key(node.id),
        "parent": key(node.id[:-1]) if node.id else None,
        "iteration": course.iteration[node.id],
        "fate": course.fate(node.id),
        "correct": course.grade(node),
        "revises": key(node.revises) if node.revises is not None else None,
        "score": node.aggregated if finite else None,
        "verdicts": _json([asdict(verdict) for verdict in node.verdicts]),
        "feedback": _json([{"text": f.text, "by": f.by, "accepted": f.accepted} for f in node.feedback]),
    }
    known = {name: told[name] if name in told else getattr(node, name) for name in COLUMNS}
    return {name: float(value) if name in FRACTIONS and value is not None else value for name, value in known.items()}


def _json(items: Sequence[dict[str, Any]]) -> str | None:
    return json.dumps(items, ensure_ascii=False) if items else None


def rows(course: Course) -> list[dict[str, Any]]:
    """The facts of every step, in the order of their paths; the root has none."""
    return [facts(course, course.tree.nodes[id]) for id in sorted(course.tree.nodes) if id]


def graph(course: Course) -> DiGraph:
    """Nodes with their facts, what has nothing to say left out; edges from a step to the next (`kind` "step") and from an
    attempt to the one that revises it ("revises")."""
    import networkx

    made = networkx.DiGraph()
    for id in sorted(course.tree.nodes):
        node = course.tree.nodes[id]
        wanted = COLUMNS if id else OF_THE_ROOT
        known = facts(course, node)
        made.add_node(key(id), **{name: known[name] for name in wanted if known[name] is not None})
        if id:
            made.add_edge(key(id[:-1]), key(id), kind="step")
    for node in course.tree.nodes.values():
        if node.revises is not None:
            made.add_edge(key(node.revises), key(node.id), kind="revises")
    return made


def key(id: NodeId) -> str:
    """A node's name in files: never a number, which "0.10" would be to many programs, and then the same as "0.1".

    >>> key(()), key((0, 10))
    ('root', 'root.0.10')
    """
    return ".".join(("root", *map(str, id)))


def rows_of_layers(children: dict[NodeId, list[NodeId]]) -> dict[NodeId, float]:
    """A row for every node of the tree with these children, from 0: a tidy layered drawing, depth by depth.

    A parent stands in the middle of its children, nodes of one depth at least one row apart, and subtrees as close as their
    outlines allow (Reingold and Tilford 1981), so a bushy search takes little more rows than its widest iteration.
    """
    order, todo = list[NodeId](), [()]
    while todo:
        id = todo.pop()
        order.append(id)
        todo += children.get(id, ())
    shift: dict[NodeId, float] = {(): 0.0}
    outlines: dict[NodeId, list[tuple[float, float]]] = {}
    for id in reversed(order):
        below = list[tuple[float, float]]()
        kids = children.get(id, [])
        for kid in kids:
            below, shift[kid] = _beside(below, outlines.pop(kid))
        middle = (shift[kids[0]] + shift[kids[-1]]) / 2 if kids else 0.0
        below.append((middle, middle))
        outlines[id] = below
        shift |= {kid: shift[kid] - middle for kid in kids}
        if middle:
            outlines[id] = [(low - middle, high - middle) for low, high in below]
    found: dict[NodeId, float] = {}
    for id in order:
        found[id] = found.get(id[:-1], 0.0) + shift[id] if id else 0.0
    top = min(found.values())
    return {id: row - top for id, row in found.items()}


def _beside(left: list[tuple[float, float]], right: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], float]:
    """Both outlines as one, and by how much the second was shifted. They go from the deepest level to the highest."""
    common = min(len(left), len(right))
    pairs = zip(left[len(left) - common :], right[len(right) - common :], strict=True)
    apart = max((high - low + 1 for (_, high), (low, _) in pairs), default=0.0)
    moved = [(low + apart, high + apart) for low, high in right] if apart else right
    if not left:
        return moved, apart
    deeper = left[: len(left) - common] or moved[: len(moved) - common]
    both = zip(left[len(left) - common :], moved[len(moved) - common :], strict=True)
    return [*deeper, *((low, high) for (low, _), (_, high) in both)], apart
