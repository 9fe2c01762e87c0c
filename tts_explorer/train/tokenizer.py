"""The tokenizer of the bundled ladder, fixed for good: byte-level BPE of 1,024 tokens.

Digits stand one by one, a step's delimiter is a token of its own, every byte has a token (so any text round-trips), and the
specials for the skills to come are reserved. Trained once on generated problems of the first families and on plain sentences
of the families still to come; `assets/models/*/tokenizer.json` are copies of one file. It knows nothing of tasks' rules.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import LEVELS

PAD, BOS, EOS, SOLVE = "<|pad|>", "<|bos|>", "<|eos|>", "<|solve|>"
SPECIALS = [PAD, BOS, EOS, SOLVE, "<|verify|>", "<|verdict|>", "<|yes|>", "<|no|>", "<|feedback|>", "<|revise|>"]
SPECIALS += [f"<|reserved_{i}|>" for i in range(6)]
VOCABULARY = 1024
PIECES = r"\n\n|\n|[0-9]| ?[A-Za-z]+| ?[^A-Za-z0-9\n ]+ ?| +"
CHAT_TEMPLATE = f"{BOS}{{{{ messages[-1]['content'] }}}}{SOLVE}"

SENTENCES = (
    "\n"
    "Find an assignment of true and false to the variables so that every clause holds. Set x1 = true. Set x2 = false. "
    "Clause satisfied, conflict, unit, or, and, not.\n"
    "Find a meeting slot of 30 minutes for all people between 9:00 and 17:00. Monday Tuesday Wednesday Thursday Friday "
    "busy free from to until. The meeting starts at 10:30.\n"
    "Walk through the maze from S to G. Move up, down, left, right, north, south, east, west. Row, column, wall, open, "
    "blocked, now at (3, 4). Grid path.\n"
    "The library is north of the school. The park is east of the bank. Where is the station relative to the market? "
    "Northeast, northwest, southeast, southwest, above, below, between.\n"
    "Check step by step. The step is right. The step is wrong because the result should be. This is correct. This is not "
    "correct. Verdict: yes. Verdict: no. Is the answer correct?\n"
    "The answer is wrong. Try again. The first mistake is in step 2. Revised answer. So the total is. Therefore the result "
    "equals. First, then, next, finally, each, every, once.\n"
    "The number of people, hours, minutes, days, weeks, kilometres, metres, grams, euros, dollars, percent, half, double, "
    "twice, before, after, more, less, fewer.\n"
    "Every statement below is true. Who sits next to whom? The red house stands left of the blue house, right of the green "
    "one, behind the tower, in front of the river.\n"
    "Because this step uses a number that is not left, it can not be right. Use another number. Start again from step 1. "
    "The answer does not match the question.\n"
    "Turn, start, goal, exit, corner, distance, steps, path, dead end, go back, visited, try, choose, assume, "
    "contradiction, implies, since, must, only, possible, impossible.\n"
)


def corpus(examples: int = 6000, seed: int = 0) -> Iterator[str]:
    """Problems and solutions of the first families, and the plain sentences, a text at a time."""
    rng = random.Random(seed)
    for i in range(examples):
        task = task_named(("arithmetic", "countdown")[i % 2])
        problem = task.draw_problem(rng, rng.choice(LEVELS))
        yield problem.text + "\n\n" + "".join(task.solve(problem, rng))
        if i % 20 == 0:
            yield SENTENCES


def train_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Train on `corpus()` and save to `folder` in the Hugging Face format."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIALS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator(corpus(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=PAD, bos_token=BOS, eos_token=EOS, additional_special_tokens=SPECIALS[3:]
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.model_max_length = 512
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.save_pretrained(folder)
    return tokenizer
