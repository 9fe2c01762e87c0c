"""Diverse verifier tree search: separate subtrees, each greedy among its candidates (Beeching et al. 2024, HF blog).

Subtree j holds the root's children jM … jM+M−1 for ever, so a node's subtree is node[0] // M. Unlike in the reference tool,
finished siblings keep their vote and unfinished texts never vote.
"""

from tts_explorer.moves import BeamWidth, Depth, Expand, Prune, Samples, Score, Search, require_divides
from tts_explorer.tree import Node

TITLE = "DVTS"
RULE = "best"


def dvts(root: Node, *, n: Samples = 16, beam_width: BeamWidth = 4, max_depth: Depth = 12) -> Search:
    """Grow n / beam_width subtrees side by side; each keeps its best step, so none can crowd out another."""
    require_divides(beam_width, n)
    steps = yield Expand([root], n, to_end=max_depth == 1)
    subtrees = [steps[i : i + beam_width] for i in range(0, n, beam_width)]
    for depth in range(1, max_depth + 1):
        kept = []
        for candidates in subtrees:
            candidates = yield Score(candidates)
            best = max(candidates, key=lambda s: s.score)
            yield Prune([s for s in candidates if s is not best and not s.terminal], reason="rank")
            kept += [best] if not best.terminal else []
        if not kept:
            return
        steps = yield Expand(kept, beam_width, to_end=depth == max_depth - 1)
        subtrees = [[s for s in steps if s.id[: len(tip.id)] == tip.id] for tip in kept]
