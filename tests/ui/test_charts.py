"""The charts and downloads below the view in a real browser, and a saved replay opened without any server."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import gradio as gr
import pytest
from playwright.sync_api import Page, expect

from tts_explorer.assets import folder
from tts_explorer.errors import UnknownName
from tts_explorer.events import Record, dotted
from tts_explorer.ui import charts
from tts_explorer.ui.service import State
from tts_explorer.ui.view import SearchView
from tts_explorer.viz.course import Course
from tts_explorer.viz.exports import FORMATS
from tts_explorer.viz.log import projected
from tts_explorer.wire import read_streams

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)


class Shelf:
    """Sessions by name, in place of the real service."""

    def __init__(self, known: dict[str, list[Record]]) -> None:
        self.known, self.cut = known, {"growing": 40}

    def records(self, id: str) -> list[Record]:
        if id not in self.known:
            raise UnknownName(f"no session {id!r} here")
        return self.known[id][: self.cut.get(id)]

    def state(self, id: str, known: Any) -> State:
        return State(self.records(id), baseline="Greedily, it is wrong.")


@pytest.fixture(scope="module")
def shelf(records: dict[str, list[Record]]) -> Shelf:
    shipped = {"subtrees": recorded("2-dvts"), "unscored": recorded("4-self-consistency")}
    return Shelf(records | {"growing": records["small"]} | shipped)


def recorded(name: str) -> list[Record]:
    """A recording that is shipped."""
    return read_streams((folder() / "sessions" / f"{name}.jsonl").read_bytes())[0]


@pytest.fixture(scope="module")
def charts_url(serve: Callable[[Any], str], shelf: Shelf) -> Iterator[str]:
    """The view and the panel: `?s=NAME` opens a session, the button lets the growing one end."""

    def opened(request: gr.Request) -> Any:
        name = request.query_params.get("s", "")
        return (gr.update(value=projected(shelf.records(name)), session=name) if name in shelf.known else gr.skip()), name

    def end(name: str) -> Any:
        shelf.cut.pop(name)
        return gr.update(value=projected(shelf.records(name)))

    with gr.Blocks(title="Charts") as demo:
        session = gr.Textbox(visible="hidden")
        view = SearchView()
        charts.build(shelf, session)
        gr.Button("End").click(end, session, view)
        demo.load(opened, None, [view, session])
    yield serve(demo)


@pytest.fixture
def look(new_page: Callable[..., Page], charts_url: str) -> Callable[..., Page]:
    def opened(name: str, theme: str = "light", **options: Any) -> Page:
        page = new_page(**options)
        page.goto(f"{charts_url}?s={name}&__theme={theme}", wait_until="domcontentloaded")
        state = "live" if name == "growing" else "done" if name else "empty"
        page.wait_for_selector(f"#search-view[data-state={state}]")
        return page

    return opened


def open_charts(page: Page) -> None:
    page.get_by_role("button", name="Charts").click()


def said(page: Page) -> Any:
    return page.locator("#chart-words [role=status]")


def choose(page: Page, name: str) -> None:
    page.locator("#chart-choice").get_by_label(name, exact=True).check()
    expect(page.locator("#chart-words .about")).to_have_text(charts.ABOUT[name])


def test_nothing_is_drawn_before_the_panel_is_opened(look: Callable[..., Page]) -> None:
    page = look("small")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert page.locator(".js-plotly-plot").count() == 0 and not [url for url in asked if "Plotly" in url]
    open_charts(page)
    expect(page.locator("#chart .js-plotly-plot")).to_be_visible()
    expect(said(page)).to_contain_text("tokens; the first answer was finished by")
    choose(page, "Score by FLOPs")
    expect(said(page)).to_contain_text("MFLOPs; the first answer was finished by")
    open_charts(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(0)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_each_chart_is_drawn_within_the_page_in_readable_colours(look: Callable[..., Page], width: int, theme: str) -> None:
    page = look("subtrees", theme, width=width)
    open_charts(page)
    for name in charts.ABOUT:
        choose(page, name)
        expect(page.locator("#chart .js-plotly-plot")).to_be_visible()
        expect(said(page)).not_to_be_empty()
        page.wait_for_function("document.querySelector('#chart .xtick text') !== null")
        colour = page.locator("#chart .xtick text").first.evaluate("text => getComputedStyle(text).fill")
        assert colour == ("rgb(243, 244, 246)" if theme == "dark" else "rgb(31, 41, 55)")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
        wide = page.locator("#chart .main-svg").first.evaluate("svg => svg.getBoundingClientRect().width")
        assert 200 < wide <= width


def test_where_there_is_nothing_to_draw_a_sentence_says_why(look: Callable[..., Page]) -> None:
    page = look("")
    open_charts(page)
    expect(said(page)).to_have_text(charts.EMPTY)
    page = look("unscored")
    open_charts(page)
    expect(said(page)).to_contain_text("asks no verifier")
    assert page.locator(".js-plotly-plot").count() == 0
    choose(page, "Votes")
    expect(page.locator("#chart .js-plotly-plot")).to_be_visible()


def test_the_chart_is_drawn_again_when_the_search_has_ended(look: Callable[..., Page]) -> None:
    page = look("growing")
    open_charts(page)
    choose(page, "Tree")
    before = said(page).inner_text()
    page.get_by_role("button", name="End").click()
    expect(said(page)).not_to_have_text(before)
    expect(said(page)).to_contain_text("24 steps")


@pytest.mark.parametrize("name", ["evil0", "evil2", "evil3"])
def test_hostile_text_stays_text_in_every_chart(look: Callable[..., Page], name: str) -> None:
    page = look(name)
    open_charts(page)
    for chart in charts.ABOUT:
        choose(page, chart)
        expect(page.locator("#chart .js-plotly-plot")).to_be_visible()
    assert page.locator("#chart .svg-container svg :is(a, img, iframe, script)").count() == 0
    assert page.evaluate("window.pwned") is None


def download(page: Page, format: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.locator(f"#downloads [data-format={format}]").click()
    expect(page.locator("#downloads .said")).to_contain_text(f"Saved {waiting.value.suggested_filename} (")
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_file_can_be_saved(look: Callable[..., Page], shelf: Shelf, theme: str) -> None:
    page = look("small", theme, width=390 if theme == "dark" else 1280)
    page.get_by_text("Download", exact=True).click()
    files = {format: download(page, format) for format in ("jsonl", "html", "svg", "png", "graphml", "csv")}
    assert {name for name, _ in files.values()} == {f"search-small.{format}" for format in files}
    records = shelf.records("small")
    assert read_streams(files["jsonl"][1]) == [records]
    assert len(list(csv.reader(io.StringIO(files["csv"][1].decode())))) == 1 + 24
    assert b"Greedily, it is wrong." in files["html"][1]
    picture = ElementTree.fromstring(files["svg"][1])
    assert files["svg"][1].decode() == FORMATS["svg"].write(records, dark=theme == "dark")
    png = files["png"][1]
    size = [int.from_bytes(png[i : i + 4], "big") for i in (16, 20)]
    assert png.startswith(b"\x89PNG") and size == [round(2 * float(picture.get(side))) for side in ("width", "height")]


def test_what_goes_wrong_with_a_file_is_one_sentence(look: Callable[..., Page], shelf: Shelf) -> None:
    page = look("small")
    page.get_by_text("Download", exact=True).click()
    lost = shelf.known.pop("small")
    page.locator("#downloads [data-format=csv]").click()
    expect(page.locator("#downloads .said")).to_have_text("no session 'small' here")
    shelf.known["small"] = lost
    empty = look("")
    empty.get_by_text("Download", exact=True).click()
    empty.locator("#downloads [data-format=csv]").click()
    expect(empty.locator("#downloads .said")).to_contain_text("No search yet")


def replayed(page: Page, records: list[Record], tmp_path: Path) -> list[str]:
    """Open a saved replay from the disk; what it fetches besides itself."""
    file = tmp_path / "replay.html"
    file.write_text(FORMATS["html"].write(records), encoding="utf-8")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("[data-state]:is([data-state=done], [data-state=interrupted])")
    return asked[1:]


def drawn_at(page: Page, k: int) -> dict[str, str]:
    page.locator(".scrubber").evaluate("(s, k) => { s.value = k; s.dispatchEvent(new Event('input')); }", k)
    page.wait_for_selector(f".scrubber[aria-valuetext^='event {k} of']")
    items = "items => items.map(item => [item.dataset.path, item.dataset.fate])"
    return dict(page.locator("[role=treeitem]").evaluate_all(items))


@pytest.mark.parametrize("name", ["1-beam-search", "2-dvts", "3-best-of-n", "6-sequential-refinement", "7-mcts"])
def test_a_saved_replay_shows_every_fate_as_the_fold_has_it(new_page: Callable[..., Page], tmp_path: Path, name: str) -> None:
    records = recorded(name)
    page = new_page(width=390 if name.startswith("2") else 1280)
    assert replayed(page, records, tmp_path) == []
    lines = [json.loads(line) for line in projected(records).splitlines()]
    seq = -1
    for k, line in enumerate(lines, 1):
        seq = line.get("q", seq + 1)
        if k % 23 and k < len(lines):
            continue
        course = Course.of(records[: seq + 1])
        assert drawn_at(page, k) == {dotted(id): course.fate(id) for id in course.tree.nodes}


def test_a_saved_replay_tells_full_texts_turns_dark_and_runs_nothing(
    new_page: Callable[..., Page], records: dict[str, list[Record]], tmp_path: Path
) -> None:
    for name in ("evil1", "evil feedback1", "evil verdicts3"):
        page = new_page()
        assert replayed(page, records[name], tmp_path) == []
        page.locator("[role=treeitem]").last.dispatch_event("click")
        expect(page.locator(".facts")).to_contain_text("-2.50")
        page.get_by_role("button", name="Dark").click()
        assert page.evaluate("document.documentElement.classList.contains('dark')")
        assert page.evaluate("window.pwned") is None and page.locator("#search-view :is(img, script, a, iframe)").count() == 0
    page = new_page(width=390)
    assert replayed(page, records["small"][:30], tmp_path) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1")
    expect(page.locator(".now")).to_contain_text("Interrupted")
