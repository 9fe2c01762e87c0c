"""A run of selections as one short line of the page's log: it knows the tree and what the page was told, and draws nothing.

Tree search announces the whole path to the root again and again. Where that is what backing up the scores of new children
comes to, one number says it, and the page works the rest out; anything else is written out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tts_explorer.events import NodeId, NodeSelected
from tts_explorer.tree import SearchTree

NEAR = 5e-4
"""How far a value that the page works out may be from the one announced."""


class Selections:
    """Writes runs of selections; remembers visits and values as the page has them."""

    def __init__(self, tree: SearchTree, numbers: dict[NodeId, int]) -> None:
        self.tree, self.numbers = tree, numbers
        self.told: dict[NodeId, tuple[int, float]] = {}
        """Visits, and the sum of the values behind them."""
        self.shares = False
        """Whether weights are numbers of samples; else they are parts of 1."""

    def body(self, run: Sequence[NodeSelected]) -> dict[str, Any]:
        """The line for `run`, without its head."""
        latest = {event.node: event for event in run}
        above = self._backed_up(latest)
        if above is not None:
            return {"k": "^", "n": self.numbers[above]}
        events = list(latest.values())
        for event in events:
            self.told.pop(event.node, None)
            if event.visits is not None and event.value is not None:
                self.told[event.node] = (event.visits, event.visits * event.value)
        weights = [event.weight for event in run if event.weight is not None]
        self.shares |= sum(weights) > 1.01
        lists = {
            "v": [event.visits for event in events],
            "u": [None if event.value is None else round(event.value, 3) for event in events],
            "s" if self.shares else "w": [None if event.weight is None else brief(event.weight, 2) for event in events],
        }
        known = {key: values for key, values in lists.items() if any(value is not None for value in values)}
        return {"k": ">", "N": [self.numbers[event.node] for event in events]} | known

    def _backed_up(self, latest: dict[NodeId, NodeSelected]) -> NodeId | None:
        """The node whose new children's scores were backed up, if `latest` says that and nothing else."""
        above = next(reversed(latest))[:-1]
        fresh = [n for n in self.tree.children(above) if n.id not in self.told and n.scored and n.pruned != "duplicate"]
        path = [above[:depth] for depth in range(len(above) + 1)]
        if set(latest) != {*path, *(node.id for node in fresh)}:
            return None
        scores = {node.id: round(max(node.score, 0.0), 4) for node in fresh}
        after = {id: (1, score) for id, score in scores.items()}
        for id in path:
            visits, total = self.told.get(id, (0, 0.0))
            after[id] = (visits + len(fresh), total + sum(scores.values()))
        if not all(_says(latest[id], visits, total) for id, (visits, total) in after.items()):
            return None
        self.told |= after
        return above


def _says(event: NodeSelected, visits: int, total: float) -> bool:
    near = event.value is not None and visits > 0 and abs(event.value - total / visits) < NEAR
    return near and event.visits == visits and event.weight is None


def brief(number: float, digits: int) -> float:
    """`number` to so many significant digits, as an integer if it is one.

    >>> brief(0.062512, 2), brief(41.6, 2), brief(1234567, 3)
    (0.063, 42, 1230000)
    """
    if number == 0:
        return 0
    rounded = round(number, digits - 1 - math.floor(math.log10(abs(number))))
    return int(rounded) if rounded == int(rounded) else rounded
