"""Beam search over reasoning steps, guided by a process reward model (Snell et al. 2024, arXiv:2408.03314).

Unlike the reference tool, a finished answer leaves the beam and frees its slot, and all finished answers stand for selection.
"""

from tts_explorer.moves import BeamWidth, Depth, Expand, Prune, Samples, Score, Search, require_divides, shares
from tts_explorer.tree import Node

TITLE = "Beam search"
RULE = "best"


def beam_search(root: Node, *, n: Samples = 16, beam_width: BeamWidth = 4, max_depth: Depth = 12) -> Search:
    """Sample n steps an iteration; keep the best n / beam_width open ones to grow from."""
    require_divides(beam_width, n)
    beam = [root]
    for depth in range(max_depth):
        last = depth == max_depth - 1
        steps = yield Expand(beam, shares(n, len(beam)), to_end=last)
        steps = yield Score(steps)
        ranked = sorted((s for s in steps if not s.terminal), key=lambda s: s.score, reverse=True)
        beam = ranked[: n // beam_width]
        yield Prune(ranked[n // beam_width :], reason="rank")
        if not beam:
            return
