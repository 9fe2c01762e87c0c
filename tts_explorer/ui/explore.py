"""Explore: the controls, the live view, and how a tab follows a search that it does not own.

A tab only names a session: by its link, or because its visitor pressed Start. `follow` tells it what was recorded since the
last time, five times a second, whoever runs the search; so a reload or a shared link attaches to it again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import Any

import gradio as gr
import orjson

from tts_explorer.events import Record, dotted
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.ui import charts, controls
from tts_explorer.ui.component import said_of
from tts_explorer.ui.estimate import estimate
from tts_explorer.ui.hindsight import Hindsight
from tts_explorer.ui.prefill import Offered, prefilled
from tts_explorer.ui.service import EXAMPLE, Service, State, examples
from tts_explorer.ui.view import SearchView
from tts_explorer.ui.words import reader, worded
from tts_explorer.viz.log import PageLog

EVERY = 0.2
"""Seconds between two looks at a running search."""
DRAFT = 40
"""Characters of text in flight that the page shows."""
TOGGLE = "document.querySelector('#controls .toggle-button')?.click()"
CLOSE_ON_PHONES = f"if (innerWidth < 768 && document.querySelector('#controls.open')) {TOGGLE};"
KEPT = ("embed", "present")
"""What a page's address keeps when a search is started."""
NAME_SESSION = f"""(id) => {{ if (id) {{ const url = new URL(location.href);
for (const name of [...url.searchParams.keys()]) if (!{list(KEPT)}.includes(name)) url.searchParams.delete(name);
url.searchParams.set('session', id); history.pushState(null, '', url); {CLOSE_ON_PHONES} }} return id; }}"""
"""The address becomes the session's link; what else it asked for is over. The way back leads to what was shown before."""
DRESS = """() => { const asked = new URL(location.href).searchParams, page = document.body;
for (const name of ['embed', 'present']) page.classList.toggle(name, asked.get(name) === '1');
page.classList.toggle('charted', asked.get('view') === 'chart');
addEventListener('popstate', () => location.reload()); }"""
"""What a link says of the whole page: nothing but the search, large type, with the charts open. Another link, another page."""
OPEN_CHARTS = """() => { const panel = document.querySelector('#charts');
if (!panel || !document.body.classList.contains('charted')) return;
const press = () => panel.querySelector('button.label-wrap')?.click();
if (panel.querySelector('button.label-wrap:not(.open)')) press();
panel.scrollIntoView({ block: 'start' });
setTimeout(() => { if (!panel.querySelector('#chart-choice')) { press(); setTimeout(press, 200); } }, 2000); }"""
"""A press before Gradio has put the panel together opens an empty one: then it is shut and opened again."""
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden"}

DRAWER = "Choose a problem and start"
STARTING = "Starting… the first search loads the models, which takes some seconds."
RECORDED = "A recorded search: press play to watch it again step by step, or start one of your own."
STOPPING, NOTHING_RUNS = "Stopping…", "Nothing of yours is running."


def build(service: Service, *, open_models: bool = True) -> None:
    """Lay the page out inside the Blocks that are open."""
    visitor = gr.BrowserState("", storage_key="tts-explorer-visitor", secret="tts-explorer")
    session = gr.Textbox("", visible="hidden", label="session")
    drawer = gr.Button(DRAWER, variant="primary", elem_id="drawer")
    drawer.click(None, js=f"() => {{ {TOGGLE} }}")
    halt = gr.Button("Stop", elem_id="halt")  # where the controls are out of sight
    with gr.Sidebar(width=340, elem_id="controls"):
        chosen = controls.build(open_models)
    message = gr.HTML("", elem_id="message", apply_default_css=False)
    view = SearchView(server_functions=[service.node])
    charts.build(service, session)
    watched: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple"}
    begin = starter(service, list(chosen.settings))
    begun = chosen.start.click(lambda: say(STARTING), None, message, **QUIET)
    begun = begun.then(begin, [visitor, *chosen.inputs], [session, message, visitor], concurrency_limit=4, **watched)
    begun = begun.then(None, session, session, js=NAME_SESSION, **QUIET)
    begun.then(follower(service), session, [view, message], concurrency_limit=None, **watched)
    gr.on([chosen.stop.click, halt.click], stopper(service), visitor, message, **QUIET)
    arrive(service, chosen, [view, message, session, visitor], visitor)
    advise(service, chosen)


def arrive(service: Service, chosen: controls.Controls, shown: list[Any], visitor: gr.BrowserState) -> None:
    """What happens when the page is opened: the link is read, its settings are filled in, its session is followed."""
    page = gr.context.Context.root_block
    page.load(None, js=DRESS)
    page.load(None, js=f"() => {{ {CLOSE_ON_PHONES} }}")

    def fill(request: gr.Request) -> list[Any]:
        return chosen.fill(request.query_params)

    page.load(fill, None, chosen.filled, **QUIET).then(None, js=OPEN_CHARTS)
    attach = attacher(service, chosen.offered)
    page.load(attach, visitor, shown, show_progress="hidden", concurrency_limit=None)


def advise(service: Service, chosen: controls.Controls) -> None:
    """Keep saying, beside the controls, what a search would take and whether its policy knows the task."""

    def cost(request: gr.Request, *values: Any) -> str:
        tongue = reader(request)
        said, problem = guarded(lambda: estimate(controls.ask(list(chosen.settings), values), service.store, tongue), tongue)
        return problem or beside(said)

    def warn(policy: str, task: str, request: gr.Request) -> str:
        return beside(controls.strange(policy, task, reader(request)))

    watched = [part for part in chosen.inputs if not isinstance(part, gr.State)]
    page = gr.context.Context.root_block
    triggers = [page.load, *(part.change for part in watched)]
    gr.on(triggers, cost, chosen.inputs, chosen.estimate, show_progress="hidden", trigger_mode="always_last", concurrency_limit=2)
    known = [chosen.policy, chosen.task]
    triggers = [page.load, *(part.change for part in known)]
    gr.on(triggers, warn, known, chosen.warning, **QUIET)


