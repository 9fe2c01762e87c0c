"""Train a process reward model: a token classifier (wrong, right) at step ends, from a policy's weights, on its rollouts.

The loss is cross-entropy at each step's last token, against the soft value that the rollouts give it or the program's word on it.
Rollouts come from `rollouts`, of one policy or of several; held-out ones measure the step-level AUC. Resumable like
`policy`. What was tried and measured stands in LOG.md.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch.nn.functional import log_softmax
from transformers import AutoTokenizer, LlamaForTokenClassification, PreTrainedTokenizerFast

from tts_explorer.tasks import task_named
from tts_explorer.train.data import by_length, segments
from tts_explorer.train.fit import Course, fit, keep_record
from tts_explorer.train.rollouts import PER_PROBLEM, SHARD, Rollout, read_rollouts

Labels = Literal["rollouts", "program"]
Example = tuple[list[int], list[int], list[float]]
"""Token ids; positions of the steps' last tokens; values."""


def train_prm(
    name: str,
    work: Path,
    *,
    base: Path,
    rollouts: Sequence[Path],
    labels: Labels = "rollouts",
    seed: int = 0,
    device: str = "cpu",
    epochs: int = 2,
    lr: float = 4e-3,
    batch: int = 8192,
    start: Path | None = None,
    compiled: bool = True,
) -> Path:
    """Train from the weights of the policy in `base` on these shards of `rollouts`, and return the folder `work/NAME`.

    A step's label is its rollouts' mean grade, or with `labels` "program" the program's word on it, 0 or 1. With `start`
    the weights are those of the process reward model in that folder instead.
    """
    torch.manual_seed(seed)
    tokenizer, model = AutoTokenizer.from_pretrained(base), classifier(start or base).to(device).train()
    run = torch.compile(model.model, dynamic=True) if compiled else model.model
    as_told = checked if labels == "program" else lambda rollout: rollout
    found = [as_told(rollout) for path in rollouts for rollout in read_rollouts(path)]

    def epoch(number: int) -> list[list[Example]]:
        rng = random.Random(f"{seed}/{number}/{start.name if start else base.name}")
        return cut(encoded(tokenizer, [reworded(rollout, rng) for rollout in found]), batch, rng)

    course = Course(epochs * len(by_length(encoded(tokenizer, found), batch)), lr, warmup=50, decay=0.6)
    parts = lambda first: ((number, epoch(number)) for number in range(first, epochs))  # noqa: E731
    learnt = fit(model, work / f"{name}.pt", course, parts, lambda part: loss_of(model, part, run), part="epoch")
    model.save_pretrained(work / name)
    tokenizer.save_pretrained(work / name)
    of, tasks = sorted({path.parent.name for path in rollouts}), sorted({rollout.task for rollout in found})
    told = {"rollouts": len(rollouts) * SHARD * PER_PROBLEM, "of": of, "tasks": tasks, "labels": labels}
    return keep_record(work / name, course.steps, course.steps * batch, start, **learnt, **told)


def checked(rollout: Rollout) -> Rollout:
    """The same rollout with the program's word on each step for its value: valid so far, and a right answer still reachable."""
    task = task_named(rollout.task)
    return replace(rollout, values=list(map(float, task.check(task.parse(rollout.problem), rollout.steps))))


def classifier(folder: Path) -> LlamaForTokenClassification:
    """A token classifier with the weights in `folder`; from a policy's, its head is random."""
    return LlamaForTokenClassification.from_pretrained(folder, num_labels=2, id2label={0: "wrong", 1: "right"})


def reworded(rollout: Rollout, rng: random.Random) -> Rollout:
    """The same rollout under another wording of its problem, where the task has one: values hardly depend on it."""
    vary = getattr(task_named(rollout.task), "reworded", None)
    return replace(rollout, problem=vary(rollout.problem, rng)) if vary else rollout


def encoded(tokenizer: PreTrainedTokenizerFast, rollouts: Sequence[Rollout]) -> Iterator[Example]:
    """Token ids as the verifier will see them: each step tokenised by itself."""
    coded = segments(tokenizer, [(rollout.problem, rollout.steps) for rollout in rollouts])
    for rollout, (ids, *steps) in zip(rollouts, coded, strict=True):
        ends = []
        for step in steps:
            ids += step
            ends.append(len(ids) - 1)
        yield ids, ends, rollout.values


def cut(examples: Iterable[Example], tokens: int, rng: random.Random) -> list[list[Example]]:
    """Batches of about `tokens` tokens each, alike in length, in a shuffled order."""
    batches = by_length(sorted(examples, key=lambda example: (len(example[0]), rng.random())), tokens)
    rng.shuffle(batches)
    return batches


def logits_at_ends(model: LlamaForTokenClassification, part: Sequence[Example], run=None) -> torch.Tensor:
    """Two logits for each step of each example, in order: (steps, 2)."""
    longest = max(len(ids) for ids, _, _ in part)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _, _ in part], device=model.device)
    hidden = (model.model if run is None else run)(input_ids=ids, use_cache=False).last_hidden_state
    rows = torch.tensor([r for r, (_, ends, _) in enumerate(part) for _ in ends], device=model.device)
    columns = torch.tensor([end for _, ends, _ in part for end in ends], device=model.device)
    return model.score(hidden[rows, columns])


def loss_of(model: LlamaForTokenClassification, part: Sequence[Example], run=None) -> torch.Tensor:
    """Mean cross-entropy in nats against the soft values."""
    logprobs = log_softmax(logits_at_ends(model, part, run), -1)
    values = torch.tensor([value for _, _, vs in part for value in vs], device=model.device)
    return -(values * logprobs[:, 1] + (1 - values) * logprobs[:, 0]).mean()


def rewards(model: LlamaForTokenClassification, examples: Sequence[Example]) -> list[float]:
    """Rewards for all steps of `examples`, in order."""
    found: list[float] = []
    with torch.inference_mode():
        for at in range(0, len(examples), 64):
            found += torch.softmax(logits_at_ends(model, examples[at : at + 64]), -1)[:, 1].tolist()
    return found


def auc(scores: Sequence[float], labels: Sequence[bool]) -> float | None:
    """Area under the ROC curve: the chance that a right one scores above a wrong one, ties one half.

    None where all labels are alike.

    >>> auc([0.1, 0.4, 0.4, 0.9], [False, False, True, True])
    0.875
    """
    values, truth = np.asarray(scores), np.asarray(labels, bool)
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(1, len(values) + 1)
    _, groups, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.bincount(groups, ranks) / counts)[groups]
    right, wrong = int(truth.sum()), int((~truth).sum())
    if not right or not wrong:
        return None
    return float((ranks[truth].sum() - right * (right + 1) / 2) / (right * wrong))
