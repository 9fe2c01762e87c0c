"""Attention for a forward whose rows have different lengths and share beginnings.

Siblings in a tree share the whole path to their parent. Its keys and values, the *stem*, are held once, and all rows on it
attend to it together, as one small matrix product; each row attends to its own few tokens apart; the two are joined by their
log-sum-exp, which is exact (as flash attention joins its blocks: Dao et al. 2022, arXiv:2205.14135, §3.1; for shared
prefixes: Juravsky et al. 2024, arXiv:2402.05099). A decode step of 16 rows on 4 stems reads a quarter of the memory.

Measured (AMD EPYC, one layer of 4 heads of 32, 16 rows on 4 stems, microseconds a call, alone against shared): 96 tokens
74 / 88, 256 tokens 420 / 157, 400 tokens 552 / 207; 128 rows at 96 tokens 1,847 / 1,311. A gain once keys leave the cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn.functional import scaled_dot_product_attention

BLOCK = 32
"""Attended lengths are multiples of it."""
WORTH = 128
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
    """Where a row's keys and values lie: `length` tokens, the first `offset` of them in the stem in `slot`."""

    length: int = 0
    offset: int = 0
    slot: int | None = None


@dataclass
class _Group:
    """Single tokens that attend together to what their own rows hold."""

    tokens: slice | torch.Tensor
    rows: slice | torch.Tensor
    reach: int
    mask: torch.Tensor


@dataclass
class _Stems:
    """Stems side by side in their slots, of one reach, with the tokens that attend to each: (stems, siblings), flat."""

    tokens: torch.Tensor
    slots: slice
    reach: int
    mask: torch.Tensor


@dataclass
class Plan:
    """Which tokens of a forward attend to what."""

    total: int
    groups: list[_Group] = field(default_factory=list)
    chunks: list[tuple[slice, int, int, torch.Tensor]] = field(default_factory=list)
    """Rows with several new tokens, each alone: tokens, row, reach, mask."""
    stems: list[_Stems] = field(default_factory=list)
    back: torch.Tensor | None = None
    """For each token, which of the stems' results, flat, is its own; one past the last for none."""
    spare: bool = False
    """Some token stands on no stem."""
    alone: bool = False
    """One group has all tokens, in the order of the rows."""


def planned(held: Sequence[Held], counts: Sequence[int], total: int, same: Sameness, like: torch.Tensor) -> Plan:
    """The plan for `counts` new tokens of each row, already counted in `held`; `total` with what fills the forward up."""
    plan, ends = Plan(total), torch.tensor(counts).cumsum(0).tolist()
    singles = [r for r, count in enumerate(counts) if count == 1]
    reaches = {r: (held[r].slot is None, up_to(held[r].length - held[r].offset, BLOCK)) for r in singles}
    if same.reach_free:  # rows with a stem are short, rows without are long: two groups
        longest = {bare: max((n for b, n in reaches.values() if b == bare), default=0) for bare in (False, True)}
        reaches = {r: (bare, longest[bare]) for r, (bare, _) in reaches.items()}
    for bare, reach in sorted(set(reaches.values())):
        rows = [r for r in singles if reaches[r] == (bare, reach)]
        own = torch.tensor([held[r].length - held[r].offset for r in rows], device=like.device)
        mask = hidden_from(torch.arange(reach, device=like.device)[None] >= own[:, None], like.dtype)[:, None, None]
        plan.groups.append(_Group(_index([ends[r] - 1 for r in rows], like), _index(rows, like), reach, mask))
    for r, count in enumerate(counts):
        if count > 1:
            reach = up_to(held[r].length, BLOCK)
            places = torch.arange(held[r].length - count, held[r].length, device=like.device)
            mask = hidden_from(torch.arange(reach, device=like.device)[None] > places[:, None], like.dtype)[None, None]
            plan.chunks.append((slice(ends[r] - count, ends[r]), r, reach, mask))
    plan.alone = len(plan.groups) == 1 and not plan.chunks and total == len(counts) == len(singles)
    _plan_stems(plan, held, {r: ends[r] - 1 for r in singles if held[r].slot is not None}, same, like)
    return plan


