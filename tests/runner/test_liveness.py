"""Searches on real models stop when they are told to: ticks are bounded, and looked at one by one, however long one takes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest
from loaded import policy_in, prm_in
from worlds import PROBLEM, search
from writers import reader_in, writer_in

from tts_explorer.events import AnswerSelected, NodeAdded, NodeScored, SearchFinished
from tts_explorer.runner import Loop
from tts_explorer.runner import loop as loops

SLOW = 0.05
"""Seconds that a forward takes."""
PLANS = {
    "self_consistency": {"n": 6},
    "best_of_n": {"n": 6},
    "beam_search": {"n": 8, "beam_width": 4, "max_depth": 20},
    "dvts": {"n": 8, "beam_width": 4, "max_depth": 20},
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("writer")
    return writer_in(home / "policy", context=4096, end=1e-3), reader_in(home / "prm", context=4096)


@pytest.fixture
def models(folders):
    return policy_in(folders[0], rows=32), prm_in(folders[1], rows=8)


class Metered:
    """Counts the forwards of a model and their tokens; calls `then` inside each, before it computes."""

    def __init__(self, model, then=lambda: None):
        self.forwards, self.then, self.whole = [], then, model.batch.forward
        model.batch.forward = self

    def __call__(self, tokens):
        self.forwards.append([len(row) for row in tokens])
        self.then()
        return self.whole(tokens)

    @property
    def longest(self):
        """The most tokens in one forward."""
        return max(map(sum, self.forwards))


def nothing_left(models):
    for model in models:
        assert not (model.running or model.waiting or model.trie.roots or model.trie.bytes)


@pytest.mark.parametrize("strategy", PLANS)
def test_a_cancelled_search_ends_within_two_slow_ticks(models, strategy):
    """Cancelled from another thread in the middle of a forward of the policy."""
    reached, at = threading.Event(), []
    meter = Metered(models[0], lambda: (len(meter.forwards) == 12 and reached.set(), time.sleep(SLOW)))
    loop = Loop()
    loop.serve()
    live = loop.start(search(strategy, *models, settings=PLANS[strategy], max_step_tokens=200))
    assert reached.wait(60)
    live.cancel()
    at.append(len(meter.forwards))
    assert live.done.wait(60)
    loop.close()
    assert len(meter.forwards) - at[0] <= 2 and live.run.tree.status == "cancelled"
    assert isinstance(live.published[-1].event, SearchFinished)
    nothing_left(models)


@pytest.mark.parametrize("forwards", [1, 2, 5])
def test_a_search_whose_verifier_reads_is_cancelled_within_two_slow_ticks(models, forwards):
    meter = Metered(models[1], lambda: (len(meter.forwards) == forwards and live.cancel(), time.sleep(SLOW)))
    loop = Loop()
    live = loop.start(search("beam_search", *models, settings=PLANS["beam_search"], max_step_tokens=200))
    loop.drive()
    assert len(meter.forwards) <= forwards + 1 and live.run.tree.status == "cancelled"
    nothing_left(models)


@pytest.mark.parametrize("strategy", PLANS)
@pytest.mark.parametrize("seconds", [3, 40])
def test_a_deadline_ends_a_search_within_two_ticks(models, strategy, seconds):
    """A second a forward, by a clock of its own."""
    meter = Metered(models[0])
    run = search(
        strategy,
        *models,
        settings=PLANS[strategy],
        max_step_tokens=200,
        budget={"seconds": seconds},
        clock=lambda: float(len(meter.forwards)),
    )
    loop = Loop()
    loop.start(run)
    loop.drive()
    assert run.tree.status == "budget" and seconds <= len(meter.forwards) <= seconds + 2
    nothing_left(models)


def test_a_deadline_that_passes_while_the_problem_is_read_ends_the_search(models):
    policy, _ = models
    meter = Metered(policy)
    plan = {"problem": replace(PROBLEM, text="x" * 3000), "settings": PLANS["self_consistency"]}
    run = search("self_consistency", policy, None, budget={"seconds": 2}, clock=lambda: float(len(meter.forwards)), **plan)
    loop = Loop()
    loop.start(run)
    loop.drive()
    assert run.tree.status == "budget" and len(meter.forwards) <= 4 and not run.tree.finished()
    assert sum(map(sum, meter.forwards)) <= 4 * policy.chunk
    assert run.cost.policy.forwarded_tokens == sum(map(sum, meter.forwards)) > 0
    nothing_left([policy])


def test_long_problems_are_read_in_bounded_chunks_and_their_neighbours_go_on(models):
    policy, _ = models
    meter, loop = Metered(policy), Loop()
    plan = {"settings": {"n": 6}, "max_step_tokens": 30, "budget": {"tokens": 300}}
    short = loop.start(search("self_consistency", policy, None, id="short", **plan))
    for _ in range(5):
        loop.step()
    for i in range(5):
        problem = replace(PROBLEM, text=f"{i}" + "x" * (700 * i + 300))
        loop.start(search("self_consistency", policy, None, id=f"long {i}", problem=problem, seed=i, **plan))
    begun = len(meter.forwards)
    while loop.step():
        if len(meter.forwards) <= begun + 8 and short.run.live:
            assert meter.forwards[-1].count(1) >= 1
    assert meter.longest <= policy.chunk + policy.batch.most
    assert sum(max(counts) > 100 for counts in meter.forwards) >= 5
    nothing_left([policy])


def test_many_long_steps_are_judged_in_bounded_chunks(models):
    """Paths of hundreds of steps, and steps longer than a chunk."""
    _, prm = models
    meter = Metered(prm)
    texts = [[f"{i} " + "x" * 40 + "\n\n"] * 50 for i in range(10)] + [[f"{i}" + "y" * 1300 + "\n\n", "z\n\n"] for i in range(6)]
    for i, steps in enumerate(texts):
        prm.submit((i, "judge", (0,)), prm.problem("go"), [prm.step(text) for text in steps])
    done = 0
    while done < len(texts):
        before = len(meter.forwards)
        done += len(prm.tick())
        assert len(meter.forwards) - before <= 1
    assert meter.longest <= prm.chunk + prm.batch.most
    prm.drop([(i,) for i in range(len(texts))])
    nothing_left([prm])


def test_each_sample_is_recorded_at_the_tick_that_finishes_it(models):
    """None waits for the last of its move; and a search that is stopped then has its answer so far."""
    policy, prm = models
    loop, seen = Loop(), {}
    live = loop.start(search("best_of_n", policy, prm, settings={"n": 6}, max_step_tokens=60, budget={"tokens": 500}))
    ticks = 0
    while loop.step():
        ticks += 1
        for record in live.published:
            if isinstance(record.event, NodeAdded):
                seen.setdefault(record.event.node, ticks)
    assert len(set(seen.values())) > 10 and not any(isinstance(record.event, NodeScored) for record in live.published)
    assert live.run.tree.status == "budget"
    selected = [record.event for record in live.published if isinstance(record.event, AnswerSelected)]
    assert bool(selected) == bool(live.run.tree.finished())


def test_text_in_flight_is_what_becomes_of_it_later(models, monkeypatch):
    monkeypatch.setattr(loops, "DRAFTS", -1.0)
    loop = Loop()
    live = loop.start(search("self_consistency", models[0], None, settings={"n": 4}, max_step_tokens=60, budget={"tokens": 300}))
    drafts = {}
    while loop.step():
        for node, text in live.drafts.items():
            drafts.setdefault(node, []).append(text)
    texts = {record.event.node: record.event.text for record in live.published if isinstance(record.event, NodeAdded)}
    whole = [node for node in texts if node in drafts]
    assert len(whole) > 8 and all(texts[node].startswith(draft) for node in whole for draft in drafts[node])
    assert all(sorted(drafts[node], key=len) == drafts[node] for node in drafts) and live.drafts == {}
