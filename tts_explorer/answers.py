"""From finished nodes to an answer: a function of the tree, never part of a strategy.

Equal answers already share one spelling (the runner groups them by the task's equality when it records them), so this
module compares text. It knows no task and no truth.
"""

from __future__ import annotations

import math

from tts_explorer.errors import BadSetting
from tts_explorer.events import AnswerSelected
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
