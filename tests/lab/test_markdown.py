"""The README's table: made from the figures, put between its marks."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from tts_explorer.assets import folder
from tts_explorer.errors import BadSetting
from tts_explorer.lab.figures import Cell, Figures, Place
from tts_explorer.lab.markdown import BEGIN, END, command, markdown, put
from tts_explorer.lab.table import every_row

README = Path(__file__).parents[2] / "README.md"
RESULTS = folder() / "results" / "strategies.json"
CELL = Cell("arithmetic", 5, "greedy", 1, 5e8, {}, None, True, 1.0, 200, 1, 100, 200, 0.431, 0.569, 90, 4e8, 5e8, 3)


def figures(*cells):
    about = {"problems": 200, "seeds": 3, "date": "2026-11-21", "policy": "bundled:small", "verifier": "v", "pilots": 20}
    return Figures(Path("t.json"), about, [Place("arithmetic", 5, 4e8, 5e8, 200, None)], list(cells))


def test_a_cell_is_its_accuracy_with_its_interval_and_whether_it_fits():
    other = replace(CELL, row="best_of_n", fits=False, worth=4)
    lines = markdown(figures(CELL, other)).splitlines()
    assert lines[:4] == [
        "| strategy | arithmetic 5: 1 | arithmetic 5: 4 |",
        "|---|---|---|",
        "| `greedy` | 50.0 ±6.9 |  |",
        "| `best_of_n` |  | 50.0 ±6.9† |",
    ]
    told = " ".join(lines[4:])
    for part in ("200 problems", "3 seeds (greedy 1)", "500 MFLOPs on arithmetic 5 (mean 400, 200 answers)", "2026-11-21"):
        assert part in told


def test_rows_stand_in_one_order_whichever_was_measured_first():
    rows = ["mcts beam_width=2", "mcts", "sequential_refinement feedback=truth", "greedy", "beam_search"]
    lines = markdown(figures(*(replace(CELL, row=row) for row in rows))).splitlines()[2:7]
    assert [line.split("|")[1].strip() for line in lines] == [
        "`greedy`",
        "`beam_search`",
        "`mcts`",
        "`sequential_refinement` feedback=truth (an upper bound)",
        "`mcts` beam_width=2",
    ]


def test_without_a_cell_there_is_no_table():
    with pytest.raises(BadSetting, match="t.json holds no cell yet"):
        markdown(figures())


def test_the_command_makes_these_figures():
    from tts_explorer.cli.bench_lab import strategies

    words = shlex.split(command(figures(CELL, replace(CELL, row="mcts beam_width=2", worth=4))))
    assert words[:3] == ["tts-explorer", "bench", "strategies"]
    rows, sizes = "--strategy greedy --strategy mcts beam_width=2", "--worth 1 --worth 4 --problems 200 --seeds 3"
    assert " ".join(words[3:]) == f"--task arithmetic --level 5 {rows} {sizes} --verifier v"
    assert "--strategy" not in command(figures(*(replace(CELL, row=row) for row in every_row())))
    assert {word[2:] for word in words if word.startswith("--")} <= set(strategies.__annotations__)


def test_it_goes_between_its_marks_and_nothing_else_changes(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"Before \\1\n{BEGIN}\nold\n{END}\nAfter\n")
    put(readme, figures(CELL))
    assert readme.read_text() == f"Before \\1\n{BEGIN}\n{markdown(figures(CELL))}\n{END}\nAfter\n"
    put(readme, figures(CELL))
    assert readme.read_text().count("`greedy`") == 1


@pytest.mark.parametrize("text", ["", "no marks", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_file_without_its_place_is_left_as_it_is(tmp_path, text):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(BadSetting, match="has no place for the table: write <!-- strategies -->"):
        put(readme, figures(CELL))
    assert readme.read_text() == text


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(BadSetting, match="can't be read as text"):
        put(tmp_path / "nosuch.md", figures(CELL))


@pytest.mark.skipif(not RESULTS.is_file(), reason="the table has not been measured")
def test_the_readme_has_the_table_of_the_figures_that_are_shipped():
    assert markdown(Figures.read(RESULTS)) in README.read_text(encoding="utf-8")
