"""The training code at its smallest size: it learns, it resumes, its labels and figures are what they say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from loaded import policy_in, prm_in
from transformers import AutoTokenizer, LlamaForCausalLM
from typer.testing import CliRunner

from tts_explorer.cli import app
from tts_explorer.models.scripted import ScriptedPolicy
from tts_explorer.tasks import task_named, task_names
from tts_explorer.tasks.base import split_of
from tts_explorer.train import data, rollouts
from tts_explorer.train.data import batches, by_length, draw, encode
from tts_explorer.train.fit import Course, keep_record, record_in
from tts_explorer.train.muon import orthogonal
from tts_explorer.train.policy import RECIPES, shape_of, train_policy, validation_loss
from tts_explorer.train.prm import auc, checked, cut, encoded, train_prm
from tts_explorer.train.rollouts import labelled, read_rollouts, sampled, steps_of
from tts_explorer.train.tokenizer import PAD, SPECIALS

SIZES = {"nano": 0.24, "small": 1.18, "medium": 4.48, "large": 17.41}
"""In millions of parameters."""


@pytest.fixture(scope="module", autouse=True)
def small_pools() -> Iterator[None]:
    """Fewer examples are drawn at a time: the smallest model needs few."""
    patch = pytest.MonkeyPatch()
    patch.setattr(data, "POOL", 800)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the smallest policy, trained for a few steps."""
    work = tmp_path_factory.mktemp("work")
    torch.set_num_threads(2)
    train_policy("smoke", work, compiled=False)
    return work


def test_the_tokenizer_is_the_one_that_was_shipped(work: Path) -> None:
    made = AutoTokenizer.from_pretrained(work / "smoke")
    shipped = Path(__file__).parents[2] / "assets" / "models" / "small" / "tokenizer.json"
    assert shipped.read_text() == (work / "smoke" / "tokenizer.json").read_text()
    assert made.convert_ids_to_tokens(range(len(SPECIALS))) == SPECIALS and SPECIALS[0] == PAD


