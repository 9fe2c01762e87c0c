"""Training texts for the two skills beside solving: to verify a solution in words, and to revise a wrong one.

    <|bos|>problem<|solve|>steps…<|verify|>Step 1: …, right.\\n…<|verdict|><|yes|><|eos|>
    <|bos|>problem<|solve|>wrong steps…<|eos|><|feedback|>The first mistake is in step 2.<|revise|>right steps…<|eos|>

Attempts are the policy's own, from `rollouts`; the check is the task's `review`, the verdict the program's grade. A right
solution to revise towards is one of the policy's own where it has found one, so that its way of solving stays as it is. Only
what follows `<|verify|>` or `<|revise|>` is learnt from. It knows no model.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from tts_explorer.errors import BadSetting
from tts_explorer.runner.feedback import NO_ANSWER, WRONG_ANSWER, doubted
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import Problem
from tts_explorer.train.data import Example, segments
from tts_explorer.train.rollouts import Rollout, read_rollouts

VERIFY, REVISE = 0.7, 0.3
"""Shares of the two skills among these texts."""
FEW = 1000
"""Problems of a task that the program solves where the policy can't."""
FEEDBACK = ("truth", "verifier", "self")
"""Who finds fault: each as often."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Solutions of one task by their grade, and the right ones of each problem."""

    right: list[Rollout]
    wrong: list[Rollout]
    solved: dict[str, list[Rollout]]


def attempts_in(paths: Sequence[Path]) -> dict[str, Attempts]:
    """The solutions in these shards, by task; a task without wrong ones is left out.

    A solution that others go on from, of which its value says too little, is neither. Where none is right, the program's own
    solutions of the same problems stand in. Raises BadSetting if no task is left.
    """
    found: dict[str, Attempts] = {}
    for rollout in (rollout for path in paths for rollout in read_rollouts(path)):
        attempts = found.setdefault(rollout.task, Attempts([], [], defaultdict(list)))
        if is_right(rollout):
            attempts.right.append(rollout)
            attempts.solved[rollout.problem].append(rollout)
        elif rollout.values[-1] == 0:
            attempts.wrong.append(rollout)
    faulty = {task: attempts for task, attempts in found.items() if attempts.wrong}
    if not faulty:
        raise BadSetting("the attempts are all right: there is nothing to learn from them")
    for attempts in faulty.values():
        if not attempts.right:
            attempts.right.extend(told(wrong) for wrong in attempts.wrong[:FEW])
    return faulty


def told(wrong: Rollout) -> Rollout:
    """The program's solution of the problem that `wrong` is an attempt at."""
    steps = _solved(wrong, random.Random(wrong.problem))
    return Rollout(wrong.task, wrong.problem, steps, [1.0] * len(steps), [])


def is_right(solution: Rollout) -> bool:
    """Whether its answer is right."""
    return solution.values[-1] == 1


def skill_texts(tokenizer: PreTrainedTokenizerFast, attempts: dict[str, Attempts], rng: random.Random) -> Iterator[Example]:
    """Endless texts of both skills, of each task as many, with as many verdicts yes as no: else the verdict is the base rate.

    A text that is longer than the context is left out.
    """
    tasks = list(attempts.values())
    while True:
        mine = rng.choice(tasks)
        if rng.random() < VERIFY:
            text = verification(tokenizer, rng.choice(mine.right if rng.random() < 0.5 else mine.wrong))
        else:
            wrong = rng.choice(mine.wrong)
            text = revision(tokenizer, wrong, mine.solved.get(wrong.problem, ()), rng)
        if len(text[0]) <= tokenizer.model_max_length:
            yield text


def verification(tokenizer: PreTrainedTokenizerFast, solution: Rollout) -> Example:
    """One written check with its verdict: the program's on the answer, whatever it says of the steps."""
    lines = _review(solution)
    verdict = "<|yes|>" if is_right(solution) else "<|no|>"
    said = _ids(tokenizer, "".join(line + "\n" for line in lines))
    return _joined(tokenizer, solution, ["<|verify|>"], [*said, *tokenizer.convert_tokens_to_ids(["<|verdict|>", verdict])])


def revision(tokenizer: PreTrainedTokenizerFast, wrong: Rollout, right: Sequence[Rollout], rng: random.Random) -> Example:
    """A wrong attempt, a word on it, and a right solution."""
    steps = rng.choice(right).steps if right else _solved(wrong, rng)
    said = feedback(wrong, rng.choice(FEEDBACK))
    middle = [tokenizer.eos_token, "<|feedback|>", said, "<|revise|>"]
    return _joined(tokenizer, wrong, middle, [id for step in steps for id in _ids(tokenizer, step)])


def feedback(wrong: Rollout, by: str) -> str:
    """What is said of a wrong attempt; the doubted step is the first after which no right answer can be reached."""
    task = task_named(wrong.task)
    if by == "self":
        return "".join(line + "\n" for line in _review(wrong))
    if task.answer(wrong.steps[-1]) is None:
        return NO_ANSWER
    if by == "truth":
        return WRONG_ANSWER
    return doubted([float(fine) for fine in task.check(_parsed(wrong.task, wrong.problem), wrong.steps)])


def _review(solution: Rollout) -> list[str]:
    return task_named(solution.task).review(_parsed(solution.task, solution.problem), solution.steps)


def _solved(attempt: Rollout, rng: random.Random) -> list[str]:
    return task_named(attempt.task).solve(_parsed(attempt.task, attempt.problem), rng)


@lru_cache(maxsize=50_000)
def _parsed(task: str, text: str) -> Problem:
    return task_named(task).parse(text)


def _joined(tokenizer: PreTrainedTokenizerFast, attempt: Rollout, middle: Sequence[str], learnt: Sequence[int]) -> Example:
    (read,) = segments(tokenizer, [(attempt.problem, attempt.steps)])
    head = [id for segment in (*read, *(_ids(tokenizer, text) for text in middle)) for id in segment]
    return [*head, *learnt, tokenizer.eos_token_id], len(head)


def _ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)
