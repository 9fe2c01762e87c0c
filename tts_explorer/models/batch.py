"""The dense working batch: key/value rows of different lengths, written in place, read through transformers' Cache.

Row r holds `lengths[r]` tokens at positions 0 … lengths[r]−1. A forward takes any number of new tokens for each row and lays
them end to end, so that nothing is padded: linear layers see one long row of tokens, attention sees each row by itself, at
explicit positions. It knows token ids only: no text, no tree, no sampling.

What a row gets does not depend, bit for bit, on its neighbours, where the two figures of `sameness` could be found for the
machine and the model: linear layers run on a multiple of `multiple` tokens, and single tokens attend together only if
`reach_free`. A row with several tokens attends alone, to a length that depends on itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer

from tts_explorer.models.decoder import LeanDecoder

BLOCK = 32
"""Attended lengths are multiples of it."""
ATTENTION = "tts_explorer"


class _Layer(DynamicLayer):
    """One layer's rows, for a decoder that transformers runs."""

    def __init__(self, batch: WorkingBatch, at: int):
        super().__init__()
        self.batch, self.at, self.is_initialized = batch, at, True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any):
        return self.batch.store(self.at, key_states[0].transpose(0, 1), value_states[0].transpose(0, 1))

    def get_seq_length(self) -> int:
        return 0

    def get_mask_sizes(self, query_length: Any) -> tuple[int, int]:
        return 0, 0


class _Plan:
    """Which tokens of a forward attend to what: single tokens in groups, the chunks of longer ones each alone."""

    def __init__(self, batch: WorkingBatch, counts: Sequence[int], total: int):
        device, dtype = batch.state.device, batch.state.dtype
        ends = torch.tensor(counts).cumsum(0).tolist()
        self.total, self.alone = total, not any(count > 1 for count in counts) and total == len(counts)
        lengths = [before + count for before, count in zip(batch.lengths, counts, strict=False)]
        singles = [r for r, count in enumerate(counts) if count == 1]
        reaches = {r: up(lengths[r]) for r in singles}
        if batch.reach_free and singles:
            reaches = dict.fromkeys(singles, max(reaches.values()))
        self.groups = []
        for reach in sorted(set(reaches.values())):
            rows = [r for r in singles if reaches[r] == reach]
            lasts = torch.tensor([lengths[r] for r in rows], device=device)
            mask = hidden_from(torch.arange(reach, device=device)[None] >= lasts[:, None], dtype)[:, None, None]
            places = [ends[r] - 1 for r in rows]
            self.groups.append((_index(places, device), _index(rows, device), reach, mask))
        self.chunks = []
        for r, count in enumerate(counts):
            if count > 1:
                reach = up(lengths[r])
                places = torch.arange(lengths[r] - count, lengths[r], device=device)
                mask = hidden_from(torch.arange(reach, device=device)[None] > places[:, None], dtype)[None, None]
                self.chunks.append((slice(ends[r] - count, ends[r]), r, reach, mask))


def _index(places: list[int], device: torch.device) -> slice | torch.Tensor:
    """`places` as an index: a slice, which copies nothing, where they are the first ones."""
    return slice(0, len(places)) if places == list(range(len(places))) else torch.tensor(places, device=device)


def up(length: int) -> int:
    """The next multiple of `BLOCK`."""
    return up_to(length, BLOCK)


