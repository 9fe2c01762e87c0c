"""The page's log: a projection of the event stream with short keys, one JSON object a line, append-only.

Every line has `q` (the event's seq), `k` (what happened) and, when it changed since the line before, `l` (the strategy's
line). Nodes are numbered in the order in which they were added; the root is 0 and has no line. Kinds::

    !  search started   s strategy, S its source, o policy, v verifier, p problem, b truth, g aggregate, r rule
    +  node added       n number, p parent, c child index, t text (cut), e "E" for eos, "L" for length, z terminal,
                        w answer (cut), G greedy
    ?  node scored      n, r reward (null when the verifier failed), a score where it differs from r
    x  node pruned      n, y reason
    >  node selected    n, v visits, u value, w weight (each only where it means something)
    $  cost             r role ("p" or "v"), m sampled, f forwarded, x flops, s seconds
    i  note             t message
    =  answer selected  n, w answer, r rule, V [[answer, weight] …] (the eight heaviest)
    @  answer graded    w answer, c correct, N the nodes that gave it
    .  search finished  s status, d detail

One added node, its score and its fate take at most 250 bytes, whatever the tree's size: text is cut at 80 characters, and
shorter where its JSON would not fit in ADDED bytes. The page never holds state that this log lacks; the full text of a
node is fetched when asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodeId,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    Record,
    SearchFinished,
    SearchStarted,
)
from tts_explorer.tree import SearchTree

ADDED = 109
"""Bytes for the body of an added node; the two lines of score and fate and three heads (`q`, `l`) need the other 141."""


class PageLog:
    """Writes the log of one search, a record at a time."""

    def __init__(self) -> None:
        self.tree = SearchTree()
        self.numbers: dict[NodeId, int] = {(): 0}
        self.line: int | None = None

    def write(self, records: Iterable[Record]) -> str:
        """The lines for `records`, which must follow those written before."""
        out = []
        for record in records:
            self.tree.apply(record.event)
            short = self._short(record)
            if short is not None:
                out.append(orjson.dumps(short).decode() + "\n")
        return "".join(out)

    def _short(self, record: Record) -> dict[str, Any] | None:
        body = self._body(record)
        if body is None:
            return None
        head: dict[str, Any] = {"q": record.seq}
        if record.line != self.line:
            self.line = head["l"] = record.line
        return head | body

    def _body(self, record: Record) -> dict[str, Any] | None:
        match record.event:
            case NodeAdded() as event:
                return self._added(event)
            case NodeScored(id, reward, _):
                aggregated = self.tree.nodes[id].aggregated
                body = {"k": "?", "n": self.numbers[id], "r": None if reward is None else round(reward, 4)}
                return body if reward is None or aggregated == reward else body | {"a": round(aggregated, 4)}
            case NodePruned(id, reason):
                return {"k": "x", "n": self.numbers[id], "y": cut(reason, 12)}
            case NodeSelected(id, visits, value, weight):
                numbers = {"v": visits, "u": value, "w": weight}
                known = {key: round(number, 4) for key, number in numbers.items() if number is not None}
                return {"k": ">", "n": self.numbers[id]} | known
            case CostIncurred(role, _, forwarded, sampled, flops, seconds, _):
                spent = {"r": role[0], "m": sampled, "f": forwarded, "x": flops, "s": round(seconds, 3)}
                return {"k": "$"} | spent
            case SearchStarted() as event:
                return _started(event)
            case AnswerSelected(answer, node, rule, votes):
                heaviest = sorted(votes.items(), key=lambda vote: -vote[1])[:8]
                shown = [[cut(text, 60), round(weight, 4)] for text, weight in heaviest]
                return {"k": "=", "n": self.numbers[node], "w": cut(answer, 60), "r": rule, "V": shown}
            case AnswerGraded(answer, correct):
                gave = [self.numbers[node.id] for node in self.tree.finished() if node.answer == answer]
                return {"k": "@", "w": cut(answer, 60), "c": correct, "N": gave}
            case Noted(_, message):
                return {"k": "i", "t": cut(message, 300)}
            case SearchFinished(status, detail):
                return {"k": ".", "s": status, "d": cut(detail, 300)}
            case LookedAhead() | FeedbackGiven():
                return None

    def _added(self, event: NodeAdded) -> dict[str, Any]:
        number = self.numbers[event.node] = len(self.numbers)
        parent = self.numbers[event.node[:-1]]
        body: dict[str, Any] = {"k": "+", "n": number, "p": parent, "c": event.node[-1], "t": ""}
        if event.stop != "step":
            body["e"] = event.stop[0].upper()
        if event.terminal:
            body["z"] = 1
        if event.answer is not None and event.answer not in event.text[:60]:
            body["w"] = cut(event.answer, 20)
        if event.greedy:
            body["G"] = 1
        room = ADDED - len(orjson.dumps(body)) - len("…".encode())
        return body | {"t": cut(event.text.strip(), min(80, room))}


def _started(event: SearchStarted) -> dict[str, Any]:
    problem = {"p": cut(event.problem, 400), "b": event.truth and cut(event.truth, 80)}
    models = {"o": event.policy, "v": event.verifier, "g": event.aggregate, "r": event.rule}
    return {"k": "!", "s": event.strategy, "S": event.source} | models | problem


def cut(text: str, characters: int) -> str:
    """The first `characters` of `text`, and as many bytes of JSON, with … where something was left out.

    >>> cut("abcdef", 4)
    'abc…'
    """
    short = text[:characters]
    while len(orjson.dumps(short)) - 2 > characters:
        short = short[:-1]
    return short if short == text else short[:-1] + "…"


def projected(records: Iterable[Record]) -> str:
    """The whole log of a stream."""
    return PageLog().write(records)
