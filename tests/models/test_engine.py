"""The engine: each token of a tree computed once, free places filled at once, costs that are those of the tokens computed."""

from __future__ import annotations

import pytest
import torch
from loaded import policy_in, prm_in
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import DynamicCache
from worlds import SMALL, STRATEGIES, comparable, drive, only, search
from writers import reader_in, writer_in

from tts_explorer.events import CostIncurred, LookedAhead, NodeAdded, NodePruned, Noted
from tts_explorer.models.base import sample_key
from tts_explorer.moves import Expand
from tts_explorer.runner import Loop
from tts_explorer.strategies import needs_words, strategy_named

TEN_ROUNDS = {"settings": {"n": 16, "beam_width": 4, "max_depth": 10}, "max_step_tokens": 200}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("writer")
    return writer_in(home / "policy", context=1024), reader_in(home / "prm", context=1024)


@pytest.fixture
def models(folders):
    return policy_in(folders[0], rows=64), prm_in(folders[1], rows=64)


class Meter:
    """Counts what a model really computes: tokens handed to each forward, and tokens that went through the embedding."""

    def __init__(self, model):
        self.model, self.forwards, self.embedded = model, [], 0
        whole = model.batch.forward

        def forward(tokens, *rest, **options):
            self.forwards.append([len(row) for row in tokens])
            return whole(tokens, *rest, **options)

        model.batch.forward = forward
        model.model.base_model.get_input_embeddings().register_forward_hook(self._embedded)

    def _embedded(self, module, inputs, output):
        self.embedded += inputs[0].numel()

    @property
    def tokens(self):
        return sum(map(sum, self.forwards))

    @property
    def filled(self):
        """Tokens computed only to fill a forward up."""
        return self.embedded - self.tokens


def unique(model, records):
    """The prompt once, and what NodeAdded and LookedAhead hold."""
    said = only(records, NodeAdded) + only(records, LookedAhead)
    return len(model.problem(records[0].event.problem)) + sum(event.tokens for event in said)


def ledger(records, role):
    """Tokens forwarded, by the events."""
    return sum(event.forwarded_tokens for event in only(records, CostIncurred) if event.role == role)


@pytest.mark.parametrize(("strategy", "seed"), [("beam_search", 1), ("dvts", 0), ("lookahead_search", 0)])
def test_each_token_of_a_tree_is_computed_once(models, strategy, seed):
    """Those written ahead, too; the writer's likeliest steps never end, so there they are cut soon."""
    meters, ahead = [Meter(model) for model in models], strategy == "lookahead_search"
    [records] = drive(search(strategy, *models, seed=seed, **TEN_ROUNDS | ({"max_step_tokens": 50} if ahead else {})))
    assert bool(only(records, LookedAhead)) == ahead
    nodes = only(records, NodeAdded)
    assert {node.stop for node in nodes} == {"step", "eos"} and max(len(node.node) for node in nodes) >= 10
    assert sum(node.tokens for node in nodes) > 5 * len(nodes) > 500
    for model, meter, role in zip(models, meters, ("policy", "verifier"), strict=True):
        assert meter.tokens == ledger(records, role) <= 1.02 * unique(model, records)
        assert meter.tokens > 0.9 * unique(model, records)
        assert 0 <= meter.filled <= (model.batch.same.multiple - 1) * len(meter.forwards)


def test_ten_ragged_searches_fill_the_batch_and_compute_each_token_once(folders):
    """Every place of 16 is taken at the next token by whoever waits, until the last search is in its last round."""
    models = policy_in(folders[0], rows=16), prm_in(folders[1], rows=16)
    meters, loop, ends = [Meter(model) for model in models], Loop(), 0
    plans = [{"strategy": "beam_search", "seed": seed, "id": str(seed), **TEN_ROUNDS} for seed in range(10)]
    lives = [loop.start(search(policy=models[0], verifier=models[1], **plan)) for plan in plans]
    while loop.step():
        moves = [live.run.pending.move for live in lives if live.run.live]
        if not all(isinstance(move, Expand) and move.to_end for move in moves):
            ends = len(meters[0].forwards)
    rows = [sum(map(bool, counts)) for counts in meters[0].forwards[:ends]]
    assert max(rows) == 16 and len(rows) > 100 and sum(rows) / len(rows) >= 0.8 * 16
    for model, meter, role in zip(models, meters, ("policy", "verifier"), strict=True):
        assert meter.tokens == sum(ledger(live.published, role) for live in lives)
        for live in lives:
            assert 0.9 * unique(model, live.published) < ledger(live.published, role) <= 1.02 * unique(model, live.published)


