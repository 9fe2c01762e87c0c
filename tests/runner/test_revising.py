"""What `Revise` asks: feedback of each kind, who gave it, the attempts that follow, and what the policy reads before them."""

from __future__ import annotations

import pytest
from worlds import PROBLEM, chosen, drive, events, judge_of, only, policy_of, search, verifier_of, written

from tts_explorer.events import (
    AnswerSelected,
    CostIncurred,
    FeedbackGiven,
    NodeAdded,
    NodeScored,
    Noted,
    SearchFinished,
)
from tts_explorer.moves import Expand, Note, Revise, Score, Search
from tts_explorer.outcomes import Outcome
from tts_explorer.runner import Loop
from tts_explorer.tasks.base import Problem
from tts_explorer.tree import Node

ROOMY = 600


def revised(feedback, *, n=1, first=1, rounds=1):
    """Whole answers, and rounds of revisions of all that come back."""

    def revises(root: Node) -> Search:
        attempts = yield Expand([root], first, to_end=True)
        for _ in range(rounds):
            attempts = yield Revise(attempts, n, feedback)
            yield Note(" ".join(".".join(map(str, node.id)) for node in attempts))

    return revises


def policy(script, **options):
    return policy_of(script, context=ROOMY, **options)


def boxes(*answers):
    """The first attempts' answers by turns of luck, each in two steps."""

    def script(text, rng):
        if written(text).endswith("so\n\n"):
            return f"\\boxed{{{rng.choice(answers)}}}", "eos"
        return "so\n\n", "step"

    return script


def said(run):
    return [node.feedback[0] for node in run.tree.nodes.values() if node.feedback]


def likes(reward_of):
    """A verifier by the step that comes last."""
    return verifier_of(lambda problem, steps: reward_of.get(steps[-1], 0.9), name="prm")


BOX = "\\boxed{7}"


@pytest.mark.parametrize(
    ("rewards", "text", "accepted"),
    [
        ({"so\n\n": 0.9, BOX: 0.4}, "The first mistake is in step 2.", False),
        ({"so\n\n": 0.2, BOX: 0.1}, "The first mistake is in step 1.", False),
        ({"so\n\n": 0.2, BOX: 0.5}, "The answer is right.", True),
        ({"so\n\n": 0.9, BOX: 1.0}, "The answer is right.", True),
        ({"so\n\n": 0.9, BOX: None}, "The first mistake is in step 1.", None),
        ({"so\n\n": None, BOX: 0.49}, "The first mistake is in step 2.", False),
        ({"so\n\n": None, BOX: None}, "The answer is wrong.", None),
    ],
)
def test_a_verifier_points_at_the_step_that_it_doubts_first(rewards, text, accepted):
    run = search(revised("verifier"), policy(boxes(7)), likes(rewards))
    [records] = drive(run)
    given = only(records, FeedbackGiven)[0]
    assert given == FeedbackGiven((0, 0), text, 0, "prm", accepted)
    assert len(run.tree.children(())) == (1 if accepted else 2), "what is not accepted, or not known to be, is revised"


def test_the_fragments_of_a_step_are_one_step_to_its_feedback():
    def script(text, rng):
        at = len(written(text))
        return ("so\n\n"[at:], "step") if at < 4 else (BOX[at - 4 :] or BOX, "eos")

    run = search(revised("verifier"), policy(script), likes({"so\n\n": 0.9, BOX: 0.3}), max_step_tokens=3)
    [records] = drive(run)
    [given] = only(records, FeedbackGiven)
    assert len(given.node) == 5 and given.text == "The first mistake is in step 2."


def test_a_judge_says_what_it_wrote():
    judge = judge_of(lambda problem, steps: 0.3 if "\\boxed{7}" in problem else 0.8)
    run = search(revised("self", first=6), policy(boxes(7, 8)), judge, seed=1)
    [records] = drive(run)
    given, scored = only(records, FeedbackGiven), {event.node: event for event in only(records, NodeScored)}
    assert {event.accepted for event in given} == {True, False}
    for event in given:
        [verdict] = scored[event.node].verdicts
        assert event == FeedbackGiven(event.node, verdict.text, verdict.tokens, "judge:judge", verdict.p_yes >= 0.5)


