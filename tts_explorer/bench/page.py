"""`bench page`: what a visitor waits for, in a real browser, part by part against its goal.

One server, in a process of its own, over a database that the parts fill by rule; a model runs in `start` alone. Waits are wall
time, so they mean something on a quiet machine only; the main thread's milliseconds are its processor time.

Learnt on two quiet cores, medians of 20: with only what is in sight in the page an update takes 42 ms of the main thread at 2,000
nodes, 10,000 open in 1.3 s and scrub at 36 frames a second. With an element for every node it was 83 ms, 8.5 s and 3 frames, on
a busier machine. A path of hundreds of steps, written out at every frame, cost more than the tree, and so did asking the server
for each node that was passed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tts_explorer.bench.browser import MainThread, Wire, chromium, fresh, served
from tts_explorer.bench.measure import by_turns, environment, spread
from tts_explorer.bench.recordings import COMMON, RARE, ROUND, TAG, Growing, fill
from tts_explorer.errors import BadSetting
from tts_explorer.store import Store, Wanted, new_id

Found = dict[str, list[float]]
"""What a part measured, by name, a value a repetition."""

AT_MOST = {
    "first paint, s": 2.0,
    "start to first candidate, s": 1.5,
    "bytes a node added": 250.0,
    "main thread an update, ms": 60.0,
    "large session open, s": 3.0,
    "store list, ms": 300.0,
    "store filter, ms": 300.0,
    "store search, ms": 300.0,
    "page list, ms": 300.0,
    "page filter, ms": 300.0,
    "page search, ms": 300.0,
}
AT_LEAST = {"scrubbing, frames a second": 20.0}
LANES, LARGE_LANES = 5, 16
SCRUB = 2.0
"""Seconds of dragging the scrubber."""
WARMING = 2
"""Updates, or searches, before the first that counts."""
PAGE = 25
"""Sessions on a page of the list."""
CASES: dict[str, dict[str, Any]] = {
    "list newest": {},
    "list dearest": {"order": "dearest"},
    "list last page": {"last": True},
    "filter by four": {"task": "countdown", "level": 3, "strategy": "mcts", "grade": "wrong"},
    "filter running": {"state": "running"},
    "filter tag": {"tag": TAG},
    "search rare word": {"words": RARE},
    "search common word": {"words": COMMON},
    "search phrase": {"words": f'"{RARE} one"'},
}
"""Fields of the list's form, which are those of `Wanted`; the first word is the kind."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of everything."""

    repeat: int = 20
    nodes: int = 2_000
    """Of the search that is watched while it grows."""
    large: int = 10_000
    """Nodes of the session that is opened."""
    sessions: int = 20_000
    """In the store."""


@dataclass(frozen=True, slots=True)
class Site:
    """The page that is served, the store under it, and a browser to look at it with."""

    browser: Any
    store: Store
    url: str


def bench_page(parts: Sequence[str], sizes: Sizes) -> dict[str, Any]:
    """Measure `parts`, all of PARTS if there are none. Raises BadSetting, and UserError without a browser."""
    for name in parts:
        if name not in PARTS:
            raise BadSetting(f"no part {name!r}: choose among {', '.join(PARTS)}")
    chosen = [name for name in PARTS if name in parts or not parts]
    with chromium() as browser:
        packages = {name: version(name) for name in ("gradio", "playwright")}
        about = environment(1) | packages | {"chromium": browser.version}
        with opened(browser) as site:
            found = {name: values for part in chosen for name, values in PARTS[part](site, sizes).items()}
    return {
        "bench": "page",
        "settings": {"parts": ", ".join(chosen), **asdict(sizes), "nodes_an_update": ROUND},
        "environment": about,
        "results": [line(name, values) for name, values in found.items() if name in AT_MOST | AT_LEAST],
        "figures": {name: spread(values) for name, values in found.items() if name not in AT_MOST | AT_LEAST},
        "note": "Goals are for two cores that do nothing else; reached is said of the median.",
    }


def line(name: str, values: Sequence[float]) -> dict[str, Any]:
    """One measurement against its goal."""
    measured, least = spread(values), name in AT_LEAST
    goal = (AT_LEAST | AT_MOST)[name]
    reached = measured["median"] >= goal if least else measured["median"] <= goal
    return {"what": name, "measured": measured, "goal": f"{'≥' if least else '≤'} {goal:g}", "reached": reached}


def first_paint(site: Site, sizes: Sizes) -> Found:
    """The recorded search, drawn, after the page's first byte, in a browser that has never seen the page."""

    def once(_: int) -> float:
        with fresh(site.browser) as page:
            page.goto(site.url, wait_until="commit")
            return page.evaluate("bench.shown()")[1] / 1000

    once(0)
    return by_turns({"first paint, s": once}, sizes.repeat)


def start(site: Site, sizes: Sizes) -> Found:
    """From Start to the first candidate, with the settings that the page opens with."""

    def once(_: int) -> float:
        waited = page.evaluate("bench.start()") / 1000
        page.evaluate("bench.ended()")
        page.wait_for_timeout(500)
        return waited

    with fresh(site.browser) as page:
        page.goto(site.url, wait_until="commit")
        page.evaluate("bench.shown()")
        for i in range(WARMING):
            once(i)
        return by_turns({"start to first candidate, s": once}, sizes.repeat)


