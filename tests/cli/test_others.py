"""`serve`, `models`, `train`, `doctor`."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy
import pytest
from safetensors.numpy import save_file

from tts_explorer.cli import models as listing
from tts_explorer.models import parameters
from tts_explorer.store import default_path

AS_EVER = {"device": "cpu", "threads": None, "precision": None}
"""How models are run where nothing is said."""


def test_serve_hands_its_options_to_the_page(run, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setitem(sys.modules, "tts_explorer.app", SimpleNamespace(serve=lambda **given: calls.append(given)))
    monkeypatch.setattr("tts_explorer.app", sys.modules["tts_explorer.app"], raising=False)
    assert run("serve", "--host", "0.0.0.0", "--port", 8000, "--db", tmp_path / "x.db").exit_code == 0
    assert run("serve").exit_code == 0
    assert calls[0] == {"host": "0.0.0.0", "port": 8000, "db": tmp_path / "x.db", **AS_EVER}
    assert calls[1]["db"] == tmp_path / "sessions.db"
    assert run("serve", "--port", 70000).exit_code == 2
    monkeypatch.delenv("TTS_EXPLORER_DB")
    assert run("serve").exit_code == 0 and calls[2]["db"] is None


def test_serve_runs_models_as_it_is_told_and_refuses_before_the_page_is_up(run, monkeypatch, tmp_path):
    from tts_explorer import app

    seen = []
    monkeypatch.setattr(app, "Service", lambda store, models: seen.append(models) or (store.close(), 1 / 0))
    assert isinstance(run("serve", "--threads", 3, "--quantize", "int8").exception, ZeroDivisionError)
    load = seen[0].load["policy"]
    assert load.keywords == seen[0].load["verifier"].keywords == AS_EVER | {"threads": 3, "precision": "int8"}
    result = run("serve", "--quantize", "int4", "--db", tmp_path / "never.db")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1) and "quantize is 'int4'" in result.stderr
    assert not (tmp_path / "never.db").exists() and len(seen) == 1


def test_a_port_that_is_taken_is_a_failure_and_no_bug(run, monkeypatch):
    def serve(**given):
        raise OSError("Cannot find empty port in range: 7860-7860.\n\nTry another.")

    monkeypatch.setitem(sys.modules, "tts_explorer.app", SimpleNamespace(serve=serve))
    monkeypatch.setattr("tts_explorer.app", sys.modules["tts_explorer.app"], raising=False)
    result = run("serve", "--port", 7860)
    assert result.exit_code == 1 and "127.0.0.1:7860 can't be listened on" in result.stderr


def model(folder, card):
    """A folder that looks like a model with 2 x 3 + 4 parameters."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    save_file({"a": numpy.zeros((2, 3)), "b": numpy.zeros(4)}, folder / "model.safetensors")
    (folder / "README.md").write_text(card)


def test_models_are_listed_from_their_files(run, monkeypatch, tmp_path):
    model(tmp_path / "models" / "tiny", "---\nlicense: apache-2.0\n---\n# Tiny\n\nIt guesses.\n\nMore.")
    model(tmp_path / "models" / "prm", "It judges.")
    for place in ("tts_explorer.models.folder", "tts_explorer.cli.models.folder"):
        monkeypatch.setattr(place, lambda: tmp_path)
    first, second, *others = run("models").stdout.splitlines()[1:]
    assert [line.split()[0] for line in others] == ["judge:policy", "program", "logprob", "self-certainty", "agreement"]
    assert all(line.split()[1:4] == ["verifier", "–", "–"] and line.rstrip().endswith(".") for line in others)
    assert first.split()[:3] == ["bundled:tiny", "policy", "10"] and first.rstrip().endswith("It guesses.")
    assert second.split()[:2] == ["bundled:prm", "verifier"] and "It judges." in second


def test_models_without_any(run, monkeypatch, tmp_path):
    monkeypatch.setattr("tts_explorer.models.folder", lambda: tmp_path)
    result = run("models")
    assert (result.exit_code, result.stdout) == (0, "") and "no bundled models" in result.stderr


def test_the_bundled_models_are_listed(run, bundled):
    listed = run("models").stdout
    assert "bundled:small" in listed and "bundled:prm" in listed and "no card" not in listed


