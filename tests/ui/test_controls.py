"""What the controls do to one another: a choice never leads to models that don't know the problem's family."""

from __future__ import annotations

import pytest

from tts_explorer.models import POLICY_AS_JUDGE, PROGRAM
from tts_explorer.ui import controls


@pytest.fixture(autouse=True)
def taught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One verifier, which knows countdown alone."""
    monkeypatch.setattr(controls, "bundled_verifiers", lambda: ["bundled:prm"])
    monkeypatch.setattr(controls, "families", lambda name: ("countdown",) if name == "bundled:prm" else ("countdown", "maze"))
    monkeypatch.setattr(controls, "stranger", lambda name, task: name == "bundled:prm" and task != "countdown")


def verifier(strategy: str, task: str, before: str) -> str:
    """The one that is chosen once the strategy is."""
    update = controls.changed(strategy, task, before, [])[1]
    return update.get("value", before)


def test_a_strategy_of_words_is_given_a_verifier_that_writes() -> None:
    assert verifier("solve_and_verify", "maze", PROGRAM) == POLICY_AS_JUDGE


@pytest.mark.parametrize("task, usual", [("countdown", "bundled:prm"), ("maze", PROGRAM)])
def test_after_it_the_verifier_is_one_that_knows_the_family(task: str, usual: str) -> None:
    assert verifier("beam_search", task, POLICY_AS_JUDGE) == usual


def test_a_verifier_that_serves_is_left_alone() -> None:
    assert verifier("dvts", "maze", PROGRAM) == PROGRAM
    assert verifier("beam_search", "countdown", "logprob") == "logprob"
