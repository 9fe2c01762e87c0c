"""REBASE, reward-balanced search (Wu et al. 2024, arXiv:2408.00724, "Reward balanced search" and its algorithm).

The reference tool has no REBASE. As in the paper n counts solutions: a finished one takes its sample with it (where a finished
beam frees its slot), and a step whose share rounds to 0 is given up, no other, since each iteration looks at the newest steps
only. Unlike in the paper shares are rounded by largest remainder, so that they sum to what is left, and equal steps after one
parent are merged, so that they have one share.
"""

from typing import Annotated

from tts_explorer.moves import Depth, Expand, Prune, Score, Search, Select, Setting, portions, softmax
from tts_explorer.tree import Node

TITLE = "REBASE"
RULE = "weighted"

Solutions = Annotated[int, Setting(1, 256, "Solutions in all; each iteration samples a step for each unfinished one.")]
Balance = Annotated[float, Setting(0.01, 10, "Low: the best steps get all samples; high: all get as many.", step=0.01)]


def rebase(root: Node, *, n: Solutions = 16, balance_temperature: Balance = 0.2, max_depth: Depth = 12) -> Search:
    """Grow n solutions; a step's share of the next samples is softmax(score / balance_temperature)."""
    going, widths = [root], [n]
    for depth in range(max_depth):
        steps = yield Expand(going, widths, to_end=depth == max_depth - 1)
        left = sum(not s.terminal for s in steps)
        steps = yield Score(steps)
        unfinished = [s for s in steps if not s.terminal]
        if not unfinished:
            return
        widths = portions(left, softmax([s.score for s in unfinished], balance_temperature))
        yield Select(unfinished, weights=widths)
        yield Prune([s for s, width in zip(unfinished, widths, strict=True) if not width], reason="no share")
        going = [s for s, width in zip(unfinished, widths, strict=True) if width]
        widths = [width for width in widths if width]
