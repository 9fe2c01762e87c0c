"""Solve and verify: many answers, each checked in words several times (GenRM: Zhang et al. 2024, arXiv:2408.15240;
Singhi et al. 2025, arXiv:2504.01005).

An answer's score is the mean of its verdicts' p(yes). It costs C(S, V) = S (1 + λ V) solutions' worth, λ the length of a
verdict against that of a solution. The reference tool has no generative verifier. Unlike in the papers' code the answer with
the best score wins by default; rule `weighted` sums the scores of equal answers.
"""

from typing import Annotated

from tts_explorer.moves import Expand, Samples, Score, Search, Setting
from tts_explorer.tree import Node

TITLE = "Solve and verify"
RULE = "best"
WHOLE = True

Votes = Annotated[int, Setting(1, 64, "Written verdicts on each answer (V); more of them judge more surely and cost more.")]


def solve_and_verify(root: Node, *, n: Samples = 16, votes: Votes = 4) -> Search:
    """Write n whole answers (S), and for each as many written checks as there are votes (V)."""
    answers = yield Expand([root], n, to_end=True)
    yield Score(answers, votes=votes)
