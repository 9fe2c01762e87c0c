"""`bench engine`: a beam search through the engine and the plain way, by turns, on random weights of a known shape.

Both sides draw the same uniforms, so they should write the same steps. Where sums are rounded otherwise, a draw that falls
on the edge of two tokens can differ, and all below that step with it: the share of equal steps is part of the result.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from tts_explorer.bench.measure import by_turns, environment, ratio, spread
from tts_explorer.bench.plain import PlainPolicy, PlainPRM
from tts_explorer.bench.rounds import Course, Outcome, searched
from tts_explorer.bench.shapes import random_policy, random_verifier
from tts_explorer.models.base import Segment
from tts_explorer.models.decoder import Precision
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.prm import LocalPRM

CLOCKS = ("total", "policy", "verifier")
COUNTERS = ("calls", "rows_forwarded", "padding")
"""What an adapter may count of itself."""


class Side:
    """A policy and a verifier of one kind, on the weights that both sides share."""

    def __init__(self, policy: Any, verifier: Any, prompt: Segment):
        self.policy, self.verifier, self.prompt = policy, verifier, prompt
        self.counted: dict[str, int] = {}
        """Of the last search."""

    def search(self, course: Course, name: str) -> Outcome:
        before = self._counters()
        found = searched(course, self.policy, self.verifier, self.prompt, name)
        self.counted = {counter: now - before[counter] for counter, now in self._counters().items()}
        return found

    def _counters(self) -> dict[str, int]:
        return {name: getattr(self.policy, name) for name in COUNTERS if hasattr(self.policy, name)}

    @property
    def rows_a_call(self) -> float | None:
        """Mean rows in a forward of the last search."""
        calls = self.counted.get("calls")
        return self.counted["rows_forwarded"] / calls if calls else None


def bench_engine(course: Course, shape: str, *, repeat: int, threads: int, precision: Precision = None) -> dict[str, Any]:
    """Search `repeat` times with each side, by turns, after a round to warm up. Raises UnknownName.

    `precision` is that of the engine; the plain way has float32.
    """
    options = {"context": course.context, "threads": threads, "precision": precision}
    policy, verifier = random_policy(shape, **options), random_verifier(shape, **options)
    prompt = course.opening(policy.model.config.vocab_size)
    sides = {
        "engine": Side(LocalPolicy(policy, rows=course.n), LocalPRM(verifier, rows=course.n), prompt),
        "plain": Side(PlainPolicy(policy, rows=course.n), PlainPRM(verifier, rows=course.n), prompt),
    }
    about = environment(threads)
    for side in sides.values():
        side.search(replace(course, rounds=1), "warm")
    found = by_turns({name: lambda i, side=side: side.search(course, f"{i}") for name, side in sides.items()}, repeat)
    return {
        "bench": "engine",
        "settings": {"shape": shape, **asdict(course), "precision": precision or "float32", "repeat": repeat},
        "environment": about,
        "results": [line(name, side, found[name], course) for name, side in sides.items()],
        "figures": compared(found["engine"], found["plain"], course),
    }


def line(name: str, side: Side, found: list[Outcome], course: Course) -> dict[str, Any]:
    """One side's seconds, and the tokens of its last search."""
    forwarded, unique = found[-1].forwarded, course.prompt + found[-1].sampled
    return {
        "side": name,
        **{f"{clock}_cpu_s": spread([getattr(outcome, clock).cpu for outcome in found]) for clock in CLOCKS},
        "wall_s": spread([outcome.total.wall for outcome in found]),
        **{f"{role}_forwarded": tokens for role, tokens in forwarded.items()},
        **{f"{role}_per_unique": tokens / unique for role, tokens in forwarded.items()},
        "policy_padding": side.counted.get("padding"),
        "rows_a_call": side.rows_a_call,
    }


def compared(engine: list[Outcome], plain: list[Outcome], course: Course) -> dict[str, Any]:
    """Ratios of CPU time, plain over engine, and whether both did the same."""
    pairs = {clock: [[getattr(outcome, clock).cpu for outcome in side] for side in (plain, engine)] for clock in CLOCKS}
    ours, theirs = engine[-1], plain[-1]
    nodes = ours.steps.keys() | theirs.steps.keys()
    equal = [node for node in nodes if ours.steps.get(node) == theirs.steps.get(node)]
    return {
        **{f"plain_over_engine_{clock}": ratio(*pair) for clock, pair in pairs.items()},
        "unique_tokens": course.prompt + ours.sampled,
        "steps": len(ours.steps),
        "equal_steps": len(equal),
        "share_equal": len(equal) / len(nodes),
        "largest_reward_difference": max((abs(ours.rewards[node] - theirs.rewards[node]) for node in equal), default=None),
        "range_of_rewards": max(ours.rewards.values()) - min(ours.rewards.values()),
    }
