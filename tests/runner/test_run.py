"""One search: what it records for each move, twins, chains, fragments, ends."""

from __future__ import annotations

import re

import pytest
from worlds import CONTEXT, PROBLEM, chosen, comparable, drive, events, only, policy_of, search, verifier_of, written

from tts_explorer.errors import BadSetting
from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    NodeAdded,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    SearchFinished,
    SearchStarted,
)
from tts_explorer.models.base import Judgement
from tts_explorer.moves import Expand, Note, Prune, Score, Search, Select
from tts_explorer.tasks.base import Problem
from tts_explorer.tree import Node

LOOSE = Problem("", "Why?", "", "", None)
"""A problem of no task."""


def two_steps(root: Node) -> Search:
    nodes = yield Expand([root], 4)
    nodes = yield Score(nodes)
    yield Note(f"{len(nodes)} are left")
    yield Select(nodes, weights=[1.0] * len(nodes))


def ends(root: Node) -> Search:
    nodes = yield Expand([root], 3, to_end=True)
    yield Score(nodes)


def twin_steps(text, rng):
    """The first and second sample of a step are equal."""
    return ("go\n\n" if rng.random() < 0.7 else "on\n\n"), "step"


def counted(calls):
    """A verifier that writes down what it was asked."""

    def judge(problem, steps):
        calls.append(tuple(steps))
        return 0.5

    return verifier_of(judge)


def test_a_stream_says_everything_that_a_rerun_needs():
    run = search("beam_search", seed=7, temperature=0.5, aggregate="min", rule="weighted", budget={"nodes": 5}, parent="x")
    [records] = drive(run)
    [started] = only(records, SearchStarted)
    assert (started.problem, started.task, started.truth) == (PROBLEM.text, "arithmetic", "8")
    assert (started.strategy, started.settings) == ("beam_search", {"n": 4, "beam_width": 2, "max_depth": 5})
    assert started.source.startswith("def beam_search(")
    assert (started.policy, started.verifier, started.seed, started.parent) == ("scripted", "scripted", 7, "x")
    assert started.sampling == {"temperature": 0.5, "max_step_tokens": 30}
    assert (started.aggregate, started.rule, started.budget) == ("min", "weighted", {"nodes": 5})
    assert started.started.endswith("+00:00") and started.schema == 1


@pytest.mark.parametrize(("strategy", "rule"), [("greedy", "last"), ("self_consistency", "majority"), ("best_of_n", "best")])
def test_a_strategy_brings_its_own_rule(strategy, rule):
    assert search(strategy).plan.answer_rule == rule


def test_the_line_is_counted_within_the_source():
    [records] = drive(search(two_steps))
    [started] = only(records, SearchStarted)
    source = started.source.splitlines()
    for record in records:
        if record.line is not None:
            word = {NodeAdded: "Expand", NodeScored: "Score", Noted: "Note", NodeSelected: "Select"}.get(type(record.event))
            assert word is None or word in source[record.line - 1]
    assert records[0].line is None and records[-1].line is None


