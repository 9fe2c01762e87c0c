"""Monte-Carlo labels for process reward models: sample whole solutions, grade them, and share the grades out to the steps.

The value of a step is the share of right answers among all rollouts of its problem that begin with the same steps: the soft
estimate of Math-Shepherd (Wang et al. 2023, arXiv:2312.08935, §3.3), with every sample that passes through a step counted
as one of its rollouts. Shards are written one by one, so a stopped run goes on where it was. Nothing here looks inside a model.
"""

from __future__ import annotations

import random
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from tqdm import tqdm

from tts_explorer.models.base import Policy, sample_key
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import DELIMITER, Problem, Split
from tts_explorer.train.data import draw

MIX = {
    ("countdown", 1): 6, ("countdown", 2): 10, ("countdown", 3): 44, ("countdown", 4): 12, ("countdown", 5): 4,
    ("arithmetic", 1): 2, ("arithmetic", 2): 4, ("arithmetic", 3): 6, ("arithmetic", 4): 6, ("arithmetic", 5): 6,
}  # fmt: skip
"""(task, level): its share of the problems, in percent."""

PER_PROBLEM = 16
SHARD = 256
"""Problems in one shard."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One solution: its steps, the Monte-Carlo value of each in [0, 1], and the program's word on each."""

    task: str
    level: int
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


def sampled(policy: Policy, problems: Sequence[Problem], *, per_problem: int, seed: int) -> Iterator[tuple[int, str]]:
    """Yield (problem's index, solution) as they finish: `per_problem` samples at temperature 1 of each."""
    left = 0
    for i, problem in enumerate(problems):
        prompt = (policy.problem(problem.text),)
        for j in range(per_problem):
            policy.submit((i, j), prompt, rng=sample_key(seed, (i, j)), temperature=1.0, max_tokens=200, to_end=True)
            left += 1
    while left:
        for (i, _), sample in policy.tick():
            left -= 1
            yield i, sample.text


def labelled(problem: Problem, texts: Sequence[str]) -> list[Rollout]:
    """The distinct solutions of one problem, each step with the mean grade of all rollouts through it."""
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
            found.append(Rollout(problem.task, problem.level or 0, problem.text, steps, values, task.check(problem, steps)))
    return found


def make_rollouts(
    policy: Policy, folder: Path, *, shards: int, seed: int = 0, split: Split = "train", mix: dict = MIX
) -> list[Path]:
    """Write `shards` shards of rollouts to `folder`, those that are there already left alone; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{split}-{seed}-{shard:04}.json.z" for shard in range(shards)]
    with tqdm(total=shards * SHARD * PER_PROBLEM, desc=f"rollouts ({split})", unit="rollout", mininterval=5) as bar:
        for shard, path in enumerate(paths):
            if not path.exists():
                rng = random.Random(f"rollouts/{seed}/{split}/{shard}")
                problems = [draw(rng, split, mix) for _ in range(SHARD)]
                texts: dict[int, list[str]] = defaultdict(list)
                for i, text in sampled(policy, problems, per_problem=PER_PROBLEM, seed=rng.randrange(2**40)):
                    texts[i].append(text)
                    bar.update()
                found = [rollout for i, problem in enumerate(problems) for rollout in labelled(problem, texts[i])]
                path.with_suffix(".new").write_bytes(zlib.compress(orjson.dumps(found)))
                path.with_suffix(".new").replace(path)
            else:
                bar.update(SHARD * PER_PROBLEM)
    return paths


def read_rollouts(path: Path) -> list[Rollout]:
    """The rollouts of one shard."""
    return [Rollout(**data) for data in orjson.loads(zlib.decompress(path.read_bytes()))]
