"""Laws that hold for every strategy on every model, fair or hostile."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    POLICIES,
    STRATEGIES,
    VERIFIERS,
    as_json,
    comparable,
    drive,
    events,
    judge_of,
    only,
    policy_of,
    search,
    verifier_of,
)

from tts_explorer.answers import RULES, select
from tts_explorer.cost import Cost
from tts_explorer.events import (
    AnswerGraded,
    AnswerSelected,
    LookedAhead,
    NodeAdded,
    NodePruned,
    NodeScored,
    SearchFinished,
    SearchStarted,
    from_dict,
    to_dict,
)
from tts_explorer.runner import Loop
from tts_explorer.strategies import needs_words, strategy_named
from tts_explorer.tree import AGGREGATES, SearchTree

WHOLE = {"n": st.integers(1, 6)}
STEPS = WHOLE | {"max_depth": st.integers(1, 5)}
TREE = WHOLE | {"beam_width": st.integers(1, 4)}
BEAMS = st.builds(
    lambda width, beams, depth: {"beam_width": width, "n": width * beams, "max_depth": depth},
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 5),
)
SETTINGS = {
    "greedy": st.just({}),
    "self_consistency": st.fixed_dictionaries(WHOLE),
    "best_of_n": st.fixed_dictionaries(WHOLE),
    "beam_search": BEAMS,
    "dvts": BEAMS,
    "rebase": st.fixed_dictionaries(STEPS | {"balance_temperature": st.sampled_from([0.01, 0.2, 10])}),
    "particle_filter": st.fixed_dictionaries(STEPS),
    "mcts": st.fixed_dictionaries(TREE | {"exploration": st.sampled_from([0, 0.05, 1.25, 10])}),
    "best_first": st.fixed_dictionaries(TREE | {"answers": st.integers(1, 3)}),
    "adaptive_consistency": st.fixed_dictionaries(
        WHOLE | {"batch": st.integers(1, 4), "confidence": st.sampled_from([0.51, 0.95, 0.999])}
    ),
    "lookahead_search": st.builds(lambda beams, ahead: beams | {"lookahead": ahead}, BEAMS, st.integers(0, 3)),
    "solve_and_verify": st.fixed_dictionaries({"n": st.integers(1, 4), "votes": st.integers(1, 3)}),
    "sequential_refinement": st.fixed_dictionaries(
        {"rounds": st.integers(0, 4), "feedback": st.sampled_from(["verifier", "self", "truth"])}
    ),
}
"""Settings that each strategy accepts, small ones."""


@st.composite
def plans(draw, strategies=STRATEGIES, policies=tuple(POLICIES), verifiers=tuple(VERIFIERS)):
    """Keyword arguments of `search`, without models."""
    strategy = draw(st.sampled_from(strategies))
    return {
        "strategy": strategy,
        "policy": draw(st.sampled_from(policies)),
        "verifier": draw(st.sampled_from(verifiers)),
        "settings": draw(SETTINGS[strategy]),
        "seed": draw(st.integers(0, 2**40)),
        "max_step_tokens": draw(st.sampled_from([1, 3, 5, 30])),
        "aggregate": draw(st.sampled_from(sorted(AGGREGATES))),
        "rule": draw(st.sampled_from([None, *RULES])),
    }


BUDGETS = st.one_of(
    st.just({}),
    st.builds(lambda limit: {"nodes": limit}, st.integers(1, 20)),
    st.builds(lambda limit: {"tokens": limit}, st.integers(1, 80)),
    st.builds(lambda limit: {"flops": limit}, st.integers(1, 4000)),
)


def judges_for(name):
    """One verifier and one that writes, for all plans: the one that a plan needs."""
    scorer, writer = verifier_of(name), judge_of(name)
    return lambda plan: writer if needs_words(strategy_named(plan["strategy"]), plan.get("settings", {})) else scorer


def ended(plan, budget=None, cancel_after=None):
    """Run a plan to its end, or cancel it after some ticks: the run and its records."""
    run = search(**plan, budget=budget or {})
    loop = Loop()
    live = loop.start(run)
    for _ in range(cancel_after or 0):
        loop.step()
    if cancel_after is not None:
        live.cancel()
    loop.drive()
    return run, live.published


@given(plans(), BUDGETS, st.none() | st.integers(0, 40))
def test_a_replay_equals_the_tree_and_its_cost(plan, budget, cancel_after):
    run, records = ended(plan, budget, cancel_after)
    assert SearchTree.of(events(records)) == run.tree
    assert Cost.of(events(records)) == run.cost


@given(plans(), BUDGETS)
def test_the_wire_form_is_strict_json_and_inverts(plan, budget):
    _, records = ended(plan, budget)
    assert [from_dict(to_dict(record)) for record in records] == records
    assert [from_dict(json.loads(line)) for line in as_json(records)] == records
    assert all(line.encode("utf-8") and "\\u0000" not in line for line in as_json(records))


@given(plans(), BUDGETS, st.none() | st.integers(0, 40))
def test_a_stream_has_one_start_one_end_and_no_gap(plan, budget, cancel_after):
    _, records = ended(plan, budget, cancel_after)
    assert [record.seq for record in records] == list(range(len(records)))
    assert [i for i, event in enumerate(events(records)) if isinstance(event, SearchStarted)] == [0]
    assert [i for i, event in enumerate(events(records)) if isinstance(event, SearchFinished)] == [len(records) - 1]


@given(plans(), BUDGETS)
def test_nothing_grows_from_a_pruned_or_finished_node(plan, budget):
    _, records = ended(plan, budget)
    closed, known = set(), {()}
    for event in events(records):
        if isinstance(event, NodeAdded):
            assert event.node[:-1] in known - closed and event.node not in known
            known.add(event.node)
            closed |= {event.node} if event.terminal else set()
        elif isinstance(event, NodePruned):
            closed.add(event.node)


@given(plans(), BUDGETS)
def test_children_take_the_next_free_index(plan, budget):
    run, _ = ended(plan, budget)
    if run.tree.status == "done":
        for node, children in run.tree.grown.items():
            assert sorted(children) == [(*node, i) for i in range(len(children))]


@given(plans(), st.integers(1, 20))
def test_a_budget_of_nodes_is_kept_exactly(plan, limit):
    run, _ = ended(plan, {"nodes": limit})
    assert run.cost.nodes <= limit
    assert run.tree.status == "done" or (run.tree.status == "budget" and run.cost.nodes == limit)


@given(plans(), st.integers(1, 80))
def test_a_budget_of_tokens_is_passed_by_at_most_one_token_a_row(plan, limit):
    run, _ = ended(plan, {"tokens": limit})
    has = run.plan.settings.get
    rows = max(has("n", 1) * has("votes", 1), has("beam_width", 1))
    assert run.cost.tokens <= limit - 1 + rows
    assert run.tree.status == "done" or (run.tree.status == "budget" and run.cost.tokens >= limit)


@pytest.mark.parametrize(("strategy", "policy"), list(product(STRATEGIES, ("fair", "one character", "endless step"))))
def test_a_budget_of_seconds_ends_a_search_at_the_tick_that_reaches_it(strategy, policy):
    model = policy_of(policy)
    run = search(strategy, model, budget={"seconds": 4}, clock=lambda: float(model.ticks))
    drive(run)
    assert run.tree.status == "budget" and model.ticks == 4


@given(plans(), BUDGETS, st.none() | st.integers(0, 40))
def test_the_ledger_holds_every_token_that_was_sampled(plan, budget, cancel_after):
    run, records = ended(plan, budget, cancel_after)
    told = sum(node.tokens for node in run.tree.nodes.values()) + sum(event.tokens for event in only(records, LookedAhead))
    assert run.cost.policy.sampled_tokens == run.policy.sampled >= told
    if run.tree.status == "done":
        assert run.cost.policy.sampled_tokens == told
    written = run.verifier.writer.sampled if run.verifier.writes else 0
    assert run.cost.verifier.sampled_tokens == written
    assert sum(verdict.tokens for node in run.tree.nodes.values() for verdict in node.verdicts) <= written


@pytest.mark.parametrize(("strategy", "policy"), list(product(STRATEGIES, POLICIES)))
def test_every_fault_ends_by_itself_and_within_a_budget(strategy, policy):
    for verifier in VERIFIERS:
        for budget in ({}, {"nodes": 3}, {"tokens": 7}, {"flops": 500}):
            run, records = ended({"strategy": strategy, "policy": policy, "verifier": verifier}, budget)
            assert run.tree.status in ("done", "budget") and isinstance(records[-1].event, SearchFinished)
            assert run.tree.status == "done" or budget
            as_json(records)


@given(plans(), BUDGETS, st.none() | st.integers(0, 40))
def test_a_search_that_ends_for_any_cause_yields_its_best_answer_so_far(plan, budget, cancel_after):
    run, records = ended(plan, budget, cancel_after)
    selected = only(records, AnswerSelected)
    finished = run.tree.finished()
    assert bool(selected) == bool(finished)
    assert [event.answer for event in only(records, AnswerGraded)] == list(dict.fromkeys(node.answer for node in finished))
    if selected:
        unselected = SearchTree.of(event for event in events(records) if not isinstance(event, AnswerSelected))
        assert selected == [select(unselected, run.plan.answer_rule)]
        assert run.tree.nodes[selected[0].node].answer == selected[0].answer
        kinds = [type(event) for event in events(records)]
        assert kinds.index(AnswerSelected) < kinds.index(AnswerGraded)


@given(plans())
def test_answers_are_graded_by_value_and_grouped_under_one_spelling(plan):
    _, records = ended(plan)
    grades = {event.answer: event.correct for event in only(records, AnswerGraded)}
    assert len(grades) == len({answer.lstrip("0") for answer in grades})
    assert all(correct == (answer.lstrip("0") == "8") for answer, correct in grades.items())


@given(plans(), BUDGETS)
def test_rewards_are_in_range_or_null_and_scores_are_never_written(plan, budget):
    _, records = ended(plan, budget)
    for event in only(records, NodeScored):
        assert event.reward is None or 0 <= event.reward <= 1
    for event in only(records, AnswerSelected):
        assert all(0 <= weight < float("inf") for weight in event.votes.values())


@given(plans())
def test_a_rerun_is_equal(plan):
    assert comparable(ended(plan)[1]) == comparable(ended(plan)[1])


@settings(max_examples=25)
@given(st.lists(plans(policies=("fair",), verifiers=("fails now and then",)), min_size=2, max_size=8), st.data())
def test_a_search_alone_equals_the_same_search_among_others(many, data):
    budgets = [data.draw(BUDGETS) for _ in many]
    alone, ticks = [], 0
    for plan, budget in zip(many, budgets, strict=True):
        run, records = ended(plan, budget)
        alone.append(comparable(records))
        ticks += run.policy.ticks
    policy, judges = policy_of("fair"), judges_for("fails now and then")
    shared = [plan | {"policy": policy, "verifier": judges(plan)} for plan in many]
    runs = [search(**plan, budget=budget, id=str(i)) for i, (plan, budget) in enumerate(zip(shared, budgets, strict=True))]
    together = drive(*runs)
    assert [comparable(records) for records in together] == alone
    assert policy.ticks < ticks


def test_thirty_searches_of_all_strategies_share_one_model():
    plans = [{"strategy": STRATEGIES[i % len(STRATEGIES)], "policy": "lines", "max_step_tokens": 4, "seed": i} for i in range(30)]
    alone = [ended(plan) for plan in plans]
    policy, judges = policy_of("lines"), judges_for("fair")
    runs = [search(**plan | {"policy": policy}, verifier=judges(plan), id=str(i)) for i, plan in enumerate(plans)]
    assert [comparable(records) for records in drive(*runs)] == [comparable(records) for _, records in alone]
    assert policy.ticks < sum(run.policy.ticks for run, _ in alone) / 8
