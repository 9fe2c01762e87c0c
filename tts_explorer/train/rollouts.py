"""Monte-Carlo labels for process reward models: sample whole solutions, grade them, and share the grades out to the steps.

The value of a step is the share of right answers among all rollouts of its problem that begin with the same steps: the soft
estimate of Math-Shepherd (Wang et al. 2023, arXiv:2312.08935, §3.3), with every sample that passes through a step counted
as one of its rollouts. Shards are written one by one, so a stopped run goes on where it was. Nothing here looks inside a model.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import orjson
import torch
from tqdm import tqdm
from transformers import AutoModelForCausalLM

from tts_explorer.models.base import Policy, sample_key
from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.local import LocalPolicy
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import DELIMITER, Problem, Split
from tts_explorer.train.data import draw, mixed
from tts_explorer.workers import follow

PER_PROBLEM = 8
SHARD = 512
"""Problems in one shard."""
TASKS = {"arithmetic": 25, "calendar": 20, "countdown": 20, "sat": 13, "maze": 13, "spatial": 9}
"""task: its share of the problems, in percent; more where most solutions are right and alike, or there are few mistakes."""
LONGEST = 320
"""Tokens of a problem with its solution; a longer rollout is cut and counts as wrong."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One solution: its steps, the Monte-Carlo value of each in [0, 1], and the program's word on each."""

    task: str
    problem: str
    steps: list[str]
    values: list[float]
    exact: list[bool]


def steps_of(text: str) -> list[str]:
    """Cut a solution after each delimiter; an empty last step is dropped.

    >>> steps_of("a\\n\\nb")
    ['a\\n\\n', 'b']
    """
    parts = text.split(DELIMITER)
    return [part + DELIMITER for part in parts[:-1]] + ([parts[-1]] if parts[-1].strip() else [])


def sampled(policy: Policy, problems: Sequence[Problem], *, per_problem: int, seed: int) -> list[list[str]]:
    """`per_problem` solutions of each problem, sampled at temperature 1, in the order in which they finish."""
    for i, problem in enumerate(problems):
        prompt = (policy.problem(problem.text),)
        for j in range(per_problem):
            policy.submit((i, j), prompt, rng=sample_key(seed, (i, j)), temperature=1.0, max_tokens=LONGEST, to_end=True)
    texts: list[list[str]] = [[] for _ in problems]
    while any(len(found) < per_problem for found in texts):
        for (i, _), sample in policy.tick():
            texts[i].append(sample.text)
    return texts


def labelled(problem: Problem, texts: Sequence[str], *, exact: bool = True) -> list[Rollout]:
    """The distinct solutions of one problem, each step with the mean grade of all rollouts through it.

    Without `exact` the program's word on the steps, which can take long, is left out.
    """
    task = task_named(problem.task)
    grades = {text: task.grade(problem, text) for text in set(texts)}
    through: dict[tuple[str, ...], list[bool]] = defaultdict(list)
    for text in texts:
        steps = steps_of(text)
        for end in range(1, len(steps) + 1):
            through[tuple(steps[:end])].append(grades[text])
    found = []
    for text in dict.fromkeys(texts):
        steps = steps_of(text)
        outcomes = [through[tuple(steps[: end + 1])] for end in range(len(steps))]
        values = [sum(outcome) / len(outcome) for outcome in outcomes]
        if steps:
            said = task.check(problem, steps) if exact else []
            found.append(Rollout(problem.task, problem.text, steps, values, said))
    return found


def make_rollouts(
    base: Path,
    folder: Path,
    *,
    shards: int,
    seed: int = 0,
    split: Split = "train",
    tasks: Sequence[str] = (),
    workers: int = 2,
    device: str = "cpu",
    problems: int = SHARD,
) -> list[Path]:
    """Write `shards` shards of rollouts of the policy in `base` to `folder`, of `problems` each, and return their paths.

    Those that are there already are left alone. Each worker is a process of its own with one thread.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{split}-{seed}-{shard:04}.json.z" for shard in range(shards)]
    missing = [path for path in paths if not path.exists()]
    with tqdm(total=shards, initial=shards - len(missing), desc=f"rollouts ({split})", unit="shard") as bar:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=follow) as pool:
            jobs = [pool.submit(write_shard, base, path, split, tasks, device, problems) for path in missing]
            for done in as_completed(jobs):
                done.result()
                bar.update()
    return paths


def write_shard(
    base: Path, path: Path, split: Split, tasks: Sequence[str] = (), device: str = "cpu", problems: int = SHARD
) -> None:
    """Roll out one shard of `problems` of `tasks`, or of all; what is drawn depends on the file's name alone."""
    torch.set_num_threads(1)
    policy = LocalPolicy(read_checkpoint(base.name, base, AutoModelForCausalLM, device=device, threads=1), rows=256)
    policy.context = LONGEST
    rng = random.Random(f"rollouts/{path.stem}")
    drawn = [draw(rng, split, mixed(tasks, TASKS)) for _ in range(problems)]
    texts = sampled(policy, drawn, per_problem=PER_PROBLEM, seed=rng.randrange(2**40))
    found = [rollout for pair in zip(drawn, texts, strict=True) for rollout in labelled(*pair, exact=False)]
    path.with_suffix(".new").write_bytes(zlib.compress(orjson.dumps(found)))
    path.with_suffix(".new").replace(path)


def read_rollouts(path: Path) -> list[Rollout]:
    """The rollouts of one shard."""
    return [Rollout(**data) for data in orjson.loads(zlib.decompress(path.read_bytes()))]
