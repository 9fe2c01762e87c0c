"""What is asked of a checkpoint in words: to revise, to verify, and which tokens say yes and no."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from models.conftest import byte_tokenizer
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM
from worlds import drive, only, search

from tts_explorer.errors import ModelUnavailable
from tts_explorer.events import FeedbackGiven
from tts_explorer.models.checkpoint import ROOM, Checkpoint
from tts_explorer.models.judge import Judge
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.program import ProgramVerifier
from tts_explorer.moves import Expand, Revise, Search
from tts_explorer.tasks import task_named
from tts_explorer.train import skills
from tts_explorer.train.rollouts import Rollout
from tts_explorer.tree import Node

ASSETS = Path(__file__).parents[2] / "assets" / "models" / "small"
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|eos|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ENDLESS = "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}[assistant]"
LAST_ALONE = "{{ messages[-1]['content'] }}<|solve|>"


def taught():
    return AutoTokenizer.from_pretrained(ASSETS, local_files_only=True)


def bytewise(template=None):
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = template
    return tokenizer


def checkpoint(tokenizer, context=700, **options):
    """A random model for `tokenizer`, never saved."""
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id, "bos_token_id": None}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=context, initializer_range=0.3, **shape, **ends)
    return Checkpoint("tiny", LlamaForCausalLM(config), tokenizer, threads=1, **options)


def said(found, segment):
    return found.tokenizer.decode(segment)


def ended(found):
    """The end of an attempt whose model ended its turn."""
    return (found.tokenizer.eos_token_id,)


TOLD = "No. Please solve the problem again, step by step, and give the final answer in \\boxed{}."


def test_a_taught_one_is_asked_to_revise_by_its_special_tokens():
    found = checkpoint(taught())
    ids = found.revision("The answer is wrong.", ended(found))
    assert found.taught and said(found, ids) == "<|feedback|>The answer is wrong.<|revise|>"
    first, last = found.tokenizer.convert_tokens_to_ids(["<|feedback|>", "<|revise|>"])
    assert (ids[0], ids[-1]) == (first, last) and ids[1:-1] == found.step("The answer is wrong.")


def test_a_chat_is_asked_to_revise_in_its_next_turn():
    found = checkpoint(bytewise(CHATML))
    assert not found.taught
    assert said(found, found.revision("No.", ended(found))) == f"\n<|im_start|>user\n{TOLD}<|eos|>\n<|im_start|>assistant\n"


def test_what_ends_a_turn_is_not_said_again_after_an_attempt_that_ended_with_it():
    """The attempt's own last token is the end of its turn."""
    found = checkpoint(bytewise(CHATML))
    turns = [{"role": r, "content": c} for r, c in (("user", "?"), ("assistant", "so 8"), ("user", TOLD))]
    whole = found.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    built = [*found.problem("?"), *found.step("so 8"), *ended(found), *found.revision("No.", ended(found))]
    assert said(found, built) == whole and tuple(built) == found.step(whole)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (ENDLESS, f"[user]{TOLD}[assistant]"),
        (LAST_ALONE, "\n\nNo. Another solution:\n\n"),
        (None, "\n\nNo. Another solution:\n\n"),
    ],
)
def test_feedback_is_always_in_what_stands_before_another_attempt(template, expected):
    found = checkpoint(bytewise(template))
    assert said(found, found.revision("No.", ended(found))) == expected


@pytest.mark.parametrize("tokenizer", [taught, bytewise, lambda: bytewise(CHATML), lambda: bytewise(LAST_ALONE)])
@pytest.mark.parametrize("feedback", ["[the attempt]", "[the feedback]", "Zoë 😀 {{ x }} {% for %}", "a\n\nb\n", "", "x" * 500])
def test_feedback_is_said_word_for_word_whatever_it_is(tokenizer, feedback):
    found = checkpoint(tokenizer())
    for attempt in (ended(found), found.step("so 8")):
        assert feedback in said(found, found.revision(feedback, attempt)) and found.revision(feedback, attempt)


@pytest.mark.parametrize("tokenizer", [taught, lambda: bytewise(CHATML)])
def test_a_turn_that_the_model_did_not_end_is_ended_for_it(tokenizer):
    """An attempt whose answer was recognised before the model wrote the end of its turn."""
    found = checkpoint(tokenizer())
    answer = found.step("so 8")
    built = [[*answer, *found.revision("No.", answer)], [*answer, *ended(found), *found.revision("No.", ended(found))]]
    assert built[0] == built[1]


def test_a_taught_one_is_asked_to_verify_after_the_prompt_of_its_problem():
    found = checkpoint(taught())
    before, after = found.verification("make 46")
    assert before == found.problem("make 46") and said(found, after) == "<|verify|>" and len(after) == 1


@pytest.mark.parametrize("template", [CHATML, LAST_ALONE, None])
def test_others_are_asked_to_check_a_students_solution_and_to_close_with_yes_or_no(template):
    found = checkpoint(bytewise(template))
    before, after = found.verification("make 46")
    opening = {CHATML: "<|im_start|>user\n"}.get(template, "") + "Problem:\nmake 46\n\nA student's solution:\n"
    closing = {CHATML: "<|eos|>\n<|im_start|>assistant\n", LAST_ALONE: "<|solve|>"}.get(template, "\n\n")
    assert said(found, before) == opening
    assert said(found, after).startswith("\n\nCheck the solution step by step and say of each step whether it is correct")
    assert said(found, after).endswith(f"'Is the answer correct? Yes' or 'Is the answer correct? No'.{closing}")


