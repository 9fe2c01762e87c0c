"""The verifier `program`: the task's own checker in place of a model. Made for one search, as it needs the problem itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tts_explorer.models.base import Judgement, Key, Segment, Spend
from tts_explorer.models.scripted import read, spelled
from tts_explorer.tasks.base import DELIMITER, Problem, Task

PROGRAM = "program"


class ProgramVerifier:
    """Rewards a step with 1 if all steps so far are valid and a right answer is still reachable, else 0, by `task.check`.

    Free: it computes no token. A right answer after an invalid step earns nothing. A text that neither ends in the
    delimiter nor holds an answer, cut by its length or ended too early, is no valid step. One character is one id.
    """

    def __init__(self, task: Task, problem: Problem):
        self.task, self.given, self.name = task, problem, PROGRAM
        self.versions = {PROGRAM: task.NAME}
        self.note: str | None = (
            "program is an oracle here: it compares each step with the known solution, which no model sees"
            if task.ORACLE
            else "program works out from the problem alone whether the steps are valid and a right answer is still reachable"
        )
        self.waiting: list[tuple[Key, Sequence[Segment]]] = []

    def problem(self, text: str) -> Segment:
        return spelled(text)

    def step(self, text: str) -> Segment:
        return spelled(text)

    def submit(self, key: Key, prompt: Segment, steps: Sequence[Segment]) -> None:
        assert steps and all(steps), "an empty step is never sent to a verifier"
        self.waiting.append((key, steps))

    def tick(self) -> list[tuple[Key, Judgement]]:
        work, self.waiting = self.waiting, []
        return [(key, Judgement(self.rewards([read([step]) for step in steps]), Spend())) for key, steps in work]

    def drop(self, keys: Iterable[Key]) -> dict[Key, Spend]:
        gone = set(keys)
        self.waiting = [work for work in self.waiting if work[0] not in gone and work[0][:1] not in gone]
        return {}

    def rewards(self, steps: Sequence[str]) -> tuple[float, ...]:
        """1.0 or 0.0 for each of `steps`."""
        fine = self.task.check(self.given, steps)
        whole = [step.endswith(DELIMITER) or self.task.answer(step) is not None for step in steps]
        return tuple(float(valid and ended) for valid, ended in zip(fine, whole, strict=True))