def test_a_judge_may_be_the_verifier_whose_feedback_is_asked_for():
    run = search(revised("verifier"), policy(boxes(7)), judge_of(lambda problem, steps: 0.2))
    drive(run)
    assert said(run)[0].text.startswith("checked ") and said(run)[0].by == "judge:judge"


def test_a_judge_without_a_word_can_not_tell():
    run = search(revised("self"), policy(boxes(7)), judge_of(lambda problem, steps: "nothing"))
    [records] = drive(run)
    assert said(run)[0] == FeedbackGiven((0, 0), "The answer is wrong.", 0, "judge:judge", None)
    assert len(run.tree.children(())) == 2 and [note.level for note in only(records, Noted)][0] == "warning"


@pytest.mark.parametrize("text", ["checked 0.2\n", " 0.2 ", "a\n\nb 0.2"])
def test_feedback_reaches_the_policy_word_for_word(text):
    read = []

    def script(prompt, rng):
        read.append(written(prompt))
        return boxes(7)(prompt, rng)

    judge = judge_of()
    judge.writer.script = lambda prompt, rng: (text, "eos")
    run = search(revised("self"), policy(script), judge)
    drive(run)
    assert said(run)[0].text == text and f"so\n\n{BOX}[{text}]" in read


@pytest.mark.parametrize(("answer", "text", "accepted"), [(8, "The answer is right.", True), (7, "The answer is wrong.", False)])
def test_the_truth_tells_right_from_wrong_and_no_verifier_is_asked(answer, text, accepted):
    verifier = verifier_of()
    run = search(revised("truth"), policy(boxes(answer)), verifier)
    [records] = drive(run)
    assert only(records, FeedbackGiven) == [FeedbackGiven((0, 0), text, 0, "truth", accepted)]
    assert verifier.calls == 0 and {cost.role for cost in only(records, CostIncurred)} == {"policy"}


def test_the_truth_of_a_problem_without_a_task_is_its_own_words():
    problem = Problem("", "Why?", "be cause", "", None)
    for answer, right in (("be  cause", True), ("so", False)):
        run = search(revised("truth"), policy(chosen((f"\\boxed{{{answer}}}", "eos"))), None, problem=problem, task=None)
        drive(run)
        assert said(run)[0].accepted is right


@pytest.mark.parametrize(
    ("feedback", "verifier", "by"),
    [("verifier", likes({}), "prm"), ("self", judge_of(), "judge:judge"), ("truth", None, "truth")],
)
def test_an_attempt_without_an_answer_is_told_so_and_asked_about_nowhere(feedback, verifier, by):
    run = search(revised(feedback), policy(chosen(("over", "eos"))), verifier)
    [records] = drive(run)
    assert only(records, FeedbackGiven)[0] == FeedbackGiven((0,), "There is no answer.", 0, by, False)
    assert not only(records, NodeScored) and len(run.tree.children(())) == 2


def test_scores_without_a_model_may_find_fault_too():
    run = search(revised("verifier"), policy(boxes(7)), Outcome("logprob"))
    drive(run)
    assert said(run)[0] == FeedbackGiven((0, 0), "The first mistake is in step 1.", 0, "logprob", False)


def test_what_the_policy_reads_is_the_problem_the_last_attempt_and_the_feedback_on_it():
    """Not the attempt before the last, nor the verifier's steps."""
    read = []

    def script(text, rng):
        read.append(written(text))
        return (f"\\boxed{{{written(text).count('|') + 3}}}", "eos") if text.endswith("|") else (f"{len(read)}|", "step")

    run = search(revised("truth", rounds=2), policy(script), None)
    drive(run)
    [first, second, third] = [run.tree.text(node.id) for node in run.tree.finished()]
    wrong = "[The answer is wrong.]"
    assert read == ["", "1|", first + wrong, f"{first}{wrong}3|", second + wrong, f"{second}{wrong}5|"]
    assert (first, second, third) == ("1|\\boxed{4}", "3|\\boxed{5}", "5|\\boxed{5}")


