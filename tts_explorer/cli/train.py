"""`tts-explorer train`: the bundled models from nothing, one command a model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from tts_explorer.cli.options import Device
from tts_explorer.errors import UnknownName

Work = Annotated[Path, typer.Option("--work", help="Where checkpoints and the finished model go; a second run resumes there.")]
Seed = Annotated[int, typer.Option("--seed", help="Decides the weights that it starts from and the order of the data.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.command()(policy)
    group.command()(prm)
    group.command()(publish)
    group.command()(recordings)
    app.add_typer(group, name="train", help="Train a bundled model again; a command that was stopped goes on where it was.")


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
) -> None:
    """Train a policy on generated problems and right solutions."""
    from tts_explorer.train.policy import RECIPES, train_policy

    if name not in RECIPES:
        raise UnknownName(f"no recipe {name!r}: choose one of {', '.join(RECIPES)}")
    if start is not None and not (start / "config.json").is_file():
        raise UnknownName(f"no policy in {start}: name a folder with config.json and model.safetensors")
    if attempts is not None and not any(attempts.glob("train-*")):
        raise UnknownName(f"no rollouts in {attempts}: name the folder that `train prm` wrote them to")
    options = {"seed": seed, "device": device, "steps": steps, "lr": lr, "start": start, "attempts": attempts, "share": share}
    options["compiled"] = compilable()
    typer.echo(train_policy(name, work, **options))


def prm(
    name: Annotated[str, typer.Argument(help="What to call it, such as prm.")],
    base: Annotated[Path | None, typer.Option("--base", help="The policy to start from; else small in the work folder.")] = None,
    work: Work = Path(".work"),
    device: Device = "cpu",
    seed: Seed = 0,
    start: Annotated[Path | None, typer.Option("--start", help="Begin with the verifier in this folder.")] = None,
    shards: Annotated[int, typer.Option("--shards", min=1, help="Files of 4,096 rollouts each.")] = 24,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the rollouts.")] = 2,
) -> None:
    """Train a process reward model from a policy's weights, on the outcomes of that policy's rollouts."""
    from tts_explorer.train.prm import train_prm

    base = base or work / "small"
    if not (base / "config.json").is_file():
        raise UnknownName(f"no policy in {base}: train one first, or name its folder with --base")
    options = {"seed": seed, "device": device, "start": start, "shards": shards, "epochs": epochs}
    typer.echo(train_prm(name, work, base=base, compiled=compilable(), **options))


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
