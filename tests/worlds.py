"""Small worlds to search in: scripted policies and verifiers, fair and hostile, and a short way to run searches."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from tts_explorer.equality import comparable as comparable
from tts_explorer.events import Record, to_dict
from tts_explorer.models.judge import Judge
from tts_explorer.models.scripted import Script, ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Loop, Models, Plan, Run
from tts_explorer.strategies import needs_words, strategy_named
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import Problem, Task

TASK: Task = task_named("arithmetic")
PROBLEM: Problem = TASK.parse("Bo has 5 figs. Bo finds 3 figs. How many figs are left?")
"""Its truth is 8."""
CONTEXT = len(PROBLEM.text) + 40
"""Room for 40 characters."""
WORDS = ("go", "on", "up")


def written(text: str) -> str:
    """What the policy wrote after the problem."""
    return text[len(PROBLEM.text) :]


def fair(text: str, rng: random.Random):
    """One to three steps of few words, so that twins are common, then an answer in one of several spellings."""
    if written(text).count("\n\n") >= rng.randint(1, 3):
        return f"\\boxed{{{rng.choice(['8', '08', '7', ''])}}}", "eos"
    return f"{rng.choice(WORDS)}\n\n", "step"


def lines(text: str, rng: random.Random):
    """Steps of nine characters and a delimiter, continued where they were cut; an answer as the third."""
    done = written(text)
    line = ("abcdefghi\n\n", "jklmnopqr\n\n", "\\boxed{8}")[min(2, done.count("\n\n"))]
    rest = line[len(done.rsplit("\n\n")[-1]) :]
    return rest, "step" if line.endswith("\n\n") else "eos"


def chosen(*choices: tuple[str, str]) -> Script:
    return lambda text, rng: rng.choice(choices)


POLICIES: dict[str, Script] = {
    "fair": fair,
    "lines": lines,
    "empty steps": chosen(("\n\n", "step")),
    "blank steps": chosen((" \n\n", "step"), ("\t", "step")),
    "endless step": chosen(("x" * 5000, "eos")),
    "never ends": chosen(("go\n\n", "step"), ("on\n\n", "step")),
    "cyclic": lambda text, rng: ("abc"[len(written(text)) // 3 % 3] + "\n\n", "step"),
    "one character": chosen(("x", "step"), ("y", "step")),
    "one character, cut": chosen(("x", "length"), ("\n", "length")),
    "ends at once": chosen(("", "eos")),
    "ends at once or not": chosen(("", "eos"), ("go\n\n", "step"), ("\\boxed{8}", "eos")),
    "answers everywhere": chosen(("\\boxed{8} \\boxed{7}\n\n", "step"), ("\\boxed{08}", "length"), ("\\boxed{", "eos")),
    "unwritable": chosen(("\ud800\x00\n\n", "step"), ("\\boxed{\udfff}", "eos")),
}


def hashed(problem: str, steps: Sequence[str]) -> float:
    """A reward that only the text decides."""
    return random.Random(repr((problem, list(steps)))).random()


def now_and_then(problem: str, steps: Sequence[str]) -> float | None:
    reward = hashed(problem, steps)
    return reward if reward > 0.4 else None


VERIFIERS: dict[str, Callable[[str, Sequence[str]], float | None]] = {
    "fair": hashed,
    "none": lambda problem, steps: None,
    "nan": lambda problem, steps: float("nan"),
    "infinite": lambda problem, steps: float("inf"),
    "too large": lambda problem, steps: 2.0,
    "negative": lambda problem, steps: -0.5,
    "constant": lambda problem, steps: 0.5,
    "zero": lambda problem, steps: 0.0,
    "fails now and then": now_and_then,
}
SMALL: dict[str, dict[str, Any]] = {
    "greedy": {},
    "self_consistency": {"n": 4},
    "best_of_n": {"n": 4},
    "beam_search": {"n": 4, "beam_width": 2, "max_depth": 5},
    "dvts": {"n": 4, "beam_width": 2, "max_depth": 5},
    "rebase": {"n": 4, "max_depth": 5},
    "particle_filter": {"n": 4, "max_depth": 5},
    "mcts": {"n": 4, "beam_width": 2},
    "best_first": {"n": 4, "beam_width": 2},
    "adaptive_consistency": {"n": 4, "batch": 2},
    "lookahead_search": {"n": 4, "beam_width": 2, "lookahead": 2, "max_depth": 5},
    "solve_and_verify": {"n": 3, "votes": 2},
    "sequential_refinement": {"rounds": 3},
}
STRATEGIES = tuple(SMALL)


class MeteredPolicy(ScriptedPolicy):
    """Counts every token that it really samples."""

    sampled = 0

    def tick(self):
        self.sampled += sum(row.begun < len(row.text) for row in self.rows.values())
        return super().tick()


def policy_of(script: Script | str, **options: Any) -> MeteredPolicy:
    return MeteredPolicy(POLICIES[script] if isinstance(script, str) else script, **{"context": CONTEXT, **options})


def verifier_of(judge: Any = "fair", **options: Any) -> ScriptedVerifier:
    return ScriptedVerifier(VERIFIERS[judge] if isinstance(judge, str) else judge, **options)


def judge_of(judge: Any = "fair", **options: Any) -> Judge:
    """A generative verifier whose p(yes) is what the function says of the solution and of its own random number."""
    said = VERIFIERS[judge] if isinstance(judge, str) else judge

    def script(text: str, rng: random.Random):
        return f"checked {rng.choice(WORDS)} {said(text, [rng.choice(WORDS)])}", "eos"

    return Judge(policy_of(script, **{"context": 10 * CONTEXT, "name": "judge", **options}))


def models_by_name() -> Models:
    """Models of any name: a fair policy, a fair verifier, a judge that writes. What was loaded is in `loaded`."""

    def verifier(name: str, **options: Any) -> Any:
        return judge_of("fair", context=10_000) if name.startswith("judge:") else verifier_of("fair", name=name)

    return Models(lambda name, **options: policy_of(fair, name=name, context=10_000), verifier)


def search(strategy: Any, policy: Any = "fair", verifier: Any = "fair", *, id: str = "a", clock=None, **plan: Any) -> Run:
    """A run of `strategy` (a function, or a name with its small settings) on models or names from the tables above."""
    if isinstance(strategy, str):
        plan.setdefault("settings", SMALL[strategy])
        strategy = strategy_named(strategy)
    policy = policy if hasattr(policy, "tick") else policy_of(policy)
    if verifier is not None and not hasattr(verifier, "tick"):
        verifier = judge_of(verifier) if needs_words(strategy, plan.get("settings", {})) else verifier_of(verifier)
    made = Plan(**{"problem": PROBLEM, "task": TASK, "strategy": strategy, "max_step_tokens": 30, **plan})
    return Run(made, policy, verifier, id=id, clock=clock or (lambda: 0.0))


def drive(*runs: Run) -> list[list[Record]]:
    """Drive runs together to their ends; the records of each."""
    loop = Loop()
    lives = [loop.start(run) for run in runs]
    loop.drive()
    return [live.published for live in lives]


def events(records: Sequence[Record]) -> list[Any]:
    return [record.event for record in records]


def only(records: Sequence[Record], kind: type) -> list[Any]:
    return [record.event for record in records if isinstance(record.event, kind)]


def as_json(records: Sequence[Record]) -> list[str]:
    """The wire form as strict JSON lines."""
    return [json.dumps(to_dict(record), allow_nan=False) for record in records]
