"""`tts-explorer doctor`: what this installation stands on, and whether it holds."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import typer

from tts_explorer import models
from tts_explorer.bench.measure import processor
from tts_explorer.cli.options import Db, no_bars
from tts_explorer.errors import UserError
from tts_explorer.store import Store, default_path

Finding = tuple[bool, str, str]
"""Whether it is well, what was looked at, and what was found."""


def add_to(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(db: Db = None) -> None:
    """Check versions, the database, the bundled models and the machine; exit 1 if something essential is broken."""
    no_bars()
    broken = 0
    for well, subject, found in findings(db or default_path()):
        typer.echo(f"{'ok    ' if well else 'BROKEN'}  {subject:<14}{found}")
        broken += not well
    if broken:
        raise UserError(f"{broken} of these checks failed")


def findings(path: Path) -> Iterator[Finding]:
    yield True, "tts-explorer", installed()
    yield True, "python", platform.python_version()
    for package in ("torch", "transformers", "gradio"):
        yield imported(package)
    yield sqlite()
    yield database(path)
    yield from bundled()
    yield machine(path)


def installed() -> str:
    try:
        return version("tts-explorer")
    except PackageNotFoundError:
        return "run from a checkout, not installed"


def imported(package: str) -> Finding:
    try:
        return True, package, str(import_module(package).__version__)
    except Exception as error:
        return False, package, f"can't be imported: {type(error).__name__}: {error}"


def sqlite() -> Finding:
    """Full-text search is essential; the WAL-reset bug is rare and needs more than one connection that writes."""
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE texts USING fts5(text)")
    except sqlite3.Error as error:
        return False, "sqlite", f"{sqlite3.sqlite_version}, without full-text search ({error})"
    remark = "; before 3.51.3 a rare WAL-reset bug can damage a database that several processes write at once"
    return True, "sqlite", sqlite3.sqlite_version + (remark if sqlite3.sqlite_version_info < (3, 51, 3) else "")


def database(path: Path) -> Finding:
    try:
        Store(path).close()
    except UserError as error:
        return False, "database", str(error)
    return (
        os.access(path, os.W_OK),
        "database",
        f"{path} ({'can' if os.access(path, os.W_OK) else 'can NOT'} be written)",
    )


def bundled() -> Iterator[Finding]:
    try:
        names = [(name, models.load_policy) for name in models.bundled_policies()]
        names += [(name, models.load_verifier) for name in models.bundled_verifiers()]
    except UserError as error:
        names = []
        yield False, "assets", str(error)
    if not names:
        yield False, "models", "none are bundled"
    for name, load in names:
        try:
            model = load(name)
            yield True, "model", f"{name} loads"
            if name == "bundled:small":
                yield True, "sameness", sameness(model)
        except Exception as error:
            yield False, "model", f"{name} doesn't load: {error}"


def sameness(model: Any) -> str:
    """What was found when this model was loaded: what makes a search among others equal to the same one alone."""
    from tts_explorer.models.sameness import MULTIPLES

    same, threads = model.batch.same, model.checkpoint.threads
    where = f"{processor()}, {threads} thread{'s' * (threads > 1)}"
    doubt = ", if at all" if same.multiple == MULTIPLES[-1] else ""
    together = "together" if same.reach_free else "by their lengths"
    return f"{model.name} on {where}: rows are filled up to a multiple of {same.multiple}{doubt}, and attend {together}"


def machine(path: Path) -> Finding:
    place = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    free = shutil.disk_usage(place).free / 1e9
    try:
        threads = str(import_module("torch").get_num_threads())
    except Exception:
        threads = "unknown"
    return (
        True,
        "machine",
        f"{os.cpu_count()} cores, {threads} threads for torch, {free:.1f} GB free beside the database",
    )
