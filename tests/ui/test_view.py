"""The search view in a real browser: recordings, live growth, replay, keys, hostile text, phones, both themes."""

from __future__ import annotations

import json
import queue
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

gr = pytest.importorskip("gradio")
from tts_explorer.events import (  # noqa: E402
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    NodeAdded,
    NodePruned,
    NodeScored,
    Noted,
    Record,
    SearchFinished,
    SearchStarted,
)
from tts_explorer.ui.view import SearchView, read, spread  # noqa: E402
from tts_explorer.viz.log import projected  # noqa: E402

browser_test = pytest.mark.browser
SOURCE = "def beam(root):\n    beam = [root]\n    for depth in range(3):\n        steps = yield Expand(beam, 4)\n        steps = yield Score(steps)\n        yield Prune(rest)\n"
EVIL = (
    "<img src=/pwned onerror=window.pwned=1>",
    "<script>window.pwned=1</script>",
    '<svg><a href="javascript:window.pwned=1"><text>x</text></a></svg>',
    "${window.pwned=1}{{window.pwned}}`'\"><iframe src=/pwned>",
)


def search(n: int = 8, kept: int = 2, depth: int = 3, say: Callable[[str], str] = str) -> list[Record]:
    """A beam search of n * depth nodes; `say` writes every text that a person or a model could have written."""
    rng, events = random.Random(5), []
    started = SearchStarted(say("Make 64 of 3, 7, 12 and 25."), "beam_search", source=SOURCE, policy="p", verifier="v", truth=say("64"))
    events.append((1, started))
    beam: list[tuple[int, ...]] = [()]
    for level in range(depth):
        last = level == depth - 1
        steps = [(*parent, c) for parent in beam for c in range(n // len(beam))]
        for node in steps:
            text = say(f"{rng.randrange(90)} - {rng.randrange(9)} = {level}, left: 3 7 13") + "\n\n"
            events.append((4, NodeAdded(node, text, 9, -2.5, "eos" if last else "step", last, say("64") if last else None)))
        events.append((4, CostIncurred("policy", 90, 40, 9 * n, 2e9, 0.2)))
        scores = {node: rng.random() for node in steps}
        events += [(5, NodeScored(node, score)) for node, score in scores.items()]
        events.append((5, CostIncurred("verifier", 90, 60, 0, 6e9, 0.3)))
        beam = sorted(steps, key=lambda node: -scores[node])[:kept]
        if not last:
            events += [(6, NodePruned(node, say("rank"))) for node in steps if node not in beam]
    chosen = max(steps, key=lambda node: scores[node])
    events += [(None, Noted("info", say("a remark"))), (None, AnswerSelected(say("64"), chosen, "best", {say("64"): 3.5}))]
    events += [(None, AnswerGraded(say("64"), True)), (None, SearchFinished("done"))]
    return [Record(i, i / 10, line, event) for i, (line, event) in enumerate(events)]


RECORDS = {"small": search(), "big": search(80, 20, 25)}
for number, evil in enumerate(EVIL):
    RECORDS[f"evil{number}"] = search(say=lambda text, evil=evil: evil)
FEED: queue.Queue[dict[str, Any] | None] = queue.Queue()
"""What the live search shows next; None ends it."""


def node_detail(session: str, path: str) -> dict[str, Any]:
    texts = {record.event.node: record.event for record in RECORDS[session] if isinstance(record.event, NodeAdded)}
    id = tuple(map(int, path.split(".")))
    whole = [texts[id[: i + 1]] for i in range(len(id))]
    return {"steps": [{"text": f"FULL {e.text}", "tokens": e.tokens, "logprob": e.logprob, "stop": e.stop} for e in whole]}


def recorded(request: gr.Request) -> Any:
    name = request.query_params.get("s")
    return gr.update(value=projected(RECORDS[name]), session=name) if name else gr.update()


def live() -> Iterator[Any]:
    while (shown := FEED.get(timeout=60)) is not None:
        yield gr.update(**shown)


@pytest.fixture(scope="module")
def url(serve: Callable[[Any], str]) -> str:
    with gr.Blocks(title="The search view") as demo:
        view = SearchView(server_functions=[node_detail])
        start, picked = gr.Button("Start"), gr.Textbox(label="Picked", interactive=True)
        demo.load(recorded, None, view, show_progress="hidden")
        start.click(live, None, view, show_progress="hidden")

        def pick(event: gr.EventData) -> str:
            return json.dumps(event._data)

        view.node_select(pick, None, picked, queue=False, show_progress="hidden")
    return serve(demo)


@pytest.fixture
def show(new_page: Callable[..., Any], url: str) -> Callable[..., Any]:
    """Open a recording, or the empty view, and wait for it."""

    def opened(name: str = "", theme: str = "light", **options: Any) -> Any:
        page = new_page(**options)
        page.goto(f"{url}?s={name}&__theme={theme}", wait_until="domcontentloaded")
        page.wait_for_selector(f"#search-view[data-state={'done' if name else 'empty'}]")
        return page

    return opened


def items(page: Any) -> list[list[str]]:
    """The picture: every node's path, place, fate and name."""
    return page.evaluate(
        """[...document.querySelectorAll('#search-view [role=treeitem]')].map(g => [g.dataset.path,
        g.getAttribute('transform'), g.dataset.fate, g.getAttribute('aria-label')]).sort()"""
    )


def scrub(page: Any, k: int) -> None:
    page.evaluate("k => { const s = document.querySelector('.scrubber'); s.value = k; s.dispatchEvent(new Event('input')); }", k)
    page.wait_for_function("k => document.querySelector('.scrubber').getAttribute('aria-valuetext').startsWith(`event ${k} of`)", arg=k)


def wait_for(page: Any, seq: int) -> None:
    page.wait_for_selector(f"#search-view[data-seq='{seq}']")


def text(page: Any, part: str) -> str:
    return page.locator(f"#search-view {part}").inner_text()


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
    page, records = show("small"), RECORDS["small"]
    wait_for(page, records[-1].seq)
    nodes = items(page)
    assert len(nodes) == 25 and all(name for *_, name in nodes)
    assert page.locator("#search-view [data-fate=selected][role=treeitem]").count() == 1
    assert page.locator("#search-view [role=treeitem][data-fate=pruned]").count() == 12
    assert page.locator("#search-view [role=treeitem][tabindex='0']").count() == 1
    assert text(page, ".answer .text") == "64" and text(page, ".chip") == "✓ right"
    assert "The answer is 64, which is right" in text(page, "[role=status]")
    assert page.locator("#search-view tbody tr").count() == 8
    assert text(page, ".cost dl").split("\n")[1::2] == ["216", "300", "24.0 G", "75 %", "24", "1.5 s"]
    assert text(page, ".place") == f"event {len(records)} of {len(records)}"


@browser_test
def test_the_picture_is_a_function_of_the_position(show: Callable[..., Any]) -> None:
    page = show("small")
    end = items(page)
    pictures = {}
    for k in (0, 1, 20, 30, 60):
        scrub(page, k)
        pictures[k] = items(page)
    assert [len(picture) for picture in pictures.values()] == [1, 1, 9, 14, 25]
    for k in (60, 30, 20):
        scrub(page, k)
        assert items(page) == pictures[k]
    place = {path: where for path, where, *_ in end}
    assert all(place[path] == where for picture in pictures.values() for path, where, *_ in picture)
    scrub(page, 20)
    assert page.locator(".source [aria-current]").all_inner_texts() == ["        yield Prune(rest)"]
    assert text(page, ".doing").startswith("It gives up") and text(page, ".doing").endswith("others ranked higher.")
    assert text(page, ".answer .text") == "Searching…"
    scrub(page, len(RECORDS["small"]))
    assert items(page) == end


@browser_test
def test_play_runs_from_the_start_to_the_end(show: Callable[..., Any]) -> None:
    page, last = show("small"), RECORDS["small"][-1].seq
    page.get_by_label("Speed").select_option("20")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"Number(document.querySelector('#search-view').dataset.seq) < {last}")
    page.get_by_role("button", name="Pause").wait_for()
    wait_for(page, last)
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="First event").click()
    wait_for(page, -1)
    page.get_by_role("button", name="Next event").click()
    wait_for(page, 0)
    page.get_by_role("button", name="Last event").click()
    wait_for(page, last)


