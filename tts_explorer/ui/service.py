"""What the page asks of the rest: start, stop, follow and look up searches. It knows no component and no layout.

Searches belong to the worker, not to a tab: a visitor's tab only names the session that it looks at.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import Any

from tts_explorer.assets import folder
from tts_explorer.cost import Cost
from tts_explorer.errors import UnknownName, UserError
from tts_explorer.events import NodeId, Record
from tts_explorer.runner import Ask, Live, Loop, Models, prepare
from tts_explorer.store import Session, Store, new_id
from tts_explorer.tree import SearchTree
from tts_explorer.wire import read_streams

REMEMBERED = 1000
EXAMPLE = "example-"
"""Ids of recorded sessions begin so; the rest is their file's name."""


@dataclass(frozen=True, slots=True)
class State:
    """A search as far as it is recorded."""

    records: list[Record]
    live: bool
    """More may come."""
    drafts: dict[NodeId, str]
    baseline: str
    """One sentence on what the same model answers greedily; empty while that is not known."""


class Service:
    """One worker, one store, every visitor's searches."""

    def __init__(self, store: Store, models: Models | None = None):
        self.store, self.models, self.loop = store, models or Models(), Loop(store)
        self.loop.serve()
        self.lock = threading.Lock()
        self.mine: dict[str, str] = {}
        """Visitor: the search that they started last."""
        self.looking: dict[str, str] = {}
        """Visitor: the session that their tab shows."""
        self.baselines: dict[str, str] = {}
        """Search: the greedy search that goes with it."""
        self.begun: dict[str, Live] = {}
        """The last searches started here, for what went wrong with them."""
        self.warmed = False

    def warm(self) -> None:
        """Load the default models in the background, once, so that the first Start need not wait for them."""
        if not self.warmed:
            self.warmed = True
            threading.Thread(target=self._warm, name="warm-up", daemon=True).start()

    def _warm(self) -> None:
        with contextlib.suppress(UserError):
            self.models.policy(Ask().policy)
            self.models.verifier("bundled:prm")

    def close(self) -> None:
        """Stop everything; the last events are written."""
        self.loop.close()
        self.store.close()

    def start(self, ask: Ask, visitor: str) -> str:
        """Start a search, and a greedy one beside it; the visitor's search before it is stopped. Raises UserError."""
        id = new_id()
        run = prepare(ask, self.models, id=id)
        self.stop(visitor)
        begun = self.loop.start(run)
        if ask.strategy != "greedy":
            other = new_id()
            alone = replace(ask, strategy="greedy", settings={}, verifier=None, rule=None, budget={}, parent=id)
            self.loop.start(prepare(alone, self.models, id=other))
            self.baselines[id] = other
        with self.lock:
            self.mine[visitor] = id
            self.begun[id] = begun
            while len(self.begun) > REMEMBERED:
                del self.begun[next(iter(self.begun))]
        return id

    def stop(self, visitor: str) -> bool:
        """Stop the visitor's running search; False if there is none."""
        live = self.loop.find(self.mine.get(visitor, ""))
        if live is not None:
            live.cancel()
        return live is not None

    def look(self, visitor: str, id: str) -> None:
        """Remember that this visitor's tab shows session `id` now."""
        with self.lock:
            self.looking[visitor] = id

    def state(self, id: str, known: list[Record]) -> State:
        """The session as it stands; `known` are the records read before, which need not be read again."""
        live = self.loop.find(id)
        if live is not None:
            return State(list(live.published), True, dict(live.drafts), "")
        if id.startswith(EXAMPLE):
            streams = example(id.removeprefix(EXAMPLE))
            beside = greedy_sentence(streams[0], streams[1]) if len(streams) > 1 else ""
            return State(streams[0], False, {}, beside)
        if (begun := self.begun.get(id)) is not None and begun.error is not None:
            raise UserError(f"the search was stopped, because it could not be saved ({begun.error}): make room, then start again")
        records = known + self.store.records(id, after=len(known) - 1)
        if not records:
            raise UnknownName(f"no session {id[:40]!r} here: it may have been on another machine, or its link was cut")
        return State(records, False, {}, self._beside(id, records))

    def interrupted(self, id: str) -> bool:
        """Whether a session that is not live here has lost its owner."""
        return not id.startswith(EXAMPLE) and self.store.session(id).state == "interrupted"

    def _beside(self, id: str, records: list[Record]) -> str:
        other = self.baselines.get(id) or self.store.child(id, "greedy")
        live = self.loop.find(other) if other else None
        if live is not None:
            live.done.wait(timeout=5)
        return greedy_sentence(records, self.store.records(other)) if other else ""

    def node(self, id: str, path: str) -> dict[str, Any]:
        """Full text and facts of the steps on the path to a node, for the page's detail; empty for nonsense."""
        try:
            wanted = tuple(int(part) for part in path.split(".")) if path else ()
            tree = SearchTree.of(record.event for record in self.state(id, []).records)
            steps = tree.path(wanted)
        except (UserError, ValueError, KeyError):
            return {"steps": []}
        return {
            "steps": [
                {
                    "text": node.text,
                    "reward": node.reward,
                    "score": node.aggregated if node.reward is not None else None,
                    "tokens": node.tokens,
                    "logprob": node.logprob,
                    "stop": node.stop,
                    "pruned": node.pruned,
                }
                for node in steps
            ]
        }

    def sessions(self, search: str = "", limit: int = 100) -> list[Session]:
        """Stored sessions, newest first, without the greedy ones that went beside another."""
        return [s for s in self.store.sessions(search, limit=limit) if s.started.parent is None]


def example(name: str) -> list[list[Record]]:
    """The streams of a recorded session. Raises UnknownName."""
    path = folder() / "sessions" / f"{name}.jsonl"
    if not name.replace("-", "").isalnum() or not path.is_file():
        raise UnknownName(f"no recorded session {name[:40]!r}")
    return read_streams(path.read_bytes(), path.name)


def examples() -> list[str]:
    """Names of the recorded sessions."""
    return sorted(path.stem for path in (folder() / "sessions").glob("*.jsonl"))


def greedy_sentence(search: list[Record], greedy: list[Record]) -> str:
    """What the same model answers greedily, right or wrong, at what cost next to the search's."""
    tree = SearchTree.of(record.event for record in greedy)
    spent, cost = Cost.of(r.event for r in search), Cost.of(r.event for r in greedy)
    if tree.status is None or not tree.started:
        return ""
    if tree.selected is None:
        said = "finds no answer"
    else:
        verdict = {True: ", which is right", False: ", which is wrong", None: ""}[tree.correct]
        said = f"answers {tree.selected.answer}{verdict}"
    times = f"; this search took {spent.flops / cost.flops:,.0f} times as much" if cost.flops else ""
    return f"Greedily, {tree.started.policy} {said}: {cost.tokens} tokens, {human(cost.flops)}FLOPs{times}."


def human(number: float) -> str:
    """A number in three digits with its SI prefix.

    >>> human(123456789)
    '123 M'
    """
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {prefix}"
    return f"{number:.3g} "
