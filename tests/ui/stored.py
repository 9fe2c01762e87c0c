"""A whole site over a store that is filled by hand: no model runs in it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from playwright.sync_api import Page

from tts_explorer.app import build, launch_options
from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Models
from tts_explorer.store import Store
from tts_explorer.ui import controls
from tts_explorer.ui.service import Service


@dataclass
class Site:
    url: str
    service: Service
    page: gr.Blocks

    @property
    def store(self) -> Store:
        return self.service.store


@contextmanager
def served(folder: Path, models: Models | None = None, warmed: bool = True) -> Iterator[Site]:
    """The site over a new store in `folder`; `warmed`, no model loads before a search asks for it."""
    models = models or Models(
        lambda name: ScriptedPolicy(lambda text, rng: ("x", "eos"), name=name), lambda name: ScriptedVerifier(None)
    )
    names = pytest.MonkeyPatch()
    names.setattr(controls, "bundled_policies", lambda: ["bundled:small"])
    names.setattr(controls, "verifiers", lambda: ["bundled:prm"])
    service = Service(Store(folder / "sessions.db"), models)
    service.warmed = warmed
    page = build(service)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    _, url, _ = page.launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, **launch_options())
    yield Site(url, service, page)
    page.close()
    service.close()
    names.undo()


def opener(new_page: Callable[..., Page], site: Site, route: str, part: str) -> Callable[..., Page]:
    """Opens `route` with a query, and waits until its `part` has shown what it asked for."""

    def opened(query: str = "", **options: Any) -> Page:
        page = new_page(**options)
        page.goto(f"{site.url}{route}?{query}", wait_until="domcontentloaded")
        page.wait_for_selector(f"{part} [data-asked]", state="attached")
        return page

    return opened
