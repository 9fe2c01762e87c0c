"""When two streams of records are equal: order within the answer to one move, clocks and versions apart (DESIGN §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tts_explorer.events import CostIncurred, NodeAdded, NodeScored, Noted, Record, SearchStarted


def comparable(records: Sequence[Record]) -> list[Any]:
    """A stream without what equal ones may differ in: order in one answer, seq, at, seconds, apportioned, versions."""
    out: list[Any] = []
    block: list[tuple[Any, int | None]] = []
    for record in [*records, None]:
        event = record and record.event
        if isinstance(event, NodeAdded | NodeScored | Noted):
            block.append((event, record.line))
            continue
        out += sorted(block, key=lambda item: (getattr(item[0], "node", (1 << 20,)), repr(item)))
        block = []
        if isinstance(event, CostIncurred):
            out.append((replace(event, seconds=0.0, apportioned=False), record.line))
        elif isinstance(event, SearchStarted):
            out.append((replace(event, started="", versions={}), record.line))
        elif event is not None:
            out.append((event, record.line))
    return out
