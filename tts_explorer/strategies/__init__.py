"""The strategies, one function a file, found by name; their settings read off their keyword arguments."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable
from importlib import import_module
from types import FunctionType
from typing import Any, cast, get_type_hints

from tts_explorer.errors import BadSetting, UnknownName
from tts_explorer.moves import Choice, Search, Setting, require_choice, require_setting

Strategy = Callable[..., Search]


def strategy_names() -> list[str]:
    """Names of all strategies, sorted."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__))


def strategy_named(name: str) -> Strategy:
    """The strategy called `name`. Raises UnknownName."""
    if name not in strategy_names():
        raise UnknownName("no strategy {name!r}: choose one of {known}", name=name, known=", ".join(strategy_names()))
    return cast(Strategy, getattr(import_module(f"{__name__}.{name}"), name))


def title_of(strategy: Strategy) -> str:
    """What people call it."""
    return cast(str, inspect.getmodule(strategy).TITLE)


def about_of(strategy: Strategy) -> str:
    """Its file's docstring: the paper, and how it differs from it and from the reference tool, a line a paragraph."""
    text = inspect.getdoc(inspect.getmodule(strategy)) or ""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))


def default_rule(strategy: Strategy) -> str:
    """The answer rule that its file names, `best` if it names none."""
    return getattr(inspect.getmodule(strategy), "RULE", "best")


def settings_of(strategy: Strategy) -> dict[str, tuple[Setting | Choice, Any]]:
    """Its settings by name: what it may be and what it does, and the default."""
    hints = get_type_hints(strategy, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(strategy).parameters.items():
        described = [m for m in getattr(hints.get(name), "__metadata__", ()) if isinstance(m, Setting | Choice)]
        if described:
            found[name] = (described[0], parameter.default)
    return found


def checked_settings(strategy: Strategy, given: dict[str, Any]) -> dict[str, Any]:
    """`given` over the defaults. Raises BadSetting for a name it doesn't have or a value out of range."""
    known = settings_of(strategy)
    for name in given:
        if name not in known:
            if not known:
                raise BadSetting("{strategy} has no setting {name!r}: it has no settings", strategy=strategy.__name__, name=name)
            has = ", ".join(known)
            raise BadSetting("{strategy} has no setting {name!r}: it has {has}", strategy=strategy.__name__, name=name, has=has)
    checked = {}
    for name, (setting, default) in known.items():
        require = require_choice if isinstance(setting, Choice) else require_setting
        checked[name] = require(name, given.get(name, default), setting)
    return checked


def scores(strategy: Strategy) -> bool:
    """Whether its code asks for scores, so that it needs a verifier."""
    return "Score" in cast(FunctionType, strategy).__code__.co_names


def scores_steps(strategy: Strategy) -> bool:
    """Whether it scores unfinished answers: all that score do, but for those whose file says `WHOLE = True`."""
    return scores(strategy) and not getattr(inspect.getmodule(strategy), "WHOLE", False)


def needs_verifier(strategy: Strategy, settings: dict[str, Any]) -> bool:
    """Whether a verifier takes part in it with these settings: it scores, or its feedback is no known answer."""
    return scores(strategy) or settings.get("feedback", "truth") != "truth"


def needs_words(strategy: Strategy, settings: dict[str, Any]) -> bool:
    """Whether its verifier must write: it asks for verdicts, or for feedback by the model itself."""
    return "votes" in settings_of(strategy) or settings.get("feedback") == "self"


def draws(strategy: Strategy) -> bool:
    """Whether it draws random numbers: it then declares `rng`, which is no setting; the runner supplies it."""
    return "rng" in inspect.signature(strategy).parameters


def source_of(strategy: Strategy) -> tuple[str, int]:
    """The function's text and the line of its file at which it starts."""
    lines, first = inspect.getsourcelines(cast(FunctionType, strategy))
    return "".join(lines), first
