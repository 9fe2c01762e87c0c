"""Local checkpoints: the batched sampler against single rows and against transformers; damage."""

import json

import pytest
import torch
from loaded import policy_in, prm_in
from transformers import AutoModelForCausalLM

from tts_explorer.errors import BadProblem, ModelUnavailable
from tts_explorer.models import load_policy, load_verifier
from tts_explorer.models.base import sample_key


@pytest.fixture(scope="module")
def policy(policy_folder):
    return policy_in(policy_folder, rows=8)


@pytest.fixture(scope="module")
def prm(prm_folder):
    return prm_in(prm_folder, rows=3)


def sampled(policy, *asked, **options):
    """Samples by key, in the end; `asked` are (key, prompt)."""
    defaults = {"temperature": 1.0, "max_tokens": 30}
    for key, prompt in asked:
        policy.submit(key, prompt, **{"rng": sample_key(0, key), **defaults, **options})
    done = {}
    while len(done) < len(asked):
        done |= dict(policy.tick())
    assert policy.progress() == {} == policy.drafts()
    policy.drop([key[:1] for key, _ in asked])
    assert policy.trie.bytes == 0 and not policy.trie.roots
    return done


def prompts(policy, count):
    texts = ["make 46", "reach 9 with 3", "go"]
    return [((i,), [policy.problem(texts[i % 3]), policy.step("go on\n\n")][: 1 + i % 2]) for i in range(count)]


def test_a_batch_equals_one_row_at_a_time(policy):
    asked = prompts(policy, 12)
    together = sampled(policy, *asked)
    for key, prompt in asked:
        alone = sampled(policy, (key, prompt))[key]
        assert (alone.ids, alone.text, alone.stop, alone.room) == (
            together[key].ids, together[key].text, together[key].stop, together[key].room
        )  # fmt: skip
        assert alone.logprob == pytest.approx(together[key].logprob, abs=1e-4)
    assert len({sample.ids for sample in together.values()}) > 6


def test_a_logprob_is_that_of_the_plain_model_at_temperature_1(policy):
    asked = prompts(policy, 4)
    for temperature in (0.0, 0.5, 1.0):
        for key, sample in sampled(policy, *asked, temperature=temperature).items():
            prompt = [token for segment in dict(asked)[key] for token in segment]
            with torch.no_grad():
                logits = policy.model(torch.tensor([[*prompt, *sample.ids]])).logits[0]
            chosen = torch.log_softmax(logits, -1)[range(len(prompt) - 1, len(logits) - 1), list(sample.ids)]
            assert sample.logprob == pytest.approx(chosen.sum().item(), abs=1e-3)


def test_greedy_equals_generate(policy, policy_folder):
    whole = AutoModelForCausalLM.from_pretrained(policy_folder)
    for text in ("make 46", "go on", "reach 9 with 3"):
        ids = policy.problem(text)
        ours = sampled(policy, ((0,), [ids]), temperature=0.0, to_end=True, max_tokens=25)[(0,)].ids
        theirs = whole.generate(torch.tensor([ids]), max_new_tokens=25, do_sample=False)[0, len(ids) :].tolist()
        assert list(ours) == theirs


def test_the_node_and_the_seed_decide_a_sample_and_nothing_else(policy):
    prompt = [policy.problem("make 46")]
    one = sampled(policy, ((0,), prompt))[(0,)]
    assert sampled(policy, ((0,), prompt))[(0,)].ids == one.ids
    assert sampled(policy, ((1,), prompt))[(1,)].ids != one.ids
    assert sampled(policy, ((0,), prompt), rng=sample_key(1, (0,)))[(0,)].ids != one.ids


