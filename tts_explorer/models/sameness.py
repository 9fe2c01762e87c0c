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

from tts_explorer.models.attention import BLOCK, Sameness, flash, hidden_from
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
    """The least number for which rows that attend together, in its multiples, each get the same; 0 if none does."""
    query, keys, values = _drawn(shape, 64, dtype, generator)
    each = query.shape[2] // 64
    for multiple in (1, 2, 4, 8):
        for length in (20, 64, 100, 200, 400):
            reach = -(-length // BLOCK) * BLOCK
            counts = [each * multiple * k for k in (1, 2, 3, 4, 5, 8)]
            found = [_seen(query[:, :, :count], keys, values, length, reach) for count in counts]
            if not all(torch.equal(a, b[:, :, : a.shape[2]]) for f in found[:-1] for a, b in zip(f, found[-1], strict=True)):
                break
        else:
            return multiple
    return 0
