"""The plain way and the engine write the same tokens; what they spend is counted each in its own way.

In double precision: in single, one draw in some ten thousand lies so near the edge of two tokens that rounding decides it.
"""

from __future__ import annotations

import random

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification

from tts_explorer.bench.plain import PlainPolicy, PlainPRM, written
from tts_explorer.models.base import sample_key
from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.prm import LocalPRM

TEXTS = ("make 46", "reach 9 with 3", "go", "Zoë → ½")


@pytest.fixture(scope="module")
def checkpoint(policy_folder):
    return read_checkpoint("tiny", policy_folder, AutoModelForCausalLM, threads=1, dtype=torch.float64)


@pytest.fixture(scope="module")
def judge(prm_folder):
    return read_checkpoint("tiny-prm", prm_folder, AutoModelForTokenClassification, threads=1, dtype=torch.float64)


def answered(model, count):
    """Results by key, once there are so many."""
    done = {}
    while len(done) < count:
        done |= dict(model.tick())
    return done


def sampled(policy, seed, temperatures, **options):
    """Samples after a few prompts of one to three segments, several of each."""
    prompts = [(policy.problem(text), policy.step("so\n\n"), policy.step("a\n\n"))[: 1 + i % 3] for i, text in enumerate(TEXTS)]
    keys = [("search", place, k) for place in range(len(prompts)) for k in range(5)]
    for key in keys:
        rng, temperature = sample_key(seed, key[1:]), temperatures[key[2] % len(temperatures)]
        policy.submit(key, prompts[key[1]], rng=rng, temperature=temperature, **{"max_tokens": 40, **options})
    done = answered(policy, len(keys))
    policy.drop([("search",)])
    return done


@pytest.mark.parametrize("temperatures", [(1.0,), (0.0,), (0.0, 0.5, 1.0)], ids=str)
@pytest.mark.parametrize("seed", range(4))
def test_both_write_the_same_samples(checkpoint, seed, temperatures):
    plain = sampled(PlainPolicy(checkpoint, rows=8), seed, temperatures)
    engine = sampled(LocalPolicy(checkpoint, rows=8), seed, temperatures)
    assert plain.keys() == engine.keys()
    for key, sample in plain.items():
        other = engine[key]
        assert (sample.ids, sample.text, sample.stop, sample.room) == (other.ids, other.text, other.stop, other.room)
        assert sample.logprob == pytest.approx(other.logprob, abs=1e-4)
        assert sample.spend.sampled_tokens == other.spend.sampled_tokens
        assert sample.spend.prompt_tokens == other.spend.prompt_tokens


def test_samples_end_in_each_way(checkpoint):
    stops = {sample.stop for seed in range(4) for sample in sampled(PlainPolicy(checkpoint), seed, (1.0,)).values()}
    assert stops == {"step", "eos", "length"}


def test_writing_to_the_end_goes_on_over_delimiters_in_both(checkpoint):
    plain = sampled(PlainPolicy(checkpoint), 5, (1.0,), to_end=True, max_tokens=70)
    engine = sampled(LocalPolicy(checkpoint), 5, (1.0,), to_end=True, max_tokens=70)
    assert {key: sample.ids for key, sample in plain.items()} == {key: sample.ids for key, sample in engine.items()}
    assert any("\n\n" in sample.text for sample in plain.values()) and {s.stop for s in plain.values()} == {"eos", "length"}


def test_the_context_ends_a_sample_in_both(checkpoint):
    prompt = [checkpoint.problem("go"), checkpoint.step("x" * (checkpoint.context - 9))]
    for policy in (PlainPolicy(checkpoint), LocalPolicy(checkpoint)):
        for seed in range(6):
            policy.submit(("a", seed), prompt, rng=sample_key(seed, ()), temperature=1.0, max_tokens=50, to_end=True)
        for sample in answered(policy, 6).values():
            full = sum(map(len, prompt)) + len(sample.ids) == checkpoint.context
            assert sample.room != full and (sample.stop == "eos" or full)


def test_the_plain_way_forwards_every_prefix_again(checkpoint):
    policy = PlainPolicy(checkpoint)
    prompt = [checkpoint.problem("make 46")]
    for i, length in enumerate((4, 4, 9)):
        policy.submit(("a", i), prompt, rng=sample_key(i, ()), temperature=1.0, max_tokens=length, to_end=True)
    assert policy.drop([("a", 1)]) == {}
    samples = answered(policy, 2)
    assert set(samples) == {("a", 0), ("a", 2)} and policy.progress() == policy.drafts() == {}
    for sample in samples.values():
        assert sample.spend.forwarded_tokens == len(prompt[0]) + len(sample.ids) - 1
    longest = max(len(sample.ids) for sample in samples.values())
    assert policy.padding == sum(longest - len(sample.ids) for sample in samples.values())


def test_both_verifiers_say_the_same(judge):
    rng = random.Random(0)
    steps = [judge.step(f"{rng.choice('abc') * rng.randint(1, 9)}\n\n") for _ in range(12)]
    asked = {("a", i): (judge.problem(TEXTS[i % 4]), steps[: i % 6]) for i in range(1, 12) if i % 6}
    found = []
    for verifier in (PlainPRM(judge, rows=3), LocalPRM(judge, rows=3)):
        for key, (prompt, path) in asked.items():
            verifier.submit(key, prompt, path)
        found.append(answered(verifier, len(asked)))
    for key, judgement in found[0].items():
        assert judgement.rewards == pytest.approx(found[1][key].rewards, abs=1e-5)
        assert judgement.spend.forwarded_tokens == len(asked[key][0]) + sum(map(len, asked[key][1]))


def test_a_step_past_the_context_gets_no_reward(judge):
    verifier = PlainPRM(judge)
    verifier.submit(("a", 0), judge.problem("go"), [judge.step("x\n\n"), judge.step("y" * judge.context)])
    first, second = answered(verifier, 1)["a", 0].rewards
    assert 0 < first < 1 and second is None


def test_half_a_character_is_finished_by_the_sample_after_it(checkpoint):
    ids = checkpoint.step("a½b")
    assert len(ids) == 4 and written(checkpoint, ids[:1], ids[1:]) == "½b"
    assert written(checkpoint, ids[:1], ids[1:2]) == "\ufffd"
