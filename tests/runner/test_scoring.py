"""What `Score` asks: looks ahead, verdicts, formulas; what it records of them and what they cost."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import (
    CONTEXT,
    PROBLEM,
    chosen,
    comparable,
    drive,
    events,
    only,
    policy_of,
    search,
    verifier_of,
    written,
)

from tts_explorer.events import CostIncurred, LookedAhead, NodeAdded, NodePruned, NodeScored, Noted, SearchStarted
from tts_explorer.models.base import sample_key
from tts_explorer.models.judge import Judge
from tts_explorer.moves import Expand, Score, Search
from tts_explorer.outcomes import OUTCOMES, Outcome, agreement, likelihood, self_certainty
from tts_explorer.runner import Loop
from tts_explorer.tree import Node, SearchTree

LETTERS = "abcdefghijklmnop"


def one_look(root: Node, *, ahead: int = 1) -> Search:
    nodes = yield Expand([root], 1)
    yield Score(nodes, lookahead=ahead)


def looking(ahead, nodes=1):
    """Sample some first steps and look ahead of each."""

    def looks(root: Node) -> Search:
        steps = yield Expand([root], nodes)
        yield Score(steps, lookahead=ahead)

    return looks


def alphabet(text, rng):
    """a, b, c, …: each a step."""
    return f"{LETTERS[written(text).count(chr(10) * 2)]}\n\n", "step"


def reading(seen, reward=0.5):
    """A verifier that writes down the steps that it was given, each path once."""

    def judge(problem, steps):
        seen.append(tuple(steps))
        return reward(steps) if callable(reward) else reward

    return verifier_of(judge)


def longest(seen):
    return max(seen, key=len)


@pytest.mark.parametrize("ahead", [1, 2, 3])
def test_so_many_steps_are_written_ahead_and_the_reward_is_the_one_at_their_end(ahead):
    seen = []
    run = search(looking(ahead), alphabet, reading(seen, lambda steps: len(steps) / 10))
    [records] = drive(run)
    [looked], [scored] = only(records, LookedAhead), only(records, NodeScored)
    text = "".join(f"{letter}\n\n" for letter in LETTERS[1 : 1 + ahead])
    assert looked == LookedAhead((0,), text, len(text)) and run.tree.nodes[(0,)].lookahead == text
    assert scored == NodeScored((0,), (1 + ahead) / 10)
    assert longest(seen) == tuple(f"{letter}\n\n" for letter in LETTERS[: 1 + ahead])
    assert len(only(records, NodeAdded)) == 1, "what was written ahead is not part of the tree"


def test_a_look_is_greedy_whatever_the_temperature():
    def script(text, rng):
        return f"{rng.randrange(10**6)}\n\n", "step"

    texts = set()
    for seed in range(3):
        [records] = drive(search(looking(1), script, seed=seed, temperature=2.0))
        texts |= {event.text for event in only(records, LookedAhead)}
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (("\\boxed{8}", "eos"), "an answer at the end"),
        (("so \\boxed{8}\n\n", "step"), "an answer in a step"),
        (("over", "eos"), "the end without an answer"),
    ],
)
def test_a_look_ends_early_where_the_text_does(second, why):
    def script(text, rng):
        return (("go\n\n", "step"), second, ("never\n\n", "step"))[min(2, written(text).count("\n\n") + ("over" in text))]

    seen = []
    [records] = drive(search(looking(5), script, reading(seen)))
    assert only(records, LookedAhead) == [LookedAhead((0,), second[0], len(second[0]))], why
    assert longest(seen) == ("go\n\n", second[0])


def test_a_look_ends_where_the_context_is_full():
    seen = []
    run = search(looking(16), chosen(("four\n\n", "step")), reading(seen), max_step_tokens=30)
    [records] = drive(run)
    [looked] = only(records, LookedAhead)
    assert len(PROBLEM.text) + 6 + looked.tokens == CONTEXT and looked.text == ("four\n\n" * 7)[6:40]
    assert longest(seen)[-1] == "four" and len(only(records, NodeScored)) == 1
    assert not only(records, Noted), "nothing of the tree has filled the context"


def test_fragments_ahead_are_joined_with_what_continues_them():
    """Nine letters and a delimiter in pieces of five: the node, and two looks that end its step."""
    seen = []
    run = search(looking(2), "lines", reading(seen, lambda steps: len(steps[-1]) / 100), max_step_tokens=5)
    [records] = drive(run)
    assert [(event.text, event.stop) for event in only(records, NodeAdded)] == [("abcde", "length")]
    assert only(records, LookedAhead) == [LookedAhead((0,), "fghi\n\n", 6)]
    assert longest(seen) == ("abcdefghi\n\n",) and only(records, NodeScored) == [NodeScored((0,), 0.11)]


def test_a_look_that_ends_in_a_fragment_is_judged_as_far_as_it_goes():
    seen = []
    drive(search(looking(3), "lines", reading(seen), max_step_tokens=5))
    assert longest(seen) == ("abcdefghi\n\n", "jklmn")


def test_an_answer_in_two_fragments_ends_a_look():
    def script(text, rng):
        return "go\n\n\\boxed{8} and more"[len(written(text)) :], "eos"

    def stepped(text, rng):
        rest, stop = script(text, rng)
        return (rest[:4], "step") if written(text) == "" else (rest, stop)

    [records] = drive(search(looking(9), stepped, max_step_tokens=5))
    assert only(records, LookedAhead) == [LookedAhead((0,), "\\boxed{8} ", 10)]


def test_ancestors_are_rewarded_for_what_they_say_themselves():
    seen = []

    def deep(root: Node) -> Search:
        nodes = yield Expand([root], 1)
        nodes = yield Expand(nodes, 1)
        yield Score(nodes, lookahead=2)

    run = search(deep, alphabet, reading(seen, lambda steps: len(steps) / 10))
    [records] = drive(run)
    assert sorted((e.node, e.reward) for e in only(records, NodeScored)) == [((0,), 0.1), ((0, 0), 0.4)]
    assert [event.node for event in only(records, LookedAhead)] == [(0, 0)]
    assert run.tree.nodes[(0,)].lookahead is None


def test_a_node_and_its_child_scored_at_once_are_each_looked_ahead_of_at_most_once():
    def both(root: Node) -> Search:
        first = yield Expand([root], 1)
        second = yield Expand(first, 1)
        yield Score([*first, *second], lookahead=1)

    for verifier in ("fair", Outcome("logprob")):
        [records] = drive(search(both, alphabet, verifier))
        assert [event.node for event in only(records, LookedAhead)] == [(0,), (0, 0)]
        assert sorted(event.node for event in only(records, NodeScored)) == [(0,), (0, 0)]


def test_a_finished_node_and_a_scored_one_are_not_looked_ahead_of():
    def again(root: Node) -> Search:
        nodes = yield Expand([root], 2)
        yield Score(nodes)
        yield Score(nodes, lookahead=3)

    [records] = drive(search(again, chosen(("go\n\n", "step"), ("\\boxed{8}", "eos")), seed=1))
    assert {event.stop for event in only(records, NodeAdded)} == {"step", "eos"}
    assert not only(records, LookedAhead) and len(only(records, NodeScored)) == 2
    [records] = drive(search(looking(3), chosen(("\\boxed{8}", "eos"))))
    assert not only(records, LookedAhead) and len(only(records, NodeScored)) == 1


def test_an_empty_step_is_not_looked_ahead_of_and_has_no_reward():
    def script(text, rng):
        return ("\n\n" if not written(text) else "\\boxed{8}"), "step" if not written(text) else "eos"

    seen = []
    for verifier in (reading(seen, 1.0), Outcome("logprob")):
        run = search(looking(2), script, verifier)
        [records] = drive(run)
        assert only(records, NodeScored) == [NodeScored((0,), None)] and run.tree.nodes[(0,)].score == -math.inf
        assert not only(records, LookedAhead) and seen == []


def test_blank_steps_ahead_are_left_out_of_what_the_verifier_reads():
    def script(text, rng):
        return ("go\n\n" if not written(text) else "\n\n"), "step"

    seen = []
    [records] = drive(search(looking(2), script, reading(seen, 0.7)))
    assert set(seen) == {("go\n\n",)} and only(records, NodeScored) == [NodeScored((0,), 0.7)]
    assert only(records, LookedAhead) == [LookedAhead((0,), "\n\n\n\n", 4)]


def test_a_look_costs_the_policy_what_it_samples_and_its_prompt_once():
    [records] = drive(search(looking(3), alphabet))
    expand, look, judged = only(records, CostIncurred)
    prompt = len(PROBLEM.text)
    assert (expand.role, expand.prompt_tokens, expand.sampled_tokens) == ("policy", prompt, 3)
    assert (look.role, look.prompt_tokens, look.sampled_tokens) == ("policy", prompt + 3, 9)
    assert look.forwarded_tokens == sum(prompt + 3 * place + 3 for place in (1, 2, 3)), "the scripted policy keeps nothing"
    assert (judged.role, judged.prompt_tokens, judged.sampled_tokens) == ("verifier", prompt + 12, 0)


def test_each_of_several_looks_asks_for_its_prompt():
    def script(text, rng):
        return f"{LETTERS[rng.randrange(9)]}\n\n", "step"

    [records] = drive(search(looking(2, nodes=4), script, seed=1))
    looked = only(records, LookedAhead)
    look = only(records, CostIncurred)[1]
    assert look.prompt_tokens == len(looked) * (len(PROBLEM.text) + 3) and look.sampled_tokens == len(looked) * 6
    assert len(looked) == len({event.text for event in only(records, NodeAdded)}) > 2


def test_twins_are_looked_ahead_of_once():
    run = search(looking(2, nodes=5), chosen(("go\n\n", "step")))
    [records] = drive(run)
    assert [event.node for event in only(records, LookedAhead)] == [(0,)]
    assert [event.node for event in only(records, NodePruned)] == [(1,), (2,), (3,), (4,)]
    assert len({node.reward for node in run.tree.children(())}) == 1


def cut(strategy, policy, verifier="fair", *, when, cancel=False, **budget):
    """Run until `when` says that the search is where it shall be stopped, then stop it."""
    run = search(strategy, policy, verifier, budget=budget)
    loop = Loop()
    live = loop.start(run)
    for _ in range(500):
        if when(run):
            break
        loop.step()
    assert when(run) or budget
    if cancel:
        live.cancel()
    loop.drive()
    return run, live.published


def in_a_look(run):
    return run.live and any(key[1] == "look" for key in run.policy.rows) and run.policy.sampled > 5


def test_cancelled_in_a_look_it_leaves_no_reward_and_a_whole_ledger():
    run, records = cut(looking(3), alphabet, when=in_a_look, cancel=True)
    assert run.tree.status == "cancelled" and not only(records, LookedAhead) and not only(records, NodeScored)
    assert run.cost.policy.sampled_tokens == run.policy.sampled > 3 and run.policy.rows == {}


@pytest.mark.parametrize("tokens", range(3, 13))
def test_a_budget_of_tokens_ends_a_look_where_it_is(tokens):
    run = search(looking(3), alphabet, budget={"tokens": tokens})
    [records] = drive(run)
    assert run.tree.status == "budget" and run.cost.tokens == run.policy.sampled == tokens
    assert len(only(records, LookedAhead)) == (tokens >= 12) and not only(records, NodeScored)


def test_what_was_kept_for_a_look_is_forgotten_when_it_is_over():
    policy = policy_of(alphabet)
    dropped, drop = [], policy.drop
    policy.drop = lambda keys: drop(dropped.append(keys := list(keys)) or keys)
    loop, run = Loop(), search(looking(2), policy)
    live = loop.start(run)
    while not any(isinstance(record.event, LookedAhead) for record in live.published):
        loop.step()
    assert {("a", "look", (0,), 0), ("a", "look", (0,), 1)} <= {key for keys in dropped for key in keys}
    loop.drive()


def test_a_strategy_may_look_ahead_at_one_move_and_not_at_the_next():
    def now_and_then(root: Node) -> Search:
        first = yield Expand([root], 1)
        yield Score(first, lookahead=1)
        second = yield Expand(first, 1)
        yield Score(second)

    seen = []
    run = search(now_and_then, alphabet, reading(seen, lambda steps: len(steps) / 10))
    drive(run)
    assert [node.reward for node in run.tree.path((0, 0))] == [0.2, 0.2], "the look is not before its child"
    assert longest(seen) == ("a\n\n", "b\n\n") and run.tree.nodes[(0, 0)].text == "b\n\n"


# Verdicts.


def voting(*votes, n=1):
    """Whole answers, then one Score a number of votes."""

    def votes_on(root: Node) -> Search:
        nodes = yield Expand([root], n, to_end=True)
        for count in votes:
            yield Score(nodes, votes=count)

    return votes_on


def numbered(text, rng):
    """A check whose words and p(yes) its random number decides."""
    return f"said {(number := rng.randrange(100))} {number / 100}", "eos"


def flaky(text, rng):
    """As `numbered`, but some checks come to nothing."""
    number = rng.randrange(100)
    return (f"said {number} {number / 100}" if number >= 50 else f"said {number} nothing"), "eos"


def judge(script, **options):
    return Judge(policy_of(script, context=400, name="judge", **options))


ANSWER = chosen(("\\boxed{8}", "eos"), ("\\boxed{7}", "eos"), ("\\boxed{08} ", "eos"))


def said_by(script, node, votes, seed=0):
    """What a judge's script says of the only answer, vote by vote."""
    import random

    return [script("", random.Random(sample_key(seed, node, f":verdict {vote}")))[0] for vote in range(votes)]


