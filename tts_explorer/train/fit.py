"""What fitting a policy and fitting a verifier share: optimisers, the rate's course, checkpoints, records, the progress bar."""

from __future__ import annotations

from pathlib import Path
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


def rate_at(step: int, *, steps: int, warmup: int, decay: float) -> float:
    """Warm-up, plateau, linear fall to zero: the factor on the learning rate, in [0, 1]."""
    return min(1.0, (step + 1) / warmup, (steps - step) / max(1, int(decay * steps)))


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


def restore(model: torch.nn.Module, opts: list[torch.optim.Optimizer], state: Path, *counters: str) -> list[int]:
    """Read the checkpoint that `save` wrote, if there is one; returns its counters, zeros without one."""
    if not state.exists():
        return [0] * len(counters)
    saved = torch.load(state, map_location=next(model.parameters()).device, weights_only=True)
    model.load_state_dict(saved["model"])
    for opt, old in zip(opts, saved["optimizers"], strict=True):
        opt.load_state_dict(old)
    return [saved[name] for name in counters]


def keep_record(folder: Path, steps: int, tokens: int, start: Path | None, **more: int) -> Path:
    """Write `training.json` beside the finished weights in `folder`, and return that: what went into them and into `start`."""
    before = record_in(start) if start else {}
    total = {"steps": before.get("steps", 0) + steps, "tokens": before.get("tokens", 0) + tokens}
    if start:
        total |= {"last": steps, "start": start.resolve().name}
    (folder / "training.json").write_bytes(orjson.dumps(total | more, option=orjson.OPT_INDENT_2) + b"\n")
    return folder


def record_in(folder: Path) -> dict[str, Any]:
    """What `training.json` in a model's folder says, and nothing without one.

    `steps` and `tokens` (padding counted) in all, `last` of the steps from the model `start`; `rollouts` that the last steps
    of a verifier read; a `note` for the card, written by hand.
    """
    path = folder / "training.json"
    return orjson.loads(path.read_bytes()) if path.is_file() else {}


class LossBar(tqdm):
    """A progress bar that shows the mean of about the last fifty losses."""

    mean = seen = 0.0

    def took(self, loss: float) -> None:
        """One step was made, at this loss in nats."""
        self.mean, self.seen = 0.98 * self.mean + 0.02 * loss, 0.98 * self.seen + 0.02
        self.set_postfix(loss=f"{self.mean / self.seen:.4f}", refresh=False)
        self.update()
