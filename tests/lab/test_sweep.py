"""A sweep: each cell once, kept search by search, gone on with, and never mixed with what something else decided."""

from contextlib import closing
from dataclasses import asdict, replace

import orjson
import pytest
from worlds import verifier_of

from tts_explorer.assets import folder
from tts_explorer.errors import BadSession, BadSetting, TTSExplorerError, UnknownName
from tts_explorer.intervals import wilson
from tts_explorer.lab import sweep as lab
from tts_explorer.lab.results import Result, keep, kept
from tts_explorer.lab.sweep import Grid, cells, fill, planned, sweep, tokens_spread
from tts_explorer.runner.searches import Ended, searched
from tts_explorer.store import Store

GRID = Grid(
    ["arithmetic"],
    ["greedy", "self_consistency", "best_of_n"],
    levels=[1],
    policies=["p"],
    verifiers=["v", "w"],
    settings={"n": [1, 4]},
    problems=3,
    seeds=2,
)


@pytest.fixture
def store(tmp_path):
    with closing(Store(tmp_path / "s.db")) as made:
        yield made


@pytest.fixture
def ran(models, monkeypatch):
    """Scripted models; the searches that are run."""
    seen, right = [], lab.searched
    monkeypatch.setattr(lab, "models", lambda: models)
    monkeypatch.setattr(lab, "searched", lambda asks, *others, **more: seen.extend(asks) or right(asks, *others, **more))
    return seen


def names(found):
    return [(cell.strategy, cell.verifier, *cell.settings.values()) for cell in found]


def test_every_combination_is_a_cell_and_one_without_a_verifier_is_measured_once(store, ran):
    found = sweep(GRID, store, workers=1)
    assert names(found) == [
        ("greedy", None),
        *(("self_consistency", None, n) for n in (1, 4)),
        *(("best_of_n", verifier, n) for verifier in ("v", "w") for n in (1, 4)),
    ]
    assert [(cell.problems, cell.seeds, cell.total) for cell in found] == [(3, 1, 3), *[(3, 2, 6)] * 6]
    assert len(ran) == 3 + 6 * 6


def test_a_cell_is_what_its_searches_came_to(store, ran, models):
    for cell in sweep(replace(GRID, first=5, split="validation"), store, workers=1):
        base = lab.Ask("p", cell.verifier, cell.strategy, cell.settings, "arithmetic", 1, split="validation")
        asks = [replace(base, index=index, seed=seed) for index in (5, 6, 7) for seed in range(cell.seeds)]
        alone = searched(asks, models, Ended.of)
        assert (cell.split, cell.first, cell.correct) == ("validation", 5, sum(e.correct for e in alone))
        assert (cell.low, cell.high) == wilson(cell.correct, cell.total) and cell.accuracy == cell.correct / cell.total
        assert cell.tokens == sum(e.tokens for e in alone) / len(alone)
        assert cell.flops == pytest.approx(sum(e.flops for e in alone) / len(alone))
        assert cell.flops == cell.policy_flops + cell.verifier_flops and cell.seconds >= 0
        assert (cell.tokens_spread is None) == (cell.strategy == "greedy") and cell.cut == 0
        orjson.dumps(asdict(cell))


def test_settings_are_told_whole_and_the_rule_in_force(store, ran):
    beam, greedy = sweep(
        replace(GRID, strategies=["beam_search", "greedy"], verifiers=["v"], settings={"n": ["4"]}), store, workers=1
    )
    assert beam.settings == {"n": 4, "beam_width": 4, "max_depth": 12} and beam.rule == "best"
    assert greedy.settings == {} and greedy.rule == "last"


def test_what_is_kept_is_not_run_again_and_a_larger_sweep_runs_what_is_new(store, ran):
    small = sweep(GRID, store, workers=1)
    ran.clear()
    assert sweep(GRID, store, workers=1) == small == cells(store, GRID) and ran == []
    assert sweep(replace(GRID, settings={"n": [4]}, seeds=1), store) and ran == []
    sweep(replace(GRID, strategies=["self_consistency"], problems=4, seeds=3), store, workers=1)
    assert sorted((ask.index, ask.seed) for ask in ran) == sorted([(0, 2), (1, 2), (2, 2), (3, 0), (3, 1), (3, 2)] * 2)
    ran.clear()
    assert len(cells(store, replace(GRID, problems=4))) == 2 and ran == []


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.5},
        {"max_step_tokens": 20},
        {"aggregate": "min"},
        {"rule": "majority"},
        {"budget": {"tokens": 9}},
        {"policies": ["q"]},
        {"split": "validation"},
        {"settings": {"n": [2]}},
    ],
)
def test_what_something_else_decided_is_measured_anew(store, ran, change):
    grid = replace(GRID, strategies=["best_of_n"], verifiers=["v"])
    sweep(grid, store, workers=1)
    ran.clear()
    sweep(replace(grid, **change), store, workers=1)
    assert len(ran) == 6 * len(change.get("settings", grid.settings)["n"])


