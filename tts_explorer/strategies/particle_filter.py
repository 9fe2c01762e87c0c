"""Particle filtering (Puri et al. 2025, arXiv:2502.01618, algorithm 1): steps are drawn by the verifier's odds, not ranked.

The reference tool has no particle filter. As in the paper a finished particle takes no more steps, keeps its weight and may be
drawn again, so it can crowd out unfinished ones. Unlike in the paper a finished answer that is not drawn still stands for
selection, and the iterations are bounded by max_depth.
"""

import math
import random
from collections import Counter
from typing import Annotated

from tts_explorer.moves import Depth, Expand, Prune, Score, Search, Select, Setting, softmax
from tts_explorer.tree import Node

TITLE = "Particle filtering"
RULE = "best"

Particles = Annotated[int, Setting(1, 256, "Particles; more of them follow the verifier's odds more closely.")]


def particle_filter(root: Node, *, n: Particles = 16, max_depth: Depth = 12, rng: random.Random) -> Search:
    """Each of n unfinished particles takes a step; then n are drawn with replacement, by softmax(logit(score))."""
    particles = [root] * n
    for depth in range(max_depth):
        going = Counter(p for p in particles if not p.terminal)
        steps = yield Expand(list(going), list(going.values()), to_end=depth == max_depth - 1)
        steps = yield Score(steps, merge=False)
        particles = [p for p in particles if p.terminal] + steps
        weights = softmax([logit(p.score) for p in particles])
        yield Select(particles, weights=weights)
        particles = rng.choices(particles, weights, k=n)
        yield Prune([s for s in steps if not s.terminal and s not in particles], reason="not drawn")
        if all(p.terminal for p in particles):
            return


def logit(score: float, edge: float = 1e-7) -> float:
    """log(score / (1 − score)), the score kept `edge` away from 0 and 1; a score of −inf counts as 0."""
    score = min(max(score, edge), 1 - edge)
    return math.log(score / (1 - score))
