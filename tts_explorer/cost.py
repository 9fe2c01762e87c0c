"""What a search has cost: one ledger, folded from `CostIncurred`. It knows no prices and no models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tts_explorer.events import CostIncurred, Event, NodeAdded, Role


@dataclass
class Ledger:
    """Sums for one model. Tokens, FLOPs (multiply and add counted apart), seconds."""

    prompt_tokens: int = 0
    forwarded_tokens: int = 0
    sampled_tokens: int = 0
    flops: float = 0.0
    seconds: float = 0.0
    moves: int = 0
    apportioned: bool = False
    """Whether some seconds are a share of a batch that other searches were in too."""


@dataclass
class Cost:
    """Policy, verifier, and the nodes that they were spent on."""

    policy: Ledger = field(default_factory=Ledger)
    verifier: Ledger = field(default_factory=Ledger)
    nodes: int = 0

    @classmethod
    def of(cls, events: Iterable[Event]) -> Cost:
        """Fold a whole stream."""
        cost = cls()
        for event in events:
            cost.apply(event)
        return cost

    def apply(self, event: Event) -> None:
        """Learn one event."""
        if isinstance(event, NodeAdded):
            self.nodes += 1
        elif isinstance(event, CostIncurred):
            ledger = self.ledger(event.role)
            ledger.prompt_tokens += event.prompt_tokens
            ledger.forwarded_tokens += event.forwarded_tokens
            ledger.sampled_tokens += event.sampled_tokens
            ledger.flops += event.flops
            ledger.seconds += event.seconds
            ledger.moves += 1
            ledger.apportioned = ledger.apportioned or event.apportioned

    def ledger(self, role: Role) -> Ledger:
        return self.policy if role == "policy" else self.verifier

    @property
    def tokens(self) -> int:
        """Tokens sampled by both models: what the `tokens` budget bounds."""
        return self.policy.sampled_tokens + self.verifier.sampled_tokens

    @property
    def flops(self) -> float:
        """FLOPs of both models: what the `flops` budget bounds."""
        return self.policy.flops + self.verifier.flops
