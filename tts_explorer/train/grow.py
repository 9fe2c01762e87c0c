"""Grow a policy: the same function from more weights, so that a large model begins where a small one ended.

Width is multiplied as in Net2Net (Chen, Goodfellow and Shlens 2016, arXiv:1511.05641, §2.2): every unit is copied, and what
reads the copies shares their weight out among them, unevenly, so that copies soon differ. New layers begin by adding nothing.
It knows Llama's shapes alone, and whether growing beats starting from nothing is not measured yet.
"""

from __future__ import annotations

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tts_explorer.errors import BadSetting

READ_AND_WRITTEN = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADDS = ("o_proj", "down_proj")
"""Matrices whose output is added to the residual stream."""
UNEVEN = 0.5
"""Standard deviation of what the copies' weights differ by, in that of the weights."""


def grown(model: LlamaForCausalLM, config: LlamaConfig, seed: int = 0) -> LlamaForCausalLM:
    """A model of the shape `config` with the logits of `model`, but for rounding.

    Raises BadSetting unless width, heads and MLP are the same whole multiple, heads are as wide, and layers no fewer.
    """
    times = require_multiple(model.config, config)
    generator = torch.Generator().manual_seed(seed)
    old, new = model.state_dict(), LlamaForCausalLM(config)
    layers = model.config.num_hidden_layers
    weights = {}
    for name, empty in new.state_dict().items():
        source, added = name, False
        if name.startswith("model.layers."):
            place = int(name.split(".")[2])
            added = place >= layers
            source = name.replace(f".{place}.", f".{min(place, layers - 1)}.", 1)
        weights[name] = widened(source, old[source], times, generator)
        if added and any(part in name for part in ADDS):
            weights[name] = torch.zeros_like(empty)
    weights["model.norm.weight"] = weights["model.norm.weight"] / times
    new.load_state_dict(weights)
    return new


def require_multiple(old: LlamaConfig, new: LlamaConfig) -> int:
    """How many times as wide `new` is. Raises BadSetting if it can't be grown to."""
    names = ("hidden_size", "num_attention_heads", "num_key_value_heads", "intermediate_size")
    times = {getattr(new, name) / getattr(old, name) for name in names}
    if len(times) != 1 or not (factor := times.pop()).is_integer() or new.num_hidden_layers < old.num_hidden_layers:
        shapes = " to ".join(
            f"{c.hidden_size} wide, {c.num_attention_heads} heads, MLP {c.intermediate_size}, {c.num_hidden_layers} layers"
            for c in (old, new)
        )
        raise BadSetting(f"can't grow from {shapes}: all widths must grow by one whole factor, and layers must not be fewer")
    if old.vocab_size != new.vocab_size:
        raise BadSetting(f"can't grow from {old.vocab_size} tokens to {new.vocab_size}: the tokenizer must be the same")
    return int(factor)


def widened(name: str, weight: torch.Tensor, times: int, generator: torch.Generator) -> torch.Tensor:
    """One tensor, `times` as wide. A matrix of a layer reads `times` copies and writes `times` copies."""
    if weight.ndim == 1:
        return weight.repeat(times)
    if not any(part in name for part in READ_AND_WRITTEN):
        return weight.repeat(1, times)
    rows, columns = weight.shape
    noise = torch.randn(rows * times, times, columns, generator=generator) * (UNEVEN * weight.std() / times)
    noise -= noise.mean(1, keepdim=True)
    shared = weight.repeat(times, 1)[:, None, :] / times
    return (shared + noise).reshape(rows * times, columns * times)
