"""A lean forward for decoders of Llama's kind: the same numbers as transformers', in half the operations.

A tiny model's time goes into calling small operations (75 dispatched a layer in transformers, 38 here); a wide model's into its
linear layers, which may be packed for this processor or held as int8. Query, key and value share one matrix here, gate and up
another; the plain model's own weights become views of them. Models of other kinds are run by transformers (`batch`); which
kinds these are is a matter of structure, and every model is held against its plain forward when it is loaded (`engine`).
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch.linalg import vector_norm
from torch.nn.functional import linear, rms_norm, silu

Precision = Literal["int8"] | None
NORMS = {"LlamaRMSNorm", "MistralRMSNorm", "Qwen2RMSNorm", "Qwen3RMSNorm"}


class Plain:
    """A linear layer as torch runs it."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None):
        self.weight, self.bias, self.inputs = weight, bias, weight.shape[1]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return linear(x, self.weight, self.bias)


class Packed(Plain):
    """A linear layer whose weight oneDNN has laid out for this processor: a second copy of it. CPU, float32."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None):
        super().__init__(weight, bias)
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, 16)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._linear_pointwise(x, self.packed, self.bias, "none", [], "")


class Int8(Plain):
    """A linear layer with int8 weights, a scale each output; inputs are rounded to int8 by one scale a call (torch's dynamic
    quantisation), so a row depends on the rows beside it. CPU."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None):
        super().__init__(weight, bias)
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
        layer.weight, layer.bias = torch.nn.Parameter(weight.float()), bias if bias is None else torch.nn.Parameter(bias.float())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheme = torch.ao.quantization.per_channel_dynamic_qconfig
            wrapped = torch.nn.Sequential(layer)
            self.run = torch.ao.quantization.quantize_dynamic(wrapped, {torch.nn.Linear: scheme})[0]

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.run(x)


class Linears:
    """Makes linear layers as they run best here: int8 if asked for, packed if that is faster for `rows` rows, else plain.

    What is faster is tried out, once for each shape, unless the model is `tiny`: packing changes last digits, and a bundled
    model must give the same ones tomorrow. A tiny one is packed for many rows (measured on AMD EPYC, 128 to 288, of the plain
    layer's time: 4 rows 2.0, 16 rows 1.0, 32 rows 0.8, 64 rows 0.6); a lone row pays 0.2 ms a token for it.
    """

    def __init__(self, precision: Precision = None, *, rows: int = 16, tiny: bool = False):
        self.precision, self.rows, self.tiny = precision, rows, tiny
        self.packs: dict[torch.Size, bool] = {}
        """What was found faster for each shape."""

    def __call__(self, weight: torch.Tensor, bias: torch.Tensor | None = None, *, exact: bool = False) -> Plain:
        """A layer with these weights; `exact` ones are never int8."""
        if weight.device.type != "cpu":
            return Plain(weight, bias)
        if self.precision == "int8" and not exact:
            return Int8(weight, bias)
        if weight.dtype != torch.float32 or not torch.backends.mkldnn.is_available():
            return Plain(weight, bias)
        if weight.shape not in self.packs:
            self.packs[weight.shape] = self.rows >= 16 if self.tiny else _faster_packed(weight[:4096], self.rows)
        return (Packed if self.packs[weight.shape] else Plain)(weight, bias)


def _faster_packed(weight: torch.Tensor, rows: int, rounds: int = 9) -> bool:
    """Whether the packed layer takes less of this processor's time than the plain one: less by a tenth, or it is a tie."""
    x, spent = torch.randn(rows, weight.shape[1]), {Plain: [], Packed: []}
    layers = [Plain(weight), Packed(weight)]
    for layer in layers * rounds:
        began = time.thread_time()
        for _ in range(4):
            layer(x)
        spent[type(layer)].append(time.thread_time() - began)
    return min(spent[Packed]) < 0.9 * min(spent[Plain])


class _Layer:
    """The weights of one layer."""

    def __init__(self, layer: Any, make: Linears):
        attention, mlp = layer.self_attn, layer.mlp
        self.dim: int = attention.head_dim
        self.scale: float = attention.scaling
        self.qkv = make(*fused([attention.q_proj, attention.k_proj, attention.v_proj]))
        self.out = make(attention.o_proj.weight, attention.o_proj.bias)
        self.gate_up = make(*fused([mlp.gate_proj, mlp.up_proj]))
        self.down = make(mlp.down_proj.weight, mlp.down_proj.bias)
        self.before, self.after = norm_of(layer.input_layernorm), norm_of(layer.post_attention_layernorm)
        self.query_norm, self.key_norm = (norm_of(getattr(attention, name, None)) for name in ("q_norm", "k_norm"))
        self.queries = attention.q_proj.weight.shape[0] // self.dim
        self.keys = attention.k_proj.weight.shape[0] // self.dim


