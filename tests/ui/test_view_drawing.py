"""The picture of the problem: shapes and text only, of the node that is chosen; no card where a task draws nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect


def test_the_picture_follows_the_chosen_node(show: Callable[..., Any]) -> None:
    screen = show("drawn")
    card = screen.page.locator("#search-view .drawing")
    expect(card).to_be_visible()
    screen.page.locator("[role=treeitem][data-path='0']").click()
    expect(card.locator("text")).to_have_text("at 0 <b>")
    expect(card.locator(".where")).to_have_text("as far as node 0")
    screen.page.locator("[role=treeitem][data-path='']").click()
    expect(card.locator("text")).to_have_text("at root <b>")
    expect(card.locator(".where")).to_have_text("the problem")


def test_only_shapes_and_text_are_taken_in(show: Callable[..., Any]) -> None:
    screen = show("drawn")
    card = screen.page.locator("#search-view .drawing svg")
    expect(card).to_have_attribute("aria-label", "a map")
    kinds = card.evaluate("svg => [...svg.querySelectorAll('*')].map(e => e.localName).sort().join()")
    assert kinds == "circle,rect,text"
    left = card.evaluate(
        "svg => [svg, ...svg.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => /^on|href|style/.test(n))"
    )
    assert left == [] and card.locator("rect").get_attribute("fill") is None
    assert screen.page.evaluate("window.pwned") is None


def test_without_a_picture_there_is_no_card(show: Callable[..., Any]) -> None:
    screen = show("small")
    expect(screen.page.locator("#search-view .drawing")).to_be_hidden()
    width = [screen.page.locator(f"#search-view .{name}").bounding_box()["y"] for name in ("tree", "strategy")]
    assert width[0] == width[1], "the strategy stands beside the tree"
