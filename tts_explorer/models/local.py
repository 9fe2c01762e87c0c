"""Policies and process reward models from local Hugging Face checkpoints, through transformers.

The bundled models load by the same code as one from the hub. `trust_remote_code` is always off and weights are always
safetensors. This is the plain implementation of the seam: every sample's prompt is read anew (once for equal prompts that
come together); the key/value trie that reads each token once is not here yet. It knows no tree.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification, AutoTokenizer

from tts_explorer.errors import BadProblem, ModelUnavailable
from tts_explorer.models.base import Judgement, Key, Sample, Segment, Spend, uniforms
from tts_explorer.models.batch import WorkingBatch
from tts_explorer.models.flops import Flops

DELIMITER = "\n\n"
TINY = 20_000_000
"""Parameters."""
ROOM = 32
"""Tokens that a problem must leave free in the context."""


class Checkpoint:
    """A model and its tokenizer from one folder. Raises ModelUnavailable, with the folder's name, if either is missing."""

    def __init__(self, name: str, folder: Path, kind: Any, device: str = "cpu"):
        self.name = name
        weights = sorted(folder.glob("*.safetensors"))
        if not (folder / "config.json").is_file() or not weights:
            raise ModelUnavailable(f"no model in {folder.name!r}: the folder needs config.json and model.safetensors")
        try:
            options = {"local_files_only": True, "trust_remote_code": False}
            self.tokenizer = AutoTokenizer.from_pretrained(folder, **options)
            self.model, report = kind.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **options
            )
        except Exception as error:  # damaged files raise errors of many libraries
            raise ModelUnavailable(f"the model in {folder.name!r} can't be loaded: {first_line(error)}") from error
        if report["missing_keys"]:
            lacks = sorted(report["missing_keys"])[0]
            raise ModelUnavailable(f"the model in {folder.name!r} lacks weights ({lacks}): it is damaged, or of another kind")
        self.model = self.model.to(device).eval()
        self.context = self.model.config.max_position_embeddings
        self.threads = threads_for(sum(p.numel() for p in self.model.parameters()))
        sha = hashlib.sha256()
        for file in weights:
            sha.update(file.read_bytes())
        self.versions = {
            name: f"sha256:{sha.hexdigest()}",
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        }

    def problem(self, text: str) -> Segment:
        """The prompt for `text` by the checkpoint's chat template (plain text and a delimiter without one)."""
        if self.tokenizer.chat_template:
            text = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": text}], tokenize=False, add_generation_prompt=True
            )
        else:
            text += DELIMITER
        ids = tuple(self.tokenizer.encode(text, add_special_tokens=not self.tokenizer.chat_template))
        if len(ids) + ROOM > self.context:
            fits = self.context - ROOM
            raise BadProblem(f"the problem has {len(ids)} tokens and {self.name} reads {fits} at most: shorten it")
        return ids

    def step(self, text: str) -> Segment:
        """Token ids of one step's text."""
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))


def threads_for(parameters: int) -> int:
    """Threads for a model of this size: one for a tiny one, whose layers end before a second thread has begun.

    Measured on two busy cores with 1.2M parameters: two threads spent most of their time waiting for one another.
    """
    return 1 if parameters < TINY else max(1, (os.cpu_count() or 1))


