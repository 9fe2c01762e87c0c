"""How a tab follows a search: it never writes over another one that was started there meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Models
from tts_explorer.store import Store
from tts_explorer.tongue import ENGLISH
from tts_explorer.ui.explore import attacher, following
from tts_explorer.ui.prefill import Offered
from tts_explorer.ui.service import EXAMPLE, Service, examples

NOTHING = (gr.skip(), gr.skip())
TAB = "tab"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    models = Models(lambda name: ScriptedPolicy(lambda text, rng: ("x", "eos")), lambda name: ScriptedVerifier(None))
    service = Service(Store(tmp_path / "sessions.db"), models)
    service.warmed = True
    yield service
    service.close()


def told(stream: Any, leave: int, service: Service) -> list[Any]:
    """What it yields; the tab looks elsewhere after the first `leave` of that."""

    async def read() -> list[Any]:
        found = []
        async for one in stream:
            found.append(one)
            if len(found) == leave:
                service.look(TAB, "another")
        return found

    with ThreadPoolExecutor(1) as apart:  # Playwright's own loop may be running in this thread
        return apart.submit(asyncio.run, read()).result()


def test_a_recording_is_shown_then_what_only_its_end_tells_then_nothing(service: Service) -> None:
    view, end, last = told(following(service, EXAMPLE + examples()[0], TAB, ENGLISH), 0, service)
    assert view[0]["session"] == EXAMPLE + examples()[0] and end[0]["baseline"] and last == NOTHING


def test_a_tab_that_looks_elsewhere_is_told_nothing_more(service: Service) -> None:
    _, *rest = told(following(service, EXAMPLE + examples()[0], TAB, ENGLISH), 1, service)
    assert rest == [NOTHING]


def test_a_page_names_its_session_once(service: Service) -> None:
    request = SimpleNamespace(query_params={}, session_hash=TAB, headers={})
    attach = attacher(service, Offered((), (), (), ()))
    first, *rest = told(attach("me", request), 0, service)
    assert first[2:] == (EXAMPLE + examples()[0], "me") and len(rest) == 2
    assert all(one[2:] == NOTHING for one in rest)
