"""Explore: the controls, the live view, and how a tab follows a search that it does not own.

A tab only names a session: by its link, or because its visitor pressed Start. `follow` tells it what was recorded since the
last time, five times a second, whoever runs the search; so a reload or a shared link attaches to it again.
"""

from __future__ import annotations

import asyncio
import html
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import gradio as gr
import orjson

from tts_explorer.errors import UserError
from tts_explorer.events import Record, dotted
from tts_explorer.ui import charts, controls
from tts_explorer.ui.service import EXAMPLE, Service, State, examples
from tts_explorer.ui.view import SearchView
from tts_explorer.viz.log import PageLog

EVERY = 0.2
"""Seconds between two looks at a running search."""
DRAFT = 40
"""Characters of text in flight that the page shows."""
TOGGLE = "document.querySelector('#controls .toggle-button')?.click()"
CLOSE_ON_PHONES = f"if (innerWidth < 768 && document.querySelector('#controls.open')) {TOGGLE};"
NAME_SESSION = f"""(id) => {{ if (id) {{ const url = new URL(location.href); url.searchParams.set('session', id);
history.replaceState(null, '', url); {CLOSE_ON_PHONES} }} return id; }}"""
STARTING = "Starting… the first search loads the models, which takes some seconds."
RECORDED = "A recorded search: press play to watch it again step by step, or start one of your own."


def build(service: Service, *, open_models: bool = True) -> None:
    """Lay the page out inside the Blocks that are open."""
    visitor = gr.BrowserState("", storage_key="tts-explorer-visitor", secret="tts-explorer")
    session = gr.Textbox("", visible="hidden", label="session")
    drawer = gr.Button("Choose a problem and start", variant="primary", elem_id="drawer")
    drawer.click(None, js=f"() => {{ {TOGGLE} }}")
    with gr.Sidebar(width=340, elem_id="controls"):
        chosen = controls.build(open_models)
    message = gr.HTML("", elem_id="message", apply_default_css=False)
    view = SearchView(server_functions=[service.node])
    charts.build(service, session)
    quiet = {"queue": False, "show_progress": "hidden"}
    watched = {"show_progress": "hidden", "trigger_mode": "multiple"}
    begin = starter(service, list(chosen.settings))
    begun = chosen.start.click(lambda: say(STARTING), None, message, **quiet)
    begun = begun.then(begin, [visitor, *chosen.inputs], [session, message, visitor], concurrency_limit=4, **watched)
    begun = begun.then(None, session, session, js=NAME_SESSION, **quiet)
    begun.then(follower(service), session, [view, message], concurrency_limit=None, **watched)
    chosen.stop.click(stopper(service), visitor, message, queue=False, show_progress="hidden")
    gr.context.Context.root_block.load(None, js=f"() => {{ {CLOSE_ON_PHONES} }}")
    gr.context.Context.root_block.load(
        attacher(service), visitor, [view, message, session, visitor], show_progress="hidden", concurrency_limit=None
    )


def say(text: str, alarm: bool = False) -> str:
    """One sentence for the visitor, as HTML with nothing in it but text."""
    role, kind = ("alert", "alarm") if alarm else ("status", "quiet")
    return f'<p role="{role}" class="message {kind}">{html.escape(text)}</p>' if text else ""


def guarded(work: Callable[[], Any]) -> tuple[Any, str]:
    """The result of `work` and nothing, or None and what to tell the visitor. No traceback reaches a page."""
    try:
        return work(), ""
    except UserError as error:
        return None, say(str(error), alarm=True)
    except (GeneratorExit, asyncio.CancelledError):
        raise
    except BaseException:
        number = secrets.token_hex(4)
        logging.getLogger(__name__).exception("error %s", number)
        return None, say(f"Something broke on our side; the server's log has it under {number}. Try again.", alarm=True)


def starter(service: Service, names: list[str]) -> Callable[..., Any]:
    """The handler of Start: (session, message, visitor)."""

    def start(request: gr.Request, visitor: str, *values: Any) -> tuple[Any, str, str]:
        visitor = visitor or secrets.token_urlsafe(16)
        id, problem = guarded(lambda: service.start(controls.ask(names, values), visitor))
        if id is None:
            return gr.skip(), problem, visitor
        service.look(str(request.session_hash), id)
        return id, "", visitor

    return start


def stopper(service: Service) -> Callable[..., Any]:
    """The handler of Stop."""

    def stop(visitor: str) -> str:
        stopped, problem = guarded(lambda: service.stop(visitor))
        return problem or say("Stopping…" if stopped else "Nothing of yours is running.")

    return stop


def attacher(service: Service) -> Callable[..., Any]:
    """The handler of a page load: follow the session that the link names, else show a recorded one."""

    async def attach(visitor: str, request: gr.Request) -> AsyncIterator[Any]:
        visitor = visitor or secrets.token_urlsafe(16)
        id = str(request.query_params.get("session") or "")
        if not id:
            known = examples()
            id = EXAMPLE + known[0] if known else ""
            service.warm()
        about = say(RECORDED) if id.startswith(EXAMPLE) else ""
        async for shown, message in following(service, id, str(request.session_hash)):
            yield shown, message or about, id, visitor

    return attach


def follower(service: Service) -> Callable[..., Any]:
    """The handler that follows the session just started."""

    async def follow(session: str, request: gr.Request) -> AsyncIterator[Any]:
        async for shown, message in following(service, session, str(request.session_hash)):
            yield shown, message

    return follow


async def following(service: Service, id: str, tab: str) -> AsyncIterator[tuple[Any, Any]]:
    """Yield (view, message) whenever something new is recorded, until the search ends or the tab looks elsewhere."""
    if not id:
        return
    service.look(tab, id)
    log, written, known = PageLog(), "", list[Record]()
    last: tuple[Any, ...] = ()
    while service.looking.get(tab) == id:
        state, problem = await asyncio.to_thread(guarded, partial(service.state, id, known))
        if state is None:
            yield gr.skip(), problem
            return
        written += log.write(state.records[len(known) :]) + ("" if state.live else log.rest())
        known = state.records
        shown = (len(written), draft(state), state.live, state.baseline)
        if shown != last:
            last = shown
            properties = {"session": id, "drafts": draft(state), "interrupted": state.interrupted, "baseline": state.baseline}
            yield gr.update(value=written, **properties), ""
        if not state.live:
            yield gr.skip(), gr.skip()  # Gradio repeats the last yield in full: nothing, not the whole log
            return
        await asyncio.sleep(EVERY)


def draft(state: State) -> str:
    """Text in flight as the view reads it."""
    texts = {dotted(node): text[-DRAFT:] for node, text in state.drafts.items() if text}
    return orjson.dumps(texts).decode() if texts else ""
