"""The tasks, one module each, found by name."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import cast

from tts_explorer.errors import UnknownName
from tts_explorer.tasks.base import Problem, Task


def task_names() -> list[str]:
    """Names of all tasks, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name != "base")


def task_named(name: str) -> Task:
    """The task module called `name`. Raises UnknownName."""
    if name not in task_names():
        raise UnknownName("no task {name!r}: choose one of {known}", name=name, known=", ".join(task_names()))
    return cast(Task, import_module(f"tts_explorer.tasks.{name}"))


def parse(text: str) -> Problem | None:
    """Read a visitor's own words as a problem of any task; None when no task can."""
    return next((p for name in task_names() if (p := task_named(name).parse(text)) is not None), None)
