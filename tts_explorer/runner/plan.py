"""What to run, and the work that a run asks of the models."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

from tts_explorer.answers import require_rule
from tts_explorer.errors import BadSetting
from tts_explorer.events import NodeId, SearchStarted, clean
from tts_explorer.models.base import Key, Policy, Segment, Verifier
from tts_explorer.moves import Search
from tts_explorer.outcomes import Outcome
from tts_explorer.strategies import Strategy, checked_settings, default_rule, draws
from tts_explorer.tasks.base import Problem, Task
from tts_explorer.tree import Node, require_aggregate

Scorer = Verifier | Outcome
"""What may judge a search."""
BUDGETS = ("nodes", "tokens", "flops", "seconds")


@dataclass(frozen=True, slots=True)
class Plan:
    """One search to come. `task` is None for a text that no task can grade. Raises BadSetting when made with nonsense."""

    problem: Problem
    task: Task | None
    strategy: Strategy
    settings: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    temperature: float = 1.0
    max_step_tokens: int = 128
    aggregate: str = "last"
    rule: str | None = None
    """None for the strategy's own."""
    budget: dict[str, float] = field(default_factory=dict)
    """Any of `BUDGETS`, each more than 0."""
    parent: str | None = None

    def __post_init__(self) -> None:
        require_aggregate(self.aggregate)
        if self.rule is not None:
            require_rule(self.rule)
        if not self.problem.text.strip():
            raise BadSetting("the problem is empty: type one, or choose a task, a level and an index")
        if not 0 <= self.seed < 2**63:
            raise BadSetting("seed is {seed}: it must be a whole number from 0 to {most}", seed=self.seed, most=2**63 - 1)
        if not 0 <= self.temperature <= 10:
            raise BadSetting("temperature is {value}: it must be between 0 and 10", value=self.temperature)
        if not 1 <= self.max_step_tokens <= 4096:
            raise BadSetting("max_step_tokens is {value}: it must be between 1 and 4096", value=self.max_step_tokens)
        for name, value in self.budget.items():
            if name not in BUDGETS:
                raise BadSetting("no budget of {name!r}: choose one of {known}", name=name, known=", ".join(BUDGETS))
            if not 0 < value < math.inf:
                raise BadSetting("the budget of {name} is {value}: it must be more than 0", name=name, value=value)

    def check(self) -> None:
        """Try the strategy's settings and its first move, so that nothing is loaded for a search that can't begin."""
        search = self.begin(Node(()), checked_settings(self.strategy, self.settings))
        next(search, None)
        search.close()

    def begin(self, root: Node, settings: dict[str, Any]) -> Search:
        """The strategy at its start. Its own random numbers, if it draws any, depend on the seed alone."""
        supplied = {"rng": random.Random(f"{self.seed}:strategy")} if draws(self.strategy) else {}
        return self.strategy(root, **settings, **supplied)

    def opening(self, settings: dict[str, Any], source: str, policy: Policy, verifier: Scorer | None) -> SearchStarted:
        """The first event: all that is needed to run the search again. `settings` are those in force."""
        return SearchStarted(
            problem=clean(self.problem.text),
            strategy=self.strategy.__name__,
            started=datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            task=self.problem.task or None,
            problem_id=self.problem.id or None,
            truth=clean(self.problem.truth) or None,
            settings=settings,
            source=source,
            policy=policy.name,
            verifier=verifier.name if verifier else None,
            sampling={"temperature": self.temperature, "max_step_tokens": self.max_step_tokens},
            aggregate=self.aggregate,
            rule=self.answer_rule,
            seed=self.seed,
            budget=dict(self.budget),
            parent=self.parent,
            versions=policy.versions | (verifier.versions if verifier else {}),
        )

    @property
    def answer_rule(self) -> str:
        """The rule given, or the strategy's own."""
        return self.rule or default_rule(self.strategy)


@dataclass(frozen=True, slots=True)
class Request:
    """Work that a run wants done: a sample for a new node, a step ahead of one, or rewards for the steps of the path to one."""

    purpose: Literal["sample", "look", "judge"]
    node: NodeId
    prompt: tuple[Segment, ...]
    steps: tuple[Segment, ...] = ()
    greedy: bool = False
    place: int = 0
    """Of a step ahead: how many came before it."""
    votes: range = range(0)
    """Of a judgement in words: the numbers of the verdicts wanted."""

    def key(self, search: str) -> Key:
        """Names this piece of work to a model: the search, the purpose, the node."""
        return (search, self.purpose, self.node, *([self.place] if self.purpose == "look" else []))
