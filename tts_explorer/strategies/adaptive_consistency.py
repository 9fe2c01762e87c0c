"""Adaptive consistency: self-consistency that stops when its leader is decided (Aggarwal et al. 2023, arXiv:2305.11860).

The reference tool has nothing like it. The rule is the paper's default, its Beta stopping criterion over the two leading
answers. Unlike the paper, which looks after every answer, it looks after each batch, which shares the model's work (batch=1 is
the paper's), and texts without an answer are not votes.
"""

from collections import Counter
from math import comb
from typing import Annotated

from tts_explorer.moves import Expand, Note, Search, Setting
from tts_explorer.tree import Node

TITLE = "Adaptive consistency"
RULE = "majority"

Answers = Annotated[int, Setting(1, 256, "Answers at most.")]
Batch = Annotated[int, Setting(1, 64, "Answers sampled between two looks at the votes; 1 saves most samples and takes longest.")]
Confidence = Annotated[float, Setting(0.51, 0.999, "How sure the leader must be before sampling stops.", step=0.001)]


def adaptive_consistency(root: Node, *, n: Answers = 16, batch: Batch = 4, confidence: Confidence = 0.95) -> Search:
    """Sample whole answers, a batch at a time and n at most, until the leading answer is decided."""
    votes = Counter()
    for drawn in range(0, n, batch):
        answers = yield Expand([root], min(batch, n - drawn), to_end=True)
        votes.update(a.answer for a in answers if a.answer)
        (_, first), (_, second) = [*votes.most_common(2), ("", 0), ("", 0)][:2]
        sure = lead(first, second)
        if sure >= confidence:
            break
    reached = f"stopped after {drawn + len(answers)} of {n}" if sure >= confidence else f"undecided after all {n}"
    yield Note(f"{reached} answers: {first} votes to {second} make it {sure:.2%} sure, where {confidence:.1%} is asked")


def lead(first: int, second: int) -> float:
    """How sure `first` votes are to beat `second` in the long run: P(p > ½) for p ~ Beta(first + 1, second + 1).

    For whole numbers this tail is a binomial one: at most `first` heads in first + second + 1 tosses of a coin.

    >>> lead(0, 0), lead(4, 0)
    (0.5, 0.96875)
    """
    tosses = first + second + 1
    return sum(comb(tosses, heads) for heads in range(first + 1)) / 2**tosses
