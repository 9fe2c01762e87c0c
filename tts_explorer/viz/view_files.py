"""The files of the search view, of which the page and a saved replay are made. It knows nothing of what is in them."""

from __future__ import annotations

from functools import cache

from tts_explorer.assets import folder

ORDER = "fold layout words facts doing marks columns legend dots draw panels candidates cost others drawing transport link start"
SCRIPTS = tuple(f"{name}.js" for name in ORDER.split())
"""In the order in which they run; together they are the body of one function."""


@cache
def read(name: str) -> str:
    """One file of the view."""
    return (folder() / "view" / name).read_text(encoding="utf-8")
