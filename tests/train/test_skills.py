"""Training texts of the two skills: balanced, true, and in the words that a search asks for them with."""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter
from itertools import islice
from pathlib import Path

import orjson
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, LlamaForCausalLM
from typer.testing import CliRunner

from tts_explorer.cli import app
from tts_explorer.errors import BadSetting
from tts_explorer.tasks import task_named
from tts_explorer.train import data
from tts_explorer.train.data import batches
from tts_explorer.train.policy import train_policy, validation_loss
from tts_explorer.train.rollouts import Rollout, labelled, steps_of
from tts_explorer.train.skills import VERIFY, attempts_in, feedback, is_right, revision, skill_texts, verification

NAMES = ("countdown", "arithmetic")


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(Path(__file__).parents[2] / "assets" / "models" / "small", local_files_only=True)


def corrupted(text: str, rng: random.Random, begin: int = 0) -> str:
    """`text` with one digit from `begin` on changed."""
    places = [match.start() for match in re.finditer(r"\d", text) if match.start() >= begin]
    at = rng.choice(places)
    return text[:at] + rng.choice([digit for digit in "0123456789" if digit != text[at]]) + text[at + 1 :]


def problem_of(name: str, seed: int, level: int = 3):
    task = task_named(name)
    return task.parse(task.draw_problem(random.Random(seed), level).text)


def attempts(name: str, seed: int, *, wrong: int = 3, right: int = 1) -> list[Rollout]:
    """Distinct solutions of one problem, some with another answer."""
    rng, problem = random.Random(seed), problem_of(name, seed)
    whole = "".join(task_named(name).solve(problem, rng))
    return labelled(problem, [whole] * right + [corrupted(whole, rng, whole.index("boxed")) for _ in range(wrong)], exact=False)


def shard(folder: Path, groups: list[list[Rollout]], name: str = "train-0-0000.json.z") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(zlib.compress(orjson.dumps([rollout for group in groups for rollout in group])))
    return folder / name


@pytest.fixture(scope="module")
def lopsided(tmp_path_factory) -> Path:
    """A shard in which countdown is mostly wrong, and arithmetic mostly right."""
    groups = [attempts("countdown", seed, wrong=7) for seed in range(12)]
    groups += [attempts("arithmetic", seed, wrong=seed < 3) for seed in range(30)]
    return shard(tmp_path_factory.mktemp("rollouts"), groups)


def texts(tokenizer, path: Path, count: int, seed: int = 0) -> list[tuple[list[str], list[str]]]:
    """Tokens that are read, and tokens that are learnt."""
    found = islice(skill_texts(tokenizer, attempts_in([path]), random.Random(seed)), count)
    named = tokenizer.convert_ids_to_tokens
    return [(named(ids[:learnt]), named(ids[learnt:])) for ids, learnt in found]


def task_in(read: list[str]) -> str:
    return "arithmetic" if "How" in "".join(read).replace("Ġ", " ") else "countdown"


def test_verdicts_are_balanced_within_each_task_and_skills_and_tasks_have_their_shares(tokenizer, lopsided) -> None:
    said, skills = Counter(), Counter()
    for read, learnt in texts(tokenizer, lopsided, 1500):
        skills[read[-1]] += 1
        said[task_in(read), learnt[-2]] += read[-1] == "<|verify|>"
    assert set(skills) == {"<|verify|>", "<|revise|>"} and skills["<|verify|>"] / 1500 == pytest.approx(VERIFY, abs=0.05)
    for name in NAMES:
        yes, no = said[name, "<|yes|>"], said[name, "<|no|>"]
        assert yes / (yes + no) == pytest.approx(0.5, abs=0.06)
    countdown = sum(count for (name, _), count in said.items() if name == "countdown") / skills["<|verify|>"]
    assert countdown == pytest.approx(1 / len(NAMES), abs=0.05)


