"""Best-first search: always grow the best open step, wherever it is (Koh et al. 2024, arXiv:2407.01476).

The reference tool has no best-first search. Unlike in the paper it stops at a number of finished answers, not at a score, has no
largest depth, and samples n first steps, as dvts does, where every other node gets beam_width: a node is expanded once, so a
first step that is missed then stays unfound.
"""

from heapq import heappop, heappush
from itertools import count
from typing import Annotated

from tts_explorer.moves import Branching, Expand, Expansions, Score, Search, Setting
from tts_explorer.tree import Node

TITLE = "Best-first search"
RULE = "best"

Answers = Annotated[int, Setting(1, 64, "Finished answers after which the search stops.")]


def best_first(root: Node, *, n: Expansions = 16, beam_width: Branching = 4, answers: Answers = 1) -> Search:
    """Expand the open node with the highest score, at most n times; then, if no answer was found, write one to its end."""
    frontier, number, found = [(0.0, 0, root)], count(1), 0
    for _ in range(n):
        _, _, best = heappop(frontier)
        steps = yield Expand([best], n if best is root else beam_width)
        steps = yield Score(steps)
        found += sum(s.answer is not None for s in steps)
        for step in steps:
            if not step.terminal:
                heappush(frontier, (-step.score, next(number), step))
        if found >= answers or not frontier:
            return
    if not found:
        last = yield Expand([frontier[0][2]], 1, to_end=True)
        yield Score(last)