def test_other_weights_under_the_same_name_are_measured_anew_and_another_torch_is_not(store, ran, models):
    sweep(GRID, store, workers=1)
    ran.clear()
    models.policy("p").versions["torch"] = "9.9"
    assert len(cells(store, GRID)) == 7
    models.loaded["verifier", "w"] = verifier_of("constant", name="w")
    models.verifier("w").versions["w"] = "sha256:other"
    assert len(cells(store, GRID)) == 5
    sweep(GRID, store, workers=1)
    assert {(ask.strategy, ask.verifier) for ask in ran} == {("best_of_n", "w")}


def test_naming_a_default_changes_nothing(store, ran):
    grid = replace(GRID, strategies=["self_consistency"], settings={})
    sweep(grid, store, workers=1)
    ran.clear()
    assert len(sweep(replace(grid, rule="majority", settings={"n": [16, "16"]}), store, workers=1)) == 1 and ran == []


def test_what_cannot_be_is_left_out_and_said(ran, models):
    grid = replace(GRID, strategies=["beam_search", "best_of_n"], settings={"n": [1, 4], "beam_width": [1, 4]})
    points, remarks = planned(grid, models)
    assert len(points) == 2 * (3 + 2) and ran == []
    assert remarks == [
        "left out: beam_search n=1 beam_width=4: beam_width is 4 and n is 1: beam_width must divide n, so choose one of [1]"
    ]


def test_what_a_search_notes_is_said_once(models):
    grid = replace(GRID, strategies=["solve_and_verify", "sequential_refinement"], settings={"n": [2], "feedback": ["truth"]})
    points, remarks = planned(grid, models)
    assert [point.verifier for point in points] == ["judge:judge", None] and "upper bound" in remarks[-1]
    assert remarks[:-1] == [f"{name} can't write: p itself writes the checks, as judge:policy" for name in ("v", "w")][:1]


@pytest.mark.parametrize(
    ("change", "error", "complaint"),
    [
        ({"tasks": []}, BadSetting, "there are no tasks"),
        ({"strategies": []}, BadSetting, "there are no strategies"),
        ({"problems": 0}, BadSetting, "problems is 0: it must be from 1"),
        ({"seeds": 0}, BadSetting, "seeds is 0: it must be from 1 to 1,000"),
        ({"seeds": 10**9}, BadSetting, "seeds is 1000000000"),
        ({"first": -1}, BadSetting, "first is -1: with 3 problems it must be from 0 to 99,997"),
        ({"first": 99_999}, BadSetting, "first is 99999"),
        ({"levels": [1, 9]}, BadSetting, "no level 9"),
        ({"split": "dev"}, BadSetting, "no split 'dev'"),
        ({"tasks": ["arithmetic", "nosuch"]}, UnknownName, "no task 'nosuch'"),
        ({"strategies": ["greedy", "nosuch"]}, UnknownName, "no strategy 'nosuch'"),
        ({"settings": {"n": [1, 0]}}, BadSetting, "n is 0: it must be a whole number"),
        ({"settings": {"n": []}}, BadSetting, "there are no values of n"),
        (
            {"settings": {"size": [3]}},
            BadSetting,
            r"size=3 is a setting that none of these strategies has \(.*\): choose one of n",
        ),
        ({"settings": {"n": [3]}, "strategies": ["greedy"]}, BadSetting, r"has \(greedy\): leave it away"),
        ({"temperature": float("nan")}, BadSetting, "temperature is nan"),
        ({"max_step_tokens": 0}, BadSetting, "max_step_tokens is 0"),
        ({"aggregate": "median"}, BadSetting, "no aggregate 'median'"),
        ({"rule": "coin"}, BadSetting, "no rule 'coin'"),
        ({"budget": {"flops": 0}}, BadSetting, "the budget of flops is 0"),
    ],
)
def test_what_no_search_can_have_is_refused_before_anything_is_loaded(change, error, complaint):
    with pytest.raises(error, match=complaint):
        replace(GRID, **change).check()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"verifiers": []}, "no combination of best_of_n is possible: best_of_n asks for scores: choose a verifier"),
        ({"strategies": ["beam_search"], "settings": {"n": [1]}}, "no combination of beam_search is possible: beam_width is 4"),
        (
            {"strategies": ["beam_search"], "verifiers": ["agreement"], "settings": {"n": [4]}},
            "agreement compares finished answers",
        ),
    ],
)
def test_a_strategy_of_which_nothing_is_possible_is_refused(store, ran, change, complaint):
    with pytest.raises(BadSetting, match=complaint):
        sweep(replace(GRID, **change), store)
    assert ran == []


