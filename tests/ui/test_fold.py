"""The page's own fold of the log says what the fold of the events says. The browser runs it; no page is drawn."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from worlds import POLICIES, STRATEGIES, VERIFIERS, drive
from worlds import search as searched

from tts_explorer.cost import Cost
from tts_explorer.events import Record
from tts_explorer.tree import Node, SearchTree
from tts_explorer.ui.service import example, examples
from tts_explorer.viz.log import projected
from tts_explorer.viz.view_files import read

pytestmark = pytest.mark.browser

FOLD = f"""(log) => {{
  {read("fold.js")}
  const whole = new Log();
  whole.take(log);
  const fold = new Fold(whole);
  const told = (node) => [node.path, node.text, node.reward, node.score, node.failed, node.pruned, node.terminal,
    node.visits, node.value, node.weight ?? node.share?.own ?? null,
    node.verdicts?.slice(0, 2) ?? null, node.feedback.map((given) => given.accepted),
    node.revises?.path ?? null, gradeOf(fold.state, node) ?? null];
  const sums = (cost) => [cost.sampled, cost.forwarded, cost.flops, cost.seconds];
  const all = whole.events.length;
  const step = Math.max(1, Math.floor(all / 40));
  const places = [];
  for (let k = 1; k <= all; k += step) places.push(k);
  return JSON.stringify([all, ...places.slice(0, 3).reverse(), ...places].map((k) => {{     // it goes back as well as on
    const state = fold.at(k);
    return {{ seq: state.seq, nodes: state.nodes.slice(1).map(told), cost: sums(state.cost), verifier: sums(state.cost.verifier),
      notes: state.notes.length, answer: state.answer?.w ?? null, chosen: state.answer ? state.nodes[state.answer.n].path : null,
      status: state.end?.s ?? null }};
  }}));
}}"""


def path_of(id: Sequence[int]) -> str:
    return ".".join(map(str, id))


def told(tree: SearchTree, node: Node) -> list[Any]:
    """What the page should know of a node."""
    asked, failed = node.scored, node.scored and node.reward is None
    verdicts = [sum(verdict.p_yes > 0.5 for verdict in node.verdicts), len(node.verdicts)] if node.verdicts else None
    grade = tree.grades.get(node.answer) if node.answer else None
    score = node.score if asked and not failed else None
    return [path_of(node.id), node.text.strip(), node.reward, score, failed, node.pruned, node.terminal, node.visits, node.value,
            node.weight, verdicts, [given.accepted for given in node.feedback],
            None if node.revises is None else path_of(node.revises), grade]  # fmt: skip


def same(shown: Any, is_: Any) -> bool:
    """Equal, but for what the log rounds or cuts."""
    if isinstance(is_, float) and not isinstance(is_, bool):
        return shown is not None and math.isclose(shown, is_, rel_tol=2e-3, abs_tol=2e-3)
    if isinstance(is_, str):
        return shown == is_ or (shown is not None and shown.endswith("…") and is_.startswith(shown[:-1]))
    return shown == is_


def compare(states: Sequence[dict[str, Any]], records: Sequence[Record]) -> None:
    """Raise AssertionError unless each of the page's states is that of the records up to its seq."""
    tree, cost, known = SearchTree(), Cost(), 0
    for shown in sorted(states, key=lambda state: state["seq"]):
        while known < len(records) and records[known].seq <= shown["seq"]:
            tree.apply(records[known].event)
            cost.apply(records[known].event)
            known += 1
        agree(shown, tree, cost, known)


def agree(shown: dict[str, Any], tree: SearchTree, cost: Cost, known: int) -> None:
    """Raise AssertionError unless the page's state is that of the tree and the cost after `known` events."""
    nodes = [told(tree, node) for node in tree.nodes.values() if node.id]
    assert len(shown["nodes"]) == len(nodes)
    for seen, node in zip(shown["nodes"], nodes, strict=True):
        assert all(map(same, seen, node)), f"at {shown['seq']} the page says {seen}, the events {node}"
    both = [cost.policy, cost.verifier]
    for seen, ledgers in ((shown["cost"], both), (shown["verifier"], both[1:])):
        sums = [sum(getattr(one, name) for one in ledgers) for name in ("sampled_tokens", "forwarded_tokens", "flops", "seconds")]
        assert all(math.isclose(a, b, rel_tol=2e-3, abs_tol=0.001 * known) for a, b in zip(seen, sums, strict=True))
    assert shown["notes"] == len(tree.notes) and shown["status"] == tree.status
    assert same(shown["answer"], tree.selected.answer if tree.selected else None)
    assert shown["chosen"] == (path_of(tree.selected.node) if tree.selected else None)


@pytest.fixture
def folded(new_page: Callable[..., Any]) -> Callable[[Sequence[Record]], list[dict[str, Any]]]:
    """The page's fold of a search, at about forty places, the last first."""
    page = new_page()
    return lambda records: json.loads(page.evaluate(FOLD, projected(records)))


def test_of_every_recording(folded: Callable[..., Any]) -> None:
    for name in examples():
        for records in example(name):
            compare(folded(records), records)


def test_of_two_hundred_random_searches(folded: Callable[..., Any]) -> None:
    rng = random.Random(11)
    scores = [name for name in VERIFIERS if name != "none"]
    for seed in range(200):
        made = searched(rng.choice(STRATEGIES), rng.choice(list(POLICIES)), rng.choice(scores), seed=seed)
        (records,) = drive(made)
        compare(folded(records), records)
