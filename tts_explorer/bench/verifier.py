"""`bench verifier`: a growing tree judged round by round, each step once or each text whole, by turns, on random weights."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from tts_explorer.bench.measure import Clock, by_turns, environment, ratio, spread
from tts_explorer.bench.plain import PlainPRM
from tts_explorer.bench.rounds import Course, judged
from tts_explorer.bench.shapes import random_verifier
from tts_explorer.events import NodeId
from tts_explorer.models.base import Segment, Verifier
from tts_explorer.models.prm import LocalPRM

Texts = dict[NodeId, tuple[Segment, ...]]
"""The path to each node: the problem, then its steps."""
Turn = tuple[Clock, int, dict[NodeId, float]]
"""Time, tokens forwarded, rewards."""


def bench_verifier(course: Course, shape: str, *, repeat: int, threads: int) -> dict[str, Any]:
    """Judge a tree of even steps and one of ragged steps, `repeat` times each. Raises UnknownName."""
    courses = {"even": replace(course, ragged=False), "ragged": replace(course, ragged=True)}
    context = courses["ragged"].context
    checkpoint = random_verifier(shape, context=context, threads=threads)
    sides = {"incremental": LocalPRM(checkpoint, rows=course.n), "whole": PlainPRM(checkpoint, rows=course.n)}
    about = environment(threads)
    lines, figures = [], {}
    for name, each in courses.items():
        rounds = grown(each, checkpoint.model.config.vocab_size)
        for side in sides.values():
            judge(side, rounds[:1], "warm")
        found = by_turns({side: turn(verifier, rounds, name) for side, verifier in sides.items()}, repeat)
        unique = each.prompt + sum(len(path[-1]) for texts in rounds for path in texts.values())
        lines += [line(name, side, turns, unique) for side, turns in found.items()]
        figures |= compared(name, found["incremental"], found["whole"], unique)
    settings = {name: value for name, value in asdict(course).items() if name != "ragged"}
    return {
        "bench": "verifier",
        "settings": {"shape": shape, **settings, "repeat": repeat},
        "environment": about,
        "results": lines,
        "figures": figures,
    }


def turn(verifier: Verifier, rounds: list[Texts], name: str) -> Callable[[int], Turn]:
    """One side's turn, under a new name each time."""
    return lambda i: judge(verifier, rounds, f"{name} {i}")


def grown(course: Course, vocabulary: int) -> list[Texts]:
    """The texts of each round: random tokens after random beams, the same for both sides."""
    rng = random.Random(course.seed)
    texts: Texts = {(): (course.opening(vocabulary),)}
    beams: list[NodeId] = [()]
    rounds = []
    for _ in range(course.rounds):
        children = course.children(beams)
        for node in children:
            step = tuple(rng.randrange(1, vocabulary) for _ in range(course.length(node)))
            texts[node] = (*texts[node[:-1]], step)
        rounds.append({node: texts[node] for node in children})
        beams = rng.sample(children, course.n // course.beam_width)
    return rounds


def judge(verifier: Verifier, rounds: list[Texts], search: str) -> Turn:
    """Judge all rounds under the name `search` and forget it."""
    clock, total, rewards = Clock(), 0, {}
    with clock:
        for texts in rounds:
            found, forwarded = judged(verifier, texts, search)
            rewards |= found
            total += forwarded
        verifier.drop([(search,)])
    return clock, total, rewards


def line(steps: str, side: str, turns: list[Turn], unique: int) -> dict[str, Any]:
    """One side's seconds and tokens on one kind of steps."""
    return {
        "steps": steps,
        "side": side,
        "cpu_s": spread([clock.cpu for clock, _, _ in turns]),
        "wall_s": spread([clock.wall for clock, _, _ in turns]),
        "forwarded": turns[-1][1],
        "per_unique": turns[-1][1] / unique,
    }


def compared(steps: str, incremental: list[Turn], whole: list[Turn], unique: int) -> dict[str, Any]:
    """The ratio of CPU time, and how far the rewards lie apart."""
    ours, theirs = incremental[-1][2], whole[-1][2]
    return {
        f"whole_over_incremental_{steps}": ratio([turn[0].cpu for turn in whole], [turn[0].cpu for turn in incremental]),
        f"unique_tokens_{steps}": unique,
        f"largest_reward_difference_{steps}": max(abs(ours[node] - theirs[node]) for node in ours),
    }
