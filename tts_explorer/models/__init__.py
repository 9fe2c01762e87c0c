"""Models by name: `bundled:NAME`, a local folder, `hf:ORG/NAME[@REVISION]`. Heavy imports wait until one is loaded."""

from __future__ import annotations

import json
import math
from importlib import import_module
from pathlib import Path
from typing import Any

from tts_explorer.assets import folder
from tts_explorer.errors import BadSetting, ModelUnavailable, UnknownName
from tts_explorer.models.base import Policy, Verifier
from tts_explorer.models.judge import JUDGE, Judge
from tts_explorer.models.program import PROGRAM
from tts_explorer.outcomes import OUTCOMES

VERIFIERS = "prm"
"""Bundled models whose name begins so are verifiers."""
POLICY_AS_JUDGE = f"{JUDGE}policy"
DEVICES = ("cpu", "cuda")


def bundled() -> list[str]:
    """Names of the bundled models, policies first."""
    names = sorted(path.parent.name for path in (folder() / "models").glob("*/config.json"))
    return sorted(names, key=lambda name: (name.startswith(VERIFIERS), name))


def bundled_policies() -> list[str]:
    return [f"bundled:{name}" for name in bundled() if not name.startswith(VERIFIERS)]


def bundled_verifiers() -> list[str]:
    return [f"bundled:{name}" for name in bundled() if name.startswith(VERIFIERS)]


def families(model: str) -> list[str]:
    """The families of problems that a bundled model was trained on, by its record; empty where that is not known."""
    name = model.removeprefix("bundled:")
    record = folder() / "models" / name / "training.json"
    if name == model or name not in bundled() or not record.is_file():
        return []
    return list(json.loads(record.read_bytes()).get("tasks", ()))


def stranger(model: str, task: str) -> bool:
    """Whether a bundled model was never trained on problems of `task`; False where nobody knows."""
    known = families(model)
    return bool(known and task) and task not in known


def parameters(place: Path) -> int:
    """How many numbers the weights in a folder hold, from the headers of their files."""
    from safetensors import safe_open

    total = 0
    for file in place.glob("*.safetensors"):
        with safe_open(file, framework="np") as weights:
            total += sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())
    return total


def verifiers() -> list[str]:
    """Every verifier that is here: the bundled models, the policy as its own judge, and those that are no models."""
    return [*bundled_verifiers(), POLICY_AS_JUDGE, PROGRAM, *OUTCOMES]


def require_runnable(*, device: str = "cpu", threads: int | None = None, precision: str | None = None) -> None:
    """Raise BadSetting unless local models can be run so here. Loads torch only to look for a CUDA device."""
    if device not in DEVICES:
        raise BadSetting("device is {device!r}: choose cpu or cuda", device=device)
    if precision not in (None, "int8"):
        raise BadSetting("quantize is {precision!r}: int8 is what is offered, or none", precision=precision)
    if threads is not None and threads < 1:
        raise BadSetting("threads is {threads}: at least one is needed", threads=threads)
    if device == "cuda" and precision:
        raise BadSetting("int8 weights run on the CPU only: choose --quantize int8 or --device cuda, not both")
    if device == "cuda" and not import_module("torch").cuda.is_available():
        raise BadSetting("torch finds no CUDA device here: choose --device cpu, or install a driver and a torch built for CUDA")


def load_policy(name: str, **options: Any) -> Policy:
    """The policy called `name`; options as `require_runnable` takes them. Raises UnknownName or ModelUnavailable."""
    from transformers import AutoModelForCausalLM

    from tts_explorer.models.local import LocalPolicy

    found = _read(name, AutoModelForCausalLM, **options)
    if any("Classification" in kind for kind in found.model.config.architectures or ()):
        raise ModelUnavailable(
            "{name} is a classifier, which writes no text: choose it as the verifier, and a language model here", name=name
        )
    return _quantised(LocalPolicy(found))


def load_verifier(name: str, **options: Any) -> Verifier:
    """The verifier called `name`; options as `require_runnable` takes them. Raises UnknownName or ModelUnavailable.

    `judge:MODEL` is that policy as a generative verifier.
    """
    if name.startswith(JUDGE):
        return Judge(load_policy(name.removeprefix(JUDGE), **options))
    from transformers import AutoModelForTokenClassification

    from tts_explorer.models.prm import LocalPRM, WholeTextPRM, reads_forward

    found = _read(name, AutoModelForTokenClassification, **options)
    return _quantised(LocalPRM(found) if reads_forward(found) else WholeTextPRM(found))


def _read(name: str, kind: Any, *, device: str = "cpu", **options: Any) -> Any:
    """The checkpoint called `name`: float32 on the CPU; elsewhere bfloat16, which its version then says."""
    import torch

    from tts_explorer.models.checkpoint import read_checkpoint

    if device == "cpu":
        return read_checkpoint(name, _found(name), kind, **options)
    found = read_checkpoint(name, _found(name), kind, device=device, dtype=torch.bfloat16, **options)
    found.versions[name] += " bfloat16"
    return found


def _quantised(model: Any) -> Any:
    """`model`, unless int8 was asked for and its layers can't be held so. Raises ModelUnavailable."""
    if model.checkpoint.precision and getattr(getattr(model, "batch", None), "lean", None) is None:
        raise ModelUnavailable("{name} is of a kind that can't be held as int8 here: leave --quantize away", name=model.name)
    return model


def _found(name: str) -> Path:
    """The folder with the model's files; one from the hub is downloaded, safetensors only."""
    prefix, _, rest = name.partition(":")
    if prefix == "bundled":
        if rest not in bundled():
            raise UnknownName("no bundled model {name!r}: choose one of {known}", name=rest, known=", ".join(bundled()))
        return folder() / "models" / rest
    if prefix == "hf":
        return _downloaded(rest)
    path = Path(name).expanduser()
    if not path.is_dir():
        raise UnknownName("no model {name!r}: give bundled:NAME, hf:ORG/NAME or a folder", name=name)
    return path


def _downloaded(name: str) -> Path:
    hub = import_module("huggingface_hub")
    repository, _, revision = name.partition("@")
    patterns = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model"]
    try:
        return Path(hub.snapshot_download(repository, revision=revision or None, allow_patterns=patterns))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelUnavailable(
            "{name!r} can't be had from the hub ({reason}): check the name and the network", name=repository, reason=reason
        ) from error
