"""Decoders of many families: each writes the same tokens as in the plain way, or is refused in one sentence."""

from __future__ import annotations

import pytest
import torch
import transformers
from models.conftest import byte_tokenizer
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification, DynamicCache

from tts_explorer.bench.plain import PlainPolicy, PlainPRM
from tts_explorer.errors import ModelUnavailable
from tts_explorer.models import load_policy
from tts_explorer.models.base import sample_key
from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.prm import LocalPRM

WORDS = {"vocab_size": 260, "eos_token_id": 1, "pad_token_id": 0, "bos_token_id": None}
HEADS = {"num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 128}
WIDE = {"hidden_size": 32, "intermediate_size": 48, "initializer_range": 0.5}
GROUPED = {**WORDS, **HEADS, **WIDE, "num_key_value_heads": 2}
GEMMA = {**GROUPED, "head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 96, "initializer_range": 0.1}
NO_CAPS = {"attn_logit_softcapping": None, "final_logit_softcapping": None}
OLD = {**WORDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128, "initializer_range": 0.3}
ROTARY = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "rope_theta": 1e4}
LONG = {"rope_type": "longrope", "long_factor": [2.0, 3.0, 4.0, 5.0], "short_factor": [1.0] * 4, "rope_theta": 1e4}

WORKING = {
    "llama": ("Llama", {**GROUPED, "num_key_value_heads": 4}),
    "llama, biased": ("Llama", {**GROUPED, "attention_bias": True, "mlp_bias": True}),
    "llama, scaled rotary": ("Llama", {**GROUPED, "rope_parameters": {**ROTARY, "original_max_position_embeddings": 32}}),
    "qwen2": ("Qwen2", GROUPED),
    "qwen3": ("Qwen3", {**GROUPED, "head_dim": 16}),
    "mistral": ("Mistral", {**GROUPED, "sliding_window": 96}),
    "gemma2, uncapped": ("Gemma2", {**GEMMA, **NO_CAPS}),
    "gemma3": ("Gemma3Text", GEMMA),
    "phi3": ("Phi3", GROUPED),
    "olmo2": ("Olmo2", GROUPED),
    "smollm3": ("SmolLM3", {**GROUPED, "no_rope_layers": [1, 0]}),
    "gpt2": ("GPT2", OLD),
    "gpt neox": ("GPTNeoX", {**WORDS, **HEADS, **WIDE}),
}
"""Those that must work."""
DOUBTFUL = {
    "gemma2, attention capped": ("Gemma2", {**GEMMA, "attn_logit_softcapping": 2.0, "final_logit_softcapping": None}),
    "gemma2, attention capped faintly": ("Gemma2", {**GEMMA, "attn_logit_softcapping": 50.0, "final_logit_softcapping": None}),
    "gemma2, logits capped": ("Gemma2", {**GEMMA, "attn_logit_softcapping": None, "final_logit_softcapping": 5.0}),
    "granite": ("Granite", {**GROUPED, "residual_multiplier": 0.3, "attention_multiplier": 0.2, "logits_scaling": 2.0}),
    "cohere": ("Cohere", GROUPED),
    "cohere2": ("Cohere2", {**GROUPED, "sliding_window": 96}),
    "bert as a decoder": ("Bert", {**WORDS, **HEADS, **WIDE, "is_decoder": True}),
    "phi3, rotary by length": (
        "Phi3",
        {**GROUPED, "rope_parameters": {**LONG, "original_max_position_embeddings": 64}, "original_max_position_embeddings": 64},
    ),
}
"""Those that may be refused, but must not write other tokens than they would elsewhere."""
REFUSED = {
    "mamba": ("Mamba", {**WORDS, "hidden_size": 32, "num_hidden_layers": 2}),
    "mamba2": ("Mamba2", {**WORDS, "hidden_size": 32, "num_hidden_layers": 2, "num_heads": 8, "head_dim": 8, "n_groups": 1}),
    "lfm2": ("Lfm2", {**GROUPED, "layer_types": ["conv", "full_attention"]}),
    "bloom": ("Bloom", {**WORDS, "hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "gpt oss": ("GptOss", {**GROUPED, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 96}),
}
"""Those whose state is more than keys and values by place, or that attend in a way of their own."""


@pytest.fixture
def saved(tmp_path):
    """Save a random model of a family for `kind`; the folder."""

    def save(family, kind=AutoModelForCausalLM, **more):
        torch.manual_seed(0)
        name, options = family
        model = kind.from_config(getattr(transformers, f"{name}Config")(**options, **more))
        model.save_pretrained(tmp_path)
        byte_tokenizer().save_pretrained(tmp_path)
        return tmp_path

    return save


def sampled(policy):
    """Long samples after a few paths of several lengths, by key."""
    texts = ("make 46", "reach 9 with 3", "go", "again and again and again")
    for place, text in enumerate(texts):
        path = (policy.problem(text), policy.step("so\n\n"), policy.step("a\n\n"))[: 1 + place % 3]
        for k in range(3):
            key, options = ("search", place, k), {"max_tokens": 45, "to_end": True}
            policy.submit(key, path, rng=sample_key(0, (place, k)), temperature=float(k > 0), **options)
    done = {}
    while len(done) < 12:
        done |= dict(policy.tick())
    policy.drop([("search",)])
    return done


def same_as_plain(folder):
    checkpoint = read_checkpoint("tiny", folder, AutoModelForCausalLM, threads=1, dtype=torch.float64)
    plain = sampled(PlainPolicy(checkpoint, rows=1))  # in double precision, eager attention breaks down over padding
    for worth in (128, 1):
        policy = LocalPolicy(checkpoint, rows=5)
        policy.batch.worth = worth
        engine = sampled(policy)
        assert {key: sample.ids for key, sample in engine.items()} == {key: sample.ids for key, sample in plain.items()}
        for key, sample in plain.items():
            assert engine[key].logprob == pytest.approx(sample.logprob, abs=1e-4)
    assert sum(len(sample.ids) for sample in plain.values()) > 150 and len({sample.ids for sample in plain.values()}) > 6


def one_sentence(caught):
    said = str(caught.value)
    assert "\n" not in said and len(said) < 400
    return said


@pytest.mark.parametrize("family", WORKING.values(), ids=WORKING)
def test_a_family_writes_the_same_tokens_as_in_the_plain_way(saved, family):
    same_as_plain(saved(family))


@pytest.mark.parametrize("family", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_family_with_a_twist_writes_the_same_tokens_or_is_refused(saved, family):
    folder = saved(family)
    try:
        same_as_plain(folder)
    except ModelUnavailable as refusal:
        assert "\n" not in str(refusal)


@pytest.mark.parametrize("family", REFUSED.values(), ids=REFUSED)
def test_a_family_of_another_kind_is_refused_in_one_sentence(saved, family):
    folder = saved(family)
    with pytest.raises(ModelUnavailable) as caught:
        load_policy(str(folder))
    assert folder.name in one_sentence(caught)


def test_a_sliding_window_bounds_the_context(saved):
    checkpoint = read_checkpoint("tiny", saved(WORKING["mistral"]), AutoModelForCausalLM)
    assert checkpoint.context == 96
    policy = LocalPolicy(checkpoint, rows=2)
    prompt = [policy.problem("go"), policy.step("x" * 85)]
    for i in range(2):
        policy.submit(("a", i), prompt, rng=sample_key(0, (i,)), temperature=1.0, max_tokens=50, to_end=True)
    done = {}
    while len(done) < 2:
        done |= dict(policy.tick())
    assert all(sum(map(len, prompt)) + len(sample.ids) <= 96 for sample in done.values())
    assert any(not sample.room for sample in done.values())


def test_a_window_that_is_switched_off_bounds_nothing(saved):
    folder = saved(("Qwen2", {**GROUPED, "use_sliding_window": False, "sliding_window": 40}))
    assert read_checkpoint("tiny", folder, AutoModelForCausalLM).context == 128


@pytest.mark.parametrize("family", WORKING.values(), ids=WORKING)
def test_the_flops_of_a_family_are_what_torch_counts(saved, family):
    checkpoint = read_checkpoint("tiny", saved(family), AutoModelForCausalLM, dtype=torch.float64, threads=1)
    flops, model = LocalPolicy(checkpoint, rows=1).flops, checkpoint.model
    cache, total = DynamicCache(config=model.config), 0
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        for place in range(5):
            with FlopCounterMode(display=False) as counter:
                model(torch.tensor([[place + 3]]), past_key_values=cache)
            total += counter.get_total_flops()
    assert flops.of_span(0, 5, heads=5) == total


@pytest.mark.parametrize("name", ["llama", "qwen2", "qwen3", "mistral", "gpt2", "gpt neox"])
def test_a_verifier_of_a_family_gives_the_same_rewards_as_in_the_plain_way(saved, name):
    folder = saved(WORKING[name], AutoModelForTokenClassification, num_labels=2)
    checkpoint = read_checkpoint("tiny", folder, AutoModelForTokenClassification, threads=1, dtype=torch.float64)
    prompt, steps = checkpoint.problem("make 46"), [checkpoint.step(text) for text in ("go\n\n", "on and on\n\n", "so 46")]
    found = []
    for verifier in (PlainPRM(checkpoint), LocalPRM(checkpoint, rows=2)):
        for i in range(6):
            verifier.submit(("a", i), prompt, [*steps[: 1 + i % 3], checkpoint.step(f"and {i}")])
        done = {}
        while len(done) < 6:
            done |= dict(verifier.tick())
        found.append({key: judgement.rewards for key, judgement in done.items()})
    assert len(set(found[0].values())) == 6
    for key, rewards in found[0].items():
        assert found[1][key] == pytest.approx(rewards, abs=1e-5)
