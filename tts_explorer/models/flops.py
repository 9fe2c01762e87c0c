"""FLOPs of a decoder, multiply and add counted apart: exact for dense linears and causal attention, whatever the batch.

2 · linear parameters a token, the head where logits are taken, and 4 · layers · heads · dim · (p + 1) for the token at
position p. Norms, rotary embeddings, softmax and sampling are left out (well under 1%).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Flops:
    """What one token costs."""

    linear: int
    """Parameters of the linear layers in the decoder's body."""
    head: int
    """Parameters of the output head."""
    attention: int
    """4 · layers · heads · dim: FLOPs for each position attended to."""

    @classmethod
    def of(cls, model: Any) -> Flops:
        """Read them off a transformers decoder."""
        config = model.config
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        tables = {id(table.weight) for table in model.base_model.modules() if hasattr(table, "num_embeddings")}
        body = sum(p.numel() for p in model.base_model.parameters() if p.ndim == 2 and id(p) not in tables)
        out = model.get_output_embeddings()
        head = out.weight.numel() if out is not None else 0
        return cls(body, head, 4 * config.num_hidden_layers * config.num_attention_heads * dim)

    @classmethod
    def of_config(cls, config: Mapping[str, Any]) -> Flops | None:
        """Read them off a Llama-like `config.json`, without its weights; None where it says too little.

        >>> sizes = {"hidden_size": 4, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 10}
        >>> Flops.of_config(sizes), Flops.of_config({})
        (Flops(linear=160, head=40, attention=16), None)
        """
        names = ("hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size", "vocab_size")
        if not all(isinstance(config.get(name), int) and config[name] > 0 for name in names):
            return None
        width, heads, layers, inner, words = (config[name] for name in names)
        dim = config.get("head_dim") or width // heads
        pairs = config.get("num_key_value_heads") or heads
        layer = 2 * width * heads * dim + 2 * width * pairs * dim + 3 * width * inner
        return cls(layers * layer, words * width, 4 * layers * heads * dim)

    def of_span(self, begin: int, end: int, *, heads: int) -> float:
        """FLOPs of the tokens at positions begin … end−1, with logits taken at `heads` of them.

        >>> Flops(10, 5, 4).of_span(0, 2, heads=1)
        62.0
        """
        count = max(0, end - begin)
        attended = (begin + 1 + end) * count / 2
        return 2.0 * self.linear * count + 2.0 * self.head * heads + self.attention * attended
