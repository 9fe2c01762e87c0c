"""The tiny checkpoints of the models' tests, and the program run in this process."""

import json

import pytest
import torch
from models.conftest import policy_folder, prm_folder  # noqa: F401
from typer.testing import CliRunner

from tts_explorer.cli import app


@pytest.fixture
def run():
    """Run `bench` with arguments; torch has its threads back afterwards."""
    threads = torch.get_num_threads()

    def call(*arguments):
        return CliRunner().invoke(app, ["bench", *map(str, arguments)], prog_name="tts-explorer")

    yield call
    torch.set_num_threads(threads)


@pytest.fixture
def measured(run):
    """The object that `bench … --json` prints, which is all that it prints."""

    def call(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    return call
