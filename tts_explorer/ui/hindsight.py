"""What can be said of a search once it is over: what other rules would have chosen, and what its cost would have bought instead.

All of it is read off recorded streams: nothing is sampled or judged again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tts_explorer.answers import RULES, select
from tts_explorer.cost import Cost
from tts_explorer.events import Event, Record, SearchStarted
from tts_explorer.tongue import ENGLISH, Tongue
from tts_explorer.tree import AGGREGATES, SearchTree
from tts_explorer.ui.sizes import flops_of, largest_bundled
from tts_explorer.viz.log import cut

WEIGHED = ("best", "weighted")
"""Rules that ask for scores, and so for an aggregate."""
LONGEST = 60
"""Characters of an answer."""
BASELINE = "The same model’s greedy answer: {answer}{grade}{cost} ({tokens}, {flops}FLOPs)."
NO_BASELINE = "The same model’s greedy answer: none{cost} ({tokens}, {flops}FLOPs)."
GRADES = {True: " – right", False: " – wrong"}
PART, SAME, MORE = ", at 1/{times} of the cost", ", at the same cost", ", at {times} times the cost"


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What the page is told when a search is over."""

    baseline: str = ""
    """One sentence on what the same model answers greedily; empty while that is not known."""
    others: tuple[dict[str, Any], ...] = ()
    """As `others` has it."""
    worth: dict[str, Any] | None = None
    """As `worth` has it; None while no greedy answer's cost is known."""


def hindsight(search: Sequence[Record], greedy: Sequence[Record], say: Tongue = ENGLISH) -> Hindsight:
    """Of a search that is over, and of the greedy one beside it, which may be missing."""
    events = [record.event for record in search]
    beside = [record.event for record in greedy]
    return Hindsight(greedy_sentence(events, beside, say), tuple(others(events)), worth(beside))


def others(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Each answer that some rule would have chosen from the same tree: {answer, correct, by, chosen}, the chosen one first.

    `by` holds pairs of a rule and the aggregates with which it does so, none where they don't matter or all agree. Rules that ask
    for scores are left out where there are none. Empty for fewer than two finished answers.
    """
    trees = {aggregate: SearchTree.of(events, aggregate) for aggregate in AGGREGATES}
    tree = trees["last"]
    finished = tree.finished()
    if len(finished) < 2 or tree.status is None:
        return []
    scored = any(node.aggregated is not None and node.aggregated > -math.inf for node in finished)
    found: dict[str, dict[str, list[str]]] = {}
    for rule in RULES:
        if rule in WEIGHED and not scored:
            continue
        for aggregate, other in trees.items():
            if (choice := select(other, rule)) is not None:
                found.setdefault(choice.answer, {}).setdefault(rule, []).append(aggregate)
    chosen = tree.selected.answer if tree.selected else None
    return [
        {
            "answer": cut(answer, LONGEST),
            "correct": tree.grades.get(answer),
            "by": [[rule, [] if rule not in WEIGHED or len(of) == len(AGGREGATES) else of] for rule, of in by.items()],
            "chosen": answer == chosen,
        }
        for answer, by in sorted(found.items(), key=lambda item: item[0] != chosen)
    ]


def worth(greedy: Sequence[Event]) -> dict[str, Any] | None:
    """FLOPs of one greedy answer: `own` of this model, `large` of the largest bundled one, `name`, if that is another and its
    size and this one's are known: as many tokens, each as much dearer as it has more parameters."""
    cost = Cost.of(greedy).policy.flops
    started = next((event for event in greedy if isinstance(event, SearchStarted)), None)
    if not cost or started is None:
        return None
    name = largest_bundled()
    own, large = flops_of(started.policy), flops_of(name) if name else None
    if own is None or large is None or large.linear <= own.linear:
        return {"own": cost}
    return {"own": cost, "large": cost * (large.linear + large.head) / (own.linear + own.head), "name": name}


def greedy_sentence(search: Sequence[Event], greedy: Sequence[Event], say: Tongue = ENGLISH) -> str:
    """What the same model answers greedily, right or wrong, at what cost next to the search's; empty while it is not over."""
    tree = SearchTree.of(greedy)
    spent, cost = Cost.of(search).flops, Cost.of(greedy)
    if tree.status is None:
        return ""
    tokens = say.plural(cost.tokens, "{n} token", "{n} tokens")
    took = {"cost": part(spent, cost.flops, say), "tokens": tokens, "flops": human(cost.flops, say)}
    if tree.selected is None:
        return say(NO_BASELINE, **took)
    grade = "" if tree.correct is None else say(GRADES[tree.correct])
    return say(BASELINE, answer=tree.selected.answer, grade=grade, **took)


def part(search: float, greedy: float, say: Tongue = ENGLISH) -> str:
    """How a greedy answer's cost compares with the search's.

    >>> part(23, 1), part(1.2, 1), part(1, 3), part(1, 0)
    (', at 1/23 of the cost', ', at the same cost', ', at 3 times the cost', '')
    """
    if not greedy or not search:
        return ""
    if search / greedy >= 1.5:
        return say(PART, times=say.number(search / greedy, ",.0f"))
    return say(MORE, times=say.number(greedy / search, ",.0f")) if greedy / search >= 1.5 else say(SAME)


def human(number: float, say: Tongue = ENGLISH) -> str:
    """A number in three digits with its SI prefix.

    >>> human(123456789)
    '123 M'
    """
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{say.number(number / size, '.3g')} {prefix}"
    return say.number(number, ".3g") + " "
