"""A tiny policy that writes steps of a few letters and seldom ends, and a verifier to go with it."""

from __future__ import annotations

from pathlib import Path

import torch
from models.conftest import byte_tokenizer, tiny_config
from transformers import LlamaForCausalLM, LlamaForTokenClassification

LETTERS = "abcdefghijklmnopqrstuvwxyz ,+="
STEP, END = 0.18, 0.012
"""Chances of the delimiter and of the end at each token, about."""


def writer_in(folder: Path, *, context: int = 512, step: float = STEP, end: float = END) -> Path:
    """Save a causal model that writes letters, the delimiter and the end, and nothing else; returns `folder`."""
    torch.manual_seed(3)
    tokenizer = byte_tokenizer()
    ids = {letter: tokenizer.encode(letter)[0] for letter in LETTERS}
    chances = torch.zeros(len(tokenizer))
    chances[list(ids.values())] = (1 - step - end) / len(ids)
    chances[tokenizer.encode("\n\n")[0]], chances[tokenizer.eos_token_id] = step, end
    options = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "initializer_range": 0.15}
    model = LlamaForCausalLM(tiny_config(vocab_size=len(tokenizer), max_position_embeddings=context, **options))
    with torch.no_grad():  # no bias in Llama's head: the first feature is about the same for every token, and serves as one
        model.model.embed_tokens.weight.normal_()
        model.model.embed_tokens.weight[:, 0] = 12.0
        model.lm_head.weight.normal_(std=0.3)
        constant = model.model(torch.arange(3, 90)[None]).last_hidden_state[..., 0].mean()
        model.lm_head.weight[:, 0] = chances.log().clamp_min(-40.0) / constant
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def reader_in(folder: Path, *, context: int = 512) -> Path:
    """Save a token classifier of two labels with the same tokenizer; returns `folder`."""
    torch.manual_seed(4)
    tokenizer = byte_tokenizer()
    options = {"num_labels": 2, "initializer_range": 0.3, "max_position_embeddings": context}
    LlamaForTokenClassification(tiny_config(vocab_size=len(tokenizer), **options)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
