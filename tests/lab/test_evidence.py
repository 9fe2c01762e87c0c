"""The ladder's sweeps, part by part, and the file in which their cells come together."""

from contextlib import closing
from dataclasses import asdict, replace
from types import SimpleNamespace

import orjson
import pytest
from ladders import MEDIUM, NANO, PRM, RUNGS, SPECIALIST, cell, evidence

from tts_explorer.errors import BadSetting, UnknownName, UserError
from tts_explorer.lab import rungs as lab
from tts_explorer.lab.evidence import Evidence, joined, measured, merged, require_room
from tts_explorer.lab.ladder import FEWER, PARTS, Ladder, points
from tts_explorer.lab.sweep import fill
from tts_explorer.models.flops import Flops
from tts_explorer.store import Store

SMALL = replace(NANO, name="bundled:small", parameters=1_000_000)
USUAL = replace(PRM, name="bundled:prm", parameters=1_000_000)
LADDER = Ladder([NANO, SMALL, MEDIUM, SPECIALIST, USUAL, PRM], problems=500)


def grids(part, ladder=LADDER):
    return list(PARTS[part](ladder))


def policies(found):
    return list(dict.fromkeys(grid.policies[0] for grid in found))


def test_sizes_are_every_policy_as_it_is_and_a_specialist_on_its_own_family():
    found = grids("sizes")
    assert policies(found) == [rung.name for rung in (NANO, SMALL, MEDIUM, SPECIALIST)]
    assert {(*grid.strategies, *grid.settings.get("n", ())) for grid in found} == {("greedy",), ("self_consistency", 1)}
    assert {tuple(grid.tasks) for grid in found if grid.policies[0] == SPECIALIST.name} == {("sat",)}
    assert all(len(grid.tasks) == 6 for grid in found if grid.policies[0] != SPECIALIST.name)
    assert all((grid.problems, grid.seeds) == (500, 3) for grid in found)
    assert {(grid.strategies[0], tuple(grid.levels)) for grid in found} == {
        ("greedy", (1, 2, 3, 4, 5)),
        ("self_consistency", (3,)),
    }


def test_all_but_the_largest_search_each_with_the_verifier_of_its_size():
    found = grids("search")
    assert policies(found) == [rung.name for rung in (NANO, SMALL, SPECIALIST)]
    asked = {(grid.policies[0], *grid.verifiers) for grid in found if grid.verifiers}
    assert asked == {(NANO.name, PRM.name), (SPECIALIST.name, PRM.name), (SMALL.name, USUAL.name)}
    assert {grid.strategies[0]: tuple(grid.settings["n"]) for grid in found} == {
        "self_consistency": (4, 16), "best_of_n": (4, 8, 16), "beam_search": (8, 16), "dvts": (16,),
    }  # fmt: skip
    assert policies(grids("search", Ladder([SMALL, PRM]))) == [SMALL.name]
    assert {grid.verifiers[0] for grid in grids("search", Ladder([SMALL, PRM])) if grid.verifiers} == {PRM.name}


def test_a_program_checks_answers_or_judges_steps_where_the_rules_say_enough():
    found = grids("checked")
    assert policies(found) == [rung.name for rung in (NANO, SMALL, SPECIALIST)] and {
        *map(tuple, (g.verifiers for g in found))
    } == {("program",)}
    families = {(grid.policies[0], grid.strategies[0]): set(grid.tasks) for grid in found}
    assert families[NANO.name, "best_of_n"] == {"countdown", "maze", "sat"} and families[SPECIALIST.name, "best_of_n"] == {"sat"}
    assert families[NANO.name, "beam_search"] == {"countdown", "maze", "sat", "spatial"}


def test_difficulty_is_the_other_levels_of_the_two_smallest_on_fewer_problems():
    found = grids("difficulty")
    assert policies(found) == [NANO.name, SMALL.name]
    assert {(tuple(grid.levels), grid.problems) for grid in found} == {((1, 2, 4, 5), FEWER)}
    assert {grid.problems for grid in grids("difficulty", replace(LADDER, problems=7))} == {7}


def test_subtrees_and_verdicts_are_measured_with_small():
    deep, checked = grids("dvts"), grids("verify")
    assert policies(deep) == policies(checked) == [SMALL.name]
    assert [tuple(grid.tasks) for grid in deep] == [("countdown", "sat")] * 2
    votes, verdicts = checked
    assert (tuple(votes.settings["n"]), votes.problems) == ((4, 16, 64), FEWER)
    assert verdicts.settings == {"n": (4, 8, 16), "votes": (1, 2, 4)} and verdicts.verifiers == ["judge:policy"]


def test_policies_and_families_can_be_named():
    few = replace(LADDER, names=[SPECIALIST.name], families=["countdown"])
    assert [grid for part in PARTS for grid in grids(part, few)] == []
    with pytest.raises(UnknownName, match="no bundled policy 'bundled:x': choose one of bundled:medium"):
        replace(LADDER, names=["bundled:x"])
    with pytest.raises(UnknownName, match="no task 'x'"):
        replace(LADDER, families=["x"])
    with pytest.raises(BadSetting, match="no part 'x': choose one of sizes, search"):
        points("x", LADDER, None)
    with pytest.raises(BadSetting, match="no bundled verifier"):
        grids("search", Ladder([NANO]))


