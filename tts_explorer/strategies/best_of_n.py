"""Best-of-N: many answers, the verifier chooses (Cobbe et al. 2021, arXiv:2110.14168). Rule `weighted` sums the scores of equal
answers instead.

Unlike in the reference tool a text cut by its length is no answer, and the vote of rule `weighted` uses the aggregate of steps
that was asked for, where the reference tool's always uses the last step's score.
"""

from tts_explorer.moves import Expand, Samples, Score, Search
from tts_explorer.tree import Node

TITLE = "Best-of-N"
RULE = "best"
WHOLE = True


def best_of_n(root: Node, *, n: Samples = 16) -> Search:
    """Sample n whole answers and score each (Cobbe et al. 2021, arXiv:2110.14168)."""
    answers = yield Expand([root], n, to_end=True)
    yield Score(answers)