def test_only_what_follows_the_skills_token_is_learnt(tokenizer, lopsided) -> None:
    for read, learnt in texts(tokenizer, lopsided, 200):
        assert read[0] == "<|bos|>" and read.count("<|solve|>") == 1 and learnt[-1] == "<|eos|>"
        assert learnt.count("<|eos|>") == 1
        if read[-1] == "<|verify|>":
            assert learnt[-3] == "<|verdict|>" and learnt[-2] in ("<|yes|>", "<|no|>") and "<|eos|>" not in read
        else:
            assert read[-1] == "<|revise|>" and read[read.index("<|eos|>") + 1] == "<|feedback|>"
            assert not {"<|yes|>", "<|no|>", "<|verdict|>"} & set(read + learnt)


def test_a_batch_of_skills_learns_from_what_follows_the_token_alone(tokenizer, lopsided, monkeypatch) -> None:
    monkeypatch.setattr(data, "POOL", 60)
    sorted_attempts = attempts_in([lopsided])
    _, pool = next(batches(tokenizer, tokens=2048, seed=0, others=lambda rng: skill_texts(tokenizer, sorted_attempts, rng)))
    begins = Counter()
    specials = tokenizer.convert_tokens_to_ids(["<|solve|>", "<|verify|>", "<|revise|>"])
    for inputs, targets in pool:
        for row, wanted in zip(inputs.tolist(), targets.tolist(), strict=True):
            begin = next(i for i, target in enumerate(wanted) if target != -100)
            begins[tokenizer.convert_ids_to_tokens(row[begin])] += 1
            assert row[begin] in specials and not set(specials) & set(row[begin + 1 :])
    assert begins["<|solve|>"] == 30 == begins["<|verify|>"] + begins["<|revise|>"]


def test_a_verdict_is_the_programs_and_the_check_is_the_tasks(tokenizer) -> None:
    right, *wrong = sorted(attempts("countdown", 4), key=lambda rollout: -rollout.values[-1])
    for solution, verdict in ((right, "<|yes|>"), (wrong[0], "<|no|>")):
        ids, learnt = verification(tokenizer, solution)
        lines = task_named("countdown").review(problem_of("countdown", 4), solution.steps)
        assert tokenizer.decode(ids[learnt:]) == "\n".join(lines) + f"\n<|verdict|>{verdict}<|eos|>"
        assert tokenizer.decode(ids[:learnt]) == f"<|bos|>{solution.problem}<|solve|>{''.join(solution.steps)}<|verify|>"


def test_a_revision_is_a_right_attempt_of_the_policys_own_or_a_solution(tokenizer) -> None:
    right, *wrong = sorted(attempts("arithmetic", 5), key=lambda rollout: -rollout.values[-1])
    problem, task = problem_of("arithmetic", 5), task_named("arithmetic")
    own = Rollout("arithmetic", right.problem, [f"\\boxed{{{problem.truth}}}"], [1.0], [])
    for choices, expected in (([own], own.steps), ([], task.solve(problem, random.Random(0)))):
        ids, learnt = revision(tokenizer, wrong[0], choices, random.Random(0))
        assert tokenizer.decode(ids[learnt:]) == "".join(expected) + "<|eos|>"
        assert task.grade(problem, tokenizer.decode(ids[learnt:], skip_special_tokens=True))


@given(st.sampled_from(NAMES), st.integers(0, 60), st.integers(0, 10**6))
def test_feedback_is_true(name: str, seed: int, luck: int) -> None:
    """Of an attempt with one digit changed, wherever it is."""
    problem, task = problem_of(name, seed), task_named(name)
    whole = "".join(task.solve(problem, random.Random(seed)))
    steps = steps_of(corrupted(whole, random.Random(luck)))
    wrong = Rollout(name, problem.text, steps, [0.0] * len(steps), [])
    fine = task.check(problem, steps)
    assert feedback(wrong, "truth") == "The answer is wrong."
    said = feedback(wrong, "verifier")
    if not all(fine):
        assert said == f"The first mistake is in step {fine.index(False) + 1}."
    assert feedback(wrong, "self") == "".join(f"{line}\n" for line in task.review(problem, steps))


