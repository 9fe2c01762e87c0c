"""What makes a row's numbers independent, bit for bit, of the rows beside it: found out on this machine, for this model.

Matrix libraries choose a kernel by a matrix's shape, and kernels round in different orders. So one row of a batch of three
may differ in its last bit from the same row in a batch of four. Which shapes agree depends on processor and library; it is
tried out when a model is loaded (65 ms for a bundled one). What is tried: every shape of linear layer in the model, with
numbers drawn from a normal distribution. It is evidence, not proof; the tests compare whole searches.

Measured (AMD EPYC, AVX-512, torch 2.13 with MKL): linear layers agree from 4 rows on, as do siblings on a stem; attention of
single tokens agrees for all lengths that are multiples of 16, that of several tokens does not, so a stem is attended to over
its own length. Then sameness costs at most three rows of filling.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch

from tts_explorer.models.attention import BLOCK, Held, Sameness, attend, flash, hidden_from, planned
from tts_explorer.models.decoder import Plain

MULTIPLES = (1, 2, 4, 8, 16, 32, 64)


def found_same(linears: Iterable[Plain], shape: tuple[int, int, int], dtype: torch.dtype) -> Sameness:
    """What to keep to with these linear layers, one of each shape, and `shape`: query heads, key heads, dim."""
    generator = torch.Generator().manual_seed(0)
    multiple = max(_multiple(layer, generator) for layer in linears)
    return Sameness(multiple, _reach_free(shape, dtype, generator), _siblings(shape, dtype, generator))


def _multiple(layer: Plain, generator: torch.Generator) -> int:
    """The least number for which batches of its multiples give each row the same; the largest tried if none does."""
    x = torch.randn(1040, layer.inputs, generator=generator, dtype=layer.weight.dtype)
    for multiple in MULTIPLES:
        sizes = {multiple * k for k in (*range(1, 17), 20, 24, 32)} | {m - m % multiple for m in (128, 256, 300, 512, 1040)}
        results = [layer(x[:size]) for size in sorted(sizes) if 0 < size <= len(x)]
        if all(torch.equal(result, results[-1][: len(result)]) for result in results):
            return multiple
    return MULTIPLES[-1]


def _drawn(shape: tuple[int, int, int], rows: int, dtype: torch.dtype, generator: torch.Generator) -> list[torch.Tensor]:
    """A query of `rows` rows, and keys and values of 16 blocks."""
    heads, shared, dim = shape
    sizes = (1, shared, heads // shared * rows, dim), (1, shared, 16 * BLOCK, dim), (1, shared, 16 * BLOCK, dim)
    return [torch.randn(size, generator=generator, dtype=dtype) for size in sizes]


def _seen(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, length: int, reach: int) -> tuple[torch.Tensor, ...]:
    """Attention to the first `length` keys, over `reach` of them, and its log-sum-exp."""
    mask = hidden_from(torch.arange(reach) >= length, query.dtype).expand(1, 1, query.shape[2], -1)
    return flash(query, keys[:, :, :reach], values[:, :, :reach], 0.0, False, attn_mask=mask)


def _reach_free(shape: tuple[int, int, int], dtype: torch.dtype, generator: torch.Generator) -> bool:
    """Whether a token's attention is the same whatever the attended length, if that is a multiple of `BLOCK`."""
    drawn = _drawn(shape, 1, dtype, generator)
    longest = drawn[1].shape[2]
    for length in (*range(1, longest, 37), BLOCK, longest):
        found = [_seen(*drawn, length, reach) for reach in range(-(-length // BLOCK) * BLOCK, longest + 1, BLOCK)]
        if not all(torch.equal(a, b) for other in found for a, b in zip(found[0], other, strict=True)):
            return False
    return True


def _siblings(shape: tuple[int, int, int], dtype: torch.dtype, generator: torch.Generator) -> int:
    """The least number for which rows that attend to a stem in its multiples each get the same, beside whatever others.

    0 if none does.
    """
    heads, shared, dim = shape
    stems = [torch.randn(8, shared, 16 * BLOCK, dim, generator=generator, dtype=dtype) for _ in range(2)]
    tails = [torch.randn(64, shared, 8 * BLOCK, dim, generator=generator, dtype=dtype) for _ in range(2)]
    query = torch.randn(64, heads, dim, generator=generator, dtype=dtype)
    for multiple in (1, 2, 4, 8):
        for far, near in ((20, 5), (64, 1), (100, 33), (200, 17), (400, 100)):
            found = []
            for others in ([], [(0, near)] * 7, [(0, 1)] * 2, [(1, 9), (2, 12), (3, 8)], [(k // 8, 150) for k in range(1, 64)]):
                rows = [(far, near, 0), *((300 if slot else far, own, slot) for slot, own in others)]
                held = [Held(stem + own, stem, slot) for stem, own, slot in rows]
                plan = planned(held, [1] * len(held), len(held), Sameness(siblings=multiple), stems[0][None])
                found.append(attend(query[: len(held)], stems, tails, dim**-0.5, plan)[0])
            if not all(torch.equal(found[0], other) for other in found):
                break
        else:
            return multiple
    return 0
