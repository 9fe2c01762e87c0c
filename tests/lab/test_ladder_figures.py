"""The ladder's pictures: what is measured is drawn, in the page's figure and in the README's picture alike."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from ladders import HURTS, NANO, SPECIALIST, TIES, WINS, cell, evidence

from tts_explorer.errors import BadSetting
from tts_explorer.lab.evidence import Evidence
from tts_explorer.lab.ladder_figures import (
    accuracy_by_flops,
    accuracy_by_flops_svg,
    best_strategy_svg,
    duels,
    duels_svg,
    levels,
    levels_svg,
    panels,
    series,
)

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text):
    root = ElementTree.fromstring(text)
    return root, [line.text for line in root.iter(f"{SVG}text")], [title.text for title in root.iter(f"{SVG}title")]


def test_every_cell_is_one_point_of_its_familys_panel():
    made, cells = panels(evidence()), evidence().cells
    assert [panel.title for panel in made.panels] == [HURTS, WINS, TIES]
    assert sorted((mark.x, mark.y) for mark in made.marks()) == sorted((found.flops, found.accuracy) for found in cells)
    assert made.series == ("nano, 0.25M", "medium, 4.0M") and made.panels[1].level == (0.6, 1)
    chain = next(line for line in made.panels[1].lines if line.marks[0].shape == "diamond")
    assert chain.start == (1e8, 0.3) and [mark.x for mark in chain.marks] == [7e8, 14e8]
    assert chain.marks[-1].tip == "nano, beam_search n=16: 80.0% (77.9% – 81.9%), 1.4G FLOPs"


def test_the_figure_and_the_picture_show_the_same_points():
    made, (_, words, titles) = panels(evidence()), drawn(accuracy_by_flops_svg(evidence()))
    figure = accuracy_by_flops(evidence())
    shown = [trace for trace in figure.data if trace.mode == "markers" and trace.x[0] is not None]
    points = [place for trace in shown for place in zip(trace.x, trace.y, strict=True)]
    assert sorted(points) == sorted((mark.x, mark.y) for mark in made.marks())
    assert set(titles[1:]) == {mark.tip for mark in made.marks()} and len(titles) == 1 + len(points)
    assert {HURTS, WINS, TIES, "nano, 0.25M", "medium, 4.0M", "beam search", "one sample"} <= set(words)
    names = {trace.name for trace in figure.data if trace.name}
    assert {"nano, 0.25M", "beam search"} <= names
    assert [figure.layout[axis].type for axis in ("xaxis", "xaxis2", "xaxis3")] == ["log"] * 3


def test_a_picture_has_its_own_ground_and_everything_lies_on_it():
    for text in (accuracy_by_flops_svg(evidence()), best_strategy_svg(evidence())):
        root, _, _ = drawn(text)
        ground = root.find(f"{SVG}rect")
        assert (ground.get("width"), ground.get("height")) == (root.get("width"), root.get("height"))
        assert ground.get("fill") == "#ffffff" and float(root.get("width")) == 900
        assert root.find(f"{SVG}desc").text
        for line in root.iter(f"{SVG}text"):
            assert -160 <= float(line.get("x")) <= 900 and -10 <= float(line.get("y")) <= float(root.get("height"))
    assert 'fill="#1f2937"' in accuracy_by_flops_svg(evidence(), dark=True)


def test_the_heat_map_names_the_best_and_what_it_gains():
    root, words, _ = drawn(best_strategy_svg(evidence()))
    assert {"easy", "medium", "hard", "nano", "self consistency", "beam search", "none measured"} <= set(words)
    assert {"+8 points: 80% → 88%", "+41 points: 30% → 71%"} <= set(words)
    close = Evidence(evidence().rungs, [*evidence().cells, cell(NANO, HURTS, "best_of_n", 0.87, n=16)])
    assert "or best of n" in drawn(best_strategy_svg(close))[1]


def test_specialists_share_a_line_of_the_legend():
    other = replace(SPECIALIST, name="bundled:nano-maze")
    assert series([NANO, SPECIALIST])[SPECIALIST.name] == "nano-sat, 0.25M"
    assert series([NANO, SPECIALIST, other])[other.name] == "specialists of one family, 0.25M"


def test_duels_are_drawn_where_both_were_measured_at_several_n():
    assert duels_svg(evidence()) is None
    small = replace(NANO, name="bundled:small")
    beams = [cell(small, WINS, "beam_search", 0.5 + n / 200, n=n, flops=n * 1e8) for n in (4, 16)]
    trees = [cell(small, WINS, "dvts", 0.5 + n / 180, n=n, flops=n * 1e8) for n in (4, 16)]
    assert duels(Evidence([small], [*beams, *trees[:1]])) is None
    made = duels(Evidence([small], [*beams, *trees]))
    assert [panel.title for panel in made.panels] == ["countdown: beams or subtrees"]
    assert made.series == ("beam search", "dvts") and len(list(made.marks())) == 4
    words = drawn(duels_svg(Evidence([small], [*beams, *trees])))[1]
    assert words.count("beam search") == 1


def test_strategies_by_level_are_drawn_where_several_levels_were_measured():
    small = replace(NANO, name="bundled:small")
    one = [
        cell(small, WINS, "greedy", 0.5),
        cell(small, WINS, "beam_search", 0.7, n=16),
        cell(small, WINS, "beam_search", 0.6, n=8),
    ]
    assert levels(Evidence([small], one)) is None and levels_svg(Evidence([small], one)) is None
    assert levels(Evidence([small], [*one, cell(small, WINS, "greedy", 0.9, level=1)])) is None, "one search, of one level"
    both = Evidence([small], [*one, *(replace(found, level=1) for found in one)])
    made = levels(both)
    assert [[(mark.x, mark.y) for mark in line.marks] for line in made.panels[0].lines] == [
        [(1, 0.5), (3, 0.5)],
        [(1, 0.7), (3, 0.7)],
    ]
    assert made.ticks() == [(1, "1"), (2, "2"), (3, "3")] and made.series == ("greedy", "beam search")
    assert {"1", "2", "3", "level"} <= set(drawn(levels_svg(both))[1])


def test_without_what_they_show_there_is_no_picture():
    none = Evidence(evidence().rungs, [replace(found, level=2) for found in evidence().cells])
    with pytest.raises(BadSetting, match="has no cell of level 3"):
        panels(none)
    assert best_strategy_svg(Evidence(evidence().rungs, [cell(NANO, WINS, "greedy", 0.5)])) is None
