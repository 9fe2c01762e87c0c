"""What stands in the panels once a search is over, and the table of candidates, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tts_explorer.ui.hindsight import others
from tts_explorer.viz.log import projected

pytestmark = pytest.mark.browser


SHOWN = """([place, texts]) => texts.join() ===
    [...document.querySelectorAll('#search-view tbody td' + place)].map(cell => cell.innerText).join()"""
"""Whether a column of the table reads so: rows are drawn a frame after their head."""


STEPPED = """async ([last, wanted]) => {
  const [slider, said] = [document.querySelector('.scrubber'), new Set()];
  for (let k = 1; k < last; k++) {
    slider.value = k;
    slider.dispatchEvent(new Event('input'));
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    said.add(document.querySelector('#search-view .doing').innerText);
    if ([...said].some((words) => words.includes(wanted))) break;
  }
  return [...said];
}"""
"""All that the strategy's panel says on the way through a search, until it says what is wanted."""


def scores(screen: Any) -> list[float]:
    return [float(text) for text in screen.page.locator("#search-view td.score span:first-child").all_inner_texts()]


def test_the_candidates_are_sorted_by_score_with_the_keyboard_too(show: Callable[..., Any]) -> None:
    screen = show("small")
    page = screen.page
    paths = page.locator("#search-view td.path").all_inner_texts()
    page.locator("[data-sort=score]").focus()
    screen.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Score")
    down = sorted(scores(screen), reverse=True)
    page.wait_for_function(SHOWN, arg=[".score span:first-child", [f"{score:.2f}" for score in down]])
    assert len(down) == 8
    page.locator("[data-sort=score]").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Score")
    page.wait_for_function(SHOWN, arg=[".score span:first-child", [f"{score:.2f}" for score in down[::-1]]])
    page.locator("[data-sort=node]").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Node")
    page.wait_for_function(SHOWN, arg=[".path", paths])


def test_what_other_rules_would_have_chosen_and_what_it_is_worth(show: Callable[..., Any], feed: Any, records: Any) -> None:
    screen, log = show(), projected(records["small"])
    told = [
        {"answer": "64", "correct": True, "by": [["best", []], ["weighted", ["last", "min"]]], "chosen": True},
        {"answer": "<img src=/pwned>", "correct": False, "by": [["majority", []]], "chosen": False},
    ]
    worth = {"own": 2e9, "large": 16e9, "name": "bundled:large"}
    screen.button("Start").click()
    feed.put({"value": log, "session": "small"})
    screen.state("done")
    assert not screen.page.locator("#search-view .others").is_visible()
    feed.put({"others": json.dumps(told), "worth": json.dumps(worth), "baseline": "The same model’s greedy answer: 8."})
    rows = screen.page.locator("#search-view .others tr")
    expect(rows).to_have_count(2)
    assert rows.nth(0).inner_text().split("\t") == ["64", "best, weighted (last, min) · chosen", "✓ right"]
    assert rows.nth(1).inner_text().split("\t") == ["<img src=/pwned>", "majority", "✗ wrong"]
    assert screen.text(".cost dl").endswith("In greedy answers\n12\nof this model, 1.5 of bundled:large")
    screen.scrub(40)
    assert not screen.page.locator("#search-view .others").is_visible()
    feed.put({"others": json.dumps(others([record.event for record in records["small"]]))})
    screen.scrub(len(log.splitlines()))
    expect(screen.page.locator("#search-view .others")).to_have_text(
        "Every rule chooses this answer: best, majority, weighted, last."
    )
    feed.put(None)


def test_the_strategy_says_what_it_did_with_the_numbers(show: Callable[..., Any]) -> None:
    for name, wanted in (("rebase", "Kept "), ("particles", "Kept "), ("dvts", "Kept "), ("mcts", "mean value ")):
        screen = show(name)
        said = screen.page.evaluate(STEPPED, [len(projected(screen.records).splitlines()), wanted])
        assert any(wanted in words for words in said), (name, said)