def test_what_a_pruned_step_was_read_for_is_not_read_again(models):
    """The policy never computes the last token of a step that nothing follows."""
    [records] = drive(search("beam_search", *models, seed=2, **TEN_ROUNDS))
    pruned = {event.node for event in only(records, NodePruned)}
    nodes = only(records, NodeAdded)
    followed = {event.node[:-1] for event in nodes}
    assert pruned and not pruned & followed
    leaves = sum(event.node not in followed for event in nodes)
    assert ledger(records, "policy") <= unique(models[0], records) - leaves


def finished(policy, count):
    """Samples by key once there are so many; a thousand ticks are enough."""
    done = {}
    for _ in range(1000):
        if len(done) >= count:
            break
        done |= dict(policy.tick())
    assert len(done) == count
    return done


def prompts(policy, count):
    return [(policy.problem(f"go {i}"), policy.step("so\n\n")) for i in range(count)]


def test_a_place_is_free_for_one_token_at_most(models, folders):
    policy = policy_in(folders[0], rows=4)
    meter, done = Meter(policy), 0
    for i, prompt in enumerate(prompts(policy, 30)):
        policy.submit((i, "sample", (0,)), prompt, rng=sample_key(0, (i,)), temperature=1.0, max_tokens=20)
    while done < 30:
        left = 30 - done
        ended = len(policy.tick())
        assert len(policy.running) + ended == min(4, left)
        done += ended
    assert max(map(len, meter.forwards)) == 4
    policy.drop([(i,) for i in range(30)])
    assert policy.trie.bytes == 0 and not policy.waiting and not policy.running


def test_a_long_path_is_read_chunk_by_chunk_beside_steps_that_go_on(models, folders):
    """Once, though the first chunk alone is more than there was room for."""
    policy, _ = models
    meter, chunk, long = Meter(policy), policy.chunk, policy.problem("x" * (policy.chunk + 100))
    assert policy.batch.room < chunk
    for i, prompt in enumerate(prompts(policy, 6)):
        policy.submit(("short", i), prompt, rng=sample_key(0, (i,)), temperature=1.0, max_tokens=50, to_end=True)
    policy.tick()
    policy.submit(("long", 0), [long], rng=1, temperature=1.0, max_tokens=5, to_end=True)
    done = finished(policy, 7)
    assert max(map(max, meter.forwards)) == chunk
    assert any(chunk in counts and counts.count(1) >= 3 for counts in meter.forwards)
    spend = done["long", 0].spend
    assert spend.forwarded_tokens == len(long) + spend.sampled_tokens - 1
    alone = policy_in(folders[0])
    alone.submit(("long", 0), [long], rng=1, temperature=1.0, max_tokens=5, to_end=True)
    assert finished(alone, 1)["long", 0] == done["long", 0]
    assert meter.tokens == sum(sample.spend.forwarded_tokens for sample in done.values())
    policy.drop([("short",), ("long",)])


def test_of_rows_that_lack_the_same_stretch_one_reads_it_even_if_the_reader_is_dropped(models):
    policy, _ = models
    meter, prompt = Meter(policy), [policy.problem("x" * 700)]
    for i in range(3):
        policy.submit(("a", i), prompt, rng=sample_key(0, (i,)), temperature=1.0, max_tokens=4, to_end=True)
    policy.tick()
    assert [len(policy.running), len(policy.waiting)] == [1, 2]
    spent = policy.drop([policy.running[0].key])
    assert [spend.forwarded_tokens for spend in spent.values()] == [policy.chunk]
    done = finished(policy, 2)
    assert meter.tokens == policy.chunk + len(prompt[0]) + sum(len(sample.ids) - 1 for sample in done.values())
    policy.drop([("a",)])
    assert policy.trie.bytes == 0


def test_a_dropped_search_frees_its_places_and_is_told_what_it_spent(models):
    policy, _ = models
    for i, prompt in enumerate(prompts(policy, 6)):
        policy.submit(("ab"[i % 2], i), prompt, rng=sample_key(0, (i,)), temperature=1.0, max_tokens=50, to_end=True)
    done = [result for _ in range(4) for result in policy.tick()]
    under_way = policy.progress()
    spent = policy.drop([("a",)])
    assert set(spent) == {key for key in under_way if key[0] == "a"} and len(under_way) + len(done) == 6 > len(done) + 3
    assert all(spent[key] == under_way[key] for key in spent)
    assert {key[0] for key in policy.progress()} == {"b"} and set(policy.trie.roots) == {"b"}
    policy.drop([("b",)])


