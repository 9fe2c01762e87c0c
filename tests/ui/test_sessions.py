"""The Sessions page in a real browser over a real store; and what it asks of the store, without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect
from ui.conftest import EVIL, search
from ui.stored import Site, opener, served

from tts_explorer.errors import UserError
from tts_explorer.events import AnswerGraded, NodeAdded, Record
from tts_explorer.store import Store
from tts_explorer.ui.component import safely
from tts_explorer.ui.shelf import LARGEST, PAGE, Shelf

browser_test = pytest.mark.browser
expect.set_options(timeout=20_000)


def stored(store: Store, id: str, step: str = "", right: bool | None = True, **about: Any) -> str:
    """A search of twelve steps, one of which may say something of its own."""
    records = search(n=4, kept=2, depth=3)
    records[0] = replace(records[0], event=replace(records[0].event, **about))
    for i, record in enumerate(records):
        if isinstance(record.event, AnswerGraded):
            records[i] = Record(record.seq, record.at, record.line, replace(record.event, correct=right))
        if isinstance(record.event, NodeAdded) and step and record.event.node == (1,):
            records[i] = Record(record.seq, record.at, record.line, replace(record.event, text=step + "\n\n"))
    store.append([(id, records)])
    return id


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def open_list(new_page: Callable[..., Page], site: Site) -> Callable[..., Page]:
    return opener(new_page, site, "sessions", "#shelf")


def rows(page: Page) -> Locator:
    return page.locator("#shelf tbody tr:not(.editing)")


def names(page: Page) -> list[str]:
    return page.locator("#shelf .open").all_inner_texts()


def found(page: Page, count: str) -> None:
    expect(page.locator("#shelf .found")).to_have_text(count)


def act(page: Page, row: int, name: str) -> None:
    rows(page).nth(row).get_by_role("button", name=name).click()


@browser_test
def test_a_session_is_found_by_a_word_in_a_step_and_opened(open_list, site: Site) -> None:
    stored(site.store, "plain")
    stored(site.store, "wanted", "seven red marbles")
    page = open_list()
    found(page, "2 sessions")
    page.get_by_label("Find", exact=True).fill("marbles")
    found(page, "1 session found")
    assert "words=marbles" in page.url
    rows(page).first.locator(".open").click()
    page.wait_for_url("**/?session=wanted")
    page.go_back(wait_until="domcontentloaded")
    found(page, "1 session found")
    page.get_by_label("Find", exact=True).fill("nonsense")
    expect(page.locator("#shelf .nothing")).to_contain_text("No session is like that")


@browser_test
def test_filters_are_in_the_address_and_survive_a_reload(open_list, site: Site) -> None:
    for i, right in enumerate((True, False, None, False)):
        stored(site.store, f"s{i}", right=right, task="countdown", problem_id=f"test/{i + 1}/7", strategy="dvts" if i else "mcts")
    page = open_list()
    page.get_by_label("Answer").select_option("wrong")
    found(page, "2 sessions found")
    page.get_by_label("Level").select_option("4")
    found(page, "1 session found")
    assert "grade=wrong" in page.url and "level=4" in page.url
    page.reload(wait_until="domcontentloaded")
    found(page, "1 session found")
    expect(page.get_by_label("Level")).to_have_value("4")
    page.get_by_label("MFLOPs from").fill("1e9")
    page.get_by_label("MFLOPs from").press("Tab")
    found(page, "0 sessions found")
    page.get_by_role("button", name="Clear all filters").click()
    found(page, "4 sessions")
    page.get_by_label("Since").fill("2999-01-01")
    found(page, "0 sessions found")


@browser_test
def test_a_link_with_a_filter_that_can_not_be_says_so(open_list, site: Site) -> None:
    stored(site.store, "one")
    page = open_list("level=x&page=-3")
    expect(page.locator("#shelf .problem")).to_contain_text("level can't be")
    page.get_by_role("button", name="Clear all filters").click()
    found(page, "1 session")


@browser_test
def test_pages_of_25(open_list, site: Site) -> None:
    for i in range(2 * PAGE + 3):
        stored(site.store, f"s{i:02}", problem=f"Problem {i}")
    page = open_list()
    assert names(page)[0] == "Problem 52" and rows(page).count() == PAGE
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#shelf .place")).to_have_text("page 2 of 3")
    assert names(page)[0] == "Problem 27" and "page=2" in page.url
    page.get_by_role("button", name="Last").click()
    expect(rows(page)).to_have_count(3)
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_label("Sort").select_option("oldest")
    expect(page.locator("#shelf .place")).to_have_text("page 1 of 3")
    assert names(page)[0] == "Problem 0"


@browser_test
def test_a_title_tags_and_notes_are_written_in_place_and_a_pin_comes_first(open_list, site: Site) -> None:
    for id in ("old", "new"):
        stored(site.store, id)
    page = open_list()
    act(page, 1, "Edit title")
    page.get_by_role("textbox", name="Title").fill("The one for the talk")
    page.get_by_role("textbox", name="Tags").fill("talk, best, talk")
    page.get_by_role("textbox", name="Notes").fill("loses the right branch")
    page.get_by_role("button", name="Save").click()
    expect(rows(page).nth(1)).to_contain_text("The one for the talk")
    act(page, 1, "Pin")
    expect(rows(page).first).to_contain_text("The one for the talk")
    page.reload(wait_until="domcontentloaded")
    expect(rows(page).first).to_contain_text("loses the right branch")
    kept = site.store.session("old")
    assert (kept.title, kept.tags, kept.pinned) == ("The one for the talk", ["talk", "best"], True)
    rows(page).first.get_by_role("button", name="best", exact=True).click()
    found(page, "1 session found")
    act(page, 0, "Edit title")
    page.keyboard.press("Escape")
    expect(page.locator("#shelf .editing")).to_have_count(0)
    assert page.evaluate("document.activeElement.dataset.do") == "edit"


@browser_test
def test_a_deleted_session_is_brought_back_by_undo_and_from_the_list_of_deleted_ones(open_list, site: Site) -> None:
    for id in ("a", "b", "c"):
        stored(site.store, id)
    page = open_list()
    act(page, 0, "Delete")
    found(page, "2 sessions")
    page.get_by_role("button", name="Undo").click()
    found(page, "3 sessions")
    page.get_by_label("all on this page").check()
    page.locator("#shelf .bulk [data-do=delete]").click()
    expect(page.locator("#shelf .nothing")).to_contain_text("No session yet")
    page.get_by_label("State").select_option("deleted")
    found(page, "3 sessions found")
    act(page, 2, "Restore")
    found(page, "2 sessions found")
    assert [session.id for session in site.store.sessions()] == ["a"]


@browser_test
def test_sessions_are_exported_deleted_and_imported_again(open_list, site: Site) -> None:
    for id in ("one", "two"):
        stored(site.store, id, f"step of {id}")
    data = site.store.export("two") + site.store.export("one")
    page = open_list()
    for i in range(2):
        rows(page).nth(i).get_by_role("checkbox").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    assert download.value.suggested_filename == "sessions-2.jsonl"
    assert Path(download.value.path()).read_bytes() == data
    page.locator("#shelf .bulk [data-do=delete]").click()
    expect(page.locator("#shelf .nothing")).to_be_visible()
    page.locator("#shelf .file").set_input_files({"name": "mine.jsonl", "mimeType": "text/plain", "buffer": data})
    found(page, "2 sessions")
    expect(page.locator("#shelf .toast")).to_contain_text("2 sessions imported from mine.jsonl")
    assert site.store.export(site.store.sessions(limit=1)[0].id) == site.store.export("one")
    page.locator("#shelf .file").set_input_files({"name": "cut.jsonl", "mimeType": "text/plain", "buffer": data[:-30]})
    expect(page.locator("#shelf .problem")).to_contain_text("cut.jsonl was refused whole")
    big = {"name": "big.jsonl", "mimeType": "text/plain", "buffer": b"x" * (LARGEST + 1)}
    page.locator("#shelf .file").set_input_files(big)
    expect(page.locator("#shelf .problem")).to_contain_text("at most 16 MB")
    found(page, "2 sessions")


@browser_test
def test_the_settings_go_to_explore_and_chosen_ones_to_the_comparison(open_list, site: Site) -> None:
    about = {
        "task": "countdown",
        "problem_id": "test/3/7",
        "sampling": {"temperature": 0.7},
        "settings": {"n": 8, "beam_width": 4},
    }
    stored(site.store, "a", seed=5, verifier=None, **about)
    stored(site.store, "b")
    page = open_list()
    asked = parse_qs(urlsplit(rows(page).nth(1).locator(".again").get_attribute("href")).query, keep_blank_values=True)
    assert {name: value for name, (value,) in asked.items()} == {
        "task": "countdown", "level": "3", "index": "7", "policy": "p", "verifier": "", "strategy": "beam_search", "seed": "5",
        "temperature": "0.7", "n": "8", "beam_width": "4",
    }  # fmt: skip
    typed = parse_qs(urlsplit(rows(page).nth(0).locator(".again").get_attribute("href")).query)
    assert typed["problem"] == ["Make 64 of 3, 7, 12 and 25."] and "task" not in typed
    compare = page.get_by_role("button", name="Compare")
    rows(page).nth(0).get_by_role("checkbox").check()
    expect(compare).to_have_attribute("aria-disabled", "true")
    rows(page).nth(1).get_by_role("checkbox").check()
    compare.click()
    page.wait_for_url("**/compare?a=b&b=a")
    expect(page.locator("#curve .js-plotly-plot")).to_be_visible()


@browser_test
def test_a_link_is_copied(open_list, site: Site) -> None:
    stored(site.store, "only")
    page = open_list()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    act(page, 0, "Copy the link")
    expect(page.locator("#shelf .toast")).to_contain_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}?session=only"


@browser_test
@pytest.mark.parametrize("text", EVIL)
def test_hostile_text_stays_text(open_list, site: Site, text: str) -> None:
    about = {"problem": text, "policy": text, "verifier": text, "strategy": text, "settings": {text[:30]: text}, "task": text}
    stored(site.store, "evil", text, **about)
    site.store.label("evil", title=text, tags=[text[:40]], notes=text)
    page = open_list()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(rows(page).first.locator(".open")).to_have_text(text)
    act(page, 0, "Edit title")
    expect(page.get_by_role("textbox", name="Title")).to_have_value(text)
    page.get_by_role("button", name="Save").click()
    rows(page).first.locator(".tag").click()
    page.get_by_label("Find", exact=True).fill(text)
    page.wait_for_timeout(500)
    assert page.evaluate("window.pwned") is None
    assert not [url for url in asked if not url.startswith(site.url) or "pwned" in urlsplit(url).path]


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_no_sideways_scroll_and_targets_to_hit(open_list, site: Site, theme: str) -> None:
    stored(site.store, "long", problem="word " * 60 + "x" * 300, task="countdown", problem_id="test/3/7")
    site.store.label("long", title="", tags=["a tag", "b"], notes="n" * 300)
    page = open_list(f"__theme={theme}", width=390)
    rows(page).first.get_by_role("checkbox").check()
    act(page, 0, "Edit title")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    small = page.evaluate("""[...document.querySelectorAll('#shelf :is(button, select, input, .again)')].map(e =>
        [e.outerHTML.slice(0, 80), (e.closest('td.tick label, .all') ?? e).getBoundingClientRect()]).filter(([, box]) =>
        box.width && (box.width < 24 || box.height < 24)).map(([html]) => html)""")
    assert small == []


@browser_test
def test_every_control_has_a_name_and_the_keyboard_reaches_it(open_list, site: Site) -> None:
    stored(site.store, "one")
    page = open_list()
    nameless = page.evaluate("""[...document.querySelectorAll('#shelf :is(button, a, input, select)')].filter(e => e.offsetParent
        && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).map(e => e.outerHTML)""")
    assert nameless == []
    page.get_by_label("Find", exact=True).focus()
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.dataset.do ?? document.activeElement.className"))
    assert {"tick", "pin", "open", "edit", "again", "link", "drop"} <= reached


@browser_test
def test_a_database_that_can_not_be_read_any_more_is_said_so(open_list, site: Site) -> None:
    stored(site.store, "one")
    page = open_list()
    site.store.path.rename(site.store.path.with_name("away.db"))
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#shelf .problem")).to_contain_text("is it still in its place?")
    site.store.path.with_name("away.db").rename(site.store.path)
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#shelf .problem")).to_be_hidden()
    found(page, "1 session")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = Store(tmp_path / "sessions.db")
    yield Shelf(store)
    store.close()


def test_a_page_past_the_last_is_the_last(shelf: Shelf) -> None:
    for i in range(PAGE + 1):
        stored(shelf.store, f"s{i}")
    told = shelf.find({"page": 99})
    assert (told["page"], told["pages"], told["total"], len(told["rows"])) == (2, 2, PAGE + 1, 1)
    assert shelf.find({"words": "zebra", "page": 3})["page"] == 1


NONSENSE = [
    None,
    7,
    "x",
    [],
    [[]],
    [1],
    {},
    {"page": 0},
    {"page": "x"},
    {"level": []},
    {"order": "up"},
    {"children": 3},
    {"id": 5},
]
NONSENSE += [
    {"lines": 7},
    {"flops_from": float("inf")},
    ["x" * 65],
    ["a"] * 1001,
    {"id": "nope"},
    {"lines": "nonsense"},
    {"words": "\ud800"},
]


@pytest.mark.parametrize("asked", NONSENSE, ids=repr)
def test_whatever_a_browser_asks_is_answered_or_refused_in_a_sentence(shelf: Shelf, asked: Any) -> None:
    for answer in shelf.answers:
        told = safely(answer)(asked)
        assert isinstance(told, dict) and "Something broke" not in told.get("error", "")


def test_no_traceback_reaches_the_page() -> None:
    def break_down(asked: Any) -> dict[str, Any]:
        raise RuntimeError("secret")

    told = safely(break_down)(None)["error"]
    assert "secret" not in told and "log has it under" in told


def test_an_export_of_what_is_not_there_is_refused(shelf: Shelf) -> None:
    with pytest.raises(UserError, match="no session 'nope'"):
        shelf.lines(["nope"])
