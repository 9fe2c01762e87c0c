"""The comparison: what differs, trees in step on one clock, curves; its parts without a browser, then the page in one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from ui.conftest import EVIL, search
from ui.stored import Site, served
from viz import streams

from tts_explorer.cost import Cost
from tts_explorer.events import Record
from tts_explorer.ui.clocks import clocks
from tts_explorer.ui.curves import DASHES, NO_SCORE, curves
from tts_explorer.ui.differences import differences
from tts_explorer.ui.service import EXAMPLE, example, examples
from tts_explorer.ui.sides import Side, facts

browser_test = pytest.mark.browser
expect.set_options(timeout=20_000)
BEAM, DVTS, BEST, CONSISTENT = (EXAMPLE + name for name in examples()[:4])


def side(lane: str, id: str) -> Side:
    return Side(lane, id, example(id.removeprefix(EXAMPLE))[0])


@pytest.mark.parametrize("name", examples())
def test_a_clock_never_goes_back_and_ends_where_the_search_did(name: str) -> None:
    records = example(name)[0]
    for unit, ticks in clocks(records).items():
        values, seqs = [value for value, _ in ticks], [seq for _, seq in ticks]
        assert values == sorted(set(values)) and seqs == sorted(set(seqs)), unit
        assert seqs[-1] == records[-1].seq
    assert clocks(records)["tokens"][-1][0] == Cost.of(record.event for record in records).tokens
    assert clocks(records)["seconds"][-1][0] == round(records[-1].at, 2)
    assert clocks(records)["iterations"][-1][0] == len(side("a", EXAMPLE + name).course.iterations) - 1


def test_an_empty_stream_has_an_empty_clock() -> None:
    assert clocks([]) == {"tokens": [], "iterations": [], "seconds": []}


def test_facts_are_by_section_and_missing_ones_are_none() -> None:
    known = facts([side("a", BEAM), side("b", CONSISTENT)])
    assert list(known) == ["Settings", "Outcome", "Cost"]
    assert [fact and fact.text for fact in known["Settings"]["beam_width"]] == ["4", None]
    assert [fact.text for fact in known["Settings"]["verifier"]] == ["bundled:prm", "none"]
    assert known["Outcome"]["right?"][0].good is True and "strategy's code" not in known["Settings"]
    assert known["Cost"]["tokens sampled"][0].number == Cost.of(r.event for r in side("a", BEAM).records).tokens


def test_only_what_differs_is_in_the_table_and_the_rest_is_folded_away() -> None:
    table, _, folded = differences([side("a", BEAM), side("b", DVTS)]).partition("<details")
    assert "beam search" in table and "dvts" in table and '<th scope="row">policy</th>' not in table
    assert "<dt>policy</dt><dd>bundled:small</dd>" in folded and "facts are the same in all" in folded
    same = differences([side("a", BEAM), side("b", BEAM)])
    assert same.count("Nothing differs.") == 3


@pytest.mark.parametrize("text", EVIL)
def test_the_table_holds_no_markup_of_anybody_elses(text: str) -> None:
    sides = [Side("a", text, search(say=lambda _: text)), Side("b", "b", search(say=lambda said: text + said))]
    shown = differences(sides)
    assert "<img" not in shown and "<script" not in shown and "<svg" not in shown and "<iframe" not in shown


def test_a_curve_a_session_each_of_its_own_dash_and_mark() -> None:
    chart = curves([side("a", BEAM), side("b", DVTS), side("c", BEST), side("d", CONSISTENT)])
    traces = chart.figure.data
    assert [trace.line.dash for trace in traces] == list(DASHES[:3])
    assert len({trace.marker.symbol for trace in traces}) == len({trace.line.color for trace in traces}) == 3
    for trace in traces:
        known = [score for score in trace.y if score is not None]
        assert known == sorted(known) and list(trace.x) == sorted(trace.x)
    assert "D has no scores" in chart.sentence and "A reached its best" in chart.sentence
    assert curves([side("a", BEAM)], "flops").figure.data[0].x[-1] > 1e9
    assert curves([side("a", CONSISTENT)]).figure is None and curves([side("a", CONSISTENT)]).sentence == NO_SCORE


def test_a_search_that_has_not_sampled_yet_can_be_compared() -> None:
    begun = Side("b", "b", search()[:1])
    assert "not ended" in differences([Side("a", "a", search()), begun])
    assert curves([begun]).figure is None


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("compare")) as made:
        made.store.append([("beam", search()), ("wide", search(n=12, kept=3)), ("refined", streams.refinement())])
        yield made


@pytest.fixture
def compare(new_page: Callable[..., Page], site: Site) -> Callable[..., Page]:
    def opened(query: str, *lanes: str, **options: Any) -> Page:
        page = new_page(**options)
        page.goto(f"{site.url}compare?{query}", wait_until="domcontentloaded")
        for lane in lanes:
            expect(page.locator(f"#lane-{lane}")).to_have_attribute("data-state", "done")
        if len(lanes) > 1:
            expect(page.locator("#curve .js-plotly-plot")).to_be_visible()
        return page

    return opened


def move(page: Page, to: float) -> None:
    page.locator("#clock .scrubber").evaluate("(s, t) => { s.value = t; s.dispatchEvent(new Event('input')); }", to)


def at(page: Page, lane: str, seq: int) -> None:
    expect(page.locator(f"#lane-{lane}")).to_have_attribute("data-seq", str(seq))


def reached(records: list[Record], unit: str, value: float) -> int:
    return max([seq for tick, seq in clocks(records)[unit] if tick <= value], default=-1)


@browser_test
def test_one_scrubber_moves_all_trees_on_each_clock(compare, site: Site) -> None:
    page = compare("a=beam&b=wide&c=refined", "a", "b", "c")
    ours = {lane: site.store.records(id) for lane, id in (("a", "beam"), ("b", "wide"), ("c", "refined"))}
    for unit in ("tokens", "iterations", "seconds"):
        page.get_by_label("Clock", exact=True).select_option(unit)
        longest = max(clocks(records)[unit][-1][0] for records in ours.values())
        for part in (0.3, 0.7, 0):
            value = round(longest * part)
            move(page, value)
            for lane, records in ours.items():
                at(page, lane, reached(records, unit, value))
    page.get_by_role("button", name="To the end").click()
    for lane, records in ours.items():
        at(page, lane, records[-1].seq)


@browser_test
def test_steps_keys_and_play_move_all_trees(compare, site: Site) -> None:
    page = compare("a=beam&b=wide", "a", "b")
    ours = {lane: site.store.records(id) for lane, id in (("a", "beam"), ("b", "wide"))}
    page.get_by_label("Clock", exact=True).select_option("iterations")
    page.get_by_role("button", name="To the beginning").click()
    page.get_by_role("button", name="One step on").click()
    for lane, records in ours.items():
        at(page, lane, reached(records, "iterations", 1))
    page.locator("#lane-a [role=treeitem]").first.focus()
    page.keyboard.press(".")
    for lane, records in ours.items():
        at(page, lane, reached(records, "iterations", 2))
    page.locator("#clock .speed").select_option("5")
    page.locator("#lane-a [role=treeitem]").first.focus()
    page.keyboard.press(" ")
    for lane, records in ours.items():
        at(page, lane, records[-1].seq)
    expect(page.locator("#clock .now")).to_have_text("All have ended.")
    expect(page.locator("#clock .play")).to_have_attribute("aria-label", "Play")


@browser_test
def test_the_curves_are_drawn_again_for_another_cost_and_another_score(compare) -> None:
    page = compare("a=beam&b=wide", "a", "b")
    expect(page.locator("#curve .legendtext")).to_have_count(2)
    page.locator("#curve-unit").get_by_text("FLOPs").click()
    expect(page.locator("#curve .xtitle")).to_contain_text("FLOPs")
    page.locator("#curve-of").get_by_text("finished answers").click()
    expect(page.locator("#curve .ytitle")).to_contain_text("finished answers")
    expect(page.locator("#curve-said")).to_contain_text("MFLOPs")


@browser_test
def test_a_lane_leads_to_explore_and_its_node_is_read_on_demand(compare, site: Site) -> None:
    page = compare("a=beam&b=wide", "a", "b")
    expect(page.locator("#lane-a .detail")).to_be_hidden()
    page.get_by_label("Details of the chosen nodes").check()
    page.locator("#lane-a [role=treeitem]").nth(1).click()
    expect(page.locator("#lane-a .detail")).to_contain_text("left: 3 7 13")
    page.locator("#lanes .lane-head a").nth(1).click()
    page.wait_for_url("**/?session=wide")
    expect(page.locator("#search-view").first).to_have_attribute("data-state", "done")


@browser_test
def test_without_two_sessions_it_says_what_to_do(compare) -> None:
    page = compare("")
    expect(page.locator("#message")).to_contain_text("Choose two to four sessions on Sessions")
    page = compare("a=beam&b=nope", "a")
    expect(page.locator("#message")).to_contain_text("B: no session 'nope' here")
    expect(page.locator("#message")).to_contain_text("Choose a second session")
    page.get_by_role("link", name="two recorded ones").click()
    expect(page.locator("#lane-b")).to_have_attribute("data-state", "done")
    expect(page.locator("#compared")).to_contain_text("dvts")
    expect(page.locator("#curve .js-plotly-plot")).to_be_visible()


@browser_test
@pytest.mark.parametrize("text", EVIL)
def test_hostile_text_stays_text(compare, site: Site, text: str) -> None:
    site.store.append([(id := f"evil {EVIL.index(text)}", search(say=lambda _: text))])
    page = compare(f"a={id}&b=beam", "a", "b")
    page.get_by_text("same in all").click()
    assert page.evaluate("window.pwned") is None
    page.goto(f"{site.url}compare?a={text}&b=beam".replace("#", "%23"), wait_until="domcontentloaded")
    expect(page.locator("#message")).to_contain_text("A: no session")
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("performance.getEntriesByType('resource').every(r => !new URL(r.name).pathname.includes('pwned'))")


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_no_sideways_scroll(compare, theme: str) -> None:
    page = compare(f"a=beam&b=wide&__theme={theme}", "a", "b", width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    lanes = [page.locator(f"#lane-{lane}").bounding_box() for lane in "ab"]
    assert lanes[0]["x"] == lanes[1]["x"] and lanes[1]["y"] > lanes[0]["y"] + lanes[0]["height"]
    box = page.locator("#clock .card").bounding_box()
    assert box["y"] + box["height"] <= 900 and box["height"] < 150


@browser_test
def test_no_request_leaves_the_host(compare, site: Site) -> None:
    page = compare("a=beam&b=wide", "a", "b")
    names = json.loads(page.evaluate("JSON.stringify(performance.getEntriesByType('resource').map(r => r.name))"))
    assert names and not [
        name for name in names if urlsplit(name).netloc != urlsplit(site.url).netloc and name.startswith("http")
    ]
