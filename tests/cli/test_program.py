"""The real program, as processes: what it imports, signals, closed pipes, a terminal."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tts_explorer.store import Store

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ASK = ["solve", "--problem", "Bo has 5 figs. Bo finds 3 figs. How many figs are left?", "--verifier", "v"]
ASK += ["--set", "n=32", "--set", "max_depth=64"]


@pytest.fixture
def start(tmp_path):
    """Start the slow search with more arguments; what still runs at the end is ended."""
    started = []

    def call(*arguments, **options):
        command = [sys.executable, str(HERE / "slow_search.py"), *ASK, "--db", str(tmp_path / "s.db"), *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment(), **pipes))
        return started[-1]

    yield call
    for process in started:
        process.kill()
        process.communicate()


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("TTS_EXPLORER_")} | {
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "90",
        "LINES": "30",
    }


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60)


def test_help_and_lists_import_neither_torch_nor_gradio(tmp_path):
    code = """
import sys
from tts_explorer.cli import app
for arguments in (["--help"], ["sessions", "--db", sys.argv[1]], ["solve", "--help"], ["models"]):
    app(arguments, standalone_mode=False)
print(sorted({"torch", "gradio", "transformers", "plotly"} & set(sys.modules)))
"""
    done = python("-c", code, str(tmp_path / "s.db"))
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_the_module_is_the_program():
    done = python("-m", "tts_explorer", "replay", "nosuch", "--db", "/dev/null/x.db")
    assert done.returncode == 1 and done.stderr.startswith("Error: x.db can't be used") and "Traceback" not in done.stderr
    assert python("-m", "tts_explorer").returncode == 2


def test_a_bug_is_one_line_too(tmp_path):
    code = "from tts_explorer.cli import main, sessions; sessions.open_store = lambda db: 1 / 0; main()"
    done = python("-c", code, "sessions")
    assert done.returncode == 1 and done.stdout == ""
    assert "bug" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_search_as_cancelled_with_its_answer_so_far(start, tmp_path, number, code):
    process = start("--json")
    lines = [process.stdout.readline()]
    while b'"answer":"8"' not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()
    process.send_signal(number)
    rest, errors = process.stdout.read(), process.stderr.read()
    assert process.wait(timeout=30) == code and b"Traceback" not in errors
    events = [json.loads(line) for line in (b"".join(lines) + rest).splitlines()]
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert (events[-1]["kind"], events[-1]["status"]) == ("SearchFinished", "cancelled")
    assert [event["answer"] for event in events if event["kind"] == "AnswerSelected"] == ["8"]
    with closing(Store(tmp_path / "s.db")) as store:
        assert store.export(errors.decode().split()[-1]) == b"".join(lines) + rest


def test_without_json_a_signal_still_prints_the_tree(start):
    process = start()
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=30)
    assert process.returncode == 130 and b"cancelled: stopped by hand" in out and b"Traceback" not in errors


def test_a_closed_pipe_cancels_the_search_without_a_word(start, tmp_path):
    process = start("--json")
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(timeout=30) == 1 and len(errors.split()) == 1, errors
    with closing(Store(tmp_path / "s.db")) as store:
        assert store.session(errors.decode().strip()).state == "cancelled"


def test_on_a_terminal_the_tree_is_drawn_live_and_a_second_signal_leaves_at_once(start):
    """The second one may come before the first was seen to, so the end is by either."""
    ours, theirs = pty.openpty()
    process = start(stdout=theirs)
    os.close(theirs)
    seen = b""
    while seen.count(b"Bo has 5 figs") < 4:
        assert select.select([ours], [], [], 30)[0], "nothing was drawn"
        seen += os.read(ours, 65536)
    frame = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen)
    assert "├──".encode() in frame and b"0.90" in frame
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    while select.select([ours], [], [], 0.2)[0]:
        try:
            if not os.read(ours, 65536):
                break
        except OSError:
            break
    assert process.wait(timeout=30) in (130, -signal.SIGINT)
    os.close(ours)
