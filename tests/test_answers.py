"""From finished nodes to an answer."""

import pytest

from tts_explorer.answers import RULES, require_rule, select
from tts_explorer.errors import BadSetting
from tts_explorer.events import AnswerSelected, NodeAdded, NodePruned, NodeScored
from tts_explorer.tree import SearchTree


def tree_of(*answers):
    """Finished nodes under the root: (answer, reward), reward None for failed, "-" for never asked."""
    tree = SearchTree()
    for i, (answer, reward) in enumerate(answers):
        tree.apply(NodeAdded((i,), f"\\boxed{{{answer}}}", 1, -1.0, "eos", True, answer))
        if reward != "-":
            tree.apply(NodeScored((i,), reward))
    return tree


ANSWERS = [("7", 0.9), ("8", 0.6), ("8", 0.5), ("6", 0.1), ("6", 0.1), ("6", None)]


@pytest.mark.parametrize(
    ("rule", "answer", "node", "votes"),
    [
        ("best", "7", (0,), {"7": 0.9, "8": 0.6, "6": 0.1}),
        ("weighted", "8", (1,), {"7": 0.9, "8": 1.1, "6": 0.2}),
        ("majority", "6", (3,), {"7": 1.0, "8": 2.0, "6": 3.0}),
        ("last", "6", (5,), {"7": 0.0, "8": 0.0, "6": 1.0}),
    ],
)
def test_every_rule_chooses_by_its_own_weight(rule, answer, node, votes):
    assert select(tree_of(*ANSWERS), rule) == AnswerSelected(answer, node, rule, pytest.approx(votes))


@pytest.mark.parametrize("rule", RULES)
def test_nothing_finished_is_no_answer(rule):
    assert select(SearchTree(), rule) is None
    assert select(tree_of(("", 0.9), (None, 0.9)), rule) is None


@pytest.mark.parametrize("rule", ["best", "weighted", "majority"])
def test_ties_go_to_the_earlier_answer(rule):
    assert select(tree_of(("7", 0.5), ("8", 0.5)), rule).answer == "7"


def test_a_tie_of_sums_goes_to_the_earlier_answer_however_many_share_it():
    assert select(tree_of(("7", 0.5), ("8", 0.25), ("8", 0.25)), "weighted").answer == "7"


@pytest.mark.parametrize("rule", ["best", "weighted"])
@pytest.mark.parametrize("reward", ["-", None])
def test_frequency_decides_where_nothing_has_a_score(rule, reward):
    selected = select(tree_of(("7", reward), ("8", reward), ("8", reward)), rule)
    assert selected == AnswerSelected("8", (1,), rule, {"7": 0.0, "8": 0.0})


@pytest.mark.parametrize("rule", ["best", "weighted"])
def test_a_node_without_a_score_weighs_nothing(rule):
    assert select(tree_of(("8", None), ("8", None), ("7", 0.1)), rule).answer == "7"


def test_the_last_answer_is_read_from_the_last_node_whatever_the_scores():
    assert select(tree_of(("8", 0.9), ("7", 0.5), ("8", 0.1)), "last").node == (2,)


def test_finished_twins_keep_their_votes():
    tree = tree_of(("7", 0.9), ("8", 0.5), ("8", 0.5))
    tree.apply(NodePruned((2,), "duplicate"))
    assert select(tree, "majority").votes == {"7": 1.0, "8": 2.0}
    assert select(tree, "weighted").answer == "8"


def test_an_unknown_rule_is_refused():
    assert require_rule("last") == "last"
    with pytest.raises(BadSetting, match="plurality.*choose one of"):
        require_rule("plurality")
