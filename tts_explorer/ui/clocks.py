"""How far a search was by tokens, iterations and seconds: what sets several trees in step on one clock.

A pure function of a stream; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from tts_explorer.events import CostIncurred, NodeAdded, Record
from tts_explorer.viz.course import SAID_OF_NODES

Ticks = list[tuple[float, int]]
"""A value of the clock, and the seq of the last event that happened while it showed that."""


def clocks(records: Sequence[Record]) -> dict[str, Ticks]:
    """The three clocks, each from its beginning on, growing."""
    found: dict[str, Ticks] = {"tokens": [], "iterations": [], "seconds": []}
    spent = written = iteration = 0
    growing = False
    for record in records:
        event = record.event
        if isinstance(event, NodeAdded):
            iteration += not growing
            growing = True
            written += event.tokens
        elif isinstance(event, SAID_OF_NODES):
            growing = False
        elif isinstance(event, CostIncurred):
            spent += event.sampled_tokens
            written = 0 if event.role == "policy" else written
        for name, value in (("tokens", spent + written), ("iterations", iteration), ("seconds", round(record.at, 2))):
            _tick(found[name], float(value), record.seq)
    return found


def _tick(ticks: Ticks, value: float, seq: int) -> None:
    """Note that `seq` happened at `value`; a clock never goes back."""
    if ticks and value <= ticks[-1][0]:
        ticks[-1] = (ticks[-1][0], seq)
    else:
        ticks.append((value, seq))