def test_a_job_that_fails_loses_nothing_else_and_is_tried_again(store, ran, models, monkeypatch):
    verifier, told = models.verifier("w"), []
    tick = verifier.tick
    verifier.tick = lambda: 1 / 0
    points, _ = planned(GRID, models)
    failed = fill(points, store, workers=1, tell=lambda *what: told.append(what))
    assert len(failed) == 2 and all("6 searches of best_of_n on arithmetic 1: best_of_n on problem" in said for said in failed)
    assert [what for *_, what in told if isinstance(what, str)] == failed and told[-1][:2] == (39, 39)
    assert len(cells(store, GRID)) == 5
    with pytest.raises(TTSExplorerError, match="the same sweep tries them again: 6 searches of best_of_n"):
        sweep(GRID, store, workers=1)
    verifier.tick = tick
    ran.clear()
    assert len(sweep(GRID, store, workers=1)) == 7 and len(ran) == 12


def test_a_stopped_sweep_goes_on_where_it_was(store, ran, models, monkeypatch):
    monkeypatch.setattr(lab, "JOB", 4)

    def stop(done, total, what):
        if done >= 9:
            raise KeyboardInterrupt

    points, _ = planned(GRID, models)
    with pytest.raises(KeyboardInterrupt):
        fill(points, store, workers=1, tell=stop)
    kept_then = lab.counted(points, store)
    assert kept_then == (9, 39) and len(ran) == 9 and [cell.settings for cell in lab.read(points, store)] == [{"n": 4}]
    whole = sweep(GRID, store, workers=1)
    assert len(ran) == 39 and len(whole) == 7


def test_dear_searches_come_first_in_even_jobs(store, models, monkeypatch):
    monkeypatch.setattr(lab, "JOB", 4)
    points, _ = planned(replace(GRID, problems=3, seeds=3, verifiers=["v"]), models)
    jobs = lab.missing(points, store)
    assert [job.point.ask.settings.get("n", 1) for job in jobs] == [4] * 6 + [1] * 7
    assert [len(job.pairs) for job in jobs] == [3] * 13


def test_seconds_as_a_budget_are_each_searchs_own(store, ran, models, monkeypatch):
    rows, right = [], lab.searched
    monkeypatch.setattr(lab, "searched", lambda *given, rows: seen.append(rows) or right(*given, rows=rows))
    seen = rows
    sweep(replace(GRID, strategies=["greedy"], settings={}), store, workers=1)
    sweep(replace(GRID, strategies=["greedy"], settings={}, budget={"seconds": 60}), store, workers=1)
    assert rows == [lab.ROWS, 1]


def test_a_budget_cuts_and_that_is_told(store, ran):
    grid = replace(GRID, strategies=["self_consistency"], settings={"n": [16]}, budget={"tokens": 20})
    (cell,) = sweep(grid, store, workers=1)
    assert cell.cut == 6 and cell.budget == {"tokens": 20}


def test_a_line_is_written_once_whoever_comes_first(store, models):
    (point, *_), _ = planned(GRID, models)
    first, second = Result("done", True, 5, 1.0, 0.0, 0.1), Result("done", False, 6, 1.0, 0.0, 0.1)
    keep(store, point.key, {(0, 0): first})
    keep(store, point.key, {(0, 0): second, (1, 0): second})
    assert kept(store, point.key) == {(0, 0): first, (1, 0): second}
    keep(store, point.key, {})
    with pytest.raises(BadSession, match="the results could not be saved .*NOT NULL.*choose another database"):
        keep(store, point.key, {(2, 0): replace(first, seconds=float("nan"))})
    assert len(kept(store, point.key)) == 2


def test_tokens_vary_by_problem():
    def result(tokens):
        return Result("done", True, tokens, 0.0, 0.0, 0.0)

    found = {(0, 0): result(10), (0, 1): result(30), (1, 0): result(5), (1, 1): result(5), (2, 0): result(0), (2, 1): result(0)}
    assert tokens_spread(list(found), found) == pytest.approx((1 + 0 + 0) / 3)
    assert tokens_spread([(0, 0), (1, 0)], found) is None


@pytest.mark.slow
@pytest.mark.skipif(not (folder() / "models" / "small" / "model.safetensors").is_file(), reason="no bundled models")
def test_worker_processes_come_to_the_same_as_this_one(store, tmp_path, monkeypatch):
    monkeypatch.setattr(lab, "JOB", 2)
    grid = Grid(["arithmetic"], ["self_consistency"], levels=[1], settings={"n": [2]}, problems=2, seeds=2)
    with closing(Store(tmp_path / "other.db")) as other:
        (one,), (two,) = sweep(grid, store, workers=1), sweep(grid, other, workers=2)
    assert replace(one, seconds=0) == replace(two, seconds=0) and one.total == 4 and two.seconds > 0
