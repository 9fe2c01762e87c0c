"""What is said of an attempt before it is revised, in the words that the bundled models were taught (`train/skills.py`)."""

from __future__ import annotations

from collections.abc import Sequence

WRONG_ANSWER = "The answer is wrong."
NO_ANSWER = "There is no answer."
RIGHT_ANSWER = "The answer is right."
ACCEPTED = 0.5
"""A reward from which on an answer is accepted."""


def doubted(rewards: Sequence[float | None]) -> str:
    """The verifier's doubt: the first step with a reward below ½, else the one with the lowest.

    >>> doubted([0.9, 0.2, 0.1])
    'The first mistake is in step 2.'
    """
    known = [(reward, place) for place, reward in enumerate(rewards, start=1) if reward is not None]
    low = [place for reward, place in known if reward < 0.5]
    return f"The first mistake is in step {low[0] if low else min(known)[1]}." if known else WRONG_ANSWER
