"""Models by name: `bundled:NAME`, a local folder, `hf:ORG/NAME[@REVISION]`. Heavy imports wait until one is loaded."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from tts_explorer.assets import folder
from tts_explorer.errors import ModelUnavailable, UnknownName
from tts_explorer.models.base import Policy, Verifier

VERIFIERS = "prm"
"""Bundled models whose name begins so are verifiers."""


def bundled() -> list[str]:
    """Names of the bundled models, policies first."""
    names = sorted(path.parent.name for path in (folder() / "models").glob("*/config.json"))
    return sorted(names, key=lambda name: (name.startswith(VERIFIERS), name))


def bundled_policies() -> list[str]:
    return [f"bundled:{name}" for name in bundled() if not name.startswith(VERIFIERS)]


def bundled_verifiers() -> list[str]:
    return [f"bundled:{name}" for name in bundled() if name.startswith(VERIFIERS)]


def load_policy(name: str, *, device: str = "cpu", threads: int | None = None) -> Policy:
    """The policy called `name`. Raises UnknownName or ModelUnavailable."""
    from transformers import AutoModelForCausalLM

    from tts_explorer.models.checkpoint import read_checkpoint
    from tts_explorer.models.local import LocalPolicy

    return LocalPolicy(read_checkpoint(name, _found(name), AutoModelForCausalLM, device=device, threads=threads))


def load_verifier(name: str, *, device: str = "cpu", threads: int | None = None) -> Verifier:
    """The verifier called `name`. Raises UnknownName or ModelUnavailable."""
    from transformers import AutoModelForTokenClassification

    from tts_explorer.models.checkpoint import read_checkpoint
    from tts_explorer.models.prm import LocalPRM, WholeTextPRM, reads_forward

    found = read_checkpoint(name, _found(name), AutoModelForTokenClassification, device=device, threads=threads)
    return LocalPRM(found) if reads_forward(found) else WholeTextPRM(found)


def _found(name: str) -> Path:
    """The folder with the model's files; one from the hub is downloaded, safetensors only."""
    prefix, _, rest = name.partition(":")
    if prefix == "bundled":
        if rest not in bundled():
            raise UnknownName(f"no bundled model {rest!r}: choose one of {', '.join(bundled())}")
        return folder() / "models" / rest
    if prefix == "hf":
        return _downloaded(rest)
    path = Path(name).expanduser()
    if not path.is_dir():
        raise UnknownName(f"no model {name!r}: give bundled:NAME, hf:ORG/NAME or a folder")
    return path


def _downloaded(name: str) -> Path:
    hub = import_module("huggingface_hub")
    repository, _, revision = name.partition("@")
    patterns = ["*.safetensors", "*.json", "*.jinja", "tokenizer.model"]
    try:
        return Path(hub.snapshot_download(repository, revision=revision or None, allow_patterns=patterns))
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise ModelUnavailable(f"{repository!r} can't be had from the hub ({reason}): check the name and the network") from error
