"""The figures of the ladder: from its evidence to what is drawn. Both the page's Plotly figure and the picture for the README
are made from `panels`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tts_explorer.errors import BadSetting
from tts_explorer.lab.contests import CLASSES, EQUAL, Square, squares
from tts_explorer.lab.evidence import SAMPLE, Evidence, Measured
from tts_explorer.lab.ladder import LEVEL, SMALL
from tts_explorer.lab.rungs import Rung, millions, short
from tts_explorer.lab.table import GREEDY
from tts_explorer.viz import panels_svg, squares_svg
from tts_explorer.viz.panels import Line, Mark, Panel, Panels, counted, figure
from tts_explorer.viz.squares_svg import Field, Fields

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MARKS = {
    GREEDY: "disc", SAMPLE: "ring", "self_consistency": "square", "best_of_n": "triangle", "beam_search": "diamond",
    "dvts": "down", "solve_and_verify": "plus", "best_of_n, checked": "cross",
    "beam_search, checked": "star",
}  # fmt: skip
"""The shape of each way to answer."""
BY_LEVEL = (GREEDY, "self_consistency", "best_of_n", "beam_search")
"""Are drawn by level."""
APART = "solve_and_verify"
"""Is drawn against its rival alone."""
DUELS = {("beam_search", "dvts"): "beams or subtrees", ("self_consistency", "solve_and_verify"): "votes or verdicts"}
"""Strategies that are drawn against one another, by n or by budget."""
PASS = {"easy": "pass@1 of 50% or more", "medium": "10% to 50%", "hard": "less than 10%"}


def accuracy_by_flops(evidence: Evidence, dark: bool = False) -> Figure:
    """Accuracy against the FLOPs of a search, a panel a family, for the page. Raises BadSetting without a cell of that level."""
    return figure(panels(evidence), dark)


def accuracy_by_flops_svg(evidence: Evidence, dark: bool = False) -> str:
    """The same as a picture."""
    return panels_svg.svg(panels(evidence), dark)


def panels(evidence: Evidence) -> Panels:
    """The table of points: all cells of `LEVEL`, by family, policy and strategy. Raises BadSetting if there is none."""
    cells = [cell for cell in evidence.cells if cell.level == LEVEL and cell.how in MARKS and cell.how != APART]
    if not cells:
        raise BadSetting(f"the evidence has no cell of level {LEVEL}: `tts-explorer bench ladder --part sizes` measures some")
    families = dict.fromkeys(name for name in evidence.families if any(cell.task == name for cell in cells))
    names = series(evidence.policies)
    made = tuple(panel(evidence, family, [cell for cell in cells if cell.task == family], names) for family in families)
    seen = {cell.how for cell in cells}
    shapes = tuple((shape, spoken(how)) for how, shape in MARKS.items() if how in seen)
    largest = [rung for rung in evidence.policies if rung.family is None][-1:]
    note = f"Bars are 95% intervals; the dashed line is the greedy answer of {short(largest[0].name)}. " if largest else ""
    told = f"Greedy answers, one sample and searches of {len(evidence.policies)} policies on {', '.join(families)}."
    return Panels(
        f"Accuracy by FLOPs of a search, level {LEVEL}", told, "FLOPs a search, policy and verifier", "right answers", made,
        tuple(dict.fromkeys(names.values())), shapes, f"{note}A line leads from greedy to a strategy's searches, by n.",
        across=min(3, len(made)),
    )  # fmt: skip


def series(policies: Sequence[Rung]) -> dict[str, str]:
    """What the legend calls each policy; specialists share one line, since each has its own panel only."""
    special = [rung for rung in policies if rung.family]
    found = {rung.name: f"{short(rung.name)}, {millions(rung.parameters)}" for rung in policies}
    if len(special) > 1:
        found |= {rung.name: f"specialists of one family, {millions(special[0].parameters)}" for rung in special}
    return found


def panel(evidence: Evidence, family: str, cells: Sequence[Measured], names: Mapping[str, str]) -> Panel:
    """A family's lines, a policy after another."""
    order, lines, level = list(dict.fromkeys(names.values())), list[Line](), None
    for rung in evidence.policies:
        ours, at = [cell for cell in cells if cell.policy == rung.name], order.index(names[rung.name])
        greedy = next((cell for cell in ours if cell.strategy == GREEDY), None)
        start = (greedy.flops, greedy.accuracy) if greedy else None
        lines += [Line(at, tuple(map(mark, chain)), start) for chain in chains(ours)]
        alone = [cell for cell in ours if not cell.searches]
        lines += [Line(at, tuple(map(mark, alone)))] if alone else []
        level = (greedy.accuracy, at) if greedy and rung.family is None else level
    return Panel(family, tuple(lines), level)


