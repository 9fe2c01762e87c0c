"""What the card of a published model says."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tts_explorer.train import publish as module
from tts_explorer.train.fit import keep_record, record_in
from tts_explorer.train.publish import CONTINUED, facts, publish

CONFIG = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 1, "vocab_size": 16, "max_position_embeddings": 32}


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished model of seven steps without a record; the assets are in `assets`."""
    monkeypatch.setattr(module, "folder", lambda: tmp_path / "assets")
    LlamaForCausalLM(LlamaConfig(**CONFIG, intermediate_size=8)).save_pretrained(tmp_path / "work" / "small")
    torch.save({"step": 7}, tmp_path / "work" / "small.pt")
    return tmp_path / "work"


def test_a_model_without_a_record_is_published_with_what_is_known(work: Path) -> None:
    stale = work.parent / "assets" / "models" / "small"
    stale.mkdir(parents=True)
    keep_record(stale, 4200, 4200 * 8192, None)
    target = publish("small", work)
    assert record_in(target) == {"steps": 7, "tokens": 7 * 8192}
    assert "| training | 7 steps, 0.1 million tokens (padding counted) |\n\n" in (target / "README.md").read_text()


def test_a_continued_model_counts_all_its_steps(work: Path) -> None:
    before = work.parent / "small"
    before.mkdir()
    keep_record(before, 4200, 4200 * 8192, None)
    keep_record(work / "small", 7, 7 * 8192, before)
    target = publish("small", work)
    told = (target / "README.md").read_text()
    assert record_in(target) == {"steps": 4207, "tokens": 4207 * 8192, "last": 7, "start": "small"}
    assert "| 4,207 steps in all (the last 7 from the weights of small), 34.5 million tokens (padding counted) |" in told
    assert f"| note | {CONTINUED} |" in told


def test_rollouts_and_a_note_written_by_hand_are_told(work: Path) -> None:
    training = {"steps": 5, "tokens": 5, "last": 5, "start": "x", "rollouts": 8192, "note": "by hand"}
    (work / "small" / "training.json").write_bytes(orjson.dumps(training))
    told = facts(publish("small", work), CONFIG, training)
    assert told["training"].startswith("5 steps from the weights of x,") and told["note"] == "by hand"
    assert told["rollouts"] == "8,192 of 1,024 problems, 8 each"


def test_weights_in_shards_are_published_and_stale_ones_go(work: Path) -> None:
    stale = work.parent / "assets" / "models" / "small"
    stale.mkdir(parents=True)
    (stale / "model-00009-of-00009.safetensors").write_bytes(b"")
    model = LlamaForCausalLM(LlamaConfig(**CONFIG, intermediate_size=8))
    model.save_pretrained(work / "small", max_shard_size="1KB")
    (work / "small" / "model.safetensors").unlink()
    target = publish("small", work)
    assert len(list(target.glob("*.safetensors"))) > 1 and (target / "model.safetensors.index.json").is_file()
    assert not (target / "model-00009-of-00009.safetensors").exists()
    assert facts(target, CONFIG, {"steps": 1, "tokens": 1})["parameters"] == f"{model.num_parameters():,}"
    again = LlamaForCausalLM.from_pretrained(target).state_dict()
    assert all(torch.equal(again[name], value) for name, value in model.state_dict().items())


CELL = {
    "task": "maze", "level": 3, "policy": "bundled:small", "verifier": "bundled:prm", "strategy": "best_of_n",
    "settings": {"n": 8}, "accuracy": 0.5, "low": 0.45, "high": 0.55, "problems": 200, "seeds": 3, "flops": 2.5e9,
}  # fmt: skip
AREA = {
    "policy": "small", "verifier": "prm", "taught_by_it": True, "task": "maze", "level": 3, "steps": 1200, "program": 0.9,
    "calibration": {"gap": 0.05}, "waved_through": 0.1, "wrong_answers": 300,
}  # fmt: skip


def test_a_card_has_its_own_models_figures(work: Path) -> None:
    results = work.parent / "assets" / "results"
    results.mkdir(parents=True)
    other = CELL | {"policy": "bundled:nano", "verifier": None, "accuracy": 0.123}
    (results / "ladder.json").write_bytes(orjson.dumps({"about": {}, "cells": [CELL, other]}))
    (results / "auc.json").write_bytes(orjson.dumps([AREA]))
    of_policy, of_verifier = module.figures("small", "policy"), module.figures("prm", "prm")
    row = "| maze, 3 | small, prm | best_of_n n=8 | 50.0% | 45.0 – 55.0 | 200 × 3 | 2,500 |"
    assert row in of_policy and row in of_verifier and "12.3%" not in of_policy + of_verifier
    assert "step-level AUC is 0.900" in of_verifier and "10.0% of 300 wrong answers score above 0.8" in of_verifier
    assert module.figures("medium", "policy") == "None are measured with these weights yet."


def test_a_card_says_what_the_model_was_taught() -> None:
    what, data, limits = module.about("policy", {"tasks": ["maze"], "skills": False})
    assert "verify" not in what and "Attempts" not in data and "one family of problems (maze)" in limits
    assert "<|verify|>" in module.about("policy", {"tasks": ["maze", "sat"], "skills": True})[0]
    assert "`bundled:nano` and `bundled:small`" in module.about("prm", {"of": ["nano", "small"]})[1]