def beside(text: str) -> str:
    """A sentence beside a control, as HTML with nothing in it but text."""
    return f'<p class="beside">{worded(text)}</p>' if text else ""


def say(text: str, alarm: bool = False) -> str:
    """One sentence for the visitor, as HTML with nothing in it but text."""
    role, kind = ("alert", "alarm") if alarm else ("status", "quiet")
    return f'<p role="{role}" class="message {kind}">{worded(text)}</p>' if text else ""


def guarded(work: Callable[[], Any], tongue: Tongue = ENGLISH) -> tuple[Any, str]:
    """The result of `work` and nothing, or None and what to tell the visitor. No traceback reaches a page."""
    try:
        return work(), ""
    except (GeneratorExit, asyncio.CancelledError):
        raise
    except BaseException as error:
        return None, say(said_of(error, tongue), alarm=True)


def starter(service: Service, names: list[str]) -> Callable[..., Any]:
    """The handler of Start: (session, message, visitor)."""

    def start(request: gr.Request, visitor: str, *values: Any) -> tuple[Any, str, str]:
        visitor = visitor or secrets.token_urlsafe(16)
        id, problem = guarded(lambda: service.start(controls.ask(names, values), visitor), reader(request))
        if id is None:
            return gr.skip(), problem, visitor
        service.look(str(request.session_hash), id)
        return id, "", visitor

    return start


def stopper(service: Service) -> Callable[..., Any]:
    """The handler of Stop."""

    def stop(visitor: str, request: gr.Request) -> str:
        stopped, problem = guarded(lambda: service.stop(visitor), reader(request))
        return problem or say(STOPPING if stopped else NOTHING_RUNS)

    return stop


def attacher(service: Service, offered: Offered) -> Callable[..., Any]:
    """The handler of a page load: follow the session that the link names from where it says, else show a recorded one."""

    async def attach(visitor: str, request: gr.Request) -> AsyncIterator[Any]:
        visitor = visitor or secrets.token_urlsafe(16)
        id = str(request.query_params.get("session") or "")
        if not id:
            known = examples()
            id = EXAMPLE + known[0] if known else ""
            service.warm()
        asked = prefilled(request.query_params, offered)
        tongue = reader(request)
        about = say(asked.said(tongue) or (RECORDED if id.startswith(EXAMPLE) else ""))
        tab, named = str(request.session_hash), False
        async for shown, message in following(service, id, tab, tongue, asked.opening):
            first = not named and service.looking.get(tab) == id  # later, another search may have been started here
            yield shown, message or about, *((id, visitor) if first else (gr.skip(), gr.skip()))
            named = True

    return attach


def follower(service: Service) -> Callable[..., Any]:
    """The handler that follows the session just started."""

    async def follow(session: str, request: gr.Request) -> AsyncIterator[Any]:
        async for shown, message in following(service, session, str(request.session_hash), reader(request)):
            yield shown, message

    return follow


async def following(
    service: Service, id: str, tab: str, tongue: Tongue, opening: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[Any, Any]]:
    """Yield (view, message) whenever something new is recorded, until the search ends or the tab looks elsewhere.

    `opening` is where a link wants it shown, `tongue` the reader's. What can be said only at the end comes last, so that nothing
    waits for it.
    """
    if not id:
        return
    service.look(tab, id)
    opens = orjson.dumps(opening).decode() if opening else ""
    log, written, known = PageLog(), "", list[Record]()
    last: tuple[Any, ...] = ()
    while service.looking.get(tab) == id:
        state, problem = await asyncio.to_thread(guarded, partial(service.state, id, known, alone=True), tongue)
        if state is None:
            yield gr.skip(), problem
            return
        if service.looking.get(tab) != id:
            break
        written += log.write(state.records[len(known) :]) + ("" if state.live else log.rest())
        known = state.records
        shown = (len(written), draft(state), state.live)
        if shown != last:
            last = shown
            properties = {"session": id, "drafts": draft(state), "interrupted": state.interrupted, "opens": opens, **UNTOLD}
            yield gr.update(value=written, **properties), ""
        if not state.live:
            told, problem = await asyncio.to_thread(guarded, partial(service.hindsight, id, state.records, tongue), tongue)
            if service.looking.get(tab) == id:
                yield (gr.skip() if told is None else gr.update(**retold(told))), problem
            break
        await asyncio.sleep(EVERY)
    yield gr.skip(), gr.skip()  # Gradio repeats the last yield in full: nothing, not the whole log, nor over another search


UNTOLD = {"baseline": "", "others": "", "worth": ""}
"""What the view is told of a search that goes on: nothing that only its end shows."""


def retold(told: Hindsight) -> dict[str, str]:
    """What the view is told of a search that is over."""
    worth = orjson.dumps(told.worth).decode() if told.worth else ""
    return {"baseline": told.baseline, "others": orjson.dumps(told.others).decode(), "worth": worth}


def draft(state: State) -> str:
    """Text in flight as the view reads it."""
    texts = {dotted(node): text[-DRAFT:] for node, text in state.drafts.items() if text}
    return orjson.dumps(texts).decode() if texts else ""
