"""Whole searches on local checkpoints: alone and together, cancelled and cut, with nothing left in the models."""

import json

import pytest
from loaded import policy_in, prm_in
from worlds import as_json, comparable, drive, events, search

from tts_explorer.assets import folder
from tts_explorer.events import CostIncurred, from_dict
from tts_explorer.runner import Ask, Loop, Models, prepare

PLANS = [
    {"strategy": strategy, "seed": seed, "max_step_tokens": 12, "budget": {"nodes": 12}}
    for seed, strategy in enumerate(("beam_search", "best_of_n", "dvts", "self_consistency", "greedy"))
]

SMALL = {"beam_search": {"n": 8, "beam_width": 4, "max_depth": 4}, "dvts": {"n": 8, "beam_width": 4, "max_depth": 4}}


@pytest.fixture(scope="module")
def models(policy_folder, prm_folder):
    return policy_in(policy_folder, rows=64), prm_in(prm_folder, rows=64)


@pytest.mark.parametrize("rows", [3, 16, 64])
def test_searches_together_equal_the_same_searches_alone(policy_folder, prm_folder, models, rows):
    """Bitwise: texts, log-probabilities, rewards, costs; however many rows the batch may have."""
    plans = [plan | {"budget": {}, "settings": SMALL.get(plan["strategy"], {})} for plan in PLANS]
    alone = [drive(search(**plan, policy=models[0], verifier=models[1]))[0] for plan in plans]
    crowded = policy_in(policy_folder, rows=rows), prm_in(prm_folder, rows=rows)
    runs = [search(**plan, policy=crowded[0], verifier=crowded[1], id=str(i)) for i, plan in enumerate(plans)]
    assert [comparable(records) for records in drive(*runs)] == [comparable(records) for records in alone]


@pytest.mark.parametrize("memory", [0, 60_000])
def test_results_do_not_change_when_memory_is_short(policy_folder, prm_folder, models, memory):
    """All but the tokens computed and their FLOPs, which grow."""
    short = policy_in(policy_folder, memory=memory), prm_in(prm_folder, memory=memory)
    plan = {"strategy": "beam_search", "max_step_tokens": 12, "settings": SMALL["beam_search"]}
    [expected], [got] = (drive(search(**plan, policy=p, verifier=v)) for p, v in (models, short))
    assert [item for item in comparable(got) if CostIncurred not in map(type, item)][1:] == [
        item for item in comparable(expected) if CostIncurred not in map(type, item)
    ][1:]
    tight, free = (sum(e.forwarded_tokens for e in events(records) if isinstance(e, CostIncurred)) for records in (got, expected))
    assert tight > free


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
    assert comparable(stays.published) == comparable(expected)


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


@pytest.mark.parametrize("strategy", ["self_consistency", "beam_search"])
def test_bundled_searches_among_others_equal_themselves_alone_whatever_the_rows(strategy):
    """Answers, their order and their votes too, though with five rows the samples come in another order."""
    many, few = (Models(lambda name, rows=rows: bundled_policy(rows)) for rows in (128, 5))
    asks = [
        Ask(strategy=strategy, verifier="bundled:prm", task="countdown", level=3, index=i, settings={"n": 8}) for i in range(3)
    ]
    alone = [drive(prepare(ask, many, id="alone"))[0] for ask in asks]
    together = drive(*(prepare(ask, few, id=str(i)) for i, ask in enumerate(asks)))
    assert [comparable(records) for records in together] == [comparable(records) for records in alone]


def bundled_policy(rows):
    return policy_in(folder() / "models" / "small", "bundled:small", rows=rows)