def first_line(error: Exception) -> str:
    """The first line of what `error` says, without paths' worth of detail."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]


@dataclass
class _Row:
    key: Key
    prompt: list[int]
    rng: int
    temperature: float
    max_tokens: int
    to_end: bool
    forwarded: int = 0
    """Tokens computed on its behalf."""
    held: int = 0
    """Tokens in its row of the batch."""
    ids: list[int] = field(default_factory=list)
    logprob: float = 0.0
    text: str = ""


class LocalPolicy(Checkpoint):
    """Samples steps from a causal language model, up to `rows` at once; more wait their turn."""

    def __init__(self, name: str, folder: Path, *, device: str = "cpu", rows: int = 128):
        super().__init__(name, folder, AutoModelForCausalLM, device)
        self.rows, self.waiting, self.running = rows, [], []
        self.batch: WorkingBatch | None = None
        self.logits = torch.zeros(0)
        self.flops = Flops.of(self.model)
        eos = self.model.generation_config.eos_token_id
        self.eos = set(eos if isinstance(eos, list) else [eos]) | {self.tokenizer.eos_token_id}
        self.pieces: dict[int, str] = {}

    def submit(
        self, key: Key, prompt: Sequence[Segment], *, rng: int, temperature: float, max_tokens: int, to_end: bool = False
    ) -> None:
        ids = [token for segment in prompt for token in segment]
        self.waiting.append(_Row(key, ids, rng, temperature, max_tokens, to_end))

    @torch.inference_mode()
    def tick(self) -> list[tuple[Key, Sample]]:
        torch.set_num_threads(self.threads)
        self._admit()
        if not self.running:
            return []
        tokens, logprobs = self._sample()
        done = []
        for at in range(len(self.running) - 1, -1, -1):
            row = self.running[at]
            row.ids.append(tokens[at])
            row.logprob += logprobs[at]
            sample = self._finished(row, tokens[at])
            if sample is not None:
                done.append((row.key, sample))
                self._leave(at)
        if self.running:
            hidden = self._batch().forward(0, [[row.ids[-1]] for row in self.running])
            self.logits = self.model.lm_head(hidden).float()
            for row in self.running:
                row.forwarded += 1
                row.held += 1
        return done[::-1]

    @torch.inference_mode()
    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        self.waiting = [row for row in self.waiting if row.key not in gone]
        spent = {}
        for at in range(len(self.running) - 1, -1, -1):
            if self.running[at].key in gone:
                spent[self.running[at].key] = self._spend(self.running[at])
                self._leave(at)
        return spent

    def progress(self) -> dict[Key, int]:
        return {row.key: len(row.ids) for row in self.running}

    def drafts(self) -> dict[Key, str]:
        return {row.key: row.text for row in self.running}

    def _batch(self) -> WorkingBatch:
        if self.batch is None:
            self.batch = WorkingBatch(self.model, self.rows, self.context)
        return self.batch

    def _admit(self) -> None:
        """Give waiting rows the free places; equal prompts of one search among them are read once and copied."""
        new = self.waiting[: self.rows - len(self.running)]
        if not new:
            return
        self.waiting = self.waiting[len(new) :]
        new.sort(key=lambda row: (str(row.key[0]), row.prompt))
        batch, first = self._batch(), len(self.running)
        alike = [(row.key[0], row.prompt) for row in new]
        heads = [i for i in range(len(new)) if i == 0 or alike[i] != alike[i - 1]]
        for place in range(len(heads)):
            batch.lengths[first + place] = 0
        hidden = batch.forward(first, [new[i].prompt for i in heads])
        owners = [sum(head <= i for head in heads) - 1 for i in range(len(new))]
        for i in range(len(new) - 1, -1, -1):
            if owners[i] != i:
                batch.copy(first + owners[i], first + i)
        for i in heads:
            new[i].forwarded = len(new[i].prompt)
        for row in new:
            row.held = len(row.prompt)
        fresh = self.model.lm_head(hidden).float()[owners]
        self.logits = torch.cat([self.logits, fresh]) if self.running else fresh
        self.running += new

    def _sample(self) -> tuple[list[int], list[float]]:
        """Next token of each running row by inverse CDF at its own uniform, and its log-probability at temperature 1."""
        rows = self.running
        logprobs = torch.log_softmax(self.logits, -1)
        warm = torch.tensor([row.temperature or 1.0 for row in rows], device=logprobs.device)
        cdf = torch.softmax(self.logits / warm[:, None], -1, dtype=torch.float64).cumsum(-1)
        drawn = torch.from_numpy(uniforms([row.rng for row in rows], [len(row.ids) for row in rows])).to(cdf.device)
        picked = torch.searchsorted(cdf, drawn[:, None] * cdf[:, -1:]).squeeze(-1).clamp_(max=cdf.shape[-1] - 1)
        greedy = torch.tensor([row.temperature == 0 for row in rows], device=cdf.device)
        tokens = torch.where(greedy, self.logits.argmax(-1), picked)
        return tokens.tolist(), logprobs.gather(-1, tokens[:, None]).squeeze(-1).tolist()

    def _finished(self, row: _Row, token: int) -> Sample | None:
        """The sample, if `token` was its last."""
        eos = token in self.eos
        if not eos:
            row.text = self._text(row, token)
        room = len(row.prompt) + len(row.ids) < self.context
        step = not row.to_end and DELIMITER in row.text
        if not (eos or step or len(row.ids) >= row.max_tokens or not room):
            return None
        stop = "eos" if eos else "step" if step else "length"
        return Sample(tuple(row.ids), row.text, row.logprob, stop, room, self._spend(row))

    def _text(self, row: _Row, token: int) -> str:
        """The row's text with `token` added; whole-sequence decoding only where a token is part of a character."""
        if token not in self.pieces:
            self.pieces[token] = self.tokenizer.decode([token], skip_special_tokens=True)
        piece = self.pieces[token]
        if row.text.isascii() and piece.isascii() and self.exact:
            return row.text + piece
        before = row.prompt[-1:]
        decode = self.tokenizer.decode
        return decode(before + row.ids, skip_special_tokens=True)[len(decode(before, skip_special_tokens=True)) :]

    @property
    def exact(self) -> bool:
        """Whether decoding token by token equals decoding them together (true of byte-level tokenizers)."""
        decoder = getattr(self.tokenizer, "backend_tokenizer", None)
        return type(getattr(decoder, "decoder", None)).__name__ == "ByteLevel"

    def _leave(self, at: int) -> None:
        """Take a row out; the last one moves into its place."""
        last = len(self.running) - 1
        if at != last:
            self._batch().copy(last, at)
            self.logits[at] = self.logits[last]
            self.running[at] = self.running[last]
        self.running.pop()
        self.logits = self.logits[:last]

    def _spend(self, row: _Row) -> Spend:
        flops = self.flops.of_span(row.held - row.forwarded, row.held, heads=len(row.ids))
        return Spend(len(row.prompt), row.forwarded, len(row.ids), flops)


