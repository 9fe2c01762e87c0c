"""The recorded searches that the page shows before any model loads: made anew by one command when the models change.

The first shows a test problem on which the policy's greedy answer is wrong and the strategy finds a right one; the greedy
search follows in the same file. It is a chosen example, and the page says that it is a recording; `evaluate` has the averages.
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from tts_explorer.assets import folder
from tts_explorer.errors import UserError
from tts_explorer.events import Record, to_dict
from tts_explorer.runner import Ask, Loop, Models, prepare
from tts_explorer.runner.run import Run

ASKS = {
    "1-beam-search": Ask(strategy="beam_search", verifier="bundled:prm", task="countdown", level=3),
    "2-dvts": Ask(strategy="dvts", verifier="bundled:prm", task="countdown", level=3),
    "3-best-of-n": Ask(strategy="best_of_n", verifier="bundled:prm", task="countdown", level=3),
    "4-self-consistency": Ask(strategy="self_consistency", task="arithmetic", level=5),
    "5-solve-and-verify": Ask(
        strategy="solve_and_verify", settings={"n": 8, "votes": 3}, verifier="judge:policy", task="countdown", level=3
    ),
    "6-sequential-refinement": Ask(
        strategy="sequential_refinement", settings={"rounds": 5, "feedback": "self"}, verifier="judge:policy",
        task="countdown", level=3,
    ),
    "7-mcts": Ask(strategy="mcts", verifier="bundled:prm", task="countdown", level=3),
    "8-maze": Ask(strategy="beam_search", settings={"n": 8}, verifier="program", task="maze", level=3),
    "9-party": Ask(strategy="best_of_n", settings={"n": 8}, verifier="program", task="sat", level=3),
}  # fmt: skip
"""Name of the file: what to search for. The number gives the order; the page opens with the first."""


def record(name: str, models: Models, *, tries: int = 200) -> str:
    """Write `assets/sessions/NAME.jsonl` and return one sentence about it. Raises UserError if no problem fits."""
    for index in range(tries):
        ask = replace(ASKS[name], index=index)
        plain, first = played(replace(ask, strategy="greedy", settings={}, verifier=None), models)
        if plain.tree.correct is not False:
            continue
        run, records = played(ask, models)
        if run.tree.correct and run.tree.status == "done" and shows_itself(run):
            path = folder() / "sessions" / f"{name}.jsonl"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"".join(orjson.dumps(to_dict(r)) + b"\n" for r in [*records, *first]))
            return f"{path.name}: {ask.task} level {ask.level}, test problem {index}, {run.cost.nodes} nodes"
    raise UserError(f"none of the first {tries} problems suits {name}")


def shows_itself(run: Run) -> bool:
    """Whether the search came to what its strategy is about: refinement to at least one revision."""
    return "rounds" not in run.plan.settings or any(node.revises is not None for node in run.tree.nodes.values())


def played(ask: Ask, models: Models) -> tuple[Run, list[Record]]:
    """Run one search to its end."""
    loop = Loop()
    live = loop.start(prepare(ask, models, id="recording"))
    loop.drive()
    return live.run, live.published


def record_all() -> list[str]:
    """Make every recording."""
    models = Models()
    return [record(name, models) for name in ASKS]
