"""Judges: what the model reads, p(yes) where the verdict stands, each solution read once, and forgetting."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import torch
from loaded import policy_in
from models.conftest import byte_tokenizer, tiny_config
from transformers import AutoTokenizer, LlamaForCausalLM
from worlds import PROBLEM, drive, only, search

from tts_explorer.errors import UnknownName
from tts_explorer.events import CostIncurred, NodeScored, Noted, Verdict
from tts_explorer.models import load_verifier
from tts_explorer.models.base import NOTHING, Judgement, Sample, Spend, sample_key
from tts_explorer.models.judge import LONGEST, Judge, verdict_of
from tts_explorer.models.scripted import ScriptedPolicy
from tts_explorer.tasks import task_named
from tts_explorer.train.rollouts import Rollout
from tts_explorer.train.skills import verification

ASSETS = Path(__file__).parents[2] / "assets" / "models" / "small"
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{{ eos_token }}{% endfor %}<assistant>"


def saved(folder, tokenizer, **options):
    """A random model for `tokenizer`, in `folder`."""
    torch.manual_seed(7)
    special = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    shape = {"vocab_size": len(tokenizer), "initializer_range": 0.3, "max_position_embeddings": 700}
    LlamaForCausalLM(tiny_config(**{**shape, **special, **options})).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def taught_tokenizer():
    return AutoTokenizer.from_pretrained(ASSETS, local_files_only=True)


def chatty_tokenizer():
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def plain_tokenizer():
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = None
    return tokenizer


TOKENIZERS = {"taught": taught_tokenizer, "chat": chatty_tokenizer, "plain": plain_tokenizer}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("judges")
    return {kind: saved(home / kind, tokenizer()) for kind, tokenizer in TOKENIZERS.items()}


@pytest.fixture(scope="module", params=TOKENIZERS)
def kind(request):
    return request.param


@pytest.fixture
def policy(folders, kind):
    """In double precision, so that sums in another order are equal."""
    return policy_in(folders[kind], kind, rows=16, dtype=torch.float64)


STEPS = ("5 + 3 = 8\n\n", "\\boxed{8}")


def judged(judge, *asked, votes=3, temperature=1.0, steps=STEPS):
    """Judgements by key, in the end."""
    prompt = judge.problem(PROBLEM.text)
    for key in asked:
        rngs = [sample_key(0, key, f":verdict {vote}") for vote in range(votes)]
        judge.submit(key, prompt, [judge.step(step) for step in steps], rngs=rngs, temperature=temperature)
    done = {}
    while len(done) < len(asked):
        done |= dict(judge.tick())
    assert judge.progress() == {} == judge.work and judge.done == []
    return done


def louder(policy, logits):
    """About one token in seven a yes or a no, by turns, and no other end."""
    logits = 0.2 * logits
    logits[..., policy.tokenizer.eos_token_id] = -50.0
    logits[..., sorted(frozenset.union(*policy.odds()))] += math.log(0.09 * logits.shape[-1])
    return logits


def favouring(policy):
    head = policy.head
    policy.head = lambda hidden: louder(policy, head(hidden))
    return policy


def test_p_yes_is_the_softmax_of_yes_against_no_where_the_verdict_stands(policy):
    """At the last yes or no that was written, by the plain model."""
    yes, no = map(sorted, policy.odds())
    path = policy.problem(PROBLEM.text), policy.step("so")
    prompt, done, places = [*path[0], *path[1]], {}, []
    favouring(policy)
    for i in range(24):
        options = {"rng": sample_key(0, (i,)), "temperature": 0.9, "max_tokens": 4, "to_end": True, "odds": policy.odds()}
        policy.submit(("a", i), path, **options)
    while len(done) < 24:
        done |= dict(policy.tick())
    policy.drop([("a",)])
    for sample in done.values():
        with torch.no_grad():
            logits = policy.model(torch.tensor([[*prompt, *sample.ids]])).logits[0, len(prompt) - 1 : -1]
        met = [at for at, token in enumerate(sample.ids) if token in (*yes, *no)]
        places.append(met)
        if met:
            chances = torch.softmax(louder(policy, logits)[met[-1], [*yes, *no]], -1)
            assert sample.p_yes == pytest.approx(chances[: len(yes)].sum().item(), abs=1e-5)
        else:
            assert sample.p_yes is None
    assert {0, 1, 2} <= set(map(len, places))


def test_a_sample_without_odds_says_nothing_of_yes(policy):
    policy.submit(("a", 0), [policy.problem("go")], rng=1, temperature=1.0, max_tokens=60, to_end=True)
    done = []
    while not done:
        done = policy.tick()
    assert done[0][1].p_yes is None
    policy.drop([("a",)])


@pytest.fixture
def judge(policy):
    """One that always comes to yes or no, and ends there."""
    policy.eos = frozenset.union(*policy.odds())
    return Judge(favouring(policy))


def test_a_judgement_is_the_mean_of_its_verdicts_and_of_the_last_step(judge):
    [found] = judged(judge, ("a", "judge", (0,)), votes=8).values()
    assert found.rewards[0] is None and len(found.rewards) == 2
    assert len(found.verdicts) == 8
    assert found.rewards[1] == pytest.approx(sum(verdict.p_yes for verdict in found.verdicts) / 8)
    assert all(0 <= verdict.p_yes <= 1 and verdict.tokens >= 1 for verdict in found.verdicts)
    assert len({verdict.p_yes for verdict in found.verdicts}) > 1
    judge.drop([("a",)])


def test_the_judge_reads_the_problem_the_steps_and_the_request_for_a_check(judge, kind):
    seen = []
    submit = judge.writer.submit
    judge.writer.submit = lambda key, prompt, **options: (seen.append((key, prompt, options)), submit(key, prompt, **options))
    judged(judge, ("a", "judge", (0,)), votes=2)
    judge.drop([("a",)])
    before, after = judge.wording(PROBLEM.text)
    assert [key for key, *_ in seen] == [("a", "judge", (0,), 0), ("a", "judge", (0,), 1)]
    for _, prompt, options in seen:
        assert prompt == (before, *(judge.step(step) for step in STEPS), after)
        assert options["odds"] == judge.writer.odds() and options["to_end"] and options["max_tokens"] == LONGEST
    assert len({options["rng"] for *_, options in seen}) == 2


def test_a_taught_judge_reads_what_the_training_texts_have_up_to_the_check(folders):
    judge = Judge(policy_in(folders["taught"], "taught"))
    tokenizer = taught_tokenizer()
    for name, index in (("arithmetic", 3), ("countdown", 5)):
        task = task_named(name)
        problem = task.parse(task.draw_problem(random.Random(index), 3).text)
        steps = task.solve(problem, random.Random(0))
        ids, learnt = verification(tokenizer, Rollout(name, problem.text, steps, [1.0] * len(steps), []))
        head = judge.problem(problem.text)
        prompt = (head, *(judge.step(step) for step in steps), judge.tail)
        assert [token for segment in prompt for token in segment] == ids[:learnt]
        yes, no = judge.odds
        assert [token for token in ids[learnt:] if token in yes | no] == [*yes]


def test_a_solution_is_read_once_for_all_its_verdicts(judge):
    prompt = judge.problem(PROBLEM.text)
    length = sum(map(len, (prompt, *map(judge.step, STEPS), judge.tail)))
    [found] = judged(judge, ("a", "judge", (0,)), votes=8).values()
    written = sum(verdict.tokens for verdict in found.verdicts)
    assert found.spend.sampled_tokens == written and found.spend.prompt_tokens == 8 * length
    assert found.spend.forwarded_tokens == length + written - 8, "no verdict's last token is computed"
    assert found.spend.flops > 0
    again = judged(judge, ("a", "judge", (0,)), votes=8)["a", "judge", (0,)]
    assert again.spend.forwarded_tokens == written - 8 and again.verdicts == found.verdicts
    other = judged(judge, ("a", "judge", (1,)), votes=1, steps=(STEPS[0], "\\boxed{9}"))["a", "judge", (1,)]
    last = sum(map(len, (judge.step("\\boxed{9}"), judge.tail)))
    assert other.spend.forwarded_tokens == last + other.verdicts[0].tokens - 1, "what solutions share is read once too"
    judge.drop([("a",)])
    assert judge.writer.trie.bytes == 0 and not judge.writer.trie.roots


def test_verdicts_on_one_solution_depend_on_no_other(judge):
    keys = [("a", "judge", (i,)) for i in range(5)]
    together = judged(judge, *keys)
    for key in keys:
        alone = judged(judge, key)[key]
        assert [verdict.text for verdict in alone.verdicts] == [verdict.text for verdict in together[key].verdicts]
        assert alone.rewards[1] == pytest.approx(together[key].rewards[1], abs=1e-4)
    assert len({found.verdicts for found in together.values()}) == 5
    judge.drop([("a",)])


def test_at_temperature_zero_all_verdicts_are_one(judge):
    [found] = judged(judge, ("a", "judge", (0,)), votes=3, temperature=0.0).values()
    assert len(found.verdicts) == 3 and len(set(found.verdicts)) == 1
    judge.drop([("a",)])


def test_a_verdict_is_the_text_word_for_word_without_its_special_tokens(judge):
    [found] = judged(judge, ("a", "judge", (0,)), votes=8).values()
    assert all("<|" not in verdict.text for verdict in found.verdicts)
    judge.drop([("a",)])


def test_what_is_dropped_was_spent_and_is_forgotten(judge):
    keys = [("a", "judge", (0,)), ("a", "judge", (1,)), ("b", "judge", (0,))]
    expected = judged(judge, *keys)
    judge.drop([("a",), ("b",)])
    prompt = judge.problem(PROBLEM.text)
    for key in keys:
        rngs = [sample_key(0, key, f":verdict {vote}") for vote in range(3)]
        judge.submit(key, prompt, [judge.step(step) for step in STEPS], rngs=rngs, temperature=1.0)
    done = {}
    for _ in range(2):
        done |= dict(judge.tick())
    under_way = judge.progress()
    assert set(under_way) == set(keys) - set(done) and keys[0] in under_way
    spent = judge.drop([keys[0], ("c", "judge", (9,))])
    assert set(spent) == {keys[0]} and spent[keys[0]] == under_way[keys[0]]
    assert keys[0] not in judge.progress() and keys[0] not in judge.work
    while len(done) < 2:
        done |= dict(judge.tick())
    for key in keys[1:]:
        assert [verdict.text for verdict in done[key].verdicts] == [verdict.text for verdict in expected[key].verdicts]
    judge.drop([("a",), ("b",)])
    assert judge.writer.trie.bytes == 0 and judge.writer.progress() == {} and not judge.writer.waiting


def test_dropping_a_search_drops_all_of_its_work(judge):
    prompt = judge.problem(PROBLEM.text)
    for key in (("a", "judge", (0,)), ("a", "judge", (1,)), ("b", "judge", (0,))):
        judge.submit(key, prompt, [judge.step(step) for step in STEPS], rngs=[1, 2], temperature=1.0)
    judge.tick()
    judge.tick()
    under_way = {key: spend for key, spend in judge.progress().items() if key[0] == "a"}
    spent = judge.drop([("a",)])
    assert {key for key, spend in under_way.items() if spend.sampled_tokens} <= set(spent) <= set(under_way) and spent
    assert all(spend == under_way[key] for key, spend in spent.items())
    assert {key[0] for key in judge.work} <= {"b"} and {row.key[0] for row in judge.writer.running} <= {"b"}
    judge.drop([("b",)])


def test_a_solution_that_fills_the_context_has_no_verdict_and_costs_nothing(judge):
    steps = ("x" * 2000, "\\boxed{8}")
    found = judged(judge, ("a", "judge", (0,)), steps=steps)["a", "judge", (0,)]
    assert found == Judgement((None, None), Spend(), ())
    assert judge.drop([("a",)]) == {}


def test_a_check_that_is_cut_at_the_contexts_end_counts_as_far_as_it_came(folders):
    """It has room for one token more than the solution: a verdict if that says yes or no."""
    policy = policy_in(folders["chat"], "chat")
    judge, head, yes = Judge(policy), policy.head, sorted(policy.odds()[0])
    policy.head = lambda hidden: head(hidden).index_fill(1, torch.tensor(yes), 50.0)
    prompt = judge.problem(PROBLEM.text)
    path = sum(map(len, (prompt, *map(judge.step, STEPS), judge.tail)))
    judge.context = policy.context = path + 1
    [found] = judged(judge, ("a", "judge", (0,)), votes=2).values()
    assert [verdict.tokens for verdict in found.verdicts] == [1, 1] and found.rewards[1] > 0.99
    judge.drop([("a",)])


# On scripted writers.


def scripted(text="fine 0.25", **options):
    return Judge(ScriptedPolicy(lambda prompt, rng: (text, "eos"), name="m", **options))


def test_a_judge_is_named_after_its_model_and_writes():
    judge = scripted()
    assert judge.name == "judge:m" and judge.writes and judge.note is None and judge.versions == {"m": "scripted"}


def test_a_scripted_verdict_is_its_last_word():
    found = judged(scripted(), ("a", "judge", (0,)), votes=2)["a", "judge", (0,)]
    assert found.rewards == (None, 0.25) and found.verdicts == (Verdict("fine 0.25", 0.25, 9),) * 2


def test_progress_counts_finished_verdicts_of_work_under_way():
    lengths = iter((3, 7))
    judge = Judge(ScriptedPolicy(lambda prompt, rng: ("x" * next(lengths) + " 1", "eos")))
    judge.submit(("a",), judge.problem("p"), [judge.step("s")], rngs=[1, 2], temperature=1.0)
    seen = []
    while judge.work:
        judge.tick()
        seen.append(judge.progress().get(("a",), NOTHING).sampled_tokens)
    assert seen == [2, 4, 6, 8, 10, 11, 12, 13, 0]


def test_dropped_between_two_verdicts_both_count():
    lengths = iter((1, 9))
    judge = Judge(ScriptedPolicy(lambda prompt, rng: ("x" * next(lengths) + " 1", "eos")))
    judge.submit(("a",), judge.problem("p"), [judge.step("s")], rngs=[1, 2], temperature=1.0)
    for _ in range(5):
        assert judge.tick() == []
    assert judge.drop([("a",)])[("a",)].sampled_tokens == 3 + 5 and judge.work == {}
    assert judge.tick() == []


@pytest.mark.parametrize(
    ("p_yes", "expected"),
    [(None, None), (-0.01, None), (1.01, None), (float("nan"), None), (0.0, 0.0), (1.0, 1.0), (1 / 3, 0.3333)],
)
def test_a_verdict_needs_a_probability(p_yes, expected):
    verdict = verdict_of(Sample((1, 2), "so \ud800\n", -1.0, "eos", True, p_yes=p_yes))
    assert verdict == (None if expected is None else Verdict("so \ufffd\n", expected, 2))


def test_a_whole_search_on_a_real_judge(folders, policy_folder):
    """Solutions by one tiny model, verdicts by another: recorded, paid for, and nothing left in either."""
    writer, checker = policy_in(policy_folder), policy_in(folders["taught"], "taught")
    checker.eos = frozenset.union(*checker.odds())
    judge = Judge(favouring(checker))
    run = search("solve_and_verify", writer, judge, settings={"n": 4, "votes": 3}, max_step_tokens=12)
    [records] = drive(run)
    scored = only(records, NodeScored)
    assert run.tree.status == "done" and len(scored) == 4
    verdicts = [verdict for event in scored for verdict in event.verdicts]
    assert len(verdicts) == 12 and not any("no reward" in note.message for note in only(records, Noted))
    [cost] = [cost for cost in only(records, CostIncurred) if cost.role == "verifier"]
    assert cost.sampled_tokens == sum(verdict.tokens for verdict in verdicts)
    assert judge.work == {} and checker.trie.bytes == 0 and writer.trie.bytes == 0


def test_a_judge_is_loaded_by_its_models_name(folders):
    judge = load_verifier(f"judge:{folders['taught']}")
    assert judge.name == f"judge:{folders['taught']}" and judge.writes and judge.versions == judge.writer.versions


def test_a_judge_of_a_model_that_is_not_there_is_refused():
    with pytest.raises(UnknownName, match="no bundled model 'nothing'"):
        load_verifier("judge:bundled:nothing")
    with pytest.raises(UnknownName, match="no model 'nowhere'"):
        load_verifier("judge:nowhere")
