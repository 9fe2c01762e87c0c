"""Process reward models from local Hugging Face checkpoints: token classifiers, two labels, read at each step's last token.

The format of TRL's PRM trainer: the problem, then the steps one after another, each tokenised by itself; the second label is
"right". A causal model reads such a text on from where it was, so each step of a tree is read once (`LocalPRM`). A model that
isn't causal reads the whole text for every step (`WholeTextPRM`), and says so in its `note`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from tts_explorer.errors import ModelUnavailable
from tts_explorer.models.base import Judgement, Key, Segment, Spend
from tts_explorer.models.batch import filled_up
from tts_explorer.models.checkpoint import Checkpoint
from tts_explorer.models.engine import Engine, Row
from tts_explorer.models.flops import Flops
from tts_explorer.models.trie import Stretch


@dataclass(eq=False)
class _Reading(Row):
    """A row that reads a path."""

    ends: list[Stretch | None] = field(default_factory=list)
    """The stretch that ends each step; None past the context."""


class LocalPRM(Engine):
    """Scores steps with a causal token classifier, up to `rows` paths at once; each token of a tree is read once.

    `memory` bounds the key/value segments kept between steps, in bytes.
    """

    note: str | None = None
    typical = 256

    def __init__(self, checkpoint: Checkpoint, *, rows: int = 64, memory: int = 256 << 20):
        require_two_labels(checkpoint)
        super().__init__(checkpoint, rows=rows, memory=memory)

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        found = self.trie.path(key[0], [prompt, *steps])
        path: list[Stretch] = []
        ends: list[Stretch | None] = []
        asked = 0
        for segment, stretches in zip([prompt, *steps], found, strict=True):
            fits = asked + len(segment) <= self.context
            asked += len(segment) if fits else self.context
            path += stretches if fits else ()
            ends.append(stretches[-1] if fits else None)
        self.trie.own(key, path[-1])
        self.enter(_Reading(key, path, sum(len(stretch.ids) for stretch in path), ends=ends[1:]))

    @torch.inference_mode()
    def tick(self) -> list[tuple[Key, Judgement]]:
        torch.set_num_threads(self.checkpoint.threads)
        done = self._judged()
        self.admit()
        if any(row.read < len(row.path) for row in self.running):
            self._reward(self.forward())
        for at in range(len(self.running) - 1, -1, -1):
            if self.running[at].read == len(self.running[at].path):
                done.append(self._judgement(self.leave(at)))
        return done + self._judged()

    def _judged(self) -> list[tuple[Key, Judgement]]:
        """Take out waiting rows whose rewards are all known, computed for another row."""
        known = [row for row in self.waiting if all(end is None or end.reward is not None for end in row.ends)]
        if known:
            self.waiting = [row for row in self.waiting if row not in known]
        return [self._judgement(row) for row in known]

    def _judgement(self, row: _Reading) -> tuple[Key, Judgement]:
        rewards = (end.reward if end is not None else None for end in row.ends)
        return row.key, Judgement(tuple(r if r is not None and r == r else None for r in rewards), row.spend(self.flops))

    def _reward(self, read: Sequence[tuple[Stretch, torch.Tensor]]) -> None:
        """Read the rewards off the hidden states at the ends of these stretches."""
        if read:
            hidden = filled_up(torch.stack([hidden for _, hidden in read]), self.batch.same.multiple)
            rewards = torch.softmax(self.head(hidden)[: len(read)].float(), -1)[:, 1].tolist()
            for (stretch, _), reward in zip(read, rewards, strict=True):
                stretch.reward = reward


class WholeTextPRM:
    """Scores steps with a token classifier of any kind: the whole text is read for every path, up to `rows` a tick."""

    def __init__(self, checkpoint: Checkpoint, *, rows: int = 4):
        require_two_labels(checkpoint)
        self.checkpoint, self.name, self.versions, self.rows = checkpoint, checkpoint.name, checkpoint.versions, rows
        self.problem, self.step = checkpoint.problem, checkpoint.step
        self.flops = Flops.of(checkpoint.model)
        self.waiting: list[tuple[Key, Segment, Sequence[Segment]]] = []
        self.note = f"{self.name} does not read from left to right: the whole text is read again for every step, and costs so"

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        self.waiting.append((key, prompt, steps))

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        self.waiting = [work for work in self.waiting if work[0] not in gone and work[0][:1] not in gone]
        return {}

    @torch.inference_mode()
    def tick(self) -> list[tuple[Key, Judgement]]:
        torch.set_num_threads(self.checkpoint.threads)
        now, self.waiting = self.waiting[: self.rows], self.waiting[self.rows :]
        return [(key, self._judged(prompt, steps)) for key, prompt, steps in now]

    def _judged(self, prompt: Segment, steps: Sequence[Segment]) -> Judgement:
        """One text a step: a model that looks ahead must not see the steps after the one that it judges."""
        rewards: list[float | None] = []
        spend = Spend()
        text = list(prompt)
        for step in steps:
            text += step
            rewards.append(None)
            if len(text) <= self.checkpoint.context:
                ids = torch.tensor([text], device=self.checkpoint.model.device)
                right = torch.softmax(self.checkpoint.model(input_ids=ids).logits[0, -1].float(), -1)[1].item()
                rewards[-1] = right if right == right else None
                spend += Spend(len(text), len(text), 0, self.flops.of_span(0, len(text), heads=0))
        return Judgement(tuple(rewards), spend)


def require_two_labels(checkpoint: Checkpoint) -> None:
    """Raise ModelUnavailable unless the classifier has two labels."""
    labels = checkpoint.model.config.num_labels
    if labels != 2:
        raise ModelUnavailable(f"{checkpoint.name} has {labels} labels: a process reward model here has two, wrong and right")


@torch.inference_mode()
def reads_forward(checkpoint: Checkpoint) -> bool:
    """Whether what the model says of a token is the same whatever comes after it."""
    ids = torch.arange(1, 9, device=checkpoint.model.device)[None]
    whole, part = (checkpoint.model(input_ids=ids[:, :end]).logits[0, 2].float() for end in (8, 3))
    return bool(torch.allclose(whole, part, atol=1e-3, rtol=1e-3))
