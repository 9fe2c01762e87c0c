"""What makes a row's numbers independent, bit for bit, of the rows beside it: found out on this machine, for this model.

Matrix libraries choose a kernel by a matrix's shape, and kernels round in different orders. So one row of a batch of three
may differ in its last bit from the same row in a batch of four. Which shapes agree depends on processor and library; it is
tried out when a model is loaded (some 20 ms for a bundled one). What is tried: every shape of linear layer in the model, with
numbers drawn from a normal distribution. It is evidence, not proof; the tests compare whole searches.

Measured (AMD EPYC, AVX-512, torch 2.13 with MKL): linear layers agree from 4 rows on, attention of single tokens agrees for
all lengths that are multiples of 16. Then sameness costs at most three rows of filling.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.nn.functional import scaled_dot_product_attention

from tts_explorer.models.batch import BLOCK, WorkingBatch, hidden_from
from tts_explorer.models.decoder import Plain

MULTIPLES = (1, 2, 4, 8, 16, 32, 64)


def make_same(batch: WorkingBatch, heads: int, linears: Iterable[Plain]) -> None:
    """Tell the batch what it must keep to: `heads` query heads a layer, and one linear layer of each shape."""
    generator = torch.Generator().manual_seed(0)
    batch.multiple = max(_multiple(layer, generator) for layer in linears)
    batch.reach_free = _reach_free(batch, heads, generator)


def _multiple(layer: Plain, generator: torch.Generator) -> int:
    """The least number for which batches of its multiples give each row the same; the largest tried if none does."""
    x = torch.randn(1040, layer.inputs, generator=generator, dtype=layer.weight.dtype)
    for multiple in MULTIPLES:
        sizes = {multiple * k for k in (*range(1, 17), 20, 24, 32)} | {m - m % multiple for m in (128, 256, 300, 512, 1040)}
        results = [layer(x[:size]) for size in sorted(sizes) if 0 < size <= len(x)]
        if all(torch.equal(result, results[-1][: len(result)]) for result in results):
            return multiple
    return MULTIPLES[-1]


def _reach_free(batch: WorkingBatch, heads: int, generator: torch.Generator) -> bool:
    """Whether a token's attention is the same whatever the attended length, if that is a multiple of `BLOCK`."""
    _, shared, dim = batch.shape
    longest = min(batch.context, 16 * BLOCK)
    draw = {"generator": generator, "dtype": batch.state.dtype}
    keys, values = (torch.randn(1, shared, longest, dim, **draw) for _ in range(2))
    query = torch.randn(1, shared, heads // shared, dim, **draw)
    for length in (*range(1, longest, 37), BLOCK, longest):
        found = []
        for reach in range(-(-length // BLOCK) * BLOCK, longest + 1, BLOCK):
            mask = hidden_from(torch.arange(reach) >= length, batch.state.dtype)[None, None, None]
            found.append(scaled_dot_product_attention(query, keys[:, :, :reach], values[:, :, :reach], attn_mask=mask))
        if not all(torch.equal(found[0], other) for other in found):
            return False
    return True
