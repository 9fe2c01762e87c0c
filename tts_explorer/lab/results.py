"""The searches of sweeps on disk: a line each in the session database, under all that decides what a search comes to.

A cell's `Key` is that without the number of the problem and the seed, which are a `Pair`. A line is written once and never
changed, so sweeps may share a database, at the same time too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timezone
from typing import Any

import orjson

from tts_explorer.errors import BadSession
from tts_explorer.runner import Run
from tts_explorer.store import Store
from tts_explorer.strategies import checked_settings

Key = tuple[Any, ...]
"""Values of `KEY`."""
KEY = (
    "task", "level", "split", "policy", "verifier", "strategy", "settings", "temperature", "max_step_tokens", "aggregate",
    "rule", "budget", "weights",
)  # fmt: skip
Pair = tuple[int, int]
"""The number of a problem, and a seed."""
LIBRARIES = ("torch", "transformers")
"""Versions that decide the last bits only: a newer one is no reason to measure again."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one search came to."""

    status: str
    correct: bool
    tokens: int
    """Sampled by both models."""
    policy_flops: float
    verifier_flops: float
    seconds: float
    """Of both models; of a batch, its share."""

    @classmethod
    def of(cls, run: Run) -> Result:
        tree, cost = run.tree, run.cost
        seconds = cost.policy.seconds + cost.verifier.seconds
        status, right = tree.status or "failed", tree.correct is True
        return cls(status, right, cost.tokens, cost.policy.flops, cost.verifier.flops, seconds)


@dataclass(frozen=True, slots=True)
class Cell:
    """What the searches of a cell came to. Means are of one search."""

    task: str
    level: int
    split: str
    first: int
    policy: str
    verifier: str | None
    """None where none was asked."""
    strategy: str
    settings: dict[str, Any]
    """All, defaults included."""
    temperature: float
    max_step_tokens: int
    aggregate: str
    rule: str
    """The one in force."""
    budget: dict[str, float]
    problems: int
    seeds: int
    correct: int
    total: int
    accuracy: float
    low: float
    high: float
    tokens: float
    """Sampled, by both models."""
    tokens_spread: float | None
    """How far the seeds of a problem lie apart: (most − least) / mean, the mean over problems. None with one seed."""
    flops: float
    """Of both models."""
    policy_flops: float
    verifier_flops: float
    seconds: float
    """Of both models; of a batch, a search's share."""
    cut: int
    """Searches that the budget stopped."""


def key_of(run: Run) -> Key:
    """The key of a task's search: settings in full, the rule in force, the digests of the weights."""
    plan, verifier = run.plan, run.verifier
    versions = run.policy.versions | (verifier.versions if verifier else {})
    split, level, _ = plan.problem.id.split("/")
    settings = checked_settings(plan.strategy, plan.settings)
    return (
        plan.problem.task, int(level), split, run.policy.name, verifier.name if verifier else "", plan.strategy.__name__,
        _spelt(settings), float(plan.temperature), plan.max_step_tokens, plan.aggregate, plan.answer_rule,
        _spelt({name: float(limit) for name, limit in plan.budget.items()}),
        _spelt({name: version for name, version in versions.items() if name not in LIBRARIES}),
    )  # fmt: skip


def _spelt(facts: Mapping[str, Any]) -> str:
    """JSON that is the same for equal facts."""
    return orjson.dumps(facts, option=orjson.OPT_SORT_KEYS).decode()


def kept(store: Store, key: Key) -> dict[Pair, Result]:
    """What is known of a cell."""
    names = ", ".join(field.name for field in fields(Result))
    where = " AND ".join(f"{name} = ?" for name in KEY)
    with store.reading() as connection:
        rows = connection.execute(f'SELECT "index", seed, {names} FROM results WHERE {where}', key).fetchall()
    return {(index, seed): Result(status, bool(correct), *costs) for index, seed, status, correct, *costs in rows}


def keep(store: Store, key: Key, found: Mapping[Pair, Result]) -> None:
    """Write a cell's searches in one transaction; what is there already stays as it is. Raises BadSession."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    rows = [(*key, *pair, *astuple(result), now) for pair, result in found.items()]
    names = [*KEY, '"index"', "seed", *(field.name for field in fields(Result)), "created"]
    insert = f"INSERT INTO results ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) ON CONFLICT DO NOTHING"
    try:
        with store.writing() as connection:
            connection.executemany(insert, rows)
    except sqlite3.Error as error:
        raise BadSession(f"the results could not be saved ({error}): make room, or choose another database with --db") from error