@browser_test
def test_keys(show: Callable[..., Any]) -> None:
    page, last = show("small"), RECORDS["small"][-1].seq

    def cursor() -> str:
        return page.locator("#search-view [role=treeitem][aria-selected=true]").get_attribute("data-path")

    page.locator("#search-view [role=treeitem][data-path='']").focus()
    page.keyboard.press("Home")
    assert cursor() == ""
    page.keyboard.press("ArrowRight")
    assert cursor() == "0"
    page.keyboard.press("ArrowDown")
    assert cursor() == "1"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    assert cursor() == ""
    assert page.evaluate("document.activeElement.dataset.path") == ""
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert cursor() == "1" and "node 0," in text(page, ".which")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    assert page.locator("[aria-selected=true]").get_attribute("data-fate") == "selected"
    page.keyboard.press(",")
    wait_for(page, last - 1)
    page.keyboard.press(".")
    wait_for(page, last)
    page.keyboard.press("<")
    page.wait_for_function(f"Number(document.querySelector('#search-view').dataset.seq) < {last - 9}")
    page.keyboard.press(">")
    wait_for(page, last)
    page.keyboard.press(" ")
    page.get_by_role("button", name="Pause").wait_for()
    page.keyboard.press(" ")
    page.get_by_role("button", name="Play").wait_for()
    page.get_by_role("button", name="Last event").click()
    page.get_by_label("Picked").fill("")
    page.get_by_label("Picked").press_sequentially(", <b")
    assert page.get_by_label("Picked").input_value() == ", <b"
    wait_for(page, last)


