"""Growing: the same function from more weights, and copies that can come apart."""

from __future__ import annotations

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tts_explorer.errors import BadSetting
from tts_explorer.train.grow import grown


def shape(hidden: int, heads: int, inner: int, layers: int, **more) -> LlamaConfig:
    options = {"hidden_size": hidden, "num_attention_heads": heads, "num_key_value_heads": heads, "intermediate_size": inner}
    return LlamaConfig(**{"vocab_size": 96, "num_hidden_layers": layers, **options, **more})


SMALL = shape(32, 2, 48, 2, tie_word_embeddings=True)
IDS = torch.arange(40).reshape(2, 20)


def model(config: LlamaConfig) -> LlamaForCausalLM:
    torch.manual_seed(0)
    made = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


@pytest.mark.parametrize(
    "config",
    [
        shape(64, 4, 96, 2, tie_word_embeddings=True),
        shape(128, 8, 192, 2, tie_word_embeddings=True),
        shape(64, 4, 96, 5, tie_word_embeddings=True),
        shape(32, 2, 48, 4, tie_word_embeddings=True),
    ],
    ids=["wider", "four times as wide", "wider and deeper", "deeper"],
)
def test_a_grown_model_has_the_same_logits(config: LlamaConfig) -> None:
    small = model(SMALL)
    with torch.no_grad():
        before, after = small(IDS).logits, grown(small, config).eval()(IDS).logits
    assert torch.allclose(before, after, atol=1e-4) and before.std() > 0.1


def test_an_untied_head_grows_too() -> None:
    small = model(shape(32, 2, 48, 2, tie_word_embeddings=False))
    with torch.no_grad():
        before, after = small(IDS).logits, grown(small, shape(64, 4, 96, 3, tie_word_embeddings=False)).eval()(IDS).logits
    assert torch.allclose(before, after, atol=1e-4)


def test_copies_come_apart_when_they_are_trained() -> None:
    wide = grown(model(SMALL), shape(64, 4, 96, 2, tie_word_embeddings=True)).train()
    optimizer = torch.optim.SGD(wide.parameters(), 0.1)
    for _ in range(2):
        wide(IDS, labels=IDS).loss.backward()
        optimizer.step()
    up = wide.model.layers[0].mlp.gate_proj.weight
    width = wide.get_input_embeddings().weight
    assert (up[:48] - up[48:]).abs().max() > 1e-3 and (width[:, :32] - width[:, 32:]).abs().max() > 1e-5


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (shape(48, 3, 72, 2), "one whole factor"),
        (shape(64, 4, 144, 2), "one whole factor"),
        (shape(64, 4, 96, 1), "must not be fewer"),
        (shape(64, 4, 96, 2, vocab_size=100), "tokenizer"),
    ],
)
def test_what_can_not_be_grown_to_is_said(config: LlamaConfig, said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        grown(model(SMALL), config)
