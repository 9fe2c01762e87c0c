"""The verifier `program`: the task's own checker in place of a model. Made for one search, as it needs the problem itself."""

from __future__ import annotations

from collections.abc import Sequence

from tts_explorer.models.base import Judgement, Spend
from tts_explorer.models.text import TextVerifier
from tts_explorer.tasks.base import DELIMITER, Problem, Task

PROGRAM = "program"


class ProgramVerifier(TextVerifier):
    """Rewards a step with 1 if all steps so far are valid and a right answer is still reachable, else 0, by `task.check`.

    Free: it computes no token. A right answer after an invalid step earns nothing. A text that neither ends in the
    delimiter nor holds an answer, cut by its length or ended too early, is no valid step. One character is one id.
    """

    def __init__(self, task: Task, problem: Problem):
        self.task, self.given = task, problem
        note = (
            "program is an oracle here: it compares each step with the known solution, which no model sees"
            if task.ORACLE
            else "program works out from the problem alone whether the steps are valid and a right answer is still reachable"
        )
        super().__init__(PROGRAM, {PROGRAM: task.NAME}, note)

    def _judged(self, problem: str, steps: Sequence[str]) -> Judgement:
        return Judgement(self.rewards(steps), Spend())

    def rewards(self, steps: Sequence[str]) -> tuple[float, ...]:
        """1.0 or 0.0 for each of `steps`."""
        fine = self.task.check(self.given, steps)
        whole = [step.endswith(DELIMITER) or self.task.answer(step) is not None for step in steps]
        return tuple(float(valid and ended) for valid, ended in zip(fine, whole, strict=True))