class LocalPRM(Checkpoint):
    """Scores steps with a token classifier (two labels, the second is "right"), read at each step's last token.

    The format of TRL's PRM trainer. Whole texts are forwarded, up to `rows` a tick.
    """

    def __init__(self, name: str, folder: Path, *, device: str = "cpu", rows: int = 64):
        super().__init__(name, folder, AutoModelForTokenClassification, device)
        if self.model.config.num_labels != 2:
            labels = self.model.config.num_labels
            raise ModelUnavailable(f"{name} has {labels} labels: a process reward model here has two, wrong and right")
        self.rows, self.waiting = rows, []
        self.flops = Flops.of(self.model)

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        self.waiting.append((key, prompt, steps))

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        self.waiting = [work for work in self.waiting if work[0] not in gone]
        return {}

    @torch.inference_mode()
    def tick(self) -> list[tuple[Key, Judgement]]:
        torch.set_num_threads(self.threads)
        now, self.waiting = self.waiting[: self.rows], self.waiting[self.rows :]
        if not now:
            return []
        texts = [[*prompt, *(token for step in steps for token in step)][: self.context] for _, prompt, steps in now]
        longest = max(map(len, texts))
        ids = torch.tensor([text + [0] * (longest - len(text)) for text in texts], device=self.model.device)
        logits = self.model(input_ids=ids, use_cache=False).logits.float()  # (rows, longest, 2); causal, so no mask
        right = torch.softmax(logits, -1)[..., 1].tolist()
        done = []
        for (key, prompt, steps), text, row in zip(now, texts, right, strict=True):
            rewards, end = [], len(prompt)
            for step in steps:
                end += len(step)
                fits = step and end <= len(text) and row[end - 1] == row[end - 1]
                rewards.append(row[end - 1] if fits else None)
            spend = Spend(len(text), len(text), 0, self.flops.of_span(0, len(text), heads=0))
            done.append((key, Judgement(tuple(rewards), spend)))
        return done
