"""Self-consistency: many answers, the most frequent wins. It asks no verifier."""

from tts_explorer.moves import Expand, Samples, Search
from tts_explorer.tree import Node

TITLE = "Self-consistency"
RULE = "majority"


def self_consistency(root: Node, *, n: Samples = 16) -> Search:
    """Sample n whole answers; each one is a vote (Wang et al. 2022, arXiv:2203.11171)."""
    yield Expand([root], n, to_end=True)