@pytest.mark.parametrize("votes", [1, 2, 5])
def test_votes_are_written_and_the_reward_is_their_mean(votes):
    [records] = drive(search(voting(votes), ANSWER, judge(numbered)))
    [scored] = only(records, NodeScored)
    assert [verdict.text for verdict in scored.verdicts] == said_by(numbered, (0,), votes)
    assert scored.reward == pytest.approx(sum(verdict.p_yes for verdict in scored.verdicts) / votes)
    assert all(verdict.tokens == len(verdict.text) for verdict in scored.verdicts)
    assert all(verdict.text.endswith(f" {verdict.p_yes}") for verdict in scored.verdicts)


def test_what_the_judge_reads_is_the_problem_the_steps_and_that_a_check_is_due():
    read = []

    def script(text, rng):
        read.append(text)
        return "said 0.5", "eos"

    drive(search(voting(1), "lines", judge(script)))
    assert read == [PROBLEM.text + "abcdefghi\n\njklmnopqr\n\n\\boxed{8}?"]


@pytest.mark.parametrize("script", [numbered, flaky])
def test_more_votes_later_ask_for_the_missing_ones_and_repeat_the_earlier(script):
    verifier = judge(script)
    [records] = drive(search(voting(2, 5, 5, 3), ANSWER, verifier))
    [at_once] = drive(search(voting(5), ANSWER, judge(script)))
    *_, last = only(records, NodeScored)
    [expected] = only(at_once, NodeScored)
    assert last == replace(expected, reward=last.reward) and last.reward == pytest.approx(expected.reward)
    assert len(only(records, NodeScored)) == 2, "five and then three are there already"
    first = only(records, NodeScored)[0]
    assert last.verdicts[: len(first.verdicts)] == first.verdicts
    written = said_by(script, (0,), 5)
    assert verifier.writer.sampled == sum(map(len, written)), "none is written twice"


