"""The fixed sweeps of the bundled ladder, part by part: which policy searches how, on what, with which verifier.

A part is a function from a `Ladder` to grids (`lab.sweep`); parts may share cells, which are then measured once. Nothing is
run here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tts_explorer.errors import BadSetting
from tts_explorer.lab.rungs import POLICY, VERIFIER, Rung, by_size, chosen
from tts_explorer.lab.sweep import Grid, Point, planned
from tts_explorer.models import POLICY_AS_JUDGE, PROGRAM
from tts_explorer.runner import Models
from tts_explorer.tasks import task_named, task_names

LEVEL = 3
"""Where policies are set against one another."""
LEVELS = (1, 2, 4, 5)
"""The others, for difficulty."""
ALL_LEVELS = sorted((LEVEL, *LEVELS))
FEWER = 200
"""Problems of the parts that are only about differences, at most."""
TINY, SMALL = "bundled:nano", "bundled:small"
TINY_VERIFIER, USUAL_VERIFIER = "bundled:prm-nano", "bundled:prm"
DEEP = ("countdown", "sat")
"""Families on which beams are set against subtrees."""
JUDGED = "countdown"
"""The family on which solutions are set against verdicts."""
CHECKABLE = ("countdown", "maze", "sat")
"""Families where a program checks an answer against the problem alone: it neither knows nor looks for a right one."""
STEPWISE = (*CHECKABLE, "spatial")
"""Families whose steps a program judges by the problem's own rules: on maps it follows the facts."""
WIDTH = 4
"""Of beams and subtrees."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs there are, and what of them is asked for. Raises UnknownName for a policy or a family that is not there."""

    rungs: Sequence[Rung]
    names: Sequence[str] = ()
    """Policies; all without one."""
    families: Sequence[str] = ()
    """All without one."""
    problems: int = 500
    seeds: int = 3

    def __post_init__(self) -> None:
        chosen(self._policies, self.names)
        for family in self.families:
            task_named(family)

    @property
    def _policies(self) -> list[Rung]:
        return by_size(rung for rung in self.rungs if rung.role == POLICY)

    @property
    def policies(self) -> list[Rung]:
        """Those asked for."""
        return chosen(self._policies, self.names)

    @property
    def searching(self) -> list[Rung]:
        """Those asked for but the largest of the ladder, which has none to beat; one that stands alone searches too."""
        sizes = [rung for rung in self._policies if rung.family is None]
        return [rung for rung in self.policies if len(sizes) < 2 or rung != sizes[-1]]

    def named(self, *names: str) -> list[Rung]:
        """Those of the policies asked for."""
        return [rung for rung in self.policies if rung.name in names]

    def grid(self, policy: Rung, strategy: str, among: Sequence[str] = (), **given: Any) -> Iterator[Grid]:
        """One policy on its families, of `among` if some are named, those asked for; none where no family is left."""
        own = [policy.family] if policy.family else task_names()
        tasks = [name for name in own if name in (among or own) and name in (self.families or own)]
        if tasks:
            base = {"levels": [LEVEL], "problems": self.problems, "seeds": self.seeds}
            yield Grid(tasks, [strategy], policies=[policy.name], **{**base, **given})

    def scored(self, policy: Rung, strategy: str, *n: int, **given: Any) -> Iterator[Grid]:
        """The same with the verifier that befits the policy's size."""
        width = {} if strategy == "best_of_n" else {"beam_width": [WIDTH]}
        yield from self.grid(policy, strategy, settings={"n": n, **width}, verifiers=[self.verifier(policy)], **given)

    def voted(self, policy: Rung, *n: int, **given: Any) -> Iterator[Grid]:
        """Samples and their majority; one sample is the policy as it is."""
        yield from self.grid(policy, "self_consistency", settings={"n": n}, **given)

    def verifier(self, policy: Rung) -> str:
        """The tiny one for tiny policies, the usual one for others, or else whatever there is. Raises BadSetting."""
        names = [rung.name for rung in self.rungs if rung.role == VERIFIER]
        if not names:
            raise BadSetting("there is no bundled verifier to search with: train one first, or choose --part sizes")
        wanted = TINY_VERIFIER if policy.family or policy.name == TINY else USUAL_VERIFIER
        return wanted if wanted in names else names[-1]


def sizes(ladder: Ladder) -> Iterator[Grid]:
    """Every policy as it is: greedy, on all levels, and one sample."""
    for policy in ladder.policies:
        yield from ladder.grid(policy, "greedy", levels=ALL_LEVELS)
        yield from ladder.voted(policy, 1)


def search(ladder: Ladder) -> Iterator[Grid]:
    """What search makes of a policy, by n."""
    for policy in ladder.searching:
        yield from ladder.voted(policy, 4, 16)
        yield from ladder.scored(policy, "best_of_n", 4, 8, 16)
        yield from ladder.scored(policy, "beam_search", 8, 16)
        yield from ladder.scored(policy, "dvts", 16)


def checked(ladder: Ladder) -> Iterator[Grid]:
    """An answer of n that a program accepts; and beams whose steps it judges, for which it solves the problem itself."""
    for policy in ladder.searching:
        yield from ladder.grid(policy, "best_of_n", CHECKABLE, settings={"n": (4, 8, 16)}, verifiers=[PROGRAM])
        beams = {"n": (8, 12, 16), "beam_width": [WIDTH]}
        yield from ladder.grid(policy, "beam_search", STEPWISE, settings=beams, verifiers=[PROGRAM])


def difficulty(ladder: Ladder) -> Iterator[Grid]:
    """The other levels, for the two smallest policies; `sizes` has their greedy answers."""
    less: dict[str, Any] = {"levels": LEVELS, "problems": min(FEWER, ladder.problems)}
    for policy in ladder.named(TINY, SMALL):
        yield from ladder.voted(policy, 1, 16, **less)
        for strategy in ("best_of_n", "beam_search"):
            yield from ladder.scored(policy, strategy, 16, **less)


def dvts(ladder: Ladder) -> Iterator[Grid]:
    """Beams against separate subtrees, by n."""
    for policy in ladder.named(SMALL):
        for strategy in ("beam_search", "dvts"):
            yield from ladder.scored(policy, strategy, 4, 16, 64, among=DEEP)


def verify(ladder: Ladder) -> Iterator[Grid]:
    """More solutions against written verdicts on fewer, by budget."""
    less: dict[str, Any] = {"among": (JUDGED,), "problems": min(FEWER, ladder.problems)}
    for policy in ladder.named(SMALL):
        yield from ladder.voted(policy, 4, 16, 64, **less)
        checks = {"n": (4, 8, 16), "votes": (1, 2, 4)}
        yield from ladder.grid(policy, "solve_and_verify", settings=checks, verifiers=[POLICY_AS_JUDGE], **less)


PARTS: Mapping[str, Callable[[Ladder], Iterator[Grid]]] = {
    part.__name__: part for part in (sizes, search, checked, difficulty, dvts, verify)
}


def points(part: str, ladder: Ladder, models: Models) -> tuple[list[Point], list[str]]:
    """The cells of a part, each once, and what to say about them. Raises as `lab.sweep.planned`, BadSetting for no such part."""
    if part not in PARTS:
        raise BadSetting(f"no part {part!r}: choose one of {', '.join(PARTS)}")
    found, said = dict[Any, Point](), dict[str, None]()
    for grid in PARTS[part](ladder):
        wanted, remarks = planned(grid, models)
        found |= {point.key: point for point in wanted}
        said |= dict.fromkeys(remarks)
    return list(found.values()), list(said)
