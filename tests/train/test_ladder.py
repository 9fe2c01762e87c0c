"""The whole ladder at its smoke size: every stage once, resumable, in the order that the stages need."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import AutoTokenizer, LlamaForCausalLM
from typer.testing import CliRunner

from tts_explorer.cli import app
from tts_explorer.train import data
from tts_explorer.train.fit import record_in
from tts_explorer.train.ladder import SMOKE, Plan, stages
from tts_explorer.train.policy import validation_loss

NAMES = ["nano", "small", "prm-nano", "prm", "nano-countdown"]


@pytest.fixture(scope="module", autouse=True)
def few_texts() -> Iterator[None]:
    """A pool of texts is small, or drawing it would be most of the work."""
    patch = pytest.MonkeyPatch()
    patch.setattr(data, "POOL", 400)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the smoke ladder in it, made by the command."""
    work = tmp_path_factory.mktemp("ladder")
    result = CliRunner().invoke(app, ["train", "ladder", "--smoke", "--work", str(work), "--price", "2", "--workers", "1"])
    assert result.exit_code == 0, result.output
    (work / "said").write_text(result.stdout)
    yield work


def test_one_command_makes_every_model(work: Path) -> None:
    assert all((work / name / "model.safetensors").is_file() for name in NAMES)
    assert record_in(work / "small")["start"] == "nano"
    assert record_in(work / "nano-countdown")["tasks"] == ["countdown"]
    assert record_in(work / "prm")["of"] == record_in(work / "prm-nano")["of"] == ["nano", "small"]


def test_it_says_what_each_stage_took(work: Path) -> None:
    said = (work / "said").read_text().splitlines()
    assert [line.partition(":")[0] for line in said] == [
        "nano", "rollouts of nano", "small", "rollouts of small", "prm-nano", "prm", "nano-countdown", "all",
    ]  # fmt: skip
    assert "million tokens" in said[0] and "FLOPs, loss" in said[0] and "at 2 an hour" in said[-1]


def test_its_loss_falls(work: Path) -> None:
    model = LlamaForCausalLM.from_pretrained(work / "small")
    tokenizer = AutoTokenizer.from_pretrained(work / "small")
    fresh = LlamaForCausalLM(model.config)
    nano = LlamaForCausalLM.from_pretrained(work / "nano")
    losses = [validation_loss(one, tokenizer, 1) for one in (fresh, nano, model)]
    assert losses[1] < 0.6 * losses[0] and losses[2] < 1.02 * losses[1]


def test_what_is_done_is_left_alone(work: Path) -> None:
    before = {name: (work / name / "model.safetensors").stat().st_mtime_ns for name in NAMES}
    result = CliRunner().invoke(app, ["train", "ladder", "--smoke", "--work", str(work)])
    assert result.exit_code == 0
    assert before == {name: (work / name / "model.safetensors").stat().st_mtime_ns for name in NAMES}


def test_the_plan_names_every_stage_in_an_order_in_which_it_can_be_made(tmp_path: Path) -> None:
    options = {"device": "cpu", "seed": 0, "compiled": False, "workers": 1}
    names = [stage.name for stage in stages(Plan(("nano", "small", "medium", "large")), tmp_path, **options)]
    assert names == [
        "nano", "rollouts of nano", "small", "rollouts of small", "medium", "large", "prm-nano", "prm", "nano-countdown",
    ]  # fmt: skip
    assert not any(stage.done() for stage in stages(SMOKE, tmp_path, **options))


@pytest.mark.parametrize(
    ("rungs", "code", "said"),
    [(["huge"], 1, "no rung 'huge'"), (["small", "nano"], 1, "smallest first"), (["nano", "nano"], 1, "name each once")],
)
def test_rungs_that_make_no_ladder_are_refused(tmp_path: Path, rungs: list[str], code: int, said: str) -> None:
    words = [word for rung in rungs for word in ("--rung", rung)]
    result = CliRunner().invoke(app, ["train", "ladder", "--work", str(tmp_path), *words])
    assert result.exit_code in (1, 2) and said in " ".join(result.output.split())
    assert not any(tmp_path.iterdir())
