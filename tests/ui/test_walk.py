"""A stranger's walk through the whole site, with the bundled models, a real worker and a real database; each screen is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from ui.stored import Site, served

from tts_explorer.runner import Models

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
OWN = "Use the numbers 3, 7, 12 and 25 once each to make 64."


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("walk"), Models()) as made:
        yield made


def state(page: Page, word: str) -> None:
    expect(page.locator("#search-view").first).to_have_attribute("data-state", word)


def shown_to_its_end(page: Page, site: Site) -> str:
    """Wait until the search of the address is over and on the page; its id. Until then what was there before is shown."""
    id = page.url.rpartition("session=")[2]
    for _ in range(300):
        if site.store.session(id).state != "running":
            break
        page.wait_for_timeout(100)
    last = site.store.records(id)[-1].seq
    page.wait_for_selector(f"#search-view[data-state=done][data-seq='{last}']", state="attached")
    return id


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_a_strangers_walk(new_page, site: Site, tmp_path: Path, width: int, theme: str) -> None:
    page = new_page(width=width)

    def keep(screen: str) -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), f"{screen} scrolls sideways"
        page.screenshot(path=tmp_path / f"{screen}.png", full_page=True)

    # Cold: a recording, explained. The strategy of the link is a slow one, so that it can be stopped.
    page.goto(f"{site.url}?__theme={theme}&strategy=mcts&n=256", wait_until="domcontentloaded")
    state(page, "done")
    expect(page.locator("#search-view .baseline")).not_to_be_empty()
    keep("1 the recording")

    phone = width < 700
    controls = page.get_by_role("button", name="Choose a problem and start")
    if phone:
        controls.click()
    numbers = page.locator("#problem textarea")  # a search with numbers of one's own
    numbers.fill(OWN)
    page.get_by_role("button", name="Start search").click()
    page.wait_for_url("**session=*")
    page.locator("#halt" if phone else "#stop").click()
    first = shown_to_its_end(page, site)
    keep("2 stopped")
    if phone:
        controls.click()
    page.locator("#setting-n input[type=number]").fill("16")
    assert site.store.session(first).state == "cancelled"

    page.get_by_role("button", name="Start search").click()
    page.wait_for_url(lambda url: "session=" in url and first not in url)
    second = shown_to_its_end(page, site)
    expect(page.locator("#search-view .answer .text")).not_to_be_empty()
    keep("3 one's own")
    page.go_back()  # what one saw before is still there
    assert first in page.url
    state(page, "done")

    step = next(iter(site.service.node(second, "0")["steps"]))["text"].strip().splitlines()[0]
    page.goto(f"{site.url}sessions?__theme={theme}", wait_until="domcontentloaded")  # found again by a word in a step
    page.get_by_label("Find", exact=True).fill(f'"{step}"')
    expect(page.locator("#shelf .found")).to_contain_text("found")
    expect(page.locator(f"#shelf tr[data-id='{second}']")).to_be_visible()
    keep("4 found")
    page.get_by_label("Find", exact=True).fill("")
    expect(page.locator(f"#shelf tr[data-id='{first}']")).to_be_visible()

    for id in (first, second):  # two side by side
        page.locator(f"#shelf tr[data-id='{id}']").get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare?**")
    for lane in ("a", "b"):
        expect(page.locator(f"#lane-{lane}")).to_have_attribute("data-state", "done")
    keep("5 compared")

    page.goto(f"{site.url}sessions?__theme={theme}", wait_until="domcontentloaded")  # saved, deleted, brought in again
    page.locator(f"#shelf tr[data-id='{second}']").get_by_role("checkbox").check()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export").click()
    page.locator("#shelf .bulk [data-do=delete]").click()
    expect(page.locator(f"#shelf tr[data-id='{second}']")).to_have_count(0)
    page.locator("#shelf .file").set_input_files(
        {"name": "mine.jsonl", "mimeType": "text/plain", "buffer": Path(saved.value.path()).read_bytes()}
    )
    expect(page.locator("#shelf .toast")).to_contain_text("imported from mine.jsonl")
    keep("6 brought in again")
    page.locator("#shelf tbody tr .open").first.click()
    state(page, "done")
    keep("7 opened again")
    again = page.url.partition("session=")[2].partition("&")[0]
    assert site.store.export(again) == site.store.export(second)
