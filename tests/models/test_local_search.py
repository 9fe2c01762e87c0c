"""Whole searches on local checkpoints: alone and together, cancelled and cut, with nothing left in the models."""

import json

import pytest
from worlds import as_json, comparable, drive, search

from tts_explorer.events import from_dict
from tts_explorer.models.local import LocalPolicy, LocalPRM
from tts_explorer.runner import Loop

PLANS = [
    {"strategy": strategy, "seed": seed, "max_step_tokens": 12, "budget": {"nodes": 12}}
    for seed, strategy in enumerate(("beam_search", "best_of_n", "dvts", "self_consistency", "greedy"))
]


@pytest.fixture(scope="module")
def models(policy_folder, prm_folder):
    return LocalPolicy("tiny", policy_folder, rows=64), LocalPRM("tiny-prm", prm_folder, rows=64)


def close(records):
    """A stream's comparable form without numbers whose last digits a batch's size may change, and without cost."""
    lines = []
    for event, *_ in (item if isinstance(item, tuple) and len(item) == 2 else item[1:] for item in comparable(records)):
        fields = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
        lines.append({k: v for k, v in fields.items() if k not in ("logprob", "reward", "forwarded_tokens", "flops", "votes")})
    return lines


def test_searches_together_equal_the_same_searches_alone(models):
    alone = [drive(search(**plan | {"policy": models[0], "verifier": models[1]}))[0] for plan in PLANS]
    runs = [search(**plan, policy=models[0], verifier=models[1], id=str(i)) for i, plan in enumerate(PLANS)]
    together = drive(*runs)
    assert [close(records) for records in together] == [close(records) for records in alone]


@pytest.mark.parametrize("ticks", [1, 3, 9, 25])
def test_a_cancelled_search_leaves_nothing_in_the_models(models, ticks):
    loop = Loop()
    gone = loop.start(search("best_of_n", *models, id="gone", max_step_tokens=12))
    stays = loop.start(search("beam_search", *models, id="stays", max_step_tokens=12, budget={"nodes": 12}))
    for _ in range(ticks):
        loop.step()
    gone.cancel()
    loop.step()
    assert gone.done.is_set() and not {key for key in models[0].progress() if key[0] == "gone"}
    loop.drive()
    assert gone.run.tree.status == "cancelled" and stays.run.tree.status in ("done", "budget")
    assert models[0].progress() == {} and not models[0].waiting and not models[1].waiting
    expected = drive(search("beam_search", *models, max_step_tokens=12, budget={"nodes": 12}))[0]
    assert close(stays.published) == close(expected)


@pytest.mark.parametrize("budget", [{"tokens": 20}, {"nodes": 5}, {"flops": 3e6}])
def test_a_budget_cuts_a_search_on_a_real_model(models, budget):
    run = search("beam_search", *models, max_step_tokens=12, budget=budget)
    [records] = drive(run)
    assert run.tree.status == "budget" and models[0].progress() == {}
    assert run.cost.tokens <= budget.get("tokens", 10**9) - 1 + 4 and run.cost.nodes <= budget.get("nodes", 10**9)
    assert [from_dict(json.loads(line)) for line in as_json(records)] == records


def test_a_search_whose_text_is_not_unicode_can_be_run(models):
    from tts_explorer.tasks.base import Problem

    run = search("greedy", *models, problem=Problem("", "Why \ud800\0?", "", "", None), task=None, max_step_tokens=12)
    drive(run)
    assert run.tree.status == "done"
