"""What a model's token costs, read off its `config.json`: no weights are loaded, nothing is fetched."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from tts_explorer.assets import folder
from tts_explorer.models import bundled, bundled_policies
from tts_explorer.models.flops import Flops


@lru_cache(maxsize=256)
def flops_of(name: str) -> Flops | None:
    """Of the model called `name`; None where that can't be told without loading it."""
    kind, _, rest = name.partition(":")
    if kind == "bundled":
        place = folder() / "models" / rest if rest in bundled() else None
    else:
        place = None if kind in ("", "hf", "http", "https") else Path(name).expanduser()
    try:
        config = json.loads((place / "config.json").read_bytes()) if place else {}
    except (OSError, ValueError):
        return None
    return Flops.of_config(config) if isinstance(config, dict) else None


def largest_bundled() -> str | None:
    """The bundled policy with the most parameters."""
    sized = {name: flops.linear for name in bundled_policies() if (flops := flops_of(name)) is not None}
    return max(sized, key=lambda name: sized[name], default=None)
