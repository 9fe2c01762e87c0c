"""From finished nodes to an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import drive, events, search

from tts_explorer.answers import RULES, among_first, require_rule, reselect, select
from tts_explorer.errors import BadSetting
from tts_explorer.events import AnswerSelected, NodeAdded, NodePruned, NodeScored, NodeSelected
from tts_explorer.tree import AGGREGATES, SearchTree


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


def recorded(strategy, **plan):
    """The events of a small search."""
    [records] = drive(search(strategy, **plan))
    return events(records)


WHOLE = [("self_consistency", {"n": 6}), ("best_of_n", {"n": 6}), ("dvts", {"n": 6, "beam_width": 2, "max_depth": 4})]


@given(st.sampled_from(WHOLE), st.integers(0, 2**40), st.integers(1, 6), st.sampled_from(["fair", "lines", "one character"]))
def test_the_first_k_samples_are_what_the_same_search_samples_with_n_of_k(whole, seed, k, policy):
    strategy, settings = whole
    k += k % 2 if strategy == "dvts" else 0
    told = recorded(strategy, policy=policy, seed=seed, settings=settings)
    fewer = SearchTree.of(recorded(strategy, policy=policy, seed=seed, settings=settings | {"n": k}))
    found = reselect(told, first=k)
    assert found.nodes == fewer.nodes and found.grown.keys() == fewer.grown.keys()
    assert found.selected == fewer.selected and found.correct == fewer.correct


@given(st.sampled_from(["best_of_n", "beam_search"]), st.sampled_from(sorted(AGGREGATES)), st.sampled_from(RULES))
def test_another_rule_and_aggregate_choose_what_they_would_have_chosen(strategy, aggregate, rule):
    told = recorded(strategy)
    found = reselect(told, rule=rule, aggregate=aggregate)
    assert found.aggregate == aggregate and found.selected == select(SearchTree.of(told, aggregate), rule)
    assert reselect(told) == SearchTree.of(told)
    if strategy == "best_of_n":  # what is sampled doesn't depend on scores, so a rerun chooses the same
        assert found.selected == SearchTree.of(recorded(strategy, aggregate=aggregate, rule=rule)).selected


def test_the_first_samples_leave_the_recorded_tree_as_it_is():
    told = recorded("best_of_n")
    tree = SearchTree.of(told)
    among_first(tree, 1)
    assert tree == SearchTree.of(told) and set(among_first(tree, 4).nodes) == set(tree.nodes)


@pytest.mark.parametrize("k", [0, -1, 5])
def test_more_samples_than_there_are_is_refused(k):
    with pytest.raises(BadSetting, match=f"k is {k}: it must be between 1 and the number of samples, which is 4"):
        reselect(recorded("best_of_n"), first=k)
    with pytest.raises(BadSetting, match="which is 0"):
        among_first(SearchTree(), 1)


def test_another_n_of_a_search_whose_samples_compete_needs_a_rerun():
    with pytest.raises(BadSetting, match="samples of beam_search compete or build on one another: another n needs a rerun"):
        reselect(recorded("beam_search"), first=2)
    with pytest.raises(BadSetting, match="k is 3: it must be a multiple of 2, the samples of one subtree"):
        reselect(recorded("dvts"), first=3)
    revised = tree_of(("7", 0.5), ("8", 0.5))
    revised.apply(NodeAdded((2,), "s", 1, -1.0, "eos", True, "8", False, (0,)))
    weighed = tree_of(("7", 0.5), ("8", 0.5))
    weighed.apply(NodeSelected((0,), weight=0.5))
    for tree in (revised, weighed):
        with pytest.raises(BadSetting, match="this search compete"):
            among_first(tree, 1)


def test_an_unknown_rule_or_aggregate_is_refused_afterwards_too():
    with pytest.raises(BadSetting, match="no rule 'x'"):
        reselect(recorded("greedy"), rule="x")
    with pytest.raises(BadSetting, match="no aggregate 'x'"):
        reselect(recorded("greedy"), aggregate="x")
    assert reselect([]).selected is None