def test_a_verdict_that_comes_to_nothing_is_left_out():
    said = said_by(flaky, (0,), 8)
    fine = [text for text in said if not text.endswith("nothing")]
    assert 0 < len(fine) < 8
    [records] = drive(search(voting(8), ANSWER, judge(flaky)))
    [scored] = only(records, NodeScored)
    assert [verdict.text for verdict in scored.verdicts] == fine and not only(records, Noted)
    assert scored.reward == pytest.approx(sum(float(text.split()[-1]) for text in fine) / len(fine))
    assert only(records, CostIncurred)[-1].sampled_tokens == sum(map(len, said)), "it was paid for all the same"


@pytest.mark.parametrize("last", ["nothing", "nan", "inf", "-0.1", "1.01"])
def test_no_verdict_gives_no_reward_and_a_note(last):
    run = search(voting(3), ANSWER, judge(chosen((f"said {last}", "eos"))))
    [records] = drive(run)
    assert only(records, NodeScored) == [NodeScored((0,), None)]
    [note] = only(records, Noted)
    assert note.level == "warning" and note.message == "judge:judge gave no reward for node 0, which ranks last"
    assert run.tree.nodes[(0,)].score == -math.inf and run.tree.status == "done"


def test_a_solution_that_fills_the_judges_context_gets_no_reward_and_a_note():
    verifier = Judge(policy_of(numbered, context=len(PROBLEM.text) + 10, name="judge"))
    [records] = drive(search(voting(2), ANSWER, verifier))
    assert only(records, NodeScored) == [NodeScored((0,), None)] and len(only(records, Noted)) == 1
    assert verifier.writer.sampled == 0


