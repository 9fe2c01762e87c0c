"""Charts of one search, drawn by Plotly: pure functions from its course to a figure and a sentence.

The sentence says what the figure shows, or why there is none, for whoever can't see it.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from tts_explorer.answers import select
from tts_explorer.events import AnswerSelected
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import Node
from tts_explorer.viz.course import Course
from tts_explorer.viz.drawing import clipped
from tts_explorer.viz.look import Chart, Trace, dressed, fate_marks, shown, unscored
from tts_explorer.viz.marks import Palette, palette, veil

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_ANSWERS = 12
"""Bars of the votes; the lightest answers beyond are counted."""
ASIDE = {"pruned": 0.13, "duplicate": 0.24}
"""How far right of what was kept the others stand."""
NO_STEP = "No step has been sampled yet."
NO_VOTE = "No answer has been finished, so there is nothing to vote on."
SPREAD = {
    "iteration": "in iteration {at} scores lay between {low:.2f} and {high:.2f}, the median {middle:.2f}",
    "step": "in step {at} scores lay between {low:.2f} and {high:.2f}, the median {middle:.2f}",
}
"""Begins a sentence with a capital."""
MAPPED = "{high} of {known} scored steps have 0.5 or more; {kept} of {all} steps were not given up."
AT_THE_END = "At the end {alive} {ancestors}, {answers}."
CHOSEN = {
    True: "{answers}; chosen is {answer}, which is right.",
    False: "{answers}; chosen is {answer}, which is wrong.",
    None: "{answers}; chosen is {answer}.",
}


def ribbons(course: Course, dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """The spread of the candidates' scores by iteration, or by step where there was one iteration only; what was kept, apart."""
    groups, x = grouped(course)
    groups = {at: nodes for at, nodes in groups.items() if nodes}
    if not groups:
        return unscored(course, say)
    colours, at = palette(dark), list(groups)
    scores = [sorted(node.score for node in nodes) for nodes in groups.values()]
    traces = _band(at, [s[0] for s in scores], [s[-1] for s in scores], colours, say("all candidates"), 0.16)
    quarters = [statistics.quantiles(s, n=4, method="inclusive") if len(s) > 1 else s * 3 for s in scores]
    traces += _band(at, [q[0] for q in quarters], [q[2] for q in quarters], colours, say("middle half"), 0.3)
    middle = {"color": colours.high, "width": 2, "dash": "dash"}
    median = {"type": "scatter", "mode": "lines", "x": at, "y": [q[1] for q in quarters], "name": say("median"), "line": middle}
    traces += [median, *_lanes(course, groups, colours, say("each subtree"))]
    places = [(node, i + ASIDE.get(course.fate(node.id), 0.0), node.score) for i, nodes in groups.items() for node in nodes]
    ink = lambda node: colours.gone if course.fate(node.id) in ASIDE else colours.ink  # noqa: E731
    traces += fate_marks(course, places, colours, ink, 0.72, say=say)
    title = say("iteration" if x == "iteration" else "step")
    figure = dressed(traces, colours, title, say("score"), 460, say=say, yaxis_range=[-0.04, 1.04])
    figure.update_xaxes(dtick=max(1, -(-at[-1] // 10)), range=[at[0] - 0.5, at[-1] + 0.5])
    ends = {at[0]: scores[0], at[-1]: scores[-1]}
    told = [say(SPREAD[x], at=i, low=s[0], high=s[-1], middle=statistics.median(s)) for i, s in ends.items()]
    said = "; ".join(told)
    return Chart(figure, f"{said[:1].upper()}{said[1:]}.")


def grouped(course: Course) -> tuple[dict[int, list[Node]], str]:
    """Scored candidates by iteration; by step if there was one iteration only; and which of the two it is."""
    several = len(course.iterations) > 2
    groups: dict[int, list[Node]] = {}
    for number in range(1, len(course.iterations)):
        for node in course.candidates(number) if several else [course.tree.nodes[id] for id in course.iterations[number]]:
            if node.reward is not None:
                groups.setdefault(number if several else node.depth, []).append(node)
    return dict(sorted(groups.items())), "iteration" if several else "step"


def _band(x: list[int], low: list[float], high: list[float], colours: Palette, name: str, opacity: float) -> list[Trace]:
    edge = {"width": 0.5 if len(x) > 1 else 9, "color": veil(colours.high, opacity)}
    base: Trace = {"type": "scatter", "mode": "lines", "line": edge, "hoverinfo": "skip"}
    if len(x) == 1:
        return [base | {"x": x * 2, "y": [low[0], high[0]], "name": name}]
    fill = {"fill": "tonexty", "fillcolor": veil(colours.high, opacity), "name": name}
    return [base | {"x": x, "y": low, "showlegend": False}, base | {"x": x, "y": high} | fill]


def _lanes(course: Course, groups: dict[int, list[Node]], colours: Palette, name: str) -> list[Trace]:
    """In a search of separate subtrees, a line through the best of each; the legend has one `name` for all."""
    started = course.tree.started
    if started is None or started.strategy != "dvts":
        return []
    width, best = int(started.settings.get("beam_width", 1)), dict[int, dict[int, float]]()
    for at, nodes in groups.items():
        for node in nodes:
            lane = best.setdefault(node.id[0] // width, {})
            lane[at] = max(lane.get(at, 0.0), node.score)
    return [
        {"type": "scatter", "mode": "lines", "x": list(lane), "y": list(lane.values()), "name": name,
         "line": {"color": colours.lanes[i % len(colours.lanes)], "width": 1.6}, "showlegend": i == 0, "hoverinfo": "skip"}
        for i, lane in sorted(best.items())
    ]  # fmt: skip


def heat_map(course: Course, dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """Every step as a cell: columns by depth, rows by candidate, the colour its score, the symbol its fate."""
    nodes = [course.tree.nodes[id] for id in sorted(course.tree.nodes) if id]
    if not any(node.reward is not None for node in nodes):
        return unscored(course, say)
    colours, columns = palette(dark), dict[int, list[Node]]()
    for node in nodes:
        columns.setdefault(node.depth, []).append(node)
    depths, most = list(range(1, max(columns) + 1)), max(map(len, columns.values()))
    cells = [[_at(columns[depth], row) for depth in depths] for row in range(most)]
    score = [[node.score if node and node.reward is not None else None for node in line] for line in cells]
    height = min(1000, max(340, 110 + most * 19))
    bar = {
        "title": {"text": say("score"), "font": {"size": 12}},
        "thickness": 10,
        "len": 0.6,
        "tickvals": [0, 0.5, 1],
        "outlinewidth": 0,
        "xpad": 4,
    }
    heat = {"type": "heatmap", "x": depths, "y": list(range(1, most + 1)), "z": score, "zmin": 0, "zmax": 1, "xgap": 2, "ygap": 1,
            "colorscale": colours.scale, "hoverinfo": "skip", "colorbar": bar | {"outlinewidth": 0, "xpad": 4}}  # fmt: skip
    places = [(node, float(depth), row + 1.0) for depth, ours in columns.items() for row, node in enumerate(ours)]
    fits = min(0.75, (height - 110) / most / 19)
    marks = fate_marks(
        course, places, colours, lambda n: colours.ink if n.reward is None else colours.against(n.score), fits, say=say
    )
    figure = dressed([heat, *marks], colours, say("step"), say("candidate"), height, say=say)
    figure.update_yaxes(range=[most + 0.5, 0.5], showgrid=False, dtick=max(1, -(-most // 16)), tick0=1)
    figure.update_xaxes(showgrid=False, dtick=max(1, -(-depths[-1] // 12)), tick0=1)
    known = [node for node in nodes if node.reward is not None]
    high = sum(node.score >= 0.5 for node in known)
    kept = sum(course.fate(node.id) in ("kept", "open", "finished", "selected") for node in nodes)
    return Chart(figure, say(MAPPED, high=high, known=len(known), kept=kept, all=len(nodes)))


def _at(nodes: list[Node], row: int) -> Node | None:
    return nodes[row] if row < len(nodes) else None


def diversity(course: Course, dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """How varied a search stays: by iteration, or where samples are independent of one another by their number."""
    if len(course.tree.nodes) == 1:
        return Chart(None, say(NO_STEP))
    colours = palette(dark)
    if course.tree.independent:
        return _samples(course, colours, say)
    at = list(range(1, len(course.varieties) + 1))
    lines = {
        say("steps alive"): ([v.alive for v in course.varieties], "dot", "circle-open", colours.edge),
        say("first steps they descend from"): ([v.ancestors for v in course.varieties], "solid", "circle", colours.high),
        say("distinct answers so far"): ([v.answers for v in course.varieties], "dash", "square", colours.path),
    }
    last = course.varieties[-1]
    alive = say.plural(last.alive, "{n} step alive", "{n} steps alive")
    ancestors = say.plural(last.ancestors, "from {n} first step", "from {n} first steps")
    answers = say.plural(last.answers, "{n} distinct answer", "{n} distinct answers")
    told = say(AT_THE_END, alive=alive, ancestors=ancestors, answers=answers)
    return Chart(_lines(at, lines, colours, say("iteration"), say), told)


def _samples(course: Course, colours: Palette, say: Tongue) -> Chart:
    """Distinct first steps and answers among the first so many samples."""
    first, answers, counts = set[str](), set[str](), list[tuple[int, int]]()
    ends = {node.id[0]: node.answer for node in course.tree.nodes.values() if node.answer}
    for child in sorted(course.tree.grown[()]):
        first.add(course.tree.nodes[child].text.strip())
        answers |= {ends[child[0]]} if child[0] in ends else set()
        counts.append((len(first), len(answers)))
    at = list(range(1, len(counts) + 1))
    lines = {
        say("distinct first steps"): ([count for count, _ in counts], "solid", "circle", colours.high),
        say("distinct answers"): ([count for _, count in counts], "dash", "square", colours.path),
    }
    samples = say.plural(len(at), "{n} sample", "{n} samples")
    steps = say.plural(len(first), "{n} distinct first step", "{n} distinct first steps")
    said = say.plural(len(answers), "{n} distinct answer", "{n} distinct answers")
    return Chart(_lines(at, lines, colours, say("samples"), say), f"{samples}: {steps}, {said}.")


def _lines(at: list[int], lines: dict[str, tuple[list[int], str, str, str]], colours: Palette, x: str, say: Tongue) -> Figure:
    traces = [
        {"type": "scatter", "mode": "lines+markers", "x": at, "y": counts, "name": name, "cliponaxis": False,
         "line": {"color": colour, "dash": dash, "width": 2.5}, "marker": {"symbol": symbol, "size": 9, "color": colour}}
        for name, (counts, dash, symbol, colour) in lines.items()
    ]  # fmt: skip
    figure = dressed(traces, colours, x, say("count"), say=say, yaxis_rangemode="tozero")
    highest = max(max(counts) for counts, *_ in lines.values())
    figure.update_yaxes(dtick=max(1, -(-highest // 8)))
    return figure.update_xaxes(dtick=max(1, -(-at[-1] // 10)), range=[0.5, at[-1] + 0.5])


def votes(course: Course, dark: bool = False, say: Tongue = ENGLISH) -> Chart:
    """Answers by what they weigh under the search's rule, the heaviest first; before its end, as they stand."""
    tree, colours = course.tree, palette(dark)
    rule = tree.started.rule if tree.started else "best"
    chosen = tree.selected if tree.selected and tree.selected.votes else select(tree, rule)
    if chosen is None:
        return Chart(None, say(NO_VOTE))
    ranked = sorted(chosen.votes.items(), key=lambda vote: -vote[1])
    heaviest = ranked[:MOST_ANSWERS]
    names = [f"{'▣ ' if answer == chosen.answer else ''}{shown(answer, 24)}" for answer, _ in heaviest]
    figure = dressed([_bars(course, chosen, heaviest, colours, say)], colours, say("weight (▣ chosen)"), "",
                     110 + 34 * len(names), say=say, bargap=0.3)  # fmt: skip
    at = {"tickvals": list(range(len(names))), "ticktext": names}
    figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False, ticklabelstandoff=6, **at)
    figure.update_xaxes(rangemode="tozero", range=[0, 1.12 * max([weight for _, weight in heaviest] + [1e-9])])
    ruled = say.plural(len(ranked), "{n} answer by rule “{rule}”", "{n} answers by rule “{rule}”", rule=chosen.rule)
    ruled += say(", the {most} heaviest shown", most=MOST_ANSWERS) if len(ranked) > MOST_ANSWERS else ""
    grade = tree.grades.get(chosen.answer)
    return Chart(figure, say(CHOSEN[grade], answers=ruled, answer=clipped(chosen.answer, 60)))


def _bars(course: Course, chosen: AnswerSelected, heaviest: list[tuple[str, float]], colours: Palette, say: Tongue) -> Trace:
    """A bar an answer: its colour and its sign say right or wrong, an outline which one was chosen."""
    grades = [course.tree.grades.get(answer) for answer, _ in heaviest]
    signs = [{True: "✓ ", False: "✗ ", None: ""}[grade] for grade in grades]
    figures = [say.number(weight, "g" if weight == int(weight) else ".2f") for _, weight in heaviest]
    return {
        "type": "bar", "orientation": "h", "cliponaxis": False,
        "x": [weight for _, weight in heaviest], "y": list(range(len(heaviest))),
        "text": [sign + figure for sign, figure in zip(signs, figures, strict=True)],
        "textposition": "auto", "textangle": 0, "insidetextanchor": "end",
        "marker": {"color": [{True: colours.right, False: colours.wrong, None: colours.high}[grade] for grade in grades],
                   "line": {"width": [3 if answer == chosen.answer else 0 for answer, _ in heaviest], "color": colours.path}},
        "hovertext": [shown(answer, 80) for answer, _ in heaviest], "hoverinfo": "text", "showlegend": False,
    }  # fmt: skip
