"""Scripted models: the fakes at the seams, for tests of logic and for lessons. One character is one token.

A policy's script is a function (text so far, rng) -> (step, stop); a verifier's a function (problem, steps) -> reward. A judge
is a policy too: it is asked by a text that ends in `CHECK`, and the last word of what it writes is its p(yes).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tts_explorer.events import Stop
from tts_explorer.models.base import Judgement, Key, Odds, Sample, Segment, Spend
from tts_explorer.models.text import TextVerifier, read, spelled

CHECK = "?"
"""Stands after a solution that is to be checked."""
Script = Callable[[str, random.Random], tuple[str, Stop]]


@dataclass
class _Row:
    key: Key
    text: str
    stop: Stop
    asked: int
    room: bool
    p_yes: float | None = None
    begun: int = 0

    @property
    def spend(self) -> Spend:
        """What it took so far."""
        return Spend(self.asked, self.asked + self.begun, self.begun, float(self.asked + self.begun))


class ScriptedPolicy:
    """Writes what its script says, a character a tick, until `context` characters are full."""

    def __init__(self, script: Script, *, name: str = "scripted", context: int = 2000):
        self.script, self.name, self.context = script, name, context
        self.versions = {name: "scripted"}
        self.rows: dict[Key, _Row] = {}
        self.ticks = 0

    def problem(self, text: str) -> Segment:
        return spelled(text)

    step = staticmethod(spelled)

    def odds(self) -> Odds:
        return frozenset({ord("y")}), frozenset({ord("n")})

    def revision(self, feedback: str, attempt: Segment) -> Segment:
        return spelled(f"[{feedback}]")

    def verification(self, problem: str) -> tuple[Segment, Segment]:
        return spelled(problem), spelled(CHECK)

    def fits(self, prompt: Sequence[Segment]) -> bool:
        return sum(map(len, prompt)) < self.context

    def submit(
        self,
        key: Key,
        prompt: Sequence[Segment],
        *,
        rng: int,
        temperature: float,
        max_tokens: int,
        to_end: bool = False,
        odds: Odds | None = None,
    ) -> None:
        asked = sum(map(len, prompt))
        text, stop = self.script(read(prompt), random.Random(0 if temperature == 0 else rng))
        fits = max(1, min(max_tokens, self.context - asked))
        if len(text) > fits:
            text, stop = text[:fits], "length"
        self.rows[key] = _Row(key, text, stop, asked, asked + len(text) < self.context, last_number(text) if odds else None)

    def tick(self) -> list[tuple[Key, Sample]]:
        self.ticks += bool(self.rows)
        done = []
        for row in list(self.rows.values()):
            row.begun += 1
            if row.begun >= len(row.text):
                del self.rows[row.key]
                spend = Spend(row.asked, row.asked + len(row.text), len(row.text), float(row.asked + len(row.text)))
                sample = Sample(spelled(row.text), row.text, -float(len(row.text)), row.stop, row.room, spend, p_yes=row.p_yes)
                done.append((row.key, sample))
        return done

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        return {row.key: row.spend for key in keys if (row := self.rows.pop(key, None)) is not None}

    def progress(self) -> dict[Key, Spend]:
        return {key: row.spend for key, row in self.rows.items()}

    def drafts(self) -> dict[Key, str]:
        return {key: row.text[: row.begun] for key, row in self.rows.items()}


def last_number(text: str) -> float | None:
    """The last word of `text`, if it is a number."""
    try:
        return float(text.split()[-1])
    except (IndexError, ValueError):
        return None


class ScriptedVerifier(TextVerifier):
    """Rewards steps as its function says; None or a number outside [0, 1] is a failure."""

    def __init__(self, judge: Callable[[str, Sequence[str]], float | None], *, name: str = "scripted"):
        super().__init__(name, {name: "scripted"})
        self.judge, self.calls = judge, 0

    def _judged(self, problem: str, steps: Sequence[str]) -> Judgement:
        self.calls += 1
        rewards = tuple(self.judge(problem, steps[: i + 1]) for i in range(len(steps)))
        tokens = len(problem) + sum(map(len, steps))
        return Judgement(rewards, Spend(tokens, tokens, 0, float(tokens)))
