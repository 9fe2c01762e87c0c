"""Local models from folders, in a line."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoModelForTokenClassification

from tts_explorer.models.checkpoint import read_checkpoint
from tts_explorer.models.local import LocalPolicy
from tts_explorer.models.prm import LocalPRM


def policy_in(folder: Path, name: str = "tiny", *, dtype: torch.dtype = torch.float32, **options) -> LocalPolicy:
    return LocalPolicy(read_checkpoint(name, folder, AutoModelForCausalLM, dtype=dtype), **options)


def prm_in(folder: Path, name: str = "tiny-prm", *, dtype: torch.dtype = torch.float32, **options) -> LocalPRM:
    return LocalPRM(read_checkpoint(name, folder, AutoModelForTokenClassification, dtype=dtype), **options)
