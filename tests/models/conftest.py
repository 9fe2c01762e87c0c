"""Tiny checkpoints with random weights, made once a session."""

import json
import random
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny matrices are faster on one thread, and the same everywhere."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def tiny_config(**options):
    from transformers import LlamaConfig

    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaConfig(**{"vocab_size": 320, "num_key_value_heads": 2, "max_position_embeddings": 128, **shape, **options})


def byte_tokenizer():
    """Byte-level, a token a byte, the delimiter a token of its own, and three specials."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<|pad|>", "<|eos|>", "<|solve|>", *alphabet, "ĊĊ"])}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[("Ċ", "Ċ")]))
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\n\n|."), behavior="isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    core.decoder = decoders.ByteLevel()
    specials = {"pad_token": "<|pad|>", "eos_token": "<|eos|>", "additional_special_tokens": ["<|solve|>"]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, **specials)
    tokenizer.chat_template = "{{ messages[-1]['content'] }}<|solve|>"
    return tokenizer


@pytest.fixture(scope="session")
def policy_folder(tmp_path_factory) -> Path:
    """A causal model whose eos and delimiter come up now and then."""
    import torch
    from transformers import LlamaForCausalLM

    torch.manual_seed(0)
    tokenizer = byte_tokenizer()
    options = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    model = LlamaForCausalLM(tiny_config(vocab_size=len(tokenizer), initializer_range=0.5, **options))
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def prm_folder(tmp_path_factory) -> Path:
    """A token classifier with two labels."""
    import torch
    from transformers import LlamaForTokenClassification

    torch.manual_seed(1)
    tokenizer = byte_tokenizer()
    model = LlamaForTokenClassification(tiny_config(vocab_size=len(tokenizer), num_labels=2, initializer_range=0.3))
    folder = tmp_path_factory.mktemp("models") / "tiny-prm"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def damaged(policy_folder, tmp_path):
    """A function that copies the checkpoint, changes its config by the keywords, and returns the copy."""

    def copy(**config) -> Path:
        folder = tmp_path / "damaged"
        shutil.copytree(policy_folder, folder)
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | config))
        return folder

    return copy


@pytest.fixture
def prompts() -> list[list[int]]:
    """Ragged token ids."""
    rng = random.Random(0)
    return [[rng.randrange(3, 250) for _ in range(length)] for length in (5, 1, 17, 9, 30)]
