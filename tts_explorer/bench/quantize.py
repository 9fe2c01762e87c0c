"""`bench quantize`: what int8 weights do to the bundled models, in accuracy and in time: the same searches at both precisions.

Problems of countdown's test split, one seed. Both sides draw the same random numbers, so their answers agree more often than
two independent runs would, and the intervals (Wilson, 95%) are those of each accuracy alone, not of the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tts_explorer.bench.concurrency import searched
from tts_explorer.bench.measure import by_turns, environment, ratio
from tts_explorer.intervals import wilson
from tts_explorer.runner import Ask, Models
from tts_explorer.tree import SearchTree

SEARCHES = {
    "greedy": Ask(strategy="greedy"),
    "one sample": Ask(strategy="self_consistency", settings={"n": 1}),
    "beam search": Ask(verifier="bundled:prm", settings={"n": 16, "beam_width": 4}),
}
BEAMS = 60
"""Problems of the beam search at most."""
TOGETHER = 20
"""Problems of one turn, searched at once."""
PRECISIONS = {"float32": None, "int8": "int8"}


@dataclass(frozen=True, slots=True)
class Turn:
    """What some problems came to: the answer to each, whether it is right, and the CPU seconds of all."""

    answers: list[str | None]
    right: list[bool]
    cpu: float


def bench_quantize(problems: int, *, level: int, threads: int) -> dict[str, Any]:
    """Search the first `problems` problems of a level at both precisions, by turns. Raises BadSetting or UnknownName."""
    models = {name: Models(threads=threads, precision=precision) for name, precision in PRECISIONS.items()}
    about = environment(threads)
    lines, figures = [], {}
    for name, ask in SEARCHES.items():
        count = min(problems, BEAMS) if ask.verifier else problems
        asks = [replace(ask, task="countdown", level=level, index=index) for index in range(count)]
        for side in models.values():
            searched(side, asks[:1], "warm")
        sides = {precision: turns(side, asks) for precision, side in models.items()}
        found = by_turns(sides, -(-count // TOGETHER))
        lines += [line(name, precision, found[precision]) for precision in PRECISIONS]
        figures |= compared(name, found)
    return {
        "bench": "quantize",
        "settings": {"problems": problems, "task": "countdown", "level": level, **SEARCHES["beam search"].settings},
        "environment": about,
        "results": lines,
        "figures": figures,
        "note": "Accuracy with its 95% interval; equal answers: of the two precisions to one problem, right or wrong.",
    }


def turns(models: Models, asks: Sequence[Ask]) -> Callable[[int], Turn]:
    """Turn i takes the i-th `TOGETHER` problems."""

    def turn(i: int) -> Turn:
        outing = searched(models, asks[i * TOGETHER : (i + 1) * TOGETHER], f"turn {i}")
        trees = [SearchTree.of(record.event for record in stream) for stream in outing.streams]
        answers = [tree.selected.answer if tree.selected else None for tree in trees]
        return Turn(answers, [tree.correct is True for tree in trees], outing.cpu)

    return turn


def line(search: str, precision: str, found: Sequence[Turn]) -> dict[str, Any]:
    """One side's accuracy and seconds."""
    right = [verdict for turn in found for verdict in turn.right]
    low, high = wilson(sum(right), len(right))
    accuracy = {"problems": len(right), "right": sum(right), "accuracy": sum(right) / len(right), "low": low, "high": high}
    return {"search": search, "precision": precision, **accuracy, "cpu_s": sum(turn.cpu for turn in found)}


def compared(search: str, found: Mapping[str, Sequence[Turn]]) -> dict[str, Any]:
    """The share of problems with equal answers, and the ratio of CPU time over the turns."""
    sides = [[answer for turn in found[precision] for answer in turn.answers] for precision in PRECISIONS]
    name = search.replace(" ", "_")
    return {
        f"equal_answers_{name}": sum(a == b for a, b in zip(*sides, strict=True)) / len(sides[0]),
        f"int8_over_float32_{name}": ratio(*([turn.cpu for turn in found[side]] for side in ("int8", "float32"))),
    }
