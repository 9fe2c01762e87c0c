"""From what a person asks for, by name, to a run that is ready: the one way in for the command line and the page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tts_explorer.errors import BadProblem, BadSetting
from tts_explorer.events import clean
from tts_explorer.models import POLICY_AS_JUDGE, families, load_policy, load_verifier, require_runnable, stranger
from tts_explorer.models.base import Policy, Verifier
from tts_explorer.models.judge import JUDGE
from tts_explorer.models.program import PROGRAM, ProgramVerifier
from tts_explorer.outcomes import OUTCOMES, Outcome
from tts_explorer.runner.fitting import require_fitting
from tts_explorer.runner.plan import Plan, Scorer
from tts_explorer.runner.run import Run
from tts_explorer.strategies import checked_settings, needs_verifier, needs_words, scores_steps, strategy_named
from tts_explorer.tasks import parse, task_named, task_names
from tts_explorer.tasks.base import Problem, Split, problem_at

UPPER_BOUND = "the truth gives the feedback, which nobody has in earnest: what this search reaches is an upper bound"
LONGEST_PROBLEM = 8000
"""Characters."""
LONG = "the problem has {n} characters: at most {most} are read, so shorten it"
FOREIGN = (
    "{policy} knows only its own families ({families}) and this problem is of none of them, or has no solution: try"
    " 'Use 3, 7, 12 and 25, each once, with + - * / to make 64.', or choose a model from the hub"
)
UNJUDGED = "{name} asks for scores: choose a verifier, for example --verifier bundled:prm"
UNREAD = (
    "{program} checks problems of the families {families}, and none of them can read this one: choose a model as the verifier"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A search by name. Either `task` with `level`, `index` and `split`, or `problem`, perhaps with the `answer` known."""

    policy: str = "bundled:small"
    verifier: str | None = None
    strategy: str = "beam_search"
    settings: dict[str, Any] = field(default_factory=dict)
    task: str | None = None
    level: int = 3
    index: int = 0
    split: Split = "test"
    problem: str | None = None
    answer: str | None = None
    seed: int = 0
    temperature: float = 1.0
    max_step_tokens: int = 128
    aggregate: str = "last"
    rule: str | None = None
    budget: dict[str, float] = field(default_factory=dict)
    parent: str | None = None


class Models:
    """Every model loaded once, whoever asks for it, with the same `options`: device, threads, precision.

    Raises BadSetting for options that can't be had here. Safe to share between threads.
    """

    def __init__(
        self,
        load_policy: Callable[..., Policy] = load_policy,
        load_verifier: Callable[..., Verifier] = load_verifier,
        **options: Any,
    ):
        require_runnable(**options)
        self.load = {"policy": partial(load_policy, **options), "verifier": partial(load_verifier, **options)}
        self.loaded: dict[tuple[str, str], Any] = {}
        self.lock = threading.Lock()

    def policy(self, name: str) -> Policy:
        """The policy called `name`. Raises UnknownName or ModelUnavailable."""
        return self._get("policy", name)

    def verifier(self, name: str) -> Verifier:
        """The verifier called `name`. Raises UnknownName or ModelUnavailable."""
        return self._get("verifier", name)

    def _get(self, role: str, name: str) -> Any:
        with self.lock:
            if (role, name) not in self.loaded:
                self.loaded[role, name] = self.load[role](name)
            return self.loaded[role, name]


def the_problem(ask: Ask) -> Problem:
    """The problem that `ask` means. Raises BadProblem or BadSetting with what to do instead."""
    if ask.problem is None:
        if ask.task is None:
            raise BadSetting("no problem: give --problem TEXT, or --task with one of {tasks}", tasks=", ".join(task_names()))
        return problem_at(task_named(ask.task), ask.split, ask.level, ask.index)
    text = clean(ask.problem).strip()
    if not text:
        raise BadProblem("the problem is empty: type one, or choose a task, a level and an index")
    if len(text) > LONGEST_PROBLEM:
        raise BadProblem(LONG, n=len(text), most=LONGEST_PROBLEM)
    found = task_named(ask.task).parse(text) if ask.task else parse(text)
    if found is not None:
        return found
    if ask.policy.startswith("bundled:"):
        raise BadProblem(FOREIGN, policy=ask.policy, families=", ".join(families(ask.policy) or task_names()))
    return Problem("", text, clean(ask.answer or "").strip(), text, None)


def the_verifier(ask: Ask, plan: Plan, models: Models) -> tuple[Scorer | None, list[str]]:
    """The verifier that `ask` means, none where the strategy asks none, and what to note about the choice.

    Raises BadSetting before a model is loaded.
    """
    settings = checked_settings(plan.strategy, plan.settings)
    if not needs_verifier(plan.strategy, settings):
        return None, [UPPER_BOUND] if settings.get("feedback") == "truth" else []
    words = needs_words(plan.strategy, settings)
    name = ask.verifier or (POLICY_AS_JUDGE if words else None)
    if not name:
        raise BadSetting(UNJUDGED, name=ask.strategy)
    notes = []
    if words and not name.startswith(JUDGE):
        notes = [f"{name} can't write: {ask.policy} itself writes the checks, as {POLICY_AS_JUDGE}"]
        name = POLICY_AS_JUDGE
    if name == POLICY_AS_JUDGE:
        name = JUDGE + ask.policy
    if name.startswith(JUDGE) and scores_steps(plan.strategy):
        notes.append(f"{name} checks finished answers: of unfinished steps, which {ask.strategy} asks about, it can only guess")
    if name in OUTCOMES:
        return Outcome(name), notes
    if name != PROGRAM:
        return models.verifier(name), notes
    if plan.task is None:
        raise BadSetting(UNREAD, program=PROGRAM, families=", ".join(task_names()))
    return ProgramVerifier(plan.task, plan.problem), notes


def strangers(model: str, task: str, does: str) -> list[str]:
    """What to note where a bundled model was never trained on problems of `task`."""
    if not stranger(model, task):
        return []
    return [f"{model} was trained on {', '.join(families(model))} alone: what it {does} {task} problems means little"]


def prepare(ask: Ask, models: Models, *, id: str) -> Run:
    """A run that is ready to be handed to the loop. Everything a person can get wrong is raised here, before models load."""
    problem = the_problem(ask)
    plan = Plan(
        problem=problem,
        task=task_named(problem.task) if problem.task else None,
        strategy=strategy_named(ask.strategy),
        settings=ask.settings,
        seed=ask.seed,
        temperature=ask.temperature,
        max_step_tokens=ask.max_step_tokens,
        aggregate=ask.aggregate,
        rule=ask.rule,
        budget=ask.budget,
        parent=ask.parent,
    )
    plan.check()
    verifier, notes = the_verifier(ask, plan, models)
    judging = verifier.name if verifier is not None and not verifier.name.startswith(JUDGE) else ""
    notes = strangers(ask.policy, problem.task, "writes about") + strangers(judging, problem.task, "says of") + notes
    require_fitting(plan, checked_settings(plan.strategy, plan.settings), verifier)
    return Run(plan, models.policy(ask.policy), verifier, id=id, notes=notes)
