"""What the view is told of a node: facts, words, and the picture that its task draws."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from tts_explorer.events import SearchStarted
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tasks.base import problem_at
from tts_explorer.tree import Node
from tts_explorer.viz.detail import drawn

DRAWING = [name for name in task_names() if hasattr(task_named(name), "draw")]


def steps_of(texts: list[str]) -> list[Node]:
    return [Node((0,) * (place + 1), text) for place, text in enumerate(texts)]


@pytest.mark.parametrize("name", DRAWING)
def test_a_task_draws_the_problem_and_the_attempt(name: str) -> None:
    task = task_named(name)
    problem = problem_at(task, "test", 3, 0)
    begun = SearchStarted(problem.text, "greedy", task=name)
    solution = task.solve(problem, random.Random(0))
    bare, whole = drawn(begun, []), drawn(begun, steps_of(solution))
    assert bare != whole and all(ElementTree.fromstring(text).tag.endswith("svg") for text in (bare, whole))


@pytest.mark.parametrize(
    ("task", "problem"), [("countdown", "Use 2 and 3 to make 5."), ("maze", "no maze"), ("", "?"), ("gone", "?")]
)
def test_where_there_is_no_picture_there_is_none(task: str, problem: str) -> None:
    assert drawn(SearchStarted(problem, "greedy", task=task), []) == ""
    assert drawn(None, []) == ""


def test_four_families_draw() -> None:
    assert DRAWING == ["calendar", "maze", "sat", "spatial"]