def test_a_step_stops_at_the_delimiter_or_eos_or_its_length(policy):
    stops = {}
    for sample in sampled(policy, *prompts(policy, 32), max_tokens=70).values():
        stops.setdefault(sample.stop, sample)
        delimited, ended = sample.text.endswith("\n\n"), sample.ids[-1] == policy.tokenizer.eos_token_id
        assert sample.stop == ("eos" if ended else "step" if delimited else "length")
        assert "\n\n" not in sample.text[:-2]
    assert {"step", "eos"} <= set(stops)
    assert "<|" not in stops["eos"].text


def test_a_sample_is_cut_at_max_tokens(policy):
    for sample in sampled(policy, *prompts(policy, 6), max_tokens=2).values():
        assert len(sample.ids) <= 2 and (sample.stop != "length" or len(sample.ids) == 2) and sample.room


def test_writing_to_the_end_goes_on_over_delimiters(policy):
    whole = sampled(policy, *prompts(policy, 8), max_tokens=60, to_end=True)
    assert all(sample.stop in ("eos", "length") for sample in whole.values())
    assert any("\n\n" in sample.text for sample in whole.values())


def test_a_full_context_has_no_room(policy):
    prompt = [policy.problem("go"), policy.step("x" * (policy.context - 6))]
    sample = sampled(policy, ((0,), prompt), max_tokens=50, temperature=0.0, to_end=True)[(0,)]
    length = sum(map(len, prompt)) + len(sample.ids)
    assert sample.room == (length < policy.context) and length <= policy.context
    assert sample.stop == "eos" or not sample.room


def test_what_a_search_costs_does_not_depend_on_its_neighbours(policy):
    prompt = [policy.problem("make 46")]
    alone = sampled(policy, (("a", 0), prompt))["a", 0]
    together = sampled(policy, (("a", 0), prompt), (("b", 0), prompt))
    assert together["a", 0].spend == alone.spend == together["b", 0].spend


def test_equal_prompts_that_come_together_are_read_once(policy):
    prompt = [policy.problem("make 46")]
    done = sampled(policy, *((("one search", i), prompt) for i in range(4)))
    prompt_tokens = len(prompt[0])
    forwarded = sum(sample.spend.forwarded_tokens for sample in done.values())
    assert forwarded == prompt_tokens + sum(len(sample.ids) - 1 for sample in done.values())
    assert all(sample.spend.prompt_tokens == prompt_tokens for sample in done.values())
    assert all(sample.spend.sampled_tokens == len(sample.ids) for sample in done.values())


def test_the_flops_of_a_sample_are_those_of_its_tokens(policy):
    prompt = [policy.problem("make 46")]
    sample = sampled(policy, ((0,), prompt))[(0,)]
    end = len(prompt[0]) + len(sample.ids) - 1
    assert sample.spend.flops == policy.flops.of_span(0, end, heads=len(sample.ids))


def test_what_is_dropped_was_spent_and_its_neighbours_stay(policy):
    asked = prompts(policy, 6)
    expected = sampled(policy, *asked, temperature=0.7, to_end=True)
    for key, prompt in asked:
        policy.submit(key, prompt, rng=sample_key(0, key), temperature=0.7, max_tokens=30, to_end=True)
    done = {}
    for _ in range(3):
        done |= dict(policy.tick())
    under_way = policy.progress()
    gone = [key for key in ((0,), (5,), (9, 9)) if key not in done]
    spent = policy.drop(gone)
    assert set(spent) == set(gone) & set(under_way)
    for key, spend in spent.items():
        assert spend == under_way[key] and spend.sampled_tokens > 0 and spend.flops > 0
    while len(done) < 6 - len(set(gone) & set(dict(asked))):
        done |= dict(policy.tick())
    for key, sample in done.items():
        assert sample.ids == expected[key].ids
    assert policy.tick() == [] and policy.progress() == {}
    policy.drop([key[:1] for key, _ in asked])


