"""Judges: generative verifiers. A policy writes a check of a solution step by step and ends in yes or no (GenRM).

The reward of a solution is the mean over its verdicts of p(yes), the probability of yes against no where the verdict stands
(Zhang et al. 2024, arXiv:2408.15240, §3). It rewards the last step alone. The bundled policies were taught to check finished
solutions; of unfinished ones they only guess. A judge has rows and a cache of its own, also where it is the search's policy:
the solution is read again, once for all verdicts on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tts_explorer.events import Verdict, clean
from tts_explorer.models.base import Judgement, Key, Policy, Sample, Segment, Spend

JUDGE = "judge:"
"""How its name begins; the model's follows, or `policy` for the search's own."""
LONGEST = 512
"""Tokens of a verdict."""


@dataclass
class _Work:
    """A solution under way."""

    steps: int
    votes: int
    missing: int
    verdicts: dict[int, Verdict] = field(default_factory=dict)
    spend: Spend = field(default_factory=Spend)


class Judge:
    """Scores paths by verdicts that `writer` writes: a policy that also has `verification` and `odds`."""

    writes = True

    def __init__(self, writer: Any):
        self.writer: Policy = writer
        self.wording, self.odds, self.context = writer.verification, writer.odds(), writer.context
        self.name, self.versions, self.step = JUDGE + writer.name, writer.versions, writer.step
        self.note: str | None = None
        self.tail: Segment = writer.verification("?")[1]
        """What stands after a solution, whatever the problem."""
        self.work: dict[Key, _Work] = {}
        self.done: list[Key] = []

    def problem(self, text: str) -> Segment:
        """What stands before the steps; what stands after them is the judge's own business."""
        return self.wording(text)[0]

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment], *, rngs: Sequence[int], temperature: float) -> None:
        """Ask for one verdict for each of `rngs`. A solution that fills the context gets none."""
        path = (prompt, *steps, self.tail)
        fits = sum(map(len, path)) < self.context
        self.work[key] = _Work(len(steps), len(rngs), len(rngs))
        if not fits:
            self.done.append(key)
            return
        for vote, rng in enumerate(rngs):
            self.writer.submit(
                (*key, vote), path, rng=rng, temperature=temperature, max_tokens=LONGEST, to_end=True, odds=self.odds
            )

    def tick(self) -> list[tuple[Key, Judgement]]:
        for (*key, vote), sample in self.writer.tick():
            work = self.work[tuple(key)]
            work.missing -= 1
            work.spend += sample.spend
            if (verdict := verdict_of(sample)) is not None:
                work.verdicts[vote] = verdict
            if not work.missing:
                self.done.append(tuple(key))
        finished, self.done = self.done, []
        return [(key, self._judgement(self.work.pop(key))) for key in finished]

    def _judgement(self, work: _Work) -> Judgement:
        verdicts = tuple(work.verdicts[vote] for vote in sorted(work.verdicts))
        reward = sum(verdict.p_yes for verdict in verdicts) / len(verdicts) if verdicts else None
        return Judgement((None,) * (work.steps - 1) + (reward,), work.spend, verdicts)

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        left = {key: self.work.pop(key) for key in list(self.work) if key in gone or key[:1] in gone}
        self.done = [key for key in self.done if key not in left]
        spent = {key: work.spend for key, work in left.items()}
        written = [(*key, vote) for key, work in left.items() for vote in range(work.votes)]
        for (*key, _), spend in self.writer.drop([*written, *(key for key in gone if len(key) == 1)]).items():
            spent[tuple(key)] += spend
        return {key: spend for key, spend in spent.items() if spend != Spend()}

    def progress(self) -> dict[Key, Spend]:
        found = {key: work.spend for key, work in self.work.items()}
        for (*key, _), spend in self.writer.progress().items():
            found[tuple(key)] += spend
        return found


def verdict_of(sample: Sample) -> Verdict | None:
    """The verdict that was written, word for word, for a policy may read it as feedback; None if it came to no yes or no."""
    if sample.p_yes is None or not 0.0 <= sample.p_yes <= 1.0:
        return None
    return Verdict(clean(sample.text), round(sample.p_yes, 4), len(sample.ids))