@browser_test
def test_a_live_search_grows_and_is_followed(show: Callable[..., Any]) -> None:
    page, log = show(), projected(RECORDS["small"]).splitlines(keepends=True)
    page.get_by_role("button", name="Start").click()

    def feed(lines: int, **more: Any) -> None:
        FEED.put({"value": "".join(log[:lines]) + more.pop("tail", ""), "session": "small", **more})

    feed(4, drafts=json.dumps({"3": "12 * 7 = ", "9.9": "nowhere", "bad": 1}))
    page.wait_for_selector("#search-view[data-state=live][data-seq='3']")
    assert page.locator(".ghosts text").all_text_contents() == ["…12 * 7 ="]
    feed(9, drafts="", tail=log[9][:15])
    wait_for(page, 8)
    assert page.locator(".ghosts text").count() == 0
    assert text(page, ".answer .text") == "Searching…"
    early = {path: where for path, where, *_ in items(page)}
    follow = page.get_by_role("button", name="Follow")
    assert follow.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Previous event").click()
    wait_for(page, 7)
    feed(30)
    page.wait_for_function("document.querySelector('.place').textContent.endsWith('of 30')")
    wait_for(page, 7)
    assert follow.get_attribute("aria-pressed") == "false"
    follow.click()
    wait_for(page, 29)
    assert {path: where for path, where, *_ in items(page) if path in early} == early
    feed(50, interrupted=True)
    page.wait_for_selector("#search-view[data-state=interrupted]")
    FEED.put({"value": "", "session": "", "interrupted": False})
    page.wait_for_selector("#search-view[data-state=empty]")
    feed(len(log))
    page.wait_for_selector("#search-view[data-state=done]")
    wait_for(page, RECORDS["small"][-1].seq)
    FEED.put({"value": projected(RECORDS["evil0"]), "session": "evil0"})
    page.wait_for_function("document.querySelector('.problem').textContent.startsWith('<img')")
    FEED.put(None)


