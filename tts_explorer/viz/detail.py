"""What the search view is told of one node when it asks: its full text and facts, all that was said of it, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tts_explorer.events import SearchStarted
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tree import Node


def facts(node: Node) -> dict[str, Any]:
    """One step as the view's detail shows it."""
    known = ("text", "reward", "tokens", "logprob", "stop", "pruned")
    return {name: getattr(node, name) for name in known} | {"score": node.aggregated if node.reward is not None else None}


def told(node: Node) -> dict[str, Any]:
    """What was said of a node beside its reward, whole."""
    verdicts = [{"text": verdict.text, "p_yes": verdict.p_yes} for verdict in node.verdicts]
    feedback = [{"text": given.text, "by": given.by, "accepted": given.accepted} for given in node.feedback]
    return {"verdicts": verdicts, "feedback": feedback, "lookahead": node.lookahead}


def drawn(started: SearchStarted | None, steps: Sequence[Node]) -> str:
    """The problem with the attempt that `steps` make, as SVG by its task; empty where the task draws nothing or can't read it."""
    if started is None or started.task not in task_names():
        return ""
    task = task_named(started.task)
    problem = task.parse(started.problem) if hasattr(task, "draw") else None
    return "" if problem is None else task.draw(problem, [node.text for node in steps])
