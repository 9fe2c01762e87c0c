"""README names everything that there is to name, and nothing that there is not."""

import inspect
import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

from tts_explorer.cli import app
from tts_explorer.events import KINDS
from tts_explorer.models import verifiers
from tts_explorer.strategies import default_rule, settings_of, strategy_named, strategy_names
from tts_explorer.tasks import task_names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL)).splitlines()
FRONT = yaml.safe_load(README.split("---\n")[1])


def commands(group, *names):
    """(names, command) for every command and sub-command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
        else:
            yield (*names, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def options(command):
    """Each option's long spelling."""
    return [max(p.opts, key=len) for p in command.params if p.opts[0].startswith("-") and p.name != "help"]


@pytest.mark.parametrize("names", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_named(names):
    assert f"tts-explorer {' '.join(names)}" in README
    missing = [option for option in options(COMMANDS[names]) if not re.search(rf"{option}\b", README)]
    assert not missing, f"README does not name {missing} of {' '.join(names)}"


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("tts-explorer")])
def test_every_example_can_be_typed(line):
    """Its command exists, and so does each option and task, strategy and setting; nothing is run."""
    words = shlex.split(line)[1:]
    names = next(names for names in COMMANDS if tuple(words[: len(names)]) == names)
    parsed = COMMANDS[names].make_context(names[-1], words[len(names) :], resilient_parsing=False).params
    if names == ("solve",):
        assert parsed["task"] is None or parsed["task"] in task_names()
        known = settings_of(strategy_named(parsed["strategy"]))
        assert {setting.partition("=")[0] for setting in parsed["set"] or []} <= set(known)


@pytest.mark.parametrize("name", strategy_names())
def test_every_strategy_is_in_the_table_with_its_settings(name):
    table = README.split("## The strategies")[1].split("## The verifiers")[0]
    (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}` |")]
    assert re.findall(r"`(\w+)`", row.split("|")[3]) == list(settings_of(strategy_named(name)))
    assert default_rule(strategy_named(name)) in README


def test_no_other_strategy_is_in_the_table():
    table = README.split("## The strategies")[1].split("## The verifiers")[0]
    assert sorted(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == strategy_names()


def test_every_verifier_is_in_the_table():
    table = README.split("## The verifiers")[1].split("### Reading")[0]
    assert set(verifiers()) <= set(re.findall(r"`([^`]+)`", table))


def test_every_kind_of_event_is_in_the_table():
    table = README.split("## What is recorded")[1].split("## Results")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(KINDS)


def test_beam_search_is_shown_as_it_is():
    assert inspect.getsource(strategy_named("beam_search")) in README


def test_the_two_commands_stand_alone_on_their_lines():
    assert "python -m pip install -e . && python app.py" in SHELL
    assert 'python -m pip install -e ".[test]" && python -m pytest' in SHELL


def test_files_that_are_named_exist():
    named = re.findall(r"`((?:tts_explorer|tests|assets)/[\w/.]*)`", README)
    assert named and [name for name in named if "NAME" not in name and not (ROOT / name).exists()] == []


def test_the_front_matter_is_a_spaces_card_and_spaces_yaml_repeats_it():
    spaces = yaml.safe_load((ROOT / "spaces.yaml").read_text(encoding="utf-8"))
    assert spaces["version"] == 1 and spaces["card"] == FRONT
    assert FRONT["sdk"] == "gradio" and (ROOT / FRONT["app_file"]).is_file()
    assert len(FRONT["short_description"]) <= 60
    assert re.fullmatch(r"\d+\.\d+\.\d+", FRONT["sdk_version"])


def test_what_is_written_by_hand_is_short_enough_to_read():
    written = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", README, flags=re.DOTALL)
    assert len(written.splitlines()) <= 390
