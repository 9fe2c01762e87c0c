"""What a link to Explore asks for: the settings that fill the controls, and the place of a session to open.

`ui.links` says which names a link may have. A value that can't be taken is named, with what would do, and the rest is kept.
Nothing here starts anything, and it knows no component.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tts_explorer.errors import BadSetting
from tts_explorer.events import clean
from tts_explorer.models import POLICY_AS_JUDGE
from tts_explorer.models.judge import JUDGE
from tts_explorer.moves import Choice, Setting, require_choice, require_setting
from tts_explorer.runner.prepare import LONGEST_PROBLEM
from tts_explorer.strategies import settings_of, strategy_named
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import LEVELS, problem_at
from tts_explorer.tongue import ENGLISH, Tongue

VIEWS = ("tree", "table", "chart")
LEVEL = Setting(LEVELS[0], LEVELS[-1], "")
INDEX = Setting(0, 100_000, "")
SEED = Setting(0, 2**31 - 1, "")
TEMPERATURE = Setting(0, 2, "", step=0.1)
TOKENS = Setting(1, 10**9, "")
EVENT = Setting(-1, 10**9, "")
LONGEST_NAME = 300
SHOWN = 24
"""Characters of a bad value that are repeated to the visitor."""
PLACE = re.compile(r"(\d{1,6}(\.\d{1,6}){0,255})?")
FILLED = "The link’s settings are filled in: press Start search when you like."
LEFT_OUT = "The rest of the link is kept, but {reasons}."
LONG = "problem has {n} characters: at most {most} are read"
NO_PLACE = "node is {node!r}: it must be a path such as 0.2"

Reader = Callable[[str, str], Any]
"""(name, value as the link spells it) to the value. Raises BadSetting."""


@dataclass
class Prefill:
    """What a link names, by the controls' names; and why values were left out."""

    chosen: dict[str, Any] = field(default_factory=dict)
    """Of `task`, `level`, `index`, `problem`, `policy`, `verifier`, `strategy`, `seed`, `temperature`, `tokens`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Of the strategy."""
    opening: dict[str, Any] = field(default_factory=dict)
    """Of `at`, `node`, `view`."""
    refused: list[BadSetting] = field(default_factory=list)

    def said(self, say: Tongue = ENGLISH) -> str:
        """One sentence for the visitor; empty where the link fills nothing."""
        if self.refused:
            return say(LEFT_OUT, reasons="; ".join(map(say.of, self.refused)))
        return say(FILLED) if self.chosen or self.settings else ""


@dataclass(frozen=True, slots=True)
class Offered:
    """What the controls offer to choose from."""

    tasks: Sequence[str]
    policies: Sequence[str]
    verifiers: Sequence[str]
    strategies: Sequence[str]
    open_models: bool = True
    """Whether other models may be named too."""

    @property
    def readers(self) -> dict[str, Reader]:
        return {
            "task": one_of(self.tasks),
            "level": within(LEVEL),
            "index": within(INDEX),
            "problem": words,
            "policy": one_of(self.policies, self.open_models),
            "verifier": one_of(["", *self.verifiers], self.open_models),
            "strategy": one_of(self.strategies),
            "seed": within(SEED),
            "temperature": within(TEMPERATURE),
            "tokens": within(TOKENS),
        }


def within(setting: Setting) -> Reader:
    """Reads a number in that range."""
    return lambda name, text: require_setting(name, text, setting)


def one_of(names: Sequence[str], free: bool = False) -> Reader:
    """Reads one of `names`; any other name too, if `free`, but for one that means a bundled model that is not here."""

    def read(name: str, text: str) -> str:
        other = free and len(text) <= LONGEST_NAME and text.isprintable() and not text.startswith("bundled:")
        return text if other else require_choice(name, text, Choice(tuple(names), ""))

    return read


def place(name: str, text: str) -> str:
    """Reads the path of a node: `0.2`, empty for the root."""
    if not PLACE.fullmatch(text):
        raise BadSetting(NO_PLACE, node=text)
    return text


def words(name: str, text: str) -> str:
    """Reads a problem's text."""
    if len(text) > LONGEST_PROBLEM:
        raise BadSetting(LONG, n=len(text), most=LONGEST_PROBLEM)
    return clean(text)


OPENINGS: dict[str, Reader] = {"at": within(EVENT), "node": place, "view": one_of(VIEWS)}


def prefilled(query: Mapping[str, str], offered: Offered) -> Prefill:
    """What `query` asks for, of what is `offered`; names that mean nothing here are passed over."""
    found, readers, given = Prefill(), offered.readers, dict(query)
    if given.get("verifier") == JUDGE + given.get("policy", ""):
        given["verifier"] = POLICY_AS_JUDGE
    _take(given, readers, found.chosen, found.refused)
    _take(given, OPENINGS, found.opening, found.refused)
    if (strategy := found.chosen.get("strategy")) is not None:
        _take(given, _settings(strategy, {*readers, *OPENINGS}), found.settings, found.refused)
    if "task" in found.chosen and "problem" not in found.chosen:
        chosen = found.chosen
        at = chosen.setdefault("level", 3), chosen.setdefault("index", 0)
        chosen["problem"] = problem_at(task_named(chosen["task"]), "test", *map(int, at)).text
    return found


def _settings(strategy: str, taken: set[str]) -> dict[str, Reader]:
    """Of a strategy's settings, but for those whose name means something else in a link."""
    known = {name: what for name, (what, _) in settings_of(strategy_named(strategy)).items() if name not in taken}
    return {name: one_of(what.options) if isinstance(what, Choice) else within(what) for name, what in known.items()}


def _take(given: Mapping[str, str], readers: Mapping[str, Reader], into: dict[str, Any], refused: list[BadSetting]) -> None:
    for name, read in readers.items():
        if name in given:
            try:
                into[name] = read(name, given[name])
            except BadSetting as error:
                short = given[name][:SHOWN] + "…" * (len(given[name]) > SHOWN)
                values = {key: short if value == given[name] else value for key, value in error.values.items()}
                refused.append(BadSetting(error.sentence, **values))