@pytest.mark.parametrize("by", ["truth", "verifier"])
def test_an_attempt_without_an_answer_is_told_so(by: str) -> None:
    problem = problem_of("countdown", 3)
    steps = task_named("countdown").solve(problem, random.Random(0))[:-1]
    assert feedback(Rollout("countdown", problem.text, steps, [0.0] * len(steps), []), by) == "There is no answer."


OPERATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)")


def is_true(step: str) -> bool:
    """Whether its operation is what it says, by nothing but Python."""
    found = OPERATION.match(step)
    return found is not None and eval(f"{found[1]}{found[2]}{int(found[3])} == {found[4]}")  # noqa: S307


@given(st.integers(0, 200), st.integers(0, 10**6), st.sampled_from([3, 4, 5]))
def test_the_first_wrong_line_of_a_countdown_review_is_where_a_false_result_was_put(seed: int, luck: int, level: int) -> None:
    """A result is changed, and what is left changed with it: all steps before are right, and that one is wrong."""
    rng, problem, task = random.Random(luck), problem_of("countdown", seed, level), task_named("countdown")
    steps = task.solve(problem, rng)
    at = rng.randrange(len(steps) - 1)
    found = OPERATION.match(steps[at])
    false = int(found[4]) + rng.choice([-1, 1, 10])
    if false < 0:
        return
    left = re.findall(r"\d+", steps[at].split("left:")[1])
    left[left.index(found[4])] = str(false)
    spoilt = f"{found[1]} {found[2]} {found[3]} = {false}, left: {' '.join(sorted(left, key=int))}\n\n"
    lines = task.review(problem, [*steps[:at], spoilt, *steps[at + 1 :]])
    assert len(lines) == at + 1 and [line.endswith(", right.") for line in lines] == [True] * at + [False]
    assert lines[at] == f"Step {at + 1}: {found[0]}, wrong.", "it says what would have been right"


@given(st.sampled_from(NAMES), st.integers(0, 200), st.integers(0, 10**6))
def test_the_first_wrong_line_of_a_review_is_no_later_than_the_first_false_operation(name: str, seed: int, luck: int) -> None:
    """Whatever digit was changed; and a line that is called right has a true operation, worked out right."""
    problem, task = problem_of(name, seed), task_named(name)
    steps = steps_of(corrupted("".join(task.solve(problem, random.Random(seed))), random.Random(luck)))
    lines = task.review(problem, steps)
    assert all(line.endswith(", right.") for line in lines[:-1])
    for step, line in zip(steps, lines, strict=False):
        said = OPERATION.search(line)
        assert said is None or is_true(said[0]) or "/" in line
        if line.startswith("Step") and line.endswith(", right."):
            assert is_true(step)
    right = task.grade(problem, steps[-1])
    assert lines[-1].startswith("Answer") or lines[-1].endswith(", wrong.")
    if lines[-1].endswith(", right."):
        assert right, "no wrong answer is called right"


def test_attempts_are_sorted_by_task_and_grade(lopsided) -> None:
    found = attempts_in([lopsided, lopsided])
    assert set(found) == set(NAMES)
    for name, sort in found.items():
        task = task_named(name)
        assert all(task.grade(task.parse(r.problem), "".join(r.steps)) for r in sort.right)
        assert not any(task.grade(task.parse(r.problem), "".join(r.steps)) for r in sort.wrong)
        assert {r.problem for r in sort.right} == set(sort.solved)


def test_what_its_value_says_too_little_of_is_left_out(tmp_path: Path) -> None:
    """A solution without an answer that a right one goes on from counts as neither."""
    problem = problem_of("countdown", 1)
    whole = "".join(task_named("countdown").solve(problem, random.Random(0)))
    cut = "".join(steps_of(whole)[:-1])
    made = labelled(problem, [whole, cut, "\\boxed{1}"], exact=False)
    assert sorted(rollout.values[-1] for rollout in made) == [0.0, 0.5, 1.0]
    [found] = attempts_in([shard(tmp_path, [made])]).values()
    assert [len(found.right), len(found.wrong)] == [1, 1]


