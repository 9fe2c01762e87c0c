"""Greedy, move by move."""

from hands import ROOT, ended, step

from tts_explorer.moves import Expand
from tts_explorer.strategies import default_rule, scores, settings_of
from tts_explorer.strategies.greedy import greedy


def test_it_writes_one_whole_answer_at_temperature_zero():
    search = greedy(ROOT)
    assert next(search) == Expand([ROOT], 1, to_end=True, greedy=True)
    assert ended(search, [step(0, 0, done=True)])


def test_it_has_no_settings_and_needs_no_verifier():
    assert settings_of(greedy) == {} and not scores(greedy) and default_rule(greedy) == "last"
