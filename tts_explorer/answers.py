"""From finished nodes to an answer: a function of the tree, never part of a strategy.

Equal answers already share one spelling (the runner groups them by the task's equality when it records them), so this
module compares text. It knows no task and no truth.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from tts_explorer.errors import BadSetting
from tts_explorer.events import AnswerSelected, Event
from tts_explorer.tree import Node, SearchTree

RULES = ("best", "majority", "weighted", "last")


def require_rule(name: str) -> str:
    """`name`, if it is a rule. Raises BadSetting."""
    if name not in RULES:
        raise BadSetting(f"no rule {name!r}: choose one of {', '.join(RULES)}")
    return name


def select(tree: SearchTree, rule: str) -> AnswerSelected | None:
    """The answer by `rule` with every answer's weight, or None if nothing finished. Ties go to the earlier answer.

    best: the highest score · majority: the most finished nodes · weighted: the largest sum of scores · last: the latest.
    Nodes without a score weigh nothing in `best` and `weighted`; if none has one, frequency decides.
    """
    groups: dict[str, list[Node]] = {}
    for node in tree.finished():
        groups.setdefault(node.answer or "", []).append(node)
    if not groups:
        return None
    votes = {answer: _weight(nodes, rule, tree) for answer, nodes in groups.items()}
    if rule == "best":
        winner = max(groups, key=lambda answer: max(_score(node) for node in groups[answer]))
    else:
        winner = max(groups, key=lambda answer: votes[answer])
    if rule in ("best", "weighted") and all(_score(node) == -math.inf for nodes in groups.values() for node in nodes):
        winner = max(groups, key=lambda answer: len(groups[answer]))
    chosen = groups[winner][-1] if rule == "last" else max(groups[winner], key=_score)
    return AnswerSelected(winner, chosen.id, rule, votes)


def reselect(
    events: Iterable[Event], *, rule: str | None = None, aggregate: str | None = None, first: int | None = None
) -> SearchTree:
    """The tree of a recorded search as if it had ended by another rule, another aggregate, or after its `first` samples.

    None keeps what was recorded. `selected`, and with it `correct`, is chosen anew; nothing is sampled or judged. Raises
    BadSetting for an unknown rule or aggregate, and as `among_first` does.
    """
    tree = SearchTree.of(events, aggregate)
    tree = tree if first is None else among_first(tree, first)
    recorded = tree.started.rule if tree.started else "best"
    tree.selected = select(tree, require_rule(recorded if rule is None else rule))
    return tree


def among_first(tree: SearchTree, k: int) -> SearchTree:
    """The tree that the same search would have grown with n = k: what came of its first k samples. `tree` stays as it is.

    A sample's random numbers depend on its place alone, so this is what a rerun would sample, up to what a budget cut.
    Raises BadSetting unless 1 ≤ k ≤ the samples there are, or if a smaller n would have grown other nodes: steps that
    compete, or revise one another. In `dvts` subtrees don't compete, so k may be any multiple of its beam_width.
    """
    total = len(tree.children(()))
    if not 1 <= k <= total:
        raise BadSetting(f"k is {k}: it must be between 1 and the number of samples, which is {total}")
    together = _together(tree)
    if k % together:
        raise BadSetting(f"k is {k}: it must be a multiple of {together}, the samples of one subtree")
    kept = {id: node for id, node in tree.nodes.items() if not id or id[0] < k}
    grown = {id: [child for child in children if child[0] < k] for id, children in tree.grown.items() if not id or id[0] < k}
    return replace(tree, nodes=kept, grown=grown, selected=None, grades=dict(tree.grades), notes=list(tree.notes))


def _together(tree: SearchTree) -> int:
    """How many samples of the root decide together what grows from them. Raises BadSetting if all of them do."""
    if tree.started and tree.started.strategy == "dvts":
        return int(tree.started.settings["beam_width"])
    if not tree.independent:
        name = tree.started.strategy if tree.started else "this search"
        raise BadSetting(f"the samples of {name} compete or build on one another: another n needs a rerun")
    return 1


def _score(node: Node) -> float:
    return node.aggregated if node.aggregated is not None else -math.inf


def _weight(nodes: list[Node], rule: str, tree: SearchTree) -> float:
    """What one answer weighs; finite."""
    scores = [score for node in nodes if (score := _score(node)) != -math.inf]
    if rule == "majority":
        return float(len(nodes))
    if rule == "last":
        return float(nodes[-1].id == tree.finished()[-1].id)
    return max(scores, default=0.0) if rule == "best" else sum(scores)
