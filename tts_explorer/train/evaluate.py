"""The figures of a model card that no sweep measures: a verifier's AUC, written verdicts, revisions.

`python -m tts_explorer.train.evaluate auc`, `… verdicts` and `… refinement` print them, and keep them in the file that `--out`
names. Intervals are Wilson's at 95% over all (problem, seed) pairs: pairs of one problem are not independent, so they are a
little too narrow. Accuracies are `bench ladder`'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from tts_explorer.tasks import task_names
from tts_explorer.train.skill_figures import refinement_figures, verdict_figures
from tts_explorer.train.verifier_figures import verifier_figures

TASKS = task_names()
app = typer.Typer(add_completion=False, help=__doc__)


@app.command("auc")
def step_auc(
    policy: str = "small",
    verifier: str = "prm",
    task: list[str] = TASKS,
    level: int = 3,
    count: int = typer.Option(200, "--problems"),
    per_problem: int = 16,
    split: str = "test",
    out: Path | None = None,
) -> None:
    """Step-level AUC, calibration and wrong answers waved through, on held-out rollouts of a policy."""
    kept = [
        verifier_figures(policy, verifier, name, level, count=count, per_problem=per_problem, split=split)
        for name in tqdm(task, unit="task", disable=None)
    ]
    heads = ("task", "steps", "AUC program", "AUC answers", "gap", "waved through")
    table = Table(*heads, title=f"{verifier} on {policy}, level {level}")
    for fact in kept:
        areas = ("–" if fact[name] is None else f"{fact[name]:.3f}" for name in ("program", "answers"))
        through = "–" if fact["waved_through"] is None else f"{100 * fact['waved_through']:.1f}%"
        table.add_row(fact["task"], f"{fact['steps']:,}", *areas, f"{fact['calibration']['gap']:.3f}", through)
    Console().print(table)
    keep(out, kept)


@app.command()
def verdicts(
    policy: str = "bundled:small",
    task: list[str] = TASKS,
    level: int = 3,
    problems: int = 200,
    votes: int = 8,
    split: str = "test",
    workers: int = 2,
    out: Path | None = None,
) -> None:
    """Balanced accuracy of the policy's written verdicts on its own held-out solutions, and their length against a solution's."""
    options = {"problems": problems, "votes": votes, "split": split, "workers": workers}
    kept = [verdict_figures(policy, name, level, **options) for name in task]
    print(orjson.dumps(kept, option=orjson.OPT_INDENT_2).decode())
    keep(out, kept)


@app.command()
def refinement(
    policy: str = "bundled:small",
    task: list[str] = TASKS,
    level: int = 3,
    problems: int = 200,
    seeds: int = 3,
    rounds: int = 3,
    split: str = "test",
    workers: int = 2,
    out: Path | None = None,
) -> None:
    """Accuracy after each revision, with feedback by the truth, by the policy itself and by the verifier."""
    options = {"problems": problems, "seeds": seeds, "rounds": rounds, "split": split, "workers": workers}
    kept = [fact for name in task for fact in refinement_figures(policy, name, level, **options)]
    table = Table("task", "feedback", *(f"after {done}" for done in range(rounds + 1)), title=f"{policy}, {split}")
    for at in range(0, len(kept), rounds + 1):
        row = kept[at : at + rounds + 1]
        table.add_row(row[0]["task"], row[0]["feedback"], *(f"{100 * fact['correct'] / fact['total']:.1f}%" for fact in row))
    Console().print(table)
    keep(out, kept)


def keep(out: Path | None, kept: list[Any]) -> None:
    """Write figures to a file, if one is named."""
    if out is None:
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    app()
