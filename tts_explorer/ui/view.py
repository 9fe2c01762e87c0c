"""The search view: one component that draws a search from the page's log (`viz.log`).

All of it, the tree, the strategy's source, the candidates, the cost, the answer and the replay, is a pure function of
(log, k) in the browser, where k is the position on the slider; the code is in `assets/view/`. This module only loads it. It
knows no model, no store and no runner: the page hands it a log that grows, and a function that tells one node's full text.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from tts_explorer.ui.words import speech
from tts_explorer.viz.view_files import SCRIPTS, read

NodeDetail = Callable[..., dict[str, Any]]
"""(session, path[, request]) to {"steps": [{"text", "tokens", "logprob", "stop", …}, …]}, one step a node of the path, and what
was said of its last node: "verdicts" [{"text", "p_yes"}, …], "feedback" [{"text", "by", "accepted"}, …], "lookahead" (or null).
"""


class SearchView(gr.HTML):
    """A search, live or recorded.

    `value` is the log, which only ever grows for one `session`; `drafts` is JSON, {path: the last characters of the text in
    flight}; `interrupted` says that the log has no end and its owner is gone; `baseline` is a sentence that stands under the
    answer once the search has ended. `others` and `worth` are JSON of what other rules would have chosen and of what a greedy
    answer costs (`ui.hindsight`), `opens` of where a link wants the session shown: {at, node, view}; each may be empty. Paths
    are dotted child indices: "0.2", "" for the root. `server_functions` is one function, whatever its name, that tells a
    node's full text. Event: `node_select`, whose data are `session` and `node`, a path.
    """

    def __init__(
        self,
        value: str = "",
        *,
        session: str = "",
        drafts: str = "",
        interrupted: bool = False,
        baseline: str = "",
        others: str = "",
        worth: str = "",
        opens: str = "",
        server_functions: Sequence[NodeDetail] = (),
        elem_id: str = "search-view",
        **options: Any,
    ) -> None:
        shown = {"session": session, "drafts": drafts, "interrupted": interrupted, "baseline": baseline}
        shown |= {"others": others, "worth": worth, "opens": opens}
        for name, given in shown.items():
            setattr(self, name, given)
        super().__init__(
            value,
            **shown,
            html_template=read("view.html") + styled(elem_id),
            js_on_load="\n".join([speech(), *map(read, SCRIPTS)]),
            apply_default_css=False,
            server_functions=[spread(function) for function in server_functions],
            elem_id=elem_id,
            **options,
        )

    def postprocess(self, value: str | None) -> str:
        """The log as it is: its text never becomes HTML."""
        return value or ""

    def get_block_name(self) -> str:
        return "html"


def styled(elem_id: str) -> str:
    """The style sheet within the markup: as a template of its own it would be written, and the page styled, anew at each update.

    Measured at 2,000 nodes: 138 ms of the browser's main thread an update with it as a template, 83 so.
    """
    return f"<style>#{elem_id} {{ {read('view.css')} }}</style>"


def spread(function: NodeDetail) -> Callable[..., dict[str, Any]]:
    """`function` for the browser, whose arguments come as one list. Anyone can call it, so it is handed strings or nothing."""
    wants_request = "request" in inspect.signature(function).parameters

    def called(arguments: list[str], request: gr.Request) -> dict[str, Any]:
        match arguments:
            case [str(session), str(path)]:
                return function(session, path, request=request) if wants_request else function(session, path)
        return {}

    called.__name__ = "node_detail"
    return called