def chains(cells: Sequence[Measured]) -> Iterator[list[Measured]]:
    """Searches that differ in n only, by their FLOPs."""
    found: dict[str, list[Measured]] = {}
    for cell in sorted(cells, key=lambda cell: cell.flops):
        if cell.searches:
            same = {name: value for name, value in cell.settings.items() if name != "n"}
            found.setdefault(repr((cell.strategy, cell.verifier, same)), []).append(cell)
    yield from found.values()


def mark(cell: Measured) -> Mark:
    """A cell as a point."""
    settings = " ".join(f"{name}={value}" for name, value in cell.settings.items() if name in ("n", "votes"))
    how = cell.how if not cell.searches else f"{cell.strategy} {settings}"
    tip = f"{short(cell.policy)}, {how}: {cell.accuracy:.1%} ({cell.low:.1%} – {cell.high:.1%}), {counted(cell.flops)} FLOPs"
    return Mark(cell.flops, cell.accuracy, cell.low, cell.high, MARKS[cell.how], tip)


def duels_svg(evidence: Evidence, dark: bool = False) -> str | None:
    """Strategies against one another by what they spend; None where no pair was measured at several n."""
    found = duels(evidence)
    return panels_svg.svg(found, dark) if found else None


def duels(evidence: Evidence) -> Panels | None:
    """The table of points of these: a panel a family and pair, all of one policy; a strategy has its own colour and shape."""
    pairs = [(pair, family, cells) for pair in DUELS for family in evidence.families if (cells := duel(evidence, pair, family))]
    names = list(dict.fromkeys(name for pair, _, _ in pairs for name in pair))
    if not pairs:
        return None
    made = []
    for pair, family, cells in pairs:
        lines = [(names.index(chain[0].strategy), tuple(map(mark, chain))) for chain in chains(cells)]
        drawn = tuple(Line(at, marks, (marks[0].x, marks[0].y)) for at, marks in lines)
        made.append(Panel(f"{family}: {DUELS[pair]}", drawn))
    told = f"Accuracy of {short(SMALL)} over the FLOPs of a search: {'; '.join(panel.title for panel in made)}."
    return Panels(
        f"Strategies against one another, {short(SMALL)}, level {LEVEL}", told, "FLOPs a search, policy and verifier",
        "right answers", tuple(made), tuple(map(spoken, names)), tuple((MARKS[name], spoken(name)) for name in names),
        "Bars are 95% intervals. A line joins searches by n; solve and verify has a line for each number of votes."
        if "solve_and_verify" in names else "Bars are 95% intervals. A line joins searches by n.", across=min(3, len(made)),
    )  # fmt: skip


def levels_svg(evidence: Evidence, dark: bool = False) -> str | None:
    """Strategies by level of difficulty; None where no search was measured on more than one."""
    found = levels(evidence)
    return panels_svg.svg(found, dark) if found else None