@browser_test
def test_two_thousand_nodes_stay_quick(show: Callable[..., Any]) -> None:
    page = show("big")
    wait_for(page, RECORDS["big"][-1].seq)
    times = page.evaluate(
        """async () => {
        const view = document.querySelector('#search-view'), times = [];
        for (const node of [...view.querySelectorAll('[role=treeitem]')].filter((_, i) => i % 150 === 7)) {
          const start = performance.now();
          node.dispatchEvent(new MouseEvent('click', {bubbles: true}));
          while (!view.querySelector('.which').textContent.startsWith(`node ${node.dataset.path},`)) await new Promise(requestAnimationFrame);
          times.push(performance.now() - start);
        }
        const slider = view.querySelector('.scrubber'), frames = [];
        for (const k of [900, 4000, 300, 5200]) {
          const start = performance.now();
          slider.value = k;
          slider.dispatchEvent(new Event('input'));
          await new Promise(requestAnimationFrame);
          frames.push(performance.now() - start);
        }
        return [times, frames];
        }"""
    )
    print("click to text, ms:", [round(t) for t in times[0]], "scrub, ms:", [round(t) for t in times[1]])
    assert sorted(times[0])[len(times[0]) // 2] < 100
    assert sorted(times[1])[2] < 250
    page.get_by_role("button", name="Last event").click()
    page.get_by_role("button", name="Best path").click()
    page.wait_for_function("document.querySelector('.steps .own .words').textContent.startsWith('FULL')")
    bunch = page.locator(".bunch").first
    before = page.locator("#search-view [role=treeitem]").count()
    hidden = int(bunch.text_content().removeprefix("+"))
    bunch.dispatch_event("click")
    page.wait_for_function(f"document.querySelectorAll('#search-view [role=treeitem]').length === {before + hidden}")


@browser_test
@pytest.mark.parametrize("number", range(len(EVIL)))
def test_hostile_text_is_text(show: Callable[..., Any], number: int) -> None:
    page, asked = show("small"), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page.url.replace("s=small", f"s=evil{number}"), wait_until="domcontentloaded")
    wait_for(page, RECORDS[f"evil{number}"][-1].seq)
    for node in page.locator("#search-view [role=treeitem]").all()[::6]:
        node.dispatch_event("click")
    page.locator("#search-view [role=treeitem][data-path='0']").click()
    page.wait_for_function("document.querySelector('.steps .own .words').textContent.startsWith('FULL')")
    page.wait_for_function("document.querySelector('[aria-label=Picked], textarea, input[type=text]') !== null")
    for k in range(0, len(RECORDS[f"evil{number}"]), 5):
        scrub(page, k)
    assert page.evaluate("window.pwned") is None
    assert page.locator("#search-view :is(img, script, a, iframe)").count() == 0
    assert not [address for address in asked if "pwned" in address and "s=evil" not in address]


@browser_test
def test_a_phone_has_no_sideways_scroll(show: Callable[..., Any], tmp_path: Any) -> None:
    page = show("small", width=390)
    wait_for(page, RECORDS["small"][-1].seq)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    sizes = page.evaluate("[...document.querySelectorAll('.transport button')].map(b => b.getBoundingClientRect()).map(r => Math.min(r.width, r.height))")
    assert min(sizes) >= 44
    page.screenshot(path=tmp_path / "phone.png", full_page=True)


CONTRAST = """() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgb = (c) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = c; paint.fillRect(0, 0, 1, 1); return [...paint.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126*r + .7152*g + .0722*b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255,255,255]; };
  return [...document.querySelectorAll('#search-view :is(p, h3, dt, dd, td, th, .quiet, .key, .step, .said, code span, .node text tspan, .chip, .now)')]
    .filter(e => e.textContent.trim() && e.getClientRects().length).map(e => { const s = getComputedStyle(e);
      const [a, b] = [light(rgb(e.ownerSVGElement ? s.fill : s.color)), light(behind(e.ownerSVGElement?.parentElement ?? e))];
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.className.baseVal ?? e.className, e.textContent.slice(0, 20)]; })
    .filter(([ratio]) => ratio < 4.5);
}"""


@browser_test
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(show: Callable[..., Any], theme: str, tmp_path: Any) -> None:
    page = show("small", theme=theme)
    wait_for(page, RECORDS["small"][-1].seq)
    scrub(page, 40)
    assert page.evaluate(CONTRAST) == []
    page.screenshot(path=tmp_path / f"{theme}.png", full_page=True)