def test_verdicts_on_one_node_depend_on_no_other():
    [many] = drive(search(voting(3, n=6), ANSWER, judge(numbered)))
    together = {event.node: event for event in only(many, NodeScored)}

    def apart(root: Node) -> Search:
        nodes = yield Expand([root], 6, to_end=True)
        for node in reversed(nodes):
            yield Score([node], votes=1)
            yield Score([node], votes=3)

    [one_by_one] = drive(search(apart, ANSWER, judge(numbered)))
    alone = {event.node: event for event in only(one_by_one, NodeScored)}
    for id, event in together.items():
        assert alone[id].verdicts == event.verdicts and alone[id].reward == pytest.approx(event.reward)
    assert len({event.verdicts for event in together.values()}) == 6, "equal answers are checked each by itself"


def test_searches_that_share_a_judge_are_judged_as_alone():
    shared, policy = judge(flaky), policy_of(ANSWER)
    runs = [search(voting(4, n=3), policy, shared, id=str(i), seed=i) for i in range(4)]
    together = [comparable(records) for records in drive(*runs)]
    assert together == [comparable(drive(search(voting(4, n=3), ANSWER, judge(flaky), seed=i))[0]) for i in range(4)]
    assert shared.work == {} and shared.done == [] and shared.writer.rows == {}


