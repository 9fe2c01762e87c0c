"""The lean decoder against the model's own forward, its linear layers held in each way, and the model afterwards."""

from __future__ import annotations

import pytest
import torch
import transformers
from torch.nn.functional import scaled_dot_product_attention
from transformers import AutoModelForCausalLM

from tts_explorer.models import decoder
from tts_explorer.models.decoder import Int8, LeanDecoder, Linears, Packed, Plain

SHAPE = {"vocab_size": 300, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4}
OPTIONS = {**SHAPE, "num_key_value_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.3}
FAMILIES = {
    "llama": ("Llama", {}),
    "llama, untied and biased": ("Llama", {"attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen3": ("Qwen3", {"head_dim": 24}),
    "mistral": ("Mistral", {"head_dim": 8}),
}
OTHERS = {
    "gemma2": ("Gemma2", {"head_dim": 16}, TypeError),
    "phi3": ("Phi3", {"pad_token_id": 0}, AttributeError),
    "llama with gelu": ("Llama", {"hidden_act": "gelu"}, TypeError),
    "olmo2": ("Olmo2", {"pad_token_id": 0}, (TypeError, AttributeError)),
}
packs = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN here")


def made(name, options, dtype=torch.float32):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(getattr(transformers, f"{name}Config")(**{**OPTIONS, **options}))
    for parameter in model.parameters():  # biases and norms that matter
        if parameter.ndim == 1:
            parameter.data += 0.3 * torch.randn(parameter.shape)
    return model.to(dtype).eval()


def ids_of(count=40):
    return torch.randint(1, 300, (count,), generator=torch.Generator().manual_seed(1))


def lean_of(model, kind=Plain):
    """With every linear layer of this kind."""
    return LeanDecoder(model.base_model, lambda weight, bias=None, **exact: kind(weight, bias))


def lean_out(lean, ids):
    """Hidden states of one text, read whole with plain causal attention."""
    kept = {}

    def attend(layer, query, scale):
        keys, values = kept[layer]
        seen = (part.transpose(0, 1) for part in (query, keys, values))
        return scaled_dot_product_attention(*seen, is_causal=True, scale=scale, enable_gqa=True).transpose(0, 1)

    with torch.inference_mode():
        return lean(ids, torch.arange(len(ids)), lambda layer, keys, values: kept.update({layer: (keys, values)}), attend)


def plain_out(model, ids):
    with torch.inference_mode():
        return model.base_model(ids[None], use_cache=False).last_hidden_state[0]


def far(got, expected):
    """The largest difference, against the largest number there is."""
    return ((got - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize(("name", "options"), FAMILIES.values(), ids=FAMILIES)
def test_it_gives_what_the_model_gives(name, options):
    """To rounding in double precision, which norms leave for single; their own rounding differs by as much."""
    model, ids = made(name, options, torch.float64), ids_of()
    expected = plain_out(model, ids)
    assert far(lean_out(lean_of(model), ids), expected) < 1e-6
    single = made(name, options)
    assert far(lean_out(lean_of(single), ids), plain_out(single, ids)) < 1e-5


@packs
@pytest.mark.parametrize(("name", "options"), FAMILIES.values(), ids=FAMILIES)
def test_packed_layers_give_the_same_but_for_rounding(name, options):
    model, ids = made(name, options), ids_of()
    plain, packed = (lean_out(lean_of(model, kind), ids) for kind in (Plain, Packed))
    assert far(packed, plain) < 1e-4


@pytest.mark.parametrize(("name", "options"), FAMILIES.values(), ids=FAMILIES)
def test_int8_layers_give_nearly_the_same(name, options):
    model, ids = made(name, {**options, "initializer_range": 0.05}), ids_of()
    plain, int8 = (lean_out(lean_of(model, kind), ids) for kind in (Plain, Int8))
    assert 0 < (int8 - plain).norm() / plain.norm() < 0.08


@pytest.mark.parametrize("kind", [Plain, pytest.param(Packed, marks=packs), Int8])
@pytest.mark.parametrize("bias", [False, True])
def test_a_layer_multiplies_and_adds(kind, bias):
    generator = torch.Generator().manual_seed(0)
    weight, x = torch.randn(24, 40, generator=generator), torch.randn(5, 40, generator=generator)
    shift = torch.randn(24, generator=generator) if bias else None
    layer = kind(weight, shift)
    expected = x @ weight.T + (shift if bias else 0)
    assert layer.inputs == 40 and far(layer(x), expected) < (0.02 if kind is Int8 else 1e-5)


@pytest.mark.parametrize("kind", [Plain, pytest.param(Packed, marks=packs), Int8])
@pytest.mark.parametrize(("name", "options"), FAMILIES.values(), ids=FAMILIES)
def test_the_model_gives_and_saves_the_same_afterwards(kind, name, options, tmp_path):
    model, ids = made(name, options), ids_of()
    with torch.inference_mode():
        before, weights = model(ids[None]).logits, {key: part.clone() for key, part in model.state_dict().items()}
        lean = lean_of(model, kind)
        lean_out(lean, ids)
        assert torch.equal(model(ids[None]).logits, before)
        after = model.state_dict()
        assert after.keys() == weights.keys() and all(torch.equal(after[key], part) for key, part in weights.items())
        model.save_pretrained(tmp_path)
        loaded = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
        assert torch.equal(loaded(ids[None]).logits, before)


def test_plain_layers_take_no_memory_of_their_own():
    """The model's own weights become views of the joined ones."""
    model = made("Llama", {})
    lean = lean_of(model)
    held = {part.untyped_storage().data_ptr() for part in model.parameters()}
    assert {part.weight.untyped_storage().data_ptr() for part in lean.linears} <= held
    layer = model.base_model.layers[0]
    joined = lean.linears[0].weight.untyped_storage().data_ptr()
    assert {getattr(layer.self_attn, f"{name}_proj").weight.untyped_storage().data_ptr() for name in "qkv"} == {joined}


@pytest.mark.parametrize(("name", "options", "error"), OTHERS.values(), ids=OTHERS)
def test_a_decoder_of_another_kind_is_left_as_it_was(name, options, error):
    model, ids = made(name, options), ids_of()
    before = plain_out(model, ids)
    storages = [part.untyped_storage().data_ptr() for part in model.parameters()]
    with pytest.raises(error):
        lean_of(model)
    assert torch.equal(plain_out(model, ids), before)
    assert [part.untyped_storage().data_ptr() for part in model.parameters()] == storages


@packs
def test_layers_are_packed_where_a_trial_of_their_shape_says_so_and_never_in_another_precision(monkeypatch):
    asked = []
    monkeypatch.setattr(decoder, "_faster_packed", lambda weight, rows: asked.append((tuple(weight.shape), rows)) or rows > 7)
    wide, narrow = torch.randn(48, 16), torch.randn(16, 16)
    for rows, kind in ((7, Plain), (8, Packed)):
        make = Linears(rows=rows)
        assert [type(make(weight)) for weight in (wide, narrow, wide)] == [kind] * 3
        assert type(make(wide.double())) is Plain
    assert asked == [((48, 16), 7), ((16, 16), 7), ((48, 16), 8), ((16, 16), 8)]
    quantised = Linears("int8")
    assert (type(quantised(wide)), type(quantised(wide, exact=True)) is Int8, len(asked)) == (Int8, False, 5)


@packs
def test_a_trial_takes_what_is_faster_by_a_tenth(monkeypatch):
    """Clocks that say so, one look before and one after each try, of each kind by turns."""
    for packed, expected in ((0.85, True), (0.95, False), (1.5, False)):
        ticks = iter([t for i in range(100) for t in (10 * i, 10 * i + (packed if i % 2 else 1.0))])
        monkeypatch.setattr(decoder.time, "thread_time", lambda ticks=ticks: next(ticks))
        assert decoder._faster_packed(torch.randn(8, 8), rows=2) is expected
