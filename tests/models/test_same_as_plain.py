"""Whole searches through the engine and in the plain way find the same steps, token for token, in double precision.

In single precision a draw now and then lies so near the edge of two tokens that rounding decides it.
"""

from __future__ import annotations

from operator import attrgetter

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification
from worlds import SMALL, STRATEGIES, TASK, drive, only, search
from writers import reader_in, writer_in

from tts_explorer.bench.plain import PlainPolicy, PlainPRM
from tts_explorer.events import AnswerSelected, FeedbackGiven, LookedAhead, NodeAdded, NodePruned, NodeScored
from tts_explorer.models.attention import WORTH
from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.judge import Judge
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.prm import LocalPRM
from tts_explorer.strategies import needs_words, scores, strategy_named, strategy_names

SEEDS = range(50)
SHORT = {name: {"n": 4, "beam_width": 2, "max_depth": 3} for name in ("beam_search", "dvts", "lookahead_search")}
OPTIONS = {"threads": 1, "dtype": torch.float64}
KINDS = AutoModelForCausalLM, AutoModelForTokenClassification


@pytest.fixture(scope="module")
def bytes_at_random(policy_folder, prm_folder):
    """Policy and verifier; most steps are cut at their length."""
    return [read_checkpoint("tiny", *pair, **OPTIONS) for pair in zip((policy_folder, prm_folder), KINDS, strict=True)]


@pytest.fixture(scope="module")
def letters_in_steps(tmp_path_factory):
    """Policy and verifier; most steps end in the delimiter."""
    home = tmp_path_factory.mktemp("writer")
    folders = writer_in(home / "policy", context=128), reader_in(home / "prm", context=128)
    return [read_checkpoint("tiny", *pair, **OPTIONS) for pair in zip(folders, KINDS, strict=True)]


def judging(writer):
    """A judge that asks little, of a writer that says "a" or "b" where others say yes or no."""
    writer.verification = lambda text: (writer.problem(text), writer.step("?"))
    writer.odds = lambda: (frozenset(writer.step("a")), frozenset(writer.step("b")))
    return Judge(writer)


def searches(strategy, policy, verifier):
    """The streams of one search a seed, on a problem of its own, all of them under way together."""
    plan = {"settings": SMALL[strategy] | SHORT.get(strategy, {}), "max_step_tokens": 14}
    problems = [TASK.parse(f"Bo has {seed + 2} figs. Bo finds 3 figs. How many figs are left?") for seed in SEEDS]
    runs = (search(strategy, policy, verifier, seed=i, problem=problem, id=str(i), **plan) for i, problem in enumerate(problems))
    return drive(*runs)


def steps(records):
    return {event.node: (event.text, event.tokens, event.stop, event.answer) for event in only(records, NodeAdded)}


WHOLE = ("greedy", "self_consistency", "best_of_n")
CASES = [("bytes_at_random", strategy, WORTH) for strategy in (*WHOLE, "beam_search")]
CASES += [("letters_in_steps", strategy, 8) for strategy in STRATEGIES if strategy not in WHOLE]
"""The last is the length from which siblings attend to their path together."""


def test_every_strategy_is_tried():
    assert {strategy for _, strategy, _ in CASES} == set(strategy_names())


@pytest.mark.parametrize(("models", "strategy", "worth"), CASES)
def test_both_find_the_same_steps_on_fifty_seeds(models, strategy, worth, request):
    policy, prm = request.getfixturevalue(models)
    words = needs_words(strategy_named(strategy), {})
    plain = searches(strategy, PlainPolicy(policy, rows=64), judging(PlainPolicy(policy, rows=64)) if words else PlainPRM(prm))
    sharing = LocalPolicy(policy, rows=64)
    sharing.batch.worth = worth
    engine = searches(strategy, sharing, judging(LocalPolicy(policy, rows=64)) if words else LocalPRM(prm, rows=64))
    for mine, other in zip(engine, plain, strict=True):
        assert steps(mine) == steps(other)
        logprobs = [{event.node: event.logprob for event in only(records, NodeAdded)} for records in (mine, other)]
        assert logprobs[0] == pytest.approx(logprobs[1], abs=2e-4)
        rewards = [{event.node: event.reward for event in only(records, NodeScored)} for records in (mine, other)]
        assert rewards[0] == pytest.approx(rewards[1], abs=1e-5) and bool(rewards[0]) == scores(strategy_named(strategy))
        for kind in (LookedAhead, FeedbackGiven):
            assert sorted(only(mine, kind), key=attrgetter("node")) == sorted(only(other, kind), key=attrgetter("node"))
        said = [
            {e.node: [verdict.text for verdict in e.verdicts] for e in only(records, NodeScored)} for records in (mine, other)
        ]
        assert said[0] == said[1]
        assert sorted((e.node, e.reason) for e in only(mine, NodePruned)) == sorted(
            (e.node, e.reason) for e in only(other, NodePruned)
        )
        assert [e.node for e in only(mine, AnswerSelected)] == [e.node for e in only(other, AnswerSelected)]
    assert len({frozenset(steps(records).items()) for records in engine}) > 40
    kind = {"lookahead_search": LookedAhead, "sequential_refinement": FeedbackGiven}.get(strategy, NodeAdded)
    assert all(only(records, kind) for records in engine)
    assert not words or sum(bool(event.verdicts) for records in engine for event in only(records, NodeScored)) > 50
