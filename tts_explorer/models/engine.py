"""The engine under local policies and local verifiers: rows that read their paths, each token of a tree computed once.

A row is one piece of work: a path of stretches to be read, and then, for a policy, a step to be written. What the trie holds
of the path is loaded; the rest is computed chunk by chunk, beside whatever other rows do, and put into the trie. Of several
rows that lack the same stretch one reads it and the others wait. A free place is taken by the next row waiting, whichever
search it belongs to.

A stretch is always computed in the same chunks, whoever reads it and however often it was dropped: ids that were sampled
here one at a time, in a tail on the stem of all before them, as they were written; given ones `chunk` at a time. So memory and
neighbours change what a search costs in seconds, never what it finds.

Measured (AMD EPYC, one thread, quiet, `tts-explorer bench`, CPU time): 4.2 times less than the plain way in all on the
bundled shape (4.4 with ragged steps), 7.9 times for the verifier; on the 0.5B shape 6.5 in all and 0.90 of the roofline at 16
rows, both before stems were shared from the first token on. Since then ten searches at once (160 rows) cost 5.3 times one,
not 4 (before: 8.6, and a third more in seconds), and a lone row takes up to a half longer. Products alone bound it to 1 of
those times (32 GFLOP at 235 GFLOP/s against 0.145 s for one), and with sampling, events and small operations that grow with
the searches to about 3. Ten searches in 16 rows are a queue: 10 times one. A search of 20,000 nodes with a thousand steps a
round peaked at 1.23 GB (before: 1.65), of which 0.5 are libraries and 0.2 tries. On the 0.5B shape a cancelled search ended
after 0.1 to 1.8 s, median 0.4, of twelve. Nothing was measured on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch

from tts_explorer.errors import ModelUnavailable
from tts_explorer.models.base import Key, Spend
from tts_explorer.models.batch import WorkingBatch
from tts_explorer.models.checkpoint import TINY, Checkpoint, first_line
from tts_explorer.models.decoder import LeanDecoder, Linears, Plain
from tts_explorer.models.flops import Flops
from tts_explorer.models.sameness import found_same
from tts_explorer.models.trie import Stretch, Trie

KEPT = 16_384
"""Tokens: a beam search of 16 steps of 20 tokens for 50 rounds."""
WORK = 1e11
"""FLOPs of the longer chunks in one forward, about: it must end within a second or two, so that a search can be stopped."""


@dataclass(eq=False)
class Row:
    """One piece of work under way or waiting."""

    key: Key
    path: list[Stretch]
    asked: int
    """Tokens of the path."""
    read: int = 0
    """Stretches of the path that its place in the batch holds whole."""
    begin: int = 0
    """Tokens of those."""
    hidden: torch.Tensor | None = None
    """(hidden,): the decoder's output at the last token computed or loaded."""
    forwarded: int = 0
    """Tokens computed on its behalf."""
    flops: float = 0.0
    ids: list[int] = field(default_factory=list)
    """What it has written."""

    def spend(self, flops: Flops) -> Spend:
        """What it took so far; one look at the head for each token written."""
        return Spend(self.asked, self.forwarded, len(self.ids), self.flops + 2.0 * flops.head * len(self.ids))