def test_the_bundled_models_solve_with_nothing_but_a_task_and_a_verifier(run, bundled, monkeypatch):
    from tts_explorer.cli import solve
    from tts_explorer.runner import Models

    monkeypatch.setattr(solve, "Models", Models)
    result = run("solve", "--task", "countdown", "--level", 1, "--verifier", "bundled:prm", "--set", "n=4")
    assert result.exit_code == 0 and "bundled:small + bundled:prm" in result.stdout


def test_the_bundled_models_solve_with_int8_weights_and_the_session_says_so(run, bundled, monkeypatch):
    from tts_explorer.cli import solve
    from tts_explorer.runner import Models

    monkeypatch.setattr(solve, "Models", Models)
    asked = ("solve", "--task", "countdown", "--level", 1, "--verifier", "bundled:prm", "--set", "n=4", "--json")
    result = run(*asked, "--quantize", "int8", "--threads", 2)
    versions = json.loads(result.stdout.splitlines()[0])["versions"]
    assert result.exit_code == 0
    for name in ("bundled:small", "bundled:prm"):
        assert re.fullmatch("sha256:[0-9a-f]{64} int8", versions[name])


def test_train_takes_known_names_only(run, tmp_path):
    result = run("train", "policy", "nosuch", "--work", tmp_path)
    assert result.exit_code == 1 and "no recipe 'nosuch'" in result.stderr and "small" in result.stderr
    result = run("train", "prm", "prm", "--work", tmp_path)
    assert result.exit_code == 1 and "no policy in" in result.stderr
    assert run("train").exit_code == run("train", "policy").exit_code == 2


def test_train_hands_its_options_on(run, monkeypatch, tmp_path):
    calls = []

    def trained(name, work, **options):
        calls.append((name, work, options))
        return work / name

    monkeypatch.setattr("tts_explorer.train.policy.train_policy", trained)
    result = run("train", "policy", "smoke", "--work", tmp_path, "--steps", 3, "--seed", 5, "--device", "cuda")
    assert result.stdout.strip() == str(tmp_path / "smoke")
    (name, work, options) = calls[0]
    assert (name, work, options["steps"], options["seed"], options["device"]) == ("smoke", tmp_path, 3, 5, "cuda")


def test_doctor_names_what_it_stands_on(run, tmp_path):
    result = run("doctor")
    for subject in ("python", "torch", "transformers", "gradio", "sqlite", "database", "cores", "GB free"):
        assert subject in result.stdout
    assert str(tmp_path / "sessions.db") in result.stdout


def test_doctor_finds_the_bundled_models_well(run, bundled):
    result = run("doctor")
    assert result.exit_code == 0 and "bundled:small loads" in result.stdout and "bundled:prm loads" in result.stdout


def test_doctor_says_what_sameness_was_found(run, bundled):
    (line,) = [line for line in run("doctor").stdout.splitlines() if line.split()[1] == "sameness"]
    assert re.search(r"bundled:small on .+, 1 thread: rows are filled up to a multiple of \d+", line) and "attend" in line


@pytest.mark.parametrize("broken", ["database", "package", "models"])
def test_doctor_finds_what_is_broken(run, monkeypatch, tmp_path, broken):
    from tts_explorer.cli import doctor

    path = tmp_path / "sessions.db"
    if broken == "database":
        path.write_text("not a database at all, but a text. " * 50)
    if broken == "package":
        monkeypatch.setattr(doctor, "import_module", lambda name: (_ for _ in ()).throw(ImportError("no such package")))
    model(tmp_path / "models" / "small", "x")
    monkeypatch.setattr("tts_explorer.models.folder", lambda: tmp_path)
    result = run("doctor")
    assert result.exit_code == 1 and "BROKEN" in result.stdout and result.stderr.startswith("Error: ")


def test_the_header_is_all_that_is_read_of_the_weights(tmp_path):
    model(tmp_path / "m", "")
    assert parameters(tmp_path / "m") == 10
    assert listing.first_sentence(tmp_path / "nosuch.md") == "no card"


def test_the_default_database_is_in_the_platforms_data_folder():
    assert default_path().name == "sessions.db" and isinstance(default_path(), Path)
