"""Training texts for the two skills beside solving: to verify a solution in words, and to revise a wrong one.

    <|bos|>problem<|solve|>steps…<|verify|>Step 1: …, right.\\n…<|verdict|><|yes|><|eos|>
    <|bos|>problem<|solve|>wrong steps…<|eos|><|feedback|>The first mistake is in step 2.<|revise|>right steps…<|eos|>

Attempts are the policy's own, from `rollouts`; the check is the task's `review`, the verdict the program's grade. A right
solution to revise towards is one of the policy's own where it has found one, so that its way of solving stays as it is. Only
what follows `<|verify|>` or `<|revise|>` is learnt from. It knows no model.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from tts_explorer.errors import BadSetting
from tts_explorer.runner.feedback import NO_ANSWER, WRONG_ANSWER, doubted
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import Problem
from tts_explorer.train.data import Example
from tts_explorer.train.rollouts import Rollout, read_rollouts

VERIFY, REVISE = 0.7, 0.3
"""Shares of the two skills among these texts."""
FEEDBACK = ("truth", "verifier", "self")
"""Who finds fault: each as often."""


def attempts_in(paths: Sequence[Path]) -> list[list[Rollout]]:
    """The distinct solutions in these shards, those of one problem together."""
    return [list(group) for path in paths for _, group in groupby(read_rollouts(path), key=lambda rollout: rollout.problem)]


def skill_texts(tokenizer: PreTrainedTokenizerFast, attempts: Sequence[list[Rollout]], rng: random.Random) -> Iterator[Example]:
    """Endless texts of both skills. As many verdicts yes as no; a text that is longer than the context is left out.

    Raises BadSetting unless some attempts are right and some wrong.
    """
    for text in _texts(tokenizer, attempts, rng):
        if len(text[0]) <= tokenizer.model_max_length:
            yield text


def _texts(tokenizer: PreTrainedTokenizerFast, attempts: Sequence[list[Rollout]], rng: random.Random) -> Iterator[Example]:
    graded = [([r for r in solutions if is_right(r)], [r for r in solutions if is_wrong(r)]) for solutions in attempts]
    solved, failed = [right for right, _ in graded if right], [both for both in graded if both[1]]
    if not solved or not failed:
        raise BadSetting("the attempts are all right, or all wrong: both kinds are needed to learn from")
    while True:
        if rng.random() < VERIFY:
            chosen = rng.choice(solved) if rng.random() < 0.5 else rng.choice(failed)[1]
            yield verification(tokenizer, rng.choice(chosen))
        else:
            right, wrong = rng.choice(failed)
            yield revision(tokenizer, rng.choice(wrong), right, rng)


def is_right(solution: Rollout) -> bool:
    """Whether its answer is right. Of a solution that others go on from, which the value says too little of, neither is said."""
    return solution.values[-1] == 1


def is_wrong(solution: Rollout) -> bool:
    return solution.values[-1] == 0


def verification(tokenizer: PreTrainedTokenizerFast, solution: Rollout) -> Example:
    """One written check with its verdict: the program's on the answer, whatever it says of the steps."""
    lines = _review(solution)
    verdict = "<|yes|>" if is_right(solution) else "<|no|>"
    said = _ids(tokenizer, "".join(line + "\n" for line in lines))
    return _joined(tokenizer, solution, ["<|verify|>"], [*said, *_special(tokenizer, "<|verdict|>", verdict)])


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
    head = [*_special(tokenizer, "<|bos|>"), *_ids(tokenizer, attempt.problem), *_special(tokenizer, "<|solve|>")]
    head += [id for step in attempt.steps for id in _ids(tokenizer, step)]
    head += [id for text in middle for id in _ids(tokenizer, text)]
    return [*head, *learnt, tokenizer.eos_token_id], len(head)


def _ids(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)


def _special(tokenizer: PreTrainedTokenizerFast, *names: str) -> list[int]:
    return tokenizer.convert_tokens_to_ids(list(names))
