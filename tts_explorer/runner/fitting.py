"""Whether a strategy, its settings and a verifier go together: said before anything is spent."""

from __future__ import annotations

from typing import Any

from tts_explorer.errors import BadSetting
from tts_explorer.outcomes import Outcome
from tts_explorer.runner.plan import Plan, Scorer
from tts_explorer.strategies import needs_verifier, needs_words, scores_steps

WRITES = "{name} needs a verifier that writes, and {verifier} doesn't: choose judge:policy"
COMPARES = (
    "{verifier} compares finished answers with one another, and {name} asks about others: choose best_of_n, or a verifier such"
    " as bundled:prm"
)


def require_fitting(plan: Plan, settings: dict[str, Any], verifier: Scorer | None) -> None:
    """Raise BadSetting unless the plan's strategy with these settings can be judged by `verifier`."""
    name = plan.strategy.__name__
    if verifier is None and needs_verifier(plan.strategy, settings):
        raise BadSetting("{name} asks for scores: choose a verifier, for example bundled:prm", name=name)
    if verifier is not None and needs_words(plan.strategy, settings) and not verifier.writes:
        raise BadSetting(WRITES, name=name, verifier=verifier.name)
    if isinstance(verifier, Outcome) and verifier.whole and (scores_steps(plan.strategy) or "feedback" in settings):
        raise BadSetting(COMPARES, verifier=verifier.name, name=name)
    if settings.get("feedback") == "truth" and not plan.problem.truth and plan.task is None:
        raise BadSetting("feedback is 'truth' and the answer isn't known: give it, or choose verifier or self")
