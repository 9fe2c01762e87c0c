"""Verifiers that read text: one character is one id. They are given nothing to compute, so they forget without a trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tts_explorer.models.base import Judgement, Key, Segment, Spend


def spelled(text: str) -> Segment:
    """One id a character."""
    return tuple(map(ord, text))


def read(segments: Iterable[Segment]) -> str:
    """The text that `segments` spell."""
    return "".join(chr(id) for segment in segments for id in segment)


class TextVerifier:
    """Judges all that waits in one tick, each path by itself with `_judged`, which whoever inherits writes."""

    writes = False

    def __init__(self, name: str, versions: dict[str, str], note: str | None = None):
        self.name, self.versions, self.note = name, versions, note
        self.waiting: list[tuple[Key, Segment, Sequence[Segment]]] = []

    def problem(self, text: str) -> Segment:
        return spelled(text)

    def step(self, text: str) -> Segment:
        return spelled(text)

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        assert steps and all(steps), "an empty step is never sent to a verifier"
        self.waiting.append((key, prompt, steps))

    def tick(self) -> list[tuple[Key, Judgement]]:
        work, self.waiting = self.waiting, []
        return [(key, self._judged(read([prompt]), [read([step]) for step in steps])) for key, prompt, steps in work]

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        self.waiting = [work for work in self.waiting if work[0] not in gone and work[0][:1] not in gone]
        return {}

    def _judged(self, problem: str, steps: Sequence[str]) -> Judgement:
        """The rewards of `steps`, and what they took."""
        raise NotImplementedError
