"""Whether everybody can use the pages: what axe-core finds on each route, one heading, a language, a focus that is seen, no
motion for those who want none, and a word when the server is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import search
from ui.stored import Site, served
from ui.test_charts import choose, open_charts, said
from ui.test_lens import judged

from tts_explorer.app import theme
from tts_explorer.ui.charts import ABOUT
from tts_explorer.viz.marks import contrast

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
SLOW = 60_000
"""ms: a chart needs a library of megabytes, which a busy machine takes its time to read."""
AXE = (Path(__file__).parent / "assets" / "axe.min.js").read_text(encoding="utf-8")
PLOT = ".js-plotly-plot .xtick text"
ROUTES = {
    "explore": ("", ["#search-view[data-state=done] [role=treeitem]", "#search-view .answer .text"]),
    "sessions": ("sessions", ["#shelf tbody .open", "#shelf .tag"]),
    "compare": (
        "compare?a=example-1-beam-search&b=example-2-dvts",
        [
            "#compared tbody td",
            "#lane-a[data-state=done] [role=treeitem]",
            "#lane-b[data-state=done] [role=treeitem]",
            f"#curve {PLOT}",
        ],
    ),
    "nothing to compare": ("compare", ["#message .message"]),
    "lens": ("lens", ["#lens .wrong li", "#lens .right li", f"#calibration {PLOT}", "#calibration-said p"]),
    "about": ("about", ["#about .models li", "#about .families li"]),
}
"""Each with what is there once the page is."""
BARS = """() => [...document.querySelectorAll('html, body, #search-view *, .sidebar *')]
.filter((one) => getComputedStyle(one).colorScheme !== 'dark').map((one) => one.outerHTML.slice(0, 60)).slice(0, 5)"""
"""What would have a light scrollbar, or light arrows, on a dark page."""
LOOK = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
.filter((found) => ['serious', 'critical'].includes(found.impact))
.map((found) => `${found.id}: ${found.nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`)"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("access")) as made:
        made.store.append([("one", search()), ("two", search()), ("judged", judged([("8", 0.9), ("7", 0.2), ("7", 0.8)]))])
        made.store.label("one", title="a title", tags=["a tag"], notes="a note")
        yield made


@pytest.fixture
def visit(site: Site, new_page: Callable[..., Page]) -> Iterator[Callable[..., Page]]:
    """Open a route and wait for what it shows; nothing may be asked of another host."""
    elsewhere: list[str] = []
    ours = (site.url, "data:", "blob:")

    def visited(route: str, theme: str = "light", also: str = "", **options: int) -> Page:
        page = new_page(**options)
        page.on("request", lambda asked: None if asked.url.startswith(ours) else elsewhere.append(asked.url))
        place, there = ROUTES[route]
        page.goto(f"{site.url}{place}{'&' if '?' in place else '?'}__theme={theme}{also}", wait_until="domcontentloaded")
        for part in there:
            expect(page.locator(part).first).to_be_visible(timeout=SLOW)
            expect(page.locator(part).first).not_to_be_empty()
        page.wait_for_selector("#lead h1:has-text(' '), #lead h1:not(:empty)")
        return page

    yield visited
    assert elsewhere == []


def sideways(page: Page) -> int:
    """How many pixels the document is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("theme_name", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_whole_at_every_width_in_every_theme(visit, route: str, width: int, theme_name: str) -> None:
    page = visit(route, theme_name, width=width)
    page.evaluate(AXE)
    assert page.evaluate(LOOK) == []
    assert sideways(page) == 0
    assert page.evaluate("document.body.classList.contains('dark')") == (theme_name == "dark")
    assert theme_name == "light" or page.evaluate(BARS) == []
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize(("width", "theme_name"), [(1280, "dark"), (390, "light")])
def test_every_chart_is_whole_wide_and_narrow_light_and_dark(visit, width: int, theme_name: str) -> None:
    page = visit("explore", theme_name, "&session=example-2-dvts", width=width)
    open_charts(page)
    page.evaluate(AXE)
    for name in ABOUT:
        choose(page, name)
        expect(page.locator(f"#chart {PLOT}").first).to_be_visible(timeout=SLOW)
        expect(said(page)).not_to_be_empty()
        assert page.evaluate(LOOK.replace("document,", "'#charts',")) == [], name
        assert sideways(page) == 0, name


def test_axe_finds_nothing_serious_in_what_is_folded_away(visit) -> None:
    page = visit("explore")
    page.get_by_role("button", name="Charts").click()
    page.wait_for_selector("#chart .js-plotly-plot")
    page.get_by_role("button", name="Sampling and budget").click()
    page.locator("#downloads summary").click()
    page.evaluate(AXE)
    assert page.evaluate(LOOK) == []


def test_the_focus_can_be_seen_wherever_it_goes(visit) -> None:
    page = visit("about")
    style = "(s => [s.outlineStyle, parseFloat(s.outlineWidth)])(getComputedStyle(document.activeElement))"
    for _ in range(6):
        page.keyboard.press("Tab")
        line, width = page.evaluate(style)
        assert line == "solid" and width >= 2, page.evaluate("document.activeElement.outerHTML")


def test_nothing_moves_for_those_who_want_none(visit) -> None:
    page = visit("sessions")
    lasting = "[...document.querySelectorAll('*')].map((e) => parseFloat(getComputedStyle(e).transitionDuration) || 0)"
    assert max(page.evaluate(lasting)) < 0.01


def test_a_lost_server_is_told_with_a_next_step(visit) -> None:
    page = visit("sessions")
    banner = page.locator("#lead .lost")
    expect(banner).to_be_hidden()
    page.route("**/gradio_api/app_id", lambda route: route.fulfill(body="not the app"))
    failing = "dispatchEvent(new Event('offline'))"
    page.evaluate(failing)
    expect(banner).to_be_visible()
    expect(banner).to_have_attribute("role", "alert")
    expect(banner).to_contain_text("A search that runs goes on; reload to attach again.")
    page.unroute("**/gradio_api/app_id")
    page.evaluate(failing)
    expect(banner).to_contain_text("The server answers again.")
    with page.expect_navigation():
        banner.get_by_role("button", name="Reload").click()
    page.wait_for_selector("#shelf [data-asked]", state="attached")
    expect(page.locator("#lead .lost")).to_be_hidden()


def test_the_theme_keeps_its_promise() -> None:
    """Text that is said quietly, and text on what is pressed or chosen."""
    shades = theme().__dict__
    slate, blue = shades["neutral_600"], shades["primary_700"]
    assert contrast(slate, "#f8fafc") >= 4.5
    assert contrast("#ffffff", blue) >= 4.5
