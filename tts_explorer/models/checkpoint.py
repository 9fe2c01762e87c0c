"""A model and its tokenizer from one folder: what local policies and local verifiers begin with.

The bundled models load by the same code as one from the hub. `trust_remote_code` is always off and weights are always
safetensors. It knows nothing of sampling, scoring or caches.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from tts_explorer.errors import BadProblem, ModelUnavailable
from tts_explorer.models.base import Odds, Segment
from tts_explorer.models.decoder import Precision

DELIMITER = "\n\n"
TINY = 20_000_000
"""Parameters."""
ATTEMPT = "[the attempt]"
FEEDBACK = "[the feedback]"
"""Stand for a solution, and for what is said of it, while a prompt around them is made."""
ROOM = 32
"""Tokens that a problem must leave free in the context."""


class Checkpoint:
    """A model ready to run, with its tokenizer and the words for both that a session keeps."""

    def __init__(
        self,
        name: str,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        versions: dict[str, str] | None = None,
        threads: int | None = None,
        precision: Precision = None,
    ):
        self.name, self.model, self.tokenizer, self.precision = name, model.eval(), tokenizer, precision
        self.parameters = sum(p.numel() for p in model.parameters())
        self.threads = threads or threads_for(self.parameters)
        self.context = context_of(model.config)
        self.versions = {**(versions or {}), "torch": torch.__version__, "transformers": transformers.__version__}

    def problem(self, text: str) -> Segment:
        """The prompt for `text` by the checkpoint's chat template (plain text and a delimiter without one)."""
        if self.tokenizer.chat_template:
            text = self._rendered([{"role": "user", "content": text}])
        else:
            text += DELIMITER
        ids = tuple(self.tokenizer.encode(text, add_special_tokens=not self.tokenizer.chat_template))
        if len(ids) + ROOM > self.context:
            fits = self.context - ROOM
            raise BadProblem(
                "the problem has {count} tokens and {name} reads {fits} at most: shorten it",
                count=len(ids),
                name=self.name,
                fits=fits,
            )
        return ids

    def step(self, text: str) -> Segment:
        """Token ids of one step's text."""
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

    @property
    def taught(self) -> bool:
        """Whether its tokenizer has the special tokens of the bundled models' skills to verify and to revise."""
        return "<|verify|>" in self.tokenizer.get_vocab()

    def revision(self, feedback: str, attempt: Segment) -> Segment:
        """What follows an attempt when another one is asked for: the feedback, as a turn of the chat if there is a template.

        `attempt` is its last node: where the model didn't write the end of its turn, it is written here.
        """
        eos = self.tokenizer.eos_token or ""
        ended = bool(attempt) and attempt[-1] == self.tokenizer.eos_token_id
        if self.taught:
            return self.step(f"{'' if ended else eos}<|feedback|>{feedback}<|revise|>")
        told = f"{FEEDBACK} Please solve the problem again, step by step, and give the final answer in \\boxed{{}}."
        turns = [("user", "?"), ("assistant", ATTEMPT), ("user", told)]
        turns = [{"role": role, "content": content} for role, content in turns]
        _, shown, after = (self._rendered(turns) if self.tokenizer.chat_template else "").partition(ATTEMPT)
        if not shown:  # no template, or one that shows the last turn alone
            return self.step(f"{DELIMITER}{feedback} Another solution:{DELIMITER}")
        return self.step((after.removeprefix(eos) if ended else after).replace(FEEDBACK, feedback))

    def verification(self, problem: str) -> tuple[Segment, Segment]:
        """What stands before and after a solution's steps when a written check of it is asked for."""
        if self.taught:
            return self.problem(problem), self.step("<|verify|>")
        asked = (
            f"Problem:\n{problem}\n\nA student's solution:\n{ATTEMPT}\n\nCheck the solution step by step and say of each step "
            "whether it is correct, and why. Close with one line: 'Is the answer correct? Yes' or 'Is the answer correct? No'."
        )
        text = self._rendered([{"role": "user", "content": asked}]) if self.tokenizer.chat_template else asked + DELIMITER
        before, _, after = text.rpartition(ATTEMPT)  # the last one: a problem may hold these words too
        return tuple(self.tokenizer.encode(before, add_special_tokens=not self.tokenizer.chat_template)), self.step(after)

    def odds(self) -> Odds:
        """The tokens that a verdict ends in: yes, and no. Raises ModelUnavailable if its words for them begin alike."""
        words = [("<|yes|>", "<|no|>")] if self.taught else [("Yes", "No"), (" Yes", " No")]
        firsts = [(self.step(yes)[0], self.step(no)[0]) for yes, no in words]
        apart = [(yes, no) for yes, no in firsts if yes != no]
        if not apart:
            raise ModelUnavailable("{name} can't judge: its tokenizer has no tokens of their own for Yes and No", name=self.name)
        return frozenset(yes for yes, _ in apart), frozenset(no for _, no in apart)

    def _rendered(self, turns: list[dict[str, str]]) -> str:
        return self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)


def read_checkpoint(
    name: str,
    folder: Path,
    kind: Any,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    threads: int | None = None,
    precision: Precision = None,
) -> Checkpoint:
    """The checkpoint in `folder`, as an Auto class of `kind`. Raises ModelUnavailable, with the folder's name, if it can't be."""
    weights = sorted(folder.glob("*.safetensors"))
    if not (folder / "config.json").is_file() or not weights:
        raise ModelUnavailable("no model in {name!r}: the folder needs config.json and model.safetensors", name=folder.name)
    try:
        options = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model, report = kind.from_pretrained(folder, use_safetensors=True, dtype=dtype, output_loading_info=True, **options)
    except Exception as error:  # damaged files raise errors of many libraries
        raise ModelUnavailable(
            "the model in {name!r} can't be loaded: {reason}", name=folder.name, reason=first_line(error)
        ) from error
    if report["missing_keys"]:
        lacks = sorted(report["missing_keys"])[0]
        raise ModelUnavailable(
            "the model in {name!r} lacks weights ({lacks}): it is damaged, or of another kind", name=folder.name, lacks=lacks
        )
    sha = hashlib.sha256()
    for file in weights:
        sha.update(file.read_bytes())
    versions = {name: f"sha256:{sha.hexdigest()}" + (f" {precision}" if precision else "")}
    return Checkpoint(name, model.to(device), tokenizer, versions=versions, threads=threads, precision=precision)


def context_of(config: Any) -> int:
    """Tokens that the model reads: within its window, and before its rotary embeddings change with the length."""
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    rope = getattr(config, "rope_parameters", None) or {}
    original = rope.get("original_max_position_embeddings") or getattr(config, "original_max_position_embeddings", None)
    bounds = [getattr(config, "max_position_embeddings", None), window]
    if rope.get("rope_type") in ("dynamic", "longrope"):
        bounds.append(original)
    return min((bound for bound in bounds if bound), default=2048)


def threads_for(parameters: int) -> int:
    """Threads for a model of this size: one for a tiny one, whose layers end before a second thread has begun.

    Measured on two busy cores with 1.2M parameters: two threads spent most of their time waiting for one another.
    """
    return 1 if parameters < TINY else max(1, (os.cpu_count() or 1))


def first_line(error: Exception) -> str:
    """The first line of what `error` says, without paths' worth of detail."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
