"""Self-consistency: many answers, the most frequent wins (Wang et al. 2022, arXiv:2203.11171). It asks no verifier.

In the reference tool it is one of the votes over best-of-N's answers, so that a verifier is paid for which it doesn't need.
Unlike there a text cut by its length has no answer and no vote, and answers are equal by the task's own program.
"""

from tts_explorer.moves import Expand, Samples, Search
from tts_explorer.tree import Node

TITLE = "Self-consistency"
RULE = "majority"


def self_consistency(root: Node, *, n: Samples = 16) -> Search:
    """Sample n whole answers; each one is a vote (Wang et al. 2022, arXiv:2203.11171)."""
    yield Expand([root], n, to_end=True)
