"""`bench ladder` and `bench figures`: what they write, say and refuse."""

from types import SimpleNamespace
from xml.etree import ElementTree

import orjson
import pytest
from ladders import evidence
from worlds import models_by_name

from tts_explorer.lab import rungs as lab
from tts_explorer.lab import sweep
from tts_explorer.models.flops import Flops

NAMES = {"policy": ["bundled:nano", "bundled:small"], "verifier": ["bundled:prm"]}
FEW = ("bench", "ladder", "--problems", 2, "--seeds", 2, "--family", "countdown", "--workers", 1)


@pytest.fixture
def models(run, monkeypatch):
    """Scripted models under the bundled names."""
    made = models_by_name()
    monkeypatch.setattr(sweep, "models", lambda: made)
    monkeypatch.setattr(lab, "bundled_policies", lambda: NAMES["policy"])
    monkeypatch.setattr(lab, "bundled_verifiers", lambda: NAMES["verifier"])
    for role, names in NAMES.items():
        for size, name in enumerate(names, 1):
            model = getattr(made, role)(name)
            model.checkpoint, model.flops = SimpleNamespace(parameters=size), Flops(10, 5, 2)
    return made


def test_a_part_is_measured_and_kept_and_then_only_read(run, models, tmp_path):
    out = tmp_path / "ladder.json"
    result = run(*FEW, "--part", "sizes", "--out", out)
    assert result.exit_code == 0 and result.stdout == "", result.output
    assert [line.split(": ")[0] for line in result.stderr.splitlines()][-1] == "sizes"
    assert result.stderr.splitlines()[-1] == "sizes: 12 of 12 cells are in ladder.json"
    first = out.read_bytes()
    again = run(*FEW, "--part", "sizes", "--out", out)
    assert again.stderr.splitlines() == ["28 of 28 searches are there already", "sizes: 12 of 12 cells are in ladder.json"]
    assert out.read_bytes() == first and len(orjson.loads(first)["cells"]) == 12


def test_parts_come_together_and_the_figures_are_made_of_them(run, models, tmp_path):
    out = tmp_path / "ladder.json"
    result = run(*FEW, "--part", "sizes", "--part", "search", "--part", "verify", "--out", out)
    assert result.exit_code == 0, result.output
    readme = tmp_path / "README.md"
    readme.write_text("Before\n<!-- ladder -->\n<!-- /ladder -->\nAfter\n")
    (tmp_path / "pictures").mkdir()
    made = run("bench", "figures", "--results", out, "--readme", readme, "--pictures", tmp_path / "pictures")
    assert (made.exit_code, made.output) == (0, "")
    assert "](pictures/accuracy-by-flops.svg)" in readme.read_text() and readme.read_text().endswith("<!-- /ladder -->\nAfter\n")
    for picture in (tmp_path / "pictures").iterdir():
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_figures_without_a_readme_are_printed(run, tmp_path):
    evidence().write(tmp_path / "ladder.json")
    result = run("bench", "figures", "--results", tmp_path / "ladder.json", "--pictures", tmp_path)
    assert result.exit_code == 0 and "**Who beats whom.**" in result.stdout
    assert {path.name for path in tmp_path.glob("*.svg")} == {"accuracy-by-flops.svg", "best-strategy.svg"}


def test_a_part_with_nothing_to_measure_is_said(run, models, tmp_path):
    result = run(*FEW, "--part", "dvts", "--policy", "bundled:nano", "--out", tmp_path / "l.json")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == "dvts: there is nothing to measure with these policies and families"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*FEW, "--part", "nosuch", "--out", "x.json"), "no part 'nosuch': choose one of sizes"),
        ((*FEW, "--policy", "bundled:nosuch", "--out", "x.json"), "no bundled policy 'bundled:nosuch'"),
        ((*FEW, "--family", "nosuch", "--out", "x.json"), "no task 'nosuch'"),
        ((*FEW, "--out", "nosuch/x.json"), "there is no folder nosuch to write x.json to"),
        (("bench", "figures", "--results", "nosuch.json"), "make it with `tts-explorer bench ladder`"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_and_exit_code_1(run, models, arguments, complaint):
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert complaint in result.stderr


def test_jobs_that_fail_are_told_and_the_rest_is_kept(run, models, tmp_path):
    models.verifier("bundled:prm").tick = lambda: 1 / 0
    out = tmp_path / "ladder.json"
    result = run(*FEW, "--part", "search", "--policy", "bundled:nano", "--out", out)
    assert result.exit_code == 1 and "of the jobs failed, and the same command tries them again" in result.stderr
    assert {cell["strategy"] for cell in orjson.loads(out.read_bytes())["cells"]} == {"self_consistency"}


def test_the_bundled_policy_on_two_problems(run, bundled, tmp_path):
    """Really: the smallest part of it."""
    arguments = "--problems 2 --seeds 1 --part sizes --policy bundled:small --family arithmetic --workers 1".split()
    result = run("bench", "ladder", *arguments, "--out", tmp_path / "l.json")
    assert result.exit_code == 0, result.output
    data = orjson.loads((tmp_path / "l.json").read_bytes())
    assert [cell["strategy"] for cell in data["cells"]] == [*["greedy"] * 3, "self_consistency", *["greedy"] * 2]
    assert data["about"]["models"]["bundled:small"]["weights"].startswith("sha256:")
