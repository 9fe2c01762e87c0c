"""Links into Explore, in a real browser: a session at a place, filled controls, a page in a frame, large type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from ui.stored import Site, served

from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import problem_at

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
SESSION = "session=example-3-best-of-n"
SMALL_TYPE = """() => [...document.querySelectorAll('#search-view *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)
  .map(e => [parseFloat(getComputedStyle(e).fontSize) * (e.currentCSSZoom ?? 1), e.textContent.slice(0, 30)])
  .filter(([size]) => size < 18)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    names = pytest.MonkeyPatch()
    for place in ("tts_explorer.ui.controls.families", "tts_explorer.models.families"):
        names.setattr(place, lambda policy: ["countdown", "maze"] if policy == "bundled:small" else [])
    with served(tmp_path_factory.mktemp("db")) as site:
        yield site
    names.undo()


def visit(new_page: Any, site: Site, query: str, **options: Any) -> Page:
    page = new_page(**options)
    page.goto(f"{site.url}?{query}", wait_until="domcontentloaded")
    expect(page.locator("#search-view").first).to_have_attribute("data-state", "done")
    return page


def value(page: Page, control: str) -> str:
    return page.locator(f"#{control} :is(input, textarea)").first.input_value()


def test_a_link_opens_a_session_at_an_event_and_a_node(new_page, site: Site) -> None:
    page = visit(new_page, site, f"{SESSION}&at=60&node=2.0")
    expect(page.locator("#search-view").first).to_have_attribute("data-seq", "60")
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_have_attribute("data-path", "2.0")
    expect(page.locator("#search-view .which")).to_contain_text("node 2.0")
    page = visit(new_page, site, f"{SESSION}&at=-1&node=99.9")
    expect(page.locator("#search-view").first).to_have_attribute("data-seq", "-1")
    page = visit(new_page, site, f"{SESSION}&at=99999&view=moon")
    assert page.locator("#search-view").first.get_attribute("data-seq") != "60"
    expect(page.locator("#message")).to_have_text(
        "The rest of the link is kept, but view is 'moon': it must be one of tree, table, chart."
    )


def test_a_copied_link_leads_back_to_the_same_place(new_page, site: Site) -> None:
    page = visit(new_page, site, SESSION)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#search-view .copied")).to_have_text("The link is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}?{SESSION}"
    page.locator("#search-view .scrubber").fill("80")
    page.wait_for_selector("#search-view .scrubber[aria-valuetext^='event 80 of']")
    page.locator("[role=treeitem][data-path='3.0']").click()
    seq = page.locator("#search-view").first.get_attribute("data-seq")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('node'))")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{site.url}?{SESSION}&at={seq}&node=3.0"
    page.goto(link, wait_until="domcontentloaded")
    expect(page.locator("#search-view").first).to_have_attribute("data-seq", seq)
    expect(page.locator("[role=treeitem][aria-selected=true]")).to_have_attribute("data-path", "3.0")


def test_where_nothing_can_be_copied_the_address_bar_has_the_link(new_page, site: Site) -> None:
    page = visit(new_page, site, "")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined }); document.execCommand = () => false")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#search-view .copied")).to_be_visible()
    assert page.url == f"{site.url}?session=example-1-beam-search"


def test_a_link_fills_the_controls_and_starts_nothing(new_page, site: Site) -> None:
    models = "policy=bundled:small&verifier=bundled:prm&seed=9&temperature=0.5"
    link = f"task=maze&level=2&index=7&{models}&strategy=dvts&n=128&beam_width=2"
    page = visit(new_page, site, link)
    expect(page.locator("#message")).to_contain_text("press Start search")
    expect(page.locator("#setting-n input[type=number]")).to_have_value("128")
    assert value(page, "problem") == problem_at(task_named("maze"), "test", 2, 7).text
    assert value(page, "strategy") == "DVTS" and value(page, "task") == "Maze" and value(page, "level") == "2"
    expect(page.locator("#setting-beam_width input[type=number]")).to_have_value("2")
    expect(page.locator("#setting-rounds")).to_have_count(0)
    page.get_by_role("button", name="Sampling and budget").click()
    assert value(page, "seed") == "9"
    assert not site.store.sessions()
    expect(page.locator("#estimate")).to_contain_text("About ")
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url("**session=*")
    assert page.url.partition("?")[2].startswith("session=") and "strategy" not in page.url
    start = site.store.records(page.url.rpartition("=")[2])[0].event
    assert (start.task, start.problem_id, start.strategy, start.seed) == ("maze", "test/2/7", "dvts", 9)
    assert start.settings["n"] == 128 and start.sampling["temperature"] == 0.5


def test_bad_values_are_one_sentence_and_the_rest_is_kept(new_page, site: Site) -> None:
    page = visit(new_page, site, "strategy=beam_search&n=900&beam_width=2&level=<img src=/pwned onerror=window.pwned=1>")
    expect(page.locator("#message .message")).to_contain_text("n is '900': it must be a whole number from 1 to 256")
    expect(page.locator("#setting-beam_width input[type=number]")).to_have_value("2")
    expect(page.locator("#setting-n input[type=number]")).to_have_value("16")
    assert page.evaluate("window.pwned") is None


def test_a_frame_holds_the_search_alone(new_page, site: Site) -> None:
    page = visit(new_page, site, f"{SESSION}&embed=1", width=700)
    for part in ("#controls", "#drawer", "#lead", "#charts", "#downloads", "#message", "footer"):
        expect(page.locator(part).first).to_be_hidden()
    box = page.locator("#search-view").first.bounding_box()
    assert box["x"] < 12 and box["width"] > 670
    page = visit(new_page, site, f"{SESSION}&embed=1&view=chart")
    expect(page.locator("#chart .js-plotly-plot")).to_be_visible()


def test_large_type_is_large(new_page, site: Site) -> None:
    for width in (1920, 1280, 390):
        page = visit(new_page, site, f"{SESSION}&present=1", width=width)
        assert page.evaluate(SMALL_TYPE) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), width


def test_the_table_comes_first_if_the_link_asks_for_it(new_page, site: Site) -> None:
    page = visit(new_page, site, f"{SESSION}&view=table")
    tops = [page.locator(f"#search-view .{name}").first.bounding_box()["y"] for name in ("candidates", "tree")]
    assert tops[0] < tops[1]
    assert page.locator("#search-view .panels > section").first.get_attribute("aria-label") == "Candidates"


def pick(page: Page, control: str, words: str) -> None:
    """Choose from a menu with the keyboard."""
    page.locator(f"#{control} input").fill(words)
    page.wait_for_timeout(200)
    page.keyboard.press("Enter")
    expect(page.locator(f"#{control} input")).to_have_value(words)


def test_a_policy_that_does_not_know_the_task_is_said_so(new_page, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    page = visit(new_page, site, "")
    page.locator("#task input").click()
    offered = page.locator("#task [role=option]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert offered == ["Countdown", "Maze"]
    page.keyboard.press("Escape")
    expect(page.locator("#estimate")).to_contain_text("About ")
    expect(page.locator("#task-warning p")).to_have_count(0)
    for place in ("tts_explorer.ui.controls.families", "tts_explorer.models.families"):
        monkeypatch.setattr(place, lambda policy: ["countdown"])
    pick(page, "task", "Maze")
    expect(page.locator("#task-warning")).to_contain_text("bundled:small was trained on countdown alone")
    pick(page, "task", "Countdown")
    expect(page.locator("#task-warning p")).to_have_count(0)
