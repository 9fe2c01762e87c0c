"""Every link in every place that shows hostile text, clicked: each leads to this site, none runs anything or asks anybody else.

The strings stand in three sessions, a hundred in a text. A plain click on each link is caught where it would leave the
page; then each that is the place's own is followed into a tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import search
from ui.stored import Site, served
from ui.test_charts import choose, download, open_charts
from ui.test_hostile import CLEAN, CLICK, STRINGS, refined, says
from ui.test_lens import judged
from viz import streams

from tts_explorer.ui.charts import ABOUT

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

GROUPS = ["\n".join(STRINGS[i::3]) for i in range(3)]
READY = {  # what is there when a page has shown what it was asked for
    "/": "#search-view[data-state=done], #search-view[data-state=empty]",
    "/sessions": "#shelf [data-asked]",
    "/compare": "#lane-b[data-state=done], #message .message",
    "/lens": "#lens [data-asked]",
    "/about": "#about .models li",
}
WAYS = {f"/{name}" if name else "/" for name in ("", "sessions", "compare", "lens", "about")}
"""The links that stand at the head of every page."""
LINKS = """() => [...document.querySelectorAll('a, area, [role=link], svg [href]')].filter((one) => one.checkVisibility())
  .map((one) => ({ href: one.href?.baseVal ?? one.href ?? '', host: one.host, text: one.textContent.slice(0, 60) }))"""
CAUGHT = """async () => {
  const seen = [];
  const hold = (event) => { seen.push(event.destination.url); event.preventDefault(); };
  navigation.addEventListener('navigate', hold);
  for (const link of [...document.querySelectorAll('a, area, [role=link], svg [href]')].filter((one) => one.checkVisibility())) {
    link.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, view: window }));
    await new Promise((done) => setTimeout(done, 0));
  }
  navigation.removeEventListener('navigate', hold);
  return seen;
}"""
DRAWN = "document.querySelector('#chart .js-plotly-plot')?._fullData"
POINTED = """(id) => {
  const strange = 'svg :is(a, iframe, script, style), svg image:not([*|href^="data:"])';
  const plot = document.querySelector(`${id} .js-plotly-plot`), texts = [], found = [];
  for (const [curveNumber, trace] of plot._fullData.entries())
    for (let pointNumber = 0; pointNumber < (trace.hoverinfo === 'skip' ? 0 : trace.x.length); pointNumber += 1) {
      Plotly.Fx.unhover(plot);
      Plotly.Fx.hover(plot, [{ curveNumber, pointNumber }]);
      texts.push(...[...plot.querySelectorAll('.hoverlayer text')].map((one) => one.textContent));
      found.push(...[...plot.querySelectorAll(strange)].map((one) => one.outerHTML.slice(0, 80)));
    }
  return [[...new Set(texts)].join(' '), found];
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("links")) as made:
        made.store.append([("steps", search(n=100, kept=10, depth=3, say=says()))])
        made.store.append([("feedback", refined(says())), ("verdicts", streams.verified(40, says()))])
        for i, text in enumerate(GROUPS):
            about = {"verifier": STRINGS[i], "task": STRINGS[-1 - i], "policy": STRINGS[50 + i]}
            made.store.append([(f"group{i}", judged([(text, 0.9), ("7", 0.1)], lambda _, text=text: text, **about))])
            lines = text.splitlines()
            made.store.label(f"group{i}", title=" ".join(lines)[:200], tags=[line[:40] for line in lines[:12]], notes=text[:4000])
        yield made


