"""Three hundred hostile strings in every place of the site that shows what a person or a model wrote: none runs, none asks for
anything off the host, none becomes an element."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import search
from ui.stored import Site, served
from viz import streams

from tts_explorer.events import FeedbackGiven, Record

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)

BAD = "window.pwned=1"
PAYLOADS = (
    f"<img src=//pwned.example/x onerror={BAD}>", f"<script>{BAD}</script>", "<script src=//pwned.example/x.js></script>",
    f"<svg onload={BAD}>", f"<svg><script>{BAD}</script></svg>", f"<body onload={BAD}>",
    f"<iframe srcdoc='<script>parent.{BAD}</script>'>", "<iframe src=//pwned.example></iframe>",
    f"<a href=javascript:{BAD}>go</a>", "<a href=//pwned.example>go</a>", f"[go](javascript:{BAD})",
    "![x](//pwned.example/x.png)", "[go](//pwned.example)", "<link rel=stylesheet href=//pwned.example/x.css>",
    "<style>@import '//pwned.example/x.css';</style>", "<style>* { background: url(//pwned.example/x) }</style>",
    f"<details open ontoggle={BAD}>", f"<input autofocus onfocus={BAD}>", f"<video><source onerror={BAD}></video>",
    "<meta http-equiv=refresh content='0;url=//pwned.example'>", "<base href=//pwned.example/>",
    "<form action=//pwned.example><button>", f"<math><mtext><style><img src=x onerror={BAD}></style>",
    f"<template><img src=x onerror={BAD}></template>", f"javascript:{BAD}",
    "data:text/html,<script>window.parent.pwned=1</script>", "$${\\href{//pwned.example}{x}}$$",
    f"{{{{constructor.constructor('{BAD}')()}}}}", f"${{{BAD}}}", f"<x-y style=animation-name:a onanimationstart={BAD}>",
)  # fmt: skip
AROUND = ("{}", "'>{}", '">{}', "</title>{}", "</textarea>{}", "-->{}", "</script>{}", "`);{}//", "\\u003c{}", "\u202e{}\u2028")
STRINGS = [around.replace("{}", payload) for around in AROUND for payload in PAYLOADS]

CLEAN = """() => {
  const spots = [...document.querySelectorAll('#search-view, #shelf, #comparison, #lens, #others, main')];
  const own = (a) => a.protocol.startsWith('http') && a.host === location.host;
  const all = (selector) => spots.flatMap((spot) => [...spot.querySelectorAll(selector)]);
  const made = 'iframe, object, embed, base, meta, form[action], x-y, math, [onerror], [onload]';
  return [window.pwned ?? null, all('a[href]').filter((a) => !own(a) && !a.closest('.js-plotly-plot')).map((a) => a.href),
    all(made).filter((e) => !e.closest('.plotly')).map((e) => e.outerHTML.slice(0, 80))];
}"""


def says() -> Callable[[Any], str]:
    """The next of the strings at each call, whatever should have been said."""
    turn = cycle(STRINGS)
    return lambda _: next(turn)


def refined(say: Callable[[Any], str]) -> list[Record]:
    """A revised answer with a hundred pieces of feedback on one attempt."""
    records = streams.refinement(say)
    at, first = next((i, record) for i, record in enumerate(records) if isinstance(record.event, FeedbackGiven))
    more = [replace(first, event=replace(first.event, text=say(""))) for _ in range(300)]
    return [replace(record, seq=seq) for seq, record in enumerate([*records[:at], *more, *records[at:]])]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("hostile")) as made:
        made.store.append([("steps", search(n=100, kept=10, depth=3, say=says()))])
        made.store.append([("feedback", refined(says())), ("verdicts", streams.verified(40, says()))])
        for i, text in enumerate(STRINGS):
            made.store.append([(f"labelled{i}", search(n=2, kept=1, depth=1, say=lambda _, text=text: text))])
            made.store.label(f"labelled{i}", title=text, tags=[text[:40]], notes=text)
        yield made


@pytest.fixture
def visit(new_page: Callable[..., Page], site: Site) -> Iterator[Callable[[str], Page]]:
    """Open a route; at the end nothing hostile must have happened in any page."""
    pages: list[Page] = []
    asked: list[str] = []

    def opened(route: str) -> Page:
        page = new_page()
        page.on("request", lambda request: asked.append(request.url))
        pages.append(page)
        page.goto(site.url + route, wait_until="domcontentloaded")
        return page

    yield opened
    for page in pages:
        assert page.evaluate(CLEAN) == [None, [], []]
    assert asked and not [
        url for url in asked if urlsplit(url).netloc != urlsplit(site.url).netloc and url[:5] not in ("data:", "blob:")
    ]


CLICK = """async (paths) => {
  const frame = () => new Promise(requestAnimationFrame);
  for (const path of paths) {
    const node = [...document.querySelectorAll('#search-view [role=treeitem]')].find((one) => one.dataset.path === path);
    node.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    await frame();
  }
  return paths.length;
}"""


def test_there_are_three_hundred_and_they_differ() -> None:
    assert len(set(STRINGS)) == len(STRINGS) == 300


def test_in_steps_and_the_problem(visit: Callable[[str], Page], site: Site) -> None:
    page = visit("?session=steps")
    page.wait_for_selector("#search-view[data-state=done]")
    items = page.locator("#search-view [role=treeitem]")
    assert page.evaluate(CLICK, items.evaluate_all("all => all.map((one) => one.dataset.path)")[::3]) > 90
    page.locator("#search-view .candidates .step").first.click()
    page.wait_for_selector("#search-view .detail .own")


@pytest.mark.parametrize("session", ["feedback", "verdicts"])
def test_in_feedback_and_verdicts(visit: Callable[[str], Page], session: str) -> None:
    page = visit(f"?session={session}")
    page.wait_for_selector("#search-view[data-state=done]")
    items = page.locator("#search-view [role=treeitem]")
    page.evaluate(CLICK, items.evaluate_all("all => all.map((one) => one.dataset.path)"))
    items.nth(3).dispatch_event("click")
    page.wait_for_selector("#search-view .spoken:not([hidden])")


def test_in_titles_tags_and_notes(visit: Callable[[str], Page], site: Site) -> None:
    page = visit("sessions")
    page.wait_for_selector("#shelf [data-asked]", state="attached")
    shown: set[str] = set()
    for _ in range(13):
        shown |= set(page.locator("#shelf .open").all_text_contents())
        asked = page.locator("#shelf [data-asked]").get_attribute("data-asked")
        following = page.locator("#shelf .pages [data-do=next]")
        if following.is_disabled():
            break
        following.click()
        page.wait_for_function("asked => document.querySelector('#shelf [data-asked]').dataset.asked !== asked", arg=asked)
    assert len(shown & {text.strip() for text in STRINGS} | shown & set(STRINGS)) > 290
    page.locator("#shelf tbody tr").first.get_by_role("button", name="Edit title").click()
    page.get_by_role("button", name="Save").click()
    page.locator("#shelf tbody tr .open").first.click()
    page.wait_for_selector("#search-view[data-state=done]")


def test_in_an_imported_session_and_a_comparison(visit: Callable[[str], Page], site: Site, tmp_path: Path) -> None:
    page = visit("sessions")
    page.wait_for_selector("#shelf [data-asked]", state="attached")
    file = {"name": f"{STRINGS[0][:20]}.jsonl", "mimeType": "text/plain", "buffer": site.store.export("steps")}
    page.locator("#shelf .file").set_input_files(file)
    expect(page.locator("#shelf .toast")).to_contain_text("imported")
    new = site.store.sessions(limit=1)[0].id
    assert new != "steps"
    page = visit(f"compare?a={new}&b=labelled7")
    page.wait_for_selector("#lane-a[data-state=done]")
    page.wait_for_selector("#lane-b[data-state=done]")


def test_in_the_lens_and_in_links(visit: Callable[[str], Page]) -> None:
    visit("lens").wait_for_selector("#lens [data-asked]", state="attached")
    for text in STRINGS[::60]:
        page = visit(f"?session={quote(text)}&task={quote(text)}&strategy={quote(text)}&problem={quote(text)}")
        page.wait_for_selector("#search-view[data-state]")
