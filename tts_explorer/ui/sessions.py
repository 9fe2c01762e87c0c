"""Sessions: every stored search, found again by its words and its facts, named, kept, compared, handed on.

The page is one component of our own (`assets/shelf/`), which asks the server for a page at a time (`shelf`). This module puts the
two together.
"""

from __future__ import annotations

from tts_explorer.ui import frame
from tts_explorer.ui.component import OwnComponent
from tts_explorer.ui.service import Service
from tts_explorer.ui.shelf import Shelf

SCRIPTS = ("words", "row", "filters", "start")
TITLE = "Sessions"
LEAD = "Every search is kept. Find one again, watch it step by step, or set up to four side by side."


def build(service: Service) -> None:
    """Lay the page out inside the route that is open."""
    frame.build(TITLE, LEAD)
    OwnComponent("shelf", "shelf", SCRIPTS, answers=Shelf(service.store).answers, elem_id="shelf")
