"""The search view at its limits: thousands of nodes, hostile text, phones, both themes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TOUCHED = """async () => {
  const view = document.querySelector('#search-view');
  const frame = () => new Promise(requestAnimationFrame);
  let touched = 0;
  const seen = new MutationObserver((found) => {
    for (const { type, addedNodes, removedNodes } of found)
      touched += type === 'childList' ? addedNodes.length + removedNodes.length : 1;
  });
  seen.observe(view, { subtree: true, childList: true, attributes: true, characterData: true });
  const counted = async (act, done) => {
    touched = 0;
    act();
    do await frame(); while (!done());
    await frame();
    return touched;
  };
  const clicks = [], scrubs = [];
  for (const node of [...view.querySelectorAll('[role=treeitem]')].filter((_, i) => i % 40 === 7)) {
    const told = () => view.querySelector('.which').textContent.startsWith(`node ${node.dataset.path},`);
    clicks.push(await counted(() => node.dispatchEvent(new MouseEvent('click', { bubbles: true })), told));
  }
  const slider = view.querySelector('.scrubber');
  for (const k of [900, 4000, 300, 5200, 2500]) {
    const move = () => { slider.value = k; slider.dispatchEvent(new Event('input')); };
    scrubs.push(await counted(move, () => slider.getAttribute('aria-valuetext').startsWith(`event ${k} of`)));
  }
  return [clicks, scrubs];
}"""
"""How many nodes and attributes of the page a click and a move of the scrubber touch; what that takes is `bench page`'s."""

FAINT = """() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const texts = ':is(p, h3, dt, dd, td, th, .quiet, .key, .step, .said, code span, .node text tspan, .chip, .now)';
  return [...document.querySelectorAll('#search-view ' + texts)]
    .filter((e) => e.textContent.trim() && e.getClientRects().length)
    .map((e) => {
      const style = getComputedStyle(e);
      const ink = light(rgb(e.ownerSVGElement ? style.fill : style.color));
      const ground = light(behind(e.ownerSVGElement?.parentElement ?? e));
      return [(Math.max(ink, ground) + 0.05) / (Math.min(ink, ground) + 0.05), e.outerHTML.slice(0, 80)];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""

PAINTED = """() => {
  const { width, height } = document.querySelector('#search-view canvas.dots');
  const ink = document.querySelector('#search-view canvas.dots').getContext('2d', { willReadFrequently: true });
  return ink.getImageData(0, 0, width, height).data.filter((byte, i) => i % 4 === 3 && byte > 0).length / (width * height);
}"""
INK = """([x, y]) => {
  const canvas = document.querySelector('#search-view canvas.dots'), box = canvas.getBoundingClientRect();
  const pixels = canvas.getContext('2d').getImageData(x - box.x - 3, y - box.y - 3, 6, 6).data;
  return pixels.some((byte, i) => i % 4 === 3 && byte > 0);
}"""
PLACE = """selector => {
  const [own, whole] = [selector, '#search-view .pane svg'].map((one) => document.querySelector(one).getBoundingClientRect());
  const shape = selector.endsWith('.shape');
  return shape ? [own.x + own.width / 2 - whole.x, own.y + own.height / 2 - whole.y] : [whole.x, whole.y];
}"""


def test_of_two_thousand_nodes_a_click_and_the_scrubber_touch_few(show: Callable[..., Any]) -> None:
    screen = show("big")
    page = screen.page
    clicks, scrubs = page.evaluate(TOUCHED)
    assert len(clicks) > 2 and 0 < min(clicks) and max(clicks) < 4000  # drawing all anew would be more than 10,000
    assert 0 < min(scrubs) and max(scrubs) < 4000
    screen.button("Last event").click()
    screen.button("Best path").click()
    page.wait_for_function("document.querySelector('.steps .own .words').textContent.startsWith('FULL')")
    bunch, before = page.locator(".bunch").first, page.locator(".bunch").count()
    bunch.dispatch_event("click")
    page.wait_for_function(f"document.querySelectorAll('.bunch').length === {before - 1}")


def test_of_a_large_tree_only_what_is_in_sight_stands_in_the_page(show: Callable[..., Any]) -> None:
    screen = show("big")
    page, pane = screen.page, screen.page.locator("#search-view .pane")
    seen = {path for path, *_ in screen.items()}
    assert 20 < len(seen) < 800
    pane.evaluate("pane => { pane.scrollLeft = 0; pane.scrollTop = 0; }")
    page.wait_for_selector("#search-view [role=treeitem][aria-level='2']")
    assert {path for path, *_ in screen.items()} != seen
    pane.evaluate("pane => { pane.scrollLeft = 1e6; }")
    page.wait_for_selector("#search-view [role=treeitem][aria-level='2']", state="detached")


def test_a_tree_too_large_for_the_pane_is_painted_and_can_still_be_clicked(show: Callable[..., Any], tmp_path: Any) -> None:
    screen = show("big")
    page = screen.page
    page.get_by_role("button", name="Show all pruned").click()
    page.get_by_role("button", name="Fit").click()
    page.wait_for_selector("#search-view canvas.dots:visible")
    assert len(screen.items()) <= 1
    page.screenshot(path=tmp_path / "dots.png")
    assert page.evaluate(PAINTED) > 0.02
    root, others = "#search-view [role=treeitem][data-path='']", "#search-view [role=treeitem]:not([data-path=''])"
    page.locator(others).focus()
    page.keyboard.press("Home")
    page.wait_for_selector(root)
    x, y = page.evaluate(PLACE, f"{root} .shape")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(root, state="detached")
    left, top = page.evaluate(PLACE, "#search-view .pane svg")
    assert page.evaluate(INK, [left + x, top + y])
    assert not page.evaluate(INK, [left + x, top + y - 20])
    page.mouse.click(left + x, top + y)
    page.wait_for_selector(f"{root}[aria-selected=true]")
    page.get_by_role("button", name="Zoom in").click(click_count=8)
    page.wait_for_selector("#search-view canvas.dots", state="hidden")
    assert len(screen.items()) > 20


@pytest.mark.parametrize("name", ["evil0", "evil1", "evil2", "evil3"])
def test_hostile_text_is_text(show: Callable[..., Any], name: str) -> None:
    screen, asked = show(name), []
    page = screen.page
    page.on("request", lambda request: asked.append(request.url))
    for node in page.locator("#search-view [role=treeitem]").all()[::8]:
        node.dispatch_event("click")
    page.locator("#search-view [role=treeitem][data-path='0']").click()
    page.wait_for_function("document.querySelector('.steps .own .words').textContent.startsWith('FULL')")
    for k in range(0, len(screen.records), 9):
        screen.scrub(k)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#search-view :is(img, script, a, iframe)").count() == 0
    assert asked and not [address for address in asked if "pwned" in address]


def test_a_phone_has_no_sideways_scroll(show: Callable[..., Any], tmp_path: Any) -> None:
    page = show("small", width=390).page
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sizes = page.locator(".transport button").evaluate_all("all => all.map(b => Math.min(b.offsetWidth, b.offsetHeight))")
    assert min(sizes) >= 44
    sizes = page.locator("#search-view button:visible").evaluate_all("all => all.map(b => b.offsetHeight)")
    assert min(sizes) >= 24
    page.screenshot(path=tmp_path / "phone.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(show: Callable[..., Any], theme: str, tmp_path: Any) -> None:
    screen = show("small", theme=theme)
    assert screen.page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    for k in (40, len(screen.records)):
        screen.scrub(k)
        assert screen.page.evaluate(FAINT) == []
    screen.page.screenshot(path=tmp_path / f"{theme}.png", full_page=True)
