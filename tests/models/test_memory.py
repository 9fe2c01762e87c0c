"""What searches leave behind in the models: nothing; and what they hold while they run: no more than they are allowed to."""

from __future__ import annotations

import gc

import pytest
import torch
from loaded import policy_in, prm_in
from worlds import drive, search
from writers import reader_in, writer_in

from tts_explorer.events import NodePruned
from tts_explorer.models import load_policy, load_verifier
from tts_explorer.models.trie import Trie
from tts_explorer.runner import Loop

BEAM = {"settings": {"n": 8, "beam_width": 4, "max_depth": 5}, "max_step_tokens": 60}
PLANS = {
    "greedy": {},
    "self_consistency": {"n": 3},
    "best_of_n": {"n": 3},
    "beam_search": {"n": 4, "beam_width": 2, "max_depth": 3},
    "dvts": {"n": 4, "beam_width": 2, "max_depth": 3},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("writer")
    return writer_in(home / "policy", context=256, end=0.03), reader_in(home / "prm", context=256)


def empty(*models):
    for model in models:
        trie = model.trie
        assert not (trie.bytes or trie.roots or trie.owned or trie.recent or model.running or model.waiting)
        assert not any(model.batch.lengths) and not model.batch.slots and not model.batch.standing


def tensors():
    """Number and bytes of the tensors alive."""
    gc.collect()
    kinds = (torch.Tensor, torch.nn.Parameter)
    alive = [thing for thing in gc.get_objects() if type(thing) in kinds and thing.device.type == "cpu"]
    storages = [part.untyped_storage() for part in alive if part.layout == torch.strided]
    return len(alive), sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def fifty(models):
    """Fifty searches of all strategies, five under way at a time, of which every other time one is cancelled on its way."""
    for first in range(0, 50, 5):
        loop = Loop()
        for seed in range(first, first + 5):
            strategy = list(PLANS)[seed % 5]
            plan = {"settings": PLANS[strategy], "max_step_tokens": 30, "seed": seed, "id": str(seed)}
            live = loop.start(search(strategy, *models, **plan))
        for _ in range(15):
            loop.step()
        if first % 10:
            live.cancel()
        loop.drive()


def test_fifty_searches_leave_nothing_and_fifty_more_take_no_more_memory(folders):
    models = policy_in(folders[0], rows=16), prm_in(folders[1], rows=16)
    fifty(models)
    empty(*models)
    before, pieces = tensors(), len(models[0].pieces)
    fifty(models)
    empty(*models)
    assert tensors() == before and len(models[0].pieces) <= models[0].model.config.vocab_size and pieces


def test_a_few_searches_on_the_bundled_models_leave_nothing():
    models = load_policy("bundled:small"), load_verifier("bundled:prm")
    plan, seen = {"settings": {"n": 4, "beam_width": 2, "max_depth": 3}, "max_step_tokens": 24}, []
    for _ in range(2):
        drive(*(search(strategy, *models, id=strategy, **plan) for strategy in ("beam_search", "dvts")))
        empty(*models)
        seen.append(tensors())
    assert seen[0] == seen[1]


def held_in(trie: Trie):
    below, held = [*trie.roots.values()], 0
    while below:
        stretch = below.pop()
        below += stretch.children.values()
        held += 0 if stretch.state is None else stretch.state.nbytes
    return held


def test_what_is_kept_of_a_pruned_step_is_freed_while_the_search_goes_on(folders):
    """Never more than the prompt and the steps that were not pruned; of the policy's none after which nothing comes."""
    models = policy_in(folders[0]), prm_in(folders[1])
    run, loop, freed = search("beam_search", *models, seed=2, **BEAM), Loop(), {model: [] for model in models}
    for model in models:
        model.drop = dropping(model, freed[model])
    live = loop.start(run)
    while loop.step():
        pruned = {record.event.node for record in live.published if isinstance(record.event, NodePruned)}
        kept = [node for node in run.tree.nodes.values() if node.id not in pruned]
        for model, purpose in zip(models, ("sample", "judge"), strict=True):
            assert not {(run.id, purpose, node) for node in pruned} & set(model.trie.owned)
            assert model.trie.bytes == held_in(model.trie)
            tokens = sum(node.tokens for node in kept if purpose == "judge" or not node.terminal)
            assert model.trie.bytes <= (len(run.segments[()]) + tokens) * model.batch.token_bytes
    assert run.tree.status == "done"
    for model in models:
        assert sum(size > 0 for size in freed[model][:-1]) >= 4
    empty(*models)


def dropping(model, freed):
    """The model's `drop`, which also writes down how many bytes each call of it freed."""
    whole = model.drop

    def drop(keys):
        before = model.trie.bytes
        spent = whole(keys)
        freed.append(before - model.trie.bytes)
        return spent

    return drop


@pytest.mark.parametrize("limit", [0, 20_000, 100_000])
def test_the_cap_on_kept_segments_holds_at_every_tick(folders, limit):
    models = policy_in(folders[0], memory=limit), prm_in(folders[1], memory=limit)
    loop, most = Loop(), 0
    for seed in range(4):
        loop.start(search("beam_search", *models, seed=seed, id=str(seed), **BEAM))
    while loop.step():
        for model in models:
            assert model.trie.bytes == held_in(model.trie) <= limit
            most = max(most, model.trie.bytes)
    assert most > 0.8 * limit or not limit
    empty(*models)


@pytest.mark.parametrize("limit", [0, 100_000])
def test_a_search_with_little_memory_finds_what_it_finds_with_much(folders, limit):
    plans = [{"seed": seed, "id": str(seed), **BEAM} for seed in range(4)]
    found = []
    for options in ({}, {"memory": limit}):
        models = policy_in(folders[0], rows=12, **options), prm_in(folders[1], rows=12, **options)
        runs = [search("beam_search", *models, **plan) for plan in plans]
        drive(*runs)
        found.append([{node.id: (node.text, node.logprob, node.reward) for node in run.tree.nodes.values()} for run in runs])
    assert found[0] == found[1]


@pytest.mark.parametrize(("strategy", "settings"), [("self_consistency", {"n": 32}), ("beam_search", {"n": 32, "beam_width": 4})])
def test_the_rows_under_way_take_no_more_memory_than_the_batch_may(folders, strategy, settings):
    """Many rows, and paths that grow: rows are given up as room is needed."""
    policy, prm = policy_in(folders[0], rows=64), prm_in(folders[1])
    limit = policy.batch.token_bytes * 64 * 128
    policy.batch = type(policy.batch)(policy.model, 64, policy.context, lean=policy.batch.lean, limit=limit)
    loop, runs = Loop(), [search(strategy, policy, prm, seed=i, id=str(i), settings=settings) for i in range(3)]
    for run in runs:
        loop.start(run)
    most = 0
    while loop.step():
        batch = policy.batch
        places = [batch.paths, *filter(None, [batch.tails])]
        assert all(place.token_bytes * place.room * place.count <= limit for place in places)
        assert len(policy.running) <= 64 and len(batch.standing) <= 64 and len(batch.slots) <= len(batch.standing)
        most = max(most, len(policy.running))
    assert most > 30 and batch.room == policy.context and batch.paths.count == 32
    assert {run.tree.status for run in runs} == {"done"}
    empty(policy)