def levels(evidence: Evidence) -> Panels | None:
    """The table of points of these: a panel a family, all of one policy, searches with the same n."""
    ours = [cell for cell in evidence.cells if cell.policy == SMALL and cell.how in BY_LEVEL and cell.n in (1, EQUAL)]
    names = [how for how in BY_LEVEL if len({cell.level for cell in ours if cell.how == how}) > 1]
    if not set(names) - {GREEDY}:
        return None
    made = []
    for family in dict.fromkeys(cell.task for cell in ours):
        here = sorted((cell for cell in ours if cell.task == family), key=lambda cell: cell.level)
        lines = [(at, tuple(by_level(cell) for cell in here if cell.how == how)) for at, how in enumerate(names)]
        made.append(Panel(family, tuple(Line(at, marks, (marks[0].x, marks[0].y)) for at, marks in lines if marks)))
    told = f"Accuracy of {short(SMALL)} by level: {', '.join(map(spoken, names))}, on {', '.join(one.title for one in made)}."
    return Panels(
        f"Accuracy by level, {short(SMALL)}, searches with n = {EQUAL}", told, "level", "right answers", tuple(made),
        tuple(map(spoken, names)), tuple((MARKS[how], spoken(how)) for how in names), "Bars are 95% intervals.",
        across=min(3, len(made)), levels=True,
    )  # fmt: skip


def by_level(cell: Measured) -> Mark:
    """A cell as a point over its level."""
    made = mark(cell)
    return replace(made, x=cell.level, tip=f"level {cell.level}, {made.tip}")


def duel(evidence: Evidence, pair: Sequence[str], family: str) -> list[Measured]:
    """The cells of two strategies, if both were measured at several n."""
    cells = [cell for cell in evidence.of(SMALL, family, LEVEL) if cell.searches and cell.strategy in pair]
    return cells if all(len({cell.n for cell in cells if cell.strategy == name}) > 1 for name in pair) else []


def spoken(strategy: str) -> str:
    """Its name for a reader."""
    return strategy.replace("_", " ")


def best_strategy_svg(evidence: Evidence, dark: bool = False) -> str | None:
    """A heat map: the best strategy by policy and difficulty, coloured by what it gains over greedy. None without searches."""
    found = squares(evidence)
    return squares_svg.svg(fields(found), dark) if found else None


def fields(found: Sequence[Square]) -> Fields:
    """Squares as they are drawn. Raises BadSetting if there are none."""
    if not found:
        raise BadSetting(f"the evidence has no search with n={EQUAL}: `tts-explorer bench ladder` measures some")
    rows = {square.policy.name: (short(square.policy.name), millions(square.policy.parameters)) for square in found}
    cells = {(list(rows).index(square.policy.name), CLASSES.index(square.difficulty)): field(square) for square in found}
    told = "; ".join(f"{short(s.policy.name)}, {s.difficulty}: {' or '.join(s.best)}, {points(s.gain)}" for s in found)
    return Fields(
        f"The best strategy by policy and difficulty, all with n = {EQUAL}", told, tuple((kind, PASS[kind]) for kind in CLASSES),
        tuple(rows.values()), cells, "gain over greedy, in points",
        "Difficulty is the policy's own pass@1 on a family's level. A field compares what was measured on all of it; "
        "“or”: intervals overlap.",
    )  # fmt: skip


def field(square: Square) -> Field:
    """A square as it is drawn."""
    best, *others = map(spoken, square.best)
    where = ", ".join(f"{family} {level}" for family, level in square.places)
    count = where if len(square.places) < 3 else f"on {len(square.places)} levels of families"
    said = f"{points(square.gain)}: {square.greedy:.0%} → {square.accuracy:.0%}" if square.gain else f"{square.greedy:.0%}"
    return Field(best, tuple(others), said, count, where, square.gain)


def points(gain: float) -> str:
    """A difference of shares.

    >>> points(0.381), points(-0.02)
    ('+38 points', '−2 points')
    """
    return f"{100 * gain:+.0f} points".replace("-", "−")
