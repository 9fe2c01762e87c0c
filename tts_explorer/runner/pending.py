"""The move under way: what it waits for, what it answers with, what it has spent. And what a path looks like to a verifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tts_explorer.events import CostIncurred, NodeId, Role, Stop
from tts_explorer.models.base import Segment, Spend
from tts_explorer.moves import Move
from tts_explorer.tree import Node, SearchTree


@dataclass(frozen=True, slots=True)
class Ahead:
    """One step of a look-ahead."""

    ids: Segment
    text: str
    stop: Stop
    logprob: float
    certainty: float | None


@dataclass
class Pending:
    """One move between its question and its answer."""

    move: Move
    missing: set[NodeId] = field(default_factory=set)
    """Nodes whose sample, or whose path's rewards, are still to come."""
    targets: list[NodeId] = field(default_factory=list)
    """What the strategy will be answered with, in order; a chain moves its own target on."""
    judged: dict[NodeId, list[NodeId | None]] = field(default_factory=dict)
    """Path asked about: for each of its steps the node that wants the reward, or None."""
    ahead: dict[NodeId, list[Ahead]] = field(default_factory=dict)
    """Steps written ahead of each node."""
    then: Callable[[], None] | None = None
    """What is left to do of this move once nothing is missing."""
    spend: dict[Role, Spend] = field(default_factory=dict)
    seconds: dict[Role, float] = field(default_factory=dict)
    apportioned: bool = False

    def take_up(self) -> None:
        """Do what is left of this move, if anything is."""
        then, self.then = self.then, None
        if then is not None:
            then()

    def spent(self, role: Role, spend: Spend, *, first: bool = True) -> None:
        """Add to the move's cost. A prompt is asked for once an answer, by the `first` step of a chain."""
        asked = spend.prompt_tokens if first else 0
        counted = Spend(asked, spend.forwarded_tokens, spend.sampled_tokens, spend.flops)
        self.spend[role] = self.spend.get(role, Spend()) + counted

    def took_time(self, role: Role, seconds: float, *, apportioned: bool) -> None:
        """Add this search's share of a model's time."""
        self.seconds[role] = self.seconds.get(role, 0.0) + seconds
        self.apportioned |= apportioned

    def costs(self) -> Iterator[CostIncurred]:
        """One event for each model that the move used."""
        for role, spend in sorted(self.spend.items()):
            counts = (spend.prompt_tokens, spend.forwarded_tokens, spend.sampled_tokens)
            yield CostIncurred(role, *counts, spend.flops, round(self.seconds.get(role, 0.0), 4), self.apportioned)


def whole_steps(tree: SearchTree, id: NodeId, ahead: Sequence[Ahead] = ()) -> list[tuple[str, NodeId]]:
    """The steps on the path to `id`, and those `ahead` of it, as a verifier reads them, each with the node that ends it.

    A fragment is joined with what continues it; the last step may be a fragment itself. What is ahead counts as `id`'s.
    """
    steps, text = [], ""
    pieces = [(node.text, node.stop, node.id) for node in tree.path(id)] + [(step.text, step.stop, id) for step in ahead]
    for place, (piece, stop, node) in enumerate(pieces, start=1):
        text += piece
        if stop != "length" or place == len(pieces):
            steps.append((text, node))
            text = ""
    return steps


def open_fragment(tree: SearchTree, id: NodeId) -> str:
    """The text that a child of `id` would continue: empty unless the path ends in a fragment."""
    return whole_steps(tree, id)[-1][0] if id and tree.nodes[id].stop == "length" else ""


def twins_among(nodes: Sequence[Node], born: dict[NodeId, int], whole: set[NodeId]) -> dict[NodeId, NodeId]:
    """For each later one of equal steps that one move sampled after one parent: the first of them.

    Nodes in `whole` were sampled to an answer's end and are nobody's twins.
    """
    first: dict[tuple[Any, ...], NodeId] = {}
    twins = {}
    for node in nodes:
        same = (node.id[:-1], node.text, node.stop, born.get(node.id))
        if node.id not in whole and first.setdefault(same, node.id) != node.id:
            twins[node.id] = first[same]
    return twins
