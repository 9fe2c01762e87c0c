"""The page in a real browser, over a real worker and a real database; only the models are scripted."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from ui.stored import Site, served

from tts_explorer.events import NodeAdded
from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Ask, Models

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
ANSWER = "\\boxed{9 * 9}"


class SlowPolicy(ScriptedPolicy):
    """Takes its time, as a model would."""

    pace = 0.05
    """Seconds a character; a busy machine's browser must still see the search while it runs."""

    def tick(self):
        time.sleep(self.pace)
        return super().tick()


def steps(text: str, rng: random.Random) -> tuple[str, str]:
    """Four steps of a countdown, then an answer."""
    if text.count("\n\n") >= 4:
        return ANSWER, "eos"
    return f"{rng.randrange(2, 99)} + {rng.randrange(2, 99)} = 7, left: 3\n\n", "step"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    judge = ScriptedVerifier(lambda problem, path: random.Random(path[-1]).random())
    models = Models(lambda name: SlowPolicy(steps, name=name), lambda name: judge)
    with served(tmp_path_factory.mktemp("db"), models, warmed=False) as found:
        yield found


def events(page: Page) -> int:
    """Position of the newest event that the view has drawn."""
    return int(page.locator("#search-view").first.get_attribute("data-seq") or -1)


def begin(page: Page, site: Site) -> str:
    """Start a search and return its id once the link names it."""
    page.goto(site.url, wait_until="domcontentloaded")
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url("**session=*")
    expect(page.locator("#search-view").first).to_have_attribute("data-state", "live")
    return page.url.rpartition("session=")[2]


def view_is(page: Page, state: str) -> None:
    expect(page.locator("#search-view").first).to_have_attribute("data-state", state)


def test_a_recorded_search_shows_before_any_model_loads(new_page, site: Site) -> None:
    page = new_page()
    page.goto(site.url, wait_until="domcontentloaded")
    view_is(page, "done")
    assert page.locator("#search-view [role=treeitem]").count() > 10
    expect(page.locator("#search-view .baseline")).to_contain_text("The same model’s greedy answer:")


def test_a_search_is_watched_as_it_grows_and_stopped(new_page, site: Site) -> None:
    page = new_page()
    id = begin(page, site)
    first = events(page)
    page.wait_for_function("n => Number(document.querySelector('#search-view')?.dataset.seq) > n + 20", arg=first)
    page.get_by_role("button", name="Stop").click()
    view_is(page, "done")
    expect(page.locator("#search-view .answer")).to_contain_text("topped")
    assert site.service.store.session(id).state == "cancelled"


def test_a_reload_in_mid_run_attaches_again_and_loses_nothing(new_page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowPolicy, "pace", 0.2)
    page = new_page()
    begin(page, site)
    page.wait_for_function("Number(document.querySelector('#search-view')?.dataset.seq) > 10")
    before = events(page)
    page.reload(wait_until="domcontentloaded")
    page.wait_for_function("n => Number(document.querySelector('#search-view')?.dataset.seq) > n", arg=before)
    view_is(page, "live")
    page.get_by_role("button", name="Stop").click()
    view_is(page, "done")


def test_a_link_replays_a_stored_session(new_page, site: Site) -> None:
    page = new_page()
    id = begin(page, site)
    page.get_by_role("button", name="Stop").click()
    view_is(page, "done")
    stored = len(site.service.store.records(id))
    other = new_page()
    other.goto(f"{site.url}?session={id}", wait_until="domcontentloaded")
    view_is(other, "done")
    assert events(other) == stored - 1
    slider = other.locator("#search-view input[type=range]")
    slider.fill("5")
    other.wait_for_function("Number(document.querySelector('#search-view')?.dataset.seq) < 10")


def test_a_finished_search_says_what_the_model_answers_greedily(new_page, site: Site) -> None:
    page = new_page()
    page.goto(site.url, wait_until="domcontentloaded")
    page.locator("#setting-n input[type=number]").fill("4")
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url("**session=*")
    view_is(page, "done")
    expect(page.locator("#search-view .answer")).to_contain_text("9 * 9")
    expect(page.locator("#search-view .baseline")).to_contain_text("– wrong")


def test_bad_settings_and_unreadable_problems_are_one_sentence(new_page, site: Site) -> None:
    page = new_page()
    page.goto(site.url, wait_until="domcontentloaded")
    view_is(page, "done")
    page.locator("#setting-beam_width input[type=number]").fill("3")
    page.get_by_role("button", name="Start search").click()
    expect(page.locator("#message")).to_contain_text("beam_width must divide n")
    page.locator("#problem textarea").fill("<img src=/pwned onerror=window.pwned=1> What is love?")
    page.get_by_role("button", name="Start search").click()
    expect(page.locator("#message")).to_contain_text("knows only its own families")
    assert page.evaluate("window.pwned") is None


def test_an_unknown_session_is_said_so(new_page, site: Site) -> None:
    page = new_page()
    page.goto(f"{site.url}?session=nope", wait_until="domcontentloaded")
    expect(page.locator("#message")).to_contain_text("no session 'nope'")


def test_a_phone_has_no_sideways_scroll(new_page, site: Site) -> None:
    page = new_page(width=390)
    page.goto(site.url, wait_until="domcontentloaded")
    view_is(page, "done")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")


def test_a_node_costs_at_most_250_bytes_on_the_wire_of_a_long_search(new_page, site: Site) -> None:
    page = new_page()
    received: list[int] = []
    tap = page.context.new_cdp_session(page)
    tap.send("Network.enable")
    tap.on("Network.eventSourceMessageReceived", lambda message: received.append(len(message["data"].encode())))
    ask = Ask(strategy="best_of_n", settings={"n": 256}, verifier="bundled:prm", task="countdown")
    id = site.service.start(ask, "somebody")
    page.goto(f"{site.url}?session={id}", wait_until="domcontentloaded")
    view_is(page, "done")
    added = sum(isinstance(record.event, NodeAdded) for record in site.service.store.records(id))
    assert added == 1280
    assert sum(received) / added <= 250, (sum(received), added, len(received))