def test_a_row_that_needs_more_room_than_there_is_leaves_its_neighbours_alone(models):
    """Its path was read before, and the first part of that forgotten since: it reads this, and loads the rest behind it."""
    policy, _ = models
    first, second = policy.problem("x" * 200), policy.step("y" * 200)
    options = {"rng": 1, "temperature": 1.0, "max_tokens": 12, "to_end": True}
    asked = {("a", 0): [first, second], ("b", 0): [policy.problem("go on")]}

    def answers(keys):
        for key in keys:
            policy.submit(key, asked[key], **options)
        return {key: sample.ids for key, sample in finished(policy, len(keys)).items()}

    expected = answers([("a", 0)]) | answers([("b", 0)])
    [[head], [tail]] = policy.trie.path("a", asked["a", 0])
    policy.trie.limit = policy.trie.bytes
    policy.trie.used(tail)
    policy.trie.limit -= 1
    policy.trie.keep(tail, tail.state, tail.hidden)
    assert not head.whole and tail.whole
    policy.batch = type(policy.batch)(policy.model, 64, policy.context, lean=policy.batch.lean)
    assert policy.batch.room < 400
    assert answers([("a", 0), ("b", 0)]) == expected
    policy.drop([("a",), ("b",)])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_path_that_outgrows_the_context_ends_as_cut_with_a_note(strategy, tmp_path, folders):
    policy, prm = policy_in(writer_in(tmp_path, context=128, end=1e-5), rows=16), prm_in(folders[1])
    settings = SMALL[strategy] | ({"max_depth": 30} if "max_depth" in SMALL[strategy] else {})
    verifier = "fair" if needs_words(strategy_named(strategy), settings) else prm
    run = search(strategy, policy, verifier, settings=settings, max_step_tokens=40)
    [records] = drive(run)
    assert run.tree.status == "done"
    full = [node for node in run.tree.nodes.values() if node.stop == "length" and node.terminal]
    for node in full:
        held = len(run.segments[()]) + sum(step.tokens for step in run.tree.path(node.id))
        assert held == policy.context and not node.answer
    assert full and not any(node.id[:-1] in {node.id for node in full} for node in run.tree.nodes.values())
    notes = [event.message for event in only(records, Noted)]
    for node in full:
        path = ".".join(map(str, node.id))
        assert sum(f"node {path} fills the context" in note for note in notes) == 1
    assert sum("fills the context" in note for note in notes) == len(full)


def test_searches_that_outgrow_the_context_are_the_same_alone_and_together(tmp_path, folders):
    policy, prm = policy_in(writer_in(tmp_path, context=128, end=1e-5), rows=3), prm_in(folders[1])
    plan = {"settings": {"n": 5}, "max_step_tokens": 40}
    alone = [drive(search("best_of_n", policy, prm, seed=seed, **plan))[0] for seed in range(3)]
    together = drive(*(search("best_of_n", policy, prm, seed=seed, id=str(seed), **plan) for seed in range(3)))
    assert [comparable(records) for records in together] == [comparable(records) for records in alone]


def counted(model, ids, heads):
    """What torch counts for reading `ids` one at a time, with logits taken at the last `heads` of them."""
    cache, total = DynamicCache(config=model.config), 0
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        for place, token in enumerate(ids):
            with FlopCounterMode(display=False) as counter:
                part = model if place >= len(ids) - heads else model.base_model
                part(torch.tensor([[token]]), past_key_values=cache)
            total += counter.get_total_flops()
    return total


def test_the_flops_in_the_ledger_are_what_torch_counts(models):
    """A chain of steps: logits at the prompt's last token and at all that was sampled but the last; a verifier takes none."""
    policy, prm = models
    run = search("best_of_n", policy, prm, settings={"n": 1}, max_step_tokens=60, seed=5)
    [records] = drive(run)
    nodes = sorted(only(records, NodeAdded), key=lambda event: event.node)
    prompt = policy.problem(run.plan.problem.text)
    ids = [*prompt, *(token for event in nodes for token in run.segments[event.node])]
    flops = {event.role: event.flops for event in only(records, CostIncurred)}
    assert len(nodes) > 3 and flops["policy"] == counted(policy.model, ids[:-1], len(ids) - len(prompt))
    steps = [prm.step(event.text) for event in nodes if event.text.strip()]
    assert flops["verifier"] == counted(prm.model, [*run.judged, *(token for step in steps for token in step)], 0)
