"""What `Revise` asks: feedback on every attempt first, then all new attempts, numbered in the attempts' order.

It works on a run's tree, its move under way and its requests, and calls no model.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tts_explorer.errors import BadMove
from tts_explorer.events import FeedbackGiven, NodeId, Noted, dotted
from tts_explorer.moves import Revise
from tts_explorer.runner.feedback import ACCEPTED, NO_ANSWER, RIGHT_ANSWER, WRONG_ANSWER, doubted
from tts_explorer.runner.scoring import ask_rewards
from tts_explorer.tree import Node

if TYPE_CHECKING:
    from tts_explorer.runner.run import Run


def begin(run: Run, move: Revise) -> None:
    """Ask the verifier about every attempt that has an answer, if it gives the feedback. Raises BadMove for unfinished ones."""
    asked: set[NodeId] = set()
    for node in move.nodes:
        if not node.terminal:
            raise BadMove(f"node {node.id} is not finished, so it can't be revised")
        if node.answer and move.feedback != "truth":
            asked |= ask_rewards(run, node.id, asked)
    run.pending.then = partial(_revise, run, move)


def _revise(run: Run, move: Revise) -> None:
    """Say what was found of each attempt, and ask for new ones at those that were not accepted."""
    run.pending.targets = []
    for node in move.nodes:
        feedback = feedback_on(run, run.tree.nodes[node.id], move.feedback)
        run.emit(feedback)
        if not feedback.accepted:
            _ask_again(run, node.id, feedback.text, move.n)


def feedback_on(run: Run, node: Node, giver: str) -> FeedbackGiven:
    """What `giver` says of a finished node; only what a model wrote has tokens."""
    by = giver if giver == "truth" else run.verifier.name
    if not node.answer:
        return FeedbackGiven(node.id, NO_ANSWER, 0, by, False)
    if giver == "truth":
        right = run.grade(node.answer)
        return FeedbackGiven(node.id, RIGHT_ANSWER if right else WRONG_ANSWER, 0, by, right)
    accepted = None if node.reward is None else node.reward >= ACCEPTED
    if node.verdicts:
        return FeedbackGiven(node.id, node.verdicts[0].text, node.verdicts[0].tokens, by, accepted)
    text = RIGHT_ANSWER if accepted else doubted([step.reward for step in run.tree.steps(node.id)])
    return FeedbackGiven(node.id, text, 0, by, accepted)


def _ask_again(run: Run, attempt: NodeId, feedback: str, n: int) -> None:
    """Ask for `n` new attempts, which read the problem, the attempt and the feedback."""
    path = tuple(run.segments[attempt[:depth]] for depth in range(len(attempt) + 1))
    opening = (*path, run.policy.revision(feedback, run.segments[attempt]))
    if not run.policy.fits(opening):
        said = f"node {dotted(attempt)} can't be revised: with its feedback it fills {run.policy.name}'s context"
        run.emit(Noted("warning", said))
        return
    first = len(run.tree.grown.get((), ())) + len(run.pending.targets)
    for target in [(first + i,) for i in range(n)]:
        run.openings[target], run.revises[target] = opening, attempt
        run.pending.targets.append(target)
        run.ask_sample(target, to_end=True)
