"""Sessions: every stored search, newest first, found by words in its problem or steps, opened by a click."""

from __future__ import annotations

from typing import Any

import gradio as gr

from tts_explorer.errors import UserError
from tts_explorer.store import Session
from tts_explorer.ui.service import Service

HEADERS = ["When (UTC)", "Problem", "Strategy", "Policy", "Verifier", "Answer", "Right?", "State"]
WIDTHS = ["140px", "350px", "140px", "140px", "120px", "140px", "90px", "100px"]
OPEN = "(id) => { if (id) { window.location.href = '../?session=' + encodeURIComponent(id); } }"
MOST = 200


def build(service: Service) -> None:
    """Lay the page out inside the route that is open."""
    gr.Navbar(main_page_name="Explore")
    gr.Markdown("## Sessions\nEvery search is kept. Choose one to watch it again, step by step.")
    with gr.Row():
        words = gr.Textbox(label="Find", placeholder="words in the problem or in a step", elem_id="find", scale=4)
        again = gr.Button("Refresh", elem_id="refresh", scale=1)
    ids = gr.State([])
    target = gr.Textbox(visible="hidden", label="session")
    table = gr.Dataframe(
        headers=HEADERS, datatype="str", interactive=False, wrap=True, elem_id="sessions", show_search="none",
        column_widths=WIDTHS,
    )  # fmt: skip
    empty = gr.Markdown("")

    def listed(text: str) -> tuple[Any, list[str], str]:
        try:
            found = service.sessions(str(text or "")[:200], limit=MOST)
        except UserError:
            found = []
        nothing = "No session has these words." if text else "No session yet: start a search on the Explore page."
        return [row(session) for session in found], [session.id for session in found], "" if found else nothing

    def chosen(known: list[str], event: gr.SelectData) -> str:
        at = event.index[0]
        return known[at] if 0 <= at < len(known) else ""

    for trigger in (words.change, again.click, gr.context.Context.root_block.load):
        trigger(listed, words, [table, ids, empty], queue=False, show_progress="hidden")
    table.select(chosen, ids, target, queue=False, show_progress="hidden").then(None, target, None, js=OPEN)


def row(session: Session) -> list[str]:
    """One session as the table shows it: plain text."""
    started = session.started
    right = {True: "✓ right", False: "✗ wrong", None: ""}[session.correct]
    when = session.created[:19].replace("T", " ")
    facts = [when, started.problem, started.strategy, started.policy, started.verifier or "none"]
    return [*facts, session.answer or "", right, session.state]
