"""Scripted models by name, so that the lab's searches cost nothing."""

import pytest
from worlds import fair, judge_of, policy_of, verifier_of

from tts_explorer.runner import Models


@pytest.fixture
def models():
    """Models of any name: a fair policy, a fair verifier, a judge that writes. What was loaded is in `loaded`."""

    def verifier(name, **options):
        return judge_of("fair", context=10_000) if name.startswith("judge:") else verifier_of("fair", name=name)

    return Models(lambda name, **options: policy_of(fair, name=name, context=10_000), verifier)
