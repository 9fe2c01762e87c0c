"""The trie of key/value segments: what a decoder has computed for each stretch of a search tree, kept while there is memory.

A search's texts share beginnings; here each beginning is held once. A node is a stretch of token ids after its parent's; its
state is the keys and values of all layers at its own positions, and the hidden state at its last one. The trie knows
neither text nor scores, and never decides what is computed: a state that was dropped is computed again by whoever needs it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

import torch

from tts_explorer.models.base import Key, Segment


class Stretch:
    """Token ids in their place, with the state computed for the first `held` of them."""

    __slots__ = ("ids", "parent", "sampled", "state", "hidden", "reward", "children", "owners", "reader")

    def __init__(self, ids: Segment, parent: Stretch | None, *, sampled: bool):
        self.ids, self.parent, self.sampled = ids, parent, sampled
        self.state: torch.Tensor | None = None
        """(2 · layers, heads, held, dim): keys and values by turns."""
        self.hidden: torch.Tensor | None = None
        """(hidden,): the decoder's output at the last token, once it is computed."""
        self.reward: float | None = None
        """What a verifier read off `hidden`; outlives both."""
        self.children: dict[Segment, Stretch] = {}
        self.owners: set[Key] = set()
        self.reader: Key | None = None
        """The row under way that computes it, if one does."""

    @property
    def held(self) -> int:
        """Tokens whose state is kept."""
        return 0 if self.state is None else self.state.shape[2]

    @property
    def whole(self) -> bool:
        """Whether nothing of it has to be computed."""
        return self.hidden is not None and self.held == len(self.ids)

    def child(self, ids: Segment, *, sampled: bool) -> Stretch:
        """The stretch with these ids after this one, made if there is none."""
        found = self.children.get(ids)
        if found is None:
            found = self.children[ids] = Stretch(ids, self, sampled=sampled)
        return found


class Trie:
    """One root a search. At most `limit` bytes of state are kept; the least recently used goes first."""

    def __init__(self, limit: int):
        self.limit, self.bytes = limit, 0
        self.roots: dict[object, Stretch] = {}
        self.owned: dict[Key, Stretch] = {}
        self.recent: OrderedDict[Stretch, None] = OrderedDict()

    def path(self, search: object, segments: Sequence[Segment]) -> list[list[Stretch]]:
        """The stretches of each segment, made where there are none.

        A segment that goes on from one that is here already (a step continued after its length ran out) is that one
        and the rest.
        """
        at = self.roots.setdefault(search, Stretch((), None, sampled=False))
        found = []
        for ids in segments:
            stretches = []
            while ids not in at.children and (begun := _begun(at, ids)) is not None:
                stretches.append(begun)
                at, ids = begun, ids[len(begun.ids) :]
            at = at.child(ids, sampled=False)
            found.append([*stretches, at])
        return found

    def own(self, key: Key, stretch: Stretch) -> None:
        """Keep the stretch until `key` is dropped."""
        if (before := self.owned.get(key)) is not None:
            before.owners.discard(key)
        self.owned[key] = stretch
        stretch.owners.add(key)

    def keep(self, stretch: Stretch, state: torch.Tensor, hidden: torch.Tensor | None) -> None:
        """Take the state of its first tokens, and its hidden state if that is all of them."""
        self._forget_state(stretch)
        stretch.state, stretch.hidden = state, hidden
        self.bytes += state.nbytes
        self.recent[stretch] = None
        while self.bytes > self.limit and self.recent:
            self._forget_state(next(iter(self.recent)))

    def used(self, stretch: Stretch) -> None:
        """Somebody read its state just now."""
        if stretch in self.recent:
            self.recent.move_to_end(stretch)

    def drop(self, keys: Iterable[Key]) -> None:
        """Free what only these keys own. A key of one item names a search: nothing of it stays."""
        for key in keys:
            if len(key) == 1 and key[0] in self.roots:
                self._forget_search(key[0])
            elif (stretch := self.owned.pop(key, None)) is not None:
                stretch.owners.discard(key)
                if not stretch.owners:
                    self._forget_state(stretch)

    def _forget_state(self, stretch: Stretch) -> None:
        if stretch.state is not None:
            self.bytes -= stretch.state.nbytes
            stretch.state = stretch.hidden = None
            del self.recent[stretch]

    def _forget_search(self, search: object) -> None:
        below = [self.roots.pop(search)]
        while below:
            stretch = below.pop()
            below += stretch.children.values()
            self._forget_state(stretch)
            for key in stretch.owners:
                del self.owned[key]
            stretch.parent, stretch.children = None, {}


def _begun(at: Stretch, ids: Segment) -> Stretch | None:
    """A child of `at` that `ids` goes on from, the longest."""
    fits = [child for child in at.children.values() if 0 < len(child.ids) < len(ids) and ids[: len(child.ids)] == child.ids]
    return max(fits, key=lambda child: len(child.ids), default=None)
