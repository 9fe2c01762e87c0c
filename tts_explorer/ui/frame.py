"""What every page of the site has around its content: the way to the others, its one heading, the reader's language, and a banner
for when the connection to the server is lost. It knows no page's content.
"""

from __future__ import annotations

import gradio as gr
import orjson

from tts_explorer.ui.component import OwnComponent
from tts_explorer.ui.words import LANGUAGE, marked

HOME = "Explore"


def build(title: str, lead: str) -> None:
    """Lay it out inside the page that is open. `title` and `lead` are in English, as in the dictionaries."""
    gr.Navbar(main_page_name=HOME)
    about = orjson.dumps({"title": title, "lead": lead, "language": ""}).decode()
    value = about.replace('"language":""', f'"language":"{marked(LANGUAGE)}"')
    OwnComponent("frame", "frame", ["frame"], value, elem_id="lead")