def test_the_draft_is_the_text_so_far(policy):
    key, prompt = (3,), [policy.problem("make 46")]
    text = sampled(policy, (key, prompt), to_end=True)[key].text
    policy.submit(key, prompt, rng=sample_key(0, key), temperature=1.0, max_tokens=30, to_end=True)
    policy.tick()
    policy.tick()
    draft = policy.drafts().get(key, "")
    assert text.startswith(draft.rstrip("\ufffd"))
    policy.drop([key])


def test_text_that_bytes_make_together_is_decoded_together(policy):
    """Steps are concatenated as text; the ids of a step read back as its text where it is whole characters."""
    for sample in sampled(policy, *prompts(policy, 16)).values():
        assert "\ufffd" in sample.text or policy.tokenizer.decode(sample.ids, skip_special_tokens=True) == sample.text


def test_a_problem_is_wrapped_in_the_chat_template(policy):
    assert policy.tokenizer.decode(policy.problem("make 46")) == "make 46<|solve|>"
    with pytest.raises(BadProblem, match=r"\d+ tokens.*shorten"):
        policy.problem("x" * 200)


def test_versions_name_the_weights(policy, policy_folder, prm):
    assert policy.versions["tiny"].startswith("sha256:") and len(policy.versions["tiny"]) == 71
    assert policy.versions["tiny"] != prm.versions["tiny-prm"]


def refused(folder):
    with pytest.raises(ModelUnavailable) as caught:
        policy_in(folder)
    said = str(caught.value)
    assert "\n" not in said and folder.name in said and len(said) < 400


@pytest.mark.parametrize("load", [load_policy, lambda name: load_verifier(f"judge:{name}")])
def test_a_classifier_is_no_policy_and_no_judge(load):
    """Also where embeddings and head are tied, so that no weight is missing."""
    with pytest.raises(ModelUnavailable, match="is a classifier, which writes no text: choose it as the verifier"):
        load("bundled:prm")


@pytest.mark.parametrize("gone", ["config.json", "model.safetensors"])
def test_a_folder_without_a_model_is_refused_in_one_sentence(damaged, gone):
    folder = damaged()
    (folder / gone).unlink()
    refused(folder)


@pytest.mark.parametrize(
    "config", [{"model_type": "nope"}, {"model_type": None}, {"hidden_size": 64}, {"hidden_size": "x"}], ids=str
)
def test_a_config_that_does_not_fit_is_refused_in_one_sentence(damaged, config):
    refused(damaged(**config))


@pytest.mark.parametrize("text", ["", "{", "{}"])
def test_a_config_that_is_no_config_is_refused_in_one_sentence(damaged, text):
    folder = damaged()
    (folder / "config.json").write_text(text)
    refused(folder)


def test_a_tokenizer_that_can_not_be_read_is_refused_in_one_sentence(damaged):
    folder = damaged()
    (folder / "tokenizer.json").write_text("{")
    refused(folder)


def test_weights_that_lack_a_layer_are_refused_in_one_sentence(damaged):
    """transformers fills it with random numbers and says so in a log only."""
    refused(damaged(num_hidden_layers=3))


@pytest.mark.parametrize("size", [0, 7, 500])
def test_weights_cut_short_are_refused_in_one_sentence(damaged, size):
    folder = damaged()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    refused(folder)


def test_a_config_that_is_a_list_is_refused_in_one_sentence(damaged):
    folder = damaged()
    (folder / "config.json").write_text(json.dumps([1]))
    refused(folder)


def test_the_flops_of_a_dropped_sample_are_those_of_its_tokens(policy):
    """All that was sampled was forwarded too: the next token is drawn in the tick after."""
    prompt = [policy.problem("make 46")]
    policy.submit("k", prompt, rng=sample_key(0, (3,)), temperature=1.0, max_tokens=30, to_end=True)
    for _ in range(4):
        policy.tick()
    spend = policy.drop(["k"])["k"]
    assert spend.sampled_tokens == 3
    assert spend.flops == policy.flops.of_span(0, len(prompt[0]) + 3, heads=3)