class Engine:
    """Rows under way over one decoder: `admit`, `forward`, `leave`. At most `rows` at once, and `memory` bytes of trie.

    Without `memory` the trie keeps the states of `KEPT` tokens.
    """

    typical = 16
    """Tokens in a forward, as a rule: linear layers are held for so many."""

    def __init__(self, checkpoint: Checkpoint, *, rows: int, memory: int | None):
        self.checkpoint, self.name, self.versions = checkpoint, checkpoint.name, checkpoint.versions
        self.model, self.tokenizer, self.context = checkpoint.model, checkpoint.tokenizer, checkpoint.context
        self.problem, self.step = checkpoint.problem, checkpoint.step
        try:
            self.flops = Flops.of(self.model)
        except AttributeError as reason:
            raise ModelUnavailable(
                "{name} is of a kind that can't be searched with here ({reason})", name=self.name, reason="no attention"
            ) from reason
        self.chunk = max(16, min(512, int(WORK / (2 * max(1, self.flops.linear))) // 16 * 16))
        self.waiting: list[Row] = []
        self.running: list[Row] = []
        self.calls = self.rows_forwarded = 0
        """Forwards, and rows in them, since the beginning."""
        torch.set_num_threads(checkpoint.threads)
        self.tiny = checkpoint.parameters < TINY
        self.linears = Linears(checkpoint.precision, rows=self.typical, tiny=self.tiny)
        head = self.model.get_output_embeddings() or getattr(self.model, "score", None) or self.model.classifier
        self.head = self.linears(head.weight, head.bias, exact=True)
        """Logits, or labels, of a hidden state; int8 would cost too much there."""
        self.batch = self._checked(rows)
        self.trie = Trie(KEPT * self.batch.token_bytes if memory is None else memory)

    @torch.inference_mode()
    def _checked(self, rows: int) -> WorkingBatch:
        """A working batch that reproduces the plain model on a few tokens. Raises ModelUnavailable if this model's doesn't."""
        try:
            lean = LeanDecoder(self.model.base_model, Linears(tiny=True) if self.checkpoint.precision else self.linears)
        except (AttributeError, TypeError):
            lean = None
        try:
            batch = WorkingBatch(self.model, rows, self.context, lean=lean)
            error = self._error(batch)
        except Exception as reason:
            said = first_line(reason)
            raise ModelUnavailable(
                "{name} is of a kind that can't be searched with here ({reason})", name=self.name, reason=said
            ) from reason
        if not error < 1e-2:
            raise ModelUnavailable(
                "{name} computes in a way that can't be searched with here: choose another model", name=self.name
            )
        if self.checkpoint.precision and lean is not None:
            batch.lean = LeanDecoder(self.model.base_model, self.linears)
        if self.tiny and self.model.device.type == "cpu" and not self.checkpoint.precision:
            modules = {m.weight.shape: m for m in self.model.modules() if isinstance(m, torch.nn.Linear)}.values()
            linears = lean.linears if lean else [Plain(m.weight, m.bias) for m in modules]
            shape = (self.model.config.num_attention_heads, *batch.shape[1:])
            batch.same = found_same([*linears, self.head], shape, self.model.dtype)
        return batch

    def _error(self, batch: WorkingBatch) -> float:
        """How far logits, or labels, are from the plain model's on a few tokens in ragged pieces, as a share of the largest."""
        ids = [1 + 5 * i % 19 for i in range(17)]
        plain = self.model(input_ids=torch.tensor([ids], device=self.model.device), use_cache=False).logits[0]
        error, at, other = 0.0, 0, 0
        for count in (3, 1, 6, 1, 1, 5):
            hidden = batch.forward([ids[at : at + count], ids[other : other + 1]])
            at, other = at + count, other + 1
            got = self.head(hidden)
            error = max(error, (got[0] - plain[at - 1]).abs().max().item(), (got[1] - plain[other - 1]).abs().max().item())
        batch.clear(0)
        batch.clear(1)
        return error / plain.abs().max().item()

    def enter(self, row: Row) -> None:
        """Let it wait for a place."""
        self.waiting.append(row)

    def admit(self) -> None:
        """Give free places to waiting rows, first come first, but for those whose path another row is reading.

        If that is at its last token, their places are kept for them: siblings are best read side by side.
        """
        taken, still = len(self.running), []
        for i, row in enumerate(self.waiting):
            if taken >= self.batch.allowed:
                still += self.waiting[i:]
                break
            begins = self._may_begin(row) and self.batch.fits(row.path[-1])
            if begins:
                self.begin(row)
            else:
                still.append(row)
            last = row.path[-1]
            taken += begins or last.reader is not None and last.held + 1 >= len(last.ids)
        self.waiting = still

    def _may_begin(self, row: Row) -> bool:
        return row.path[-1].whole or all(stretch.whole or stretch.reader is None for stretch in row.path)

    def begin(self, row: Row) -> None:
        """Give it the next place, and load what the trie holds of its path, from the beginning."""
        at = len(self.running)
        self.batch.open(at)
        self.running.append(row)
        for stretch in row.path:
            stretch.reader = stretch.reader or row.key
        self._load(row, at)

    def _load(self, row: Row, at: int) -> None:
        """Fill its place from the trie, up to the first stretch that must be computed; that one as far as it is held."""
        while row.read < len(row.path):
            stretch = row.path[row.read]
            if stretch.sampled and not stretch.whole:
                self.batch.lift(at)
            if stretch.state is not None:
                self.batch.append(at, stretch.state)
                self.trie.used(stretch)
            if not stretch.whole:
                return
            row.hidden = stretch.hidden
            self._past(row)
        self.ready(row, at)

    def ready(self, row: Row, at: int) -> None:
        """The place `at` holds the whole path of its row."""

    def _past(self, row: Row) -> None:
        """Its place holds the stretch that it was reading."""
        if row.path[row.read].reader == row.key:
            row.path[row.read].reader = None
        row.begin += len(row.path[row.read].ids)
        row.read += 1

    def forward(self) -> list[tuple[Stretch, torch.Tensor]]:
        """Compute the next chunk of every row under way: its newest token, or more of its path.

        Returns the stretches that this read to their ends, each with the hidden state at its last token.
        """
        tokens: list[Sequence[int]] = []
        longer = 0
        for at, row in enumerate(self.running):
            piece = self._next(row, at)
            if len(piece) > 1:
                piece = piece if not longer or longer + len(piece) <= self.chunk else ()
                longer += len(piece)
            tokens.append(piece)
        before = self.batch.lengths
        hidden = self.batch.forward(tokens)
        self.calls += 1
        self.rows_forwarded += sum(map(bool, tokens))
        read = []
        for at, (row, ids) in enumerate(zip(self.running, tokens, strict=True)):
            if ids:
                row.forwarded += len(ids)
                row.flops += self.flops.of_span(before[at], before[at] + len(ids), heads=0)
                row.hidden = hidden[at]
                if row.read < len(row.path) and before[at] + len(ids) == row.begin + len(row.path[row.read].ids):
                    read.append((row.path[row.read], row.hidden))
                    self._took(row, at)
        return read

    def _next(self, row: Row, at: int) -> Sequence[int]:
        """What to compute next for the row in place `at`."""
        if row.read == len(row.path):
            return row.ids[-1:]
        stretch, done = row.path[row.read], self.batch.held[at].length - row.begin
        return stretch.ids[done : done + (1 if stretch.sampled else self.chunk - done % self.chunk)]

    def _took(self, row: Row, at: int) -> None:
        """A stretch of its path was read to the end: the trie takes it, and the row goes on."""
        end = self.batch.held[at].length
        self.trie.keep(row.path[row.read], self.batch.cut(at, row.begin, end), row.hidden.clone())
        self.batch.settle(at)
        self._past(row)
        self._load(row, at)

    def leave(self, at: int) -> Row:
        """Take the row in place `at` out; the last one moves there."""
        row, last = self.running[at], len(self.running) - 1
        for stretch in row.path[row.read :]:
            if stretch.reader == row.key:
                stretch.reader = None
        self.batch.clear(at)
        if at != last:
            self.batch.move(last, at)
            self.running[at] = self.running[last]
        self.running.pop()
        return row

    @torch.inference_mode()
    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        """Forget these pieces of work and what only they keep in memory; a key of one item names all of a search.

        Returns what was spent on each that was not finished.
        """
        gone = set(keys)
        spent = {}
        for row in [row for row in self.waiting if row.key in gone or row.key[:1] in gone]:
            self.waiting.remove(row)
            if row.forwarded:
                spent[row.key] = row.spend(self.flops)
        for at in range(len(self.running) - 1, -1, -1):
            if self.running[at].key in gone or self.running[at].key[:1] in gone:
                row = self.leave(at)
                spent[row.key] = row.spend(self.flops)
        self.trie.drop(gone)
        return spent
