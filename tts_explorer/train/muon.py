"""Muon (Jordan et al. 2024) in 32-bit floats, matrices of one shape orthogonalised together.

`torch.optim.Muon` does the same in bfloat16, one matrix at a time: on a CPU without bfloat16 units that was half of a training
step (LOG.md). The rate is matched to AdamW's update size (Liu et al. 2025, arXiv:2502.16982, §2.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic Newton-Schulz iteration."""


class Muon(torch.optim.Optimizer):
    """For the matrices inside a network's layers; `momentum` is Nesterov's."""

    def __init__(self, params: Iterable[torch.Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            alike: dict[torch.Size, list[torch.Tensor]] = defaultdict(list)
            for p in group["params"]:
                if p.grad is not None:
                    alike[p.shape].append(p)
            for shape, params in alike.items():
                for p in params:
                    self.state[p].setdefault("momentum_buffer", torch.zeros_like(p)).lerp_(p.grad, 1 - group["momentum"])
                moved = [p.grad.lerp(self.state[p]["momentum_buffer"], group["momentum"]) for p in params]
                rate = group["lr"] * 0.2 * max(shape) ** 0.5
                for p, update in zip(params, orthogonal(torch.stack(moved)), strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-rate)


def orthogonal(stack: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """The nearest matrices with orthonormal rows or columns, roughly: (count, rows, columns) to the same shape."""
    a, b, c = COEFFICIENTS
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if tall else x
