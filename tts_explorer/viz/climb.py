"""How the best score of a search climbs with what is spent on it: the curves, and the chart of them. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from tts_explorer.cost import Cost
from tts_explorer.events import CostIncurred, NodeScored, Record
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import Node, SearchTree
from tts_explorer.viz.course import Course
from tts_explorer.viz.look import Chart, Trace, dressed, hover, unscored
from tts_explorer.viz.marks import Palette, palette

UNITS = {"tokens": "tokens sampled", "flops": "FLOPs of both models"}
GRADED = {True: "✓ right", False: "✗ wrong"}
REACHED = "The best step, {score:.2f}, was reached by {spent}; the first answer was finished by {first}."
REACHED_NONE = "The best step, {score:.2f}, was reached by {spent}; no answer has a score."
Curves = tuple[list[float], list[float | None], list[float | None]]
"""What was spent; the best score of any step by then, and of a finished answer; None before there is one."""


def best_score(course: Course, records: Sequence[Record], unit: str = "tokens", dark: bool = False,
               say: Tongue = ENGLISH) -> Chart:  # fmt: skip
    """The best score so far against what had been spent on it: of any step, and of finished answers."""
    spent, steps, answers = (one_by_one if course.tree.independent else climb)(course, records, unit)
    if not steps or steps[-1] is None:
        return unscored(course, say)
    colours = palette(dark)
    look: Trace = {"type": "scatter", "mode": "lines", "x": spent, "cliponaxis": False}
    dots = {"mode": "lines+markers", "marker": {"symbol": "square", "size": 8, "color": colours.high}}
    traces = [
        look | {"y": steps, "name": say("best step"), "line": {"shape": "hv", "dash": "dot", "width": 2, "color": colours.edge}},
        look | dots | {"y": answers, "name": say("best finished answer"),
                       "line": {"shape": "hv", "width": 3, "color": colours.high}},
    ]  # fmt: skip
    figure = dressed([*traces, *_chosen(course, spent[-1], colours, say)], colours, say(UNITS[unit]), say("score"), say=say,
                     yaxis_range=[-0.04, 1.04], xaxis_tickformat="~s")  # fmt: skip
    figure.update_xaxes(rangemode="tozero")
    best = {"score": steps[-1], "spent": spelt(reached(spent, steps, steps[-1]), unit, say)}
    if answers[-1] is None:
        return Chart(figure, say(REACHED_NONE, **best))
    return Chart(figure, say(REACHED, first=spelt(reached(spent, answers, 0.0), unit, say), **best))


def _chosen(course: Course, spent: float, colours: Palette, say: Tongue) -> list[Trace]:
    """A mark at the answer, if the verifier scored it."""
    chosen, grade = course.tree.selected, course.tree.correct
    node = course.tree.nodes[chosen.node] if chosen else None
    if node is None or node.reward is None:
        return []
    mark = {"symbol": "square-open", "size": 13, "color": colours.path, "line": {"width": 3}}
    return [{
        "type": "scatter", "mode": "markers+text", "x": [spent], "y": [node.score], "marker": mark, "cliponaxis": False,
        "name": say("the chosen answer"), "text": ["" if grade is None else say(GRADED[grade])], "textposition": "bottom left",
        "hovertext": [hover(course, node, say)], "hoverinfo": "text",
    }]  # fmt: skip


def reached(spent: list[float], scores: list[float | None], least: float) -> float:
    """What had been spent when a score of `least` was reached."""
    return next(cost for cost, score in zip(spent, scores, strict=True) if score is not None and score >= least)


def spelt(cost: float, unit: str, say: Tongue) -> str:
    """A cost in words."""
    if unit == "tokens":
        return say.plural(round(cost), "{n} token", "{n} tokens")
    return say("{n:,.0f} MFLOPs", n=cost / 1e6)


def climb(course: Course, records: Sequence[Record], unit: str) -> Curves:
    """After each move: what was spent so far, the best score of any step, and of a finished answer; None before there is one."""
    cost, tree = Cost(), SearchTree()
    spent, steps, answers = [0.0], [None], [None]
    best: dict[bool, float] = {}
    for record in records:
        tree.apply(record.event)
        cost.apply(record.event)
        if isinstance(record.event, NodeScored) and (node := tree.nodes[record.event.node]).reward is not None:
            for finished in {False, bool(node.answer)}:
                best[finished] = max(best.get(finished, 0.0), node.score)
        if isinstance(record.event, CostIncurred):
            spent.append(float(cost.tokens if unit == "tokens" else cost.flops))
            steps.append(best.get(False))
            answers.append(best.get(True))
    last = [best.get(False), best.get(True)]  # what was not paid for when the record was cut
    return [*spent, spent[-1]], [*steps, last[0]], [*answers, last[1]]


def one_by_one(course: Course, records: Sequence[Record], unit: str) -> Curves:
    """As `climb`, for samples that know nothing of one another: as if each had been drawn and judged after the one before it.

    What was spent in all is shared out by their tokens.
    """
    cost = Cost.of(record.event for record in records)
    total = float(cost.tokens if unit == "tokens" else cost.flops)
    samples: dict[int, list[Node]] = {}
    for id in sorted(course.tree.nodes)[1:]:
        samples.setdefault(id[0], []).append(course.tree.nodes[id])
    tokens = sum(node.tokens for node in course.tree.nodes.values())
    spent, steps, answers = [0.0], [None], [None]
    for nodes in samples.values():
        known = [node for node in nodes if node.reward is not None]
        spent.append(spent[-1] + total * sum(node.tokens for node in nodes) / max(tokens, 1))
        steps.append(_best(steps[-1], known))
        answers.append(_best(answers[-1], [node for node in known if node.answer]))
    return spent, steps, answers


def _best(before: float | None, nodes: list[Node]) -> float | None:
    return max([node.score for node in nodes] + ([] if before is None else [before]), default=None)
