"""Train a policy of the ladder: a Llama-style decoder on right solutions, next-token loss.

`train_policy("small", work)` is resumable: it writes a checkpoint every pool (about 75 steps) to `work`, and a second call goes
on from there. It begins from nothing, or from a model as wide, or from a narrower one that it grows. CPU or CUDA. It knows
nothing of search; what was tried and measured stands in LOG.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tts_explorer.train.data import TASKS, Batch, Example, batches, mixed
from tts_explorer.train.fit import Course, fit, keep_record
from tts_explorer.train.grow import grown
from tts_explorer.train.skills import attempts_in, skill_texts
from tts_explorer.train.tokenizer import train_tokenizer


@dataclass(frozen=True, slots=True)
class Recipe:
    """One rung of the ladder. Lengths in tokens; `steps` are optimiser steps of about `batch` tokens each."""

    hidden: int
    layers: int
    heads: int
    inner: int
    steps: int
    batch: int = 8192
    lr: float = 1e-2
    warmup: int = 100
    decay: float = 0.4
    """The last part of the steps, in which the rate falls linearly to zero."""


RECIPES = {
    "smoke": Recipe(hidden=32, layers=2, heads=2, inner=64, steps=60, batch=2048, warmup=5),
    "nano": Recipe(hidden=64, layers=4, heads=2, inner=144, steps=9000),
    "small": Recipe(hidden=128, layers=6, heads=4, inner=288, steps=6000),
    "medium": Recipe(hidden=256, layers=6, heads=8, inner=576, steps=6000, lr=6e-3),
    "large": Recipe(hidden=512, layers=6, heads=16, inner=1152, steps=8000, lr=4e-3, batch=16384),
}
"""Each twice as wide as the one before it: about four times as large."""


SHARD = "15MB"
"""Of weights in one file, at most: there are places that take no larger ones."""


def shape_of(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """Llama's, with embeddings and head tied."""
    return LlamaConfig(
        vocab_size=(len(tokenizer) + 15) // 16 * 16,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def begun(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, start: Path | None) -> LlamaForCausalLM:
    """The model in `start`, grown to the recipe's shape if it is smaller; without one, random weights."""
    shape = shape_of(recipe, tokenizer)
    if start is None:
        return LlamaForCausalLM(shape)
    model = LlamaForCausalLM.from_pretrained(start)
    sizes = ("hidden_size", "num_hidden_layers")
    return model if all(getattr(model.config, size) == getattr(shape, size) for size in sizes) else grown(model, shape)


def in_halves(device: str, recipe: Recipe) -> bool:
    """Whether matrices are multiplied in bfloat16 (weights stay 32-bit): on a GPU, and on a CPU with such units if they are wide.

    Measured on one EPYC core: 256 wide 1.57 times as fast, 128 wide 1.2 times, 64 wide the same.
    """
    if device != "cpu":
        return True
    return recipe.hidden >= 256 and getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()


def loss_of(model: LlamaForCausalLM, batch: Batch, run: Callable[..., Any] | None = None) -> torch.Tensor:
    """Mean next-token loss in nats over the positions with a target; the head runs on those alone."""
    inputs, targets = (t.to(model.device) for t in batch)
    hidden = (model.model if run is None else run)(input_ids=inputs, use_cache=False).last_hidden_state  # (rows, length, hidden)
    wanted = targets != -100
    return cross_entropy(model.lm_head(hidden[wanted]), targets[wanted])


def teacher(model: LlamaForCausalLM, recipe: Recipe, device: str, compiled: bool) -> Callable[[Batch], torch.Tensor]:
    """`loss_of` the model, compiled and in bfloat16 where that is wanted."""
    run = torch.compile(model.model, dynamic=True) if compiled else model.model
    half = in_halves(device, recipe)

    def loss(batch: Batch) -> torch.Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=half):
            return loss_of(model, batch, run)

    return loss


def train_policy(
    name: str,
    work: Path,
    *,
    recipe: Recipe | None = None,
    seed: int = 0,
    device: str = "cpu",
    steps: int | None = None,
    lr: float | None = None,
    start: Path | None = None,
    attempts: Path | None = None,
    share: float = 0.5,
    tasks: Sequence[str] = (),
    compiled: bool = True,
    after_pool: Callable[[int], None] = lambda pool: None,
) -> Path:
    """Train by `recipe`, else `RECIPES[name]`, and return the folder with the finished checkpoint, `work/NAME`.

    `steps` and `lr` are the recipe's unless given. With `start` the weights are those in that folder instead of random ones,
    grown if they are of a narrower model. `tasks` are the families that it learns, all of them unless given.
    With `attempts`, a folder of rollouts, `share` of the texts teach to verify and to revise them (`skills`). `after_pool`
    hears of each pool.
    """
    recipe = recipe or RECIPES[name]
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(work / name)
    model = begun(recipe, tokenizer, start).to(device)
    loss = teacher(model, recipe, device, compiled)
    course = Course(steps or recipe.steps, lr or recipe.lr, recipe.warmup, recipe.decay)
    texts = partial(batches, tokenizer, tokens=recipe.batch, seed=seed, mix=mixed(tasks))
    pools = partial(texts, others=skills(tokenizer, attempts), share=share)
    found = fit(model, work / f"{name}.pt", course, lambda pool: pools(pool=pool), loss, part="pool", after=after_pool)
    model.save_pretrained(work / name, max_shard_size=SHARD)
    more = {"tasks": sorted(tasks or TASKS), "skills": bool(attempts), **found}
    return keep_record(work / name, course.steps, course.steps * recipe.batch, start, **more)


def skills(tokenizer: PreTrainedTokenizerFast, attempts: Path | None) -> Callable[[Random], Iterator[Example]] | None:
    """Where the texts of both skills come from, if rollouts are given."""
    if attempts is None:
        return None
    return partial(skill_texts, tokenizer, attempts_in(sorted(attempts.glob("train-*"))))


def validation_loss(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, count: int = 8) -> float:
    """Mean loss in nats over the first `count` batches of the validation split."""
    _, held = next(batches(tokenizer, tokens=8192, seed=0, split="validation"))
    with torch.inference_mode():
        losses = [loss_of(model, batch).item() for batch in held[:count]]
    return sum(losses) / len(losses)
