"""`bench engine --roofline`: one token for a batch of rows, against what this machine's memory and multipliers allow.

The floor is the larger of two times: reading the weights and the rows' keys and values once, and doing the FLOPs, at rates
measured here in the same process. Weights that fit the processor's cache are read faster than that, so for a tiny model the
floor is no bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tts_explorer.bench.measure import Clock, environment, spread
from tts_explorer.bench.rounds import Course
from tts_explorer.bench.shapes import random_policy
from tts_explorer.errors import BadSetting
from tts_explorer.models.base import NOTHING, Segment, sample_key
from tts_explorer.models.checkpoint import Checkpoint
from tts_explorer.models.flops import Flops
from tts_explorer.models.local import LocalPolicy

ROWS = (1, 4, 16, 64)
WARM, TICKS = 3, 8
"""Tokens before the clock, and on it, for each repetition."""


def bench_roofline(shape: str, *, prompt: int, repeat: int, threads: int) -> dict[str, Any]:
    """Milliseconds a token for each batch in `ROWS`, `repeat` times. Raises UnknownName."""
    course = Course(prompt=prompt, rounds=1, steps=WARM + TICKS * repeat + 1)
    checkpoint = random_policy(shape, context=course.context, threads=threads)
    torch.set_num_threads(threads)
    about = environment(threads)
    rates = read_rate(), multiply_rate()
    opening = course.opening(checkpoint.model.config.vocab_size)
    lines = []
    for rows in ROWS:
        cpu, wall = timed(checkpoint, rows, opening, repeat)
        lines.append(line(rows, cpu, wall, floors(checkpoint, rows, prompt + WARM + TICKS * repeat // 2, rates)))
    return {
        "bench": "roofline",
        "settings": {"shape": shape, "prompt": prompt, "ticks": TICKS, "repeat": repeat},
        "environment": about,
        "results": lines,
        "figures": {
            "parameters": sum(p.numel() for p in checkpoint.model.parameters()),
            "weights_mb": checkpoint.model.get_memory_footprint() / 1e6,
            "read_gb_s": rates[0] / 1e9,
            "multiply_gflop_s": rates[1] / 1e9,
        },
        "note": "Rates are per second of CPU time. Weights that fit the processor's cache can be read faster than the floor.",
    }


def line(rows: int, cpu: list[float], wall: list[float], floor: tuple[float, float]) -> dict[str, Any]:
    """One batch size's milliseconds."""
    ms = spread([1e3 * seconds for seconds in cpu])
    return {
        "rows": rows,
        "cpu_ms": ms,
        "wall_ms": spread([1e3 * seconds for seconds in wall]),
        "tokens_a_cpu_s": 1e3 * rows / ms["median"],
        "read_floor_ms": 1e3 * floor[0],
        "multiply_floor_ms": 1e3 * floor[1],
        "of_the_roofline": 1e3 * max(floor) / ms["median"],
    }


def timed(checkpoint: Checkpoint, rows: int, prompt: Segment, repeat: int) -> tuple[list[float], list[float]]:
    """CPU and wall seconds of one tick with `rows` rows under way, `repeat` times. Raises BadSetting if they don't fit."""
    policy = LocalPolicy(checkpoint, rows=rows)
    keys = [("roofline", "sample", (row,)) for row in range(rows)]
    for key in keys:
        most = WARM + TICKS * repeat + 1
        policy.submit(key, [prompt], rng=sample_key(0, key[2]), temperature=1.0, max_tokens=most)
    while min(policy.progress().get(key, NOTHING).sampled_tokens for key in keys) < WARM:
        if policy.tick():
            raise BadSetting(f"{rows} rows of {len(prompt)} tokens don't fit into the engine's memory: give a shorter --prompt")
    clocks = [Clock() for _ in range(repeat)]
    for clock in clocks:
        with clock:
            for _ in range(TICKS):
                policy.tick()
    policy.drop([("roofline",)])
    return [clock.cpu / TICKS for clock in clocks], [clock.wall / TICKS for clock in clocks]


def floors(checkpoint: Checkpoint, rows: int, length: int, rates: tuple[float, float]) -> tuple[float, float]:
    """Seconds to read what a token of each row needs, and to multiply it, at `length` tokens a row."""
    model, flops = checkpoint.model, Flops.of(checkpoint.model)
    config = model.config
    size = next(model.parameters()).element_size()
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    kept = 2 * config.num_hidden_layers * config.num_key_value_heads * dim * length
    return (
        size * (flops.linear + flops.head + rows * kept) / rates[0],
        rows * flops.of_span(length - 1, length, heads=1) / rates[1],
    )


def read_rate(megabytes: int = 256) -> float:
    """Bytes read a second of CPU time: the best of five sums over an array larger than any cache."""
    x = torch.ones(megabytes * 2**18)
    return x.nbytes / best(lambda: x.sum())


def multiply_rate(size: int = 1024) -> float:
    """FLOPs a second of CPU time: the best of five products of square float32 matrices."""
    a, b = torch.rand(2, size, size)
    return 2 * size**3 / best(lambda: a @ b)


def best(work: Callable[[], object], times: int = 5) -> float:
    """The least CPU seconds that `work` took, after one turn to warm up."""
    work()
    clocks = [Clock() for _ in range(times)]
    for clock in clocks:
        with clock:
            work()
    return min(clock.cpu for clock in clocks)
