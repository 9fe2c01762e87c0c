"""`tts-explorer train`: the bundled models from nothing, by one command or one command a model."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from tts_explorer.cli.options import Device
from tts_explorer.errors import BadSetting, UnknownName
from tts_explorer.models import require_runnable
from tts_explorer.tasks import task_named

Work = Annotated[Path, typer.Option("--work", help="Where checkpoints and the finished model go; a second run resumes there.")]
Seed = Annotated[int, typer.Option("--seed", help="Decides the weights that it starts from and the order of the data.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command()(ladder)
    group.command()(policy)
    group.command()(prm)
    group.command()(publish)
    group.command()(recordings)
    app.add_typer(group, name="train", help="Train a bundled model again; a command that was stopped goes on where it was.")


def ladder(
    work: Work = Path(".work"),
    smoke: Annotated[bool, typer.Option("--smoke", help="Everything once, so small that it means nothing, in a minute.")] = False,
    rung: Annotated[
        list[str] | None, typer.Option("--rung", help="A size, smallest first; else nano, small, medium, and on a GPU large.")
    ] = None,
    device: Device = "cpu",
    seed: Seed = 0,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that roll out, of one thread each.")] = 2,
    price: Annotated[float | None, typer.Option("--price", min=0, help="What an hour of this machine costs.")] = None,
) -> None:
    """Train everything that is bundled, from nothing: policies, rollouts, verifiers, a specialist."""
    from tts_explorer.train.ladder import SMOKE, Plan, Report, train_ladder

    require_runnable(device=device)
    rungs = tuple(rung or ("nano", "small", "medium", *(["large"] if device == "cuda" else [])))
    require_rungs(rungs)
    reports: list[Report] = []

    def tell(report: Report) -> None:
        reports.append(report)
        typer.echo(told(report))

    plan = SMOKE if smoke else Plan(rungs)
    train_ladder(plan, work, device=device, seed=seed, compiled=compilable() and not smoke, workers=workers, tell=tell)
    hours = sum(report.seconds for report in reports) / 3600
    cost = "" if price is None else f", {hours * price:.2f} at {price:g} an hour"
    typer.echo(f"all: {hours:.2f} h on the clock, {sum(report.flops for report in reports):.2g} FLOPs{cost}")


def told(report: Any) -> str:
    """One line on a finished stage."""
    minutes = f"{report.name}: {report.seconds / 60:.1f} min"
    if not report.tokens:
        return minutes
    return f"{minutes}, {report.tokens / 1e6:.1f} million tokens, {report.flops:.2g} FLOPs, loss {report.loss:.4f}"


def require_rungs(names: Sequence[str]) -> None:
    """Raise UnknownName or BadSetting unless these are rungs, smallest first."""
    from tts_explorer.train.policy import RECIPES

    known = [name for name in RECIPES if name != "smoke"]
    if wrong := [name for name in names if name not in known]:
        raise UnknownName(f"no rung {wrong[0]!r}: choose of {', '.join(known)}")
    if list(names) != sorted(set(names), key=known.index):
        raise BadSetting(f"rungs {', '.join(names)}: name each once, smallest first")


def policy(
    name: Annotated[str, typer.Argument(help="A rung of the ladder, such as small.")],
    work: Work = Path(".work"),
    device: Device = "cpu",
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Optimiser steps; else the recipe's.")] = None,
    seed: Seed = 0,
    lr: Annotated[float | None, typer.Option("--lr", help="The highest learning rate; else the recipe's.")] = None,
    start: Annotated[Path | None, typer.Option("--start", help="Begin with the weights in this folder.")] = None,
    attempts: Annotated[
        Path | None,
        typer.Option("--attempts", help="Rollouts in this folder: some of the texts teach to verify and revise them."),
    ] = None,
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="How many of the texts do so.")] = 0.5,
    task: Annotated[list[str] | None, typer.Option("--task", help="A family to learn; may be repeated. Else all.")] = None,
    recipe: Annotated[str | None, typer.Option("--recipe", help="The rung whose shape it has, if its name is another.")] = None,
) -> None:
    """Train a policy on generated problems and right solutions."""
    from tts_explorer.train.policy import RECIPES, train_policy

    if (recipe or name) not in RECIPES:
        raise UnknownName(f"no recipe {recipe or name!r}: choose one of {', '.join(RECIPES)}")
    for family in task or ():
        task_named(family)
    if start is not None and not (start / "config.json").is_file():
        raise UnknownName(f"no policy in {start}: name a folder with config.json and model.safetensors")
    if attempts is not None and not any(attempts.glob("train-*")):
        raise UnknownName(f"no rollouts in {attempts}: name the folder that `train prm` wrote them to")
    options = {"seed": seed, "device": device, "steps": steps, "lr": lr, "start": start, "attempts": attempts, "share": share}
    options |= {"compiled": compilable(), "tasks": tuple(task or ()), "recipe": RECIPES[recipe or name]}
    typer.echo(train_policy(name, work, **options))


def prm(
    name: Annotated[str, typer.Argument(help="What to call it, such as prm.")],
    base: Annotated[Path | None, typer.Option("--base", help="The policy to start from; else small in the work folder.")] = None,
    work: Work = Path(".work"),
    device: Device = "cpu",
    seed: Seed = 0,
    start: Annotated[Path | None, typer.Option("--start", help="Begin with the verifier in this folder.")] = None,
    of: Annotated[
        list[Path] | None, typer.Option("--of", help="A policy whose rollouts it learns from; may be repeated. Else the base.")
    ] = None,
    shards: Annotated[int, typer.Option("--shards", min=1, help="Files of 4,096 rollouts each, of each policy.")] = 24,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the rollouts.")] = 2,
    labels: Annotated[
        str,
        typer.Option("--labels", help="rollouts: a step's label is its rollouts' mean grade; program: the program's word."),
    ] = "rollouts",
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes that roll out, of one thread each.")] = 2,
) -> None:
    """Train a process reward model from a policy's weights, on the outcomes of that policy's rollouts, or of others."""
    from tts_explorer.train.prm import Labels, train_prm
    from tts_explorer.train.rollouts import make_rollouts

    if labels not in get_args(Labels):
        raise BadSetting(f"labels is {labels!r}: choose {' or '.join(get_args(Labels))}")
    base = base or work / "small"
    for policy in (base, *(of or ())):
        if not (policy / "config.json").is_file():
            raise UnknownName(f"no policy in {policy}: train one first, or name its folder")
    paths = []
    for place, policy in enumerate(of or [base]):
        folder = work / "rollouts" / policy.name
        paths += make_rollouts(policy, folder, shards=shards, seed=seed + place, device=device, workers=workers)
    options = {"seed": seed, "device": device, "start": start, "epochs": epochs, "labels": labels, "compiled": compilable()}
    typer.echo(train_prm(name, work, base=base, rollouts=paths, **options))


def publish(
    name: Annotated[str, typer.Argument(help="A finished model in the work folder, such as small or prm.")],
    work: Work = Path(".work"),
) -> None:
    """Put a finished model into the assets, with its card."""
    from tts_explorer.train.publish import publish as put

    if not all((work / path).is_file() for path in (f"{name}/config.json", f"{name}.pt")):
        raise UnknownName(f"no finished model {name!r} in {work}: train it first")
    typer.echo(put(name, work))


def recordings() -> None:
    """Make the recorded searches that the page opens with again, with the models in the assets."""
    from tts_explorer.train.recordings import record_all

    for sentence in record_all():
        typer.echo(sentence)


def compilable() -> bool:
    """Whether torch can compile a model here: it needs a C++ compiler."""
    return any(map(shutil.which, ("c++", "g++", "clang++")))