def of_one_kind(wrong: bool) -> list[list[Rollout]]:
    return [[r for r in attempts("countdown", seed) if (r.values[-1] == 0) == wrong] for seed in range(3)]


def test_attempts_that_are_all_right_teach_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="all right"):
        attempts_in([shard(tmp_path, of_one_kind(wrong=False))])


def test_where_none_is_right_the_program_solves_the_same_problems(tmp_path: Path) -> None:
    groups = of_one_kind(wrong=True)
    found = attempts_in([shard(tmp_path, groups)])["countdown"]
    assert {r.problem for r in found.right} == {r.problem for r in found.wrong} == {r.problem for group in groups for r in group}
    task = task_named("countdown")
    assert all(is_right(r) and task.grade(task.parse(r.problem), "".join(r.steps)) for r in found.right)
    assert not found.solved, "a revision keeps to the policy's own way where it has one"


def test_a_text_longer_than_the_context_is_left_out(tokenizer, tmp_path: Path) -> None:
    right, *wrong = sorted(attempts("countdown", 4), key=lambda rollout: -rollout.values[-1])
    endless = Rollout("countdown", right.problem, ["1 + 1 = 3, left: 9\n\n"] * 60, [0.0] * 60, [])
    path = shard(tmp_path, [[right, wrong[0], *[endless] * 20]])
    found = texts(tokenizer, path, 60)
    assert all(len(read) + len(learnt) <= tokenizer.model_max_length for read, learnt in found)
    assert {learnt[-2] for read, learnt in found if read[-1] == "<|verify|>"} == {"<|yes|>", "<|no|>"}


def test_texts_depend_on_the_random_numbers_alone(tokenizer, lopsided) -> None:
    assert texts(tokenizer, lopsided, 30) == texts(tokenizer, lopsided, 30) != texts(tokenizer, lopsided, 30, seed=1)


def test_a_policy_is_trained_with_attempts_and_stays_one(lopsided, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It learns to solve as before, and the special tokens come up where they belong."""
    monkeypatch.setattr(data, "POOL", 400)
    trained = train_policy("smoke", tmp_path, steps=40, attempts=lopsided.parent, compiled=False)
    tokenizer, model = AutoTokenizer.from_pretrained(trained), LlamaForCausalLM.from_pretrained(trained)
    torch.manual_seed(0)
    assert validation_loss(model, tokenizer, 1) < 0.7 * validation_loss(LlamaForCausalLM(model.config), tokenizer, 1)
    verdict, yes, no = tokenizer.convert_tokens_to_ids(["<|verdict|>", "<|yes|>", "<|no|>"])
    ids, _ = next(skill_texts(tokenizer, attempts_in([lopsided]), random.Random(3)))
    assert verdict in ids
    with torch.no_grad():
        chances = model(torch.tensor([ids])).logits[0].softmax(-1)
    at = ids.index(verdict)
    assert chances[at, [yes, no]].sum() > 2 * chances[at - 1, [yes, no]].sum()


def test_without_attempts_the_texts_are_what_they_were(tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "POOL", 20)
    _, pool = next(batches(tokenizer, tokens=2048, seed=0))
    assert sum(len(inputs) for inputs, _ in pool) == 20
    specials = set(tokenizer.convert_tokens_to_ids(["<|verify|>", "<|feedback|>", "<|revise|>"]))
    assert not any(specials & set(row) for inputs, _ in pool for row in inputs.tolist())


def test_the_program_refuses_a_folder_without_rollouts(tmp_path: Path) -> None:
    (tmp_path / "validation-0-0000.json.z").write_bytes(b"")
    for folder in (tmp_path, tmp_path / "nowhere"):
        result = CliRunner().invoke(app, ["train", "policy", "smoke", "--work", str(tmp_path), "--attempts", str(folder)])
        assert result.exit_code == 1 and "Traceback" not in result.output
        assert f"no rollouts in {folder}: name the folder that `train prm` wrote them to" in " ".join(result.output.split())
    assert not (tmp_path / "smoke").exists(), "nothing was begun"