def hidden_from(unseen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A mask to be added to attention's logits: −inf where `unseen`."""
    return torch.zeros(unseen.shape, dtype=dtype, device=unseen.device).masked_fill_(unseen, -torch.inf)


def attend(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float, plan: _Plan
) -> torch.Tensor:
    """Attention of one layer for all tokens of a plan: (tokens, heads, dim); keys and values (rows, kv heads, room, dim)."""
    count, heads, dim = query.shape
    shared = heads // keys.shape[1]
    out = None if plan.alone and len(plan.groups) == 1 else query.new_zeros(query.shape)
    for tokens, held, reach, mask in plan.groups:
        asked = (query if out is None else query[tokens]).unflatten(1, (-1, shared))  # a group of heads shares its keys
        got = scaled_dot_product_attention(asked, keys[held, :, :reach], values[held, :, :reach], attn_mask=mask, scale=scale)
        if out is None:
            return got.reshape(count, heads, dim)
        out[tokens] = got.reshape(-1, heads, dim)
    for tokens, row, reach, mask in plan.chunks:
        asked = query[tokens].transpose(0, 1)[None]
        seen = (keys[row : row + 1, :, :reach], values[row : row + 1, :, :reach])
        got = scaled_dot_product_attention(asked, *seen, attn_mask=mask, scale=scale, enable_gqa=shared > 1)
        out[tokens] = got[0].transpose(0, 1)
    return out


def _attend(
    module: Any, query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: Any, *, plan: _Plan, **rest: Any
) -> tuple[torch.Tensor, None]:
    """`attend` as transformers calls it: query (1, heads, tokens, dim)."""
    return attend(query[0].transpose(0, 1), keys, values, rest["scaling"], plan)[None], None


AttentionInterface.register(ATTENTION, _attend)
AttentionMaskInterface.register(ATTENTION, lambda *args, **kwargs: None)


class WorkingBatch:
    """Up to `rows` rows for one decoder, each with room for `room` tokens; room grows up to `context` as rows need it.

    Memory: `token_bytes` · rows · room, touched as it fills; at most about `limit` bytes, for which rows are given up as
    room grows.
    """

    def __init__(
        self, model: PreTrainedModel, rows: int, context: int, *, lean: LeanDecoder | None = None, limit: int = 1 << 30
    ):
        config = model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.decoder, self.lean = model.base_model, lean
        self.most, self.context, self.limit = rows, up(context), limit
        self.shape = (2 * config.num_hidden_layers, heads, dim)
        self.token_bytes = 2 * config.num_hidden_layers * heads * dim * model.dtype.itemsize
        self.room = min(self.context, 4 * BLOCK)
        self.lengths: list[int] = [0] * (self.allowed + 1)
        self.state = self._fresh(model)
        self.cache = Cache(layers=[_Layer(self, at) for at in range(config.num_hidden_layers)])
        self.multiple, self.reach_free = 1, True
        self.rows = self.places = torch.zeros(0)

    @property
    def allowed(self) -> int:
        """Rows that may be used at once with the present room."""
        return max(1, min(self.most, self.limit // (self.token_bytes * self.room)))

    def _fresh(self, model: torch.nn.Module | torch.Tensor) -> torch.Tensor:
        doubled, heads, dim = self.shape
        shape = (doubled, len(self.lengths), heads, self.room, dim)  # the last row takes what fills a forward up
        return torch.zeros(shape, dtype=model.dtype, device=model.device)

    def ensure(self, length: int, used: int) -> None:
        """Make room for `length` tokens a row, keeping the first `used` rows."""
        if length <= self.room:
            return
        while self.room < length:
            self.room = min(self.context, 2 * self.room)
        old, before = self.state, self.lengths[:used]
        self.lengths = before + [0] * (max(used, self.allowed) + 1 - used)
        self.state = self._fresh(old)
        self.state[:, :used, :, : old.shape[3]] = old[:, :used]

    def forward(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append `tokens` (a list a row, perhaps empty) to the first rows; returns each one's last hidden state, (rows, hidden).

        The hidden state of a row without tokens means nothing.
        """
        device = self.state.device
        counts = [len(row) for row in tokens]
        total = sum(counts)
        self.ensure(max(before + count for before, count in zip(self.lengths, counts, strict=False)), len(counts))
        filled = up_to(total, self.multiple) - total
        ids = [id for row in tokens for id in row] + [0] * filled
        rows = [r for r, count in enumerate(counts) for _ in range(count)] + [len(self.lengths) - 1] * filled
        places = [self.lengths[r] + i for r, count in enumerate(counts) for i in range(count)] + list(range(filled))
        self.rows, self.places = torch.tensor([rows, places], device=device)
        plan = _Plan(self, counts, len(ids))
        hidden = self._decoded(torch.tensor(ids, device=device), plan)
        for r, count in enumerate(counts):
            self.lengths[r] += count
        if plan.alone:
            return hidden
        return hidden[(torch.tensor(counts).cumsum(0) - 1).clamp_(min=0).to(device)]

    def _decoded(self, ids: torch.Tensor, plan: _Plan) -> torch.Tensor:
        """Run the decoder with our attention; whoever else uses the model finds it as it was."""
        if self.lean is not None:
            return self.lean(ids, self.places, self.store, lambda *asked: attend(*asked, plan))
        config = self.decoder.config
        before, config._attn_implementation = config._attn_implementation, ATTENTION
        try:
            options = {"position_ids": self.places[None], "past_key_values": self.cache, "use_cache": True}
            return self.decoder(input_ids=ids[None], **options, plan=plan).last_hidden_state[0]
        finally:
            config._attn_implementation = before

    def store(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens of each row at their own places, both (tokens, heads, dim); returns the rows' keys and values."""
        held = self.state[2 * layer], self.state[2 * layer + 1]
        held[0][self.rows, :, self.places] = keys
        held[1][self.rows, :, self.places] = values
        return held

    def append(self, row: int, state: torch.Tensor) -> None:
        """Put a state that was `cut` after what `row` holds; rows behind it may be lost."""
        at, end = self.lengths[row], self.lengths[row] + state.shape[2]
        self.ensure(end, row + 1)
        self.state[:, row, :, at:end] = state
        self.lengths[row] = end

    def cut(self, row: int, begin: int, end: int) -> torch.Tensor:
        """A copy of the state of `row` from token `begin` to `end`: (2 · layers, heads, end − begin, dim)."""
        return self.state[:, row, :, begin:end].clone()

    def move(self, source: int, target: int) -> None:
        """Make row `target` equal to row `source`."""
        length = self.lengths[source]
        self.state[:, target, :, :length] = self.state[:, source, :, :length]
        self.lengths[target] = length


def up_to(count: int, multiple: int) -> int:
    """The next multiple of `multiple`."""
    return -(-count // multiple) * multiple


def filled_up(rows: torch.Tensor, multiple: int) -> torch.Tensor:
    """`rows` (count, width), the first one repeated behind the last until their number is a multiple of `multiple`."""
    missing = up_to(len(rows), multiple) - len(rows)
    return torch.cat([rows, rows[:1].expand(missing, -1)]) if missing else rows
