"""What fitting a policy and fitting a verifier share: optimisers, the rate's course, checkpoints, records, the progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import orjson
import torch
from tqdm import tqdm

from tts_explorer.train.muon import Muon


def optimizers(model: torch.nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for embeddings, head and norms."""
    inside = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    ids = {id(p) for p in inside}
    outside = [p for p in model.parameters() if id(p) not in ids]
    adamw = torch.optim.AdamW(outside, lr=lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    return [Muon(inside, lr), adamw]


@dataclass(frozen=True, slots=True)
class Course:
    """How many steps, and how fast: the rate warms up to `lr`, stays, and falls to zero over the last `decay` of the steps."""

    steps: int
    lr: float
    warmup: int
    decay: float

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        fall = (self.steps - step) / max(1, int(self.decay * self.steps))
        return self.lr * min(1.0, (step + 1) / self.warmup, fall)


def fit(
    model: torch.nn.Module,
    state: Path,
    course: Course,
    parts: Callable[[int], Iterable[tuple[int, Sequence[Any]]]],
    loss: Callable[[Any], torch.Tensor],
    *,
    part: str,
    after: Callable[[int], None] = lambda number: None,
) -> dict[str, float]:
    """Train `model` down the `loss` of batches, on from the checkpoint `state` if there is one; what it took, for the record.

    `parts(first)` yields numbered lots of batches from number `first` on; a checkpoint is written after each, and `after` is
    told its number. `part` is what a lot is called there.
    """
    opts = optimizers(model, course.lr)
    step, first, before = restore(model, opts, state, "step", part, "seconds")
    began = perf_counter() - before
    with LossBar(total=course.steps, initial=step, desc=state.stem, unit="step", mininterval=5) as bar:
        for number, batches in parts(first) if step < course.steps else ():
            for batch in batches[: course.steps - step]:
                bar.took(update(opts, course.rate(step), loss(batch)))
                step += 1
            save(model, opts, state, step=step, seconds=perf_counter() - began, **{part: number + 1})
            after(number)
            if step >= course.steps:
                break
    return {"seconds": round(perf_counter() - began), "loss": round(bar.loss, 4)}


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


def save(model: torch.nn.Module, opts: list[torch.optim.Optimizer], state: Path, **counters: float) -> None:
    """Write a checkpoint so that a crash leaves either the old one or the new one."""
    new = state.with_suffix(".new")
    torch.save({"model": model.state_dict(), "optimizers": [opt.state_dict() for opt in opts], **counters}, new)
    new.replace(state)


def restore(model: torch.nn.Module, opts: list[torch.optim.Optimizer], state: Path, *counters: str) -> list[Any]:
    """Read the checkpoint that `save` wrote, if there is one; returns its counters, zeros without one."""
    if not state.exists():
        return [0] * len(counters)
    saved = torch.load(state, map_location=next(model.parameters()).device, weights_only=True)
    model.load_state_dict(saved["model"])
    for opt, old in zip(opts, saved["optimizers"], strict=True):
        opt.load_state_dict(old)
    return [saved.get(name, 0) for name in counters]


def keep_record(folder: Path, steps: int, tokens: int, start: Path | None, **more: Any) -> Path:
    """Write `training.json` beside the finished weights in `folder`, and return that: what went into them and into `start`."""
    before = record_in(start) if start else {}
    total = {"steps": before.get("steps", 0) + steps, "tokens": before.get("tokens", 0) + tokens} | more
    if start:
        total |= {"last": steps, "start": start.resolve().name}
    (folder / "training.json").write_bytes(orjson.dumps(total, option=orjson.OPT_INDENT_2) + b"\n")
    return folder


def record_in(folder: Path) -> dict[str, Any]:
    """What `training.json` in a model's folder says, and nothing without one.

    `steps` and `tokens` (padding counted) in all; of the last run `seconds` on the clock, the `loss` in nats that it ended at,
    and, if there were others, its own steps as `last` and the model it began with as `start`; the `tasks` that it knows; whether
    a policy learnt the `skills`; the `rollouts` that a verifier read, the policies they are `of` and where its `labels` are from;
    a `note` for the card, written by hand.
    """
    path = folder / "training.json"
    return orjson.loads(path.read_bytes()) if path.is_file() else {}


class LossBar(tqdm):
    """A progress bar that shows the mean of about the last fifty losses."""

    mean = seen = 0.0

    @property
    def loss(self) -> float:
        """That mean, in nats; NaN before the first."""
        return self.mean / self.seen if self.seen else float("nan")

    def took(self, loss: float) -> None:
        """One step was made, at this loss in nats."""
        self.mean, self.seen = 0.98 * self.mean + 0.02 * loss, 0.98 * self.seen + 0.02
        self.set_postfix(loss=f"{self.loss:.4f}", refresh=False)
        self.update()
