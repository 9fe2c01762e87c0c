"""About: what it says is read from the models and the store that are there, and its links stay inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from ui.stored import Site, served

from tts_explorer.assets import folder
from tts_explorer.strategies import strategy_named, strategy_names, title_of
from tts_explorer.tasks import task_named, task_names
from tts_explorer.ui.about import card, order

expect.set_options(timeout=20_000)
CARDS = sorted((folder() / "models").glob("*/README.md"))


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_a_card_is_read(path: Path) -> None:
    read = card(path)
    assert read["name"] == f"bundled:{path.parent.name}" and read["what"] and read["limits"]
    assert dict(read["facts"])["parameters"].replace(",", "").isdigit()


def test_a_card_that_says_little_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "README.md").write_text("# bare\n", encoding="utf-8")
    assert card(tmp_path / "bare" / "README.md") == {"name": "bundled:bare", "what": "", "facts": [], "limits": ""}


def test_policies_come_first_from_the_smallest_on() -> None:
    ordered = [model["name"].removeprefix("bundled:") for model in sorted(map(card, CARDS), key=order)]
    assert [name for name in ordered if name in ("nano", "small", "medium", "prm")] == ["nano", "small", "medium", "prm"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("about")) as made:
        yield made


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_it_names_every_model_and_family_and_the_database(site: Site, new_page: Callable[..., Page], width: int) -> None:
    page = new_page(width=width)
    off: list[str] = []
    page.on("request", lambda request: None if request.url.startswith((site.url, "data:", "blob:")) else off.append(request.url))
    page.goto(f"{site.url}about", wait_until="domcontentloaded")
    expect(page.locator("#about .models li")).to_have_count(len(CARDS))
    for name in task_names():
        expect(page.locator("#about .families")).to_contain_text(task_named(name).TITLE)
    for name in strategy_names():
        row = page.locator("#about details").filter(has=page.get_by_text(title_of(strategy_named(name)), exact=True))
        row.locator("summary").click()
        expect(row).to_contain_text("reference tool")
    expect(page.locator("#about .place")).to_contain_text(str(site.store.path.absolute()))
    expect(page.locator("#about .hosted")).to_be_hidden()
    links = page.locator("#about a").evaluate_all("found => found.map((link) => link.href)")
    assert links == [f"{site.url}lens", f"{site.url}sessions"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert off == []


@pytest.mark.browser
def test_the_way_to_every_route_is_in_the_navigation(site: Site, new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.goto(f"{site.url}about", wait_until="domcontentloaded")
    for name in ("Explore", "Sessions", "Compare", "Lens", "About"):
        expect(page.locator(".nav-holder").get_by_role("link", name=name, exact=True)).to_be_visible()
