"""The plain way behind the same seam: `generate` on each whole prefix, and a forward pass over each whole text.

What the engine is measured against, and what its tests compare it with: nothing is kept between calls, so nothing can be
stale. It draws the same uniforms, so it writes the same tokens, but for a sum rounded otherwise at the edge of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from tts_explorer.models.base import Judgement, Key, Odds, Sample, Segment, Spend, uniforms
from tts_explorer.models.checkpoint import DELIMITER, ROOM, Checkpoint
from tts_explorer.models.flops import Flops


@dataclass(frozen=True, slots=True)
class _Work:
    key: Key
    prompt: list[int]
    rng: int
    temperature: float
    max_tokens: int
    to_end: bool
    odds: Odds | None


class PlainPolicy:
    """Answers up to `rows` samples a tick, each whole, from one call of `generate` with padding on the left."""

    def __init__(self, checkpoint: Checkpoint, *, rows: int = 128):
        self.name, self.versions, self.problem, self.step = (
            checkpoint.name, checkpoint.versions, checkpoint.problem, checkpoint.step
        )  # fmt: skip
        self.revision, self.verification, self.odds = checkpoint.revision, checkpoint.verification, checkpoint.odds
        self.checkpoint, self.rows, self.context = checkpoint, rows, checkpoint.context
        self.waiting: list[_Work] = []
        self.flops = Flops.of(checkpoint.model)
        self.breaks = cache(lambda token: "\n" in checkpoint.tokenizer.decode([token]))
        self.padding = 0
        """Places forwarded that no sample's spend counts: padding, and rows that wait for a longer one. Only grows."""

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
        ids = [token for segment in prompt for token in segment]
        self.waiting.append(_Work(key, ids, rng, temperature, max_tokens, to_end, odds))

    def tick(self) -> list[tuple[Key, Sample]]:
        torch.set_num_threads(self.checkpoint.threads)
        now, self.waiting = self.waiting[: self.rows], self.waiting[self.rows :]
        return self._generated(now) if now else []

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        self.waiting = [work for work in self.waiting if work.key not in gone and work.key[:1] not in gone]
        return {}

    def progress(self) -> dict[Key, Spend]:
        return {}

    def drafts(self) -> dict[Key, str]:
        return {}

    @torch.inference_mode()
    def _generated(self, now: list[_Work]) -> list[tuple[Key, Sample]]:
        model, width = self.checkpoint.model, max(len(work.prompt) for work in now)
        padding = [width - len(work.prompt) for work in now]
        ids = torch.tensor([[0] * pad + work.prompt for pad, work in zip(padding, now, strict=True)], device=model.device)
        mask = torch.arange(width, device=model.device) >= torch.tensor(padding, device=model.device)[:, None]
        draw, halt = _Draw(now, width), _Halt(self.checkpoint, now, width, self.breaks)
        longest = max(halt.most)
        config = GenerationConfig(
            max_new_tokens=longest, do_sample=False, num_beams=1, repetition_penalty=1.0, use_cache=True, pad_token_id=0
        )
        out = model.generate(
            ids,
            attention_mask=mask.long(),
            generation_config=config,
            logits_processor=LogitsProcessorList([draw]),
            stopping_criteria=StoppingCriteriaList([halt]),
        )
        logprobs = torch.stack(draw.logprobs, 1).tolist()
        done = []
        for row, (work, end) in enumerate(zip(now, halt.ends, strict=True)):
            sampled = tuple(out[row, width : width + end].tolist())
            p_yes = next((p for at, p in reversed(draw.odds[row]) if at < end), None)
            done.append((work.key, self._sample(work, sampled, sum(logprobs[row][:end]), halt.stops[row], p_yes)))
        self.padding += len(now) * (out.shape[1] - 1) - sum(sample.spend.forwarded_tokens for _, sample in done)
        return done

    def _sample(self, work: _Work, ids: Segment, logprob: float, stop: str, p_yes: float | None) -> Sample:
        forwarded = len(work.prompt) + len(ids) - 1
        flops = self.flops.of_span(0, forwarded, heads=len(ids))
        spend = Spend(len(work.prompt), forwarded, len(ids), flops)
        text = written(self.checkpoint, work.prompt, ids[:-1] if stop == "eos" else ids)
        return Sample(ids, text, logprob, stop, len(work.prompt) + len(ids) < self.context, spend, p_yes=p_yes)


