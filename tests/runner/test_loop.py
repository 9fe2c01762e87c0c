"""The worker: commit before show, broken models and sinks, cancelling, many searches, threads."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from worlds import chosen, comparable, drive, policy_of, search, verifier_of

from tts_explorer.events import SearchFinished
from tts_explorer.runner import Loop
from tts_explorer.runner import loop as loops


class Shelf:
    """A sink that remembers, and breaks at its n-th commit if told to."""

    def __init__(self, breaks_at: int | None = None):
        self.breaks_at, self.commits, self.kept = breaks_at, 0, {}

    def append(self, batch):
        self.commits += 1
        if self.commits == self.breaks_at:
            raise OSError("the disk is full")
        for id, records in batch:
            self.kept.setdefault(id, []).extend(records)


def broken(model, method: str, at: int):
    """`model`, breaking at the n-th call of one method and at every later one."""
    whole, left = getattr(model, method), [at]

    def call(*args, **options):
        left[0] -= 1
        if left[0] < 0:
            raise MemoryError("no memory")
        return whole(*args, **options)

    setattr(model, method, call)
    return model


def test_what_is_shown_is_committed_first():
    shelf = Shelf()
    loop = Loop(shelf)
    seen = []

    def watch(records):
        assert shelf.kept["a"][-len(records) :] == list(records)
        seen.extend(records)

    live = loop.start(search("beam_search"), watch)
    assert live.published == [] == seen
    loop.drive()
    assert live.published == seen == shelf.kept["a"] and live.done.is_set() and live.error is None


@pytest.mark.parametrize("n", range(1, 12))
def test_a_sink_that_breaks_at_its_nth_commit_ends_the_run_unsaved(n):
    shelf = Shelf(n)
    loop = Loop(shelf)
    live = loop.start(search("beam_search", "lines", max_step_tokens=5))
    loop.drive()
    assert shelf.commits == n and live.published == shelf.kept.get("a", [])
    assert isinstance(live.error, OSError) and live.done.is_set() and live.run.tree.status == "failed"
    assert not any(isinstance(record.event, SearchFinished) for record in live.published)


def test_a_run_that_could_not_be_saved_leaves_later_ones_alone():
    loop = Loop(Shelf(3))
    lost = loop.start(search("beam_search", id="lost"))
    loop.drive()
    fine = loop.start(search("beam_search", id="fine"))
    loop.drive()
    assert lost.error is not None and fine.error is None
    assert comparable(fine.published) == comparable(drive(search("beam_search"))[0])


@pytest.mark.parametrize("method", ["submit", "tick", "progress", "drafts"])
@pytest.mark.parametrize("n", [0, 1, 2, 5, 9])
def test_a_policy_that_breaks_at_its_nth_call_fails_only_the_runs_that_use_it(method, n, monkeypatch):
    monkeypatch.setattr(loops, "DRAFTS", -1.0)
    bad, whole, counted = broken(policy_of("lines", name="bad"), method, n), policy_of("lines"), {"budget": {"tokens": 10**6}}
    runs = [search("best_of_n", bad, id="x", **counted), search("dvts", bad, id="y"), search("best_of_n", whole, id="z")]
    streams = drive(*runs)
    assert [run.tree.status for run in runs] == ["failed", "failed", "done"]
    assert "bad broke: MemoryError: no memory" in streams[0][-1].event.detail
    assert comparable(streams[2]) == comparable(drive(search("best_of_n", "lines"))[0])


@pytest.mark.parametrize("method", ["submit", "tick"])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_verifier_that_breaks_at_its_nth_call_fails_only_the_runs_that_use_it(method, n):
    bad, policy = broken(verifier_of(), method, n), policy_of("lines")
    runs = [search("beam_search", policy, bad, id="x"), search("beam_search", policy, id="y")]
    runs.append(search("self_consistency", policy, None, id="z"))
    streams = drive(*runs)
    assert [run.tree.status for run in runs] == ["failed", "done", "done"]
    assert comparable(streams[1]) == comparable(drive(search("beam_search", "lines"))[0])


def test_a_policy_that_can_not_even_forget_fails_its_run_only():
    policy = broken(policy_of("lines"), "drop", 0)
    bad, good = search("best_of_n", policy, id="x", budget={"tokens": 9}), search("best_of_n", "lines", id="z")
    drive(bad, good)
    assert (bad.tree.status, good.tree.status) == ("budget", "done")


def test_a_log_probability_that_is_no_number_fails_the_run():
    policy = policy_of("lines")
    tick = policy.tick
    policy.tick = lambda: [(key, replace(sample, logprob=float("nan"))) for key, sample in tick()]
    run = search("best_of_n", policy)
    drive(run)
    assert run.tree.status == "failed" and "log-probability" in run.tree.detail


@pytest.mark.parametrize("ticks", [0, 1, 7, 12, 20, 30])
def test_a_cancelled_search_ends_at_its_next_token_with_its_answer_so_far(ticks):
    loop = Loop()
    run = search("best_of_n", "lines", settings={"n": 2})
    live = loop.start(run)
    for _ in range(ticks):
        loop.step()
    before, live.run.policy.ticks = live.run.policy.ticks, 0
    live.cancel()
    loop.drive()
    assert run.policy.ticks <= 1 and live.done.is_set() and before <= ticks
    assert run.tree.status == "cancelled"
    assert (run.tree.selected is not None) == bool(run.tree.finished())
    assert run.policy.rows == {} and loop.owners == {}


def test_a_cancelled_search_does_not_change_its_neighbour():
    policy, loop = policy_of("fair"), Loop()
    gone = loop.start(search("beam_search", policy, id="gone"))
    stays = loop.start(search("beam_search", policy, id="stays", seed=5))
    loop.step()
    gone.cancel()
    loop.drive()
    assert gone.run.tree.status == "cancelled"
    assert comparable(stays.published) == comparable(drive(search("beam_search", seed=5))[0])


def test_a_search_that_comes_later_joins_the_batch():
    policy, loop = policy_of("lines"), Loop()
    first = loop.start(search("best_of_n", policy, id="first"))
    for _ in range(5):
        loop.step()
    second = loop.start(search("best_of_n", policy, id="second", seed=1))
    assert loop.find("second") is second and loop.find("first") is first and loop.find("third") is None
    loop.step()
    assert {key[0] for key in policy.rows} == {"first", "second"}
    loop.drive()
    assert comparable(second.published) == comparable(drive(search("best_of_n", "lines", seed=1))[0])
    assert loop.find("second") is None


def test_a_fast_search_never_waits_for_a_slow_one():
    policy, loop = policy_of("lines"), Loop()
    slow = loop.start(search("best_of_n", policy, id="slow"))
    fast = loop.start(search("greedy", policy, id="fast", budget={"tokens": 3}))
    while not fast.done.is_set():
        loop.step()
    assert not slow.done.is_set() and policy.ticks == 3
    loop.drive()


def test_drafts_are_the_text_in_flight_and_gone_at_the_end(monkeypatch):
    monkeypatch.setattr(loops, "DRAFTS", -1.0)
    loop = Loop()
    live = loop.start(search("greedy", chosen(("abcdef", "eos"))))
    loop.step()
    loop.step()
    assert live.drafts == {(0,): "ab"}
    loop.drive()
    assert live.drafts == {}


def test_drafts_are_looked_at_five_times_a_second_at_most(monkeypatch):
    monkeypatch.setattr(loops.time, "monotonic", lambda: now[0])
    now, loop, policy = [100.0], Loop(), policy_of(chosen(("abcdef", "eos")))
    live, seen = loop.start(search("greedy", policy)), []
    for now[0] in (100.0, 100.1, 100.19, 100.21, 100.3, 100.45):
        loop.step()
        seen.append(live.drafts.get((0,)))
    assert seen == ["a", "a", "a", "abcd", "abcd", None]


def test_time_in_a_shared_batch_is_apportioned_and_says_so():
    policy = policy_of("lines")
    alone, (one, two) = search("greedy", "lines"), [search("greedy", policy, id=id) for id in "ab"]
    drive(alone)
    drive(one, two)
    assert not alone.cost.policy.apportioned and one.cost.policy.apportioned and two.cost.policy.apportioned


def test_the_worker_serves_searches_from_many_threads_and_closes():
    loop, policy, verifier, lives = Loop(Shelf()), policy_of("fair"), verifier_of(), []
    loop.serve()

    def visit(i):
        live = loop.start(search("beam_search", policy, verifier, id=str(i), seed=i))
        assert live.done.wait(20)
        lives.append(live)

    threads = [threading.Thread(target=visit, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lives) == 12 and {live.run.tree.status for live in lives} == {"done"}
    for live in lives:
        assert comparable(live.published) == comparable(drive(search("beam_search", seed=live.run.plan.seed))[0])
    loop.close()
    assert not loop.thread.is_alive()


def test_closing_cancels_what_runs_and_writes_its_end():
    loop = Loop(shelf := Shelf())
    live = loop.start(search("best_of_n", "never ends"))
    loop.step()
    loop.close()
    loop.serve()
    loop.close()
    assert live.done.is_set() and live.run.tree.status == "cancelled"
    assert shelf.kept["a"] == live.published and isinstance(live.published[-1].event, SearchFinished)
