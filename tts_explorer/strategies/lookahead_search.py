"""Lookahead search: beam search whose steps are scored by where they lead (Snell et al. 2024, arXiv:2408.03314, §5.2).

After each unfinished step some steps more are written greedily, and the verifier's word at their end is the step's reward;
what was written ahead is thrown away. Unlike in the reference tool's beam search, where the look ahead is paid for and then
ignored, it decides the ranking. With lookahead=0 it is beam_search.
"""

from typing import Annotated

from tts_explorer.moves import BeamWidth, Depth, Expand, Prune, Samples, Score, Search, Setting, require_divides, shares
from tts_explorer.tree import Node

TITLE = "Lookahead search"
RULE = "best"

Lookahead = Annotated[int, Setting(0, 16, "Greedy steps written after a step before it is scored; each costs like a sample.")]


def lookahead_search(
    root: Node, *, n: Samples = 16, beam_width: BeamWidth = 4, lookahead: Lookahead = 1, max_depth: Depth = 12
) -> Search:
    """Sample n steps an iteration, look some steps ahead of each; keep the n / beam_width that lead to the best."""
    require_divides(beam_width, n)
    beam = [root]
    for depth in range(max_depth):
        last = depth == max_depth - 1
        steps = yield Expand(beam, shares(n, len(beam)), to_end=last)
        steps = yield Score(steps, lookahead=lookahead)
        ranked = sorted((s for s in steps if not s.terminal), key=lambda s: s.score, reverse=True)
        beam = ranked[: n // beam_width]
        yield Prune(ranked[n // beam_width :], reason="rank")
        if not beam:
            return
