"""The dense working batch: key/value rows of different lengths, written in place, read through transformers' Cache.

Row r holds `lengths[r]` tokens at positions 0 … lengths[r]−1; there is no padding on the left, positions are explicit, a 4-D
mask hides what a row does not have. It knows token ids only: no text, no tree, no sampling.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer


class _Rows(DynamicLayer):
    """One layer's rows; `update` writes each row at its own place and returns a view of the rows in use."""

    def __init__(self, batch: WorkingBatch, keys: torch.Tensor, values: torch.Tensor):
        super().__init__()
        self.batch, self.held_keys, self.held_values, self.is_initialized = batch, keys, values, True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any):
        batch = self.batch
        self.held_keys[batch.rows, :, batch.places] = key_states.transpose(1, 2)  # (rows, new, heads, dim)
        self.held_values[batch.rows, :, batch.places] = value_states.transpose(1, 2)
        first, last = batch.used
        return self.held_keys[first:last, :, : batch.reach], self.held_values[first:last, :, : batch.reach]

    def get_seq_length(self) -> int:
        return self.batch.reach

    def get_mask_sizes(self, query_length: Any) -> tuple[int, int]:
        return self.batch.reach, 0


class WorkingBatch:
    """Up to `rows` rows of up to `room` tokens for one decoder. Memory: 2 · layers · heads · dim · rows · room floats."""

    def __init__(self, model: PreTrainedModel, rows: int, room: int):
        config = model.config
        heads = config.num_key_value_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.decoder = model.base_model
        shape = (rows, heads, room, dim)
        self.held = [
            tuple(torch.zeros(shape, dtype=model.dtype, device=model.device) for _ in range(2))
            for _ in range(config.num_hidden_layers)
        ]
        self.cache = Cache(layers=[_Rows(self, keys, values) for keys, values in self.held])
        self.lengths = [0] * rows
        self.reach = 0
        self.used = (0, 0)
        self.rows = self.places = torch.zeros(0)

    def forward(self, first: int, tokens: list[list[int]]) -> torch.Tensor:
        """Append `tokens` (one list a row) to the rows from `first` on; returns the last hidden state of each, (rows, hidden)."""
        device = self.held[0][0].device
        count, longest = len(tokens), max(map(len, tokens))
        self.used = (first, first + count)
        begins = torch.tensor(self.lengths[first : first + count], device=device)
        self.rows = torch.arange(first, first + count, device=device)[:, None]
        self.places = begins[:, None] + torch.arange(longest, device=device)  # (rows, longest)
        self.reach = int(begins.max()) + longest
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens], device=device)
        mask = torch.arange(self.reach, device=device)[None, None] <= self.places[:, :, None]
        hidden = self.decoder(
            input_ids=ids, attention_mask=mask[:, None], position_ids=self.places, past_key_values=self.cache, use_cache=True
        ).last_hidden_state
        for r, row in enumerate(tokens):
            self.lengths[first + r] += len(row)
        ends = torch.tensor([len(row) - 1 for row in tokens], device=device)
        return hidden[torch.arange(count, device=device), ends]

    def copy(self, source: int, target: int) -> None:
        """Make row `target` equal to row `source`."""
        length = self.lengths[source]
        for keys, values in self.held:
            keys[target, :, :length] = keys[source, :, :length]
            values[target, :, :length] = values[source, :, :length]
        self.lengths[target] = length
