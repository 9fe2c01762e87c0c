"""Equal spend: for a budget in FLOPs of both models, the largest setting of a strategy that fits in it.

What a setting costs is measured, by pilot searches on problems of the validation split; it fits if `SHARE` of them stay within
the budget. The search itself then has the budget as a hard stop, so what it overshoots is what its batch had under way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tts_explorer.errors import BadSetting, TTSExplorerError
from tts_explorer.lab.divide import divided, ratio_of
from tts_explorer.runner import Ask, Models, Plan
from tts_explorer.runner.searches import Ended, searched
from tts_explorer.strategies import checked_settings, settings_of, strategy_named
from tts_explorer.tasks.base import Problem

SHARE = 0.95
"""Of the pilot searches that must stay within the budget."""
PILOTS = 20
BEAM_WIDTH = 4
"""Or the largest below it that the size allows."""


@dataclass(frozen=True, slots=True)
class Dial:
    """What grows with a strategy's budget: `n`, or `rounds`; of solve_and_verify `n` and `votes` together; of greedy nothing.

    `fixed` are settings that stay. `ratio` is λ and `way` how solutions and verdicts share, as `lab.divide` has them.
    """

    strategy: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    ratio: float | None = None
    way: str | int = "paper"

    @property
    def knob(self) -> str | None:
        """The setting that grows; None if none does."""
        known = settings_of(strategy_named(self.strategy))
        return next((name for name in ("rounds", "n") if name in known and name not in self.fixed), None)

    @property
    def divides(self) -> bool:
        """Whether a size buys solutions and verdicts."""
        return self.knob == "n" and "votes" in settings_of(strategy_named(self.strategy)) and "votes" not in self.fixed

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest size and the largest."""
        if self.knob is None:
            return 0, 0
        setting, _ = settings_of(strategy_named(self.strategy))[self.knob]
        return int(setting.low), int(setting.high)

    @property
    def grain(self) -> int:
        """Sizes between two powers of two are multiples of it: where n / beam_width steps are kept, of the beam width."""
        return 1 if self._taken({"n": BEAM_WIDTH + 1, "beam_width": BEAM_WIDTH}) else BEAM_WIDTH

    def settings(self, size: int) -> dict[str, Any]:
        """The settings of that size, `fixed` among them. Raises BadSetting if the strategy can't be that large."""
        known = settings_of(strategy_named(self.strategy))
        if self.knob is None:
            return dict(self.fixed)
        if self.divides:
            if self.ratio is None:
                raise BadSetting(f"{self.strategy} divides its budget: give the ratio of a verdict's tokens to a solution's")
            parts = divided(size * (1 + self.ratio), self.ratio, self.way, least=1)
            most = int(known["votes"][0].high)
            return {**self.fixed, "n": parts.solutions, "votes": min(parts.verdicts, most)}
        found = {**self.fixed, self.knob: size}
        if "beam_width" in known and "beam_width" not in self.fixed:
            found["beam_width"] = next(m for m in range(BEAM_WIDTH, 0, -1) if m == 1 or self._taken({**found, "beam_width": m}))
        return found

    def _taken(self, settings: dict[str, Any]) -> bool:
        """Whether the strategy begins with these settings; those that it doesn't have are left out."""
        strategy = strategy_named(self.strategy)
        known = {name: value for name, value in {**self.fixed, **settings}.items() if name in settings_of(strategy)}
        try:
            Plan(Problem("", "?", "", "?", None), None, strategy, known).check()
        except BadSetting:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Pilot:
    """What searches with one setting cost: the FLOPs of each, None for one that reached `limit` and was stopped."""

    settings: dict[str, Any]
    limit: float
    flops: tuple[float | None, ...]

    def share(self, budget: float) -> float:
        """Of the searches, those that stay within `budget`, which is `limit` at most."""
        return sum(cost is not None and cost <= budget for cost in self.flops) / len(self.flops)

    def tells(self, budget: float) -> bool:
        """Whether it was let run far enough to say anything about `budget`."""
        return budget <= self.limit or None not in self.flops


