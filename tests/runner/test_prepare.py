"""How models are run: what can't be had is refused before anything loads, what can be had reaches the checkpoint."""

from importlib import import_module
from types import SimpleNamespace

import pytest
import torch
from models.conftest import byte_tokenizer, policy_folder, prm_folder  # noqa: F401
from worlds import drive, fair, only, policy_of, verifier_of

from tts_explorer import models as module
from tts_explorer.errors import BadSetting, ModelUnavailable
from tts_explorer.events import Noted
from tts_explorer.models import families, load_policy, load_verifier, require_runnable
from tts_explorer.models.checkpoint import threads_for
from tts_explorer.models.decoder import Int8
from tts_explorer.runner import Ask, Models, prepare
from tts_explorer.tasks import task_names


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tpu"}, "choose cpu or cuda"),
        ({"device": "cuda:1"}, "choose cpu or cuda"),
        ({"precision": "int4"}, "quantize is 'int4'"),
        ({"precision": ""}, "quantize is ''"),
        ({"threads": 0}, "threads is 0"),
        ({"device": "cuda", "precision": "int8"}, "not both"),
    ],
    ids=str,
)
def test_what_can_not_be_had_is_refused_before_anything_loads(options, words):
    with pytest.raises(BadSetting, match=words):
        Models(lambda name, **given: pytest.fail("loaded"), **options)


def test_cuda_is_refused_where_there_is_none_and_taken_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(BadSetting, match="no CUDA device here: choose --device cpu"):
        require_runnable(device="cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    require_runnable(device="cuda")


def test_on_cuda_the_weights_are_bfloat16_and_the_version_says_so(monkeypatch):
    asked = []

    def read(name, place, kind, **options):
        asked.append(options)
        return SimpleNamespace(versions={name: "sha256:0"})

    monkeypatch.setattr("tts_explorer.models.checkpoint.read_checkpoint", read)
    monkeypatch.setattr(module, "_found", lambda name: name)
    found = module._read("m", None, device="cuda", threads=2)
    assert asked == [{"device": "cuda", "dtype": torch.bfloat16, "threads": 2}] and found.versions == {"m": "sha256:0 bfloat16"}


def test_each_model_is_loaded_once_with_the_options_of_all():
    calls = []

    def policy(name, **options):
        calls.append((name, options))
        return policy_of(fair, name=name)

    def verifier(name, **options):
        calls.append((name, options))
        return verifier_of("fair", name=name)

    models = Models(policy, verifier, threads=2)
    assert models.policy("a") is models.policy("a") is not models.policy("b") and models.verifier("a")
    assert calls == [("a", {"threads": 2}), ("b", {"threads": 2}), ("a", {"threads": 2})]


@pytest.mark.parametrize("role", ["policy", "verifier"])
def test_options_reach_the_checkpoint(policy_folder, prm_folder, role):  # noqa: F811
    name, load = (str(policy_folder), load_policy) if role == "policy" else (str(prm_folder), load_verifier)
    plain, given = load(name), load(name, threads=3, precision="int8")
    assert plain.checkpoint.threads == threads_for(plain.checkpoint.parameters) == 1 and given.checkpoint.threads == 3
    assert not plain.versions[name].endswith("int8") and given.versions[name] == plain.versions[name] + " int8"
    assert type(given.batch.lean.layers[0].qkv) is Int8 is not type(plain.batch.lean.layers[0].qkv)


def test_a_model_whose_layers_can_not_be_held_as_int8_says_so(tmp_path):
    from transformers import Olmo2Config, Olmo2ForCausalLM

    tokenizer = byte_tokenizer()
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    Olmo2ForCausalLM(Olmo2Config(vocab_size=len(tokenizer), **shape, pad_token_id=0, eos_token_id=1)).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert load_policy(str(tmp_path)).checkpoint.precision is None
    with pytest.raises(ModelUnavailable, match="can't be held as int8 here: leave --quantize away"):
        load_policy(str(tmp_path), precision="int8")


def test_a_policy_that_was_trained_on_other_families_is_noted(monkeypatch):
    preparing = import_module("tts_explorer.runner.prepare")
    known = lambda name: ["countdown"] if name == "bundled:narrow" else []  # noqa: E731
    monkeypatch.setattr(preparing, "families", known)
    monkeypatch.setattr("tts_explorer.models.families", known)
    models = Models(lambda name, **options: policy_of(fair, name=name), lambda name, **options: verifier_of("fair"))

    def noted(policy, task):
        run = prepare(Ask(policy=policy, task=task, level=1, strategy="greedy"), models, id="a")
        return [note.message for note in only(drive(run)[0], Noted) if "trained on" in note.message]

    [said] = noted("bundled:narrow", "maze")
    assert "trained on countdown alone" in said and "maze" in said
    assert noted("bundled:narrow", "countdown") == noted("elsewhere", "maze") == []


def test_a_bundled_policys_record_tells_its_families():
    assert families("hf:org/name") == families("bundled:nobody") == []
    assert set(families("bundled:small")) <= set(task_names())
