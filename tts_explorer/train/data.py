"""Training texts for policies: an endless, seeded stream of right solutions, batched by length.

A text is `<|bos|>problem<|solve|>steps…<|eos|>`; only what follows `<|solve|>` is learnt from. Every problem is of the
train split (a hash of its numbers decides), so validation and test are disjoint from it by construction.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

import torch
from transformers import PreTrainedTokenizerFast

from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import Problem, Split, split_of

TASKS = {"countdown": 30, "sat": 18, "maze": 18, "spatial": 14, "calendar": 10, "arithmetic": 10}
"""task: its share of the examples, in percent."""
LEVELS = {1: 5, 2: 12, 3: 50, 4: 20, 5: 13}
"""level: its share of a task's examples, in percent; the middle one is where the ladder is measured."""

Mix = Mapping[tuple[str, int], float]
"""(task, level): its share, of whatever sum."""


def mixed(tasks: Sequence[str] = (), shares: Mapping[str, float] = TASKS) -> Mix:
    """All levels of `tasks`, or of all in `shares`."""
    return {(task, level): shares[task] * part for task in tasks or shares for level, part in LEVELS.items()}


MIX = mixed()

POOL = 4096
"""Examples that are sorted by length together, so that a batch has little padding."""

Example = tuple[list[int], int]
"""Token ids of a whole text, and how many of them are the prompt, which is not learnt."""
Batch = tuple[torch.Tensor, torch.Tensor]
"""ids and targets, both (rows, length), long; a target is -100 where nothing is learnt."""
Text = TypeVar("Text", bound=tuple[Any, ...])
"""Token ids, and whatever belongs to them."""


def draw(rng: random.Random, split: Split = "train", mix: Mix = MIX) -> Problem:
    """One problem of `split`, from the families in `mix`."""
    name, level = rng.choices(list(mix), weights=list(mix.values()))[0]
    task = task_named(name)
    while True:
        problem = task.draw_problem(rng, level)
        if split_of(name, problem.key) == split:
            return problem


def encode(tokenizer: PreTrainedTokenizerFast, problem: Problem, steps: list[str]) -> Example:
    """Token ids of a whole text, and how many of them are the prompt. Each step is tokenised by itself."""
    return encode_all(tokenizer, [(problem, steps)])[0]


def encode_all(tokenizer: PreTrainedTokenizerFast, texts: list[tuple[Problem, list[str]]]) -> list[Example]:
    """`encode` for many texts."""
    coded = segments(tokenizer, [(problem.text, steps) for problem, steps in texts])
    return [([*prompt, *(id for step in steps for id in step), tokenizer.eos_token_id], len(prompt)) for prompt, *steps in coded]


def segments(tokenizer: PreTrainedTokenizerFast, texts: Iterable[tuple[str, Sequence[str]]]) -> Iterator[list[list[int]]]:
    """Each (problem, steps) as models are given it: the prompt, then the steps, tokenised one by one, in one call for all."""
    texts = list(texts)
    bos, solve = tokenizer.convert_tokens_to_ids(["<|bos|>", "<|solve|>"])
    coded = iter(
        tokenizer([piece for problem, steps in texts for piece in (problem, *steps)], add_special_tokens=False).input_ids
    )
    for _, steps in texts:
        yield [[bos, *next(coded), solve], *(next(coded) for _ in steps)]


def batches(
    tokenizer: PreTrainedTokenizerFast,
    *,
    tokens: int,
    seed: int,
    split: Split = "train",
    pool: int = 0,
    others: Callable[[random.Random], Iterator[Example]] | None = None,
    share: float = 0.5,
    mix: Mix = MIX,
) -> Iterator[tuple[int, list[Batch]]]:
    """Yield (pool number, its batches of about `tokens` tokens in a shuffled order) for ever, from `pool` on.

    (seed, split, pool number, mix) alone decide what is in a pool of `POOL` examples; `share` of it is of `others`, if there are
    any.
    """
    while True:
        rng = random.Random(f"{seed}/{split}/{pool}")
        other = int(share * POOL) if others is not None else 0
        drawn = [draw(rng, split, mix) for _ in range(POOL - other)]
        texts = encode_all(tokenizer, [(p, task_named(p.task).solve(p, rng)) for p in drawn])
        texts += islice(others(rng), other) if others else ()
        cut = by_length(texts, tokens)
        rng.shuffle(cut)
        yield pool, [_padded(rows, tokenizer.pad_token_id) for rows in cut]
        pool += 1


def by_length(texts: Iterable[Text], tokens: int) -> list[list[Text]]:
    """Cut `texts`, sorted by length and else in the order given, into runs whose padded size is at most `tokens`."""
    cut: list[list[Text]] = [[]]
    for text in sorted(texts, key=lambda text: len(text[0])):
        if cut[-1] and (len(cut[-1]) + 1) * len(text[0]) > tokens:
            cut.append([])
        cut[-1].append(text)
    return cut


def _padded(rows: list[Example], pad: int) -> Batch:
    longest = max(len(ids) for ids, _ in rows)
    inputs = torch.full((len(rows), longest - 1), pad)
    targets = torch.full((len(rows), longest - 1), -100)
    for r, (ids, prompt) in enumerate(rows):
        row = torch.tensor(ids)
        inputs[r, : len(ids) - 1] = row[:-1]
        targets[r, prompt - 1 : len(ids) - 1] = row[prompt:]
    return inputs, targets
