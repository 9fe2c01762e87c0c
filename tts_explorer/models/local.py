"""Policies from local Hugging Face checkpoints: steps sampled by the engine, row by row.

Randomness is one counter-based uniform for each (sample, token), by inverse CDF; so a sample depends on its own key and its
own path alone. It knows no tree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tts_explorer.models.base import Key, Odds, Sample, Segment, Spend, uniforms
from tts_explorer.models.batch import filled_up
from tts_explorer.models.checkpoint import DELIMITER, ROOM, Checkpoint
from tts_explorer.models.engine import Engine, Row


@dataclass(eq=False)
class _Writing(Row):
    """A row that writes a step."""

    rng: int = 0
    temperature: float = 1.0
    max_tokens: int = 128
    to_end: bool = False
    odds: Odds | None = None
    logprob: float = 0.0
    certainty: float = 0.0
    p_yes: float | None = None
    text: str = ""


class LocalPolicy(Engine):
    """Samples steps from a causal language model, up to `rows` at once; more wait their turn.

    `memory` bounds the key/value segments kept between steps, in bytes; else 16,384 tokens of them are kept.
    """

    def __init__(self, checkpoint: Checkpoint, *, rows: int = 128, memory: int | None = None):
        super().__init__(checkpoint, rows=rows, memory=memory)
        eos = self.model.generation_config.eos_token_id
        self.eos = set(eos if isinstance(eos, list) else [eos]) | {self.tokenizer.eos_token_id}
        self.revision, self.verification, self.odds = checkpoint.revision, checkpoint.verification, checkpoint.odds
        self.pieces: dict[int, str] = {}
        decoder = getattr(getattr(self.tokenizer, "backend_tokenizer", None), "decoder", None)
        self.exact = type(decoder).__name__ == "ByteLevel"
        """Whether decoding token by token equals decoding them together (true of byte-level tokenizers)."""

    def fits(self, prompt: Sequence[Segment]) -> bool:
        return sum(map(len, prompt)) + ROOM <= self.context

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
        path = [stretch for segment in self.trie.path(key[0], prompt) for stretch in segment]
        options = {"rng": rng, "temperature": temperature, "max_tokens": max_tokens, "to_end": to_end, "odds": odds}
        self.enter(_Writing(key, path, sum(map(len, prompt)), **options))

    @torch.inference_mode()
    def tick(self) -> list[tuple[Key, Sample]]:
        torch.set_num_threads(self.checkpoint.threads)
        self.admit()
        done = self._write()
        if self.running:
            self.forward()
        return done

    def begin(self, row: Row) -> None:
        """Siblings stand on what the first of them has loaded."""
        stretch = row.path[-1]
        if stretch.hidden is not None and self.batch.sit(len(self.running), stretch):
            row.read, row.begin, row.hidden = len(row.path), row.asked, stretch.hidden
            self.trie.used(stretch)
            self.running.append(row)
        else:
            super().begin(row)

    def ready(self, row: Row, at: int) -> None:
        self.batch.root(at, row.path[-1])

    def progress(self) -> dict[Key, Spend]:
        return {row.key: row.spend(self.flops) for row in self.running}

    def drafts(self) -> dict[Key, str]:
        return {row.key: row.text for row in self.running}

    def _write(self) -> list[tuple[Key, Sample]]:
        """One token for every row whose path is read; the samples that this finished."""
        places = [at for at, row in enumerate(self.running) if row.read == len(row.path)]
        if not places:
            return []
        done = []
        for at, token, logprob, certainty in reversed(list(zip(places, *self._sampled(places), strict=True))):
            row = self.running[at]
            row.ids.append(token)
            row.logprob += logprob
            row.certainty += certainty
            sample = self._finished(row, token)
            if sample is not None:
                done.append((row.key, sample))
                self._keep(row, at, sample)
                self.leave(at)
        return done[::-1]

    def _sampled(self, places: Sequence[int]) -> tuple[list[int], list[float], list[float]]:
        """Next token of each row by inverse CDF at its own uniform; its log-probability and certainty, at temperature 1."""
        rows = [self.running[at] for at in places]
        hidden = filled_up(torch.stack([row.hidden for row in rows]), self.batch.same.multiple)
        logits = self.head(hidden)[: len(rows)].float()
        logprobs = torch.log_softmax(logits, -1)
        warm = torch.tensor([row.temperature or 1.0 for row in rows], device=logprobs.device)
        cdf = torch.softmax(logits / warm[:, None], -1, dtype=torch.float64).cumsum(-1)
        drawn = torch.from_numpy(uniforms([row.rng for row in rows], [len(row.ids) for row in rows])).to(cdf.device)
        picked = torch.searchsorted(cdf, drawn[:, None] * cdf[:, -1:]).squeeze(-1).clamp_(max=cdf.shape[-1] - 1)
        greedy = torch.tensor([row.temperature == 0 for row in rows], device=cdf.device)
        tokens = torch.where(greedy, logits.argmax(-1), picked)
        certain = -logprobs.mean(-1) - math.log(logprobs.shape[-1])
        drawn = tokens.tolist()
        for row, token, line in zip(rows, drawn, logprobs, strict=True):
            if row.odds is not None and (token in row.odds[0] or token in row.odds[1]):
                yes, no = (line[sorted(ids)].exp().sum().item() for ids in row.odds)
                row.p_yes = yes / (yes + no)
        return drawn, logprobs.gather(-1, tokens[:, None]).squeeze(-1).tolist(), certain.tolist()

    def _finished(self, row: _Writing, token: int) -> Sample | None:
        """The sample, if `token` was its last."""
        eos = token in self.eos
        if not eos:
            row.text = self._text(row, token)
        room = row.asked + len(row.ids) < self.context
        step = not row.to_end and DELIMITER in row.text
        if not (eos or step or len(row.ids) >= row.max_tokens or not room):
            return None
        stop = "eos" if eos else "step" if step else "length"
        return Sample(tuple(row.ids), row.text, row.logprob, stop, room, row.spend(self.flops), row.certainty, row.p_yes)

    def _keep(self, row: _Writing, at: int, sample: Sample) -> None:
        """Put what it wrote into the trie, unless nothing can follow. Its last token is not computed yet."""
        if sample.stop == "eos" or not sample.room:
            return
        stretch = row.path[-1].child(sample.ids, sampled=True)
        self.trie.own(row.key, stretch)
        if stretch.state is None:
            self.trie.keep(stretch, self.batch.cut(at, row.begin, self.batch.held[at].length), None)

    def _text(self, row: _Writing, token: int) -> str:
        """The row's text with `token` added; whole-sequence decoding only where a token is part of a character."""
        if token not in self.pieces:
            self.pieces[token] = self.tokenizer.decode([token], skip_special_tokens=True)
        piece = self.pieces[token]
        if self.exact and row.text.isascii() and piece.isascii():
            return row.text + piece
        before = list(row.path[-1].ids[-1:])
        decode = self.tokenizer.decode
        return decode(before + row.ids, skip_special_tokens=True)[len(decode(before, skip_special_tokens=True)) :]
