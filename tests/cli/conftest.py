"""The command line in this process, on scripted models and a database of its own."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner
from worlds import fair, policy_of, verifier_of

from tts_explorer.assets import folder
from tts_explorer.cli import app, solve
from tts_explorer.runner import Models

MODELS = Path(folder()) / "models"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the program with arguments; every policy and every verifier is a scripted one."""
    monkeypatch.setenv("TTS_EXPLORER_DB", str(tmp_path / "sessions.db"))
    monkeypatch.delenv("TTS_EXPLORER_DEBUG", raising=False)
    monkeypatch.setattr(solve, "Models", lambda **options: Models(policy, verifier, **options))

    def policy(name, **options):
        return policy_of(fair, name=name, context=10_000)

    def verifier(name, **options):
        return verifier_of("fair", name=name)

    def call(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], prog_name="tts-explorer")

    return call


@pytest.fixture
def bundled():
    """Skip without the bundled models, except where they must be there."""
    if not all((MODELS / name / "model.safetensors").is_file() for name in ("small", "prm")):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the bundled models are missing")
