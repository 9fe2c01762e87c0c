"""The course of a search: its iterations, what became of each node, and how varied what was left alive was after each iteration.

A fold over records, the same as the page's own (`assets/view/fold.js`); it draws nothing and asks no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tts_explorer.events import FeedbackGiven, LookedAhead, NodeAdded, NodeId, NodePruned, NodeScored, NodeSelected, Record
from tts_explorer.tree import Node, SearchTree

Fate = Literal["kept", "open", "waiting", "pruned", "duplicate", "finished", "selected"]
SAID_OF_NODES = (NodeScored, NodePruned, NodeSelected, LookedAhead, FeedbackGiven)


@dataclass(frozen=True, slots=True)
class Variety:
    """What was alive at the end of an iteration, that is: neither given up nor grown from."""

    alive: int
    ancestors: int
    """First steps that something alive descends from."""
    answers: int
    """Distinct answers found so far."""


@dataclass
class Course:
    """A tree and the order in which it came about."""

    tree: SearchTree = field(default_factory=SearchTree)
    iterations: list[list[NodeId]] = field(default_factory=lambda: [[]])
    """Nodes by iteration, in the order in which they were added; 0 is the time before the first sample."""
    iteration: dict[NodeId, int] = field(default_factory=lambda: {(): 0})
    varieties: list[Variety] = field(default_factory=list)
    """One an iteration, the first one's first."""
    scored: dict[NodeId, int] = field(default_factory=dict)
    """When a node was last scored, in events."""
    decided: dict[int, int] = field(default_factory=dict)
    """When a step of an iteration was last ruled out, duplicates aside."""
    events: int = 0
    growing: bool = False
    alive: set[NodeId] = field(default_factory=set)
    descent: Counter[NodeId] = field(default_factory=Counter)
    """How many alive nodes descend from a first step."""
    answers: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, records: Iterable[Record]) -> Course:
        """Fold a stream, or the beginning of one."""
        course = cls()
        for record in records:
            course._apply(record)
        if len(course.iterations) > 1:
            course._look()
        return course

    def _apply(self, record: Record) -> None:
        event = record.event
        self.events += 1
        if isinstance(event, SAID_OF_NODES):
            self.growing = False
        if isinstance(event, NodeAdded):
            self._added(event)
        elif isinstance(event, NodeScored):
            self.scored[event.node] = self.events
        elif isinstance(event, NodePruned):
            self._leave(event.node)
            if event.reason != "duplicate":
                self.decided[self.iteration[event.node]] = self.events
        self.tree.apply(event)

    def _added(self, event: NodeAdded) -> None:
        """An iteration begins with the first sample, and with each that comes after anything was said of a node."""
        if not self.growing:
            if len(self.iterations) > 1:
                self._look()
            self.growing = True
            self.iterations.append([])
        self.iterations[-1].append(event.node)
        self.iteration[event.node] = len(self.iterations) - 1
        self._leave(event.node[:-1])
        self.alive.add(event.node)
        self.descent[event.node[:1]] += 1
        if event.answer:
            self.answers.add(event.answer)

    def _leave(self, id: NodeId) -> None:
        if id in self.alive:
            self.alive.discard(id)
            self.descent[id[:1]] -= 1

    def _look(self) -> None:
        ancestors = sum(count > 0 for count in self.descent.values())
        self.varieties.append(Variety(len(self.alive), ancestors, len(self.answers)))

    def fate(self, id: NodeId) -> Fate:
        """What became of a node. A step is kept once something grew from it, or once others of its iteration were ruled out
        after it was scored and it was not."""
        node, tree = self.tree.nodes[id], self.tree
        if tree.selected and tree.selected.node == id:
            return "selected"
        if node.pruned is not None:
            return "duplicate" if node.pruned == "duplicate" else "pruned"
        if node.terminal:
            return "finished"
        if tree.grown.get(id) or self.scored.get(id, self.events + 1) < self.decided.get(self.iteration[id], 0):
            return "kept"
        unscored = id not in self.scored and tree.started is not None and tree.started.verifier
        return "waiting" if id and unscored else "open"

    def candidates(self, iteration: int) -> list[Node]:
        """An iteration's nodes by id, less those that another node of the same iteration continues."""
        ours = [self.tree.nodes[id] for id in sorted(self.iterations[iteration])]
        grown = {node.id[:-1] for node in ours}
        return [node for node in ours if node.id not in grown]

    def grade(self, node: Node) -> bool | None:
        """Whether the node's answer is right; None where there is none, or nobody knows."""
        return self.tree.grades.get(node.answer) if node.answer else None

    @property
    def shares(self) -> bool:
        """Whether weights are numbers of samples; else they are parts of 1."""
        return any((node.weight or 0) > 1 for node in self.tree.nodes.values())

    @property
    def best_path(self) -> set[NodeId]:
        """The nodes on the path to the answer, the root among them; empty without one."""
        chosen = self.tree.selected
        return {chosen.node[:depth] for depth in range(len(chosen.node) + 1)} if chosen else set()
