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