@pytest.fixture
def watched(new_page: Callable[..., Page], site: Site) -> Iterator[Callable[[], Page]]:
    """Pages no tab of which asks anything off the host."""
    asked: list[str] = []

    def opened() -> Page:
        page = new_page()
        page.context.on("request", lambda request: asked.append(request.url))
        return page

    yield opened
    hosts = {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:", "file:"))}
    assert hosts <= {urlsplit(site.url).netloc}


@pytest.fixture
def visit(watched: Callable[[], Page], site: Site) -> Callable[[str], Page]:
    def visited(route: str) -> Page:
        page = watched()
        page.goto(site.url + route, wait_until="domcontentloaded")
        ready(page)
        return page

    return visited


def ready(page: Page) -> None:
    """Wait for what the address asks for, and see that nothing hostile has happened."""
    page.wait_for_selector(READY[urlsplit(page.url).path], state="attached")
    page.wait_for_selector("#lead h1:not(:empty)")
    assert page.evaluate(CLEAN) == [None, [], []]


def links(page: Page) -> dict[str, str]:
    """Address to text of what stands in the content; every link of the page leads to a route of this site."""
    found = page.evaluate(LINKS)
    here = urlsplit(page.url)
    for link in found:
        there = urlsplit(link["href"])
        assert (there.scheme, there.netloc) == (here.scheme, here.netloc) and there.path in READY, link
    paths = {urlsplit(link["href"]).path for link in found}
    assert paths >= WAYS, "a page has lost its ways to the others"
    return {link["href"]: link["text"] for link in found}


def click_all(page: Page, spot: str = "#none") -> int:
    """Click every link of the page, then those in `spot` in tabs of their own; how many of these there are."""
    known, here = links(page), page.url
    caught = page.evaluate(CAUGHT)
    assert {url for url in caught if url != here} == {url for url in known if url != here}
    assert page.evaluate(CLEAN) == [None, [], []]
    inner = page.locator(f":is({spot}) a[href]:visible")
    followed = dict(reversed([(link.evaluate("one => one.href"), link) for link in inner.all()]))
    for href, link in followed.items():
        with page.context.expect_page() as opening:
            link.click(button="middle")
        tab = opening.value
        tab.wait_for_url(href)
        ready(tab)
        tab.close()
    return len(followed)


def test_the_groups_hold_all_of_them() -> None:
    assert sorted("\n".join(GROUPS).split("\n")) == sorted(STRINGS)


def test_the_ways_to_the_other_pages(visit: Callable[[str], Page]) -> None:
    page = visit("about")
    assert click_all(page, "#about, .nav-holder") == 5
    page.get_by_role("button", name="Settings").click()
    links(page)


@pytest.mark.parametrize("session", ["feedback", "verdicts"])
def test_in_explore_and_what_it_tells_of_a_node(visit: Callable[[str], Page], session: str) -> None:
    page = visit(f"?session={session}&node=0.0")
    page.wait_for_selector("#search-view .detail .own")
    click_all(page)


def test_in_the_list_of_sessions(visit: Callable[[str], Page], site: Site) -> None:
    page = visit("sessions")
    file = {"name": f"{STRINGS[3]}.jsonl", "mimeType": "text/plain", "buffer": site.store.export("group0")}
    page.locator("#shelf .file").set_input_files(file)
    expect(page.locator("#shelf .toast")).to_contain_text("imported")
    known = len(site.store.sessions(limit=50))
    expect(page.locator("#shelf tbody .open")).to_have_count(known)
    assert click_all(page, "#shelf tr[data-id^=group], #shelf tbody tr:first-child") == 7
    page.locator("#shelf [data-do=link]").first.click()
    expect(page.locator("#shelf .toast")).to_contain_text("link")
    page.locator("#shelf .tag").first.click()
    expect(page.locator("#shelf tbody .open")).to_have_count(1)
    page.reload(wait_until="domcontentloaded")
    ready(page)
    page.locator("#shelf tbody .open").click()
    page.wait_for_url("**?session=group*")
    ready(page)


def test_in_a_comparison(visit: Callable[[str], Page]) -> None:
    page = visit("sessions")
    for row in page.locator("#shelf tr[data-id^=group]").all()[:2]:
        row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    page.wait_for_url("**/compare?**")
    ready(page)
    page.wait_for_selector("#curve .js-plotly-plot")
    assert click_all(page, "#compared, #lanes") == 2
    texts, made = page.evaluate(POINTED, "#curve")
    assert texts and not made


def test_in_what_is_said_of_a_link_that_leads_nowhere(visit: Callable[[str], Page]) -> None:
    page = visit(f"compare?a={quote(GROUPS[0])}&b=group1")
    assert click_all(page, "#message") == 2
    click_all(visit(f"?session={quote(GROUPS[1])}&task={quote(GROUPS[2])}&node={quote(STRINGS[0])}"), "#message")


def test_under_the_lens(visit: Callable[[str], Page]) -> None:
    page = visit("lens")
    page.wait_for_selector("#calibration .js-plotly-plot")
    assert click_all(page, "#lens .wrong") >= 3
    texts, made = page.evaluate(POINTED, "#calibration")
    assert texts and not made


def test_in_what_a_chart_says_to_the_pointer(visit: Callable[[str], Page]) -> None:
    page = visit("?session=steps&node=0.1")
    page.wait_for_selector("#search-view .detail .own")
    texts = ""
    for i, name in enumerate(ABOUT):
        page.evaluate(f"window.before = {DRAWN}")
        choose(page, name) if i else open_charts(page)
        page.wait_for_function(f"{DRAWN} && {DRAWN} !== window.before")
        said, made = page.evaluate(POINTED, "#chart")
        assert not made, name
        texts += said
        links(page)
    assert texts.count("pwned") > 300
    page.locator("#chart .points path").nth(5).hover(force=True)
    expect(page.locator("#chart .hoverlayer text").first).to_contain_text("node")
    click_all(page)


def test_in_files_that_a_browser_opens(visit: Callable[[str], Page], watched: Callable[[], Page], tmp_path: Path) -> None:
    page = visit("?session=group2&node=0.0")
    page.wait_for_selector("#search-view .detail .own")
    click_all(page)
    page.get_by_text("Download", exact=True).click()
    for format in ("html", "svg"):
        name, written = download(page, format)
        assert name == f"search-group2.{format}"
        file = tmp_path / name
        file.write_bytes(written)
        opened = watched()
        opened.goto(file.as_uri())
        if format == "html":
            opened.wait_for_selector("#search-view[data-state=done]")
            items = opened.locator("#search-view [role=treeitem]")
            opened.evaluate(CLICK, items.evaluate_all("all => all.map((one) => one.dataset.path)"))
        assert opened.evaluate(LINKS) == [] and opened.evaluate("window.pwned ?? null") is None
        assert opened.evaluate("document.querySelectorAll('img, image, iframe, foreignObject, a').length") == 0
