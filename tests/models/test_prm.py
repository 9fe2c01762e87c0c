"""Process reward models: rewards at the ends of steps, each token of a tree read once, other kinds read whole, and refusals."""

from __future__ import annotations

import shutil

import pytest
import torch
from loaded import prm_in
from models.conftest import byte_tokenizer
from transformers import AutoModelForTokenClassification, BertConfig, BertForTokenClassification
from worlds import drive, only, policy_of, search
from writers import reader_in, writer_in

from tts_explorer.errors import BadProblem, ModelUnavailable
from tts_explorer.events import CostIncurred, NodeAdded, NodeScored, Noted
from tts_explorer.models import load_policy, load_verifier
from tts_explorer.models.prm import LocalPRM, WholeTextPRM


@pytest.fixture(scope="module")
def prm(prm_folder):
    return prm_in(prm_folder, rows=3)


@pytest.fixture(scope="module")
def bert_folder(tmp_path_factory):
    """A token classifier that reads in both directions."""
    torch.manual_seed(2)
    tokenizer, folder = byte_tokenizer(), tmp_path_factory.mktemp("models") / "both-ways"
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    options = {"vocab_size": len(tokenizer), "num_labels": 2, "max_position_embeddings": 256, "initializer_range": 0.5}
    BertForTokenClassification(BertConfig(**shape, **options)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def bert(bert_folder):
    return load_verifier(str(bert_folder))


def plain_rewards(prm, prompt, steps):
    """By a plain forward of the whole text."""
    with torch.no_grad():
        ids = torch.tensor([[*prompt, *(token for step in steps for token in step)]])
        right = prm.model(input_ids=ids).logits.softmax(-1)[0, :, 1].tolist()
    ends = [len(prompt) + sum(map(len, steps[: i + 1])) - 1 for i in range(len(steps))]
    return [right[end] for end in ends]


def judged(prm, work):
    """Judgements by key, in the end; `work` is key: (prompt, steps)."""
    for key, (prompt, steps) in work.items():
        prm.submit(key, prompt, steps)
    done = {}
    while len(done) < len(work):
        done |= dict(prm.tick())
    assert prm.tick() == [] and not prm.running and not prm.waiting
    return done


def test_a_reward_is_read_at_the_end_of_each_step(prm):
    work = {
        (i,): (
            prm.problem("make 46"[: 3 + i]),
            [prm.step(text) for text in ("go\n\n", "on and on\n\n", "so 46")[: 1 + i % 3]],
        )
        for i in range(7)
    }
    done = judged(prm, work)
    for key, (prompt, steps) in work.items():
        assert done[key].rewards == pytest.approx(plain_rewards(prm, prompt, steps), abs=1e-5)
        assert all(0 <= reward <= 1 for reward in done[key].rewards)
        assert done[key].spend.sampled_tokens == 0 and done[key].spend.flops > 0
    prm.drop(work)


def test_each_token_of_a_tree_is_read_once(prm):
    prompt, first, others = prm.problem("make 46"), prm.step("go\n\n"), [prm.step(f"so {i}") for i in range(5)]
    done = judged(prm, {("tree", 0): (prompt, [first])})
    done |= judged(prm, {("tree", 1 + i): (prompt, [first, other]) for i, other in enumerate(others)})
    unique = len(prompt) + len(first) + sum(map(len, others))
    assert sum(judgement.spend.forwarded_tokens for judgement in done.values()) == unique
    assert sum(judgement.spend.prompt_tokens for judgement in done.values()) > unique
    for i, other in enumerate(others):
        assert done["tree", 1 + i].rewards == pytest.approx(plain_rewards(prm, prompt, [first, other]), abs=1e-5)
    again = judged(prm, {("tree", 9): (prompt, [first, others[0]])})["tree", 9]
    assert again.rewards == done["tree", 1].rewards and again.spend.forwarded_tokens == 0
    prm.drop([("tree",)])
    assert prm.trie.bytes == 0


def test_a_step_that_goes_on_from_a_fragment_reads_only_the_rest(prm):
    prompt, fragment, whole = prm.problem("make 46"), prm.step("go on"), prm.step("go on and on\n\n")
    judged(prm, {("tree", 0): (prompt, [fragment])})
    done = judged(prm, {("tree", 1): (prompt, [whole])})["tree", 1]
    assert done.spend.forwarded_tokens == len(whole) - len(fragment)
    assert done.rewards == pytest.approx(plain_rewards(prm, prompt, [whole]), abs=1e-5)
    prm.drop([("tree",)])


def test_steps_past_the_context_have_no_reward(prm):
    steps = [prm.step("go\n\n"), prm.step("x" * 200), prm.step("on\n\n")]
    judgement = judged(prm, {("k",): (prm.problem("make 46"), steps)})["k",]
    assert judgement.rewards[0] is not None and judgement.rewards[1:] == (None, None)
    prm.drop([("k",)])


def test_dropped_work_is_not_judged(prm):
    for key in "ab":
        prm.submit((key,), prm.problem("go"), [prm.step("on\n\n")])
    prm.drop([("a",)])
    done = [prm.tick(), prm.tick(), prm.tick()]
    assert [key for batch in done for key, _ in batch] == [("b",)]
    prm.drop([("b",)])


def test_a_reward_does_not_depend_on_what_else_is_asked(prm):
    """Each path alone, all together, and in the other order."""
    prompt = prm.problem("make 46")
    steps = [[prm.step(f"{i % 4} go\n\n"), prm.step("on " * (1 + i % 5) + "\n\n")] for i in range(12)]
    asked = {("t", i): (prompt, path[: 1 + i % 2]) for i, path in enumerate(steps)}
    found = []
    for group in (asked, dict(reversed(asked.items()))):
        done = judged(prm, group)
        found.append({key: done[key].rewards for key in asked})
        prm.drop([("t",)])
    alone = {}
    for key, work in asked.items():
        alone[key] = judged(prm, {key: work})[key].rewards
        prm.drop([("t",)])
    assert found[0] == found[1] == alone
    assert prm.trie.bytes == 0 and not prm.trie.roots


def test_a_reward_that_is_known_is_given_without_reading_again(prm_folder):
    """However little memory there is."""
    prm = prm_in(prm_folder, memory=0)
    prompt, steps = prm.problem("make 46"), [prm.step("go\n\n"), prm.step("on\n\n")]
    first = judged(prm, {("t", 0): (prompt, steps)})["t", 0]
    again = judged(prm, {("t", 1): (prompt, steps)})["t", 1]
    assert again.rewards == first.rewards and again.spend.forwarded_tokens == 0 < first.spend.forwarded_tokens


def test_a_reader_from_left_to_right_reads_each_token_once_and_notes_nothing(prm_folder):
    verifier = load_verifier(str(prm_folder))
    assert isinstance(verifier, LocalPRM) and verifier.note is None
    [records] = drive(search("beam_search", "fair", verifier))
    assert not only(records, Noted) and only(records, NodeScored)


def test_a_reader_in_both_directions_gives_what_a_plain_forward_of_each_beginning_gives(bert):
    prompt, steps = bert.problem("make 46"), [bert.step(text) for text in ("go\n\n", "on and on\n\n", "so 46")]
    assert isinstance(bert, WholeTextPRM)
    bert.submit(("a", 0), prompt, steps)
    done = []
    while not done:
        done = bert.tick()
    [(key, judgement)] = done
    rewards, text = [], list(prompt)
    for step in steps:
        text += step
        with torch.no_grad():
            rewards.append(bert.checkpoint.model(torch.tensor([text])).logits.softmax(-1)[0, -1, 1].item())
    assert key == ("a", 0) and judgement.rewards == pytest.approx(rewards, abs=1e-5) and len(set(rewards)) == 3


def test_a_reader_in_both_directions_says_so_once_in_a_search_and_its_cost_shows_it(bert):
    [records] = drive(search("beam_search", policy_of("fair"), bert, seed=1))
    [note] = only(records, Noted)
    assert note.message == bert.note and bert.name in note.message and note.level == "info"
    asked = [event for event in only(records, CostIncurred) if event.role == "verifier"]
    unique = len(bert.problem(records[0].event.problem)) + sum(len(bert.step(event.text)) for event in only(records, NodeAdded))
    assert sum(event.forwarded_tokens for event in asked) > 2 * unique
    assert all(event.reward is not None for event in only(records, NodeScored))


def test_a_reader_in_both_directions_reads_no_step_that_has_a_reward_already(bert):
    """One text for each node of a search in which a step is asked about as soon as it is there."""
    policy = policy_of("never ends")
    [records] = drive(
        search("beam_search", policy, bert, settings={"n": 2, "beam_width": 2, "max_depth": 4}, budget={"nodes": 6})
    )
    scored = [event.node for event in only(records, NodeScored)]
    prompt, texts = bert.problem(records[0].event.problem), {event.node: event.text for event in only(records, NodeAdded)}
    whole = [len(prompt) + sum(len(bert.step(texts[node[: i + 1]])) for i in range(len(node))) for node in scored]
    read = sum(event.forwarded_tokens for event in only(records, CostIncurred) if event.role == "verifier")
    assert len(scored) >= 4 and read <= sum(whole)


def test_a_tick_of_a_reader_in_both_directions_is_short(bert):
    """So that a search can be stopped: one text, or several that are no more than 512 tokens."""
    reads = []
    hook = bert.checkpoint.model.register_forward_hook(
        lambda module, args, kwargs, output: reads.append(kwargs["input_ids"].numel()), with_kwargs=True
    )
    prompt, steps = bert.problem("make 46"), [bert.step(f"{i} and so on and on\n\n") for i in range(10)]
    for i in range(8):
        bert.submit(("a", i), prompt, steps)
    done = 0
    while done < 8:
        before = len(reads)
        done += len(bert.tick())
        assert len(reads) - before <= 1 or sum(reads[before:]) <= 512
    hook.remove()


def test_what_is_dropped_from_a_reader_in_both_directions_is_not_read(bert):
    for search_, i in (("a", 0), ("b", 0), ("b", 1)):
        bert.submit((search_, i), bert.problem("go"), [bert.step("on\n\n")])
    bert.drop([("b",)])
    assert [key for _ in range(4) for key, _ in bert.tick()] == [("a", 0)]


def test_a_verifier_with_less_context_than_the_policy_gives_no_reward_beyond_it_and_the_search_goes_on(tmp_path):
    policy = load_policy(str(writer_in(tmp_path / "writer", context=512, end=1e-4)))
    verifier = load_verifier(str(reader_in(tmp_path / "reader", context=128)))
    plan = {"settings": {"n": 4, "beam_width": 2, "max_depth": 14}, "max_step_tokens": 200, "budget": {"nodes": 50}}
    run = search("beam_search", policy, verifier, seed=3, **plan)
    [records] = drive(run)
    assert run.tree.status == "budget" and run.cost.nodes == 50
    nodes = {event.node: event for event in only(records, NodeAdded)}
    prompt = len(run.judged)
    beyond = 0
    for event in only(records, NodeScored):
        path = [nodes[event.node[: i + 1]] for i in range(len(event.node))]
        length = prompt + sum(len(verifier.step(step.text)) for step in path if step.text.strip())
        blank = not path[-1].text.strip()
        assert (event.reward is None) == (length > verifier.context or blank)
        beyond += length > verifier.context and not blank
    notes = [event.message for event in only(records, Noted) if event.level == "warning"]
    assert beyond > 5 and len(notes) == beyond and all("no reward for node" in note for note in notes)


def test_a_problem_that_a_verifier_can_not_hold_is_refused_before_anything_runs(tmp_path):
    verifier = load_verifier(str(reader_in(tmp_path / "reader", context=64)))
    with pytest.raises(BadProblem, match="shorten"):
        search("beam_search", "fair", verifier)


@pytest.mark.parametrize("kind", ["from left to right", "in both directions"])
def test_a_model_with_other_labels_is_no_reward_model(kind, prm_folder, bert_folder, tmp_path):
    source = prm_folder if kind == "from left to right" else bert_folder
    model = AutoModelForTokenClassification.from_pretrained(source, num_labels=3, ignore_mismatched_sizes=True)
    folder = tmp_path / "three"
    shutil.copytree(source, folder)
    model.save_pretrained(folder)
    with pytest.raises(ModelUnavailable, match="3 labels"):
        load_verifier(str(folder))
