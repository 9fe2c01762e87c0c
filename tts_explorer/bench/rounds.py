"""A beam search at the seam, without a runner: rounds of samples and judgements that any two adapters can be put through."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tts_explorer.bench.measure import Clock
from tts_explorer.events import NodeId
from tts_explorer.models.base import Key, Policy, Sample, Segment, Verifier, sample_key
from tts_explorer.moves import require_divides, shares


@dataclass(frozen=True, slots=True)
class Course:
    """What to search: `n` steps a round, the best `n` / `beam_width` kept; every number follows from `seed`."""

    n: int = 16
    beam_width: int = 4
    rounds: int = 10
    steps: int = 32
    """Tokens of a step, exactly; the mean where they are `ragged`."""
    prompt: int = 100
    """Tokens of the problem."""
    ragged: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        require_divides(self.beam_width, self.n)

    @property
    def context(self) -> int:
        """Tokens that the longest path can have, and one to spare."""
        return self.prompt + self.rounds * (2 * self.steps if self.ragged else self.steps) + 1

    def opening(self, vocabulary: int) -> Segment:
        """The problem: random tokens."""
        rng = random.Random(self.seed)
        return tuple(rng.randrange(1, vocabulary) for _ in range(self.prompt))

    def length(self, node: NodeId) -> int:
        """Tokens of the step at `node`: the same for everybody, 4 to 64 around a mean of 32 where they are ragged."""
        longest = 2 * self.steps
        return random.Random(f"{self.seed}{node}").randint(min(4, longest), longest) if self.ragged else self.steps

    def children(self, beams: Sequence[NodeId]) -> list[NodeId]:
        """The nodes to sample after the kept ones."""
        counts = shares(self.n, len(beams))
        return [(*beam, i) for beam, count in zip(beams, counts, strict=True) for i in range(count)]


@dataclass
class Outcome:
    """What a search came to, and what it took."""

    steps: dict[NodeId, Segment] = field(default_factory=dict)
    rewards: dict[NodeId, float] = field(default_factory=dict)
    total: Clock = field(default_factory=Clock)
    policy: Clock = field(default_factory=Clock)
    verifier: Clock = field(default_factory=Clock)
    forwarded: dict[str, int] = field(default_factory=lambda: {"policy": 0, "verifier": 0})

    @property
    def sampled(self) -> int:
        return sum(map(len, self.steps.values()))


def searched(course: Course, policy: Policy, verifier: Verifier, prompt: Segment, search: str) -> Outcome:
    """Go the whole course under the name `search`, and forget it in both models."""
    found, texts = Outcome(), {(): (prompt,)}
    beams: list[NodeId] = [()]
    with found.total:
        for _ in range(course.rounds):
            children = course.children(beams)
            with found.policy:
                samples = sampled(course, policy, texts, children, search)
            for node, sample in samples.items():
                found.steps[node], texts[node] = sample.ids, (*texts[node[:-1]], sample.ids)
                found.forwarded["policy"] += sample.spend.forwarded_tokens
            with found.verifier:
                rewards, forwarded = judged(verifier, {node: texts[node] for node in children}, search)
            found.rewards |= rewards
            found.forwarded["verifier"] += forwarded
            beams = sorted(children, key=lambda node: -rewards[node])[: course.n // course.beam_width]
        with found.policy:
            policy.drop([(search,)])
        with found.verifier:
            verifier.drop([(search,)])
    return found


def sampled(
    course: Course, policy: Policy, texts: dict[NodeId, tuple[Segment, ...]], nodes: Sequence[NodeId], search: str
) -> dict[NodeId, Sample]:
    """A step for each of `nodes`."""
    for node in nodes:
        rng, length = sample_key(course.seed, node), course.length(node)
        policy.submit((search, "sample", node), texts[node[:-1]], rng=rng, temperature=1.0, max_tokens=length)
    done: dict[Key, Sample] = {}
    while len(done) < len(nodes):
        done |= policy.tick()
    return {node: done[search, "sample", node] for node in nodes}


def judged(verifier: Verifier, texts: dict[NodeId, tuple[Segment, ...]], search: str) -> tuple[dict[NodeId, float], int]:
    """The reward of the last step of each text, and the tokens forwarded for all of them."""
    for node, (prompt, *steps) in texts.items():
        verifier.submit((search, "judge", node), prompt, steps)
    rewards, forwarded = {}, 0
    while len(rewards) < len(texts):
        for (_, _, node), judgement in verifier.tick():
            rewards[node] = judgement.rewards[-1]
            forwarded += judgement.spend.forwarded_tokens
    return rewards, forwarded
