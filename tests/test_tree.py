"""The fold of events: scores, fragments, replacements, another aggregate afterwards."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.errors import BadSetting, NotScored
from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    SearchFinished,
    SearchStarted,
    Verdict,
)
from tts_explorer.tree import AGGREGATES, Node, SearchTree, require_aggregate


def added(*node, text="s\n\n", stop="step", answer=None):
    return NodeAdded(node, text, 1, -1.0, stop, stop == "eos", answer)


def chain(rewards, aggregate="last"):
    """A path of steps with `rewards`, folded."""
    events = [SearchStarted("p", "greedy", aggregate=aggregate)]
    for i, reward in enumerate(rewards):
        node = (0,) * (i + 1)
        events += [added(*node), NodeScored(node, reward)]
    return events, (0,) * len(rewards)


@pytest.mark.parametrize(("aggregate", "score"), [("last", 0.5), ("min", 0.25), ("prod", 0.125), ("mean", 7 / 12)])
def test_a_score_aggregates_the_rewards_of_the_path(aggregate, score):
    events, leaf = chain([1.0, 0.25, 0.5], aggregate)
    assert SearchTree.of(events).nodes[leaf].score == pytest.approx(score)


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_a_finished_tree_is_recoloured_without_a_rerun(aggregate):
    events, leaf = chain([1.0, 0.25, 0.5])
    recoloured, direct = SearchTree.of(events, aggregate), SearchTree.of(chain([1.0, 0.25, 0.5], aggregate)[0])
    assert [node.score for node in recoloured.path(leaf)] == [node.score for node in direct.path(leaf)]


def test_a_score_that_was_never_asked_for_is_an_error():
    tree = SearchTree.of([added(0)])
    with pytest.raises(NotScored, match="Score"):
        _ = tree.nodes[(0,)].score
    assert not tree.nodes[(0,)].scored


def test_a_failed_verifier_leaves_minus_infinity_and_no_reward():
    tree = SearchTree.of([added(0), NodeScored((0,), None)])
    assert tree.nodes[(0,)].score == -math.inf and tree.nodes[(0,)].scored and tree.nodes[(0,)].reward is None


def test_a_failed_step_does_not_spoil_what_grows_from_it():
    events, leaf = chain([0.5, None, 0.75], "min")
    assert SearchTree.of(events).nodes[leaf].score == 0.5


def test_a_later_reward_replaces_an_earlier_one_here_and_below():
    events, leaf = chain([0.9, 0.8], "min")
    verdict = Verdict("no", 0.1, 2)
    tree = SearchTree.of([*events, NodeScored((0,), 0.1, (verdict,))])
    assert (tree.nodes[(0,)].reward, tree.nodes[(0,)].verdicts) == (0.1, (verdict,))
    assert tree.nodes[(0,)].score == tree.nodes[leaf].score == 0.1
    assert SearchTree.of([*events, NodeScored((0,), None)]).nodes[(0,)].score == -math.inf


def test_a_continued_fragment_is_left_out_of_the_aggregate():
    events = [added(0, text="ab", stop="length"), NodeScored((0,), 0.1)]
    fragment = SearchTree.of(events, "min")
    assert fragment.nodes[(0,)].score == 0.1
    events += [added(0, 0, text="c\n\n"), NodeScored((0, 0), 0.9)]
    tree = SearchTree.of([SearchStarted("p", "greedy", aggregate="min"), *events])
    assert tree.nodes[(0, 0)].score == 0.9 and tree.nodes[(0,)].score == 0.1
    assert [node.id for node in tree.steps((0, 0))] == [(0, 0)]
    assert tree.text((0, 0)) == "abc\n\n"


def test_everything_that_is_said_of_a_node_is_folded():
    graded = [AnswerSelected("8", (0,), "best", {"8": 1.0}), AnswerGraded("8", True), SearchFinished("done", "x")]
    note = Noted("info", "hello")
    more = [NodePruned((1,), "rank"), NodeSelected((0,), 2, 0.5, 0.25), note]
    tree = SearchTree.of([added(0, stop="eos", answer="8"), added(1), *more, *graded])
    node = tree.nodes[(0,)]
    assert (node.visits, node.value, node.weight, tree.nodes[(1,)].pruned) == (2, 0.5, 0.25, "rank")
    assert (tree.notes, tree.selected, tree.correct) == ([note], graded[0], True)
    assert (tree.status, tree.detail, tree.finished(), node.depth) == ("done", "x", [node], 1)
    assert [child.id for child in tree.children(())] == [(0,), (1,)]


def test_feedback_adds_up_and_a_later_look_ahead_replaces_an_earlier_one():
    first = FeedbackGiven((0,), "The answer is wrong.", 0, "truth", False)
    second = FeedbackGiven((0,), "I can't tell.", 5, "judge:policy")
    ahead = [LookedAhead((1,), "a\n\n", 2), LookedAhead((1,), "b\n\n", 2)]
    tree = SearchTree.of([added(0, stop="eos", answer="8"), added(1), first, second, *ahead])
    assert tree.nodes[(0,)].feedback == (first, second) and tree.nodes[(0,)].lookahead is None
    assert tree.nodes[(1,)].lookahead == "b\n\n" and tree.nodes[(1,)].feedback == ()
    assert tree.text((1,)) == "s\n\n" and tree.children((1,)) == []


def test_an_empty_answer_is_not_finished_and_a_pruned_twin_is():
    events = [added(0, stop="eos"), added(1, stop="eos", answer="8"), NodePruned((1,), "duplicate")]
    assert [node.id for node in SearchTree.of(events).finished()] == [(1,)]


def test_a_new_tree_has_only_its_root():
    tree = SearchTree()
    assert tree.nodes == {(): Node(())} and tree.status is None and tree.correct is None and tree.text(()) == ""


@given(st.lists(st.floats(0, 1) | st.none(), min_size=1, max_size=6), st.sampled_from(sorted(AGGREGATES)))
def test_every_aggregate_stays_in_range(rewards, aggregate):
    tree = SearchTree.of(chain(rewards, aggregate)[0])
    for node in tree.path((0,) * len(rewards)):
        assert node.score == -math.inf if node.reward is None else -1e-9 <= node.score <= 1 + 1e-9


def test_an_unknown_aggregate_is_refused():
    assert require_aggregate("prod") == "prod"
    with pytest.raises(BadSetting, match="median.*choose one of"):
        require_aggregate("median")
