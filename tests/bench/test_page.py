"""`bench page` at its smallest: every part once in a real browser, in a process of its own. No time is asserted.

Where there is no browser it is skipped; in CI (CI=true) that is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tts_explorer.assets import folder
from tts_explorer.bench import browser, page
from tts_explorer.bench.recordings import EVERY, KEPT, RARE, ROUND, TAG, Growing, fill
from tts_explorer.store import Store, Wanted
from tts_explorer.tree import SearchTree
from tts_explorer.viz.log import projected

ROOT = Path(__file__).parents[2]
SMALL = ("--nodes", 40, "--large", 100, "--sessions", 60, "--repeat", 1)


def missing(what: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} missing")


def benched(*arguments):
    """What the command prints, as JSON. Its own process: this one may have a browser of other tests."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        missing("playwright is")
    if not any(map(shutil.which, browser.PROGRAMS)):
        missing("Chromium is")
    command = [sys.executable, "-m", "tts_explorer", "bench", "page", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


@pytest.mark.browser
def test_every_part_without_a_model_is_measured_against_its_goal():
    result = benched(*SMALL, *(f"--part={name}" for name in page.PARTS if name != "start"))
    assert result["bench"] == "page" and result["settings"]["parts"] == "first-paint, update, large, store"
    assert {"chromium", "playwright", "gradio", "load"} <= set(result["environment"])
    lines = {line["what"]: line for line in result["results"]}
    assert set(lines) == set(page.AT_MOST | page.AT_LEAST) - {"start to first candidate, s"}
    for name, line in lines.items():
        measured = line["measured"]
        assert len(measured["values"]) == 1 and 0 < measured["low"] <= measured["median"] <= measured["high"]
        goal, median = (page.AT_MOST | page.AT_LEAST)[name], measured["median"]
        assert line["reached"] == (median >= goal if name in page.AT_LEAST else median <= goal)
    assert lines["bytes a node added"]["reached"] and lines["bytes a node added"]["measured"]["median"] > 50
    parts = result["figures"]["of_that_script_layout_and_style_ms"]["median"]
    assert 0 < parts < lines["main thread an update, ms"]["measured"]["median"]
    assert {f"{side} {case}, ms" for side in ("store", "page") for case in page.CASES} <= set(result["figures"])


@pytest.mark.browser
@pytest.mark.slow
def test_the_first_candidate_is_waited_for():
    if not all((folder() / "models" / name / "config.json").is_file() for name in ("small", "prm")):
        missing("the bundled models are")
    (line,) = benched("--part", "start", "--repeat", 1)["results"]
    assert line["what"] == "start to first candidate, s" and line["measured"]["median"] > 0


def test_goals_are_reached_from_their_own_side():
    assert page.line("first paint, s", [2.5, 2.0, 1.0]) | {"measured": 0} == {
        "what": "first paint, s", "measured": 0, "goal": "≤ 2", "reached": True,
    }  # fmt: skip
    assert not page.line("bytes a node added", [251.0])["reached"]
    scrubbing = page.line("scrubbing, frames a second", [19.9])
    assert (scrubbing["goal"], scrubbing["reached"]) == ("≥ 20", False)
    assert page.line("scrubbing, frames a second", [20.0])["reached"]


def test_a_part_that_is_not_there_is_told_before_a_browser_starts(run):
    result = run("page", "--part", "paint")
    assert result.exit_code == 1 and result.stderr == (
        "Error: no part 'paint': choose among first-paint, start, update, large, store\n"
    )


@pytest.mark.parametrize("lacks", ["playwright", "chromium"])
def test_without_a_browser_one_sentence_says_what_to_install(run, monkeypatch, lacks):
    if lacks == "playwright":
        monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    else:
        pytest.importorskip("playwright")
        monkeypatch.setattr(browser, "installed", lambda playwright: None)
    with ThreadPoolExecutor(1) as thread:  # of its own: the tests' browser, if it runs, has this one
        result = thread.submit(run, "page", "--part", "update").result()
    assert result.exit_code == 1 and result.stdout == "" and result.stderr.count("\n") == 1
    assert "not installed" in result.stderr and "playwright install chromium" in result.stderr
    assert ("pip install playwright" in result.stderr) == (lacks == "playwright")


def test_a_search_that_grows_is_a_search():
    growing = Growing(3)
    records = growing.grown(100)
    assert growing.nodes == 112 and [record.seq for record in records] == list(range(len(records)))
    later = growing.round()
    assert later[0].seq == records[-1].seq + 1
    tree = SearchTree.of(record.event for record in [*records, *later, *growing.end()])
    assert len(tree.nodes) == 1 + 112 + ROUND + 1 and tree.correct and tree.status == "done"
    assert sum(node.pruned is not None for node in tree.nodes.values()) == 8 * (ROUND - KEPT)
    assert projected([*records, *later]).count("\n") == len(records) + len(later)
    assert Growing(3).grown(100) == records


def test_the_store_is_filled_with_what_the_cases_look_for(tmp_path):
    with closing(Store(tmp_path / "sessions.db")) as store:
        fill(store, EVERY + 3)
        assert store.find(Wanted(), 1)[1] == EVERY + 3
        assert store.find(Wanted(RARE), 9)[1] == 2 and store.find(Wanted(tag=TAG), 99)[1] == 10
        for fields in page.CASES.values():
            assert store.find(Wanted(**{name: value for name, value in fields.items() if name != "last"}), 1)[1] > 0