def test_moves_are_recorded_in_order_with_one_cost_each():
    [records] = drive(search(two_steps, chosen(("go\n\n", "step"), ("on\n\n", "step"), ("up\n\n", "step"))))
    names = [type(event).__name__ for event in events(records)]
    names = [name for name in names if name != "NodePruned"]
    squeezed = [name for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    expected = "SearchStarted NodeAdded CostIncurred NodeScored CostIncurred Noted NodeSelected SearchFinished"
    assert squeezed == expected.split()
    assert [cost.role for cost in only(records, CostIncurred)] == ["policy", "verifier"]


def test_a_prompt_is_asked_for_once_an_answer():
    run = search("greedy", "lines")
    [records] = drive(run)
    [cost] = only(records, CostIncurred)
    chain = only(records, NodeAdded)
    assert cost.prompt_tokens == len(PROBLEM.text) and cost.sampled_tokens == sum(node.tokens for node in chain)
    assert cost.forwarded_tokens > cost.prompt_tokens


def test_an_answer_sampled_to_its_end_is_a_chain_of_one_node_a_step():
    [records] = drive(search(ends, "lines"))
    assert {event.node for event in only(records, NodeAdded)} == {(i, *(0,) * k) for i in range(3) for k in range(3)}
    assert {event.node for event in only(records, NodeScored)} == {event.node for event in only(records, NodeAdded)}
    assert not only(records, NodePruned)


def test_chains_come_after_children_that_a_node_has_already():
    def mixed(root: Node) -> Search:
        yield Expand([root], 2)
        last = yield Expand([root, root], [1, 2], to_end=True)
        yield Note(" ".join(map(str, (node.id for node in last))))

    [records] = drive(search(mixed, "lines"))
    assert only(records, Noted)[0].message == "(2, 0, 0) (3, 0, 0) (4, 0, 0)"


def test_an_answer_is_flat_and_in_the_order_of_the_nodes():
    def uneven(root: Node) -> Search:
        a, b, c = yield Expand([root], 3)
        found = yield Expand([c, a, b], [2, 0, 1])
        yield Note(" ".join(map(str, (node.id for node in found))))

    [records] = drive(search(uneven, "never ends"))
    assert only(records, Noted)[0].message == "(2, 0) (2, 1) (1, 0)"


def test_twins_get_the_reward_without_a_call_and_are_pruned_and_left_out():
    calls = []
    run = search(two_steps, twin_steps, counted(calls), seed=1)
    [records] = drive(run)
    texts = [event.text for event in only(records, NodeAdded)]
    twins = [i for i, text in enumerate(texts) if text in texts[:i]]
    assert twins and len(calls) == len(set(texts))
    assert [(event.node, event.reason) for event in only(records, NodePruned)] == [((i,), "duplicate") for i in twins]
    assert all(run.tree.nodes[(i,)].score == 0.5 for i in range(4))
    assert only(records, Noted)[0].message == f"{len(set(texts))} are left"
    assert [event.node for event in only(records, NodeSelected)] == [(i,) for i in range(4) if i not in twins]


def test_a_twin_of_a_node_that_the_verifier_failed_on_is_merged_too():
    [records] = drive(search(two_steps, chosen(("go\n\n", "step")), "none"))
    assert [event.reward for event in only(records, NodeScored)] == [None] * 4
    assert len(only(records, NodePruned)) == 3 and len(only(records, Noted)) == 2


def test_finished_twins_keep_their_votes():
    run = search(two_steps, chosen(("\\boxed{8}", "eos")), rule="majority")
    [records] = drive(run)
    assert len(only(records, NodePruned)) == 3
    assert only(records, AnswerSelected)[0].votes == {"8": 4.0}


def test_chains_are_never_merged():
    [records] = drive(search(ends, chosen(("\\boxed{8}", "eos"))))
    assert not only(records, NodePruned) and len(only(records, NodeScored)) == 3


def test_equal_steps_of_other_parents_or_moves_are_not_twins():
    def twice(root: Node) -> Search:
        first = yield Expand([root], 1)
        second = yield Expand([root], 1)
        grown = yield Expand([*first, *second], 1)
        yield Score([*first, *second, *grown])

    [records] = drive(search(twice, chosen(("go\n\n", "step"))))
    assert len(only(records, NodeAdded)) == 4 and not only(records, NodePruned)


def test_twins_in_other_subtrees_of_dvts_are_kept():
    [records] = drive(search("dvts", chosen(("go\n\n", "step")), settings={"n": 4, "beam_width": 2, "max_depth": 2}))
    assert {event.node for event in only(records, NodePruned)} == {(1,), (3,)}


def test_a_fragment_is_continued_by_its_child_and_judged_joined():
    calls = []
    run = search("greedy", "lines", max_step_tokens=5)
    drive(run)
    texts = [(node.text, node.stop) for node in run.tree.path((0,) * 3)]
    assert texts[:3] == [("abcde", "length"), ("fghi\n", "length"), ("\n", "step")]
    run = search(ends, "lines", counted(calls), max_step_tokens=5)
    drive(run)
    assert {steps[0] for steps in calls} == {"abcde", "abcdefghi\n", "abcdefghi\n\n"}
    assert max(calls, key=lambda steps: len("".join(steps))) == ("abcdefghi\n\n", "jklmnopqr\n\n", "\\boxed{8}")


def test_a_delimiter_alone_ends_the_fragment_before_it_and_has_a_reward():
    """A step of exactly max_step_tokens: its delimiter is the child, and the two are one step, not an empty one."""
    run = search(ends, "lines", "constant", max_step_tokens=9)
    drive(run)
    assert (run.tree.nodes[(0,)].text, run.tree.nodes[(0, 0)].text) == ("abcdefghi", "\n\n")
    assert run.tree.nodes[(0, 0)].reward == 0.5


def test_aggregates_skip_a_continued_fragment():
    def judge(problem, steps):
        return 0.125 if steps[-1] == "abcdefghi"[: len(steps[-1])] else 0.5

    run = search(ends, "lines", verifier_of(judge), max_step_tokens=9, aggregate="min")
    drive(run)
    assert run.tree.nodes[(0,)].score == 0.125 and run.tree.nodes[(0, 0)].score == 0.5


def test_an_empty_step_has_no_reward_and_is_never_sent():
    calls = []
    run = search(ends, "blank steps", counted(calls))
    drive(run)
    assert calls == [] and {node.reward for node in run.tree.nodes.values()} == {None}


def test_an_empty_step_in_between_is_left_out_of_what_the_verifier_reads():
    def script(text, rng):
        return (("go\n\n", "step"), ("\n\n", "step"), ("\\boxed{8}", "eos"))[min(2, written(text).count("\n\n"))]

    calls = []
    drive(search(ends, script, counted(calls)))
    assert set(calls) == {("go\n\n",), ("go\n\n", "\\boxed{8}")}


def test_a_final_answer_ends_the_path_even_without_eos():
    run = search("greedy", chosen(("so \\boxed{8}\n\n", "step")))
    drive(run)
    node = run.tree.nodes[(0,)]
    assert (node.stop, node.terminal, node.answer) == ("eos", True, "8") and len(run.tree.nodes) == 2


def test_an_answer_in_two_fragments_is_read_joined():
    run = search("greedy", lambda text, rng: ("\\boxed{08}"[len(written(text)) :], "eos"), max_step_tokens=8)
    drive(run)
    assert (run.tree.nodes[(0,)].stop, run.tree.nodes[(0,)].answer) == ("length", None)
    assert run.tree.nodes[(0, 0)].answer == "8" and run.tree.correct


def test_a_path_without_room_is_finished_without_an_answer():
    run = search("greedy", "never ends")
    [records] = drive(run)
    leaf = list(run.tree.nodes.values())[-1]
    assert (leaf.stop, leaf.terminal, leaf.answer) == ("length", True, None)
    assert len(PROBLEM.text) + sum(node.tokens for node in run.tree.nodes.values()) == CONTEXT
    assert not only(records, AnswerSelected) and records[-1].event == SearchFinished("done")


def test_equal_answers_share_one_spelling():
    run = search("self_consistency", chosen(("\\boxed{08}", "eos"), ("\\boxed{8}", "eos")), settings={"n": 16})
    [records] = drive(run)
    [selected] = only(records, AnswerSelected)
    assert selected.votes == {"8": 16.0} == {run.tree.nodes[(0,)].answer: 16.0}
    assert [grade.correct for grade in only(records, AnswerGraded)] == [True]


def test_without_a_task_nothing_is_graded():
    run = search("self_consistency", chosen(("\\boxed{a  b}", "eos"), ("\\boxed{a b}", "eos")), problem=LOOSE, task=None)
    [records] = drive(run)
    assert [grade.correct for grade in only(records, AnswerGraded)] == [None]
    assert only(records, AnswerSelected)[0].votes.popitem()[1] == 4.0 and run.tree.started.task is None


def test_unwritable_text_is_replaced_where_it_enters():
    problem = Problem("", "Why \ud800\0?", "", "", None)
    policy = policy_of(chosen(("\ud800", "eos")))
    asked = []
    policy.problem = lambda text: asked.append(text) or (1,)
    run = search("greedy", policy, problem=problem, task=None)
    drive(run)
    assert run.tree.started.problem == "Why \ufffd\ufffd?" == asked[0]
    assert run.tree.nodes[(0,)].text == "\ufffd"


def test_numbers_that_json_does_not_know_are_null():
    def odd(root: Node) -> Search:
        yield Select([root], values=[float("nan")], weights=[float("inf")], visits=[0])

    [records] = drive(search(odd))
    assert only(records, NodeSelected) == [NodeSelected((), 0, None, None)]


def test_a_node_that_is_scored_already_is_not_asked_about_again():
    def again(root: Node) -> Search:
        nodes = yield Expand([root], 1)
        nodes = yield Score(nodes)
        nodes = yield Score(nodes)
        grown = yield Expand(nodes, 1)
        yield Score(grown)

    run = search(again, "never ends")
    [records] = drive(run)
    assert [event.node for event in only(records, NodeScored)] == [(0,), (0, 0)] and run.verifier.calls == 2


def test_a_strategy_that_scores_needs_a_verifier():
    with pytest.raises(BadSetting, match="best_of_n.*verifier"):
        search("best_of_n", verifier=None)
    assert drive(search("self_consistency", verifier=None))[0][-1].event.status == "done"


def test_a_bad_setting_is_refused_before_anything_is_recorded():
    with pytest.raises(BadSetting, match="must divide"):
        search("beam_search", settings={"n": 6, "beam_width": 4})


@pytest.mark.parametrize(
    "wrong",
    [
        {"aggregate": "median"}, {"rule": "first"}, {"seed": -1}, {"seed": 2**63}, {"temperature": -0.1},
        {"temperature": float("nan")}, {"temperature": 11}, {"max_step_tokens": 0}, {"max_step_tokens": 10**6},
        {"budget": {"euros": 3}}, {"budget": {"nodes": 0}}, {"budget": {"tokens": float("nan")}},
        {"budget": {"seconds": float("inf")}}, {"problem": Problem("", " \n", "", "", None)},
    ],
    ids=str,
)  # fmt: skip
def test_a_plan_out_of_range_is_refused(wrong):
    with pytest.raises(BadSetting):
        search("greedy", **wrong)


def broken_at_once(root: Node) -> Search:
    yield Expand([root], 1)
    raise RuntimeError("lost")


def expands_the_finished(root: Node) -> Search:
    nodes = yield Expand([root], 1, to_end=True)
    yield Expand(nodes, 1)


def expands_the_pruned(root: Node) -> Search:
    nodes = yield Expand([root], 1)
    yield Prune(nodes, "rank")
    yield Expand(nodes, 1)


def ranks_unscored(root: Node) -> Search:
    nodes = yield Expand([root], 2)
    max(nodes, key=lambda node: node.score)


def miscounts(root: Node) -> Search:
    yield Expand([root], [1, 2])


def invents(root: Node) -> Search:
    yield Expand([Node((5, 5))], 1)


def clings(root: Node) -> Search:
    try:
        yield Expand([root], 1)
        raise RuntimeError("lost")
    finally:
        yield Note("not yet")
        raise ValueError("never")


@pytest.mark.parametrize(
    ("strategy", "detail"),
    [
        (broken_at_once, "RuntimeError in broken_at_once: lost"), (expands_the_finished, "BadMove"),
        (expands_the_pruned, "BadMove.*pruned"), (ranks_unscored, "NotScored"), (miscounts, "one count"),
        (invents, "KeyError"), (clings, ""),
    ],
)  # fmt: skip
def test_an_error_inside_a_strategy_fails_that_run_only(strategy, detail):
    policy = policy_of("lines")
    bad, good = search(strategy, policy, id="bad"), search("best_of_n", policy, id="good")
    records, fine = drive(bad, good)
    assert (bad.tree.status, good.tree.status) == ("failed", "done")
    assert re.search(detail, records[-1].event.detail)
    assert comparable(fine) == comparable(drive(search("best_of_n", "lines"))[0])


def test_answers_so_far_stand_when_a_strategy_fails():
    def late(root: Node) -> Search:
        yield Expand([root], 1, to_end=True)
        raise RuntimeError("lost")

    run = search(late, "lines")
    drive(run)
    assert run.tree.status == "failed" and run.tree.selected.answer == "8" and run.tree.correct


def test_a_strategy_may_ask_for_nothing():
    def idle(root: Node) -> Search:
        return
        yield

    def hollow(root: Node) -> Search:
        nodes = yield Expand([], [])
        yield Score(nodes)
        yield Prune(nodes, "rank")

    for strategy in (idle, hollow):
        [records] = drive(search(strategy))
        assert [type(event) for event in events(records)] == [SearchStarted, SearchFinished]


@pytest.mark.parametrize("rewards", [(), (0.5,) * 7])
def test_a_verifier_with_too_few_or_too_many_rewards_fails_its_run(rewards):
    verifier = verifier_of()
    verifier._judged = lambda prompt, steps: Judgement(rewards)
    run = search("best_of_n", "lines", verifier)
    drive(run)
    assert run.tree.status == "failed" and "rewards for" in run.tree.detail
