"""The page as a whole: its routes, its theme, and how it is served. Nothing here searches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gradio as gr

from tts_explorer.assets import folder
from tts_explorer.runner import Models
from tts_explorer.store import Store, default_path
from tts_explorer.ui import about, compare, explore, frame, lens, sessions
from tts_explorer.ui.service import Service
from tts_explorer.ui.words import i18n, mark

TITLE = "TTS Explorer"
LEAD = "Watch a small language model search for an answer: every step it tries, how a verifier scores it, what is kept."


def build(service: Service, *, open_models: bool = True) -> gr.Blocks:
    """The page over `service`; without `open_models` visitors choose among the bundled models only."""
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        frame.build(TITLE, LEAD)
        explore.build(service, open_models=open_models)
    with page.route("Sessions", "sessions"):
        sessions.build(service)
    with page.route("Compare", "compare"):
        compare.build(service)
    with page.route("Lens", "lens"):
        lens.build(service)
    with page.route("About", "about"):
        about.build(service, open_models=open_models)
    mark(page)
    page.queue(api_open=False, max_size=64, default_concurrency_limit=8)
    return page


def theme() -> gr.themes.Base:
    """Soft, but with 4.5 to 1 between every text and what is behind it, and circles and boxes that are seen (WCAG 2.2 AA)."""
    soft = gr.themes.Soft(primary_hue="blue", neutral_hue="slate", font=["system-ui", "sans-serif"])
    blue = {
        "button_primary_background_fill": "*primary_700", "button_primary_background_fill_hover": "*primary_800",
        "checkbox_label_background_fill_selected": "*primary_700",
    }  # fmt: skip
    dark = {f"{name}_dark": value for name, value in blue.items()}
    seen = {"checkbox_border_color": "*neutral_500", "checkbox_border_color_dark": "*neutral_400"}
    return soft.set(body_text_color_subdued="*neutral_600", block_title_text_color="*primary_800", **seen, **blue, **dark)


def launch_options() -> dict[str, Any]:
    """What every launch of the page shares: look and safety."""
    return {
        "theme": theme(),
        "css_paths": [folder() / name for name in ("page.css", "compare/compare.css", "explore/explore.css")],
        "i18n": i18n(),
        "quiet": True,
        "ssr_mode": False,
        "run_history": False,
        "share": False,
        "show_error": False,
        "enable_monitoring": False,
        "mcp_server": False,
        "max_file_size": "2mb",
        "allowed_paths": [],
        "footer_links": ["settings"],
    }


def serve(*, host: str = "127.0.0.1", port: int | None = None, db: Path | None = None, **options: Any) -> None:
    """Serve the page until it is interrupted. `port` None takes the first free one from 7860.

    `db` None takes the environment's TTS_EXPLORER_DB, else the platform's data folder. `options` go to `Models`.
    """
    models = Models(**options)
    hosted = bool(os.environ.get("SPACE_ID"))
    named = os.environ.get("TTS_EXPLORER_DB")
    service = Service(Store(db or (Path(named) if named else default_path())), models)
    page = build(service, open_models=not hosted)
    try:
        page.launch(server_name="0.0.0.0" if hosted else host, server_port=port, prevent_thread_lock=True, **launch_options())
        print(f"TTS Explorer is at {page.local_url} (Ctrl-C stops it)", flush=True)
        page.block_thread()
    finally:
        service.close()
