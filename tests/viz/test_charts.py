"""What the charts show is what the record says, and where there is nothing to show a sentence says why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from viz.streams import ahead, attempt, ended, recorded, refinement, started, verified
from worlds import drive, search

from tts_explorer.assets import folder
from tts_explorer.events import AnswerSelected, CostIncurred, NodeAdded, NodePruned, NodeScored, Record, SearchStarted
from tts_explorer.viz.charts import diversity, heat_map, ribbons, votes
from tts_explorer.viz.climb import best_score, climb, one_by_one
from tts_explorer.viz.course import Course
from tts_explorer.viz.figure import tree_figure
from tts_explorer.viz.look import Chart, shown
from tts_explorer.wire import read_streams

MAKERS: dict[str, Callable[[Course, Sequence[Record], bool], Chart]] = {
    "tokens": lambda course, records, dark: best_score(course, records, "tokens", dark),
    "flops": lambda course, records, dark: best_score(course, records, "flops", dark),
    "ribbons": lambda course, records, dark: ribbons(course, dark),
    "heat map": lambda course, records, dark: heat_map(course, dark),
    "diversity": lambda course, records, dark: diversity(course, dark),
    "votes": lambda course, records, dark: votes(course, dark),
    "tree": lambda course, records, dark: tree_figure(course, dark),
}
EVIL = "<b>x</b><a href='javascript:1'>y</a>"


def traces(chart: Chart, **wanted: object) -> list:
    assert chart.figure is not None, chart.sentence
    return [trace for trace in chart.figure.data if all(getattr(trace, name) == value for name, value in wanted.items())]


def two_moves() -> list[Record]:
    """Two steps for 10 tokens, judged; then an answer for 5 more, judged lower."""
    events = [
        SearchStarted("p", "s", verifier="v"),
        NodeAdded((0,), "go\n\n", 5, -1.0, "step", False),
        NodeAdded((1,), "on\n\n", 5, -1.0, "step", False),
        CostIncurred("policy", 0, 0, 10, 100.0, 0.1),
        NodeScored((0,), 0.8),
        NodeScored((1,), 0.3),
        CostIncurred("verifier", 0, 0, 0, 900.0, 0.1),
        NodePruned((1,), "rank"),
        NodeAdded((0, 0), "8", 5, -1.0, "eos", True, "8"),
        CostIncurred("policy", 0, 0, 5, 50.0, 0.1),
        NodeScored((0, 0), 0.6),
        CostIncurred("verifier", 0, 0, 0, 450.0, 0.1),
    ]
    return recorded(*((None, event) for event in events))


def test_the_best_score_climbs_with_what_was_spent() -> None:
    records = two_moves()
    course = Course.of(records)
    assert climb(course, records, "tokens") == (
        [0, 10, 10, 15, 15, 15],
        [None, None, 0.8, 0.8, 0.8, 0.8],
        [None, None, None, None, 0.6, 0.6],
    )
    assert climb(course, records, "flops")[0] == [0, 100, 1000, 1050, 1500, 1500]
    said = best_score(course, records, "tokens").sentence
    assert said == "The best step, 0.80, was reached by 10 tokens; the first answer was finished by 15 tokens."
    assert climb(Course.of(records[:6]), records[:6], "tokens")[1][-1] == 0.8, "a record cut before its bill is shown too"


def test_independent_samples_are_taken_one_by_one_and_share_the_cost_by_their_tokens() -> None:
    records = verified()
    spent, steps, answers = one_by_one(Course.of(records), records, "tokens")
    total = 4 * 42 + 1280
    assert spent == pytest.approx([0, total / 4, total / 2, total * 3 / 4, total])
    assert answers == steps == pytest.approx([None, 0.2275, 0.715, 0.715, 0.715])
    assert traces(best_score(Course.of(records), records), name="best finished answer")[0].x == pytest.approx(spent)


def test_ribbons_hold_the_quartiles_of_each_iteration() -> None:
    scores = [0.0, 0.1, 0.2, 0.3, 1.0]
    events = [SearchStarted("p", "s", verifier="v")]
    for parent in ((), (0,)):
        events += [NodeAdded((*parent, i), "go\n\n", 3, -1.0, "step", False) for i in range(5)]
        events += [NodeScored((*parent, i), score) for i, score in enumerate(scores)]
    chart = ribbons(Course.of(recorded(*((None, event) for event in events))))
    assert traces(chart, name="median")[0].y == (0.2, 0.2)
    assert traces(chart, name="middle half")[0].y == (0.3, 0.3) and traces(chart, name="all candidates")[0].y == (1.0, 1.0)
    assert chart.sentence.startswith("In iteration 1 scores lay between 0.00 and 1.00, the median 0.20; in iteration 2 ")


def test_the_heat_map_has_a_cell_for_each_step_and_a_symbol_for_its_fate() -> None:
    (records,) = drive(search("beam_search", seed=2))
    course = Course.of(records)
    chart = heat_map(course)
    (heat,) = traces(chart, type="heatmap")
    cells = [score for row in heat.z for score in row if score is not None]
    assert sorted(cells) == sorted(node.score for node in course.tree.nodes.values() if node.reward is not None)
    marked = [trace for trace in traces(chart, type="scatter") if trace.x != (None,)]
    assert sum(len(trace.x) for trace in marked) == len(course.tree.nodes) - 1
    assert len({(trace.marker.symbol, trace.marker.size, trace.marker.line.width) for trace in marked}) == len(marked)


def test_diversity_counts_what_is_alive() -> None:
    (records,) = drive(search("beam_search", "never ends", seed=2))
    course = Course.of(records)
    chart = diversity(course)
    assert traces(chart, name="first steps they descend from")[0].y == tuple(v.ancestors for v in course.varieties)
    samples = diversity(Course.of(verified()))
    assert samples.sentence == "4 samples: 1 distinct first step, 2 distinct answers."
    assert traces(samples, name="distinct answers")[0].y == (1, 2, 2, 2)


def test_votes_are_those_of_the_record_and_before_its_end_those_so_far() -> None:
    records = verified()
    chart = votes(Course.of(records))
    assert traces(chart, type="bar")[0].text == ("✓ 0.62", "✗ 0.42") and chart.figure.layout.yaxis.ticktext == ("▣ 89", "99")
    cut = next(i for i, record in enumerate(records) if isinstance(record.event, AnswerSelected))
    assert votes(Course.of(records[:cut])).sentence == "2 answers by rule “best”; chosen is 89."
    assert traces(votes(Course.of(ahead())), type="bar")[0].x == (0.97,), "votes that were not recorded are counted again"
    many = started("s", rule="majority"), *(e for i in range(20) for e in attempt(i, (f"\\boxed{{{i}}}",)))
    told = votes(Course.of(recorded(*many)))
    assert told.sentence.startswith("20 answers by rule “majority”, the 12 heaviest shown;")
    assert len(traces(told, type="bar")[0].x) == 12


def test_the_tree_has_every_node_once_and_the_path_to_the_answer_in_bold() -> None:
    course = Course.of(refinement())
    chart = tree_figure(course)
    marked = [trace for trace in traces(chart, mode="markers") if trace.x != (None,)]
    assert sum(len(trace.x) for trace in marked) == len(course.tree.nodes)
    (bold,) = [trace for trace in traces(chart, mode="lines") if trace.line.width == 3.2]
    assert bold.x == (0, 1, None, 1, 2, None, 2, 3, None)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("dark", [False, True])
def test_every_recording_makes_a_figure_or_a_sentence_at_any_time(name: str, dark: bool) -> None:
    for path in sorted((folder() / "sessions").glob("*.jsonl")):
        records = read_streams(path.read_bytes())[0]
        for cut in (1, 2, len(records) // 2, len(records)):
            chart = MAKERS[name](Course.of(records[:cut]), records[:cut], dark)
            assert chart.sentence.endswith(".") and "\n" not in chart.sentence
            assert chart.figure is None or chart.figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
        unscored = "consistency" in path.name and name in ("tokens", "flops", "ribbons", "heat map")
        assert (chart.figure is None) == unscored, (path.name, chart.sentence)


@pytest.mark.parametrize("name", MAKERS)
def test_text_of_models_enters_no_figure_as_markup(name: str) -> None:
    events = [started("s", lambda _: EVIL, verifier="v", rule="best")]
    events += [(None, NodeAdded((0,), EVIL, 3, -1.0, "eos", True, EVIL)), (None, NodeScored((0,), 0.5))]
    records = recorded(*events, *ended(EVIL, (0,), "best", **{EVIL: 0.5}))
    chart = MAKERS[name](Course.of(records), records, False)
    assert "<b>" not in chart.figure.to_json() and "<a" not in chart.figure.to_json()


def test_a_search_without_steps_or_verifier_says_so() -> None:
    empty = recorded(started("s", verifier="v"))
    for make in MAKERS.values():
        chart = make(Course.of(empty), empty, False)
        assert chart.figure is None and chart.sentence
    assert "No step has a score yet" in ribbons(Course.of(empty)).sentence
    alone = recorded(started("s", verifier=None))
    assert "asks no verifier" in ribbons(Course.of(alone)).sentence
    assert shown("  a\tb\x1b<") == "a b\ufffd&lt;"
