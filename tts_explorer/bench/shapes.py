"""Models of known shapes with random weights, so that a bench needs no files: their text means nothing, their cost is real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from tokenizers import Tokenizer, decoders
from tokenizers.models import WordLevel
from transformers import (
    AutoModelForCausalLM,
    AutoModelForTokenClassification,
    LlamaConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

from tts_explorer.errors import UnknownName
from tts_explorer.models.checkpoint import Checkpoint
from tts_explorer.models.decoder import Precision

SHORTEST = 512
"""Tokens of context at least."""


def bundled(**options: Any) -> PreTrainedConfig:
    """`bundled:small`: 1.2M parameters."""
    heads = {"num_hidden_layers": 6, "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 32}
    return LlamaConfig(
        vocab_size=960, hidden_size=128, intermediate_size=288, rms_norm_eps=1e-6, tie_word_embeddings=True, **heads, **options
    )


def qwen(layers: int, vocabulary: int) -> Callable[..., PreTrainedConfig]:
    """Qwen2.5-0.5B as published (https://huggingface.co/Qwen/Qwen2.5-0.5B), with this many layers and tokens."""

    def config(**options: Any) -> PreTrainedConfig:
        heads = {"num_hidden_layers": layers, "num_attention_heads": 14, "num_key_value_heads": 2}
        widths = {"vocab_size": vocabulary, "hidden_size": 896, "intermediate_size": 4864}
        return Qwen2Config(rms_norm_eps=1e-6, rope_theta=1e6, tie_word_embeddings=True, **heads, **widths, **options)

    return config


SHAPES: dict[str, Callable[..., PreTrainedConfig]] = {
    "bundled": bundled,
    "slice": qwen(6, 16384),
    "0.5b": qwen(24, 151936),
}


def random_policy(shape: str, *, context: int, threads: int, precision: Precision = None) -> Checkpoint:
    """A causal model of `shape` that never ends a step of its own accord. Raises UnknownName."""
    return _made(shape, AutoModelForCausalLM, 0, context, threads=threads, precision=precision)


def random_verifier(shape: str, *, context: int, threads: int, precision: Precision = None) -> Checkpoint:
    """A token classifier with two labels, of the same shape and vocabulary as the policy. Raises UnknownName."""
    return _made(shape, AutoModelForTokenClassification, 1, context, threads=threads, precision=precision)


def require_shape(shape: str) -> None:
    """Raise UnknownName for a shape that is not in `SHAPES`."""
    if shape not in SHAPES:
        raise UnknownName(f"no shape {shape!r}: choose one of {', '.join(SHAPES)}")


def _made(shape: str, kind: Any, seed: int, context: int, **options: Any) -> Checkpoint:
    require_shape(shape)
    nothing = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    config = SHAPES[shape](max_position_embeddings=max(SHORTEST, context), num_labels=2, **nothing)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = kind.from_config(config, dtype=torch.float32)
    return Checkpoint(f"random:{shape}", model, words(config.vocab_size), **options)


def words(count: int) -> PreTrainedTokenizerFast:
    """A tokenizer of `count` words, none of which is a delimiter or the end.

    >>> words(12).decode([3, 11])
    'w3w11'
    """
    core = Tokenizer(WordLevel({f"w{i}": i for i in range(count)}, unk_token="w0"))
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core)
