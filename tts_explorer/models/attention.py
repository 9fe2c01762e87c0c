"""Attention for a forward whose rows have different lengths and share beginnings.

Siblings in a tree share the whole path to their parent. Its keys and values, the *stem*, are held once, and all rows on it
attend to it together, as one small matrix product; each row attends to its own few tokens apart; one softmax is taken over
both (shared prefixes: Juravsky et al. 2024, arXiv:2402.05099). Every row that writes stands on a stem, alone on it or not:
whether siblings are about must not change its numbers.

Measured (AMD EPYC, one layer of 4 heads of 32, 4 rows a stem of 64 tokens and 32 of their own, microseconds a call, each row by
itself over all its tokens against this): 1 row 13 / 44, 16 rows 62 / 76, 64 rows 787 / 263, 160 rows 1,918 / 656. What is by
itself costs memory: from some forty rows on keys and values come from beyond the cache, at 8 GB/s where a plain sum reads 44,
since they lie in pieces (huge pages changed nothing; room that fits, 14 GB/s: so a row's own tokens have a short room of their
own). Of the single-token kernels flash attention, batched products and numpy's were equally slow there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn.functional import scaled_dot_product_attention

BLOCK = 32
"""Attended lengths are multiples of it."""
SPAN = 128
"""Values are summed over so many tokens at a time: matrix libraries cut longer sums differently for different lengths."""
WORTH = 1
"""Tokens from which a beginning is shared."""

flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
"""(output, log-sum-exp), which the public function keeps to itself."""


def up_to(count: int, multiple: int) -> int:
    """The next multiple of `multiple`."""
    return -(-count // multiple) * multiple


def hidden_from(unseen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """A mask to be added to attention's logits: −inf where `unseen`."""
    return torch.zeros(unseen.shape, dtype=dtype, device=unseen.device).masked_fill_(unseen, -torch.inf)


@dataclass(frozen=True, slots=True)
class Sameness:
    """What keeps a row's numbers independent of its neighbours on this machine; see `sameness`."""

    multiple: int = 1
    """Linear layers run on multiples of so many tokens."""
    reach_free: bool = True
    """Single tokens may attend together, whatever their lengths."""
    siblings: int = 1
    """Rows attend to a stem in multiples of so many; 0: stems may not be shared."""


@dataclass
class Held:
    """Where a row's keys and values lie: `length` tokens, in the place `slot` among the paths.

    If `offset` is not 0, that place is a stem of so many tokens, and the row's own ones lie among the tails.
    """

    length: int = 0
    offset: int = 0
    slot: int | None = None


@dataclass
class _Group:
    """Single tokens that attend together to what their own places hold."""

    tokens: slice | torch.Tensor
    slots: slice | torch.Tensor
    reach: int
    mask: torch.Tensor


@dataclass
class Fork:
    """Single tokens whose rows stand on stems. A head's keys are a place of their own here: `heads` to each slot and row."""

    tokens: slice | torch.Tensor
    rows: slice | torch.Tensor
    """(rows · heads): the tails."""
    slots: slice | torch.Tensor
    """(slots · heads): the stems."""
    asked: torch.Tensor
    """(slots · heads · siblings): which of (tokens · heads) attend to each stem, filled up with any."""
    back: torch.Tensor
    """(tokens · heads): where among those each one is."""
    far: int
    near: int
    """Reaches: of the stems, of the tails."""
    mask: torch.Tensor
    """(tokens · heads, 1, far + near)."""


@dataclass
class Plan:
    """Which tokens of a forward attend to what."""

    total: int
    groups: list[_Group] = field(default_factory=list)
    chunks: list[tuple[slice, int, int, torch.Tensor]] = field(default_factory=list)
    """Rows with several new tokens, each alone: tokens, slot, reach, mask."""
    fork: Fork | None = None
    alone: bool = False
    """One group, or the fork, has all tokens, in the order of the rows."""


def planned(held: Sequence[Held], counts: Sequence[int], total: int, same: Sameness, like: torch.Tensor) -> Plan:
    """The plan for `counts` new tokens of each row, already counted in `held`; `total` with what fills the forward up.

    `like` holds the paths: (2 · layers, slots, heads, room, dim).
    """
    plan, ends = Plan(total), torch.tensor(counts).cumsum(0).tolist()
    singles = [r for r, count in enumerate(counts) if count == 1]
    reaches = {r: up_to(held[r].length, BLOCK) for r in singles if not held[r].offset}
    if same.reach_free:
        reaches = dict.fromkeys(reaches, max(reaches.values(), default=0))
    for reach in sorted(set(reaches.values())):
        rows = sorted((r for r in reaches if reaches[r] == reach), key=lambda r: held[r].slot)
        own = torch.tensor([held[r].length for r in rows], device=like.device)
        mask = hidden_from(torch.arange(reach, device=like.device)[None] >= own[:, None], like.dtype)[:, None, None]
        slots = _index([held[r].slot for r in rows], like)
        plan.groups.append(_Group(_index([ends[r] - 1 for r in rows], like), slots, reach, mask))
    for r, count in enumerate(counts):
        if count > 1:
            reach = up_to(held[r].length, BLOCK)
            places = torch.arange(held[r].length - count, held[r].length, device=like.device)
            mask = hidden_from(torch.arange(reach, device=like.device)[None] > places[:, None], like.dtype)[None, None]
            plan.chunks.append((slice(ends[r] - count, ends[r]), held[r].slot, reach, mask))
    on_stems = [r for r in singles if held[r].offset]
    if on_stems:
        plan.fork = _forked(held, on_stems, [ends[r] - 1 for r in on_stems], same, like)
    plan.alone = total == len(singles) == len(counts) and len(plan.groups) + (plan.fork is not None) == 1
    plan.alone &= not plan.groups or isinstance(plan.groups[0].tokens, slice)
    return plan


