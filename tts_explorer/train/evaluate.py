"""The figures of a model card: accuracy of each strategy on held-out problems, and the verifier's step-level AUC.

`python -m tts_explorer.train.evaluate accuracy` and `… auc` print tables and keep them in `assets/results/`. Intervals are
Wilson's at 95% over all (problem, seed) pairs: pairs of one problem are not independent, so they are a little too narrow.
Wider grids belong to the lab, not here.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from tts_explorer.intervals import wilson
from tts_explorer.runner import Ask, Models
from tts_explorer.runner.searches import Ended, searched
from tts_explorer.tasks import task_names
from tts_explorer.train.skill_figures import refinement_figures, verdict_figures
from tts_explorer.train.verifier_figures import verifier_figures
from tts_explorer.workers import follow

STRATEGIES = {
    "one sample": ("self_consistency", {"n": 1}),
    "greedy": ("greedy", {}),
    "self_consistency n=16": ("self_consistency", {"n": 16}),
    "best_of_n n=16": ("best_of_n", {"n": 16}),
    "beam_search n=16 M=4": ("beam_search", {"n": 16, "beam_width": 4}),
    "dvts n=16 M=4": ("dvts", {"n": 16, "beam_width": 4}),
}
TASKS = task_names()
app = typer.Typer(add_completion=False, help=__doc__)


@dataclass(frozen=True, slots=True)
class Cell:
    """One strategy on one level of one task."""

    task: str
    level: int
    policy: str
    verifier: str
    strategy: str
    problems: int
    seeds: int
    correct: int
    total: int
    low: float
    high: float
    tokens: float
    """Sampled, a search."""
    flops: float
    """Of both models, a search."""

    @property
    def accuracy(self) -> float:
        return self.correct / self.total


def measure(label: str, base: Ask, *, count: int, seeds: int) -> Cell:
    """Run the strategy called `label` on problems 0 … count−1 of `base`'s task and level, `seeds` times each."""
    strategy, settings = STRATEGIES[label]
    repeats = 1 if strategy == "greedy" else seeds
    base = replace(base, strategy=strategy, settings=settings)
    jobs = [(index, seed) for index in range(count) for seed in range(repeats)]
    ended = searched([replace(base, index=index, seed=seed) for index, seed in jobs], Models(), Ended.of)
    correct, total = sum(e.correct for e in ended), len(ended)
    low, high = wilson(correct, total)
    where = (base.task or "", base.level, base.policy, base.verifier or "", label, count, repeats)
    tokens, flops = sum(e.tokens for e in ended) / total, sum(e.flops for e in ended) / total
    return Cell(*where, correct, total, low, high, tokens, flops)


@app.command()
def accuracy(
    task: list[str] = TASKS,
    level: int = 3,
    policy: str = "bundled:small",
    verifier: str = "bundled:prm",
    problems: int = 200,
    seeds: int = 3,
    split: str = "test",
    workers: int = 2,
    out: Path | None = None,
) -> None:
    """Accuracy of every strategy at temperature 1 (greedy at 0), a process a core."""
    bases = [Ask(policy=policy, verifier=verifier, task=name, level=level, split=split) for name in task]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=follow) as pool:
        waiting = [pool.submit(measure, label, base, count=problems, seeds=seeds) for base in bases for label in STRATEGIES]
        for _ in tqdm(as_completed(waiting), total=len(waiting), unit="cell"):
            pass
    cells = [cell.result() for cell in waiting]
    table = Table("task", "level", "strategy", "accuracy", "95%", "n", "tokens", "MFLOPs", title=f"{policy}, {verifier}, {split}")
    for cell in cells:
        interval = f"{100 * cell.low:.1f} – {100 * cell.high:.1f}"
        shown = (f"{100 * cell.accuracy:.1f}%", interval, str(cell.total), f"{cell.tokens:.0f}", f"{cell.flops / 1e6:.0f}")
        table.add_row(cell.task, str(cell.level), cell.strategy, *shown)
    Console().print(table)
    keep(out, [asdict(cell) for cell in cells])


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
