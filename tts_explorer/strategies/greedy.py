"""Greedy decoding: the chain-of-thought baseline (Wei et al. 2022, arXiv:2201.11903).

The reference tool has no greedy decoding, so what a search is worth over the plain answer can't be read off it.
"""

from tts_explorer.moves import Expand, Search
from tts_explorer.tree import Node

TITLE = "Greedy"
RULE = "last"


def greedy(root: Node) -> Search:
    """Write one answer, always the likeliest token (Wei et al. 2022, arXiv:2201.11903)."""
    yield Expand([root], 1, to_end=True, greedy=True)
