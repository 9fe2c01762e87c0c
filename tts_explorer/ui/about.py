"""About: what this is, its models and strategies, what is promised and what is not, what is stored where, the licence.

The words are in `assets/about/`; what they can't know is read here: the models' cards, the families, the database's place.
"""

from __future__ import annotations

import os
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import orjson

from tts_explorer.assets import folder
from tts_explorer.models import bundled_verifiers
from tts_explorer.strategies import about_of, strategy_named, strategy_names, title_of
from tts_explorer.tasks import task_named, task_names
from tts_explorer.ui import frame
from tts_explorer.ui.component import OwnComponent
from tts_explorer.ui.controls import sentence
from tts_explorer.ui.service import Service

TITLE = "About"
LEAD = "What this is, what it promises, where its limits are, and what becomes of what you type."
FACTS = ("parameters", "shape", "training")
"""The lines of a card's table that are shown."""


def build(service: Service, *, open_models: bool = True) -> None:
    """Lay the page out inside the route that is open; where others are let in, the database's place is not told."""
    frame.build(TITLE, LEAD)
    hosted = not open_models or bool(os.environ.get("SPACE_ID"))
    known = {
        "models": sorted(map(card, (folder() / "models").glob("*/README.md")), key=order),
        "families": [task_named(name).TITLE for name in task_names()],
        "strategies": [strategy(name) for name in strategy_names()],
        "place": "" if hosted else str(service.store.path.absolute()),
        "version": _version(),
    }
    OwnComponent("about", "about", ["about"], orjson.dumps(known).decode(), elem_id="about")


def card(path: Path) -> dict[str, Any]:
    """What a model's card says: its name, what it is, some lines of its table, and its limits."""
    text = path.read_text(encoding="utf-8")
    body = text.split("---\n", 2)[-1]
    what = re.search(r"^# .*\n+([^\n#|].*)", body, re.MULTILINE)
    rows = dict(re.findall(r"^\| (\w+) \| (.*?) \|$", body, re.MULTILINE))
    limits = re.search(r"^## Limits\n+(.*)", body, re.MULTILINE)
    return {
        "name": f"bundled:{path.parent.name}",
        "what": what[1].replace("`", "") if what else "",
        "facts": [[fact, rows[fact]] for fact in FACTS if fact in rows],
        "limits": limits[1].replace("`", "") if limits else "",
    }


def order(model: dict[str, Any]) -> tuple[bool, int, str]:
    """Policies first, each kind from the smallest on."""
    parameters = dict(model["facts"]).get("parameters", "").replace(",", "")
    return model["name"] in bundled_verifiers(), int(parameters) if parameters.isdigit() else 0, model["name"]


def strategy(name: str) -> dict[str, Any]:
    """A strategy's title, what it does in a sentence, and the paragraphs of its file's docstring."""
    named = strategy_named(name)
    return {"title": title_of(named), "what": sentence(name), "about": about_of(named).split("\n\n")}


def _version() -> str:
    try:
        return version("tts-explorer")
    except PackageNotFoundError:
        return "0"
