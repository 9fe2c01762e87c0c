"""Train a policy of the ladder from nothing: a Llama-style decoder on right solutions, next-token loss.

`train_policy("small", work)` is resumable: it writes a checkpoint every pool (about 55 steps) to `work`, and a second call goes
on from there. CPU or CUDA. It knows nothing of search; what was tried and measured stands in LOG.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tts_explorer.train.data import Batch, Example, batches
from tts_explorer.train.fit import LossBar, keep_record, optimizers, rate_at, restore, save, update
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
    "small": Recipe(hidden=128, layers=6, heads=4, inner=288, steps=3800),
}


def new_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A model with random weights; embeddings and head are tied."""
    config = LlamaConfig(
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
    return LlamaForCausalLM(config)


def loss_of(model: LlamaForCausalLM, batch: Batch, run: Callable[..., Any] | None = None) -> torch.Tensor:
    """Mean next-token loss in nats over the positions with a target; the head runs on those alone."""
    inputs, targets = (t.to(model.device) for t in batch)
    hidden = (model.model if run is None else run)(input_ids=inputs, use_cache=False).last_hidden_state  # (rows, length, hidden)
    wanted = targets != -100
    return cross_entropy(model.lm_head(hidden[wanted]), targets[wanted])


def train_policy(
    name: str,
    work: Path,
    *,
    seed: int = 0,
    device: str = "cpu",
    steps: int | None = None,
    lr: float | None = None,
    start: Path | None = None,
    attempts: Path | None = None,
    share: float = 0.5,
    compiled: bool = True,
    after_pool: Callable[[int], None] = lambda pool: None,
) -> Path:
    """Train `RECIPES[name]` and return the folder with the finished checkpoint, `work/NAME`; `after_pool` hears of each pool.

    `steps` and `lr` are the recipe's unless given. With `start` the weights are those in that folder instead of random ones.
    With `attempts`, a folder of rollouts, `share` of the texts teach to verify and to revise them (`skills`).
    """
    recipe, state = RECIPES[name], work / f"{name}.pt"
    steps, lr = steps or recipe.steps, lr or recipe.lr
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(work / name)
    model = (LlamaForCausalLM.from_pretrained(start) if start else new_model(recipe, tokenizer)).to(device)
    opts = optimizers(model, lr)
    step, first = restore(model, opts, state, "step", "pool")
    run = torch.compile(model.model, dynamic=True) if compiled else model.model
    pools = batches(tokenizer, tokens=recipe.batch, seed=seed, pool=first, others=skills(tokenizer, attempts), share=share)
    with LossBar(total=steps, initial=step, desc=name, unit="step", mininterval=5) as bar:
        for pool, pooled in pools:
            for batch in pooled[: steps - step]:
                rate = lr * rate_at(step, steps=steps, warmup=recipe.warmup, decay=recipe.decay)
                bar.took(update(opts, rate, loss_of(model, batch, run)))
                step += 1
            save(model, opts, state, step=step, pool=pool + 1)
            after_pool(pool)
            if step == steps:
                break
    model.save_pretrained(work / name)
    return keep_record(work / name, step, step * recipe.batch, start)


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