class Pilots:
    """Pilot searches of `ask`'s strategy on its task and level, each setting's made once and then in `known`.

    They run on problems 0 … `count` − 1 of the validation split with `ask`'s seed, none beyond `limit` FLOPs.
    """

    def __init__(self, ask: Ask, models: Models, *, limit: float, count: int = PILOTS, known: Sequence[Pilot] = ()):
        require_pilots(ask, limit, count)
        self.base = replace(ask, split="validation", budget={"flops": limit})
        self.models, self.limit, self.count, self.known = models, limit, count, list(known)

    def at(self, settings: dict[str, Any], budget: float) -> Pilot:
        """The pilot of these settings, run if none that is known can tell about `budget`."""
        for pilot in self.known:
            if pilot.settings == settings and pilot.tells(budget):
                return pilot
        ended = searched(self._asks(settings), self.models, Ended.of)
        flops = tuple(None if e.status == "budget" or e.flops > self.limit else e.flops for e in ended)
        self.known = [pilot for pilot in self.known if pilot.settings != settings] + [Pilot(settings, self.limit, flops)]
        return self.known[-1]

    def ratio(self) -> float | None:
        """λ, measured on two solutions and a verdict on each of the pilot problems; None if no verdict came."""
        asks = [replace(ask, budget={}) for ask in self._asks({**self.base.settings, "n": 2, "votes": 1})]
        return ratio_of(searched(asks, self.models, lambda run: run.tree))

    def _asks(self, settings: dict[str, Any]) -> list[Ask]:
        return [replace(self.base, settings=settings, index=index) for index in range(self.count)]


def require_pilots(ask: Ask, budget: float, count: int = PILOTS) -> None:
    """Raise BadSetting unless pilot searches of `ask` can be run for `budget`; nothing is loaded or spent."""
    if not 0 < budget < math.inf:
        raise BadSetting(f"the budget of flops is {budget}: it must be more than 0")
    if count < 1:
        raise BadSetting(f"pilots is {count}: at least one pilot search is needed")
    if ask.task is None:
        raise BadSetting("what a setting costs is measured on the validation split of a task: choose one with --task")
    strategy = strategy_named(ask.strategy)
    Plan(Problem("", "?", "", "?", None), None, strategy, checked_settings(strategy, ask.settings)).check()


@dataclass(frozen=True, slots=True)
class Fit:
    """The largest setting that fits, or the smallest there is, which then does not."""

    settings: dict[str, Any]
    fits: bool
    share: float
    """Of its pilot searches, those that stay within the budget."""


def largest(dial: Dial, pilots: Pilots, budget: float) -> Fit:
    """The largest setting of which `SHARE` of the pilot searches stay within `budget`."""

    def tried(size: int) -> Fit | None:
        try:
            settings = dial.settings(size)
        except BadSetting:
            return None
        share = pilots.at(settings, budget).share(budget)
        return Fit(settings, share >= SHARE, share)

    smallest, biggest = dial.ends
    return climbed(smallest, biggest, dial.grain, tried) or Fit(dial.settings(smallest), False, 0.0)


def climbed(smallest: int, biggest: int, grain: int, tried: Callable[[int], Fit | None]) -> Fit | None:
    """The largest size that fits, to `grain` or an eighth; the smallest if none does, None if there is none at all.

    `tried` tells of one size; None means that the strategy has no such size, nor a larger one.
    """
    best, low, high = tried(smallest), smallest, biggest + 1
    if best is None or not best.fits:
        return best
    for size in _doubling(smallest, biggest):
        found = tried(size)
        if found is None or not found.fits:
            high = size
            break
        best, low = found, size
    while high - low > max(grain, low // 8):
        middle = (low + high) // 2 // grain * grain
        if not low < middle < high:
            break
        found = tried(middle)
        if found is None or not found.fits:
            high = middle
        else:
            best, low = found, middle
    return best


def _doubling(smallest: int, biggest: int) -> list[int]:
    """Powers of two above `smallest`, and `biggest`.

    >>> _doubling(1, 12), _doubling(0, 4), _doubling(0, 0)
    ([2, 4, 8, 12], [1, 2, 4], [])
    """
    powers = {2**i for i in range(biggest.bit_length())} | {biggest}
    return sorted(size for size in powers if smallest < size <= biggest)


def at_equal_spend(ask: Ask, budget: float, models: Models, *, count: int = PILOTS, way: str | int = "paper") -> tuple[Ask, Fit]:
    """`ask` with the largest setting that fits in `budget` FLOPs, and the budget as its hard stop; and whether it fits.

    Raises BadSetting, before anything is spent, for a bad budget or setting, and where there is no task to pilot on.
    """
    pilots = Pilots(ask, models, limit=budget, count=count)
    found = largest(dial_of(ask, pilots, way=way), pilots, budget)
    return replace(ask, settings=found.settings, budget={**ask.budget, "flops": budget}), found


def dial_of(ask: Ask, pilots: Pilots, *, way: str | int = "paper", ratio: float | None = None) -> Dial:
    """What grows in `ask`; solutions and verdicts by `ratio`, measured where it is None. Raises TTSExplorerError without one."""
    dial = Dial(ask.strategy, ask.settings, ratio, way)
    if not dial.divides or ratio is not None:
        return dial
    if (measured := pilots.ratio()) is None:
        raise TTSExplorerError(f"no verdict came in any pilot search of {ask.strategy} by {ask.policy}: it can't write checks")
    return replace(dial, ratio=measured)
