"""Sequential refinement: answer, feedback, revised answer (Self-Refine: Madaan et al. 2023, arXiv:2303.17651; with perfect
feedback: Balachandran et al. 2025, arXiv:2504.00294, §3).

The reference tool has nothing like it. Feedback by `truth` tells whether the answer is right, which nobody knows in earnest:
an upper bound. As in Balachandran et al. an accepted answer ends the search; unlike there, only the last attempt is read again,
not all that came before it.
"""

from typing import Annotated

from tts_explorer.moves import Choice, Expand, Giver, Revise, Search, Setting
from tts_explorer.tree import Node

TITLE = "Sequential refinement"
RULE = "last"

Rounds = Annotated[int, Setting(0, 32, "Revisions at most; an accepted answer ends the search.")]
Feedback = Annotated[
    Giver,
    Choice(
        ("verifier", "self", "truth"),
        "Who finds the fault: the verifier points at a step, the model itself writes a check, or the truth (an upper bound).",
    ),
]


def sequential_refinement(root: Node, *, rounds: Rounds = 3, feedback: Feedback = "verifier") -> Search:
    """Write an answer, then revise it until it is accepted, at most `rounds` times."""
    attempts = yield Expand([root], 1, to_end=True)
    for _ in range(rounds):
        attempts = yield Revise(attempts, 1, feedback)
        if not attempts:
            return
