"""A real browser for the tests of the page. Where there is none, they are skipped; in CI (CI=true) that is a failure."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

FLAGS = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-sync --no-first-run"
WAIT = 20_000
"""ms; generous, because the machine may be busy."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs Chromium")


def missing(what: str) -> None:
    """Fail in CI, skip elsewhere."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not installed")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The Chromium of the system, started once."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing("Chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield running
        running.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve a Blocks on a free port and tell its address; all are closed at the end."""
    served = []

    def start(demo: Any) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        served.append(demo)
        options = {"quiet": True, "ssr_mode": False, "run_history": False, "share": False}
        return demo.queue().launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, **options)[1]

    yield start
    for demo in served:
        demo.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open pages, each in a context of its own; any error in one fails the test."""
    contexts, errors = [], []

    def opened(width: int = 1280, motion: str = "reduce") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion=motion, color_scheme="light", service_workers="block"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (errors.append(f"a dialog: {dialog.message}"), dialog.dismiss()))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not errors, errors
