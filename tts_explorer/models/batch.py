"""The dense working batch: key/value rows of different lengths, written in place, run through a decoder.

A forward takes any number of new tokens for each row and lays them end to end, so that nothing is padded: linear layers see
one long row of tokens, attention sees each row by itself, at explicit positions. Rows that begin with the same path may share
it (`attention`). It knows token ids only: no text, no tree, no sampling.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer

from tts_explorer.models.attention import BLOCK, WORTH, Held, Plan, Sameness, attend, planned, up_to
from tts_explorer.models.decoder import LeanDecoder

ATTENTION = "tts_explorer"


class _Layer(DynamicLayer):
    """One layer's rows, for a decoder that transformers runs."""

    def __init__(self, batch: WorkingBatch, at: int):
        super().__init__()
        self.batch, self.at, self.is_initialized = batch, at, True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any):
        self.batch.store(self.at, key_states[0].transpose(0, 1), value_states[0].transpose(0, 1))
        return key_states, value_states

    def get_seq_length(self) -> int:
        return 0

    def get_mask_sizes(self, query_length: Any) -> tuple[int, int]:
        return 0, 0


def _attend(
    module: Any, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: Any, *, batch: WorkingBatch, **rest: Any
) -> tuple[torch.Tensor, None]:
    """Our attention as transformers calls it: query (1, heads, tokens, dim). Raises TypeError for a kind that isn't plain."""
    twist = next((name for name in ("softcap", "s_aux", "sinks") if rest.get(name) is not None), None)
    if twist is not None or getattr(module, "is_causal", True) is False:
        raise TypeError(f"its attention has {twist or 'no direction'}")
    return batch.attend(module.layer_idx, query[0].transpose(0, 1), rest["scaling"])[None], None


AttentionInterface.register(ATTENTION, _attend)
AttentionMaskInterface.register(ATTENTION, lambda *args, **kwargs: None)


