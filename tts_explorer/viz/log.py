"""The page's log: a projection of the event stream with short keys, one JSON object a line, append-only.

Every line has `k` (what happened), `q` (the event's seq, where it isn't one more than the line's before) and, when it changed
since the line before, `l` (the strategy's line). Nodes are numbered in the order in which they were added; the root is 0 and
has no line. Kinds::

    !  search started   s strategy, S its source, o policy, v verifier, p problem, b truth, g aggregate, r rule,
                        M the root's children to a subtree (dvts)
    +  node added       n number, p parent, c child index, t text (cut), e "E" for eos, "L" for length, z terminal,
                        w answer (cut), G greedy, R the finished node that it revises
    ?  node scored      n, r reward (null when the verifier failed), a score where it differs from r,
                        V verdicts: [how many say yes, how many, mean p_yes]
    ~  looked ahead     n, c how many steps, t text (cut)
    f  feedback given   n, A 1 accepted, 0 not accepted, absent where the giver can't tell, b by whom, t text (cut)
    x  node pruned      n, y reason
    >  nodes selected   N numbers, and a list as long of v visits, u values, s shares, w weights (each only if announced)
    ^  backed up        n: a visit for each new child of n, its score the value; all up to the root count them (viz.selections)
    $  cost             p or v, the role: [sampled, forwarded, MFLOPs, seconds]
    i  note             t message
    =  answer selected  n, w answer, r rule, V [[answer, weight] …] (the eight heaviest)
    @  answer graded    w answer, c correct, N the nodes that gave it
    .  search finished  s status, d detail

What is said of one node takes at most 250 bytes, whatever the tree's size: text is cut at 80 characters, and shorter where its
JSON would not fit. A run of selections is one line, written when it is over. The page never holds state that this log lacks;
full texts of a node (its steps, verdicts, feedback, look-ahead) are fetched when asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    Event,
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
from tts_explorer.tree import Node, SearchTree
from tts_explorer.viz.selections import Selections, brief

ROOM = 250
"""Bytes for all that is said of one node."""
SCORE, FATE, LOOK = 68, 48, 34
"""What the lines of its score, its fate and a look-ahead may need of that, without any text."""


class PageLog:
    """Writes the log of one search, a record at a time."""

    def __init__(self) -> None:
        self.tree = SearchTree()
        self.numbers: dict[NodeId, int] = {(): 0}
        self.selections = Selections(self.tree, self.numbers)
        self.run: list[Record] = []
        """Selections that the next record may add to; not written yet."""
        self.seq, self.line = -1, None
        self.looks = False
        """Whether it looks ahead of steps."""
        self.left: dict[NodeId, int] = {}
        """Bytes of a node's room that nothing took yet."""

    def write(self, records: Iterable[Record]) -> str:
        """The lines for `records`, which must follow those written before; a run of selections at their end waits."""
        out = []
        for record in records:
            if self.run and not (isinstance(record.event, NodeSelected) and record.line == self.run[-1].line):
                out.append(self.rest())
            self.tree.apply(record.event)
            if isinstance(record.event, NodeSelected):
                self.run.append(record)
            else:
                out.append(self._line(record, self._body(record.event)))
        return "".join(out)

    def rest(self) -> str:
        """The line of a run of selections that waits for more, if there is one."""
        run, self.run = self.run, []
        return self._line(run[-1], self.selections.body([record.event for record in run])) if run else ""

    def _line(self, record: Record, body: dict[str, Any]) -> str:
        node = getattr(record.event, "node", None)
        if node in self.left:
            self.left[node] -= size(body)
        head: dict[str, Any] = {} if record.seq == self.seq + 1 else {"q": record.seq}
        if record.line != self.line:
            head["l"] = record.line
        self.seq, self.line = record.seq, record.line
        return orjson.dumps(head | body).decode() + "\n"

    def _body(self, event: Event) -> dict[str, Any]:
        match event:
            case NodeAdded():
                return self._added(event)
            case NodeScored(id):
                return {"k": "?", "n": self.numbers[id]} | _scored(self.tree.nodes[id])
            case LookedAhead(id, text):
                body = {"k": "~", "n": self.numbers[id], "c": len(text.strip().split("\n\n"))}
                return fitted(body, text, self.left.get(id, 0) - SCORE - FATE)
            case FeedbackGiven(id, text, _, by, accepted):
                body = {"k": "f", "n": self.numbers[id]} | ({} if accepted is None else {"A": int(accepted)})
                room = self.left.get(id, 0) - (0 if self.tree.nodes[id].scored else SCORE)
                body["b"] = cut(by, min(24, max(10, room - size(body | {"b": ""}) - 2)))
                return fitted(body, text, room)
            case NodePruned(id, reason):
                return {"k": "x", "n": self.numbers[id], "y": cut(reason, 12)}
            case CostIncurred(role, _, forwarded, sampled, flops, seconds, _):
                return {"k": "$", role[0]: [sampled, forwarded, brief(flops / 1e6, 4), round(seconds, 3)]}
            case SearchStarted():
                self.looks = bool(event.settings.get("lookahead"))
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
        raise TypeError(f"{event!r} is no event with a line of its own")

    def _added(self, event: NodeAdded) -> dict[str, Any]:
        number = self.numbers[event.node] = len(self.numbers)
        parent = self.numbers[event.node[:-1]]
        body: dict[str, Any] = {"k": "+", "n": number, "p": parent, "c": event.node[-1]}
        if event.stop != "step":
            body["e"] = event.stop[0].upper()
        if event.terminal:
            body["z"] = 1
        if event.answer is not None and event.answer not in event.text[:60]:
            body["w"] = cut(event.answer, 20)
        if event.greedy:
            body["G"] = 1
        if event.revises in self.numbers:
            body["R"] = self.numbers[event.revises]
        self.left[event.node] = ROOM
        return fitted(body, event.text, ROOM - SCORE - FATE - (LOOK if self.looks and not event.terminal else 0))


def fitted(body: dict[str, Any], text: str, room: int) -> dict[str, Any]:
    """`body` with as much of `text` as its line has room for, 80 characters at most; too little is left out."""
    room -= size(body | {"t": ""}) + len("…".encode())
    return body | {"t": cut(text.strip(), min(80, room))} if room > 3 else body


def size(body: dict[str, Any]) -> int:
    """Bytes of a line with this body."""
    return len(orjson.dumps(body)) + len('"l":999,\n')


def _scored(node: Node) -> dict[str, Any]:
    """Reward, the score where it differs, and what the verdicts come to."""
    reward, verdicts = node.reward, node.verdicts
    body: dict[str, Any] = {"r": None if reward is None else round(reward, 4)}
    if reward is not None and node.aggregated != reward:
        body["a"] = round(node.aggregated, 4)
    if verdicts:
        yes = sum(verdict.p_yes > 0.5 for verdict in verdicts)
        body["V"] = [yes, len(verdicts), round(sum(verdict.p_yes for verdict in verdicts) / len(verdicts), 2)]
    return body


def _started(event: SearchStarted) -> dict[str, Any]:
    problem = {"p": cut(event.problem, 400), "b": event.truth and cut(event.truth, 80)}
    models = {"o": event.policy, "v": event.verifier, "g": event.aggregate, "r": event.rule}
    width = event.settings.get("beam_width") if event.strategy == "dvts" else None
    bands = {"M": width} if isinstance(width, int) and width > 0 else {}
    return {"k": "!", "s": event.strategy, "S": event.source} | models | problem | bands


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
    log = PageLog()
    return log.write(records) + log.rest()
