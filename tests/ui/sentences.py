"""What the program says to a visitor, read off its source: the sentences that a `Tongue` is asked for, and those of errors."""

from __future__ import annotations

import ast
import string
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from tts_explorer.errors import UserError

PACKAGE = Path(__file__).parents[2] / "tts_explorer"
NAMES = ("say", "tongue")
"""What a tongue is called in the code; `say` of the page's messages is another, whose sentences are looked up as well."""
UNSEEN = ("cli", "lab", "bench", "train", "workers", "assets", "answers", "tree", "estimates")
"""Whose errors are in English only: the command line's and a damaged installation's."""


@dataclass
class Said:
    """Sentences in English."""

    plain: set[str] = field(default_factory=set)
    counted: set[str] = field(default_factory=set)
    """By what plurals are looked up."""
    wrong: list[str] = field(default_factory=list)
    """Places where a sentence is not written out, or lacks a value."""


def said_in(path: Path) -> Said:
    """What the calls in one file say."""
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
    module, found = import_module(name), Said()
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        place = f"{name}, line {call.lineno}"
        if asks(call.func):
            take(call, call.args[0], module, found.plain, found, place)
        elif isinstance(call.func, ast.Attribute) and call.func.attr == "plural" and asks(call.func.value):
            take(call, call.args[2], module, found.counted, found, place)
            take(call, call.args[1], module, set(), found, place)
        elif raises(call.func, module) and name.split(".")[1] not in UNSEEN:
            take(call, call.args[0], module, found.plain, found, place)
    return found


def asks(called: ast.expr) -> bool:
    return isinstance(called, ast.Name) and called.id in NAMES


def raises(called: ast.expr, module: ModuleType) -> bool:
    kind = getattr(module, called.id, None) if isinstance(called, ast.Name) else None
    return isinstance(kind, type) and issubclass(kind, UserError)


def take(call: ast.Call, given: ast.expr, module: ModuleType, into: set[str], found: Said, place: str) -> None:
    """Put what `given` can be into `into`; what is wrong with it into `found`."""
    texts = literals(given, module)
    if texts is None:
        message = isinstance(call.func, ast.Name) and call.func.id == "say" and hasattr(module, "say")
        again = isinstance(given, ast.Attribute) and given.attr == "sentence"
        found.wrong += [] if message or again else [f"{place}: not written out"]
        return
    into |= {text for text in texts if any(part.strip(" ✓·–/") for part, *_ in string.Formatter().parse(text))}
    values = {keyword.arg for keyword in call.keywords}
    for text in texts:
        wanted = {name for _, name, *_ in string.Formatter().parse(text) if name is not None}
        if None not in values and wanted - {"n"} != values - {"n", "alarm"}:
            found.wrong.append(f"{place}: {text!r} has not the values {values}")


def literals(given: ast.expr, module: ModuleType) -> set[str] | None:
    """The texts that an expression can be: written out, a constant of the module or one of a table's; None for any other."""
    if isinstance(given, ast.IfExp):
        one, other = literals(given.body, module), literals(given.orelse, module)
        return one | other if one is not None and other is not None else None
    value: Any = None
    if isinstance(given, ast.Constant):
        value = given.value
    elif isinstance(given, ast.Name):
        value = getattr(module, given.id, None)
    elif isinstance(given, ast.Subscript) and isinstance(given.value, ast.Name):
        table = getattr(module, given.value.id, None)
        value = tuple(table.values()) if isinstance(table, dict) else None
    texts = value if isinstance(value, tuple) else (value,)
    return set(texts) if texts and all(isinstance(text, str) for text in texts) else None


def said_anywhere() -> Said:
    """What the whole program says."""
    whole = Said()
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "__main__.py" or path.parent.name in ("train", "bench", "lab"):
            continue
        found = said_in(path)
        whole.plain |= found.plain
        whole.counted |= found.counted
        whole.wrong += found.wrong
    return whole
