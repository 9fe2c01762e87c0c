"""Sequential refinement: move by move, and what feedback changes."""

import pytest
from hands import ROOT, ended, step
from worlds import PROBLEM, drive, judge_of, only, policy_of, search, verifier_of

from tts_explorer.errors import BadSetting
from tts_explorer.events import FeedbackGiven, NodeAdded
from tts_explorer.moves import Expand, Revise
from tts_explorer.strategies import checked_settings, default_rule, needs_verifier, needs_words
from tts_explorer.strategies.sequential_refinement import sequential_refinement


def test_it_answers_and_revises_until_its_rounds_are_over():
    search = sequential_refinement(ROOT, rounds=2, feedback="self")
    assert next(search) == Expand([ROOT], 1, to_end=True)
    for i in range(2):
        attempt = [step(i, answer="7")]
        assert search.send(attempt) == Revise(attempt, 1, "self")
    assert ended(search, [step(2, answer="7")])


def test_an_accepted_answer_ends_it():
    search = sequential_refinement(ROOT, rounds=9)
    next(search)
    assert search.send([step(0, answer="8")]) == Revise([step(0, answer="8")], 1, "verifier")
    assert ended(search, [])


def test_without_rounds_it_is_one_answer():
    search = sequential_refinement(ROOT, rounds=0)
    next(search)
    assert ended(search, [step(0, answer="7")])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"rounds": 33}, "rounds is 33.*from 0 to 32"),
        ({"rounds": -1}, "rounds is -1.*from 0 to 32"),
        ({"feedback": "nobody"}, "feedback is 'nobody': it must be one of verifier, self, truth"),
        ({"feedback": 3}, "feedback is 3: it must be one of"),
    ],
)
def test_settings_out_of_range_are_refused_with_the_range(given, words):
    with pytest.raises(BadSetting, match=words):
        checked_settings(sequential_refinement, given)


@pytest.mark.parametrize(
    ("feedback", "verifier", "words"), [("verifier", True, False), ("self", True, True), ("truth", False, False)]
)
def test_who_gives_feedback_decides_what_it_needs(feedback, verifier, words):
    settings = {"feedback": feedback}
    assert needs_verifier(sequential_refinement, settings) == verifier
    assert needs_words(sequential_refinement, settings) == words


def improving(text, rng):
    """5, then what the last answer was and one more."""
    said = text.split("\\boxed{")
    answer = int(said[-1].split("}")[0]) + 1 if len(said) > 1 else 5
    return f"\\boxed{{{answer}}}", "eos"


def refined(policy, verifier, **settings):
    policy = policy if hasattr(policy, "tick") else policy_of(policy, context=400)
    run = search("sequential_refinement", policy, verifier, settings=settings)
    [records] = drive(run)
    return run, [event.accepted for event in only(records, FeedbackGiven)]


def answers(run):
    return [node.answer for node in run.tree.finished()]


def likes(answer):
    return verifier_of(lambda problem, steps: 1.0 if f"\\boxed{{{answer}}}" in steps[-1] else 0.2)


def test_the_truth_sends_it_on_until_it_is_right():
    run, accepted = refined(improving, None, rounds=9, feedback="truth")
    assert answers(run) == ["5", "6", "7", "8"] and accepted == [False, False, False, True]
    assert run.tree.selected.answer == "8" and run.tree.correct and run.tree.started.verifier is None


def test_too_few_rounds_leave_the_last_attempt_as_the_answer():
    run, accepted = refined(improving, None, rounds=2, feedback="truth")
    assert answers(run) == ["5", "6", "7"] and accepted == [False, False]
    assert run.tree.selected.answer == "7" and run.tree.correct is False


def test_a_verifier_that_likes_a_wrong_answer_ends_it_there():
    run, accepted = refined(improving, likes(6), rounds=9)
    assert answers(run) == ["5", "6"] and accepted == [False, True] and run.tree.correct is False


def test_a_verifier_that_likes_none_goes_on_past_the_right_answer():
    run, _ = refined(improving, likes(99), rounds=4)
    assert answers(run) == ["5", "6", "7", "8", "9"] and run.tree.selected.answer == "9"
    assert default_rule(sequential_refinement) == "last"


def test_a_check_in_words_is_what_the_next_attempt_reads():
    read = []

    def script(text, rng):
        read.append(text.removeprefix(PROBLEM.text))
        return improving(text, rng)

    judge = judge_of(lambda problem, steps: 0.9 if "\\boxed{7}" in problem else 0.3)
    run, accepted = refined(script, judge, rounds=9, feedback="self")
    assert answers(run) == ["5", "6", "7"] and accepted == [False, False, True]
    first, second, _ = (node.feedback[0] for node in run.tree.finished())
    assert first.by == second.by == "judge:judge" and first.text.startswith("checked ") and first.text.endswith(" 0.3")
    assert read == ["", f"\\boxed{{5}}[{first.text}]", f"\\boxed{{6}}[{second.text}]"]


def test_attempts_after_the_first_say_which_they_revise():
    run, _ = refined(improving, None, rounds=9, feedback="truth")
    assert [node.revises for node in run.tree.finished()] == [None, (0,), (1,), (2,)]


def test_the_first_attempt_is_the_one_that_any_seed_would_draw():
    texts = []
    for name in ("self_consistency", "sequential_refinement"):
        settings = {"n": 1} if name == "self_consistency" else {"rounds": 0, "feedback": "truth"}
        [records] = drive(search(name, "fair", settings=settings, seed=4))
        texts.append([(event.node, event.text) for event in only(records, NodeAdded)])
    assert texts[0] == texts[1]
