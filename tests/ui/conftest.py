"""A real browser for the tests of the page, and a page with the search view for it. No model runs here.

Where there is no browser the tests are skipped; in CI (CI=true) that is a failure.
"""

from __future__ import annotations

import json
import os
import queue
import random
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pytest
from viz import streams
from worlds import drive
from worlds import search as searched

from tts_explorer.events import (
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
from tts_explorer.tree import SearchTree
from tts_explorer.viz.log import projected

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

FLAGS = "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --no-first-run"
WAIT = 20_000
"""ms; generous, because the machine may be busy."""
EVIL = (  # each stands wherever a person or a model could have written something
    "<img src=/pwned onerror=window.pwned=1>",
    "<script>window.pwned=1</script>",
    '<svg><a href="javascript:window.pwned=1"><text>x</text></a></svg>',
    "${window.pwned=1}{{window.pwned}}`'\"><iframe src=/pwned>",
)
PICTURE = (  # what a task must never send, and what it may
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" role="img" aria-label="a map" onload="window.pwned=1">'
    '<script>window.pwned=1</script><image href="/pwned"/><style>* { fill: url(/pwned) }</style>'
    '<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="/pwned"></iframe></foreignObject>'
    '<a href="javascript:window.pwned=1"><text>link</text></a><rect width="9" height="9" fill="url(/pwned)" onclick="pwned=1"/>'
    '<circle cx="5" cy="5" r="4" fill="currentColor"/><text x="1" y="15">at WHERE &lt;b&gt;</text></svg>'
)
CUT_SHORT = ("AbortError", "Connection errored out")
"""What a page says of the stream that ends because it is left."""
CLOSED = "net::ERR_CONNECTION_REFUSED"
"""What it says when the server was closed before the page, which looks for it now and then."""
SOURCE = """def beam(root):
    beam = [root]
    for depth in range(3):
        steps = yield Expand(beam, 4)
        steps = yield Score(steps)
        yield Prune(rest)
"""


def missing(what: str) -> None:
    """Fail in CI, skip elsewhere."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{what} is not installed")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The Chromium of the system, started once."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        missing("Chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS.split())
        yield running
        running.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Any], str]]:
    """Serve a Blocks on a free port and tell its address; all are closed at the end."""
    served = []

    def start(demo: Any) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        served.append(demo)
        options = {"quiet": True, "ssr_mode": False, "run_history": False, "share": False}
        return demo.queue().launch(server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, **options)[1]

    yield start
    for demo in served:
        demo.close()


class Complaints:
    """What the pages of a context complain of, but for the streams of a page that was left: reloaded, followed on, closed.

    Whether it was left is known afterwards only: a page ends its streams before the browser asks for the next one.
    """

    def __init__(self, context: Any, expected: str = "") -> None:
        self.context, self.expected = context, expected
        self.said: list[tuple[Any, str]] = []
        self.visits: dict[Any, int] = {}
        context.on("page", lambda page: page.on("request", lambda request: self._asked(page, request)))
        context.on("weberror", lambda web: self.said.append((web.page, str(web.error))))
        context.on("console", lambda said: self.said.append((said.page, said.text)) if said.type == "error" else None)
        context.on("dialog", self._opened)

    @property
    def heard(self) -> list[str]:
        """What is held against them by now."""
        return [text for page, text in self.said if not any(part in text for part in self._borne(page))]

    def _borne(self, page: Any) -> list[str]:
        left = page is None or page.is_closed() or self.visits.get(page, 0) > 1
        return [CLOSED, *([self.expected] if self.expected else []), *(CUT_SHORT if left else ())]

    def _asked(self, page: Any, request: Any) -> None:
        if request.is_navigation_request():
            self.visits[page] = self.visits.get(page, 0) + 1

    def _opened(self, dialog: Any) -> None:
        self.said.append((dialog.page, f"a dialog: {dialog.message}"))
        dialog.dismiss()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open pages, each in a context of its own; what one complains of fails the test, but for what its own test expects."""
    contexts: list[Complaints] = []

    def opened(width: int = 1280, motion: str = "reduce", expected: str = "") -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion=motion, color_scheme="light", service_workers="block"
        )
        contexts.append(Complaints(context, expected))
        page = context.new_page()
        page.set_default_timeout(WAIT)
        return page

    yield opened
    heard = [text for one in contexts for text in one.heard]
    for one in contexts:
        one.context.close()
    assert heard == []


