"""The tree of partial solutions, as a fold over events. Nothing else changes a tree, and a tree knows no model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from tts_explorer.errors import BadSetting, NotScored
from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    Event,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodeId,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    SearchFinished,
    SearchStarted,
    Status,
    Stop,
    Verdict,
)

AGGREGATES: dict[str, Callable[[list[float]], float]] = {
    "last": lambda rewards: rewards[-1],
    "min": min,
    "prod": math.prod,
    "mean": lambda rewards: sum(rewards) / len(rewards),
}
"""From the rewards of a path's steps, first to last, to its score."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step in its place. Immutable: the tree swaps in a new one when something is learnt."""

    id: NodeId
    text: str = ""
    tokens: int = 0
    logprob: float = 0.0
    stop: Stop = "step"
    terminal: bool = False
    answer: str | None = None
    greedy: bool = False
    revises: NodeId | None = None
    certainty: float | None = None
    """Sum over its tokens of KL(uniform ‖ the model's distribution), in nats."""
    reward: float | None = None
    """The verifier's word on this step, in [0, 1]."""
    verdicts: tuple[Verdict, ...] = ()
    lookahead: str | None = None
    """The greedy steps rolled out after it for its score; not part of the tree. None where there was no look-ahead."""
    feedback: tuple[FeedbackGiven, ...] = ()
    """What was said of it, in the order in which it was given; only finished nodes get any."""
    aggregated: float | None = None
    """None before the verifier was asked, −inf if it failed, else the aggregate of the path's rewards."""
    pruned: str | None = None
    """Why the strategy gave up on it."""
    visits: int | None = None
    value: float | None = None
    weight: float | None = None

    @property
    def score(self) -> float:
        """What strategies rank by; −inf if the verifier failed. Raises NotScored if it was never asked."""
        if self.aggregated is None:
            raise NotScored(f"node {self.id} has no score yet: yield Score([node]) before ranking it")
        return self.aggregated

    @property
    def scored(self) -> bool:
        """Whether the verifier was asked."""
        return self.aggregated is not None

    @property
    def depth(self) -> int:
        return len(self.id)


@dataclass
class SearchTree:
    """Everything that a stream says about nodes and answers; costs are folded in `cost`."""

    started: SearchStarted | None = None
    aggregate: str = "last"
    nodes: dict[NodeId, Node] = field(default_factory=lambda: {(): Node(())})
    """In the order in which they were added, the root first."""
    grown: dict[NodeId, list[NodeId]] = field(default_factory=dict)
    order: dict[NodeId, tuple[int, NodeId]] = field(default_factory=dict)
    """Which node comes first: by move, and within one by id, however the samples of a move came in."""
    moves: int = 0
    """Moves that have been paid for."""
    selected: AnswerSelected | None = None
    grades: dict[str, bool | None] = field(default_factory=dict)
    notes: list[Noted] = field(default_factory=list)
    status: Status | None = None
    """None while the search runs."""
    detail: str = ""

    @classmethod
    def of(cls, events: Iterable[Event], aggregate: str | None = None) -> SearchTree:
        """Fold a whole stream, as replay does; under another `aggregate` than the stream's own if one is given."""
        tree = cls()
        for event in events:
            tree.apply(event)
            if isinstance(event, SearchStarted) and aggregate is not None:
                tree.aggregate = require_aggregate(aggregate)
        return tree

    def apply(self, event: Event) -> None:
        """Learn one event."""
        match event:
            case NodeAdded(id, text, tokens, logprob, stop, terminal, answer, greedy, revises, certainty):
                self.nodes[id] = Node(id, text, tokens, logprob, stop, terminal, answer, greedy, revises, certainty)
                self.grown.setdefault(id[:-1], []).append(id)
                self.order[id] = (self.moves, id)
            case NodeScored(id, reward, verdicts):
                self.nodes[id] = replace(self.nodes[id], reward=reward, verdicts=verdicts, aggregated=-math.inf)
                self._aggregate_from(id)
            case LookedAhead(id, text):
                self.nodes[id] = replace(self.nodes[id], lookahead=text)
            case FeedbackGiven(id):
                self.nodes[id] = replace(self.nodes[id], feedback=(*self.nodes[id].feedback, event))
            case NodePruned(id, reason):
                self.nodes[id] = replace(self.nodes[id], pruned=reason)
            case NodeSelected(id, visits, value, weight):
                self.nodes[id] = replace(self.nodes[id], visits=visits, value=value, weight=weight)
            case CostIncurred():
                self.moves += 1
            case Noted():
                self.notes.append(event)
            case AnswerSelected():
                self.selected = event
            case AnswerGraded(answer, correct):
                self.grades[answer] = correct
            case SearchStarted():
                self.started, self.aggregate = event, event.aggregate
            case SearchFinished(status, detail):
                self.status, self.detail = status, detail

    def _aggregate_from(self, id: NodeId) -> None:
        """Work out the score of `id`, and again that of what grew from it."""
        todo = [id]
        while todo:
            node = self.nodes[todo.pop()]
            if node.reward is not None:
                rewards = [step.reward for step in self.steps(node.id) if step.reward is not None]
                self.nodes[node.id] = replace(node, aggregated=AGGREGATES[self.aggregate](rewards))
            todo += self.grown.get(node.id, ())

    def path(self, id: NodeId) -> list[Node]:
        """Nodes from the root's child down to `id`."""
        return [self.nodes[id[: i + 1]] for i in range(len(id))]

    def steps(self, id: NodeId) -> list[Node]:
        """The path to `id` without the fragments that the next node continues."""
        path = self.path(id)
        return [node for node, after in zip(path, [*path[1:], None], strict=True) if node.stop != "length" or after is None]

    def text(self, id: NodeId) -> str:
        """The path's text."""
        return "".join(node.text for node in self.path(id))

    def children(self, id: NodeId) -> list[Node]:
        """Children of `id`, in the order in which they were added."""
        return [self.nodes[child] for child in self.grown.get(id, ())]

    def finished(self) -> list[Node]:
        """Nodes with an answer, the earlier move's first and within a move by id; merged twins among them."""
        return sorted((node for node in self.nodes.values() if node.answer), key=lambda node: self.order[node.id])

    @property
    def independent(self) -> bool:
        """Whether its answers were sampled whole, none with regard to another: no step shared, pruned, weighed or revised."""
        alone = all(len(children) == 1 for id, children in self.grown.items() if id)
        learnt = ((n.visits, n.value, n.weight, n.pruned, n.revises) for n in self.nodes.values())
        return alone and all(facts == (None,) * 5 for facts in learnt)

    @property
    def correct(self) -> bool | None:
        """Whether the selected answer is right; None if there is none, or no truth."""
        return self.grades.get(self.selected.answer) if self.selected else None


def require_aggregate(name: str) -> str:
    """`name`, if it is an aggregate. Raises BadSetting."""
    if name not in AGGREGATES:
        raise BadSetting(f"no aggregate {name!r}: choose one of {', '.join(AGGREGATES)}")
    return name
