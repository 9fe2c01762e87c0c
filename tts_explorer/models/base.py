"""The seam of models: what the runner needs of a policy and of a verifier, and where randomness comes from.

An adapter takes work (`submit`), does a bounded piece of it (`tick`: one token for every row under way) and forgets it
(`drop`). A prompt is a tuple of token-id segments, the problem first, then one a node; so an adapter may keep a cache in
the shape of a tree without ever seeing one. Rows are independent: a cache is private and may not change a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from tts_explorer.events import NodeId, Stop, Verdict, dotted

Key = tuple[Any, ...]
"""Names a piece of work; its first item names the search, whose equal prompts may be read once."""
Segment = tuple[int, ...]
"""Token ids of the problem, or of one node."""
Odds = tuple[frozenset[int], frozenset[int]]
"""Token ids that say yes, and those that say no."""


@dataclass(frozen=True, slots=True)
class Spend:
    """What a piece of work took: tokens asked for as prompt, really forwarded, sampled; FLOPs."""

    prompt_tokens: int = 0
    forwarded_tokens: int = 0
    sampled_tokens: int = 0
    flops: float = 0.0

    def __add__(self, other: Spend) -> Spend:
        return Spend(
            self.prompt_tokens + other.prompt_tokens,
            self.forwarded_tokens + other.forwarded_tokens,
            self.sampled_tokens + other.sampled_tokens,
            self.flops + other.flops,
        )


NOTHING = Spend()


@dataclass(frozen=True, slots=True)
class Sample:
    """One step that a policy wrote."""

    ids: Segment
    text: str
    """With its closing delimiter, so that a path's text is plain concatenation."""
    logprob: float
    """Sum over `ids` under the model at temperature 1, in nats."""
    stop: Stop
    room: bool
    """Whether the context has room for another token."""
    spend: Spend = field(default_factory=Spend)
    certainty: float | None = None
    """Sum over `ids` of KL(uniform ‖ the model's distribution at temperature 1), in nats."""
    p_yes: float | None = None
    """Of the last yes or no that it wrote: the probability of yes against no at that place. None without one."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verifier's rewards for the steps it was given, in [0, 1], None where it failed: one a step, asserted."""

    rewards: tuple[float | None, ...]
    spend: Spend = field(default_factory=Spend)
    verdicts: tuple[Verdict, ...] = ()
    """What a generative verifier wrote of the last step."""

    def after(self, verdicts: tuple[Verdict, ...]) -> Judgement:
        """The same with earlier `verdicts` before its own, the last reward being the mean of them all."""
        together = verdicts + self.verdicts
        mean = sum(verdict.p_yes for verdict in together) / len(together)
        return replace(self, rewards=(*self.rewards[:-1], mean), verdicts=together)


class Policy(Protocol):
    """A language model that writes steps."""

    name: str
    versions: dict[str, str]

    def problem(self, text: str) -> Segment:
        """The prompt for a problem, as token ids. Raises BadProblem when it doesn't fit."""

    def revision(self, feedback: str, attempt: Segment) -> Segment:
        """What stands between an attempt, whose last node is given, and the next one, as token ids."""

    def fits(self, prompt: Sequence[Segment]) -> bool:
        """Whether the context has room for an answer after `prompt`."""

    def submit(
        self,
        key: Key,
        prompt: Sequence[Segment],
        *,
        rng: int,
        temperature: float,
        max_tokens: int,
        to_end: bool = False,
        odds: Odds | None = None,
    ) -> None:
        """Ask for one step after `prompt`; temperature 0 is greedy. `to_end` writes on over delimiters.

        With `odds` the sample says how probable yes was where it wrote yes or no.
        """

    def tick(self) -> list[tuple[Key, Sample]]:
        """Sample one token for every row under way; return the samples that this finished."""

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        """Forget these samples, and what is kept to go on from finished ones; `(search,)` names all of a search.

        Returns what was spent on each that was under way.
        """

    def progress(self) -> dict[Key, Spend]:
        """What was spent so far on every sample under way."""

    def drafts(self) -> dict[Key, str]:
        """Text so far, for every sample under way."""


class Verifier(Protocol):
    """A model, or a program, that judges steps."""

    name: str
    versions: dict[str, str]
    note: str | None
    """A sentence that whoever uses it should read, about its cost, say."""
    writes: bool
    """Whether it is generative: `Writer` below."""

    def problem(self, text: str) -> Segment: ...

    def step(self, text: str) -> Segment: ...

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        """Ask for a reward for each of `steps` (none of them empty)."""

    def tick(self) -> list[tuple[Key, Judgement]]: ...

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]: ...


class Writer(Verifier, Protocol):
    """A generative verifier: it rewards the last step alone, by written verdicts on the path to it."""

    def submit(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: Key, prompt: Segment, steps: Sequence[Segment], *, rngs: Sequence[int], temperature: float
    ) -> None:
        """Ask for one verdict for each of `rngs`, which decide its random numbers. The reward is their mean p(yes)."""

    def progress(self) -> dict[Key, Spend]:
        """What was spent so far on every piece of work under way."""


def sample_key(seed: int, node: NodeId, purpose: str = "") -> int:
    """64 bits that decide all random numbers of one sample: a hash of the run's seed, the node's path and the purpose."""
    text = f"{seed}:{dotted(node)}{purpose}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def uniforms(keys: Sequence[int], positions: Sequence[int]) -> np.ndarray:
    """One number in (0, 1) for each (sample key, token position): splitmix64 of key + position · golden ratio.

    Counter-based, so it depends on neither the batch nor the order. Source: Steele, Lea & Flood 2014, §4.

    >>> bool(uniforms([7], [3])[0] == uniforms([9, 7], [0, 3])[1])
    True
    """
    with np.errstate(over="ignore"):
        z = np.array(keys, np.uint64) + np.array(positions, np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
