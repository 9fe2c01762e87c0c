"""What a finished sample becomes: one event, with the answer in its path if the path is at its end. It knows no model."""

from __future__ import annotations

import math

from tts_explorer.events import NodeAdded, NodeId, clean
from tts_explorer.models.base import Sample
from tts_explorer.runner.pending import open_fragment
from tts_explorer.tasks.base import Task, boxed
from tts_explorer.tree import SearchTree


def node_added(
    node: NodeId, sample: Sample, tree: SearchTree, task: Task | None, *, greedy: bool, revises: NodeId | None = None
) -> NodeAdded:
    """The event for a sample. A final answer ends the path, and so does a context without room.

    Raises ValueError if its log-probability is no finite number.
    """
    if not math.isfinite(sample.logprob):
        raise ValueError(f"a step has the log-probability {sample.logprob}")
    text, stop = clean(sample.text), sample.stop
    whole = tree.text(node[:-1]) + text
    last = open_fragment(tree, node[:-1]) + text
    answer = answer_in(whole if stop == "eos" else last, task)
    if answer is not None:
        stop = "eos"
    elif not sample.room and stop == "step":
        stop = "length"
    terminal = stop == "eos" or not sample.room
    certainty = None if sample.certainty is None or not math.isfinite(sample.certainty) else round(sample.certainty, 2)
    logprob = round(sample.logprob, 4)
    return NodeAdded(node, text, len(sample.ids), logprob, stop, terminal, answer, greedy, revises, certainty)


def answer_in(text: str, task: Task | None) -> str | None:
    """The answer in `text`, in the one spelling of its group: which sample came first must not matter."""
    found = task.answer(text) if task else boxed(text)
    if not found:
        return None
    return task.canonical(found) if task else " ".join(found.split())
