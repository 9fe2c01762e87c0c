"""Best-of-N: many answers, the verifier chooses. Rule `weighted` sums the scores of equal answers instead."""

from tts_explorer.moves import Expand, Samples, Score, Search
from tts_explorer.tree import Node

TITLE = "Best-of-N"
RULE = "best"
WHOLE = True


def best_of_n(root: Node, *, n: Samples = 16) -> Search:
    """Sample n whole answers and score each (Cobbe et al. 2021, arXiv:2110.14168)."""
    answers = yield Expand([root], n, to_end=True)
    yield Score(answers)
