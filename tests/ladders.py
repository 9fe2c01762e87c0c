"""Small ladders of known outcome: a family where the small policy wins, one where it ties, one where search hurts."""

from __future__ import annotations

from typing import Any

from tts_explorer.intervals import wilson
from tts_explorer.lab.evidence import Evidence, Measured
from tts_explorer.lab.rungs import POLICY, VERIFIER, Rung

NANO = Rung("bundled:nano", POLICY, 250_000, 1e6, "sha256:a")
MEDIUM = Rung("bundled:medium", POLICY, 4_000_000, 16e6, "sha256:b")
PRM = Rung("bundled:prm-nano", VERIFIER, 250_000, 0.8e6, "sha256:c")
SPECIALIST = Rung("bundled:nano-sat", POLICY, 250_000, 1e6, "sha256:d")
RUNGS = [NANO, MEDIUM, PRM]
WINS, TIES, HURTS = "countdown", "sat", "arithmetic"


def cell(rung: Rung, family: str, strategy: str, share: float, *, n: int = 1, flops: float = 1e8, **given: Any) -> Measured:
    """One on 500 problems, with three seeds that differ by a point unless it is greedy."""
    seeds = 1 if strategy == "greedy" else 3
    total = 500 * seeds
    correct = round(share * total)
    low, high = wilson(correct, total)
    facts: dict[str, Any] = {
        "task": family, "level": 3, "split": "test", "first": 0, "policy": rung.name,
        "verifier": None if strategy in ("greedy", "self_consistency") else PRM.name, "strategy": strategy,
        "settings": {} if seeds == 1 else {"n": n}, "temperature": 1.0, "max_step_tokens": 128, "aggregate": "last",
        "rule": "best", "budget": {}, "problems": 500, "seeds": seeds, "correct": correct, "total": total,
        "accuracy": correct / total, "low": low, "high": high, "tokens": 90.0 * n,
        "tokens_spread": None if seeds == 1 else 0.25, "flops": flops, "policy_flops": flops, "verifier_flops": 0.0,
        "seconds": 0.1, "cut": 0, "by_seed": (share,) if seeds == 1 else (share - 0.01, share, share + 0.01),
    }  # fmt: skip
    return Measured(**{**facts, **given})


def of_family(family: str, small: float, searched: float, voted: float, large: float) -> list[Measured]:
    """Accuracies of the small policy greedy, with beams, by majority, and of the large one greedy."""
    return [
        cell(NANO, family, "greedy", small, flops=1e8),
        cell(NANO, family, "self_consistency", small - 0.05, flops=1e8),
        cell(NANO, family, "self_consistency", voted, n=16, flops=9e8),
        cell(NANO, family, "beam_search", (small + searched) / 2, n=8, flops=7e8),
        cell(NANO, family, "beam_search", searched, n=16, flops=14e8),
        cell(MEDIUM, family, "greedy", large, flops=16e8),
        cell(MEDIUM, family, "self_consistency", large - 0.05, flops=16e8),
    ]


def evidence() -> Evidence:
    """All three families."""
    cells = [*of_family(WINS, 0.30, 0.80, 0.40, 0.60), *of_family(TIES, 0.30, 0.62, 0.40, 0.60)]
    cells += of_family(HURTS, 0.80, 0.60, 0.88, 0.95)
    return Evidence(list(RUNGS), cells, {"date": "2026-11-21", "versions": {}})
