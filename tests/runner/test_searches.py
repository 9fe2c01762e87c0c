"""Many searches in one loop are those that each would have been alone, in their order."""

from dataclasses import replace

import pytest
from worlds import models_by_name

from tts_explorer.errors import TTSExplorerError
from tts_explorer.runner import Ask
from tts_explorer.runner.searches import Ended, searched

ASK = Ask("p", "v", "best_of_n", {"n": 4}, "arithmetic", 1)


@pytest.fixture
def models():
    return models_by_name()


def asks(count):
    return [replace(ASK, index=i % 3, seed=i) for i in range(count)]


def test_they_come_back_in_their_order_and_as_they_are_alone(models):
    together = searched(asks(7), models, Ended.of, rows=12)
    assert together == [searched([ask], models, Ended.of)[0] for ask in asks(7)]
    assert len({e.tokens for e in together}) > 1
    assert all(e.status == "done" and e.verifier == "v" and e.flops > e.tokens > 0 for e in together)
    assert searched([], models, Ended.of) == []


def test_searches_begin_while_there_are_rows_to_fill(models):
    """Four samples each: one search alone, then more; what a search takes is the same."""
    alone, some, all_ = (largest_batch(models, rows) for rows in (1, 8, 128))
    assert alone == 4 < some <= all_ <= 7 * 4


def test_searches_begin_while_the_engine_can_keep_them(models, monkeypatch):
    from tts_explorer.runner import searches

    monkeypatch.setattr(searches, "KEPT", 100)
    assert largest_batch(models, 128) == 4


def largest_batch(models, rows):
    """The most samples under way at once."""
    policy, seen = models.policy("p"), []
    tick = type(policy).tick
    policy.tick = lambda: seen.append(len(policy.rows)) or tick(policy)
    assert len(searched(asks(7), models, Ended.of, rows=rows)) == 7
    return max(seen)


def test_one_that_fails_is_not_passed_over(models):
    models.policy("p").tick = lambda: 1 / 0
    with pytest.raises(TTSExplorerError, match="best_of_n on problem test/1/0 failed: p broke: ZeroDivisionError"):
        searched(asks(2), models, Ended.of)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, TTSExplorerError])
def test_models_can_be_searched_with_again_whatever_ended_a_search(models, stop):
    policy, expected = models.policy("p"), searched(asks(7), models_by_name(), Ended.of)

    def read(run):
        assert policy.rows
        raise stop

    with pytest.raises(stop):
        searched(asks(7), models, read, rows=12)
    assert not policy.rows
    assert searched(asks(7), models, Ended.of) == expected


def test_what_is_read_is_up_to_the_caller(models):
    assert searched(asks(2), models, lambda run: run.plan.seed) == [0, 1]