class WorkingBatch:
    """Up to `rows` rows for one decoder, each with room for `room` tokens; room grows up to `context` as rows need it.

    Memory: `token_bytes` · rows · room, touched as it fills, and as much for stems; each at most about `limit` bytes (192
    MB, or half of the weights' if that is more), for which rows are given up as room grows.
    """

    def __init__(
        self, model: PreTrainedModel, rows: int, context: int, *, lean: LeanDecoder | None = None, limit: int | None = None
    ):
        config = model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.decoder, self.lean = model.base_model, lean
        self.most, self.context = rows, up_to(context, BLOCK)
        self.limit = limit or max(3 << 26, sum(p.nbytes for p in model.parameters()) // 2)
        self.shape = (2 * config.num_hidden_layers, heads, dim)
        self.token_bytes = 2 * config.num_hidden_layers * heads * dim * model.dtype.itemsize
        self.room = min(self.context, 8 * BLOCK)
        self.held = [Held() for _ in range(self.allowed + 1)]
        """Rows; the last one takes what fills a forward up."""
        self.state = self._fresh(model)
        self.stems: torch.Tensor | None = None
        """Slot by slot, as large as the rows, from the first stem on."""
        self.slots: dict[Hashable, int] = {}
        self.standing: dict[int, list[Hashable | int]] = {}
        """Slot: its key, its length, the number of rows on it."""
        self.cache = Cache(layers=[_Layer(self, at) for at in range(config.num_hidden_layers)])
        self.same = Sameness()
        self.worth = WORTH
        self.plan = Plan(0)
        self.positions = self.places = torch.zeros(0)
        """Of each new token: its position, (tokens,), and where each of its heads is kept in one layer, (tokens · heads,)."""

    @property
    def lengths(self) -> list[int]:
        """Tokens in each row, the stem's among them."""
        return [row.length for row in self.held]

    @property
    def allowed(self) -> int:
        """Rows that may be used at once with the present room."""
        return max(1, min(self.most, self.limit // (self.token_bytes * self.room)))

    def _fresh(self, like: torch.nn.Module | torch.Tensor) -> torch.Tensor:
        """Room for all rows; an odd number of blocks each, or their beginnings would all fall on the same lines of the cache."""
        doubled, heads, dim = self.shape
        room = self.room + BLOCK * (self.room // BLOCK % 2 == 0)
        shape = (doubled, len(self.held), heads, room, dim)
        if like.device.type == "cpu" and like.dtype in (torch.float32, torch.float64):  # torch.zeros would touch every page
            return torch.from_numpy(np.zeros(shape, np.float32 if like.dtype == torch.float32 else np.float64))
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    def ensure(self, length: int, *, rows: int = 0) -> None:
        """Make room for `length` tokens a row, keeping the first `rows`, all rows that hold something, and all stems."""
        if length <= self.room:
            return
        while self.room < length:
            self.room = min(self.context, 2 * self.room)
        used = max([rows, *(r + 1 for r, row in enumerate(self.held[:-1]) if row.length)])
        kept = max([used, *(slot + 1 for slot in self.standing)])
        self.held = self.held[:used] + [Held() for _ in range(max(kept, self.allowed) + 1 - used)]
        for name in ("state", "stems"):
            if (old := getattr(self, name)) is not None:
                new = self._fresh(old)
                new[:, :kept, :, : old.shape[3]] = old[:, :kept, :, : new.shape[3]]
                setattr(self, name, new)

    def forward(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append `tokens` (a list a row, perhaps empty) to the first rows; returns each one's last hidden state, (rows, hidden).

        The hidden state of a row without tokens means nothing.
        """
        device, counts = self.state.device, [len(row) for row in tokens]
        own = [row.length - row.offset + count for row, count in zip(self.held, counts, strict=False)]
        self.ensure(max(own), rows=len(counts))
        used = self.held[: len(counts)]
        total = sum(counts)
        filled = up_to(total, self.same.multiple) - total
        ids = [id for row in tokens for id in row] + [0] * filled
        rows = [r for r, count in enumerate(counts) for _ in range(count)] + [len(self.held) - 1] * filled
        positions = [row.length + i for row, count in zip(used, counts, strict=True) for i in range(count)]
        offsets = [row.offset for row, count in zip(used, counts, strict=True) for _ in range(count)] + [0] * filled
        ids_, rows_, self.positions, away = torch.tensor([ids, rows, positions + list(range(filled)), offsets], device=device)
        _, _, heads, room, _ = self.state.shape
        each = torch.arange(heads, device=device)
        self.places = ((rows_[:, None] * heads + each) * room + (self.positions - away)[:, None]).flatten()
        for row, count in zip(used, counts, strict=True):
            row.length += count
        self.plan = planned(used, counts, len(ids), self.same, self.state)
        hidden = self._decoded(ids_)
        if self.plan.alone:
            return hidden
        return hidden[(torch.tensor(counts).cumsum(0) - 1).clamp_(min=0).to(device)]

    def _decoded(self, ids: torch.Tensor) -> torch.Tensor:
        """Run the decoder with our attention; whoever else uses the model finds it as it was."""
        if self.lean is not None:
            return self.lean(ids, self.positions, self.store, self.attend)
        config = self.decoder.config
        before, config._attn_implementation = config._attn_implementation, ATTENTION
        try:
            options = {"position_ids": self.positions[None], "past_key_values": self.cache, "use_cache": True}
            return self.decoder(input_ids=ids[None], **options, batch=self).last_hidden_state[0]
        finally:
            config._attn_implementation = before

    def store(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Write the new tokens of each row at their own places, both (tokens, heads, dim)."""
        for state, new in ((self.state[2 * layer], keys), (self.state[2 * layer + 1], values)):
            state.view(-1, state.shape[-1]).index_copy_(0, self.places, new.reshape(-1, state.shape[-1]))

    def attend(self, layer: int, query: torch.Tensor, scale: float) -> torch.Tensor:
        """Attention of the new tokens, (tokens, heads, dim), to what their rows hold."""
        rows = (self.state[2 * layer], self.state[2 * layer + 1])
        stems = (self.stems[2 * layer], self.stems[2 * layer + 1]) if self.plan.stems else None
        return attend(query, rows, stems, scale, self.plan)

    def append(self, row: int, state: torch.Tensor) -> None:
        """Put a state that was `cut` after what `row` holds by itself."""
        held = self.held[row]
        at, end = held.length - held.offset, held.length - held.offset + state.shape[2]
        self.ensure(end)
        self.state[:, row, :, at:end] = state
        self.held[row].length += state.shape[2]

    def sit(self, row: int, key: Hashable) -> bool:
        """Let an empty row stand on the stem called `key`, if there is one."""
        slot = self.slots.get(key)
        if slot is None:
            return False
        stem = self.standing[slot]
        stem[2] += 1
        self.held[row] = Held(stem[1], stem[1], slot)
        return True

    def root(self, row: int, key: Hashable) -> None:
        """Make what `row` holds the stem called `key`, unless there is one, and let the row stand on it.

        A short one stays in its row: joining would cost more than it saves.
        """
        length = self.held[row].length
        if self.state.device.type != "cpu" or not self.same.siblings or length < self.worth:
            return
        if self.stems is None:
            self.stems = self._fresh(self.state)
        if key not in self.slots:
            slot = next(i for i in range(len(self.held)) if i not in self.standing)
            self.stems[:, slot, :, :length] = self.state[:, row, :, :length]
            self.slots[key], self.standing[slot] = slot, [key, length, 0]
        self.sit(row, key)

    def clear(self, row: int) -> None:
        """Empty a row; a stem without rows is gone."""
        slot = self.held[row].slot
        if slot is not None:
            stem = self.standing[slot]
            stem[2] -= 1
            if not stem[2]:
                del self.slots[stem[0]], self.standing[slot]
        self.held[row] = Held()

    def cut(self, row: int, begin: int, end: int) -> torch.Tensor:
        """A copy of the state of `row` from token `begin` to `end`: (2 · layers, heads, end − begin, dim); not from its stem."""
        away = self.held[row].offset
        return self.state[:, row, :, begin - away : end - away].clone()

    def move(self, source: int, target: int) -> None:
        """Make row `target`, which is empty, what row `source` was, and empty that."""
        own = self.held[source].length - self.held[source].offset
        self.state[:, target, :, :own] = self.state[:, source, :, :own]
        self.held[target], self.held[source] = self.held[source], Held()


def filled_up(rows: torch.Tensor, multiple: int) -> torch.Tensor:
    """`rows` (count, width), the first one repeated behind the last until their number is a multiple of `multiple`."""
    missing = up_to(len(rows), multiple) - len(rows)
    return torch.cat([rows, rows[:1].expand(missing, -1)]) if missing else rows
