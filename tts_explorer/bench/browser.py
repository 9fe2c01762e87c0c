"""The page served by a process of its own, and a Chromium that looks at it: what `bench page` measures with.

It knows no goal and no search.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tts_explorer.assets import folder
from tts_explorer.errors import UserError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run")
PATIENCE = 120_000
"""ms that any wait in the page may take; the machine may be busy."""
SETTLE = 150
"""ms after an update was painted in which what it left to be done is still counted."""
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


@contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium. Raises UserError where it, or Playwright, is not installed, and when a page does not do its part."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise UserError(
            "the page is measured in Chromium through Playwright, which is not installed: pip install playwright, then"
            " playwright install chromium"
        ) from error
    with sync_playwright() as playwright:
        program = installed(playwright)
        if program is None:
            raise UserError("the page is measured in Chromium, which is not installed: playwright install chromium")
        running = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield running
        except Error as error:
            raise UserError(f"the page could not be measured ({str(error).splitlines()[0]}): does `serve` work?") from error
        finally:
            running.close()


def installed(playwright: Any) -> str | None:
    """Where Chromium is: Playwright's own, else the system's."""
    own = playwright.chromium.executable_path
    return own if Path(own).is_file() else next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def fresh(browser: Any) -> Iterator[Any]:
    """An empty page in a context of its own, which has no cache, with the bench's script in all that it will show."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    try:
        context.set_default_timeout(PATIENCE)
        context.add_init_script(path=folder() / "bench" / "page.js")
        yield context.new_page()
    finally:
        context.close()


class MainThread:
    """Milliseconds of processor time of a page's main thread: all its tasks, and of them scripts, layout and style."""

    def __init__(self, page: Any) -> None:
        self.page, self.session = page, page.context.new_cdp_session(page)
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent(self, work: Callable[[], Any]) -> tuple[float, float]:
        """What `work`, and a moment after it, took."""
        before = self._read()
        work()
        self.page.wait_for_timeout(SETTLE)
        return tuple(1000 * (after - begun) for begun, after in zip(before, self._read(), strict=True))

    def _read(self) -> tuple[float, float]:
        metrics = {metric["name"]: metric["value"] for metric in self.session.send("Performance.getMetrics")["metrics"]}
        return metrics["TaskDuration"], sum(metrics[name] for name in WORK)


class Wire:
    """Bytes that the page's stream of updates brought, since this was made."""

    def __init__(self, page: Any) -> None:
        self.bytes, self.streams = 0, set[str]()
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.dataReceived", self._came)
        session.send("Network.enable")

    def _answered(self, told: Any) -> None:
        if "event-stream" in told["response"]["mimeType"]:
            self.streams.add(told["requestId"])

    def _came(self, told: Any) -> None:
        self.bytes += told["dataLength"] if told["requestId"] in self.streams else 0


@contextmanager
def served(db: Path) -> Iterator[str]:
    """The address of `tts-explorer serve` over the database at `db`, in a process of its own, which ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tts_explorer", "serve", "--port", str(port), "--db", str(db.resolve())]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
    environment.pop("SPACE_ID", None)
    with tempfile.TemporaryFile() as complaints:
        options = {"stdout": subprocess.PIPE, "stderr": complaints, "cwd": Path(__file__).parents[2], "env": environment}
        with subprocess.Popen(command, **options) as process:
            try:
                if process.stdout is None or not process.stdout.readline():
                    complaints.seek(0)
                    last = complaints.read().decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
                    raise UserError(f"the page could not be served ({last[0]}): try `tts-explorer serve`")
                yield f"http://127.0.0.1:{port}"
            finally:
                process.terminate()