def search(n: int = 8, kept: int = 2, depth: int = 3, say: Callable[[str], str] = str) -> list[Record]:
    """A beam search of n * depth nodes; `say` writes every text that a person or a model could have written."""
    rng, events = random.Random(5), []
    about = {"source": SOURCE, "policy": "p", "verifier": "v", "truth": say("64")}
    events.append((1, SearchStarted(say("Make 64 of 3, 7, 12 and 25."), "beam_search", **about)))
    beam: list[tuple[int, ...]] = [()]
    for level in range(depth):
        last = level == depth - 1
        steps = [(*parent, c) for parent in beam for c in range(n // len(beam))]
        for node in steps:
            text = say(f"{rng.randrange(90)} - {rng.randrange(9)} = {level}, left: 3 7 13") + "\n\n"
            ending = ("eos", True, say("64")) if last else ("step", False, None)
            events.append((4, NodeAdded(node, text, 9, -2.5, *ending)))
        events.append((4, CostIncurred("policy", 90, 40, 9 * n, 2e9, 0.2)))
        scores = {node: rng.random() for node in steps}
        events += [(5, NodeScored(node, score)) for node, score in scores.items()]
        events.append((5, CostIncurred("verifier", 90, 60, 0, 6e9, 0.3)))
        beam = sorted(steps, key=lambda node: -scores[node])[:kept]
        if not last:
            events += [(6, NodePruned(node, say("rank"))) for node in steps if node not in beam]
    chosen = max(steps, key=lambda node: scores[node])
    answer = AnswerSelected(say("64"), chosen, "best", {say("64"): 3.5})
    ends = [Noted("info", say("a remark")), answer, AnswerGraded(say("64"), True), SearchFinished("done")]
    events += [(None, event) for event in ends]
    return [Record(i, i / 10, line, event) for i, (line, event) in enumerate(events)]


@dataclass
class Screen:
    """A page with the view on it."""

    page: Any
    records: list[Record]

    @property
    def last(self) -> int:
        return self.records[-1].seq

    def items(self) -> list[list[str]]:
        """The picture: every node's path, place, fate and name."""
        return self.page.evaluate(
            """[...document.querySelectorAll('#search-view [role=treeitem]')].map(g => [g.dataset.path,
            g.getAttribute('transform'), g.dataset.fate, g.getAttribute('aria-label')]).sort()"""
        )

    def scrub(self, k: int) -> None:
        self.page.locator(".scrubber").evaluate("(s, k) => { s.value = k; s.dispatchEvent(new Event('input')); }", k)
        self.page.wait_for_selector(f".scrubber[aria-valuetext^='event {k} of']")

    def at(self, seq: int) -> None:
        """Wait until the view has drawn that event."""
        self.page.wait_for_selector(f"#search-view[data-seq='{seq}']")

    def state(self, word: str) -> None:
        self.page.wait_for_selector(f"#search-view[data-state={word}]")

    def text(self, part: str) -> str:
        return self.page.locator(f"#search-view {part}").inner_text()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name)


@pytest.fixture(scope="session")
def records() -> dict[str, list[Record]]:
    """Recorded searches by name."""
    evil = {f"evil{i}": search(say=lambda _, text=text: text) for i, text in enumerate(EVIL)}
    evil |= {f"evil feedback{i}": streams.refinement(lambda _, text=text: text) for i, text in enumerate(EVIL)}
    evil |= {f"evil verdicts{i}": streams.verified(say=lambda _, text=text: text) for i, text in enumerate(EVIL)}
    spoken = {"refined": streams.refinement(), "verified": streams.verified(), "ahead": streams.ahead()}
    ran = {
        "mcts": drive(searched("mcts", settings={"n": 8, "beam_width": 3}))[0],
        "rebase": drive(searched("rebase", "never ends", settings={"n": 6}))[0],
        "particles": drive(searched("particle_filter", "never ends", settings={"n": 6}))[0],
        "dvts": drive(searched("dvts", "never ends", settings={"n": 6, "beam_width": 2}))[0],
        "adaptive": drive(searched("adaptive_consistency", "lines", settings={"n": 16, "batch": 4}))[0],
    }
    return {"small": search(), "drawn": search(), "big": search(80, 20, 25)} | evil | spoken | ran


@pytest.fixture(scope="session")
def feed() -> queue.Queue[dict[str, Any] | None]:
    """What the live search shows next; None ends it."""
    return queue.Queue()


@pytest.fixture(scope="session")
def view_url(serve: Callable[[Any], str], records: dict[str, list[Record]], feed: queue.Queue[Any]) -> str:
    """A page with nothing but the view: recordings by ?s=NAME, a live search by its button."""
    from tts_explorer.ui.service import facts, told
    from tts_explorer.ui.view import SearchView

    def node_detail(session: str, path: str) -> dict[str, Any]:
        tree = SearchTree.of(record.event for record in records[session])
        steps = tree.path(tuple(map(int, path.split("."))) if path else ())
        drawn = {"drawing": PICTURE.replace("WHERE", path or "root")} if session == "drawn" else {}
        full = {"steps": [facts(node) | {"text": f"FULL {node.text}"} for node in steps]}
        return (told(steps[-1]) if steps else {}) | full | drawn

    def recorded(request: gr.Request) -> Any:
        name = request.query_params.get("s")
        return gr.update(value=projected(records[name]), session=name) if name else gr.update()

    def live() -> Iterator[Any]:
        while (shown := feed.get(timeout=60)) is not None:
            yield gr.update(**shown)

    def pick(event: gr.EventData) -> str:
        return json.dumps(event._data)

    with gr.Blocks(title="The search view") as demo:
        view = SearchView(server_functions=[node_detail])
        start, picked = gr.Button("Start"), gr.Textbox(label="Picked", interactive=True)
        start.click(live, None, view, show_progress="hidden")
        demo.load(recorded, None, view, show_progress="hidden")
        view.node_select(pick, None, picked, queue=False, show_progress="hidden")
    return serve(demo)


@pytest.fixture
def show(new_page: Callable[..., Any], view_url: str, records: dict[str, list[Record]]) -> Callable[..., Screen]:
    """Open a recording, or the empty view, and wait for it."""

    def opened(name: str = "", theme: str = "light", **options: Any) -> Screen:
        screen = Screen(new_page(**options), records.get(name, []))
        screen.page.goto(f"{view_url}?s={name}&__theme={theme}", wait_until="domcontentloaded")
        screen.state("done" if name else "empty")
        if name:
            screen.at(screen.last)
        return screen

    return opened
