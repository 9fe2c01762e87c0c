"""How good a process reward model is on held-out rollouts of a policy: `python -m tts_explorer.train.evaluate auc`.

Step-level AUC against the program (valid so far, and a right answer still reachable) and against Monte-Carlo > 0; calibration
against the rollouts' mean grade; and how many wrong answers it would wave through. The policy need not be the one whose rollouts
taught it, and the figures say which it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForTokenClassification

from tts_explorer.assets import folder
from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.local import LocalPolicy
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import problems
from tts_explorer.train.fit import record_in
from tts_explorer.train.prm import auc, encoded, rewards
from tts_explorer.train.rollouts import Rollout, labelled, sampled

SURE = 0.8
"""A wrong answer scored above it is one that the verifier would wave through."""
BINS = 10


def verifier_figures(
    policy: str, verifier: str, task: str, level: int, *, count: int, per_problem: int, split: str
) -> dict[str, Any]:
    """The figures of one verifier on one policy's rollouts; both are names in `assets/models`, or absolute paths."""
    models = folder() / "models"
    model = LlamaForTokenClassification.from_pretrained(models / verifier).eval()
    tokenizer = AutoTokenizer.from_pretrained(models / verifier)
    writer = LocalPolicy(read_checkpoint(policy, models / policy, AutoModelForCausalLM), rows=128)
    held = list(islice(problems(task_named(task), split, level), count))
    texts = sampled(writer, held, per_problem=per_problem, seed=1234)
    found = [rollout for pair in zip(held, texts, strict=True) for rollout in labelled(*pair)]
    scores = rewards(model, list(encoded(tokenizer, found)))
    taught = Path(policy).name in record_in(models / verifier).get("of", ())
    about = {"policy": policy, "verifier": verifier, "taught_by_it": taught, "task": task, "level": level, "problems": count}
    about["per_problem"] = per_problem
    return {**about, "rollouts": len(found), "steps": len(scores), **judged(found, scores)}


def judged(found: Sequence[Rollout], scores: Sequence[float]) -> dict[str, Any]:
    """What `scores`, one a step of `found` in order, come to."""
    exact = [verdict for rollout in found for verdict in rollout.exact]
    values = [value for rollout in found for value in rollout.values]
    places = [end for rollout in found for end in range(len(rollout.steps))]
    last = [end == len(rollout.steps) - 1 for rollout in found for end in range(len(rollout.steps))]
    answers = [(score, value) for score, value, ends in zip(scores, values, last, strict=True) if ends]
    wrong = [score for score, value in answers if value == 0]
    return {
        "program": auc(scores, exact),
        "monte_carlo": auc(scores, [value > 0 for value in values]),
        "answers": auc([score for score, _ in answers], [value == 1 for _, value in answers]),
        "by_step": by_step(places, scores, exact),
        "calibration": calibration(scores, values),
        "wrong_answers": len(wrong),
        "waved_through": sum(score > SURE for score in wrong) / len(wrong) if wrong else None,
    }


def calibration(scores: Sequence[float], values: Sequence[float]) -> dict[str, Any]:
    """A reliability diagram: in `BINS` equal bins of the score how many steps, their mean score and mean value; and the mean gap.

    >>> calibration([0.05, 0.95, 0.95], [0.0, 1.0, 0.5])["gap"]
    0.15
    """
    given, true = np.asarray(scores), np.asarray(values, float)
    bins = np.minimum((given * BINS).astype(int), BINS - 1)
    table = [
        {"steps": int(here.sum()), "score": float(given[here].mean()), "value": float(true[here].mean())}
        for here in (bins == bin for bin in range(BINS))
        if here.any()
    ]
    gap = sum(row["steps"] * abs(row["score"] - row["value"]) for row in table) / max(1, len(given))
    return {"bins": table, "gap": round(gap, 4)}


def by_step(places: Sequence[int], scores: Sequence[float], exact: Sequence[bool]) -> list[dict[str, float]]:
    """AUC against the program at each step alone, where both labels occur."""
    table = []
    for place in sorted(set(places)):
        chosen = [i for i, at in enumerate(places) if at == place]
        labels = [exact[i] for i in chosen]
        area = auc([scores[i] for i in chosen], labels)
        if area is not None:
            table.append({"step": place + 1, "steps": len(chosen), "right": sum(labels) / len(labels), "auc": area})
    return table
