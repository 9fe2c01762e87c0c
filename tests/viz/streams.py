"""Streams of searches in which something is said of nodes: feedback, revisions, verdicts, look-aheads. Written, not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    Event,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodeId,
    NodePruned,
    NodeScored,
    Noted,
    Record,
    SearchFinished,
    SearchStarted,
    Verdict,
)

PROBLEM = "Ada has 42 crates of 3 figs each. She sells 37 figs. How many figs are left?"
SOURCE = """def strategy(root):
    answers = yield Expand([root], 4, to_end=True)
    answers = yield Revise(answers, 1, "verifier")
    yield Score(answers, votes=8)
"""
RIGHT = ("42 * 3 = 126\n\n", "126 - 37 = 89\n\n", "\\boxed{89}")
WRONG = ("42 * 3 = 126\n\n", "126 - 37 = 99\n\n", "\\boxed{99}")
YES = "Step 1: 42 * 3 = 126, right.\nStep 2: 126 - 37 = 89, right.\nThe answer is 89: Yes\n"
NO = "Step 1: 42 * 3 = 126, right.\nStep 2: 126 - 37 = 89, wrong.\nThe answer is 99: No\n"


def recorded(*events: tuple[int | None, Event]) -> list[Record]:
    """Events, each with its line of the strategy, as a stream."""
    return [Record(i, i / 10, line, event) for i, (line, event) in enumerate(events)]


def started(strategy: str, say: Callable[[str], str] = str, **more: Any) -> tuple[int, Event]:
    """The beginning of a stream; `say` writes what a person or a model could have written."""
    about = {"source": SOURCE, "policy": "bundled:small", "verifier": "bundled:prm", "truth": "89"}
    return 1, SearchStarted(say(PROBLEM), strategy, **about | more)


def attempt(index: int, steps: Sequence[str], revises: NodeId | None = None) -> list[tuple[int, Event]]:
    """A whole answer as a chain under the root."""
    chain: list[tuple[int, Event]] = []
    for depth, text in enumerate(steps):
        ending = ("eos", True, text[7:-1]) if depth == len(steps) - 1 else ("step", False, None)
        node = (index,) + (0,) * depth
        chain.append((2, NodeAdded(node, text, 14, -2.5, *ending, revises=None if depth else revises)))
    return [*chain, (2, CostIncurred("policy", 90, 60, 42, 2e9, 0.2))]


def ended(answer: str, node: NodeId, rule: str, **votes: float) -> list[tuple[None, Event]]:
    """The end of a stream."""
    graded = [AnswerGraded(other, other == "89") for other in votes or {answer: 1.0}]
    return [(None, event) for event in (AnswerSelected(answer, node, rule, votes), *graded, SearchFinished("done"))]


def refinement(say: Callable[[str], str] = str) -> list[Record]:
    """Three attempts: one not accepted, one of which nobody can tell, one accepted."""
    tips = [(i, 0, 0) for i in range(3)]
    given = [
        FeedbackGiven(tips[0], say("The first mistake is in step 2."), 0, "verifier", False),
        FeedbackGiven(tips[1], say("Step 1: 42 * 3 = 126, right.\nStep 2: 126 - 37 = 79, I am not sure.\n"), 31, "self", None),
        FeedbackGiven(tips[2], say("The answer is right."), 0, "truth", True),
    ]
    halfway = (*WRONG[:1], "126 - 37 = 79\n\n", "\\boxed{79}")
    rounds = zip((WRONG, halfway, RIGHT), given, (None, *tips), strict=False)
    events = [started("sequential_refinement", say, settings={"rounds": 3, "feedback": "verifier"}, rule="last")]
    for index, (steps, told, before) in enumerate(rounds):
        events += [*attempt(index, steps, before), (3, told), (3, CostIncurred("verifier", 90, 60, 12, 1e9, 0.1))]
    note = Noted("info", say("The verifier can't write, so the policy judges its own answers."))
    return recorded(*events[:1], (None, note), *events[1:], *ended("89", tips[2], "last"))


def verified(n: int = 4, say: Callable[[str], str] = str) -> list[Record]:
    """Whole answers, each judged eight times in words."""
    events = [started("solve_and_verify", say, settings={"n": n, "votes": 8}, verifier="judge:bundled:small")]
    scores: dict[str, float] = {}
    for index in range(n):
        events += attempt(index, RIGHT if index % 2 else WRONG)
    for index in range(n):
        yes = 5 + index % 3 if index % 2 else 1 + index % 3
        verdicts = tuple(Verdict(say(YES if i < yes else NO), 0.91 if i < yes else 0.13, 40) for i in range(8))
        mean = sum(verdict.p_yes for verdict in verdicts) / 8
        events.append((4, NodeScored((index, 0, 0), mean, verdicts)))
        scores[RIGHT[2][7:-1] if index % 2 else "99"] = mean
    events.append((4, CostIncurred("verifier", 900, 600, 1280, 6e9, 0.8)))
    return recorded(*events, *ended("89", (n - 1, 0, 0), "best", **scores))


def ahead(n: int = 4, say: Callable[[str], str] = str) -> list[Record]:
    """Steps that were judged by where two greedy steps more would lead, the best of them finished."""
    events = [started("lookahead_search", say, settings={"n": n, "beam_width": 2, "lookahead": 2})]
    events += [(2, NodeAdded((i,), say(f"{42 + i} * 3 = {126 + 3 * i}\n\n"), 14, -2.5, "step", False)) for i in range(n)]
    for i in range(n):
        rollout = f"{126 + 3 * i} - 37 = {89 + 3 * i}\n\n\\boxed{{{89 + 3 * i}}}"
        events += [(4, LookedAhead((i,), say(rollout), 21)), (4, NodeScored((i,), 0.9 - 0.2 * i))]
    events += [(4, NodePruned((i,), "rank")) for i in range(2, n)]
    events += [(2, NodeAdded((0, 0), "126 - 37 = 89\n\n", 14, -2.5, "step", False))]
    events += [(2, NodeAdded((0, 0, 0), "\\boxed{89}", 9, -0.5, "eos", True, "89")), (4, NodeScored((0, 0, 0), 0.97))]
    return recorded(*events, *ended("89", (0, 0, 0), "best"))
