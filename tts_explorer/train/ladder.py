"""The whole bundled ladder from nothing, stage by stage: policies that grow from one another, rollouts, verifiers, a specialist.

    nano, from nothing ── rollouts ─┬─ prm-nano, from nano's weights
      └ small, grown from nano ─────┴─ prm, from small's weights
          └ medium, grown from small          nano-countdown: nano's shape, one family alone
              └ large, grown from medium (with a GPU)

Policies but the smallest also learn to verify and to revise, from the rollouts of the one below them. A stage that is done is
left alone, and one that was stopped goes on where it was; so the same command always goes on. It knows no accuracy: `evaluate`
and `sweep` measure what came out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from tts_explorer.models import parameters
from tts_explorer.train.fit import record_in
from tts_explorer.train.policy import RECIPES, Recipe, train_policy
from tts_explorer.train.prm import train_prm
from tts_explorer.train.rollouts import SHARD, make_rollouts

SKILLS = 0.2
"""Share of a policy's texts that teach to verify and to revise."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rungs, smallest first, and how much of everything. The verifiers have the shapes of the first two rungs."""

    rungs: tuple[str, ...] = ("nano", "small", "medium")
    specialist: str | None = "countdown"
    shards: int = 24
    """Of rollouts, of each of the first two rungs."""
    shard: int = SHARD
    """Problems in one."""
    epochs: int = 2
    recipes: dict[str, Recipe] | None = None
    """Else `RECIPES`."""

    def recipe(self, name: str) -> Recipe:
        """How that rung is made."""
        return (self.recipes or RECIPES)[name]

    @property
    def rolled(self) -> tuple[str, ...]:
        """The rungs whose rollouts teach the verifiers."""
        return self.rungs[:2]


SMOKE = Plan(
    rungs=("nano", "small"),
    shards=1,
    shard=24,
    epochs=1,
    recipes={
        "nano": Recipe(hidden=32, layers=2, heads=2, inner=64, steps=60, batch=2048, warmup=5),
        "small": Recipe(hidden=64, layers=2, heads=4, inner=128, steps=20, batch=2048, warmup=5),
    },
)
"""Everything once, at a size that means nothing: for tests."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One model, or the rollouts of one."""

    name: str
    make: Callable[[], object]
    done: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Report:
    """What a stage took: `seconds` on the clock in all its runs, `tokens` read with padding, `flops` 6 a parameter and token.

    Of rollouts only the seconds are known, and those of the last run alone.
    """

    name: str
    seconds: float
    tokens: int = 0
    flops: float = 0.0
    loss: float | None = None


def train_ladder(
    plan: Plan,
    work: Path,
    *,
    device: str = "cpu",
    seed: int = 0,
    compiled: bool = True,
    workers: int = 2,
    tell: Callable[[Report], None] = lambda report: None,
) -> list[Path]:
    """Make whatever of `plan` is missing in `work`; `tell` hears of each stage as it is done. Returns the models' folders."""
    made = stages(plan, work, device=device, seed=seed, compiled=compiled, workers=workers)
    for stage in made:
        began = perf_counter()
        if not stage.done():
            stage.make()
        tell(reported(stage.name, work, perf_counter() - began))
    return [work / stage.name for stage in made if (work / stage.name).is_dir()]


def reported(name: str, work: Path, seconds: float) -> Report:
    """What is known of a stage that is done."""
    known = record_in(work / name)
    if not known:
        return Report(name, seconds)
    own = int(known["tokens"] * known.get("last", known["steps"]) / known["steps"])
    return Report(name, known["seconds"], own, 6.0 * parameters(work / name) * own, known["loss"])


def stages(plan: Plan, work: Path, *, device: str, seed: int, compiled: bool, workers: int) -> list[Stage]:
    """Every stage of `plan`, done or not, in an order in which they can be made."""
    options = {"device": device, "seed": seed, "compiled": compiled}
    found = []
    for place, name in enumerate(plan.rungs):
        learn = partial(train_policy, name, work, recipe=plan.recipe(name), **options)
        if place:
            below = plan.rungs[place - 1]
            learn = partial(learn, start=work / below, attempts=work / "rollouts" / plan.rungs[min(place, 2) - 1], share=SKILLS)
        found.append(model(name, work, learn))
        if name in plan.rolled:
            found.append(rollouts(name, plan, work, device=device, seed=seed + place, workers=workers))
    for name, base in zip(("prm-nano", "prm"), plan.rolled, strict=False):
        found.append(model(name, work, partial(verifier, name, work, base, plan, **options)))
    if plan.specialist:
        name, recipe = f"{plan.rungs[0]}-{plan.specialist}", plan.recipe(plan.rungs[0])
        learn = partial(train_policy, name, work, recipe=recipe, tasks=(plan.specialist,), **options)
        found.append(model(name, work, learn))
    return found


def model(name: str, work: Path, make: Callable[[], object]) -> Stage:
    """A stage that ends in `work/NAME` with its record."""
    return Stage(name, make, (work / name / "training.json").is_file)


def rollouts(name: str, plan: Plan, work: Path, *, device: str, seed: int, workers: int) -> Stage:
    """The rollouts of one policy, in `work/rollouts/NAME`."""
    folder = work / "rollouts" / name
    options = {"shards": plan.shards, "problems": plan.shard, "seed": seed, "workers": workers, "device": device}
    make = partial(make_rollouts, work / name, folder, **options)
    return Stage(f"rollouts of {name}", make, lambda: len(shards_in(folder)) >= plan.shards)


def verifier(name: str, work: Path, base: str, plan: Plan, **options: Any) -> Path:
    """A process reward model of the shape of the policy `base`, taught by the rollouts of all that were rolled out.

    Its labels are the program's: where a policy is right one time in ten, eight rollouts say little of a step (LOG.md).
    """
    paths = [path for rolled in plan.rolled for path in shards_in(work / "rollouts" / rolled)]
    return train_prm(name, work, base=work / base, rollouts=paths, labels="program", epochs=plan.epochs, **options)


def shards_in(folder: Path) -> list[Path]:
    """The finished shards of rollouts there."""
    return sorted(folder.glob("train-*.z"))
