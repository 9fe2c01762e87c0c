"""Searches made by rule, for benches that need no model: a tree that grows evenly, and a store full of short ones.

Everything follows from a seed. The texts are as long as countdown's, and mean nothing.
"""

from __future__ import annotations

import inspect
import random
import sys

from tqdm import tqdm

from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    Event,
    NodeAdded,
    NodeId,
    NodePruned,
    NodeScored,
    Record,
    SearchFinished,
    SearchStarted,
)
from tts_explorer.store import Store, new_id
from tts_explorer.strategies import strategy_named

ROUND = 16
"""Nodes that a round adds."""
KEPT = 4
RARE = "zanzibar"
"""A word of few sessions; `COMMON` is one of all."""
COMMON = "left"
EVERY = 997
"""One session in so many has the rare word."""
TAG = "bench"
BATCH = 500
"""Sessions that are written at once."""
PROBLEM = "Use {}, {}, {} and {}, each once, with + - * / to make {}."


class Growing:
    """A beam search in lanes that take turns: a round gives four steps of a lane four children each, and keeps the best four."""

    def __init__(self, lanes: int, seed: int = 0) -> None:
        self.rng, self.seq, self.nodes = random.Random(seed), 0, 0
        self.beams: list[list[NodeId]] = [[] for _ in range(lanes)]
        self.rounds = 0

    def start(self) -> list[Record]:
        source = inspect.getsource(strategy_named("beam_search"))
        settings = {"n": ROUND * len(self.beams), "beam_width": KEPT, "max_depth": 64}
        models = {"policy": "bundled:small", "verifier": "bundled:prm"}
        return self._recorded([(1, SearchStarted(problem(self.rng), "beam_search", source=source, settings=settings, **models))])

    def round(self) -> list[Record]:
        """The next lane, one step further."""
        lane = self.rounds % len(self.beams)
        self.rounds += 1
        first = range(ROUND * lane, ROUND * (lane + 1))
        steps = [(*beam, i) for beam in self.beams[lane] for i in range(KEPT)] or [(i,) for i in first]
        rewards = {node: round(self.rng.random(), 6) for node in steps}
        ranked = sorted(steps, key=lambda node: -rewards[node])
        self.beams[lane] = ranked[:KEPT]
        self.nodes += len(steps)
        events: list[tuple[int, Event]] = [(7, NodeAdded(node, step(self.rng), 17, -3.25, "step", False)) for node in steps]
        events.append((7, CostIncurred("policy", 900, 300, 17 * ROUND, 2e8, 0.2)))
        events += [(8, NodeScored(node, reward)) for node, reward in rewards.items()]
        events.append((8, CostIncurred("verifier", 900, 300, 0, 3e8, 0.1)))
        return self._recorded([*events, *((11, NodePruned(node, "rank")) for node in ranked[KEPT:])])

    def grown(self, nodes: int) -> list[Record]:
        """Its beginning, up to that many nodes at least."""
        records = self.start()
        while self.nodes < nodes:
            records += self.round()
        return records

    def end(self) -> list[Record]:
        """An answer, which is right, and the end."""
        last = (*self.beams[0][0], 0)
        self.nodes += 1
        events = [NodeAdded(last, "\\boxed{64}", 6, -0.5, "eos", True, "64"), NodeScored(last, 0.97)]
        events += [AnswerSelected("64", last, "best", {"64": 1.0}), AnswerGraded("64", True), SearchFinished("done")]
        return self._recorded([(None, event) for event in events])

    def _recorded(self, events: list[tuple[int | None, Event]]) -> list[Record]:
        found = [Record(self.seq + i, round((self.seq + i) / 200, 3), line, event) for i, (line, event) in enumerate(events)]
        self.seq += len(found)
        return found


def problem(rng: random.Random) -> str:
    return PROBLEM.format(*(rng.randrange(1, 26) for _ in range(4)), rng.randrange(10, 100))


def step(rng: random.Random) -> str:
    a, b = rng.randrange(2, 90), rng.randrange(2, 26)
    return f"{a} * {b} = {a * b}, {COMMON}: {a * b} {rng.randrange(1, 26)} {rng.randrange(1, 26)}\n\n"


def short(rng: random.Random, number: int) -> list[Record]:
    """A search of eight nodes that ended, or, one in fifty, was broken off."""
    strategy = rng.choice(("beam_search", "best_of_n", "self_consistency", "mcts"))
    level, right, answer = rng.randrange(1, 6), rng.random() < 0.6, str(rng.randrange(10, 100))
    texts = [step(rng) for _ in range(7)] + [f"The {RARE} one is \\boxed{{{answer}}}" if number % EVERY == 0 else answer]
    place = {"task": rng.choice(("countdown", "arithmetic")), "problem_id": f"test/{level}/{number}", "settings": {"n": 8}}
    events: list[Event] = [SearchStarted(problem(rng), strategy, policy="bundled:small", verifier="bundled:prm", **place)]
    for i, text in enumerate(texts):
        last = i == len(texts) - 1
        events.append(NodeAdded((i,), text, 17, -3.25, "eos" if last else "step", last, answer if last else None))
        events.append(NodeScored((i,), round(rng.random(), 6)))
    events.append(CostIncurred("policy", 900, 300, 17 * len(texts), rng.uniform(1e7, 1e9), 0.2))
    if rng.randrange(50):
        chosen = AnswerSelected(answer, (len(texts) - 1,), "best", {answer: 1.0})
        events += [chosen, AnswerGraded(answer, right), SearchFinished("done")]
    return [Record(i, i / 100, None, event) for i, event in enumerate(events)]


def fill(store: Store, sessions: int, seed: int = 0) -> None:
    """Add that many short sessions, one among each hundred tagged, and a pinned one in each batch."""
    rng = random.Random(seed)
    for first in tqdm(range(0, sessions, BATCH), unit="batch", file=sys.stderr, disable=None, leave=False):
        batch = [(new_id(), short(rng, i)) for i in range(first, min(first + BATCH, sessions))]
        store.append(batch)
        for id, _ in batch[::100]:
            store.label(id, title="Chosen for the bench", tags=[TAG], notes="")
        store.pin(batch[0][0], True)
