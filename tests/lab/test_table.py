"""The table of strategies: cells measured once, kept as they come, gone on with, and never mixed with other figures."""

from dataclasses import replace

import orjson
import pytest

from tts_explorer.errors import BadSetting, TTSExplorerError, UnknownName
from tts_explorer.intervals import wilson
from tts_explorer.lab import table
from tts_explorer.lab.figures import Figures
from tts_explorer.lab.table import Grid, every_row, fill, missing, resumed

GRID = Grid((("arithmetic", 1),), ("greedy", "best_of_n", "solve_and_verify"), (1, 6), 3, 2, "p", "v", 3)


@pytest.fixture
def measured(models, monkeypatch, tmp_path):
    """Fill the table of a grid in this process; the figures and what was told."""
    monkeypatch.setattr(table, "models", lambda: models)
    monkeypatch.setattr(table, "ANSWERS", 20)

    def call(grid=GRID, tell=None, name="t.json"):
        told = []
        figures = resumed(grid, tmp_path / name, {"cores": 2})
        fill(grid, figures, workers=1, tell=tell or (lambda cell, done, total: told.append((cell.row, cell.worth, done, total))))
        return figures, told

    return call


def test_every_cell_is_measured_by_rising_budget(measured, tmp_path):
    figures, told = measured()
    assert told == [(row, worth, 3 * i + j, 6) for i, worth in enumerate((1, 6)) for j, row in enumerate(GRID.rows, 1)]
    (place,) = figures.places
    assert place.mean <= place.most and place.answers == 20 and place.ratio > 0
    for cell in figures.cells:
        seeds = 1 if cell.row == "greedy" else 2
        assert (cell.seeds, cell.problems, cell.total) == (seeds, 3, 3 * seeds)
        assert (cell.low, cell.high) == wilson(cell.correct, cell.total) and cell.budget == cell.worth * place.most
        assert 0 < cell.flops <= cell.flops_most and cell.tokens > 0 and cell.cut <= cell.total
        assert cell.verifier == {"greedy": None, "best_of_n": "v"}.get(cell.row, "judge:judge")
    cells = {(cell.row, cell.worth): cell for cell in figures.cells}
    assert cells["greedy", 1].fits and cells["greedy", 6].fits and not cells["best_of_n", 1].fits
    assert cells["best_of_n", 6].fits and cells["best_of_n", 6].settings["n"] > 1
    assert figures.about["weights"] == {"p": "scripted", "v": "scripted"} and figures.about["environment"] == {"cores": 2}
    assert {"policy", "verifier", "problems", "seeds", "pilots", "way", "date"} <= set(figures.about)
    orjson.loads((tmp_path / "t.json").read_bytes())


def test_what_is_read_is_what_was_written(measured, tmp_path):
    figures, _ = measured()
    again = Figures.read(tmp_path / "t.json")
    assert again.cells == figures.cells and again.places == figures.places and again.about == figures.about
    assert {(*where, repr(pilot)) for *where, pilot in again.pilots} == {(*where, repr(p)) for *where, p in figures.pilots}


def test_a_stopped_run_goes_on_where_it_was_and_comes_to_the_same(measured):
    def stop(cell, done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measured(tell=stop)
    figures, told = measured()
    assert [done for *_, done, total in told if total == 2] == [1, 2]
    whole, _ = measured(name="other.json")
    assert figures.cells == whole.cells
    assert measured()[1] == [] and missing(GRID, figures) == []


def test_a_cell_that_fails_is_told_and_left_to_the_next_run(measured, monkeypatch, tmp_path):
    right = table.searched

    def broken(asks, models, read):
        if asks[0].strategy == "best_of_n" and asks[0].split == "test":
            raise TTSExplorerError("it broke")
        return right(asks, models, read)

    monkeypatch.setattr(table, "searched", broken)
    told = []
    figures = resumed(GRID, tmp_path / "t.json", {})
    failed = fill(GRID, figures, workers=1, tell=lambda cell, done, total: told.append(cell))
    assert failed == [f"best_of_n on arithmetic 1, worth {worth}: it broke" for worth in (1, 6)]
    assert [cell for cell in told if isinstance(cell, str)] == failed and len(figures.cells) == 4
    monkeypatch.setattr(table, "searched", right)
    assert [row for row, *_ in measured()[1]] == ["best_of_n", "best_of_n"]


def test_another_budget_and_another_row_are_added(measured):
    measured()
    figures, told = measured(replace(GRID, rows=("greedy", "self_consistency"), worths=(1, 2)))
    assert [(row, worth) for row, worth, *_ in told] == [("self_consistency", 1), ("greedy", 2), ("self_consistency", 2)]
    assert len(figures.cells) == 9


@pytest.mark.parametrize("change", [{"problems": 4}, {"seeds": 1}, {"policy": "q"}, {"verifier": "w"}, {"pilots": 2}])
def test_figures_of_something_else_are_never_gone_on_with(measured, change):
    measured()
    with pytest.raises(BadSetting, match="t.json was measured with .* name another file with --out"):
        measured(replace(GRID, **change))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"about": {}}', '{"about": {}, "places": [], "cells": [{}], "pilots": []}'])
def test_another_file_is_not_written_over(measured, tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(BadSetting, match="holds no table of strategies: move it away"):
        measured()
    assert (tmp_path / "t.json").read_text() == text


def test_a_folder_that_is_not_there(measured, tmp_path):
    with pytest.raises(BadSetting, match="there is no folder .*nosuch"):
        measured(name="nosuch/t.json")


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"problems": 0}, BadSetting, "problems is 0"),
        ({"seeds": 0}, BadSetting, "seeds is 0"),
        ({"pilots": 0}, BadSetting, "pilots is 0"),
        ({"problems": 100_001}, BadSetting, "problems is 100001: at most 100,000 are numbered"),
        ({"worths": (1, 0)}, BadSetting, "worth is 0"),
        ({"worths": (float("nan"),)}, BadSetting, "worth is nan"),
        ({"places": (("arithmetic", 9),)}, BadSetting, "no level 9"),
        ({"places": (("nosuch", 1),)}, UnknownName, "no task 'nosuch'"),
        ({"rows": ("nosuch",)}, UnknownName, "no strategy 'nosuch'"),
        ({"rows": ("",)}, UnknownName, "no strategy ''"),
        ({"rows": ("best_of_n size=3",)}, BadSetting, "no setting 'size'"),
        ({"rows": ("best_of_n n",)}, BadSetting, "'n' in the row 'best_of_n n' is not KEY=VALUE"),
        ({"rows": ("sequential_refinement feedback=mine",)}, BadSetting, "feedback is 'mine'"),
    ],
)
def test_a_grid_that_cannot_be_measured_is_refused_before_anything_is_loaded(change, error, complaint):
    with pytest.raises(error, match=complaint):
        replace(GRID, **change).check()
    GRID.check()


def test_every_strategy_is_a_row_and_the_truth_is_a_row_of_its_own():
    rows = every_row()
    assert rows[0] == "greedy" and len(set(rows)) == len(rows)
    assert "sequential_refinement feedback=truth" in rows and "sequential_refinement" in rows
    Grid(rows=rows, problems=1).check()


def test_a_row_with_kept_settings_keeps_them(measured):
    figures, _ = measured(replace(GRID, rows=("sequential_refinement feedback=truth", "self_consistency n=3")))
    found = {(cell.row, cell.worth): cell.settings for cell in figures.cells}
    assert found["self_consistency n=3", 1] == found["self_consistency n=3", 6] == {"n": "3"}
    assert found["sequential_refinement feedback=truth", 6]["feedback"] == "truth"
