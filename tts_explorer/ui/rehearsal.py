"""A rehearsal: the strategy is run with models that write nothing real, to see how much it would ask for.

Each made-up answer has as many steps, of as many tokens, as a solution of its family and level; scores are random. No weights
are read. What the real models write may be longer or shorter, be merged as a duplicate, or lead elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from tts_explorer.assets import folder
from tts_explorer.events import CostIncurred, FeedbackGiven, LookedAhead, NodeAdded, NodeId, NodeScored, Stop
from tts_explorer.models.base import Key, Sample
from tts_explorer.models.flops import Flops
from tts_explorer.models.judge import Judge
from tts_explorer.models.program import PROGRAM
from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.outcomes import OUTCOMES
from tts_explorer.runner import Ask, Loop, Plan, Run
from tts_explorer.strategies import checked_settings, needs_verifier, needs_words, strategy_named
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import DELIMITER, Problem, problem_at

SOLVED = 8
"""Problems of the validation split whose solutions are measured."""
ROOM = 10**6
MOST = {"nodes": 4000.0, "tokens": 1e6}
"""A rehearsal ends here: what it would have taken is then more."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of a problem, of the steps of each of some solutions, and of a written check."""

    problem: int
    solutions: tuple[tuple[int, ...], ...]
    check: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What a search takes. `read` are the spans that a model reads or writes, from one position to another."""

    sampled: int
    policy: tuple[tuple[int, int], ...]
    verifier: tuple[tuple[int, int], ...]
    more: bool = False
    """Whether it was cut short."""

    def flops(self, policy: Flops, verifier: Flops | None) -> float:
        """Of both models; a verifier of None costs nothing."""
        written = sum(policy.of_span(begin, end, heads=end - begin) for begin, end in self.policy)
        read = sum(verifier.of_span(begin, end, heads=0) for begin, end in self.verifier) if verifier else 0.0
        return written + read


@lru_cache(maxsize=1)
def _tokenizer() -> object:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(next((folder() / "models").glob("*/tokenizer.json"))))


def tokens_in(text: str) -> int:
    """Of the bundled models; another model's are of the same order."""
    return len(_tokenizer().encode(text).ids)  # type: ignore[attr-defined]


@lru_cache(maxsize=64)
def lengths(task: str, level: int) -> Lengths:
    """Measured on solutions that the task itself writes."""
    module, rng = task_named(task), random.Random(0)
    problems = [problem_at(module, "validation", level, index) for index in range(SOLVED)]
    solved = [module.solve(problem, rng) for problem in problems]
    checks = [tokens_in("\n".join(module.review(problem, steps))) for problem, steps in zip(problems, solved, strict=True)]
    steps = tuple(tuple(max(len(DELIMITER) + 1, tokens_in(step)) for step in steps) for steps in solved)
    return Lengths(sum(tokens_in(problem.text) for problem in problems) // SOLVED, steps, sum(checks) // SOLVED)


class _Hasty(ScriptedPolicy):
    """Writes a whole text in a tick."""

    def tick(self) -> list[tuple[Key, Sample]]:
        for row in self.rows.values():
            row.begun = len(row.text)
        return super().tick()


def _writer(known: Lengths, *, hasty: bool) -> ScriptedPolicy:
    """Writes steps of such lengths; half of its answers are the same. Only one that isn't `hasty` can be stopped by a budget."""

    def step(text: str, rng: random.Random) -> tuple[str, Stop]:
        solution = rng.choice(known.solutions)
        done = text.count(DELIMITER)
        if done >= len(solution) - 1:
            return f"\\boxed{{{rng.choice((0, rng.randrange(10)))}}}".ljust(solution[-1]), "eos"
        return "".join(rng.choices(LETTERS, k=solution[done] - len(DELIMITER))) + DELIMITER, "step"

    return (_Hasty if hasty else ScriptedPolicy)(step, context=ROOM)


def _verifier(ask: Ask, known: Lengths) -> Judge | ScriptedVerifier | None:
    strategy = strategy_named(ask.strategy)
    settings = checked_settings(strategy, ask.settings)
    if not needs_verifier(strategy, settings):
        return None
    if needs_words(strategy, settings):
        return Judge(_Hasty(lambda text, rng: ("x" * max(1, known.check - 4) + " 0.1", "eos"), context=ROOM))
    if not ask.verifier:
        return None
    return ScriptedVerifier(lambda problem, steps: random.Random(steps[-1]).random())


def rehearsed(ask: Ask, known: Lengths) -> Spent:
    """What `ask` takes where problems and solutions are of such lengths. Raises BadSetting."""
    problem = Problem("", "?" * known.problem, "0", "?", None)
    plan = Plan(problem, None, strategy_named(ask.strategy), ask.settings, seed=ask.seed, max_step_tokens=ROOM // 1000)
    plan = replace(plan, budget=MOST | ask.budget, temperature=ask.temperature)
    run = Run(plan, _writer(known, hasty=not ask.budget), _verifier(ask, known), id="rehearsal")
    loop = Loop()
    live = loop.start(run)
    loop.drive()
    spent = _spent([record.event for record in live.published], known, ask.verifier or "")
    return replace(spent, more=run.tree.status == "budget" and not ask.budget)


def _spent(events: Sequence[object], known: Lengths, verifier: str) -> Spent:
    """Every token once for each model that reads or writes it, as the engine has it; a revision reads what it revises again."""
    free = verifier == PROGRAM or verifier in OUTCOMES
    start, length, feedback = {(): 0}, {(): known.problem}, dict[NodeId, int]()
    policy, judged, sampled = [(0, known.problem)], list[tuple[int, int]](), 0

    def span(node: NodeId) -> tuple[int, int]:
        return start[node], start[node] + length[node]

    for event in events:
        if isinstance(event, NodeAdded):
            begin = span(event.node[:-1])[1]
            if event.revises is not None:
                attempt = [length[event.revises[:depth]] for depth in range(len(event.revises) + 1)]
                begin = sum(attempt) + feedback.get(event.revises, 0)
                policy.append((0, begin))
            start[event.node], length[event.node] = begin, event.tokens
            policy.append(span(event.node))
        elif isinstance(event, LookedAhead):
            policy.append((span(event.node)[1], span(event.node)[1] + event.tokens))
        elif isinstance(event, FeedbackGiven):
            feedback[event.node] = event.tokens
        elif isinstance(event, NodeScored) and event.verdicts:
            end = span(event.node)[1]
            policy += [(0, end), *((end, end + verdict.tokens) for verdict in event.verdicts)]
        elif isinstance(event, NodeScored) and not free:
            judged.append(span(event.node))
        elif isinstance(event, CostIncurred):
            sampled += event.sampled_tokens
    cut = sampled - sum(end - begin for begin, end in policy if begin)
    policy += [(known.problem, known.problem + cut)] if cut > 0 else []
    return Spent(sampled, tuple(policy), tuple(([(0, known.problem)] if judged else []) + judged))
