"""Verifiers that are no models: scores read off the samples themselves, as functions of the tree.

`logprob`: the geometric mean of the path's token probabilities. `self-certainty`: how far the model's distributions were from
uniform on the path (Kang et al. 2025, arXiv:2502.18581, §3). `agreement`: the share of finished answers that equal this one.
All cost nothing and lie in [0, 1]. They know neither the problem nor a truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tts_explorer.events import NodeId
from tts_explorer.tree import SearchTree

Piece = tuple[int, float, float | None]
"""Of one step: its tokens, the sum of their log-probabilities, and of their certainties where it is known."""


HALFWAY = 10.0
"""Nats of certainty that are worth ½: about what small models show, so that differences can be seen."""


def likelihood(tree: SearchTree, id: NodeId, ahead: Sequence[Piece] = ()) -> float | None:
    """exp(mean log-probability) over the tokens of the path to `id` and of the steps `ahead`; None where nothing was sampled."""
    pieces = _pieces(tree, id, ahead)
    tokens = sum(tokens for tokens, *_ in pieces)
    return math.exp(min(0.0, sum(logprob for _, logprob, _ in pieces) / tokens)) if tokens else None


def self_certainty(tree: SearchTree, id: NodeId, ahead: Sequence[Piece] = ()) -> float | None:
    """c / (`HALFWAY` + c), c the mean KL(uniform ‖ p) in nats over the tokens of the path: rising with it, and below 1.

    None where the policy doesn't say.
    """
    pieces = _pieces(tree, id, ahead)
    tokens, known = sum(tokens for tokens, *_ in pieces), [certainty for *_, certainty in pieces if certainty is not None]
    if not tokens or len(known) < len(pieces):
        return None
    mean = max(0.0, sum(known) / tokens)
    return mean / (HALFWAY + mean) if math.isfinite(mean) else None


def _pieces(tree: SearchTree, id: NodeId, ahead: Sequence[Piece]) -> list[Piece]:
    return [(node.tokens, node.logprob, node.certainty) for node in tree.path(id)] + list(ahead)


def agreement(tree: SearchTree, id: NodeId, ahead: Sequence[Piece] = ()) -> float | None:
    """The share of finished answers that are this one's; None without an answer. What is ahead votes for nothing."""
    answers = [node.answer for node in tree.finished()]
    mine = tree.nodes[id].answer
    return answers.count(mine) / len(answers) if mine else None


OUTCOMES: dict[str, Callable[..., float | None]] = {
    "logprob": likelihood,
    "self-certainty": self_certainty,
    "agreement": agreement,
}
NOTES = {
    "logprob": "logprob rewards what the policy itself finds likely; it knows nothing of right and wrong",
    "self-certainty": "self-certainty rewards what the policy was sure of; it knows nothing of right and wrong",
    "agreement": "agreement rewards the answer that most samples share: best-of-N by it is self-consistency",
}


class Outcome:
    """One of `OUTCOMES` in a verifier's place. The run asks it at once; it is never given anything to read."""

    writes = False

    def __init__(self, name: str):
        self.name, self.versions, self.note, self.reward = name, {name: "formula"}, NOTES[name], OUTCOMES[name]

    @property
    def whole(self) -> bool:
        """Whether it rewards finished answers only."""
        return self.name == "agreement"

    def problem(self, text: str) -> tuple[int, ...]:
        return ()

    def tick(self) -> list[Any]:
        return []

    def drop(self, keys: Iterable[Any]) -> dict[Any, Any]:
        return {}