def test_a_judge_rewards_the_last_step_alone_and_the_path_has_its_score():
    run = search(voting(2), "lines", judge(numbered), aggregate="prod")
    [records] = drive(run)
    [scored] = only(records, NodeScored)
    leaf = run.tree.nodes[scored.node]
    assert scored.node == (0, 0, 0) and leaf.score == scored.reward and not run.tree.nodes[(0,)].scored


def test_a_judge_may_look_ahead_too():
    read = []

    def script(text, rng):
        read.append(text.removeprefix(PROBLEM.text))
        return numbered(text, rng)

    def looks(root: Node) -> Search:
        nodes = yield Expand([root], 1)
        yield Score(nodes, votes=2, lookahead=1)

    [records] = drive(search(looks, alphabet, judge(script)))
    assert read == ["a\n\nb\n\n?"] * 2 and len(only(records, NodeScored)[0].verdicts) == 2


@pytest.mark.parametrize("how", ["cancel", "tokens"])
def test_a_search_stopped_among_its_verdicts_counts_what_was_written_and_keeps_its_answer(how):
    verifier = judge(numbered)
    budget = {"tokens": 30} if how == "tokens" else {}
    run, records = cut(
        voting(4), ANSWER, verifier, when=lambda run: verifier.writer.sampled >= 12, cancel=how == "cancel", **budget
    )
    assert run.tree.status == {"cancel": "cancelled", "tokens": "budget"}[how]
    assert run.cost.verifier.sampled_tokens == verifier.writer.sampled > 0
    assert run.cost.policy.sampled_tokens == run.policy.sampled
    assert not only(records, NodeScored) and run.tree.selected is not None, "an answer without a score is better than none"
    assert verifier.work == {} and verifier.writer.rows == {}


# Scores without a model.


def grown(*nodes):
    """A tree of these nodes, by hand."""
    return SearchTree.of([SearchStarted("p", "s"), *(NodeAdded(**node) for node in nodes)])


def a_node(*id, tokens=2, logprob=-1.0, certainty=None, answer=None):
    facts = {"text": "go\n\n", "stop": "eos" if answer else "step", "terminal": bool(answer)}
    return {"node": id, "tokens": tokens, "logprob": logprob, "certainty": certainty, "answer": answer, **facts}


def test_likelihood_is_the_geometric_mean_of_the_paths_token_probabilities():
    tree = grown(a_node(0, tokens=3, logprob=-1.5), a_node(0, 0, tokens=1, logprob=-2.5), a_node(1, tokens=2, logprob=0.0))
    assert likelihood(tree, (0,)) == pytest.approx(math.exp(-0.5))
    assert likelihood(tree, (0, 0)) == pytest.approx(math.exp(-1.0))
    assert likelihood(tree, (0, 0), [(4, -4.0, None)]) == pytest.approx(math.exp(-1.0))
    assert likelihood(tree, (0, 0), [(4, 0.0, None)]) == pytest.approx(math.exp(-0.5))
    assert likelihood(tree, (1,)) == 1.0
    assert likelihood(grown(a_node(0, tokens=0)), (0,)) is None
    assert likelihood(grown(a_node(0, logprob=1e-9)), (0,)) == 1.0, "rounding never takes it out of range"
    assert likelihood(grown(a_node(0, logprob=-1e6)), (0,)) == 0.0


