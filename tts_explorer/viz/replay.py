"""A search as one HTML file that replays offline: the page's own view (`assets/view`), the page's log and all full texts.

Nothing is fetched: its content security policy allows no address, and only the scripts that this module wrote may run. Text of
models stands in it as JSON that no text can end; the view writes it as text.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Sequence
from typing import Any

import orjson

from tts_explorer.events import NodeId, Record, SearchFinished, dotted
from tts_explorer.tree import SearchTree
from tts_explorer.viz.detail import drawn, facts, told
from tts_explorer.viz.drawing import clipped
from tts_explorer.viz.log import projected
from tts_explorer.viz.view_files import SCRIPTS, read

ROOM = 4 << 20
"""Characters of drawings in a file; what comes after has none."""
STYLE = """:root { color-scheme: light; --body-text-color: #1f2937; --page-fill: #ffffff; }
.dark { color-scheme: dark; scrollbar-color: #64748b #1e293b; --body-text-color: #f3f4f6; --page-fill: #0b0f19; }
body { margin: 0 auto; padding: 16px; max-width: 1500px; background: var(--page-fill); color: var(--body-text-color);
  font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; }
header.file { display: flex; gap: 12px; align-items: center; justify-content: space-between; margin-bottom: 12px; }
header.file h1 { font-size: 16px; margin: 0; }
#theme { font: inherit; min-height: 32px; padding: 0 12px; border-radius: 7px; border: 1px solid currentColor; background: none;
  color: inherit; cursor: pointer; }
"""
THEME = """const page = document.documentElement;
const turn = (dark) => {
  page.classList.toggle('dark', dark);
  document.getElementById('theme').textContent = dark ? 'Light' : 'Dark';
};
turn(matchMedia('(prefers-color-scheme: dark)').matches);
document.getElementById('theme').addEventListener('click', () => turn(!page.classList.contains('dark')));
"""
HOST = """const told = JSON.parse(document.getElementById('search').textContent);
const path = (dots) => dots.split('.').filter(Boolean).map((_, i, parts) => told.nodes[parts.slice(0, i + 1).join('.')]?.step);
const drawing = (dots) => told.drawings[told.nodes[dots]?.drawing] ?? '';
const server = {
  node_detail: async (session, dots) => ({
    ...told.nodes[dots]?.said, steps: path(dots).filter(Boolean), drawing: drawing(dots),
  }),
};
(function (element, props, server, trigger, watch) {
"""
"""What the page is to the view: its properties, one function that tells a node's full text, and events that nobody hears."""
CALL = """
})(document.getElementById('search-view'), told.props, server, () => {}, () => {});
"""


def replay(records: Sequence[Record], baseline: str = "") -> str:
    """The file's text; `baseline` is the sentence that stands under the answer."""
    script = THEME + HOST + "\n".join(map(read, SCRIPTS)) + CALL
    tree = SearchTree.of(record.event for record in records)
    problem = clipped(tree.started.problem, 80) if tree.started else "A search"
    hashed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'; base-uri 'none'; form-action 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(problem)} · TTS Explorer</title>
<style>
{STYLE}#search-view {{
{read("view.css")}}}
</style>
</head>
<body>
<header class="file"><h1>A recorded search</h1><button type="button" id="theme">Dark</button></header>
<main id="search-view">{read("view.html")}</main>
<script type="application/json" id="search">{embedded(contents(tree, records, baseline))}</script>
<script>{script}</script>
</body>
</html>
"""


def contents(tree: SearchTree, records: Sequence[Record], baseline: str) -> dict[str, Any]:
    """What the view is given: its properties, and by path a step's full text and facts, what was said of it, and which drawing
    shows the attempt as far as it."""
    ended = bool(records) and isinstance(records[-1].event, SearchFinished)
    properties = {"value": projected(records), "session": "", "drafts": "", "interrupted": not ended, "baseline": baseline}
    drawings, number = drawn_once(tree)
    nodes = {dotted(id): {"step": facts(node), "said": told(node), "drawing": number.get(id)} for id, node in tree.nodes.items()}
    return {"props": properties, "nodes": nodes, "drawings": drawings}


def drawn_once(tree: SearchTree) -> tuple[list[str], dict[NodeId, int]]:
    """The distinct drawings of attempts, and which is whose: the answer's path first, as many as `ROOM` holds."""
    found: dict[str, int] = {}
    number: dict[NodeId, int] = {}
    chosen, room = tree.selected.node if tree.selected else (), ROOM
    for id in sorted(tree.nodes, key=lambda id: (id != chosen[: len(id)], id)):
        drawing = drawn(tree.started, tree.path(id))
        if drawing not in found:
            room -= len(drawing)
            if room < 0:
                break
            found[drawing] = len(found)
        number[id] = found[drawing]
    return list(found), number


def embedded(data: Any) -> str:
    """JSON that can stand in a page: no text in it can end a script or begin a comment.

    >>> embedded("</script><!--")
    '"\\\\u003c/script\\\\u003e\\\\u003c!--"'
    """
    text = orjson.dumps(data).decode()
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
