"""Many searches in one loop, nothing stored: what each came to and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from tts_explorer.errors import TTSExplorerError
from tts_explorer.events import Status
from tts_explorer.runner.loop import Live, Loop
from tts_explorer.runner.prepare import Ask, Models, prepare
from tts_explorer.runner.run import Run

ROWS = 128
"""Samples under way at once, of as many searches as that takes."""
KEPT = 16_384
"""Tokens that searches may have at once: the engine keeps so many, and what it has to compute again would count as spent."""
PROBLEM, STEPS = 150, 100
"""Tokens of a problem, and of an answer: a guess, until the first search has ended."""
T = TypeVar("T")


@cache
def models() -> Models:
    """The process's own, on one thread."""
    return Models(threads=1)


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
    """Run all of them, so many at once as keep `rows` samples under way; what `read` reads off each, in their order.

    Company changes what a search takes in seconds only, but for one that its budget cuts: the cut falls between two tokens of
    the whole batch. Raises TTSExplorerError if one fails, else as `prepare` does.
    """
    loop, waiting, going, found, largest = Loop(), iter(enumerate(asks)), dict[int, Live](), dict[int, T](), 0
    try:
        while len(found) < len(asks):
            busy = len(loop.owners)
            while not going or (busy < rows and (len(going) + 1) * (largest or PROBLEM + STEPS * _samples(asks)) <= KEPT):
                if (job := next(waiting, None)) is None:
                    break
                going[job[0]] = loop.start(prepare(job[1], models, id=str(job[0])))
                busy += _samples(asks)
            loop.step()
            for at in [at for at, live in going.items() if live.done.is_set()]:
                run = going.pop(at).run
                if run.tree.status == "failed":
                    what = f"{run.plan.strategy.__name__} on problem {run.plan.problem.id}"
                    raise TTSExplorerError(f"{what} failed: {run.tree.detail}")
                found[at], largest = read(run), max(largest, PROBLEM + run.cost.tokens)
    finally:
        _leave(loop, going)
    return [found[at] for at in range(len(asks))]


def _leave(loop: Loop, going: dict[int, Live]) -> None:
    """End what is under way, so that the models may be used again."""
    for live in going.values():
        live.cancel()
    if going:
        loop.step()


def _samples(asks: Sequence[Ask]) -> int:
    """Samples that a search begins with, at most."""
    return max(int(ask.settings.get("n", 1)) for ask in asks)