def _plan_stems(plan: Plan, held: Sequence[Held], tokens: dict[int, int], same: Sameness, like: torch.Tensor) -> None:
    """Runs of neighbouring slots whose stems have one reach; `tokens` are the rows that stand on one, each with its token."""
    on: dict[int, list[int]] = {}
    for r in tokens:
        on.setdefault(held[r].slot, []).append(r)
    runs: list[list[int]] = []
    for slot in sorted(on):
        reach = up_to(held[on[slot][0]].offset, BLOCK)
        if runs and runs[-1][-1] == slot - 1 and up_to(held[on[runs[-1][0]][0]].offset, BLOCK) == reach:
            runs[-1].append(slot)
        else:
            runs.append([slot])
    back, begin = [0] * plan.total, 0
    for run in runs:
        siblings = up_to(max(len(on[slot]) for slot in run), same.siblings)
        asked = []
        for slot in run:
            mine = [tokens[r] for r in on[slot]]
            for i, token in enumerate(mine):
                back[token] = begin + len(asked) + i
            asked += mine + mine[:1] * (siblings - len(mine))
        begin += len(asked)
        lengths = torch.tensor([held[on[slot][0]].offset for slot in run], device=like.device)
        reach = up_to(int(lengths[0]), BLOCK)
        mask = hidden_from(torch.arange(reach, device=like.device)[None] >= lengths[:, None], like.dtype)[:, None, None]
        slots = slice(run[0], run[-1] + 1)
        plan.stems.append(_Stems(torch.tensor(asked, device=like.device), slots, reach, mask))
    if runs:
        standing = set(tokens.values())
        plan.spare = len(standing) < plan.total
        plan.back = torch.tensor([b if t in standing else begin for t, b in enumerate(back)], device=like.device)


def _index(places: list[int], like: torch.Tensor) -> slice | torch.Tensor:
    """`places` as an index: a slice, which copies nothing, where they are the first ones."""
    return slice(0, len(places)) if places == list(range(len(places))) else torch.tensor(places, device=like.device)


Pair = tuple[torch.Tensor, torch.Tensor]
"""Keys and values, both (rows or slots, heads, room, dim)."""


def attend(query: torch.Tensor, rows: Pair, stems: Pair | None, scale: float, plan: Plan) -> torch.Tensor:
    """Attention of one layer for all tokens of a plan, query and result (tokens, heads, dim)."""
    shared = query.shape[1] // rows[0].shape[1]  # a group of heads shares its keys
    if not plan.stems:
        out = query.new_zeros(query.shape) if not plan.alone else query
        for group in plan.groups:
            seen = (held[group.rows, :, : group.reach] for held in rows)
            asked = query[group.tokens].unflatten(1, (-1, shared))
            got = scaled_dot_product_attention(asked, *seen, attn_mask=group.mask, scale=scale).flatten(1, 2)
            if plan.alone:
                return got
            out[group.tokens] = got
    else:
        out, weight = _own(query, rows, scale, plan, shared)
        out = _joined(query, out, weight, stems, scale, plan, shared)
    for tokens, row, reach, mask in plan.chunks:
        asked = query[tokens].transpose(0, 1)[None]
        seen = (held[row : row + 1, :, :reach] for held in rows)
        got = scaled_dot_product_attention(asked, *seen, attn_mask=mask, scale=scale, enable_gqa=shared > 1)
        out[tokens] = got[0].transpose(0, 1)
    return out


def _own(query: torch.Tensor, rows: Pair, scale: float, plan: Plan, shared: int) -> Pair:
    """What single tokens see in their own rows, (tokens, heads, dim), and its log-sum-exp, (tokens, heads)."""
    out = weight = None
    for group in plan.groups:
        seen = (held[group.rows, :, : group.reach] for held in rows)
        mask = group.mask.expand(-1, -1, shared, -1)
        got, sums = flash(query[group.tokens].unflatten(1, (-1, shared)), *seen, 0.0, False, attn_mask=mask, scale=scale)
        if plan.alone:
            return got.flatten(1, 2), sums.flatten(1)
        if out is None:
            out, weight = query.new_zeros(query.shape), sums.new_zeros(query.shape[:2])
        out[group.tokens], weight[group.tokens] = got.flatten(1, 2), sums.flatten(1)
    return out, weight


def _joined(
    query: torch.Tensor, out: torch.Tensor, weight: torch.Tensor, stems: Pair, scale: float, plan: Plan, shared: int
) -> torch.Tensor:
    """`out` joined with what each token sees in its stem."""
    found, sums = [], []
    for run in plan.stems:
        seen = [held[run.slots, :, : run.reach] for held in stems]
        count, heads = len(seen[0]), seen[0].shape[1]
        asked = query[run.tokens].view(count, -1, heads, shared, query.shape[2]).transpose(1, 2).flatten(2, 3)
        got, sum = flash(asked, *seen, 0.0, False, attn_mask=run.mask.expand(-1, -1, asked.shape[2], -1), scale=scale)
        found.append(got.unflatten(2, (-1, shared)).transpose(1, 2).reshape(-1, query.shape[1], query.shape[2]))
        sums.append(sum.unflatten(2, (-1, shared)).transpose(1, 2).reshape(-1, query.shape[1]))
    if plan.spare:
        found.append(query.new_zeros(1, *query.shape[1:]))
        sums.append(sums[0].new_full((1, query.shape[1]), -torch.inf))
    there = torch.cat(found) if len(found) > 1 else found[0]
    much = torch.cat(sums) if len(sums) > 1 else sums[0]
    return torch.lerp(out, there[plan.back], torch.sigmoid(much[plan.back] - weight)[..., None])
