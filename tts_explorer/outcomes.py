"""Verifiers that are no models: scores read off the samples themselves, as functions of the tree.

`logprob`: the geometric mean of the path's token probabilities. `self-certainty`: how far the model's distributions were from
uniform on the path (Kang et al. 2025, arXiv:2502.18581, §3). `agreement`: the share of finished answers that equal this one.
All cost nothing and lie in [0, 1]. They know neither the problem nor a truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from tts_explorer.events import NodeId
from tts_explorer.tree import SearchTree


def likelihood(tree: SearchTree, id: NodeId) -> float | None:
    """exp(mean log-probability) over the tokens of the path to `id`; None where nothing was sampled."""
    path = tree.path(id)
    tokens = sum(node.tokens for node in path)
    return math.exp(min(0.0, sum(node.logprob for node in path) / tokens)) if tokens else None


def self_certainty(tree: SearchTree, id: NodeId) -> float | None:
    """c / (1 + c), c the mean KL(uniform ‖ p) in nats over the tokens of the path: rising with it, and below 1.

    None where the policy doesn't say.
    """
    path = tree.path(id)
    tokens = sum(node.tokens for node in path)
    if not tokens or any(node.certainty is None for node in path):
        return None
    mean = max(0.0, sum(node.certainty or 0.0 for node in path) / tokens)
    return mean / (1 + mean)


def agreement(tree: SearchTree, id: NodeId) -> float | None:
    """The share of finished answers that are this one's; None without an answer."""
    answers = [node.answer for node in tree.finished()]
    mine = tree.nodes[id].answer
    return answers.count(mine) / len(answers) if mine else None


OUTCOMES: dict[str, Callable[[SearchTree, NodeId], float | None]] = {
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