def test_a_rung_is_read_off_its_model(models, monkeypatch):
    monkeypatch.setattr(lab, "bundled_policies", lambda: ["bundled:b-sat", "bundled:b", "bundled:a"])
    monkeypatch.setattr(lab, "bundled_verifiers", lambda: ["bundled:v"])
    for role, name, size in (("policy", "b-sat", 1), ("policy", "b", 1), ("policy", "a", 9), ("verifier", "v", 2)):
        model = getattr(models, role)(f"bundled:{name}")
        model.checkpoint, model.flops = SimpleNamespace(parameters=size), Flops(10, 5, 2)
    found = lab.rungs(models)
    assert [rung.name for rung in found] == ["bundled:b", "bundled:a", "bundled:b-sat", "bundled:v"]
    assert [rung.flops for rung in found[2:]] == [2 * 15 + 2 * 128, 2 * 10 + 2 * 128]
    assert (found[2].family, found[2].weights, found[3].role) == ("sat", "scripted", "verifier")


def test_a_part_is_measured_and_a_cell_knows_its_seeds(models, monkeypatch, tmp_path):
    monkeypatch.setattr("tts_explorer.lab.sweep.models", lambda: models)
    ladder = Ladder([NANO, PRM], families=["arithmetic"], problems=2, seeds=2)
    wanted, said = points("sizes", ladder, models)
    assert said == [] and len(wanted) == 6
    with closing(Store(tmp_path / "s.db")) as store:
        assert measured(wanted, store) == []
        fill(wanted, store, workers=1)
        *greedies, sample = measured(wanted, store)
    assert [(cell.how, cell.level) for cell in greedies] == [("greedy", level) for level in (1, 2, 3, 4, 5)]
    greedy = greedies[0]
    assert (greedy.how, greedy.searches, len(greedy.by_seed)) == ("greedy", False, 1)
    assert (sample.how, sample.searches, len(sample.by_seed)) == ("one sample", False, 2)
    assert sum(sample.by_seed) / 2 == sample.accuracy


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ladder.json"


def test_the_file_is_cells_as_a_sweep_prints_them_and_what_they_were_measured_with(file):
    made = evidence()
    assert merged(file, made.cells, RUNGS, {"torch": "9"}) == []
    data = orjson.loads(file.read_bytes())
    assert len(data["cells"]) == len(made.cells) and {"task", "accuracy", "low", "flops", "by_seed"} <= set(data["cells"][0])
    assert data["about"]["versions"] == {"torch": "9"}
    assert data["about"]["models"][NANO.name] == {
        "role": "policy", "parameters": 250_000, "flops": 1e6, "weights": "sha256:a"
    }  # fmt: skip
    read = Evidence.read(file)
    assert sorted(map(str, map(asdict, read.cells))) == sorted(map(str, map(asdict, made.cells))) and read.rungs == RUNGS
    assert [rung.name for rung in read.policies] == [NANO.name, MEDIUM.name]
    before = file.read_bytes()
    merged(file, made.cells[::-1], RUNGS, {"torch": "9"})
    assert file.read_bytes() == before


def test_new_cells_join_old_ones_and_more_searches_count_more_than_fewer():
    old = cell(NANO, "sat", "greedy", 0.5)
    again, fewer = replace(old, accuracy=0.6), replace(old, problems=5, total=5)
    assert joined([old], [again]) == [again] and joined([old], [fewer]) == [old] and joined([fewer], [old]) == [old]
    assert len(joined([old], [replace(old, level=4)])) == 2


def test_cells_of_other_weights_are_dropped_and_that_is_said(file):
    searched, judged = cell(NANO, "sat", "beam_search", 0.5, n=4), cell(MEDIUM, "sat", "solve_and_verify", 0.5, n=4)
    judged = replace(judged, verifier=f"judge:{MEDIUM.name}")
    merged(file, [cell(NANO, "sat", "greedy", 0.5), searched, judged], RUNGS, {})
    said = merged(file, [], [NANO, MEDIUM, replace(PRM, weights="sha256:z")], {})
    assert said == ["1 cells are dropped: measured with other weights of bundled:prm-nano than are here"]
    assert [found.how for found in Evidence.read(file).cells] == ["solve_and_verify", "greedy"][::-1]
    assert len(merged(file, [], [NANO], {})) == 1 and len(Evidence.read(file).cells) == 1


def test_a_file_that_is_none(file, tmp_path):
    with pytest.raises(BadSetting, match="make it with `tts-explorer bench ladder`"):
        Evidence.read(file)
    file.write_text('{"about": {}, "cells": []}')
    with pytest.raises(BadSetting, match="holds no evidence of the ladder"):
        require_room(file)
    with pytest.raises(BadSetting, match="there is no folder"):
        require_room(tmp_path / "none" / "x.json")
    with pytest.raises(UserError, match="can't be written"):
        Evidence([], []).write(tmp_path / "none" / "x.json")
