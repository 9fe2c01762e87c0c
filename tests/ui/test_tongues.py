"""Explore and Compare read in Italian and Polish by a real browser: no English in what the server writes for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import search
from ui.stored import Site, served

from tts_explorer.errors import UnknownName
from tts_explorer.events import AnswerGraded, AnswerSelected, CostIncurred, NodeAdded, Record, SearchFinished, SearchStarted
from tts_explorer.tongue import Tongue
from tts_explorer.ui import charts
from tts_explorer.ui.service import NO_SESSION

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)
LANGUAGES = {"it-IT": Tongue("it"), "pl": Tongue("pl")}
ENGLISH = re.compile(
    r"\b(the|of|and|is|are|was|has|it|its|with|which|from|steps?|scores?d?|answers?|best|rule|node|right|wrong|kept|open"
    r"|pruned|duplicate|finished|sampled|tokens (?!na )\w+|weight|count|chosen|differs?|none|seconds|problem|settings|cost)\b",
    re.IGNORECASE,
)
"""Words that no Italian and no Polish sentence has."""
QUOTED = re.compile(r"[“„].*?”|beam search|Make 64 of .* 25\.|max_step_tokens|best-of-N")
"""What stays as it is."""


def greedy() -> list[Record]:
    """The greedy search beside `one`."""
    end = AnswerSelected("64", (0,), "best", {"64": 1.0}), AnswerGraded("64", True), SearchFinished("done")
    start = SearchStarted("Make 64 of 3, 7, 12 and 25.", "greedy", policy="p", parent="one")
    events = [start, NodeAdded((0,), "64", 9, -1.0, "eos", True, "64"), CostIncurred("policy", 9, 9, 1234, 2e9, 0.1), *end]
    return [Record(i, i / 10, None, event) for i, event in enumerate(events)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("tongues")) as made:
        made.store.append([("one", search()), ("greedy", greedy()), ("other", search(n=12, kept=3))])
        yield made


@pytest.fixture(params=LANGUAGES)
def reader(browser, site: Site, request: pytest.FixtureRequest) -> Iterator[tuple[Callable[[str], Page], Tongue]]:
    """Opens pages in a language, and that language."""
    context = browser.new_context(locale=request.param, viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(30_000)

    def opened(place: str) -> Page:
        page.goto(site.url + place, wait_until="domcontentloaded")
        return page

    yield opened, LANGUAGES[request.param]
    context.close()


def english(text: str) -> list[str]:
    return [found[0] for found in ENGLISH.finditer(QUOTED.sub("", text))]


def test_every_chart_speaks_the_readers_language(reader) -> None:
    opened, say = reader
    page = opened("?session=one")
    expect(page.locator("#search-view").first).to_have_attribute("data-state", "done")
    page.get_by_role("button", name=say("Charts")).click()
    for name, about in charts.ABOUT.items():
        page.locator("#chart-choice").get_by_label(say(name), exact=True).check()
        expect(page.locator("#chart-words .about")).to_have_text(say(about))
        expect(page.locator("#chart .js-plotly-plot")).to_be_visible()
        page.wait_for_function("document.querySelector('#chart .xtick text') !== null")
        figure = page.locator("#chart .js-plotly-plot").evaluate(
            "plot => [...plot.querySelectorAll('text')].map(text => text.textContent).concat("
            "plot.data.flatMap(trace => trace.hovertext ?? []).map(text => text.split('<br>').pop()))"
        )
        assert len(figure) > 4
        told = "\n".join([*figure, page.locator("#chart-words").inner_text(), page.locator("#chart-choice").inner_text()])
        assert english(told) == [], told


def test_a_comparison_speaks_the_readers_language(reader) -> None:
    opened, say = reader
    page = opened("compare?a=one&b=other")
    expect(page.locator("#curve .js-plotly-plot")).to_be_visible()
    page.locator("#compared summary").click()
    assert set(english(page.locator("#compared").inner_text())) <= {"best"}, "which is the rule's name"
    for label in (say("finished answers"), "FLOP"):
        page.locator("#curves").get_by_text(label, exact=label != "FLOP").first.click()
        expect(page.locator("#curve .js-plotly-plot")).to_be_visible()
        assert english(page.locator("#curves").inner_text()) == []
    expect(page.locator("#curve .xtitle")).to_have_text(say("FLOPs of both models"))
    page = opened("compare?a=one")
    expect(page.locator("#message")).to_contain_text(say("two recorded ones"))
    assert english(page.locator("#message").inner_text()) == []


def test_the_estimate_the_baseline_and_errors_speak_the_readers_language(reader) -> None:
    opened, say = reader
    page = opened("?session=one&strategy=beam_search&n=1000")
    expect(page.locator("#estimate")).to_contain_text(say("About {cost}{worth}.", cost="", worth="").rstrip("."))
    expect(page.locator("#search-view .baseline")).to_contain_text(say.plural(1234, "{n} token", "{n} tokens"))
    expect(page.locator("#message")).to_contain_text(say("The rest of the link is kept, but {reasons}.", reasons="").rstrip("."))
    for place in ("#estimate", "#search-view .baseline", "#message"):
        assert english(page.locator(place).inner_text()) == []
    page.locator("#setting-beam_width input[type=number]").fill("3")
    page.keyboard.press("Tab")
    expect(page.locator("#estimate")).to_contain_text("beam_width")
    assert english(page.locator("#estimate").inner_text()) == []
    page = opened("?session=nope")
    wrong = say.of(UnknownName(NO_SESSION, id="nope"))
    expect(page.locator("#message .alarm")).to_have_text(wrong)
    page.get_by_text(say("Download"), exact=True).click()
    page.locator("#downloads [data-format=csv]").click()
    expect(page.locator("#downloads .said")).to_have_text(wrong)
