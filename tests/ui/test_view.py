"""The search view in a real browser: recordings, replay, keys, live growth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tts_explorer.ui.view import SearchView, read, spread
from tts_explorer.viz.log import projected

browser_test = pytest.mark.browser


def test_the_files_hold_nothing_that_the_page_would_evaluate() -> None:
    for name in ("view.html", "view.css"):
        assert not any(mark in read(name) for mark in ("${", "{{", "`", "\\")), name
    assert "innerHTML" not in SearchView().js_on_load


def test_a_server_function_gets_two_strings_or_nothing() -> None:
    called = spread(lambda session, path: {"steps": [session, path]})
    assert called(["a", "0.1"], None) == {"steps": ["a", "0.1"]}
    assert [called(bad, None) for bad in (["a"], "ab", None, [1, 2], {"a": 1}, [["a"], "b"])] == [{}] * 6


@browser_test
def test_a_recording_shows_its_end(show: Callable[..., Any]) -> None:
    screen = show("small")
    nodes, page = screen.items(), screen.page
    assert len(nodes) == 25 and all(name for *_, name in nodes)
    assert [fate for *_, fate, _ in nodes].count("selected") == 1
    assert [fate for *_, fate, _ in nodes].count("pruned") == 12
    assert page.locator("#search-view [role=treeitem][tabindex='0']").count() == 1
    assert screen.text(".answer .text") == "64" and screen.text(".chip") == "✓ right"
    assert "The answer is 64, which is right" in screen.text("[role=status]")
    assert page.locator("#search-view tbody tr").count() == 8
    assert page.locator(".cost dt + dd").all_inner_texts() == ["216", "300", "24.0 G", "1.5 s", "24", "–"]
    parts = page.locator(".cost .part").all_inner_texts()
    assert parts == ["verifier 0", "verifier 180", "verifier 18.0 G, 75 %", "verifier 0.9 s", "8 finished", ""]
    assert screen.text(".place") == f"event {len(screen.records)} of {len(screen.records)}"


@browser_test
def test_the_picture_is_a_function_of_the_position(show: Callable[..., Any]) -> None:
    screen = show("small")
    end, pictures = screen.items(), {}
    for k in (0, 1, 20, 30, 60):
        screen.scrub(k)
        pictures[k] = screen.items()
    assert [len(picture) for picture in pictures.values()] == [1, 1, 9, 14, 25]
    for k in (60, 30, 20):
        screen.scrub(k)
        assert screen.items() == pictures[k]
    place = {path: where for path, where, *_ in end}
    assert all(place[path] == where for picture in pictures.values() for path, where, *_ in picture)
    assert screen.page.locator(".source [aria-current]").all_inner_texts() == ["        yield Prune(rest)"]
    said = re.fullmatch(
        r"It gives up .*: others ranked higher. Kept ([\d., and]+); dropped ([\d., and]+ more).", screen.text(".doing")
    )
    kept, dropped = (re.findall(r"\d\.\d\d", scores) for scores in said.groups())
    assert len(kept) == 2 and len(dropped) == 4 and min(kept) >= max(dropped)
    assert screen.text(".answer .text") == "Searching…"
    screen.scrub(len(screen.records))
    assert screen.items() == end


@browser_test
def test_play_runs_from_the_start_to_the_end(show: Callable[..., Any]) -> None:
    screen = show("small")
    screen.page.get_by_label("Speed").select_option("20")
    screen.button("Play").click()
    screen.button("Pause").wait_for()
    screen.at(screen.last)
    screen.button("Play").wait_for()
    screen.button("First event").click()
    screen.at(-1)
    screen.button("Next event").click()
    screen.at(0)
    screen.button("Last event").click()
    screen.at(screen.last)


@browser_test
def test_keys(show: Callable[..., Any]) -> None:
    screen = show("small")
    page, last = screen.page, screen.last

    def cursor() -> str:
        return page.locator("#search-view [role=treeitem][aria-selected=true]").get_attribute("data-path")

    page.locator("#search-view [role=treeitem][data-path='']").focus()
    seen = []
    for key in ("Home", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight"):
        screen.press(key)
        seen.append(cursor())
    assert seen == ["", "0", "1", "0", "", "0"]
    assert page.evaluate("document.activeElement.dataset.path") == "0"
    screen.press("Enter", "ArrowDown")
    assert cursor() == "1" and "node 0," in screen.text(".which")
    screen.press("Escape", "b")
    assert page.locator("[aria-selected=true]").get_attribute("data-fate") == "selected"
    screen.press(",")
    screen.at(last - 1)
    screen.press(".")
    screen.at(last)
    screen.press("<")
    page.wait_for_function(f"Number(document.querySelector('#search-view').dataset.seq) < {last - 9}")
    screen.press(">")
    screen.at(last)
    screen.press(" ")
    screen.button("Pause").wait_for()
    screen.press(" ")
    screen.button("Play").wait_for()
    screen.button("Last event").click()
    page.get_by_label("Picked").fill("")
    page.get_by_label("Picked").press_sequentially(", <b")
    assert page.get_by_label("Picked").input_value() == ", <b"
    screen.at(last)


@browser_test
def test_a_choice_reaches_the_server_and_comes_back_whole(show: Callable[..., Any]) -> None:
    screen = show("small")
    chosen = screen.page.locator("#search-view [role=treeitem][data-fate=pruned]").first
    path = chosen.get_attribute("data-path")
    chosen.click()
    screen.page.wait_for_function("document.querySelector('.steps .own .words').textContent.startsWith('FULL')")
    assert "others ranked higher" in screen.text(".facts") and "-2.50" in screen.text(".facts")
    picked = json.dumps({"session": "small", "node": path})
    screen.page.wait_for_function("p => document.querySelector('textarea').value === p", arg=picked)


@browser_test
def test_a_live_search_grows_and_is_followed(show: Callable[..., Any], feed: Any, records: dict[str, Any]) -> None:
    screen, log = show(), projected(records["small"]).splitlines(keepends=True)
    ghosts = screen.page.locator(".ghosts text")
    screen.button("Start").click()

    def grow(lines: int, tail: str = "", **more: Any) -> None:
        feed.put({"value": "".join(log[:lines]) + tail, "session": "small", **more})

    grow(4, drafts=json.dumps({"3": "12 * 7 = ", "9.9": "nowhere", "bad": 1}))
    screen.at(3)
    screen.state("live")
    assert ghosts.all_text_contents() == ["…12 * 7 ="]
    grow(9, drafts="", tail=log[9][:15])
    screen.at(8)
    assert ghosts.count() == 0 and screen.text(".answer .text") == "Searching…"
    early = {path: where for path, where, *_ in screen.items()}
    follow = screen.button("Follow")
    assert follow.get_attribute("aria-pressed") == "true"
    screen.button("Previous event").click()
    screen.at(7)
    grow(30)
    screen.page.wait_for_function("document.querySelector('.place').textContent.endsWith('of 30')")
    screen.at(7)
    assert follow.get_attribute("aria-pressed") == "false"
    follow.click()
    screen.at(29)
    assert {path: where for path, where, *_ in screen.items() if path in early} == early
    grow(50, interrupted=True)
    screen.state("interrupted")
    feed.put({"value": "", "session": "", "interrupted": False})
    screen.state("empty")
    grow(len(log))
    screen.state("done")
    screen.at(records["small"][-1].seq)
    feed.put({"value": projected(records["evil0"]), "session": "evil0"})
    screen.page.wait_for_function("document.querySelector('.problem').textContent.startsWith('<img')")
    feed.put(None)
