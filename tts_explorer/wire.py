"""Reading exported streams from outside: JSON lines, one search after another, checked before anything is stored.

A damaged file is refused whole, with the line's number. Fields that a newer program added are left out; a newer schema,
a missing parent, a gap in `seq` or a number that is not finite are damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from tts_explorer.errors import BadSession
from tts_explorer.events import (
    KINDS,
    SCHEMA,
    AnswerSelected,
    Event,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodePruned,
    NodeScored,
    NodeSelected,
    Record,
    SearchFinished,
    SearchStarted,
    clean,
)
from tts_explorer.tree import AGGREGATES

DEEPEST = 2000
"""Steps on one path at most."""
REFUSED = "{name} was refused whole: line {number} is damaged ({why})"
ORPHAN = "{name} was refused whole: event {seq} adds a node without its parent, or twice"
NEWER = "schema {schema} is newer than this program's {own}: update it"
UNKNOWN_NODE = "{name} was refused whole: event {seq} is about a node that was never added"


class Damage(BadSession):
    """What is wrong with a line."""


def read_streams(data: bytes, name: str = "the file") -> list[list[Record]]:
    """The streams in `data`, in order. Raises BadSession with the number of the line that is wrong."""
    streams: list[list[Record]] = []
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = _record(orjson.loads(line))
            if record.seq == 0:
                streams.append([])
            _check_place(streams[-1] if streams else None, record)
            streams[-1].append(record)
        except (Damage, orjson.JSONDecodeError, ValidationError, ValueError, KeyError, TypeError) as error:
            raise BadSession(REFUSED, name=name, number=number, why=_why(error)) from error
    if not streams:
        raise BadSession("{name} holds no session: an export is JSON lines that begin with SearchStarted", name=name)
    for stream in streams:
        _check_stream(stream, name)
    return streams


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[kind])


def _record(data: Any) -> Record:
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise Damage("unknown kind {kind!r}", kind=str(kind)[:40])
    seq, at, line = data["seq"], data["at"], data["line"]
    if type(seq) is not int or type(at) not in (int, float) or not (line is None or type(line) is int):
        raise Damage("seq, at or line is not a number")
    fields = orjson.dumps({k: _cleaned(v) for k, v in data.items() if k not in ENVELOPE})
    event = _adapter(data["kind"]).validate_json(fields, strict=True)
    _check_values(event)
    return Record(seq, float(at), line, event)


ENVELOPE = ("seq", "at", "line", "kind")


def _cleaned(value: Any, depth: int = 0) -> Any:
    """`value` with every text in it as valid Unicode without NUL. Raises Damage if it is nested over 50 deep."""
    if depth > 50:
        raise Damage("something is nested too deeply")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item, depth + 1) for item in value]
    return {clean(k): _cleaned(v, depth + 1) for k, v in value.items()} if isinstance(value, dict) else value


def _check_values(event: Event) -> None:
    """Raise Damage for what a fold could not read, though its type is right."""
    if isinstance(event, SearchStarted) and event.aggregate not in AGGREGATES:
        raise Damage("unknown aggregate {aggregate!r}", aggregate=event.aggregate[:40])
    if isinstance(event, NodeScored) and not event.node:
        raise Damage("the root has no step to score")
    if isinstance(event, NodeScored) and event.reward is not None and not 0 <= event.reward <= 1:
        raise Damage("the reward {reward:g} is outside 0 and 1", reward=event.reward)


def _check_place(stream: list[Record] | None, record: Record) -> None:
    """Raise Damage unless `record` may follow the records of `stream`."""
    if stream is None or record.seq != len(stream):
        raise Damage("seq is {seq} where {due} was due", seq=record.seq, due=len(stream or ()))
    if isinstance(record.event, SearchStarted) != (record.seq == 0):
        raise Damage("a stream begins with its one SearchStarted")
    if isinstance(record.event, SearchStarted) and record.event.schema > SCHEMA:
        raise Damage(NEWER, schema=record.event.schema, own=SCHEMA)
    if stream and isinstance(stream[-1].event, SearchFinished):
        raise Damage("something follows SearchFinished")


def _check_stream(stream: list[Record], name: str) -> None:
    """Raise BadSession unless every node has its parent and every event its node."""
    nodes: set[tuple[int, ...]] = {()}
    for record in stream:
        event = record.event
        if isinstance(event, NodeAdded):
            known = event.node and event.node[:-1] in nodes and event.node not in nodes and min(event.node) >= 0
            if not known or len(event.node) > DEEPEST:
                raise BadSession(ORPHAN, name=name, seq=record.seq)
            nodes.add(event.node)
        elif isinstance(event, OF_A_NODE) and event.node not in nodes:
            raise BadSession(UNKNOWN_NODE, name=name, seq=record.seq)


OF_A_NODE = (NodeScored, NodePruned, NodeSelected, LookedAhead, FeedbackGiven, AnswerSelected)


def _why(error: Exception) -> Damage | str:
    if isinstance(error, Damage):
        return error
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]
    if isinstance(error, orjson.JSONDecodeError):
        return Damage("it is not valid JSON; perhaps it was cut")
    return Damage("missing {name}", name=str(error)) if isinstance(error, KeyError) else str(error)[:200]


def event_texts(event: Event) -> Iterator[str]:
    """What full-text search finds an event by."""
    if isinstance(event, SearchStarted):
        yield event.problem
    elif isinstance(event, NodeAdded):
        yield event.text
