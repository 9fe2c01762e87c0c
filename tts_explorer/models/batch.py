"""The dense working batch: key/value rows of different lengths, written in place, run through a decoder.

A forward takes any number of new tokens for each row and lays them end to end, so that nothing is padded: linear layers see
one long row of tokens, attention sees each row by itself, at explicit positions. Rows that begin with the same path share its
place, as a stem, and keep their own tokens in short tails (`attention`). It knows token ids only: no text, no tree, no sampling.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.cache_utils import Cache, DynamicLayer

from tts_explorer.models.attention import BLOCK, WORTH, Held, Plan, Sameness, attend, planned, up_to
from tts_explorer.models.decoder import LeanDecoder
from tts_explorer.models.places import Places

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


@dataclass
class _Standing:
    """A place in use: a row's own, or the stem called `key`, of `length` tokens, under `rows` rows."""

    key: Hashable = None
    length: int = 0
    rows: int = 1


class WorkingBatch:
    """Up to `rows` rows for one decoder. A row begins in a place of its own among the paths; `root` makes that a stem.

    Paths take at most about `limit` bytes (128 MB, or half of the weights' if that is more), and tails as much: as room grows,
    fewer rows may be under way.
    """

    def __init__(
        self, model: PreTrainedModel, rows: int, context: int, *, lean: LeanDecoder | None = None, limit: int | None = None
    ):
        config = model.config
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.decoder, self.lean, self.most = model.base_model, lean, rows
        self.shape = (2 * config.num_hidden_layers, heads, dim)
        limit = limit or max(1 << 27, sum(p.nbytes for p in model.parameters()) // 2)
        self.bounds = {"context": up_to(context, BLOCK), "most": rows + 1, "limit": limit}
        self.paths = Places(self.shape, model, room=4 * BLOCK, **self.bounds)
        self.tails: Places | None = None
        """Row by row, from the first stem on."""
        self.token_bytes = self.paths.token_bytes
        self.held = [Held() for _ in range(rows + 1)]
        self.slots: dict[Hashable, int] = {}
        """Where the stems are."""
        self.standing: dict[int, _Standing] = {}
        """The places in use among the paths."""
        self.cache = Cache(layers=[_Layer(self, at) for at in range(config.num_hidden_layers)])
        self.same = Sameness()
        self.worth = WORTH
        self.plan = Plan(0)
        self.positions = torch.zeros(0)
        """Of each new token."""
        self.writes: list[tuple[Places, slice | torch.Tensor, torch.Tensor]] = []
        """Where the new tokens go: among which places, which of them, and where each of their heads lies."""

    @property
    def lengths(self) -> list[int]:
        """Tokens in each row, the stem's among them."""
        return [row.length for row in self.held]

    @property
    def room(self) -> int:
        """Tokens for which a path has room at present."""
        return self.paths.room

    @property
    def allowed(self) -> int:
        """Rows that may be under way at once with the present room."""
        return min(self.most, self.paths.count if self.tails is None else self.tails.count)

    def fits(self, key: Hashable) -> bool:
        """Whether there is a place for another row: on the stem called `key`, or of its own."""
        return key in self.slots or len(self.standing) < self.paths.count

    def open(self, row: int) -> None:
        """Give an empty row a place of its own."""
        slot = next(i for i in range(len(self.standing) + 1) if i not in self.standing)
        if slot >= self.paths.state.shape[1]:
            raise ValueError(f"{slot} rows have places, and there is no room for another")
        self.standing[slot] = _Standing()
        self.held[row] = Held(slot=slot)

    def forward(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """Append `tokens` (a list a row, perhaps empty) to the first rows; returns each one's last hidden state, (rows, hidden).

        The hidden state of a row without tokens means nothing. A row on a stem takes one token at a time.
        """
        device, counts = self.paths.state.device, [len(row) for row in tokens]
        for r, count in enumerate(counts):
            if count and self.held[r].slot is None:
                self.open(r)
        used = self.held[: len(counts)]
        total = sum(counts)
        filled = up_to(total, self.same.multiple) - total
        ids = [id for row in tokens for id in row] + [0] * filled
        positions = [row.length + i for row, count in zip(used, counts, strict=True) for i in range(count)]
        ids_, self.positions = torch.tensor([ids, positions + list(range(filled))], device=device)
        self._plan_writes(used, counts)
        for row, count in zip(used, counts, strict=True):
            row.length += count
        self.plan = planned(used, counts, len(ids), self.same, self.paths.state)
        hidden = self._decoded(ids_)
        if self.plan.alone:
            return hidden
        return hidden[(torch.tensor(counts).cumsum(0) - 1).clamp_(min=0).to(device)]

    def _plan_writes(self, used: Sequence[Held], counts: Sequence[int]) -> None:
        """Make room for so many new tokens of each row, and say where they go."""
        device, self.writes = self.paths.state.device, []
        for places in filter(None, (self.paths, self.tails)):
            tail = places is self.tails
            mine = [(r, row, n) for r, (row, n) in enumerate(zip(used, counts, strict=True)) if n and bool(row.offset) == tail]
            if not mine:
                continue
            places.ensure(max(row.length - row.offset + n for _, row, n in mine), self._kept(places))
            at = [(r if tail else row.slot, row.length - row.offset + i) for r, row, n in mine for i in range(n)]
            chosen: slice | torch.Tensor = slice(0, len(at))
            if len(at) < sum(counts):
                ends = torch.tensor(counts).cumsum(0).tolist()
                chosen = torch.tensor([ends[r] - n + i for r, _, n in mine for i in range(n)], device=device)
            self.writes.append((places, chosen, places.indices(*torch.tensor(at, device=device).T)))

    def _kept(self, places: Places) -> int:
        """How many of the first places are in use."""
        if places is self.paths:
            return max(self.standing, default=-1) + 1
        return max((r + 1 for r, row in enumerate(self.held) if row.offset), default=0)

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
        """Write the new tokens of each row at their own places, both (tokens, heads, dim); what fills up is not kept."""
        for places, chosen, indices in self.writes:
            for state, new in zip(places.layer(layer), (keys, values), strict=True):
                state.view(-1, state.shape[-1]).index_copy_(0, indices, new[chosen].reshape(-1, state.shape[-1]))

    def attend(self, layer: int, query: torch.Tensor, scale: float) -> torch.Tensor:
        """Attention of the new tokens, (tokens, heads, dim), to what their rows hold."""
        tails = self.tails.layer(layer) if self.plan.fork is not None else None
        return attend(query, self.paths.layer(layer), tails, scale, self.plan)

    def append(self, row: int, state: torch.Tensor) -> None:
        """Put a state that was `cut` after what `row` holds."""
        if self.held[row].slot is None:
            self.open(row)
        held, count = self.held[row], state.shape[2]
        places, at = (self.tails, row) if held.offset else (self.paths, held.slot)
        begin = held.length - held.offset
        places.ensure(begin + count, self._kept(places))
        places.state[:, at, :, begin : begin + count] = state
        held.length += count

    def lift(self, row: int) -> None:
        """What follows goes into the row's tail: what it holds is a stem from now on, if stems are in use here.

        One shorter than `worth` is none.
        """
        held = self.held[row]
        if self.paths.state.device.type != "cpu" or not self.same.siblings or held.length < self.worth:
            return
        if self.tails is None:
            self.tails = Places(self.shape, self.decoder, room=BLOCK, **self.bounds)
        self.standing[held.slot].length = held.length
        self.held[row] = Held(held.length, held.length, held.slot)

    def settle(self, row: int) -> None:
        """Put the tail of a row, which stands alone, behind its stem: all of it is the row's own again."""
        held = self.held[row]
        if held.offset:
            self.paths.ensure(held.length, self._kept(self.paths))
            tail = self.tails.state[:, row, :, : held.length - held.offset]
            self.paths.state[:, held.slot, :, held.offset : held.length] = tail
            self.held[row] = Held(held.length, 0, held.slot)

    def sit(self, row: int, key: Hashable) -> bool:
        """Let an empty row stand on the stem called `key`, if there is one."""
        slot = self.slots.get(key)
        if slot is None:
            return False
        stem = self.standing[slot]
        stem.rows += 1
        self.held[row] = Held(stem.length, stem.length, slot)
        return True

    def root(self, row: int, key: Hashable) -> None:
        """Make what `row` holds the stem called `key`, unless there is one, and let the row stand on it."""
        if key in self.slots:
            self.clear(row)
            self.sit(row, key)
            return
        self.lift(row)
        if self.held[row].offset:
            slot = self.slots[key] = self.held[row].slot
            self.standing[slot].key = key

    def clear(self, row: int) -> None:
        """Empty a row; a place without rows is free."""
        slot = self.held[row].slot
        if slot is not None:
            place = self.standing[slot]
            place.rows -= 1
            if not place.rows:
                del self.standing[slot]
                self.slots.pop(place.key, None)
        self.held[row] = Held()

    def cut(self, row: int, begin: int, end: int) -> torch.Tensor:
        """A copy of the state of `row` from token `begin` to `end`: (2 · layers, heads, end − begin, dim); not from its stem."""
        held = self.held[row]
        state = self.tails.state[:, row] if held.offset else self.paths.state[:, held.slot]
        return state[:, :, begin - held.offset : end - held.offset].clone()

    def move(self, source: int, target: int) -> None:
        """Make row `target`, which is empty, what row `source` was, and empty that."""
        held = self.held[source]
        if own := held.offset and held.length - held.offset:
            self.tails.state[:, target, :, :own] = self.tails.state[:, source, :, :own]
        self.held[target], self.held[source] = held, Held()


def filled_up(rows: torch.Tensor, multiple: int) -> torch.Tensor:
    """`rows` (count, width), the first one repeated behind the last until their number is a multiple of `multiple`."""
    missing = up_to(len(rows), multiple) - len(rows)
    return torch.cat([rows, rows[:1].expand(missing, -1)]) if missing else rows