def update(site: Site, sizes: Sizes) -> Found:
    """A search of many nodes grows in this process, a round an update; the page follows it."""
    found: Found = {"bytes a node added": [], "main thread an update, ms": [], "of_that_script_layout_and_style_ms": []}

    def once(_: int) -> None:
        records, before = tree.round(), wire.bytes

        def grow() -> None:
            site.store.append([(id, records)])
            page.evaluate("seq => bench.drawn(seq)", records[-1].seq)

        task, work = thread.spent(grow)
        for name, value in zip(found, ((wire.bytes - before) / ROUND, task, work), strict=True):
            found[name].append(value)

    tree, id = Growing(LANES), new_id()
    site.store.append([(id, tree.grown(sizes.nodes))])
    with fresh(site.browser) as page:
        wire, thread = Wire(page), MainThread(page)
        page.goto(f"{site.url}/?session={id}", wait_until="commit")
        page.evaluate("seq => bench.drawn(seq)", tree.seq - 1)
        by_turns({"": once}, WARMING + sizes.repeat)
    return {name: values[WARMING:] for name, values in found.items()}


def large(site: Site, sizes: Sizes) -> Found:
    """A large session, opened by its link, and its scrubber dragged from end to end and back, once a second each way."""

    def once(_: int) -> tuple[float, float, float]:
        frames: list[float] = []
        with fresh(site.browser) as page:
            thread = MainThread(page)
            page.goto(f"{site.url}/?session={id}", wait_until="commit")
            waited = page.evaluate("bench.shown()")[0] / 1000
            task, _ = thread.spent(lambda: frames.extend(page.evaluate("seconds => bench.scrub(seconds)", SCRUB)))
        return waited, 1000 * len(frames) / sum(frames), task / len(frames)

    tree, id = Growing(LARGE_LANES), new_id()
    site.store.append([(id, tree.grown(sizes.large) + tree.end())])
    (turns,) = by_turns({"": once}, sizes.repeat).values()
    names = ("large session open, s", "scrubbing, frames a second", "main_thread_a_scrubbed_frame_ms")
    return {name: list(values) for name, values in zip(names, zip(*turns, strict=True), strict=True)}


def store(site: Site, sizes: Sizes) -> Found:
    """The list of many sessions: the store's own calls, and the rows that the browser drew, each kind by its slowest case."""
    fill(site.store, sizes.sessions)
    with fresh(site.browser) as page:
        page.goto(f"{site.url}/sessions", wait_until="commit")
        page.evaluate("bench.listed()")
        asked = {f"store {name}": called(site.store, fields) for name, fields in CASES.items()}
        asked |= {f"page {name}": shown(page, fields) for name, fields in CASES.items()}
        for name in CASES:
            if (drawn := asked[f"page {name}"](0)[1]) != (stands := asked[f"store {name}"](0)[1]):
                raise AssertionError(f"the page shows {drawn} sessions for {name}, the store finds {stands}")
        turns = by_turns(asked, sizes.repeat)
    times = {name: [waited for waited, _ in values] for name, values in turns.items()}
    kinds = dict.fromkeys(" ".join(name.split()[:2]) for name in times)
    slowest = {f"{kind}, ms": worst([v for name, v in times.items() if name.startswith(f"{kind} ")]) for kind in kinds}
    return slowest | {f"{name}, ms": values for name, values in times.items()}


def called(store: Store, fields: dict[str, Any]) -> Callable[[int], tuple[float, int]]:
    """A call of the store as the list makes it: ms, and how many sessions it gave."""
    last = "last" in fields
    wanted = Wanted(children=False, **({} if last else fields))
    offset = (store.find(wanted, 1)[1] - 1) // PAGE * PAGE if last else 0

    def once(_: int) -> tuple[float, int]:
        began = time.perf_counter()
        rows, _ = store.find(wanted, PAGE, offset)
        return 1000 * (time.perf_counter() - began), len(rows)

    return once


def shown(page: Any, fields: dict[str, Any]) -> Callable[[int], tuple[float, int]]:
    """The same asked of the page: ms until the rows were drawn, and how many."""
    return lambda _: tuple(page.evaluate("fields => bench.find(fields)", fields))


def worst(cases: Sequence[Sequence[float]]) -> list[float]:
    """Of each repetition the longest."""
    return list(map(max, *cases)) if len(cases) > 1 else list(cases[0])


@contextmanager
def opened(browser: Any) -> Iterator[Site]:
    """The page over a new database, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix="tts-explorer-bench-") as place:
        db = Path(place) / "sessions.db"
        with closing(Store(db)) as store, served(db) as url:
            yield Site(browser, store, url)


PARTS: dict[str, Callable[[Site, Sizes], Found]] = {
    "first-paint": first_paint,
    "start": start,
    "update": update,
    "large": large,
    "store": store,
}
