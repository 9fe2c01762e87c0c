"""Best-of-N, move by move."""

from hands import ROOT, ended, step

from tts_explorer.moves import Expand, Score
from tts_explorer.strategies import default_rule, scores
from tts_explorer.strategies.best_of_n import best_of_n


def test_it_samples_n_whole_answers_and_scores_each():
    search = best_of_n(ROOT, n=3)
    assert next(search) == Expand([ROOT], 3, to_end=True)
    answers = [step(0, 0, done=True), step(1, done=True), step(2, 0, 0, done=True)]
    assert search.send(answers) == Score(answers)
    assert ended(search, answers)


def test_it_needs_a_verifier_and_takes_its_best():
    assert scores(best_of_n) and default_rule(best_of_n) == "best"
