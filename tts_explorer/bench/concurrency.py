"""`bench concurrency`: several real searches in one loop against each of them alone, on the bundled models.

Times are those of models and runner; nothing is stored. Equality is that of DESIGN §2, and beside it whether only the last
digits of numbers differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from transformers import AutoModelForCausalLM, AutoModelForTokenClassification

from tts_explorer.assets import folder
from tts_explorer.bench.measure import Clock, by_turns, environment, ratio, spread
from tts_explorer.equality import comparable
from tts_explorer.errors import ModelUnavailable
from tts_explorer.events import NodeAdded, Record
from tts_explorer.models.base import Policy, Verifier
from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.prm import LocalPRM
from tts_explorer.runner import Ask, Loop, Models, prepare


@dataclass(frozen=True, slots=True)
class Party:
    """Searches on problems 0 … `searches`−1, of which at most `rows` samples are under way at once."""

    searches: int = 10
    rows: int = 160
    n: int = 16
    beam_width: int = 4
    level: int = 3

    def asks(self) -> list[Ask]:
        """One for each problem."""
        settings = {"n": self.n, "beam_width": self.beam_width}
        ask = Ask("bundled:small", "bundled:prm", "beam_search", settings, "countdown", self.level)
        return [replace(ask, index=index) for index in range(self.searches)]


@dataclass
class Outing:
    """Searches that were run: together, or one after the other."""

    streams: list[list[Record]]
    clocks: list[Clock]
    """One each, or one for all."""
    calls: int
    rows: int
    """Forwards of the policy, and rows in them; zeros where it doesn't count."""

    @property
    def rows_a_call(self) -> float | None:
        return self.rows / self.calls if self.calls else None

    @property
    def cpu(self) -> float:
        return sum(clock.cpu for clock in self.clocks)

    @property
    def wall(self) -> float:
        return sum(clock.wall for clock in self.clocks)


def bench_concurrency(party: Party, *, repeat: int, threads: int) -> dict[str, Any]:
    """Run the searches each alone and all at once, by turns, `repeat` times. Raises BadSetting or ModelUnavailable."""
    models = bundled_models(party.rows, threads)
    asks = party.asks()
    about = environment(threads)
    searched(models, asks[:1], "warm")
    found = by_turns(
        {"alone": lambda i: alone(models, asks, f"alone {i}"), "together": lambda i: searched(models, asks, f"together {i}")},
        repeat,
    )
    one, all_ = found["alone"], found["together"]
    names = ("searches", "rows", "n", "beam_width", "level")
    return {
        "bench": "concurrency",
        "settings": {**{name: getattr(party, name) for name in names}, "repeat": repeat},
        "environment": about,
        "results": [line(name, outings) for name, outings in found.items()],
        "figures": {
            "together_over_one_alone": ratio([o.cpu for o in all_], [o.cpu / len(asks) for o in one]),
            "together_over_all_alone": ratio([o.cpu for o in all_], [o.cpu for o in one]),
            **compared(one, all_),
        },
        "note": "One alone is the mean over the searches. Equal: every event, to the last digit; same steps: every node's text.",
    }


def bundled_models(rows: int, threads: int) -> Models:
    """`bundled:small` with that many rows, and `bundled:prm`, loaded."""
    places = [folder() / "models" / name for name in ("small", "prm")]
    if not all(place.is_dir() for place in places):
        raise ModelUnavailable("the bundled models are missing: install the program with its assets")

    def policy(name: str) -> Policy:
        return LocalPolicy(read_checkpoint(name, places[0], AutoModelForCausalLM, threads=threads), rows=rows)

    def verifier(name: str) -> Verifier:
        return LocalPRM(read_checkpoint(name, places[1], AutoModelForTokenClassification, threads=threads))

    return Models(policy, verifier)


def alone(models: Models, asks: Sequence[Ask], name: str) -> Outing:
    """Each search in a loop of its own, one after the other."""
    outings = [searched(models, [ask], f"{name} {ask.index}") for ask in asks]
    streams, clocks = [o.streams[0] for o in outings], [o.clocks[0] for o in outings]
    return Outing(streams, clocks, sum(o.calls for o in outings), sum(o.rows for o in outings))


def searched(models: Models, asks: Sequence[Ask], name: str) -> Outing:
    """The searches at once in one loop; the models forget them afterwards."""
    clock, loop = Clock(), Loop()
    with clock:
        runs = [prepare(ask, models, id=f"{name} {ask.index}") for ask in asks]
    policy, verifier = runs[0].policy, runs[0].verifier
    before = counted(policy)
    with clock:
        lives = [loop.start(run) for run in runs]
        loop.drive()
        for model in filter(None, (policy, verifier)):
            model.drop([(run.id,) for run in runs])
    calls, rows = (now - then for now, then in zip(counted(policy), before, strict=True))
    return Outing([live.published for live in lives], [clock], calls, rows)


def counted(policy: Policy) -> tuple[int, int]:
    """Forwards, and rows in them, so far; zeros where the adapter doesn't count."""
    return getattr(policy, "calls", 0), getattr(policy, "rows_forwarded", 0)


def line(name: str, outings: Sequence[Outing]) -> dict[str, Any]:
    """Seconds and filling of one side."""
    return {
        "searches": name,
        "cpu_s": spread([outing.cpu for outing in outings]),
        "wall_s": spread([outing.wall for outing in outings]),
        "rows_a_call": outings[-1].rows_a_call,
        "events": sum(map(len, outings[-1].streams)),
    }


def compared(alone: Sequence[Outing], together: Sequence[Outing]) -> dict[str, int]:
    """How many searches, of all repetitions, were the same in company as alone."""
    pairs = [pair for a, b in zip(alone, together, strict=True) for pair in zip(a.streams, b.streams, strict=True)]
    return {
        "compared": len(pairs),
        "equal": sum(comparable(a) == comparable(b) for a, b in pairs),
        "same_steps": sum(steps(a) == steps(b) for a, b in pairs),
    }


def steps(records: Sequence[Record]) -> dict[Any, tuple[str, str]]:
    """Each node's text and how it stopped."""
    return {r.event.node: (r.event.text, r.event.stop) for r in records if isinstance(r.event, NodeAdded)}
