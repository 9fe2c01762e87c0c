"""What the page asks of the rest: start, stop, follow and look up searches. It knows no component and no layout.

Searches belong to the worker, not to a tab: a visitor's tab only names the session that it looks at.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from tts_explorer.assets import folder
from tts_explorer.errors import UnknownName, UserError
from tts_explorer.events import NodeId, Record
from tts_explorer.runner import Ask, Live, Loop, Models, prepare
from tts_explorer.store import Store, new_id
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import SearchTree
from tts_explorer.ui.hindsight import Hindsight, hindsight
from tts_explorer.viz.detail import drawn, facts, told
from tts_explorer.wire import read_streams

REMEMBERED = 1000
"""Visitors, tabs and searches; the oldest is forgotten."""
OPEN = 4
"""Sessions whose trees are held for whoever reads their nodes."""
EXAMPLE = "example-"
"""Ids of recorded sessions begin so; the rest is their file's name."""
UNSAVED = "the search was stopped, because it could not be saved ({error}): make room, then start again"
NO_SESSION = "no session {id!r} here: it may have been on another machine, or its link was cut"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class State:
    """A search as far as it is recorded."""

    records: list[Record]
    live: bool = False
    """More may come."""
    drafts: dict[NodeId, str] = field(default_factory=dict)
    interrupted: bool = False
    """It has no end, and whoever ran it is gone."""
    baseline: str = ""
    """One sentence on what the same model answers greedily; empty while that is not known, or was not asked for."""


@dataclass
class Folded:
    """A session as it was when last read; what came since is folded on."""

    records: list[Record] = field(default_factory=list)
    tree: SearchTree = field(default_factory=SearchTree)


class Service:
    """One worker, one store, every visitor's searches."""

    def __init__(self, store: Store, models: Models | None = None):
        self.store, self.models, self.loop = store, models or Models(), Loop(store)
        self.loop.serve()
        self.lock = threading.Lock()
        self.mine: dict[str, str] = {}
        """Visitor: the search that they started last."""
        self.looking: dict[str, str] = {}
        """Tab: the session that it shows."""
        self.begun: dict[str, list[Live]] = {}
        """The last searches started here, each with the greedy one beside it if there is one."""
        self.folding = threading.Lock()
        self.trees: dict[str, Folded] = {}
        """The sessions whose nodes were last read."""
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
        runs = [prepare(ask, self.models, id=id)]
        if ask.strategy != "greedy":
            alone = replace(ask, strategy="greedy", settings={}, verifier=None, rule=None, budget={}, parent=id)
            runs.append(prepare(alone, self.models, id=new_id()))
        self.stop(visitor)
        begun = [self.loop.start(run) for run in runs]
        with self.lock:
            remember(self.mine, visitor, id)
            remember(self.begun, id, begun)
        return id

    def stop(self, visitor: str) -> bool:
        """Stop the visitor's running search; False if there is none."""
        live = self.loop.find(self.mine.get(visitor, ""))
        if live is not None:
            live.cancel()
        return live is not None

    def look(self, tab: str, id: str) -> None:
        """Remember that this tab shows session `id` now."""
        with self.lock:
            remember(self.looking, tab, id)

    def state(self, id: str, known: Sequence[Record], *, alone: bool = False) -> State:
        """The session as it stands; `alone` without a look at the greedy one beside it. Raises UserError."""
        live = self.loop.find(id)
        records = self.records(id, known)
        if live is not None:
            return State(records, live=True, drafts=dict(live.drafts))
        stands = "" if id.startswith(EXAMPLE) else self.store.session(id).state
        if stands == "running":  # in another process, as `tts-explorer solve` is
            return State(records, live=True)
        records, cut = self.records(id, records), stands == "interrupted"
        return State(records, interrupted=cut, baseline="" if alone else self.hindsight(id, records).baseline)

    def records(self, id: str, known: Sequence[Record] = ()) -> list[Record]:
        """What is recorded of a session; `known` was read before and need not be read again. Raises UserError."""
        live, begun = self.loop.find(id), self.begun.get(id)
        if live is not None:
            return list(live.published)
        if id.startswith(EXAMPLE):
            return example(id.removeprefix(EXAMPLE))[0]
        if begun is not None and (error := begun[0].error) is not None:
            raise UserError(UNSAVED, error=str(error))
        records = [*known, *self.store.records(id, after=len(known) - 1)]
        if not records:
            raise UnknownName(NO_SESSION, id=id[:40])
        return records

    def hindsight(self, id: str, records: Sequence[Record], say: Tongue = ENGLISH) -> Hindsight:
        """What can be said of a session that is over; the end of the greedy search beside it is waited for a little."""
        return hindsight(records, self._beside(id), say)

    def _beside(self, id: str) -> Sequence[Record]:
        """The greedy search that went beside a session, if there is one."""
        if id.startswith(EXAMPLE):
            return next(iter(example(id.removeprefix(EXAMPLE))[1:]), [])
        if (begun := self.begun.get(id)) is not None:
            return next((live.published for live in begun[1:] if live.done.wait(timeout=5)), [])
        other = self.store.child(id, "greedy")
        return self.store.records(other) if other else []

    def tree(self, id: str) -> SearchTree:
        """The tree of a session; what was read of it before is not read again. Raises UserError."""
        with self.folding:
            known = self.trees.get(id, Folded())
            records = self.records(id, known.records)
            for record in records[len(known.records) :]:
                known.tree.apply(record.event)
            known.records = records
            remember(self.trees, id, known, OPEN)
            return known.tree

    def node(self, id: str, path: str) -> dict[str, Any]:
        """Full text and facts of the steps on the path to a node, and all that was said of it; empty for nonsense."""
        try:
            wanted = tuple(int(part) for part in path.split(".")) if path else ()
            tree = self.tree(id)
            steps = tree.path(wanted)
        except (UserError, ValueError, KeyError, sqlite3.Error):
            return {"steps": []}
        found = {"steps": [facts(node) for node in steps], "drawing": drawn(tree.started, steps)}
        return told(tree.nodes[wanted]) | found


def remember(kept: dict[str, T], key: str, value: T, most: int | None = None) -> None:
    """Put `value` last, and forget the first past `most`, else `REMEMBERED`."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > (most or REMEMBERED):
        del kept[next(iter(kept))]


@cache
def example(name: str) -> list[list[Record]]:
    """The streams of a recorded session. Raises UnknownName."""
    path = folder() / "sessions" / f"{name}.jsonl"
    if not name.replace("-", "").isalnum() or not path.is_file():
        raise UnknownName("no recorded session {name!r}", name=name[:40])
    return read_streams(path.read_bytes(), path.name)


def examples() -> list[str]:
    """Names of the recorded sessions."""
    return sorted(path.stem for path in (folder() / "sessions").glob("*.jsonl"))
