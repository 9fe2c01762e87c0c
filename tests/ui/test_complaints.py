"""What the browser tests hold against a page: everything that it complains of, but for the streams of a page that was left."""

from __future__ import annotations

from typing import Any

import pytest
from ui.conftest import Complaints

pytestmark = pytest.mark.browser
SAY = """() => { console.error("AbortError: cut"); console.error("broken"); }"""


def test_a_cut_stream_is_borne_only_where_the_page_was_left(browser: Any, view_url: str) -> None:
    complaints = Complaints(browser.new_context())
    page = complaints.context.new_page()
    page.goto(view_url)
    page.evaluate(SAY)
    assert complaints.heard == ["AbortError: cut", "broken"]
    page.reload()
    assert complaints.heard == ["broken"]
    complaints.context.close()


def test_what_a_page_throws_is_heard_in_every_tab(browser: Any, view_url: str) -> None:
    complaints = Complaints(browser.new_context(), expected="foreseen")
    page = complaints.context.new_page()
    page.goto(view_url)
    with page.context.expect_page() as opening:
        page.evaluate("window.open(location.href)")
    tab = opening.value
    tab.wait_for_load_state()
    for text in ("foreseen", "thrown"):
        tab.evaluate(f"setTimeout(() => {{ throw new Error('{text}') }})")
    tab.wait_for_timeout(50)
    assert complaints.heard == ["thrown"]
    complaints.context.close()