def test_self_certainty_rises_with_the_mean_divergence_from_uniform():
    tree = grown(
        a_node(0, tokens=2, certainty=4.0), a_node(0, 0, tokens=2, certainty=8.0), a_node(1), a_node(1, 0, certainty=1.0)
    )
    assert self_certainty(tree, (0,)) == pytest.approx(2 / 12)
    assert self_certainty(tree, (0, 0)) == pytest.approx(3 / 13)
    assert self_certainty(tree, (0,), [(2, -1.0, 8.0)]) == pytest.approx(3 / 13)
    assert self_certainty(tree, (1,)) is None and self_certainty(tree, (1, 0)) is None, "the policy doesn't say"
    assert self_certainty(tree, (0,), [(2, -1.0, None)]) is None
    assert self_certainty(grown(a_node(0, tokens=0, certainty=0.0)), (0,)) is None
    assert self_certainty(grown(a_node(0, certainty=-1e-7)), (0,)) == 0.0


def test_agreement_is_the_share_of_equal_answers():
    tree = grown(a_node(0, answer="8"), a_node(1, answer="7"), a_node(2, answer="8"), a_node(3), a_node(4, answer="8"))
    assert [agreement(tree, (i,)) for i in range(5)] == [0.75, 0.25, 0.75, None, 0.75]


NUMBERS = st.tuples(st.integers(0, 9), st.floats(-1e6, 1e-6), st.none() | st.floats(-1e-6, 1e6))


@given(st.lists(NUMBERS, min_size=1, max_size=5), st.lists(NUMBERS, max_size=3), st.sampled_from(sorted(OUTCOMES)))
def test_no_formula_leaves_its_range(path, ahead, name):
    nodes = [a_node(*[0] * (i + 1), tokens=t, logprob=lp, certainty=c) for i, (t, lp, c) in enumerate(path)]
    reward = OUTCOMES[name](grown(*nodes), (0,) * len(path), ahead)
    assert reward is None or 0.0 <= reward <= 1.0


def test_a_formula_rewards_every_step_at_no_cost():
    run = search("best_of_n", "lines", Outcome("logprob"), settings={"n": 2})
    [records] = drive(run)
    scored = only(records, NodeScored)
    assert sorted(event.node for event in scored) == sorted(id for id in run.tree.nodes if id)
    assert all(event.reward == math.exp(-1) for event in scored), "a scripted token has a log-probability of −1"
    assert [cost.role for cost in only(records, CostIncurred)] == ["policy"]
    assert run.tree.started.verifier == "logprob" and run.tree.started.versions["logprob"] == "formula"
    assert [note.message for note in only(records, Noted)] == [Outcome("logprob").note]


def test_agreement_rewards_finished_answers_alone_and_chooses_as_the_majority_does():
    policy = policy_of(chosen(("go\n\n\\boxed{8}", "eos"), ("\\boxed{7}", "eos"), ("\\boxed{8}", "eos"), ("none", "eos")))
    run = search("best_of_n", policy, Outcome("agreement"), settings={"n": 12})
    [records] = drive(run)
    given = {event.node: event.reward for event in only(records, NodeScored)}
    assert set(given) == set(run.tree.grown[()])
    finished = run.tree.finished()
    for node in run.tree.children(()):
        share = sum(other.answer == node.answer for other in finished) / len(finished)
        assert given[node.id] == (share if node.answer else None)
    assert None in given.values() and not [note for note in only(records, Noted) if note.level == "warning"]
    [majority] = drive(search("self_consistency", policy, settings={"n": 12}))
    assert run.tree.selected.answer == SearchTree.of(events(majority)).selected.answer


def test_a_formula_reads_what_was_written_ahead():
    """Steps of equal likelihood, one with a likelier future."""

    def script(text, rng):
        return f"{LETTERS[rng.randrange(2)] if not written(text) else 'go'}\n\n", "step"

    policy = policy_of(script)
    tick = policy.tick
    policy.tick = lambda: [(key, replace(s, logprob=-9.0 if key[1] == "look" and key[2] == first else -3.0)) for key, s in tick()]
    first = (0,)
    run = search(looking(1, nodes=6), policy, Outcome("logprob"), seed=1)
    drive(run)
    rewards = {node.text: node.reward for node in run.tree.children(()) if node.pruned is None}
    assert sorted(rewards.values()) == [pytest.approx(math.exp(-12 / 7)), pytest.approx(math.exp(-6 / 7))]
    assert run.tree.nodes[first].reward == pytest.approx(math.exp(-12 / 7))


@pytest.mark.parametrize("name", sorted(OUTCOMES))
@pytest.mark.parametrize("policy", ["fair", "empty steps", "ends at once", "one character, cut"])
def test_formulas_never_write_a_number_out_of_range(name, policy):
    [records] = drive(search("best_of_n", policy, Outcome(name)))
    assert all(event.reward is None or 0 <= event.reward <= 1 for event in only(records, NodeScored))
    assert only(records, NodeScored)
