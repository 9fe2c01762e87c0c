"""The rungs of the bundled ladder, its policies and verifiers, as they are here: size, price of a token, digest of the weights.

A specialist is a policy that is named after the one family it was trained on, such as `bundled:nano-countdown`. It knows no
result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tts_explorer.errors import UnknownName
from tts_explorer.models import bundled_policies, bundled_verifiers
from tts_explorer.models.judge import JUDGE
from tts_explorer.runner import Models
from tts_explorer.tasks import task_names

POSITION = 128
"""Where in a text a token's price is taken: about the middle of a problem with its answer."""
POLICY, VERIFIER = "policy", "verifier"


@dataclass(frozen=True, slots=True)
class Rung:
    """A bundled model."""

    name: str
    role: str
    """policy or verifier."""
    parameters: int
    flops: float
    """Of one token at `POSITION`: written, head included, by a policy; read by a verifier."""
    weights: str
    """Their digest."""

    @classmethod
    def of(cls, model: Any, role: str) -> Rung:
        flops = model.flops.of_span(POSITION - 1, POSITION, heads=int(role == POLICY))
        return cls(model.name, role, model.checkpoint.parameters, flops, model.versions[model.name])

    @property
    def family(self) -> str | None:
        """The one family of a specialist; None of a generalist."""
        return specialty(self.name)


def specialty(policy: str) -> str | None:
    """The family that a policy is named after.

    >>> specialty("bundled:nano-countdown"), specialty("bundled:nano")
    ('countdown', None)
    """
    last = policy.rpartition("-")[2]
    return last if last != policy and last in task_names() else None


def rungs(models: Models) -> list[Rung]:
    """All bundled models, loaded to be measured: policies first, each kind by size, generalists before specialists."""
    found = [Rung.of(models.policy(name), POLICY) for name in bundled_policies()]
    found += [Rung.of(models.verifier(name), VERIFIER) for name in bundled_verifiers()]
    return by_size(found)


def by_size(found: Iterable[Rung]) -> list[Rung]:
    """In the order of `rungs`."""
    return sorted(found, key=lambda rung: (rung.role, rung.family is not None, rung.parameters, rung.name))


def chosen(policies: Sequence[Rung], names: Sequence[str]) -> list[Rung]:
    """Those policies that are named, all without a name. Raises UnknownName."""
    known = {rung.name for rung in policies}
    for name in names:
        if name not in known:
            raise UnknownName(f"no bundled policy {name!r}: choose one of {', '.join(sorted(known))}")
    return [rung for rung in policies if not names or rung.name in names]


def models_of(policy: str, verifier: str | None) -> set[str]:
    """Names of the models that a search with both runs; a judge is the policy that writes its verdicts."""
    return {policy, (verifier or policy).removeprefix(JUDGE)}


def short(name: str) -> str:
    """A bundled model's name without what all of them have.

    >>> short("bundled:nano")
    'nano'
    """
    return name.removeprefix("bundled:")


def millions(parameters: int) -> str:
    """Parameters for a reader.

    >>> millions(251_000), millions(1_200_000), millions(16_400_000)
    ('0.25M', '1.2M', '16M')
    """
    size = parameters / 1e6
    return f"{size:.2f}M" if size < 1 else f"{size:.1f}M" if size < 10 else f"{size:.0f}M"
