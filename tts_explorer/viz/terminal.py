"""A search in a terminal: its tree, and what came of it, as rich renderables. It knows no console and no model.

A node's fate is said in words, never by colour alone; feedback and look-aheads stand on lines of their own. Pruned leaves of
one parent are one line (`+12 pruned`), and steps with one successor each stand below one another without a new indent, so that
hundreds of nodes stay readable.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from tts_explorer.cost import Cost
from tts_explorer.events import NodeId, dotted
from tts_explorer.tree import Node, SearchTree

DEEPEST = 16
"""Indents at most; what lies deeper is counted."""
ACCEPTED = {True: "accepted", False: "not accepted", None: "can't tell"}
"""What feedback says of an attempt."""


def plain(text: str) -> str:
    """`text` on one line, without anything that could steer a terminal.

    >>> plain("a\\n\\nb\\x1b[2J")
    'a b\\ufffd[2J'
    """
    return "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))


def picture(tree: SearchTree, rows: int | None = None) -> Tree:
    """The whole tree; if that takes more than `rows` lines, with chains and pruned branches drawn together."""
    for compact in (False, True):
        trunk = Tree(_heading(tree), guide_style="dim")
        lines = 1 + _grow(trunk, tree, (), compact)
        if rows is None or lines <= rows:
            break
    return trunk


def _heading(tree: SearchTree) -> Text:
    problem = plain(tree.started.problem) if tree.started else "a search"
    return Text(problem, style="bold", overflow="fold")


def _grow(branch: Tree, tree: SearchTree, id: NodeId, compact: bool, level: int = 0) -> int:
    """Draw what grew from `id`; returns how many lines that took."""
    children = tree.children(id)
    hidden = [node for node in children if node.pruned and not tree.grown.get(node.id)]
    hidden = hidden if len(hidden) > 1 or compact else []
    shown = [node for node in children if node not in hidden]
    if level == DEEPEST and shown:
        below = sum(node[: len(id)] == id for node in tree.nodes) - 1
        branch.add(Text(f"+{below} deeper", style="dim"))
        return 1
    lines = 0
    for node in shown:
        chain = _chain(tree, node)
        labels = _labels(tree, chain, compact)
        limb = branch.add(Text("\n", no_wrap=True, overflow="ellipsis").join(labels))
        lines += len(labels) + _grow(limb, tree, chain[-1].id, compact, level + 1)
    if hidden:
        branch.add(_pruned(hidden))
        lines += 1
    return lines


def _chain(tree: SearchTree, node: Node) -> list[Node]:
    """`node` and its descendants for as long as each has one child."""
    chain = [node]
    while len(after := tree.children(chain[-1].id)) == 1:
        chain += after
    return chain


def _labels(tree: SearchTree, chain: Sequence[Node], compact: bool) -> list[Text]:
    if compact and len(chain) > 1:
        first, last = chain[0], _label(tree, chain[-1], compact)
        revises = "" if first.revises is None else f", revises {named(first.revises)}"
        return [Text(f"{len(chain)} steps{revises} … ", style="dim").append_text(last)]
    return [line for node in chain for line in (_label(tree, node, compact), *([] if compact else _spoken(node)))]


def _spoken(node: Node) -> list[Text]:
    """A line for the look-ahead, and one for each feedback."""
    said = [] if node.lookahead is None else [f"looked ahead: {plain(node.lookahead)}"]
    said += [f"feedback by {plain(given.by)}, {ACCEPTED[given.accepted]}: {plain(given.text)}" for given in node.feedback]
    return [Text(f"     ↳ {line}", style="italic", no_wrap=True, overflow="ellipsis") for line in said]


def _label(tree: SearchTree, node: Node, compact: bool = False) -> Text:
    """One line: score, fate, what was announced, text. The text comes last, since a narrow terminal cuts the end."""
    label = Text(no_wrap=True, overflow="ellipsis")
    if tree.started is None or tree.started.verifier:
        label.append(f"{score_of(node)} ", style="bold")
    words, style = fate_of(tree, node)
    if words:
        label.append(f"{words} ", style=style)
    if facts := announced(tree, node, compact):
        label.append(f"[{', '.join(facts)}] ", style="dim" if node.pruned else "cyan")
    return label.append(plain(node.text) or "(empty step)", style="dim" if node.pruned else "")


def announced(tree: SearchTree, node: Node, compact: bool) -> list[str]:
    """What was announced of a node beside its score, in numbers. A leaf visited once has its score for a value."""
    said = []
    if node.visits is not None and node.visits != 1:
        said.append(f"{node.visits} visits" + ("" if node.value is None else f", value {node.value:.2f}"))
    if node.weight is not None:
        said.append(f"share {node.weight:g}" if is_share(tree, node.weight) else f"weight {node.weight:.2g}")
    if node.verdicts:
        said.append(f"{sum(verdict.p_yes > 0.5 for verdict in node.verdicts)}/{len(node.verdicts)} yes")
    if node.feedback and compact:
        said.append(f"feedback: {ACCEPTED[node.feedback[-1].accepted]}")
    return said


def is_share(tree: SearchTree, weight: float) -> bool:
    """Whether a weight is a number of samples (REBASE), and not a part of 1 (particles)."""
    others = (node.weight for node in tree.nodes.values() if node.weight is not None)
    return weight > 1 or weight in (0, 1) and any(other > 1 for other in others)


def score_of(node: Node) -> str:
    """Four characters: the score, `–` before the verifier was asked, `?` if it failed."""
    if node.aggregated is None:
        return "  – "
    return "  ? " if node.aggregated == -math.inf else f"{node.aggregated:.2f}"


def fate_of(tree: SearchTree, node: Node) -> tuple[str, str]:
    """What became of a node, in words, and a style."""
    said = [f"pruned ({plain(node.pruned)})"] if node.pruned else []
    style = "dim" if node.pruned else ""
    if node.answer:
        correct = tree.grades.get(node.answer)
        said.append("answer" if correct is None else "✓ right" if correct else "✗ wrong")
        style = "" if correct is None else "green" if correct else "red"
    elif node.terminal:
        said.append("no answer")
    elif node.stop == "length":
        said.append("cut")
    if tree.selected is not None and tree.selected.node == node.id:
        said.insert(0, "★ chosen")
        style += " bold"
    if node.revises is not None:
        said.append(f"revises {named(node.revises)}")
    return ", ".join(said), style.strip()


def _pruned(nodes: Sequence[Node]) -> Text:
    reasons = ", ".join(f"{plain(reason)} {count}" for reason, count in Counter(n.pruned or "" for n in nodes).most_common())
    best = max((node.aggregated for node in nodes if node.aggregated is not None), default=-math.inf)
    score = "" if best == -math.inf else f", best {best:.2f}"
    return Text(f"+{len(nodes)} pruned ({reasons}{score})", style="dim", no_wrap=True, overflow="ellipsis")


def named(id: NodeId) -> str:
    """A node's id as people read it.

    >>> named((0, 2))
    '0.2'
    """
    return dotted(id) or "root"


def summary(tree: SearchTree, cost: Cost, state: str) -> Table:
    """Setting, answer, notes and cost, a line each; `state` is the session's."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    started = tree.started
    if started is not None:
        settings = "".join(f" {key}={value}" for key, value in started.settings.items())
        models = " + ".join(name for name in (started.policy, started.verifier) if name)
        grid.add_row("search", Text(plain(f"{started.strategy}{settings}, {models}, seed {started.seed}")))
    for note in tree.notes:
        grid.add_row(note.level, Text(plain(note.message)))
    grid.add_row("answer", _answer(tree))
    grid.add_row("cost", Text(cost_line(cost)))
    grid.add_row("ended", Text(plain(f"{state}: {tree.detail}" if tree.detail else state)))
    return grid


def _answer(tree: SearchTree) -> Text:
    if tree.selected is None:
        return Text("none: nothing was finished")
    words = {True: "✓ right", False: "✗ wrong", None: "not graded"}[tree.correct]
    style = {True: "green bold", False: "red bold", None: "bold"}[tree.correct]
    answer = Text(plain(tree.selected.answer), style="bold").append(f"  {words}", style=style)
    others = len(tree.selected.votes) - 1
    among = f", among {others + 1} answers" if others > 0 else ""
    return answer.append(f"  (rule {plain(tree.selected.rule)}, node {named(tree.selected.node)}{among})", style="dim")


def cost_line(cost: Cost) -> str:
    """Nodes, tokens, FLOPs and seconds of both models."""
    parts = [f"{cost.nodes} nodes", f"{cost.tokens:,} tokens sampled"]
    for name, ledger in (("policy", cost.policy), ("verifier", cost.verifier)):
        if ledger.moves:
            seconds = f"{ledger.seconds:.1f} s" + (" (a share)" if ledger.apportioned else "")
            parts.append(f"{name} {ledger.forwarded_tokens:,} tokens read, {ledger.flops:.2e} FLOPs, {seconds}")
    return " · ".join(parts)
