"""Train a policy of the ladder from nothing: a Llama-style decoder on right solutions, next-token loss.

`train_policy("small", work)` is resumable: it writes a checkpoint every pool (about 55 steps) to `work`, and a second call goes on
from there. CPU or CUDA. It knows nothing of search; what was tried and measured stands in LOG.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from tqdm import tqdm
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tts_explorer.train.data import Batch, batches
from tts_explorer.train.muon import Muon
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


def optimizers(model: torch.nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings, head and norms."""
    inside = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    ids = {id(p) for p in inside}
    outside = [p for p in model.parameters() if id(p) not in ids]
    adamw = torch.optim.AdamW(outside, lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    return [Muon(inside, lr), adamw]


def rate_at(step: int, *, steps: int, warmup: int, decay: float) -> float:
    """Warm-up, plateau, linear fall to zero: the factor on the learning rate, in [0, 1]."""
    return min(1.0, (step + 1) / warmup, (steps - step) / max(1, int(decay * steps)))


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
    compiled: bool = True,
    after_pool: Callable[[int], None] = lambda pool: None,
) -> Path:
    """Train `RECIPES[name]` and return the folder with the finished checkpoint, `work/NAME`.

    `after_pool` is called with a pool's number once its checkpoint is written.
    """
    recipe = RECIPES[name]
    steps = steps or recipe.steps
    work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(work / name)
    model = new_model(recipe, tokenizer).to(device)
    opts = optimizers(model, recipe.lr)
    state, step, pool = work / f"{name}.pt", 0, 0
    if state.exists():
        saved = torch.load(state, map_location=device, weights_only=True)
        model.load_state_dict(saved["model"])
        for opt, old in zip(opts, saved["optimizers"], strict=True):
            opt.load_state_dict(old)
        step, pool = saved["step"], saved["pool"]
    run = torch.compile(model.model, dynamic=True) if compiled else model.model
    mean = seen = 0.0
    with tqdm(total=steps, initial=step, desc=name, unit="step", mininterval=5) as bar:
        for pool, pooled in batches(tokenizer, tokens=recipe.batch, seed=seed, pool=pool):
            for batch in pooled[: steps - step]:
                factor = rate_at(step, steps=steps, warmup=recipe.warmup, decay=recipe.decay)
                loss = update(opts, recipe.lr * factor, loss_of(model, batch, run))
                step, mean, seen = step + 1, 0.98 * mean + 0.02 * loss, 0.98 * seen + 0.02
                bar.update()
                bar.set_postfix(loss=f"{mean / seen:.4f}", tokens=f"{step * recipe.batch:.2e}")
            save(model, opts, state, step=step, pool=pool + 1)
            after_pool(pool)
            if step == steps:
                break
    model.save_pretrained(work / name)
    return work / name


def update(opts: list[torch.optim.Optimizer], lr: float, loss: torch.Tensor) -> float:
    """One step down the gradient of `loss` at rate `lr`, the gradient's norm cut at 1; returns the loss."""
    loss.backward()
    params = [p for opt in opts for group in opt.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    for opt in opts:
        for group in opt.param_groups:
            group["lr"] = lr
        opt.step()
        opt.zero_grad(set_to_none=True)
    return loss.item()


def save(model: torch.nn.Module, opts: list[torch.optim.Optimizer], state: Path, **counters: int) -> None:
    """Write a checkpoint so that a crash leaves either the old one or the new one."""
    new = state.with_suffix(".new")
    torch.save({"model": model.state_dict(), "optimizers": [opt.state_dict() for opt in opts], **counters}, new)
    new.replace(state)


def validation_loss(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, count: int = 8) -> float:
    """Mean loss in nats over the first `count` batches of the validation split."""
    _, held = next(batches(tokenizer, tokens=8192, seed=0, split="validation"))
    with torch.inference_mode():
        losses = [loss_of(model, batch).item() for batch in held[:count]]
    return sum(losses) / len(losses)
