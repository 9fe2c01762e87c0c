"""What the README says of verifiers, verdicts and revisions is what the figures say."""

from __future__ import annotations

from pathlib import Path

import orjson

from tts_explorer.lab.skill_tables import markdown

AREA = {
    "policy": "nano",
    "verifier": "prm",
    "taught_by_it": True,
    "task": "sat",
    "level": 3,
    "per_problem": 8,
    "program": 0.91234,
}
JUDGED = {
    "policy": "bundled:small", "task": "sat", "level": 3, "solutions": 80, "right": 30, "votes": 8, "ratio": 0.871,
    "one": {"balanced": 0.75, "low": 0.7, "high": 0.8}, "mean": {"balanced": 0.78, "low": 0.72, "high": 0.84},
}  # fmt: skip
REVISED = {"policy": "bundled:small", "task": "sat", "level": 3, "feedback": "self", "round": 0, "correct": 30, "total": 60,
           "low": 0.38, "high": 0.62}  # fmt: skip


def test_nothing_measured_is_said_so(tmp_path: Path) -> None:
    assert markdown(tmp_path) == "None is measured with these weights yet."


def test_each_figure_stands_in_its_table(tmp_path: Path) -> None:
    other = AREA | {"policy": "medium", "taught_by_it": False, "task": "maze", "program": None}
    (tmp_path / "auc.json").write_bytes(orjson.dumps([AREA, other]))
    (tmp_path / "verification.json").write_bytes(orjson.dumps([JUDGED]))
    again = REVISED | {"round": 1, "correct": 45, "low": 0.63, "high": 0.84}
    (tmp_path / "refinement.json").write_bytes(orjson.dumps([REVISED, again]))
    lines = markdown(tmp_path).splitlines()
    assert "| `prm` | `nano` | – | 0.912 |" in lines
    assert "| `prm` | `medium`, which did not teach it | – | – |" in lines
    assert "| `small` | sat 3 | 30 of 80 | 75.0 (70.0 – 80.0) | 78.0 (72.0 – 84.0) | 0.87 |" in lines
    assert "| `small` | sat 3 | `self` | 50.0 (38.0 – 62.0) | 75.0 (63.0 – 84.0) |" in lines
