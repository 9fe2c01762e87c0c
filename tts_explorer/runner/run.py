"""One search under way: it turns a strategy's moves into work for the models, and what comes back into events.

A run never calls a model. The loop takes its `requests`, hands it results (`took_sample`, `took_judgement`), and stops it;
nothing else writes an event. It knows no batch and no other search.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import GeneratorType
from typing import Any, cast

from tts_explorer import answers
from tts_explorer.cost import Cost
from tts_explorer.errors import BadMove
from tts_explorer.events import (
    AnswerGraded,
    Event,
    NodeId,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    Record,
    Role,
    SearchFinished,
    Status,
    clean,
    dotted,
)
from tts_explorer.models.base import NOTHING, Judgement, Key, Policy, Sample, Segment, Spend
from tts_explorer.moves import Expand, Move, Note, Prune, Revise, Score
from tts_explorer.runner import revising, scoring
from tts_explorer.runner.fitting import require_fitting
from tts_explorer.runner.pending import Pending
from tts_explorer.runner.plan import Plan, Request, Scorer
from tts_explorer.runner.written import node_added
from tts_explorer.strategies import checked_settings, source_of
from tts_explorer.tree import SearchTree


class Run:
    """One search under way. Making one takes the strategy's first move, so a bad setting raises before anything is spent."""

    def __init__(
        self,
        plan: Plan,
        policy: Policy,
        verifier: Scorer | None,
        *,
        id: str = "",
        notes: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ):
        self.plan, self.policy, self.verifier, self.id, self.clock = plan, policy, verifier, id, clock
        settings = checked_settings(plan.strategy, plan.settings)
        require_fitting(plan, settings, verifier)
        source, self.first_line = source_of(plan.strategy)
        self.tree, self.cost, text = SearchTree(), Cost(), clean(plan.problem.text)
        self.segments: dict[NodeId, Segment] = {(): policy.problem(text)}
        self.openings: dict[NodeId, tuple[Segment, ...]] = {}
        """Of the first node of a revised attempt: what the policy reads before it."""
        self.revises: dict[NodeId, NodeId] = {}
        self.judged: Segment = verifier.problem(text) if verifier else ()
        self.born: dict[NodeId, int] = {}
        self.whole: set[NodeId] = set()
        self.votes: dict[NodeId, int] = {}
        """Verdicts asked for, those that came to nothing among them."""
        self.outbox: list[Record] = []
        self.requests: list[Request] = []
        self.over: list[Key] = []
        """Work that nothing goes on from: its models may forget it."""
        self.pending: Pending | None = None
        self.moves = self.seq = 0
        self.line: int | None = None
        self.cancelled = False
        self.search = plan.begin(self.tree.nodes[()], settings)
        first = next(self.search, None)
        self.began = clock()
        self.emit(plan.opening(settings, source, policy, verifier))
        for note in [*notes, *([verifier.note] if verifier and verifier.note else [])]:
            self.emit(Noted("info", note))
        self._play(first) if first is not None else self.finish("done")

    @property
    def live(self) -> bool:
        """Whether the search still goes on."""
        return self.tree.status is None

    @property
    def writers(self) -> list[Any]:
        """The models that sample text for it."""
        return [self.policy, *([self.verifier] if self.verifier is not None and self.verifier.writes else [])]

    def emit(self, event: Event) -> None:
        self.outbox.append(Record(self.seq, round(self.clock() - self.began, 4), self.line, event))
        self.seq += 1
        self.tree.apply(event)
        self.cost.apply(event)

    # From the strategy: announcements become events at once, questions become requests.

    def _play(self, move: Move | None = None) -> None:
        """Begin `move`, or answer the one under way; go on until one has to wait for a model.

        The strategy's own errors fail this run alone.
        """
        try:
            move = move or self._next()
            while move is not None:
                self._begin(move)
                if self._waits():
                    return
                move = self._next()
        except Exception as error:
            self.finish("failed", f"{type(error).__name__} in {self.plan.strategy.__name__}: {error}")
        self.finish("done")

    def _next(self) -> Move | None:
        """Answer the move under way; the strategy's next one, or None at its end."""
        answer = [self.tree.nodes[id] for id in self._close()]
        try:
            return self.search.send(answer)
        except StopIteration:
            return None

    def _begin(self, move: Move) -> None:
        frame = cast("GeneratorType[Any, Any, Any]", self.search).gi_frame
        self.line = frame.f_lineno - self.first_line + 1
        self.moves += 1
        self.pending = Pending(move, targets=[node.id for node in move.nodes])
        if isinstance(move, Expand):
            self._expand(move)
        elif isinstance(move, Score):
            scoring.begin(self, move)
        elif isinstance(move, Revise):
            revising.begin(self, move)
        elif isinstance(move, Note):
            self.emit(Noted(move.level, clean(move.message)))
        elif isinstance(move, Prune):
            for node in move.nodes:
                self.emit(NodePruned(node.id, move.reason))
        else:
            for i, node in enumerate(move.nodes):
                numbers = [column and column[i] for column in (move.visits, move.values, move.weights)]
                self.emit(NodeSelected(node.id, *(n if n is not None and math.isfinite(n) else None for n in numbers)))

    def _expand(self, move: Expand) -> None:
        born = {node.id: len(self.tree.grown.get(node.id, ())) for node in move.nodes}
        self.pending.targets = []
        for node, count in zip(move.nodes, move.counts, strict=True):
            if count and (node.terminal or self.tree.nodes[node.id].pruned):
                raise BadMove(f"node {node.id} is {'finished' if node.terminal else 'pruned'}, so it can't be expanded")
            self.pending.targets += [(*node.id, born[node.id] + i) for i in range(count)]
            born[node.id] += count
        for target in self.pending.targets:
            self.ask_sample(target, to_end=move.to_end, greedy=move.greedy)

    def ask_sample(self, node: NodeId, *, to_end: bool, greedy: bool = False) -> None:
        self.born[node] = self.moves
        if to_end:
            self.whole.add(node)
        self.pending.missing.add(node)
        self.requests.append(Request("sample", node, self.before(node), greedy=greedy))

    def before(self, node: NodeId) -> tuple[Segment, ...]:
        """What the policy reads before it writes `node`."""
        opening = self.openings.get(node[:1], (self.segments[()],))
        return (*opening, *(self.segments[node[:depth]] for depth in range(1, len(node))))

    def settle(self) -> None:
        """Go on with what is left of this move, or with the next one, once nothing is missing."""
        if not self._waits():
            self._play()

    def _waits(self) -> bool:
        """Whether the move under way waits for a model, what is left of it taken up."""
        if not self.pending.missing:
            self.pending.take_up()
        return bool(self.pending.missing)

    # From the models: results become events.

    def took_sample(self, node: NodeId, sample: Sample) -> None:
        """Record a finished sample; a chain asks for its next step."""
        pending, greedy = self.pending, getattr(self.pending.move, "greedy", False)
        pending.spent("policy", sample.spend, first=self.born.get(node[:-1]) != self.moves)
        self.segments[node] = sample.ids
        event = node_added(node, sample, self.tree, self.plan.task, greedy=greedy, revises=self.revises.get(node))
        self.emit(event)
        if event.stop == "length" and event.terminal:
            said = f"node {dotted(node)} fills the context of {self.policy.name}: its path ends without an answer"
            self.emit(Noted("info", said))
        pending.missing.discard(node)
        if node in self.whole and not event.terminal:
            pending.targets[pending.targets.index(node)] = (*node, 0)
            self.ask_sample((*node, 0), to_end=True, greedy=greedy)
        self.settle()

    def took_look(self, node: NodeId, sample: Sample) -> None:
        """Take in one more step ahead of `node`."""
        scoring.took_look(self, node, sample)
        self.settle()

    def took_judgement(self, node: NodeId, judgement: Judgement) -> None:
        """Record the rewards of the path to `node`."""
        scoring.took_judgement(self, node, judgement)
        self.settle()

    def _close(self) -> list[NodeId]:
        """Merge twins, write the move's cost, and return what the strategy is answered with."""
        move, targets = self.pending.move, self.pending.targets
        if isinstance(move, Score):
            twins = scoring.twins(self, move)
            for twin, first in twins.items():
                self.emit(NodeScored(twin, self.tree.nodes[first].reward))
                self.emit(NodePruned(twin, "duplicate"))
            targets = [id for id in targets if id not in twins]
        self._write_cost()
        return targets

    def _write_cost(self) -> None:
        """One CostIncurred for each model that the move used."""
        for cost in self.pending.costs():
            self.emit(cost)
        self.pending.spend = {}

    # Ends.

    @property
    def counts(self) -> bool:
        """Whether what is under way must be counted too, for a budget of tokens or of FLOPs."""
        return not self.plan.budget.keys().isdisjoint(("tokens", "flops"))

    def lost(self, key: Key, role: Role, spend: Spend) -> None:
        """Count what was spent on a piece of work that becomes no event."""
        _, purpose, node, *place = key
        first = self.born.get(node[:-1]) != self.moves if purpose == "sample" else not any(place)
        if self.pending is not None:
            self.pending.spent(role, spend, first=first)

    def due(self, under_way: Spend = NOTHING) -> tuple[Status, str] | None:
        """Why to stop now, if at all; `under_way` is what unfinished samples took."""
        if self.cancelled:
            return "cancelled", "stopped by hand"
        spend = list(self.pending.spend.values()) if self.pending else []
        used = {
            "nodes": self.cost.nodes if self.pending and isinstance(self.pending.move, Expand | Revise) else 0,
            "tokens": self.cost.tokens + sum(s.sampled_tokens for s in spend) + under_way.sampled_tokens,
            "flops": self.cost.flops + sum(s.flops for s in spend) + under_way.flops,
            "seconds": self.clock() - self.began,
        }
        for name, limit in self.plan.budget.items():
            if used[name] >= limit:
                return "budget", f"the budget of {limit:g} {name} is spent"
        return None

    def finish(self, status: Status, detail: str = "") -> None:
        """Stop here, whatever the strategy would have done next; the best answer so far stands."""
        if not self.live:
            return
        with suppress(Exception):
            self.search.close()
        if self.pending is not None:
            self._write_cost()
        self.requests.clear()
        self.pending, self.line = None, None
        selected = answers.select(self.tree, self.plan.answer_rule)
        if selected is not None:
            self.emit(selected)
        for answer in dict.fromkeys(node.answer for node in self.tree.finished()):
            self.emit(AnswerGraded(answer, self.grade(answer)))
        self.emit(SearchFinished(status, clean(detail)[:2000]))

    def grade(self, answer: str) -> bool | None:
        """Right or wrong by the task; without one by the known answer's own words; None without a truth."""
        plan = self.plan
        if plan.task is not None:
            return plan.task.grade(plan.problem, answer)
        return " ".join(answer.split()) == " ".join(plan.problem.truth.split()) if plan.problem.truth else None
