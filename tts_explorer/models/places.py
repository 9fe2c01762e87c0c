"""Where the keys and values of rows lie: place beside place in one tensor, which grows. It knows neither rows nor attention."""

from __future__ import annotations

import numpy as np
import torch

from tts_explorer.models.attention import BLOCK, Pair


class Places:
    """Keys and values, place beside place; all have room for `room` tokens, which doubles up to `context` as one needs it.

    As many places as fit into `limit` bytes, `most` at most; memory is touched as they fill.
    """

    def __init__(self, shape: tuple[int, int, int], like: torch.nn.Module, *, room: int, context: int, most: int, limit: int):
        self.shape, self.context, self.most, self.limit = shape, context, most, limit
        doubled, heads, dim = shape
        self.token_bytes = doubled * heads * dim * like.dtype.itemsize
        self.room = min(context, room)
        self.state = self._fresh(like, self.count)

    @property
    def count(self) -> int:
        """Places that may be used at once with the present room."""
        return max(2, min(self.most, self.limit // (self.token_bytes * self.room)))

    def _fresh(self, like: torch.nn.Module | torch.Tensor, count: int) -> torch.Tensor:
        """Room for all; an odd number of blocks each, or their beginnings would all fall on the same lines of the cache."""
        doubled, heads, dim = self.shape
        room = self.room + BLOCK * (self.room // BLOCK % 2 == 0)
        shape = (doubled, count, heads, room, dim)
        if like.device.type == "cpu" and like.dtype in (torch.float32, torch.float64):  # torch.zeros would touch every page
            return torch.from_numpy(np.zeros(shape, np.float32 if like.dtype == torch.float32 else np.float64))
        return torch.zeros(shape, dtype=like.dtype, device=like.device)

    def ensure(self, length: int, used: int) -> None:
        """Make room for `length` tokens each, keeping the first `used`."""
        if length <= self.room:
            return
        while self.room < length:
            self.room = min(self.context, 2 * self.room)
        old, self.state = self.state, self._fresh(self.state, max(used, self.count))
        self.state[:, :used, :, : old.shape[3]] = old[:, :used]

    def layer(self, at: int) -> Pair:
        """Keys and values of one layer."""
        return self.state[2 * at], self.state[2 * at + 1]

    def indices(self, places: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Where the heads of one token each lie in one layer, all places laid end to end: (tokens · heads,)."""
        heads, room = self.state.shape[2:4]
        each = torch.arange(heads, device=places.device)
        return ((places[:, None] * heads + each) * room + positions[:, None]).flatten()