@pytest.mark.parametrize("template", [CHATML, None])
@pytest.mark.parametrize("problem", ["is [the attempt] 8?", "{{ x }}", "a\n\nA student's solution:\n[the attempt]"])
def test_a_problem_is_read_whole_whatever_it_says(template, problem):
    found = checkpoint(bytewise(template))
    before, after = found.verification(problem)
    assert said(found, before).endswith(f"Problem:\n{problem}\n\nA student's solution:\n")
    assert problem not in said(found, after) and said(found, after).startswith("\n\nCheck the solution")


def test_yes_and_no_are_special_tokens_of_the_taught_and_words_of_the_others():
    found = checkpoint(taught())
    yes, no = found.odds()
    assert [said(found, list(ids)) for ids in (yes, no)] == ["<|yes|>", "<|no|>"]
    found = checkpoint(bytewise(CHATML))
    yes, no = found.odds()
    assert [said(found, list(ids)) for ids in (yes, no)] == ["Y", "N"], "a byte each; with a space before they begin alike"


def wordwise(*words):
    """A tokenizer of whole words; others are unknown."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["<unk>", "<pad>", "<eos>", *words])}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_next")
    return PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>", pad_token="<pad>", eos_token="<eos>")


def test_words_of_a_token_each_count_with_and_without_a_space():
    tokenizer = wordwise("Yes", "No", " Yes", " No")
    yes, no = checkpoint(tokenizer).odds()
    assert [sorted(map(tokenizer.convert_ids_to_tokens, ids)) for ids in (yes, no)] == [[" Yes", "Yes"], [" No", "No"]]
    tokenizer = wordwise(" Yes", " No")
    assert [list(map(tokenizer.convert_ids_to_tokens, ids)) for ids in checkpoint(tokenizer).odds()] == [[" Yes"], [" No"]]


def test_a_tokenizer_without_words_for_yes_and_no_can_not_judge():
    with pytest.raises(ModelUnavailable, match="^tiny can't judge: its tokenizer has no tokens of their own for Yes and No$"):
        checkpoint(wordwise("maybe")).odds()


def test_a_prompt_fits_if_it_leaves_room_for_an_answer():
    policy = LocalPolicy(checkpoint(bytewise(), context=100), rows=2)
    for length, fits in ((100 - ROOM, True), (101 - ROOM, False), (500, False), (0, True)):
        assert policy.fits([(3,) * (length // 2), (4,) * (length - length // 2)]) is fits


# What the runner builds of these.


def attempts(name, seed):
    """A problem and a wrong solution of it."""
    task = task_named(name)
    problem = task.parse(task.draw_problem(random.Random(seed), 2).text)
    *steps, _ = task.solve(problem, random.Random(seed))
    return problem, [*steps, "\\boxed{1}"]


class Reciting(LocalPolicy):
    """Writes the ids of `script` first, whatever its model says; its doubts are always the same."""

    script: tuple[int, ...] = ()

    def _sampled(self, places):
        tokens, *rest = super()._sampled(places)
        if self.script:
            assert len(tokens) == 1
            (*tokens,), self.script = self.script[:1], self.script[1:]
            self.running[places[0]].p_yes = 0.1
        return tokens, *rest


@pytest.fixture(scope="module")
def reciting():
    """A policy and a judge's writer."""
    return Reciting(checkpoint(taught()), rows=4), Reciting(checkpoint(taught()), rows=4)


@pytest.mark.parametrize("name", ["countdown", "arithmetic"])
@pytest.mark.parametrize("by", ["truth", "verifier", "self"])
def test_before_a_revised_attempt_the_policy_reads_what_training_texts_have_there(name, by, reciting, monkeypatch):
    """The same token ids, by whomever the feedback is."""
    (problem, steps), task = attempts(name, 7), task_named(name)
    wrong = Rollout(name, problem.text, steps, [0.0] * len(steps), [])
    policy, writer = reciting
    special = policy.tokenizer.convert_tokens_to_ids
    policy.script = (*(id for step in steps for id in policy.step(step)), special("<|eos|>"))
    check = "".join(f"{line}\n" for line in task.review(problem, steps))
    writer.script = (*writer.step(check), *special(["<|verdict|>", "<|no|>", "<|eos|>"]))
    verifier = {"truth": None, "verifier": ProgramVerifier(task, problem), "self": Judge(writer)}[by]

    def once(root: Node) -> Search:
        attempt = yield Expand([root], 1, to_end=True)
        yield Revise(attempt, 1, by)

    read, submit = [], policy.submit
    spy = lambda key, prompt, **options: (read.append((key[2], prompt)), submit(key, prompt, **options))  # noqa: E731
    monkeypatch.setattr(policy, "submit", spy)
    plan = {"problem": problem, "task": task, "max_step_tokens": 60, "budget": {"nodes": len(steps) + 1}}
    [records] = drive(search(once, policy, verifier, **plan))
    [given] = only(records, FeedbackGiven)
    assert given.text == skills.feedback(wrong, by) and given.accepted is False
    ids, learnt = skills.revision(policy.tokenizer, wrong, [wrong], random.Random(choice_of(by)))
    [prompt] = [prompt for node, prompt in read if node == (1,)]
    assert [token for segment in prompt for token in segment] == ids[:learnt]


def choice_of(by):
    """A seed with which training texts draw this one's feedback."""
    for seed in range(99):
        rng = random.Random(seed)
        rng.choice([0])
        if rng.choice(skills.FEEDBACK) == by:
            return seed
    raise AssertionError
