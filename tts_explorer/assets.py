"""Where the files that are not code lie: models, recordings, css and js. It knows nothing of what is in them."""

from __future__ import annotations

from pathlib import Path

from tts_explorer.errors import UserError


def folder() -> Path:
    """The assets: inside the installed package, or beside the package in a checkout. Raises UserError if neither is there."""
    package = Path(__file__).resolve().parent
    for place in (package / "assets", package.parent / "assets"):
        if place.is_dir():
            return place
    raise UserError("The folder 'assets' is missing, so this installation is incomplete: install tts-explorer again.")
