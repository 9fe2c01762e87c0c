"""The README's tables of what the bundled models know besides solving: verifiers, written verdicts, revisions.

They are made from the figures that `train.evaluate` keeps in a folder, and say nothing else. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from tts_explorer.lab.ladder_tables import table

BEGIN, END = "<!-- skills -->", "<!-- /skills -->"
"""Around them in the README."""
RUN = "python -m tts_explorer.train.evaluate"
Facts = dict[str, Any]


def markdown(results: Path) -> str:
    """All tables for which `results` has figures; a sentence without any."""
    made = [*areas(read(results / "auc.json")), *verdicts(read(results / "verification.json"))]
    made += revisions(read(results / "refinement.json"))
    return "\n\n".join(made) or "None is measured with these weights yet."


def read(file: Path) -> list[Facts]:
    """The figures in a file, none without it."""
    return orjson.loads(file.read_bytes()) if file.is_file() else []


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def spread(facts: Facts) -> str:
    """A share and its 95% interval, in per cent."""
    own = facts["balanced"] if "balanced" in facts else facts["correct"] / facts["total"]
    return f"{percent(own)} ({percent(facts['low'])} – {percent(facts['high'])})"


def areas(known: Sequence[Facts]) -> Iterator[str]:
    """How well each verifier tells right steps from wrong ones, by whose steps they are and family."""
    if not known:
        return
    families = sorted({facts["task"] for facts in known})
    found: dict[tuple[str, str, bool], dict[str, Facts]] = {}
    for facts in known:
        key = (facts["verifier"], facts["policy"], facts["taught_by_it"])
        found.setdefault(key, {})[facts["task"]] = facts
    rows = []
    for (verifier, policy, taught), own in found.items():
        known_of = [own.get(name, {}).get("program") for name in families]
        shown = ["–" if area is None else f"{area:.3f}" for area in known_of]
        rows.append([f"`{verifier}`", f"`{policy}`{'' if taught else ', which did not teach it'}", *shown])
    levels, each = (", ".join(map(str, sorted({facts[name] for facts in known}))) for name in ("level", "per_problem"))
    yield (
        f"**Verifiers.** Step-level AUC against the program on held-out rollouts, level {levels}; – where all steps are alike "
        f"(`{RUN} auc --per-problem {each}`)."
    )
    yield table(["verifier", "on steps of", *families], rows)


def verdicts(known: Sequence[Facts]) -> Iterator[str]:
    """How often a policy's written verdicts on its own solutions are right."""
    if not known:
        return
    rows = [
        [f"`{facts['policy'].removeprefix('bundled:')}`", f"{facts['task']} {facts['level']}",
         f"{facts['right']} of {facts['solutions']}", spread(facts["one"]), spread(facts["mean"]), f"{facts['ratio']:.2f}"]
        for facts in known
    ]  # fmt: skip
    votes = ", ".join(map(str, sorted({facts["votes"] for facts in known})))
    yield (
        f"**Written verdicts.** Balanced accuracy in per cent, of one and of the mean of {votes}, on a policy's own solutions; λ "
        f"is a verdict's tokens over a solution's (`{RUN} verdicts`)."
    )
    yield table(["policy", "family, level", "right solutions", "one", "mean", "λ"], rows)


def revisions(known: Sequence[Facts]) -> Iterator[str]:
    """What revising by feedback makes of a first answer."""
    if not known:
        return
    rows: dict[tuple[str, str, str], list[str]] = {}
    for facts in known:
        key = (facts["policy"].removeprefix("bundled:"), f"{facts['task']} {facts['level']}", facts["feedback"])
        rows.setdefault(key, []).append(spread(facts))
    rounds, searches = max(map(len, rows.values())), known[0]["total"]
    yield (
        f"**Revisions.** Right answers in per cent of {searches} searches after so many revisions, by who gives the feedback; "
        f"`truth` is an upper bound (`{RUN} refinement`)."
    )
    heads = ["policy", "family, level", "feedback", *(f"after {done}" for done in range(rounds))]
    yield table(heads, [[f"`{policy}`", place, f"`{by}`", *shares] for (policy, place, by), shares in rows.items()])
