"""Many searches in one loop, nothing stored: what each came to and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from tts_explorer.errors import TTSExplorerError
from tts_explorer.events import Status
from tts_explorer.runner import Ask, Live, Loop, Models, Run, prepare

ROWS = 128
"""Samples under way at once, of as many searches as that takes."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ended:
    """What a search came to."""

    correct: bool
    status: Status
    tokens: int
    """Sampled by both models."""
    flops: float
    """Of both models."""
    verifier: str | None

    @classmethod
    def of(cls, run: Run) -> Ended:
        tree, cost = run.tree, run.cost
        return cls(tree.correct is True, tree.status or "failed", cost.tokens, cost.flops, run.verifier and run.verifier.name)


def searched(asks: Sequence[Ask], models: Models, read: Callable[[Run], T], *, rows: int = ROWS) -> list[T]:
    """Run all of them, the next as soon as one has ended; what `read` reads off each, in their order.

    Company changes what a search takes in seconds only, but for one that its budget cuts: the cut falls between two tokens of
    the whole batch. Raises TTSExplorerError if one fails, else as `prepare` does.
    """
    loop, waiting, going, found = Loop(), iter(enumerate(asks)), dict[int, Live](), dict[int, T]()
    together = max(1, rows // max((int(ask.settings.get("n", 1)) for ask in asks), default=1))
    while len(found) < len(asks):
        for at, ask in islice(waiting, together - len(going)):
            going[at] = loop.start(prepare(ask, models, id=str(at)))
        loop.step()
        for at in [at for at, live in going.items() if live.done.is_set()]:
            run = going.pop(at).run
            if run.tree.status == "failed":
                raise TTSExplorerError(f"{run.plan.strategy.__name__} on problem {run.plan.problem.id} failed: {run.tree.detail}")
            found[at] = read(run)
    return [found[at] for at in range(len(asks))]
