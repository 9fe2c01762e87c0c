"""What goes wrong under a running page ends in a sentence and a next step: a failing search, a lost database; and two tabs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from ui.stored import Site, served

from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Models

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)


class Fragile(ScriptedPolicy):
    """Breaks as long as it is told to."""

    broken = False

    def tick(self):
        if Fragile.broken:
            raise RuntimeError("out of memory")
        return super().tick()


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    judge = ScriptedVerifier(lambda *_: 0.5)
    models = Models(lambda name: Fragile(lambda text, rng: ("\\boxed{9 * 9}", "eos"), name=name), lambda name: judge)
    with served(tmp_path, models, warmed=False) as made:
        yield made


def state(page: Page, word: str) -> None:
    expect(page.locator("#search-view").first).to_have_attribute("data-state", word)


def start(page: Page) -> str:
    before = page.url
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url(lambda url: "session=" in url and url != before)
    return page.url.rpartition("session=")[2]


def test_a_search_that_fails_says_why_and_the_next_one_runs(site: Site, new_page, monkeypatch: pytest.MonkeyPatch) -> None:
    page = new_page()
    page.goto(site.url, wait_until="domcontentloaded")
    state(page, "done")
    monkeypatch.setattr(Fragile, "broken", True)
    id = start(page)
    expect(page.locator("#search-view .now")).to_contain_text("Failed")
    assert "Traceback" not in page.locator("body").inner_text()
    assert site.store.session(id).state == "failed"
    monkeypatch.setattr(Fragile, "broken", False)
    assert start(page) != id
    expect(page.locator("#search-view .answer .text")).to_have_text("9 * 9")
    expect(page.locator("#search-view .baseline")).not_to_be_empty()


def test_two_tabs_follow_their_own_searches(site: Site, new_page) -> None:
    pages = [new_page(), new_page()]
    ids = []
    for page in pages:
        page.goto(site.url, wait_until="domcontentloaded")
        state(page, "done")
    for page in pages:
        ids.append(start(page))
    for page, id in zip(pages, ids, strict=True):
        expect(page.locator("#search-view .answer .text")).to_have_text("9 * 9")
        expect(page.locator("#search-view .baseline")).not_to_be_empty()  # the last that comes
        assert page.url.endswith(id)
        assert site.store.session(id).state == "done"


def test_a_database_that_is_gone_is_said_so(site: Site, new_page) -> None:
    page = new_page(expected="503")  # the browser's own line for a stream that the server refuses
    page.goto(site.url, wait_until="domcontentloaded")
    state(page, "done")
    id = start(page)
    state(page, "done")
    for file in site.store.path.parent.glob("sessions.db*"):
        file.unlink()
    site.service.begun.clear()
    other = new_page(expected="503")
    other.goto(f"{site.url}?session={id}", wait_until="domcontentloaded")
    expect(other.locator("#message")).to_contain_text("The session database can't be used")
    assert "Traceback" not in other.locator("body").inner_text()
    page.get_by_role("button", name="Start search").click()
    expect(page.locator("#message .alarm")).to_contain_text("The session database can't be used")
