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


def settings(side: Side) -> dict[str, Fact]:
    """Everything that decided what was searched for, and how."""
    start = side.start
    known: dict[str, Any] = {
        "problem": start.problem,
        "task": start.task,
        "problem's id": start.problem_id,
        "truth": start.truth,
    }
    known |= {"strategy": start.strategy.replace("_", " ")} | start.settings
    known |= {"policy": start.policy, "verifier": start.verifier or "none"} | start.sampling
    known |= {"aggregate": start.aggregate, "answer rule": start.rule, "seed": start.seed}
    known |= {f"budget of {name}": limit for name, limit in start.budget.items()}
    known |= {"strategy's code": hashlib.sha256(start.source.encode()).hexdigest()[:8]} if start.source else {}
    known |= {f"version of {name}": shortened(version) for name, version in start.versions.items()}
    return {name: Fact(_spelt(value)) for name, value in known.items() if value not in (None, "")}


def shortened(version: str) -> str:
    """A version, or as much of a checksum as tells two apart."""
    return version[:23] + "…" if len(version) > 24 else version


def _spelt(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def outcome(side: Side) -> dict[str, Fact]:
    """How it ended, and what it found."""
    tree = side.tree
    finished = tree.finished()
    scores = [node.score for node in tree.nodes.values() if node.reward is not None]
    known = {"ended": Fact(ENDS.get(tree.status or "", "not ended") + (f": {tree.detail}" if tree.detail else ""))}
    if tree.selected is None:
        known["answer"] = Fact("none")
    else:
        known["answer"] = Fact(tree.selected.answer)
        known["right?"] = Fact({True: "✓ right", False: "✗ wrong", None: "? not known"}[tree.correct], good=tree.correct)
        node = tree.nodes[tree.selected.node]
        known |= {"its score": Fact(f"{node.score:.3f}")} if node.reward is not None else {}
    known["finished answers"] = Fact(f"{len(finished):,}", len(finished))
    known["distinct answers"] = Fact(str(len({node.answer for node in finished})), len({node.answer for node in finished}))
    right = [node for node in finished if node.answer and tree.grades.get(node.answer)]
    known |= {"right among them": Fact(f"{len(right):,}", len(right))} if tree.grades else {}
    return known | ({"best score of any step": Fact(f"{max(scores):.3f}")} if scores else {})


ENDS = {"done": "done", "budget": "budget spent", "cancelled": "stopped", "failed": "failed"}


def spent(side: Side) -> dict[str, Fact]:
    """What it took."""
    cost, nodes = side.cost, len(side.tree.nodes) - 1
    found = {
        "tokens sampled": (cost.tokens, f"{cost.tokens:,}"),
        "by the policy": (cost.policy.sampled_tokens, f"{cost.policy.sampled_tokens:,}"),
        "by the verifier": (cost.verifier.sampled_tokens, f"{cost.verifier.sampled_tokens:,}"),
        "FLOPs": (cost.flops, mega(cost.flops)),
        "FLOPs of the policy": (cost.policy.flops, mega(cost.policy.flops)),
        "FLOPs of the verifier": (cost.verifier.flops, mega(cost.verifier.flops)),
        "seconds": (side.records[-1].at, f"{side.records[-1].at:.2f}"),
        "steps": (nodes, f"{nodes:,}"),
        "iterations": (len(side.course.iterations) - 1, str(len(side.course.iterations) - 1)),
    }
    return {name: Fact(text, float(number)) for name, (number, text) in found.items()}


def mega(flops: float) -> str:
    """FLOPs as the rest of the page spells them.

    >>> mega(4.56e9)
    '4,560 M'
    """
    return f"{flops / 1e6:,.0f} M" if flops >= 1e6 or not flops else f"{flops / 1e6:.3g} M"


SECTIONS = {"Settings": settings, "Outcome": outcome, "Cost": spent}


def facts(sides: Sequence[Side]) -> dict[str, dict[str, list[Fact | None]]]:
    """By section and name, the fact of each side; None where a side has none of that name."""
    found: dict[str, dict[str, list[Fact | None]]] = {}
    for section, tell in SECTIONS.items():
        told = [tell(side) for side in sides]
        names = dict.fromkeys(name for known in told for name in known)
        found[section] = {name: [known.get(name) for known in told] for name in names}
    if len({side.start.strategy for side in sides}) > 1:
        found["Settings"].pop("strategy's code", None)
    return found
