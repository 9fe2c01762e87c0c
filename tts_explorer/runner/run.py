"""One search under way: it turns a strategy's moves into work for the models, and what comes back into events.

A run never calls a model. The loop takes its `requests`, hands it results (`took_sample`, `took_judgement`), and stops it;
nothing else writes an event. It knows no batch and no other search.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from types import GeneratorType
from typing import Any, cast

from tts_explorer import answers
from tts_explorer.cost import Cost
from tts_explorer.errors import BadMove, BadSetting
from tts_explorer.events import (
    AnswerGraded,
    Event,
    NodeId,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    Record,
    SearchFinished,
    Status,
    clean,
)
from tts_explorer.models.base import Judgement, Policy, Sample, Segment, Verifier
from tts_explorer.moves import Expand, Move, Note, Prune, Score
from tts_explorer.runner.pending import Pending, twins_among, whole_steps
from tts_explorer.runner.plan import Plan, Request
from tts_explorer.runner.written import node_added
from tts_explorer.strategies import checked_settings, scores, source_of
from tts_explorer.tree import SearchTree


class Run:
    """One search under way. Making one takes the strategy's first move, so a bad setting raises before anything is spent."""

    def __init__(
        self,
        plan: Plan,
        policy: Policy,
        verifier: Verifier | None,
        *,
        id: str = "",
        clock: Callable[[], float] = time.monotonic,
    ):
        self.plan, self.policy, self.verifier, self.id, self.clock = plan, policy, verifier, id, clock
        settings = checked_settings(plan.strategy, plan.settings)
        if verifier is None and scores(plan.strategy):
            raise BadSetting(f"{plan.strategy.__name__} scores its steps: choose a verifier")
        source, self.first_line = source_of(plan.strategy)
        self.tree, self.cost, text = SearchTree(), Cost(), clean(plan.problem.text)
        self.segments: dict[NodeId, Segment] = {(): policy.problem(text)}
        self.judged: Segment = verifier.problem(text) if verifier else ()
        self.born: dict[NodeId, int] = {}
        self.whole: set[NodeId] = set()
        self.outbox: list[Record] = []
        self.requests: list[Request] = []
        self.pending: Pending | None = None
        self.moves = self.seq = 0
        self.line: int | None = None
        self.cancelled = False
        self.search = plan.begin(self.tree.nodes[()], settings)
        first = next(self.search, None)
        self.began = clock()
        self._emit(plan.opening(settings, source, policy, verifier))
        if verifier and verifier.note:
            self._emit(Noted("info", verifier.note))
        self._play(first) if first is not None else self.finish("done")

    @property
    def live(self) -> bool:
        """Whether the search still goes on."""
        return self.tree.status is None

    def _emit(self, event: Event) -> None:
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
                if self.pending.missing:
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
            self._score(move)
        elif isinstance(move, Note):
            self._emit(Noted(move.level, clean(move.message)))
        elif isinstance(move, Prune):
            for node in move.nodes:
                self._emit(NodePruned(node.id, move.reason))
        else:
            for i, node in enumerate(move.nodes):
                numbers = [column and column[i] for column in (move.visits, move.values, move.weights)]
                self._emit(NodeSelected(node.id, *(n if n is not None and math.isfinite(n) else None for n in numbers)))

    def _expand(self, move: Expand) -> None:
        born = {node.id: len(self.tree.grown.get(node.id, ())) for node in move.nodes}
        self.pending.targets = []
        for node, count in zip(move.nodes, move.counts, strict=True):
            if count and (node.terminal or self.tree.nodes[node.id].pruned):
                raise BadMove(f"node {node.id} is {'finished' if node.terminal else 'pruned'}, so it can't be expanded")
            self.pending.targets += [(*node.id, born[node.id] + i) for i in range(count)]
            born[node.id] += count
        for target in self.pending.targets:
            self._ask_sample(target)

    def _ask_sample(self, node: NodeId) -> None:
        move = cast(Expand, self.pending.move)
        self.born[node] = self.moves
        if move.to_end:
            self.whole.add(node)
        self.pending.missing.add(node)
        prompt = tuple(self.segments[node[:depth]] for depth in range(len(node)))
        self.requests.append(Request("sample", node, prompt, greedy=move.greedy))

    def _score(self, move: Score) -> None:
        if self.verifier is None:
            raise BadSetting("a strategy that scores needs a verifier")
        twins = self._twins(move)
        wanted: set[NodeId] = set()
        for node in move.nodes:
            if node.id not in twins:
                wanted |= self._ask_rewards(node.id, wanted)

    def _twins(self, move: Score) -> dict[NodeId, NodeId]:
        return twins_among(move.nodes, self.born, self.whole) if move.merge else {}

    def _ask_rewards(self, id: NodeId, asked: set[NodeId]) -> set[NodeId]:
        """Ask for what lacks a reward on the path to `id`, but for `asked`; returns the nodes that it asked for.

        Empty steps are not sent. A fragment inside the path is asked about by itself, so that it can be ranked.
        """
        lacking = {node.id for node in self.tree.path(id) if not node.scored} - asked
        steps = whole_steps(self.tree, id)
        for fragment in sorted(lacking - {node for _, node in steps}):
            self._ask_rewards(fragment, asked | (lacking - {fragment}))
        for text, node in steps:
            if node in lacking and not text.strip():
                self._emit(NodeScored(node, None))
        sent = [(text, node if node in lacking else None) for text, node in steps if text.strip()]
        if any(node for _, node in sent):
            self.pending.missing.add(id)
            self.pending.judged[id] = [node for _, node in sent]
            segments = tuple(self.verifier.step(text) for text, _ in sent)
            self.requests.append(Request("judge", id, (self.judged,), segments))
        return lacking

    # From the models: results become events.

    def took_sample(self, node: NodeId, sample: Sample) -> None:
        """Record a finished sample; a chain asks for its next step."""
        pending, move = self.pending, cast(Expand, self.pending.move)
        pending.spent("policy", sample.spend, first=self.born.get(node[:-1]) != self.moves)
        self.segments[node] = sample.ids
        event = node_added(node, sample, self.tree, self.plan.task, greedy=move.greedy)
        self._emit(event)
        if event.stop == "length" and event.terminal:
            path = ".".join(map(str, node))
            self._emit(Noted("info", f"node {path} fills the context of {self.policy.name}: its path ends without an answer"))
        pending.missing.discard(node)
        if move.to_end and not event.terminal:
            pending.targets[pending.targets.index(node)] = (*node, 0)
            self._ask_sample((*node, 0))
        if not self.pending.missing:
            self._play()

    def took_judgement(self, node: NodeId, judgement: Judgement) -> None:
        """Record the rewards of the path to `node`; one that is not in [0, 1] counts as a failure of the verifier."""
        self.pending.spent("verifier", judgement.spend)
        wanting = self.pending.judged[node]
        if len(judgement.rewards) != len(wanting):
            raise ValueError(f"{self.verifier.name} gave {len(judgement.rewards)} rewards for {len(wanting)} steps")
        for id, reward in zip(wanting, judgement.rewards, strict=True):
            if id is None:
                continue
            fine = reward is not None and 0.0 <= reward <= 1.0
            self._emit(NodeScored(id, float(reward) if fine else None))
            if not fine:
                path = ".".join(map(str, id))
                self._emit(Noted("warning", f"{self.verifier.name} gave no reward for node {path}, which ranks last"))
        self.pending.missing.discard(node)
        if not self.pending.missing:
            self._play()

    def _close(self) -> list[NodeId]:
        """Merge twins, write the move's cost, and return what the strategy is answered with."""
        move, targets = self.pending.move, self.pending.targets
        if isinstance(move, Score):
            twins = self._twins(move)
            for twin, first in twins.items():
                self._emit(NodeScored(twin, self.tree.nodes[first].reward))
                self._emit(NodePruned(twin, "duplicate"))
            targets = [id for id in targets if id not in twins]
        self._write_cost()
        return targets

    def _write_cost(self) -> None:
        """One CostIncurred for each model that the move used."""
        for cost in self.pending.costs():
            self._emit(cost)
        self.pending.spend = {}

    # Ends.

    def due(self, under_way: int = 0) -> tuple[Status, str] | None:
        """Why to stop now, if at all; `under_way` are the tokens of unfinished samples."""
        if self.cancelled:
            return "cancelled", "stopped by hand"
        spend = list(self.pending.spend.values()) if self.pending else []
        used = {
            "nodes": self.cost.nodes if self.pending and isinstance(self.pending.move, Expand) else 0,
            "tokens": self.cost.tokens + sum(s.sampled_tokens for s in spend) + under_way,
            "flops": self.cost.flops + sum(s.flops for s in spend),
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
            self._emit(selected)
        for answer in dict.fromkeys(node.answer for node in self.tree.finished()):
            self._emit(AnswerGraded(answer, self._grade(answer)))
        self._emit(SearchFinished(status, clean(detail)[:2000]))

    def _grade(self, answer: str) -> bool | None:
        """Right or wrong by the task; without one by the known answer's own words; None without a truth."""
        plan = self.plan
        if plan.task is not None:
            return plan.task.grade(plan.problem, answer)
        return " ".join(answer.split()) == " ".join(plan.problem.truth.split()) if plan.problem.truth else None