class _Draw(LogitsProcessor):
    """Leaves one token possible: the one at the row's own uniform, by inverse CDF, or the likeliest at temperature 0."""

    def __init__(self, works: Sequence[_Work], width: int):
        self.works, self.width = works, width
        self.logprobs: list[torch.Tensor] = []
        self.odds: list[list[tuple[int, float]]] = [[] for _ in works]
        """Of each row: where it wrote yes or no, and p(yes) there."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        at = input_ids.shape[1] - self.width
        temperature = torch.tensor([work.temperature for work in self.works], device=scores.device)
        greedy = temperature == 0
        warm = torch.where(greedy, 1.0, temperature)
        cdf = torch.softmax(scores.float() / warm[:, None], -1, dtype=torch.float64).cumsum(-1)
        drawn = torch.from_numpy(uniforms([work.rng for work in self.works], [at] * len(self.works))).to(cdf.device)
        picked = torch.searchsorted(cdf, drawn[:, None] * cdf[:, -1:]).squeeze(-1).clamp_(max=cdf.shape[-1] - 1)
        tokens = torch.where(greedy, scores.argmax(-1), picked)[:, None]
        self.logprobs.append(torch.log_softmax(scores.float(), -1).gather(-1, tokens).squeeze(-1))
        for row, (work, token) in enumerate(zip(self.works, tokens[:, 0].tolist(), strict=True)):
            if work.odds is not None and token in work.odds[0] | work.odds[1]:
                yes, no = (torch.logsumexp(scores[row, sorted(ids)].float(), -1) for ids in work.odds)
                self.odds[row].append((at, torch.sigmoid(yes - no).item()))
        return torch.full_like(scores, -torch.inf).scatter_(-1, tokens, 0.0)


class _Halt(StoppingCriteria):
    """Ends a row at the end of its text, at the delimiter, at its `max_tokens` or where the context does."""

    def __init__(self, checkpoint: Checkpoint, works: Sequence[_Work], width: int, breaks: Callable[[int], bool]):
        self.checkpoint, self.works, self.width, self.breaks = checkpoint, works, width, breaks
        eos = checkpoint.model.generation_config.eos_token_id
        self.eos = {checkpoint.tokenizer.eos_token_id, *(eos if isinstance(eos, list) else [eos])}
        self.most = [min(work.max_tokens, max(1, checkpoint.context - len(work.prompt))) for work in works]
        self.ends, self.stops = [0] * len(works), [""] * len(works)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        for row, ids in enumerate(input_ids[:, self.width :].tolist()):
            if not self.stops[row]:
                self.ends[row], self.stops[row] = len(ids), self._stop(row, ids)
        return torch.tensor([bool(stop) for stop in self.stops], device=input_ids.device)

    def _stop(self, row: int, ids: list[int]) -> str:
        if ids[-1] in self.eos:
            return "eos"
        work = self.works[row]
        if not work.to_end and self.breaks(ids[-1]) and DELIMITER in written(self.checkpoint, work.prompt, ids):
            return "step"
        return "length" if len(ids) >= self.most[row] else ""


def written(checkpoint: Checkpoint, prompt: Sequence[int], ids: Sequence[int]) -> str:
    """The text of `ids` after `prompt`; decoded behind one token more, since a first token may lose its space."""
    before, decode = list(prompt[-1:]), checkpoint.tokenizer.decode
    return decode([*before, *ids], skip_special_tokens=True)[len(decode(before, skip_special_tokens=True)) :]


class PlainPRM:
    """Forwards each text whole, up to `rows` a tick, and reads the second label at each step's last token."""

    note: str | None = None
    writes = False

    def __init__(self, checkpoint: Checkpoint, *, rows: int = 64):
        self.name, self.versions, self.problem, self.step = (
            checkpoint.name, checkpoint.versions, checkpoint.problem, checkpoint.step
        )  # fmt: skip
        self.checkpoint, self.rows = checkpoint, rows
        self.waiting: list[tuple[Key, Segment, Sequence[Segment]]] = []
        self.flops = Flops.of(checkpoint.model)

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
        if not now:
            return []
        model, context = self.checkpoint.model, self.checkpoint.context
        texts = [[token for segment in (prompt, *steps) for token in segment][:context] for _, prompt, steps in now]
        longest = max(map(len, texts))
        ids = torch.tensor([text + [0] * (longest - len(text)) for text in texts], device=model.device)
        right = model(input_ids=ids, use_cache=False).logits.float().softmax(-1)[..., 1].tolist()  # causal, so no mask
        done = []
        for (key, prompt, steps), text, row in zip(now, texts, right, strict=True):
            ends = [len(prompt) + sum(map(len, steps[: i + 1])) for i in range(len(steps))]
            rewards = tuple(
                row[end - 1] if step and end <= len(text) and row[end - 1] == row[end - 1] else None
                for step, end in zip(steps, ends, strict=True)
            )
            spend = Spend(len(text), len(text), 0, self.flops.of_span(0, len(text), heads=0))
            done.append((key, Judgement(rewards, spend)))
        return done