def fused(layers: Sequence[torch.nn.Linear]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """One weight and one bias for linear layers with the same input, whose own become views of it."""
    weight = torch.cat([layer.weight.data for layer in layers])
    bias = torch.cat([layer.bias.data for layer in layers]) if layers[0].bias is not None else None
    at = 0
    for layer in layers:
        end = at + layer.weight.shape[0]
        layer.weight.data = weight[at:end]
        if bias is not None:
            layer.bias.data = bias[at:end]
        at = end
    return weight, bias


def norm_of(module: Any) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """RMS normalisation with the weights of `module`, in float32 as transformers has it; None without one.

    By the vector's length it takes half the time of torch's own, which is eight operations on the CPU (1 row 4.3 microseconds
    against 8.0, 160 rows 8.2 against 12.2). Raises TypeError for another kind of norm.
    """
    if module is None:
        return None
    if type(module).__name__ not in NORMS:
        raise TypeError(f"{type(module).__name__} is no norm of Llama's kind")
    shape, weight, epsilon = tuple(module.weight.shape), module.weight, module.variance_epsilon
    if weight.dtype == torch.float32 and weight.device.type == "cpu":
        width = shape[-1]
        scale, least = weight.detach() * width**0.5, torch.tensor((width * epsilon) ** 0.5)
        return lambda x: x.div(torch.hypot(vector_norm(x, 2, -1, True), least)).mul_(scale)
    if weight.dtype == torch.float32:
        return lambda x: rms_norm(x, shape, weight, epsilon)
    return lambda x: rms_norm(x.float(), shape, None, epsilon).to(x.dtype) * weight


class LeanDecoder:
    """A decoder's body, token by token laid end to end. Raises AttributeError or TypeError if it is not of Llama's kind."""

    def __init__(self, decoder: Any, make: Linears):
        if not all("silu" in type(layer.mlp.act_fn).__name__.lower() for layer in decoder.layers):
            raise TypeError("its activation is not SiLU")
        self.embed, self.rotary, self.norm = decoder.embed_tokens, decoder.rotary_emb, norm_of(decoder.norm)
        self.layers = [_Layer(layer, make) for layer in decoder.layers]

    @property
    def linears(self) -> list[Plain]:
        """Its linear layers, of the first layer: the others have the same shapes."""
        first = self.layers[0]
        return [first.qkv, first.out, first.gate_up, first.down]

    def __call__(
        self, ids: torch.Tensor, places: torch.Tensor, store: Callable[..., None], attend: Callable[..., torch.Tensor]
    ) -> torch.Tensor:
        """Hidden states (tokens, hidden) of `ids` at `places`, both (tokens,).

        `store(layer, keys, values)` keeps them, and `attend(layer, query, scale)` attends to all that is kept.
        """
        x = self.embed(ids)
        cos, sin = (part[0][:, None] for part in self.rotary(x[None], places[None]))  # (tokens, 1, dim)
        half = sin.shape[-1] // 2
        sin = torch.cat([-sin[..., :half], sin[..., half:]], -1)
        for at, layer in enumerate(self.layers):
            mixed = layer.qkv(layer.before(x)).view(len(x), -1, layer.dim)
            turned, values = mixed[:, : layer.queries + layer.keys], mixed[:, layer.queries + layer.keys :]
            if layer.query_norm is not None:
                query, keys = layer.query_norm(turned[:, : layer.queries]), layer.key_norm(turned[:, layer.queries :])
                turned = torch.cat([query, keys], 1)
            turned = torch.addcmul(turned * cos, turned.roll(half, -1), sin)
            store(at, turned[:, layer.queries :], values)
            x = x + layer.out(attend(at, turned[:, : layer.queries], layer.scale).reshape(len(x), -1))
            gate, up = layer.gate_up(layer.after(x)).chunk(2, -1)
            x = x + layer.down(silu(gate) * up)
        return self.norm(x)
