"""What is said of a process reward model: ranking, calibration, and the wrong answers that it would wave through."""

from __future__ import annotations

import random

import pytest

from tts_explorer.train.rollouts import Rollout
from tts_explorer.train.verifier_figures import BINS, by_step, calibration, judged

RIGHT = Rollout("countdown", "p", ["a\n\n", "b"], [0.5, 1.0], [True, True])
WRONG = Rollout("countdown", "p", ["a\n\n", "c"], [0.5, 0.0], [True, False])


def test_a_perfect_verifier_ranks_all_and_waves_nothing_through() -> None:
    found = judged([RIGHT, WRONG], [0.6, 0.9, 0.6, 0.1])
    assert found["program"] == found["answers"] == 1.0 and found["monte_carlo"] == 1.0
    assert found["wrong_answers"] == 1 and found["waved_through"] == 0.0


def test_a_wrong_answer_that_scores_high_is_waved_through() -> None:
    found = judged([RIGHT, WRONG, WRONG], [0.6, 0.9, 0.6, 0.95, 0.6, 0.3])
    assert found["wrong_answers"] == 2 and found["waved_through"] == 0.5 and found["answers"] == 0.5


def test_where_all_answers_are_right_there_is_nothing_to_rank() -> None:
    found = judged([RIGHT], [0.6, 0.9])
    assert found["answers"] is found["program"] is found["waved_through"] is None and found["wrong_answers"] == 0


def test_scores_that_are_the_chances_have_no_gap_and_overconfident_ones_do() -> None:
    rng = random.Random(0)
    scores = [rng.random() for _ in range(4000)]
    true = [float(rng.random() < score) for score in scores]
    assert calibration(scores, true)["gap"] < 0.03
    sure = [float(score > 0.5) for score in scores]
    found = calibration(sure, true)
    assert found["gap"] == pytest.approx(0.25, abs=0.03) and [row["steps"] for row in found["bins"]] == [
        sure.count(0.0), sure.count(1.0),
    ]  # fmt: skip
    assert (
        sum(row["steps"] for row in calibration(scores, true)["bins"]) == 4000 and len(calibration(scores, true)["bins"]) == BINS
    )


def test_each_step_is_ranked_by_itself() -> None:
    table = by_step([0, 0, 1, 1], [0.1, 0.9, 0.9, 0.1], [False, True, False, True])
    assert [(row["step"], row["auc"]) for row in table] == [(1, 1.0), (2, 0.0)]
    assert by_step([0, 0], [0.1, 0.2], [True, True]) == []
