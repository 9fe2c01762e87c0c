"""`bench store`: events appended in batches of several sizes, the space that they take, and a session read back."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson

from tts_explorer.bench.measure import Clock, by_turns, environment, spread
from tts_explorer.events import Event, NodeAdded, NodeScored, Record, SearchStarted, to_dict
from tts_explorer.store import Store, new_id

BATCHES = (1, 16, 256)
TEXT = "{i} * 7 = {product}, left: 12 {product} 25\n\n"
"""A step as long as countdown's."""


def bench_store(events: int, *, repeat: int) -> dict[str, Any]:
    """Append `events` records in each batch size and read them back, by turns, `repeat` times, in temporary databases."""
    records = list(islice(stream(), events))
    about = {**environment(1), "sqlite": sqlite3.sqlite_version}
    turns = {str(size): lambda i, size=size: kept(records, size) for size in BATCHES}
    found = by_turns(turns, repeat)
    wire = sum(len(orjson.dumps(to_dict(record))) + 1 for record in records)
    last = found[str(BATCHES[-1])]
    return {
        "bench": "store",
        "settings": {"events": events, "repeat": repeat},
        "environment": about,
        "results": [line(int(size), events, turns) for size, turns in found.items()],
        "figures": {
            "read_cpu_s": spread([read.cpu for _, read, _ in last]),
            "read_wall_s": spread([read.wall for _, read, _ in last]),
            "wire_bytes_an_event": wire / events,
        },
    }


def line(batch: int, events: int, turns: list[tuple[Clock, Clock, int]]) -> dict[str, Any]:
    """One batch size's rate and size."""
    return {
        "batch": batch,
        "events_a_cpu_s": spread([events / written.cpu for written, _, _ in turns]),
        "events_a_wall_s": spread([events / written.wall for written, _, _ in turns]),
        "bytes_an_event": turns[-1][2] / events,
    }


def stream() -> Iterator[Record]:
    """One endless search, nodes and their scores by turns."""
    problem = "Use 3, 7, 12 and 25, each once, with + - * / to make 64."
    events: Iterator[Event] = (event for i in count() for event in node(i))
    yield Record(0, 0.0, None, SearchStarted(problem, "beam_search"))
    for seq, event in enumerate(events, 1):
        yield Record(seq, round(seq / 1000, 3), 5, event)


def node(i: int) -> Iterator[Event]:
    """The i-th node of a tree with sixteen children everywhere, and its score."""
    place = tuple(i // 16**depth % 16 for depth in range(4))
    yield NodeAdded(place, TEXT.format(i=i % 100, product=i % 100 * 7), 17, -3.0 - i % 7 / 7, "step", False)
    yield NodeScored(place, i % 97 / 97)


def kept(records: list[Record], batch: int) -> tuple[Clock, Clock, int]:
    """Times of writing in batches and of reading all back, and the size of the database once it is closed."""
    written, read = Clock(), Clock()
    with tempfile.TemporaryDirectory(prefix="tts-explorer-bench-") as place:
        path, id = Path(place) / "sessions.db", new_id()
        with closing(Store(path)) as store:
            with written:
                for at in range(0, len(records), batch):
                    store.append([(id, records[at : at + batch])])
            with read:
                back = store.records(id)
        if back != records:
            raise AssertionError("the store gave back other records than it was given")
        return written, read, path.stat().st_size