def test_the_verifier_reads_an_attempt_by_itself():
    seen = []

    def judge(problem, steps):
        seen.append((problem, *steps))
        return 0.1

    run = search(revised("verifier", rounds=2), policy(boxes(7)), verifier_of(judge))
    drive(run)
    assert set(seen) == {(PROBLEM.text, "so\n\n"), (PROBLEM.text, "so\n\n", BOX)} and len(said(run)) == 2


def test_attempts_are_chains_under_the_root_and_their_first_nodes_say_what_they_revise():
    run = search(revised("truth", rounds=2), policy(boxes(7)), None)
    drive(run)
    assert {id: node.revises for id, node in run.tree.nodes.items() if id} == {
        (0,): None, (0, 0): None, (1,): (0, 0), (1, 0): None, (2,): (1, 0), (2, 0): None
    }  # fmt: skip


def shorter_and_shorter(text, rng):
    """Each attempt after the first that is asked for is done sooner than the one before."""
    shorter_and_shorter.asked += 1
    return "x" * max(1, 200 - 30 * shorter_and_shorter.asked) + "\\boxed{7}", "eos"


@pytest.mark.parametrize("n", [1, 2])
def test_attempts_are_numbered_in_the_order_of_what_they_revise_whatever_ends_first(n):
    shorter_and_shorter.asked = 0
    run = search(revised("truth", n=n, first=2), policy(shorter_and_shorter), None, max_step_tokens=400)
    [records] = drive(run)
    added = [event.node for event in only(records, NodeAdded)]
    assert added[2:] == [(2 + i,) for i in reversed(range(2 * n))], "the last one asked for ends first"
    assert {node.id: node.revises for node in run.tree.children(())} == {
        (0,): None, (1,): None, **{(2 + i,): (i // n,) for i in range(2 * n)}
    }  # fmt: skip
    assert [note.message for note in only(records, Noted)] == [" ".join(str(2 + i) for i in range(2 * n))]


def test_only_what_is_not_accepted_is_revised_and_the_strategy_gets_the_new_attempts_alone():
    run = search(revised("truth", first=8), policy(boxes(7, 8)), None, seed=2)
    [records] = drive(run)
    wrong = [event.node for event in only(records, FeedbackGiven) if not event.accepted]
    assert 0 < len(wrong) < 8 and len(only(records, FeedbackGiven)) == 8
    assert [node.revises for node in run.tree.children(())][8:] == wrong
    assert only(records, Noted)[0].message.split() == [f"{8 + i}.0" for i in range(len(wrong))]


def test_if_all_are_accepted_the_strategy_gets_none():
    run = search(revised("truth", first=3), policy(boxes(8)), None)
    [records] = drive(run)
    assert [note.message for note in only(records, Noted)] == [""] and len(run.tree.children(())) == 3


def test_all_feedback_comes_before_the_first_new_attempt():
    run = search(revised("verifier", first=3), policy(boxes(7)), likes({BOX: 0.1}))
    [records] = drive(run)
    kinds = [type(event) for event in events(records) if isinstance(event, FeedbackGiven | NodeAdded | NodeScored)]
    assert kinds == [NodeAdded] * 6 + [NodeScored] * 6 + [FeedbackGiven] * 3 + [NodeAdded] * 6


def test_an_attempt_that_is_scored_already_is_not_asked_about_again():
    def scores_first(root: Node) -> Search:
        attempts = yield Expand([root], 1, to_end=True)
        attempts = yield Score(attempts)
        yield Revise(attempts, 1, "verifier")

    verifier = likes({BOX: 0.1})
    [records] = drive(search(scores_first, policy(boxes(7)), verifier))
    assert verifier.calls == 1 and len(only(records, NodeScored)) == 2


def test_steps_that_attempts_share_are_asked_about_once():
    def shares(root: Node) -> Search:
        first = yield Expand([root], 1)
        attempts = yield Expand(first, 3, to_end=True)
        yield Revise([*attempts, attempts[0]], 1, "verifier")

    run = search(shares, policy(boxes(7)), likes({BOX: 0.9}))
    [records] = drive(run)
    assert sorted(event.node for event in only(records, NodeScored)) == [(0,), (0, 0), (0, 1), (0, 2)]
    assert run.tree.status == "done"


def test_a_revised_attempt_may_be_grown_and_revised_like_any_other():
    """Its later steps are sampled after its own opening, too."""
    read = []

    def script(text, rng):
        read.append(written(text))
        return ("\\boxed{7}", "eos") if text.endswith("]") or len(read) < 2 else ("more\n\n", "step")

    def grows(root: Node) -> Search:
        [attempt] = yield Expand([root], 1, to_end=True)
        [second] = yield Revise([attempt], 1, "truth")
        [third] = yield Revise([attempt], 1, "truth")
        yield Note(f"{second.id} {third.id}")
        yield Expand([root], 1)

    run = search(grows, policy(script), None)
    [records] = drive(run)
    assert only(records, Noted)[0].message == "(1,) (2,)" and run.tree.nodes[(3,)].text == "more\n\n"
    assert read[1] == read[2] == f"{BOX}[The answer is wrong.]" and read[3] == ""
    assert [node.revises for node in run.tree.children(())] == [None, (0,), (0,), None]


def test_an_attempt_that_leaves_no_room_is_not_revised_and_says_so():
    context = len(PROBLEM.text) + 6 + len(BOX) + 10
    model = policy_of(lambda text, rng: ("x" * 6 + BOX, "eos"), context=context, name="tight")
    run = search(revised("truth", rounds=2), model, None)
    [records] = drive(run)
    notes = [note.message for note in only(records, Noted)]
    assert (
        notes[0] == "node 0 can't be revised: with its feedback it fills tight's context" and run.tree.notes[0].level == "warning"
    )
    assert len(run.tree.nodes) == 2 and run.tree.status == "done" and run.tree.selected.answer == "7"
    assert len(only(records, FeedbackGiven)) == 1


def test_of_several_attempts_those_with_room_are_revised():
    def script(text, rng):
        return ("x" * (400 if rng.random() < 0.5 and not written(text) else 1)) + BOX, "eos"

    model = policy_of(script, context=len(PROBLEM.text) + 415)
    run = search(revised("truth", first=6), model, None, max_step_tokens=500, seed=1)
    [records] = drive(run)
    children = sorted(run.tree.children(()), key=lambda node: node.id)
    long = [node.id for node in children[:6] if len(node.text) > 100]
    assert 0 < len(long) < 6
    assert [note.message.split()[1] for note in only(records, Noted) if note.level == "warning"] == [str(id[0]) for id in long]
    assert [node.revises for node in children[6:]] == [(i,) for i in range(6) if (i,) not in long]
    assert [node.id for node in children] == [(i,) for i in range(12 - len(long))], "without a gap"


def test_an_attempt_that_filled_the_context_is_told_that_there_is_no_answer():
    run = search(revised("truth"), policy_of(chosen(("go\n\n", "step"))), None)
    [records] = drive(run)
    [given] = only(records, FeedbackGiven)
    assert given.text == "There is no answer." and run.tree.status == "done"
    assert sum("can't be revised" in note.message for note in only(records, Noted)) == 1


@pytest.mark.parametrize("feedback", ["verifier", "truth"])
def test_an_unfinished_node_can_not_be_revised(feedback):
    def too_soon(root: Node) -> Search:
        whole = yield Expand([root], 1, to_end=True)
        steps = yield Expand([root], 1)
        yield Revise([*whole, *steps], 1, feedback)

    run = search(too_soon, policy(boxes(8)))
    [records] = drive(run)
    assert (
        run.tree.status == "failed"
        and run.tree.detail == "BadMove in too_soon: node (1,) is not finished, so it can't be revised"
    )
    assert run.tree.selected.answer == "8" and not only(records, FeedbackGiven)


def test_no_nodes_are_revised_to_none():
    def nothing(root: Node) -> Search:
        attempts = yield Revise([], 3, "verifier")
        yield Note(str(attempts))

    [records] = drive(search(nothing))
    assert [note.message for note in only(records, Noted)] == ["[]"] and records[-1].event.status == "done"


def test_a_round_costs_the_verifier_its_feedback_and_the_policy_its_attempts():
    judge = judge_of(lambda problem, steps: 0.2)
    run = search(revised("self"), policy(boxes(7)), judge)
    [records] = drive(run)
    first, *second = only(records, CostIncurred)
    assert [cost.role for cost in second] == ["policy", "verifier"]
    opening = len(PROBLEM.text) + 13 + len(said(run)[0].text) + 2
    assert second[0].prompt_tokens == opening, "once, though the attempt has two steps"
    assert second[0].sampled_tokens == 13 == first.sampled_tokens
    assert second[1].sampled_tokens == said(run)[0].tokens == judge.writer.sampled
    assert second[1].prompt_tokens == len(PROBLEM.text) + 13 + 1


@pytest.mark.parametrize("limit", range(1, 9))
def test_a_budget_of_nodes_counts_attempts(limit):
    run = search(revised("truth", n=2, rounds=9), policy(boxes(7)), None, budget={"nodes": limit})
    [records] = drive(run)
    assert run.tree.status == "budget" and run.cost.nodes == limit == len(only(records, NodeAdded))
    assert bool(only(records, AnswerSelected)) == (limit > 1)


def stopped(run, when):
    loop = Loop()
    live = loop.start(run)
    for _ in range(400):
        if when(run):
            break
        loop.step()
    assert when(run)
    live.cancel()
    loop.drive()
    return live.published


def whole_ledger(run):
    verifier = run.verifier.writer.sampled if run.verifier is not None and run.verifier.writes else 0
    return run.cost.policy.sampled_tokens == run.policy.sampled and run.cost.verifier.sampled_tokens == verifier


def test_stopped_while_feedback_is_under_way_the_first_answer_stands():
    judge = judge_of(lambda problem, steps: 0.2)
    run = search(revised("self", first=2), policy(boxes(7)), judge)
    records = stopped(run, lambda run: judge.writer.sampled >= 4)
    assert run.tree.status == "cancelled" and not only(records, FeedbackGiven) and run.tree.selected.answer == "7"
    assert whole_ledger(run) and judge.writer.sampled > 0
    assert run.policy.rows == {} == judge.work == judge.writer.rows
    assert isinstance(records[-1].event, SearchFinished)


def test_stopped_while_attempts_are_under_way_the_first_answer_stands():
    run = search(revised("truth", n=2), policy(boxes(7)), None)
    records = stopped(run, lambda run: bool(said(run)) and len(run.policy.rows) == 2 and run.policy.sampled > 15)
    assert run.tree.status == "cancelled" and len(only(records, FeedbackGiven)) == 1
    assert run.tree.selected.answer == "7" and run.tree.selected.node == (0, 0) and whole_ledger(run)


def test_stopped_between_two_steps_of_an_attempt_its_first_step_is_in_the_tree():
    run = search(revised("truth"), policy(boxes(7)), None)
    stopped(run, lambda run: (1,) in run.tree.nodes)
    assert run.tree.status == "cancelled" and run.tree.nodes[(1,)].revises == (0, 0)
    assert run.tree.selected.node == (0, 0) and whole_ledger(run)


@pytest.mark.parametrize("tokens", range(13, 80, 3))
def test_a_budget_of_tokens_ends_it_anywhere_with_an_answer_and_a_whole_ledger(tokens):
    judge = judge_of(lambda problem, steps: 0.2)
    run = search(revised("self", n=2, rounds=3), policy(boxes(7)), judge, budget={"tokens": tokens})
    [records] = drive(run)
    assert run.tree.status == "budget" and tokens <= run.cost.tokens <= tokens + 7
    assert whole_ledger(run) and len(only(records, AnswerSelected)) == 1
