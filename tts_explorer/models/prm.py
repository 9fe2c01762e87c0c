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

    `memory` bounds the key/value segments kept between steps, in bytes; else 16,384 tokens of them are kept.
    """

    note: str | None = None
    writes = False
    typical = 256

    def __init__(self, checkpoint: Checkpoint, *, rows: int = 64, memory: int | None = None):
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


@dataclass(eq=False)
class _Judging:
    """A path under way in a reader of whole texts."""

    key: Key
    text: list[int]
    steps: list[Segment]
    """Those still to be judged."""
    rewards: list[float | None] = field(default_factory=list)
    spend: Spend = field(default_factory=Spend)


class WholeTextPRM:
    """Scores steps with a token classifier of any kind: for each step the whole text up to it is read, once.

    A model that looks ahead must not see what comes after the step that it judges. About `chunk` tokens are read a tick.
    """

    writes = False

    def __init__(self, checkpoint: Checkpoint, *, chunk: int = 512):
        require_two_labels(checkpoint)
        self.checkpoint, self.name, self.versions, self.chunk = checkpoint, checkpoint.name, checkpoint.versions, chunk
        self.problem, self.step = checkpoint.problem, checkpoint.step
        self.flops = Flops.of(checkpoint.model)
        self.waiting: list[_Judging] = []
        self.known: dict[tuple[object, Segment], float | None] = {}
        """(search, text): the reward at its end."""
        self.note = f"{self.name} does not read from left to right: the whole text is read again for every step, and costs so"

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        self.waiting.append(_Judging(key, list(prompt), list(steps)))

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        left = [work for work in self.waiting if work.key in gone or work.key[:1] in gone]
        self.waiting = [work for work in self.waiting if work not in left]
        self.known = {(search, text): reward for (search, text), reward in self.known.items() if (search,) not in gone}
        return {work.key: work.spend for work in left if work.spend.forwarded_tokens}

    @torch.inference_mode()
    def tick(self) -> list[tuple[Key, Judgement]]:
        torch.set_num_threads(self.checkpoint.threads)
        done, room = [], self.chunk
        while self.waiting:
            work = self.waiting[0]
            while work.steps:
                if room < self.chunk and len(work.text) + len(work.steps[0]) > room:
                    return done
                room -= self._judge(work)
            done.append((work.key, Judgement(tuple(work.rewards), work.spend)))
            self.waiting.pop(0)
        return done

    def _judge(self, work: _Judging) -> int:
        """Judge the next step; returns the tokens that were read for it."""
        work.text += work.steps.pop(0)
        read, text = 0, (work.key[0], tuple(work.text))
        if text not in self.known:
            self.known[text] = None
            if len(work.text) <= self.checkpoint.context:
                read = len(work.text)
                ids = torch.tensor([work.text], device=self.checkpoint.model.device)
                right = torch.softmax(self.checkpoint.model(input_ids=ids).logits[0, -1].float(), -1)[1].item()
                self.known[text] = right if right == right else None
        asked = min(len(work.text), self.checkpoint.context)
        work.spend += Spend(asked, read, 0, self.flops.of_span(0, read, heads=0))
        work.rewards.append(self.known[text])
        return read


def require_two_labels(checkpoint: Checkpoint) -> None:
    """Raise ModelUnavailable unless the classifier has two labels."""
    labels = checkpoint.model.config.num_labels
    if labels != 2:
        raise ModelUnavailable(
            "{name} has {labels} labels: a process reward model here has two, wrong and right",
            name=checkpoint.name,
            labels=labels,
        )


@torch.inference_mode()
def reads_forward(checkpoint: Checkpoint) -> bool:
    """Whether what the model says of a token is the same whatever comes after it."""
    ids = torch.arange(1, 9, device=checkpoint.model.device)[None]
    whole, part = (checkpoint.model(input_ids=ids[:, :end]).logits[0, 2].float() for end in (8, 3))
    return bool(torch.allclose(whole, part, atol=1e-3, rtol=1e-3))
