"""What happened in a search: the one stream that every consumer reads, and its wire form (DESIGN §8).

Events are pure values: no clock, no database id, no object reference. `Record` is the envelope that the runner puts around
one: `seq` counts from 0 without a gap, `at` is seconds since the search began, `line` the strategy's line. Fields are only
ever added, with defaults; a kind is never renamed. This module knows neither trees nor models.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, Literal, get_args

SCHEMA = 1
"""Version of the wire form; a stream with a higher one was written by a newer program."""

NodeId = tuple[int, ...]
"""Path of child indices: () is the root, (0, 2) the third child of its first child."""
Stop = Literal["step", "eos", "length"]
Role = Literal["policy", "verifier"]
Status = Literal["done", "budget", "cancelled", "failed"]


@dataclass(frozen=True, slots=True)
class SearchStarted:
    """A search began; everything needed to rerun it. `source` is the strategy function's text, `seed` the run's."""

    problem: str
    strategy: str
    schema: int = SCHEMA
    started: str = ""
    """UTC, ISO 8601."""
    task: str | None = None
    problem_id: str | None = None
    truth: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    policy: str = ""
    verifier: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    """{temperature, max_step_tokens}"""
    aggregate: str = "last"
    rule: str = "best"
    seed: int = 0
    budget: dict[str, float] = field(default_factory=dict)
    """Any of nodes, tokens, flops, seconds; an absent one is unlimited."""
    parent: str | None = None
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodeAdded:
    """The policy wrote one step. `tokens` counts delimiter and eos too; `logprob` is their sum at temperature 1, in nats."""

    node: NodeId
    text: str
    tokens: int
    logprob: float
    stop: Stop
    terminal: bool
    answer: str | None = None
    """In the one spelling that equal answers share, the task's; None unless terminal with an answer."""
    greedy: bool = False
    revises: NodeId | None = None
    certainty: float | None = None
    """Sum over its tokens of KL(uniform ‖ the model's distribution at temperature 1), in nats; None where it isn't known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One written verification and the probability of Yes at its end."""

    text: str
    p_yes: float
    tokens: int


@dataclass(frozen=True, slots=True)
class NodeScored:
    """The verifier judged the path that ends at `node`: `reward` in [0, 1], None when it failed on it."""

    node: NodeId
    reward: float | None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class LookedAhead:
    """Greedy steps rolled out after `node` for its score; not part of the tree."""

    node: NodeId
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """Feedback on a finished attempt; `accepted` is None where the giver can't tell."""

    node: NodeId
    text: str
    tokens: int
    by: str
    accepted: bool | None = None


@dataclass(frozen=True, slots=True)
class NodePruned:
    """The strategy won't expand `node` again."""

    node: NodeId
    reason: str


@dataclass(frozen=True, slots=True)
class NodeSelected:
    """The strategy turned to `node`; numbers are None where they mean nothing."""

    node: NodeId
    visits: int | None = None
    value: float | None = None
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class CostIncurred:
    """What one move cost on one model: tokens asked for, really computed and sampled; `seconds` is a share if `apportioned`."""

    role: Role
    prompt_tokens: int
    forwarded_tokens: int
    sampled_tokens: int
    flops: float
    seconds: float
    apportioned: bool = False


@dataclass(frozen=True, slots=True)
class Noted:
    """A remark for the reader."""

    level: Literal["info", "warning"]
    message: str


@dataclass(frozen=True, slots=True)
class AnswerSelected:
    """The search's answer, the finished node it was read from, and what each answer weighed."""

    answer: str
    node: NodeId
    rule: str
    votes: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnswerGraded:
    """Whether `answer` is right; None without a truth."""

    answer: str
    correct: bool | None


@dataclass(frozen=True, slots=True)
class SearchFinished:
    """The last event of every stream."""

    status: Status
    detail: str = ""


Event = (
    SearchStarted | NodeAdded | NodeScored | LookedAhead | FeedbackGiven | NodePruned | NodeSelected
    | CostIncurred | Noted | AnswerSelected | AnswerGraded | SearchFinished
)  # fmt: skip
KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


@dataclass(frozen=True, slots=True)
class Record:
    """One event in its place in a stream."""

    seq: int
    at: float
    line: int | None
    event: Event


def to_dict(record: Record) -> dict[str, Any]:
    """The wire form of one record; `from_dict` inverts it."""
    head = {"seq": record.seq, "at": record.at, "line": record.line, "kind": type(record.event).__name__}
    return head | asdict(record.event)


def from_dict(data: dict[str, Any]) -> Record:
    """The record that `to_dict` wrote, fields that a newer program added left out.

    Raises KeyError or TypeError for a kind or a field that is missing; types are not checked here (`store` does on import).
    """
    kind = KINDS[data["kind"]]
    values = {f.name: data[f.name] for f in fields(kind) if f.name in data or f.default is f.default_factory is MISSING}
    for name in ("node", "revises"):
        if values.get(name) is not None:
            values[name] = tuple(values[name])
    if "verdicts" in values:
        names = [f.name for f in fields(Verdict)]
        values["verdicts"] = tuple(
            v if isinstance(v, Verdict) else Verdict(**{name: v[name] for name in names}) for v in values["verdicts"]
        )
    return Record(data["seq"], data["at"], data["line"], kind(**values))


def dotted(node: NodeId) -> str:
    """A node's path as people and messages spell it.

    >>> dotted((0, 2))
    '0.2'
    """
    return ".".join(map(str, node))


UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def clean(text: str) -> str:
    """`text` as valid Unicode without NUL: what can't be stored becomes U+FFFD.

    >>> clean("a" + chr(0) + chr(0xD800))
    'a\\ufffd\\ufffd'
    """
    return UNWRITABLE.sub("\ufffd", text)