@pytest.mark.parametrize("text", ["25 - 12 = 13, left: 3 7 13\n\n", "Zoë 😀 \x07", "1000", " a  b\n", "\\boxed{(1 + 2) * 3}"])
def test_any_text_comes_back_and_digits_stand_one_by_one(work: Path, text: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(work / "smoke")
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text
    assert all(sum(c.isdigit() for c in tokenizer.decode([id])) <= 1 for id in ids)
    assert text != "25 - 12 = 13, left: 3 7 13\n\n" or tokenizer.decode(ids[-1:]) == "\n\n"


def test_the_loss_falls(work: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(work / "smoke")
    model = LlamaForCausalLM.from_pretrained(work / "smoke")
    torch.manual_seed(0)
    fresh = LlamaForCausalLM(model.config)
    assert validation_loss(model, tokenizer, 1) < 0.6 * validation_loss(fresh, tokenizer, 1)


def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three pools in one go, and one pool, a stop, and the others."""
    monkeypatch.setattr(data, "POOL", 200)
    straight = train_policy("smoke", tmp_path / "a", steps=25, compiled=False)
    parts = tmp_path / "b"
    with pytest.raises(KeyboardInterrupt):
        train_policy("smoke", parts, steps=25, compiled=False, after_pool=lambda pool: stop_after(pool, 0))
    resumed = train_policy("smoke", parts, steps=25, compiled=False)
    a, b = (LlamaForCausalLM.from_pretrained(folder).state_dict() for folder in (straight, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_training_can_begin_from_weights_that_are_there(work: Path, tmp_path: Path) -> None:
    before = LlamaForCausalLM.from_pretrained(work / "smoke").state_dict()
    moved = train_policy("smoke", tmp_path, steps=1, lr=1e-7, start=work / "smoke", compiled=False)
    after = LlamaForCausalLM.from_pretrained(moved).state_dict()
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before)
    first, second = record_in(work / "smoke"), record_in(moved)
    assert (first["steps"], first["tokens"], first["tasks"]) == (60, 60 * 2048, task_names())
    assert (second["steps"], second["tokens"], second["last"], second["start"]) == (61, 61 * 2048, 1, "smoke")
    assert second["loss"] < first["loss"] and second["seconds"] >= 0, "the mean over all of a short run"


def test_a_record_adds_up_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    keep_record(tmp_path / "new", 5, 50, tmp_path / "old", rollouts=8)
    assert record_in(tmp_path / "new") == {"steps": 5, "tokens": 50, "last": 5, "start": "old", "rollouts": 8}
    keep_record(tmp_path / "old", 2, 20, tmp_path / "new")
    assert record_in(tmp_path / "old") == {"steps": 7, "tokens": 70, "last": 2, "start": "new"}


def test_batches_are_alike_in_length_and_shuffled_by_the_seed_alone() -> None:
    rng = random.Random(0)
    examples = [([i] * rng.randint(1, 9), [0], [0.0]) for i in range(100)]
    made = cut(examples, 30, random.Random(1))
    assert made == cut(examples, 30, random.Random(1)) != cut(examples, 30, random.Random(2))
    assert sorted(example for batch in made for example in batch) == sorted(examples)
    assert all(len(batch) * max(len(ids) for ids, *_ in batch) <= 30 for batch in made)
    assert sorted(map(len, made)) == sorted(map(len, by_length(examples, 30)))


def test_every_problem_is_sampled_as_often_as_asked() -> None:
    policy = ScriptedPolicy(lambda text, rng: (text[4:6] + "x" * rng.randint(1, 9), "eos"))
    drawn = [draw(random.Random(i)) for i in range(3)]
    texts = sampled(policy, drawn, per_problem=4, seed=0)
    assert [[text[:2] for text in found] for found in texts] == [[problem.text[4:6]] * 4 for problem in drawn]
    assert all(sorted(found, key=len) == found for found in texts), "in the order in which they finish"


def stop_after(pool: int, last: int) -> None:
    if pool == last:
        raise KeyboardInterrupt


def test_training_problems_are_of_the_train_split_and_solutions_right(work: Path) -> None:
    rng = random.Random(0)
    for _ in range(50):
        problem = draw(rng)
        assert split_of(problem.task, problem.key) == "train"
        assert task_named(problem.task).grade(problem, "".join(task_named(problem.task).solve(problem, rng)))


def test_a_batch_learns_from_the_solution_alone(work: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(work / "smoke")
    _, pool = next(batches(tokenizer, tokens=2048, seed=0))
    inputs, targets = pool[0]
    row, solve = inputs[0].tolist(), tokenizer.convert_tokens_to_ids("<|solve|>")
    begin = row.index(solve)
    learnt = [t for t in targets[0].tolist() if t != -100]
    assert targets[0, :begin].eq(-100).all() and learnt[-1] == tokenizer.eos_token_id
    assert row[begin + 1 : begin + len(learnt)] == learnt[:-1]
    problem = draw(random.Random(1))
    ids, prompt = encode(tokenizer, problem, ["a\n\n", "b"])
    policy = policy_in(work / "smoke")
    assert policy.problem(problem.text) == tuple(ids[:prompt])


def test_values_are_shares_of_right_answers_through_a_step() -> None:
    task = task_named("countdown")
    problem = task.parse("Use 2, 3 and 4 to make 24.")
    right = "2 * 3 = 6, left: 4 6\n\n6 * 4 = 24, left: 24\n\n\\boxed{2 * 3 * 4}"
    wrong = "2 * 3 = 6, left: 4 6\n\n6 + 4 = 10, left: 10\n\n\\boxed{2 * 3 + 4}"
    first, second = labelled(problem, [right, wrong, right])
    assert first.values == [2 / 3, 1.0, 1.0] and first.exact == [True, True, True]
    assert second.values == [2 / 3, 0.0, 0.0] and second.exact == [True, False, False]
    assert steps_of("a\n\nb\n\n") == ["a\n\n", "b\n\n"]


def test_auc_counts_pairs() -> None:
    assert auc([0.1, 0.9], [True, True]) is None
    rng = random.Random(0)
    scores = [rng.randrange(5) / 4 for _ in range(60)]
    labels = [rng.random() < 0.3 + 0.4 * score for score in scores]
    labelled_scores = list(zip(scores, labels, strict=True))
    pairs = [(a, b) for a, x in labelled_scores for b, y in labelled_scores if x and not y]
    assert auc(scores, labels) == pytest.approx(sum((a > b) + 0.5 * (a == b) for a, b in pairs) / len(pairs))


def test_the_rate_warms_up_stays_and_falls() -> None:
    rates = [Course(steps=100, lr=1.0, warmup=10, decay=0.4).rate(step) for step in range(100)]
    assert rates[0] == 0.1 and rates[9:60] == [1.0] * 51 and 0 < rates[99] < 0.03


def test_orthogonal_makes_singular_values_alike() -> None:
    torch.manual_seed(0)
    for shape in ((3, 16, 8), (2, 8, 16)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert 0.6 < values.min() and values.max() < 1.3


def test_a_process_reward_model_is_trained_from_rollouts(work: Path, tmp_path: Path) -> None:
    path = tmp_path / "smoke" / "train-0-0000.json.z"
    path.parent.mkdir()
    rollouts.write_shard(work / "smoke", path, "train", problems=4)
    found = read_rollouts(path)
    assert found and all(len(r.steps) == len(r.values) for r in found)
    folder = train_prm("tiny", tmp_path, base=work / "smoke", rollouts=[path], epochs=1, compiled=False)
    assert record_in(folder)["of"] == ["smoke"]
    prm = prm_in(folder)
    ids, ends, _ = next(encoded(prm.tokenizer, found))
    prompt, steps = prm.problem(found[0].problem), [prm.step(step) for step in found[0].steps]
    assert list(prompt) + [id for step in steps for id in step] == ids and ends[-1] == len(ids) - 1
    prm.submit(("k",), prompt, steps)
    done = [found for _ in range(len(steps) + 1) for found in prm.tick()]
    [(key, judged)] = done
    assert key == ("k",) and len(judged.rewards) == len(steps) and all(0 <= r <= 1 for r in judged.rewards)


def test_rollouts_keep_to_the_families_asked_for(work: Path, tmp_path: Path) -> None:
    path = tmp_path / "train-0-0000.json.z"
    rollouts.write_shard(work / "smoke", path, "train", ("maze",), problems=4)
    assert {rollout.task for rollout in read_rollouts(path)} == {"maze"}


def test_every_rung_is_about_four_times_the_one_below_it() -> None:
    tokenizer = AutoTokenizer.from_pretrained(Path(__file__).parents[2] / "assets" / "models" / "small")
    sizes = {}
    for name in ("nano", "small", "medium", "large"):
        with torch.device("meta"):
            model = LlamaForCausalLM(shape_of(RECIPES[name], tokenizer))
        sizes[name] = sum(p.numel() for p in model.parameters())
    assert {name: round(size / 1e6, 2) for name, size in sizes.items()} == SIZES
    assert sizes["medium"] / sizes["nano"] > 15


def test_the_mix_holds_every_family_and_level() -> None:
    rng = random.Random(0)
    drawn = {problem.task for problem in (draw(rng) for _ in range(200))}
    assert drawn == set(task_names()) == {task for task, _ in data.MIX}
    assert {draw(rng, mix=data.mixed(("maze",))).task for _ in range(5)} == {"maze"}
    assert sum(data.MIX.values()) == pytest.approx(sum(data.TASKS.values()) * sum(data.LEVELS.values()))


def test_the_programs_word_can_be_the_label() -> None:
    problem = task_named("countdown").parse("Use 2, 3 and 4 to make 24.")
    right = "2 * 3 = 6, left: 4 6\n\n6 * 4 = 24, left: 24\n\n\\boxed{2 * 3 * 4}"
    wrong = "2 * 3 = 6, left: 4 6\n\n6 + 4 = 10, left: 10\n\n\\boxed{2 * 3 + 4}"
    told = [checked(rollout) for rollout in labelled(problem, [right, wrong, wrong, wrong], exact=False)]
    assert [rollout.values for rollout in told] == [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]


def test_labels_that_are_neither_are_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "prm", "prm", "--labels", "guess", "--work", str(tmp_path)])
    assert result.exit_code == 1 and "labels is 'guess': choose rollouts or program" in " ".join(result.output.split())