def _forked(held: Sequence[Held], rows: list[int], tokens: list[int], same: Sameness, like: torch.Tensor) -> Fork:
    """`rows` that stand on stems, each with its one token."""
    heads, device = like.shape[2], like.device
    on: dict[int, list[int]] = {}
    for i, r in enumerate(rows):
        on.setdefault(held[r].slot, []).append(i)
    slots = list(range(min(on), max(on) + 1))
    if len(slots) > 2 * len(on):  # far apart: rather copy those that are asked than read all between them
        slots = sorted(on)
    siblings = up_to(max(map(len, on.values())), same.siblings)
    asked, back = [0] * (len(slots) * siblings), [0] * len(rows)
    for at, slot in enumerate(slots):
        for k, i in enumerate(on.get(slot, ())):
            asked[at * siblings + k], back[i] = i, at * heads * siblings + k
    each = torch.arange(heads)
    lengths = torch.tensor([(held[r].offset, held[r].length - held[r].offset) for r in rows])
    far, near = (up_to(int(longest), BLOCK) for longest in lengths.amax(0))
    unseen = torch.cat([torch.arange(far) >= lengths[:, :1], torch.arange(near) >= lengths[:, 1:]], 1)
    return Fork(
        _index(tokens, like),
        _by_heads(_index(rows, like), heads),
        _by_heads(_index(slots, like), heads),
        (torch.tensor(asked).view(-1, 1, siblings) * heads + each[:, None]).flatten().to(device),
        (torch.tensor(back)[:, None] + each * siblings).flatten().to(device),
        far,
        near,
        hidden_from(unseen, like.dtype).repeat_interleave(heads, 0)[:, None].to(device),
    )


def _by_heads(index: slice | torch.Tensor, heads: int) -> slice | torch.Tensor:
    """The same places where each head is one."""
    if isinstance(index, slice):
        return slice(index.start * heads, index.stop * heads)
    return (index[:, None] * heads + torch.arange(heads, device=index.device)).flatten()


def _index(places: list[int], like: torch.Tensor) -> slice | torch.Tensor:
    """`places` as an index: a slice, which copies nothing, where they follow one another."""
    follow = places == list(range(places[0], places[0] + len(places)))
    return slice(places[0], places[0] + len(places)) if follow else torch.tensor(places, device=like.device)


Pair = tuple[torch.Tensor, torch.Tensor]
"""Keys and values, both (places, heads, room, dim)."""


def attend(query: torch.Tensor, paths: Pair, tails: Pair | None, scale: float, plan: Plan) -> torch.Tensor:
    """Attention of one layer for all tokens of a plan, query and result (tokens, heads, dim)."""
    shared = query.shape[1] // paths[0].shape[1]  # a group of heads shares its keys
    out = query.new_zeros(query.shape) if not plan.alone else query
    for group in plan.groups:
        seen = (held[group.slots, :, : group.reach] for held in paths)
        asked = query[group.tokens].unflatten(1, (-1, shared))
        got = scaled_dot_product_attention(asked, *seen, attn_mask=group.mask, scale=scale).flatten(1, 2)
        if plan.alone:
            return got
        out[group.tokens] = got
    if plan.fork is not None:
        got = attend_forked(query[plan.fork.tokens], paths, tails, scale, plan.fork)
        if plan.alone:
            return got
        out[plan.fork.tokens] = got
    for tokens, slot, reach, mask in plan.chunks:
        asked = query[tokens].transpose(0, 1)[None]
        seen = (held[slot : slot + 1, :, :reach] for held in paths)
        got = scaled_dot_product_attention(asked, *seen, attn_mask=mask, scale=scale, enable_gqa=shared > 1)
        out[tokens] = got[0].transpose(0, 1)
    return out


def attend_forked(query: torch.Tensor, paths: Pair, tails: Pair, scale: float, fork: Fork) -> torch.Tensor:
    """What tokens see in their stems and in their own tails, query and result (tokens, heads, dim)."""
    heads, dim = paths[0].shape[1], query.shape[2]
    far_keys, far_values = (held.view(-1, *held.shape[2:])[fork.slots, : fork.far] for held in paths)
    near_keys, near_values = (held.view(-1, *held.shape[2:])[fork.rows, : fork.near] for held in tails)
    asked = (query * scale).reshape(len(query) * heads, -1, dim)  # (tokens · heads, sharing heads, dim)
    shape = (len(far_keys), -1, dim)
    far = torch.bmm(asked.index_select(0, fork.asked).view(shape), far_keys.transpose(1, 2))
    far = far.view(len(fork.asked), -1, fork.far).index_select(0, fork.back)
    near = torch.bmm(asked, near_keys.transpose(1, 2))
    weights = torch.softmax(torch.cat([far, near], -1).add_(fork.mask), -1)
    far, near = weights[..., : fork.far], weights[..., fork.far :]
    found = summed(None, far.index_select(0, fork.asked).view(len(far_keys), -1, fork.far), far_values)
    found = found.view(len(fork.asked), -1, dim).index_select(0, fork.back)
    return summed(found, near, near_values).view(query.shape)


def summed(begun: torch.Tensor | None, weights: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """`weights` (many, rows, tokens) times `values` (many, tokens, dim), added to what is `begun`, `SPAN` tokens at a time."""
    for at in range(0, values.shape[1], SPAN):
        part = weights[..., at : at + SPAN], values[:, at : at + SPAN]
        begun = torch.bmm(*part) if begun is None else torch.baddbmm(begun, *part)
    return begun
