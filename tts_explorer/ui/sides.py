"""The sides of a comparison: a session under its letter, folded, and its facts as people read them.

It knows no component; `differences` sets the facts of several sides against one another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tts_explorer.cost import Cost
from tts_explorer.events import Record, SearchStarted
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import SearchTree
from tts_explorer.viz.course import Course


@dataclass(frozen=True, slots=True)
class Fact:
    """A value as text, and as a number where sides can be told apart by how many times it is."""

    text: str
    number: float | None = None
    good: bool | None = None
    """Whether it says right or wrong."""


@dataclass
class Side:
    """One session of a comparison."""

    lane: str
    """a, b, c or d."""
    id: str
    records: list[Record] = field(repr=False)

    @cached_property
    def course(self) -> Course:
        return Course.of(self.records)

    @property
    def tree(self) -> SearchTree:
        return self.course.tree

    @cached_property
    def cost(self) -> Cost:
        return Cost.of(record.event for record in self.records)

    @property
    def start(self) -> SearchStarted:
        event = self.records[0].event
        assert isinstance(event, SearchStarted)
        return event

    @property
    def name(self) -> str:
        """`A · beam search n=16`."""
        n = self.start.settings.get("n")
        return f"{self.lane.upper()} · {self.start.strategy.replace('_', ' ')}{f' n={n}' if n is not None else ''}"


def settings(side: Side, say: Tongue = ENGLISH) -> dict[str, Fact]:
    """Everything that decided what was searched for, and how. Names of settings are the strategies' own."""
    start = side.start
    known: dict[str, Any] = {
        say("problem"): start.problem,
        say("task"): start.task,
        say("problem's id"): start.problem_id,
        say("truth"): start.truth,
        say("strategy"): start.strategy.replace("_", " "),
    } | start.settings
    known |= {say("policy"): start.policy, say("verifier"): start.verifier or say("none")} | start.sampling
    known |= {say("aggregate"): start.aggregate, say("answer rule"): start.rule, say("seed"): start.seed}
    known |= {say("budget of {name}", name=name): limit for name, limit in start.budget.items()}
    known |= {say(CODE): hashlib.sha256(start.source.encode()).hexdigest()[:8]} if start.source else {}
    known |= {say("version of {name}", name=name): shortened(version) for name, version in start.versions.items()}
    return {name: Fact(_spelt(value, say)) for name, value in known.items() if value not in (None, "")}


def shortened(version: str) -> str:
    """A version, or as much of a checksum as tells two apart."""
    return version[:23] + "…" if len(version) > 24 else version


def _spelt(value: Any, say: Tongue) -> str:
    return say.number(value, "g") if isinstance(value, float) else str(value)


def outcome(side: Side, say: Tongue = ENGLISH) -> dict[str, Fact]:
    """How it ended, and what it found."""
    tree = side.tree
    finished = tree.finished()
    scores = [node.score for node in tree.nodes.values() if node.reward is not None]
    end = say(ENDS[tree.status]) if tree.status in ENDS else say("not ended")
    known = {say("ended"): Fact(end + (f": {tree.detail}" if tree.detail else "")), **_answer(side, say)}
    known[say("finished answers")] = Fact(say.number(len(finished)), len(finished))
    distinct = len({node.answer for node in finished})
    known[say("distinct answers")] = Fact(str(distinct), distinct)
    right = [node for node in finished if node.answer and tree.grades.get(node.answer)]
    known |= {say("right among them"): Fact(say.number(len(right)), len(right))} if tree.grades else {}
    return known | ({say("best score of any step"): Fact(say.number(max(scores), ".3f"))} if scores else {})


def _answer(side: Side, say: Tongue) -> dict[str, Fact]:
    """The answer, whether it is right, and its score."""
    tree = side.tree
    if tree.selected is None:
        return {say("answer"): Fact(say("no answer"))}
    known = {say("answer"): Fact(tree.selected.answer), say("right?"): Fact(say(GRADES[tree.correct]), good=tree.correct)}
    node = tree.nodes[tree.selected.node]
    return known | ({say("its score"): Fact(say.number(node.score, ".3f"))} if node.reward is not None else {})


CODE = "strategy's code"
ENDS = {"done": "done", "budget": "budget spent", "cancelled": "stopped", "failed": "failed"}
GRADES = {True: "✓ right", False: "✗ wrong", None: "? not known"}


def spent(side: Side, say: Tongue = ENGLISH) -> dict[str, Fact]:
    """What it took."""
    cost = side.cost
    counts = {
        say("tokens sampled"): cost.tokens,
        say("by the policy"): cost.policy.sampled_tokens,
        say("by the verifier"): cost.verifier.sampled_tokens,
    }
    flops = {
        say("FLOPs"): cost.flops,
        say("FLOPs of the policy"): cost.policy.flops,
        say("FLOPs of the verifier"): cost.verifier.flops,
    }
    found = {name: Fact(say.number(number), number) for name, number in counts.items()}
    found |= {name: Fact(mega(number, say), number) for name, number in flops.items()}
    nodes, iterations, took = len(side.tree.nodes) - 1, len(side.course.iterations) - 1, side.records[-1].at
    return found | {
        say("seconds"): Fact(say.number(took, ".2f"), took),
        say("steps"): Fact(say.number(nodes), nodes),
        say("iterations"): Fact(str(iterations), iterations),
    }


def mega(flops: float, say: Tongue = ENGLISH) -> str:
    """FLOPs as the rest of the page spells them.

    >>> mega(4.56e9)
    '4,560 M'
    """
    return say.number(flops / 1e6, ",.0f" if flops >= 1e6 or not flops else ".3g") + " M"


def facts(sides: Sequence[Side], say: Tongue = ENGLISH) -> dict[str, dict[str, list[Fact | None]]]:
    """By section and name, the fact of each side; None where a side has none of that name."""
    found: dict[str, dict[str, list[Fact | None]]] = {}
    for section, tell in ((say("Settings"), settings), (say("Outcome"), outcome), (say("Cost"), spent)):
        told = [tell(side, say) for side in sides]
        names = dict.fromkeys(name for known in told for name in known)
        found[section] = {name: [known.get(name) for known in told] for name in names}
    if len({side.start.strategy for side in sides}) > 1:
        found[say("Settings")].pop(say(CODE), None)
    return found
