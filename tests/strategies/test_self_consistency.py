"""Self-consistency, move by move."""

from hands import ROOT, ended, step

from tts_explorer.moves import Expand
from tts_explorer.strategies import default_rule, scores
from tts_explorer.strategies.self_consistency import self_consistency


def test_it_samples_n_whole_answers_and_stops():
    search = self_consistency(ROOT, n=3)
    assert next(search) == Expand([ROOT], 3, to_end=True)
    assert ended(search, [step(i, done=True) for i in range(3)])


def test_the_most_frequent_answer_wins_without_a_verifier():
    assert not scores(self_consistency) and default_rule(self_consistency) == "majority"
