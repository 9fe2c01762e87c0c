"""Monte-Carlo tree search by PUCT (Silver et al. 2017, "Mastering the game of Go without human knowledge", Methods).

The reference tool has no MCTS. As in the paper the verifier's score takes the place of a rollout, and a node's value is the
mean over what was visited below it. The prior is uniform among siblings: they were sampled from the policy, so it has had its
say (Hubert et al. 2021, arXiv:2104.06303). Unlike in the paper, all new children are scored at once, each a visit; finished
paths are not walked again, since a second visit teaches nothing; and n first steps are sampled, as dvts does, where every other
node gets beam_width: a node is expanded once, so a first step that is missed then stays unfound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import sqrt
from typing import Annotated

from tts_explorer.moves import Branching, Expand, Expansions, Score, Search, Select, Setting
from tts_explorer.tree import Node

TITLE = "MCTS"
RULE = "best"

Exploration = Annotated[float, Setting(0, 10, "Weight of what was visited little (c); 0 looks at values only.", step=0.05)]


def mcts(root: Node, *, n: Expansions = 16, beam_width: Branching = 4, exploration: Exploration = 1.25) -> Search:
    """n times: walk down to a leaf by PUCT, sample beam_width steps after it, and back their scores up to the root."""
    top, leaves, answered = Place(root), [root], False
    for _ in range(n):
        path = [top]
        while path[-1].children:
            path.append(path[-1].choice(exploration))
        leaf = path[-1]
        steps = yield Expand([leaf.node], n if leaf is top else beam_width)
        steps = yield Score(steps)
        changed = backed_up(path, steps)
        yield Select([p.node for p in changed], visits=[p.visits for p in changed], values=[p.value for p in changed])
        leaves = [node for node in leaves if node is not leaf.node] + [s for s in steps if not s.terminal]
        answered |= any(s.answer for s in steps)
        if not leaves:
            return
    if not answered:
        last = yield Expand([max(leaves, key=lambda s: s.score)], 1, to_end=True)
        yield Score(last)


@dataclass
class Place:
    """A node and its statistics."""

    node: Node
    children: list[Place] = field(default_factory=list)
    visits: int = 0
    total: float = 0.0
    closed: bool = False
    """Whether nothing below it can be expanded any more."""

    @property
    def value(self) -> float:
        """The mean of the scores at and below it (Q)."""
        return self.total / self.visits

    def choice(self, exploration: float) -> Place:
        """The child to walk to: the largest Q + c · P · √ΣN / (1 + N), where P is 1 / children; ties to the earlier."""
        bonus = exploration / len(self.children) * sqrt(sum(child.visits for child in self.children))
        return max((c for c in self.children if not c.closed), key=lambda c: c.value + bonus / (1 + c.visits))


def backed_up(path: Sequence[Place], steps: Sequence[Node]) -> list[Place]:
    """Hang `steps` under the end of `path` and count each as a visit, all the way up; what has changed.

    A score of −inf counts as 0.
    """
    scores = [max(step.score, 0.0) for step in steps]
    path[-1].children = [Place(s, [], 1, score, s.terminal) for s, score in zip(steps, scores, strict=True)]
    for place in reversed(path):
        place.visits += len(steps)
        place.total += sum(scores)
        place.closed = all(child.closed for child in place.children)
    return [*path, *path[-1].children]
