"""`sessions`, `replay`, `export`, `import`: what is stored comes out as it went in."""

import json
import os
import stat

import pytest

FIGS = "Bo has 5 figs. Bo finds 3 figs. How many figs are left?"


@pytest.fixture
def ids(run):
    """Two stored sessions, the older one first."""
    solve = ("solve", "--problem", FIGS, "--set", "n=4")
    first = run(*solve, "--verifier", "v", "--set", "beam_width=2").stderr.split()
    return first + run(*solve, "--strategy", "self_consistency").stderr.split()


def test_sessions_are_listed_newest_first(run, ids):
    listed = [line.split()[0] for line in run("sessions").stdout.splitlines()[1:]]
    assert listed == ids[::-1]
    assert [json.loads(line)["id"] for line in run("sessions", "--json").stdout.splitlines()] == ids[::-1]
    assert [json.loads(line)["id"] for line in run("sessions", "--json", "--limit", 1).stdout.splitlines()] == ids[1:]


@pytest.mark.parametrize(("query", "found"), [("figs", 2), ("FIGS left", 2), ("kiwis", 0), ('"', 2), ("AND", 0), ("\x1b", 0)])
def test_sessions_are_searched_by_words(run, ids, query, found):
    result = run("sessions", "--search", query, "--json")
    assert result.exit_code == 0 and len(result.stdout.splitlines()) == found


def test_an_empty_list_says_what_to_do_on_standard_error(run):
    result = run("sessions")
    assert (result.exit_code, result.stdout) == (0, "") and "tts-explorer solve" in result.stderr


def test_replay_prints_what_solve_printed(run):
    solved = run("solve", "--problem", FIGS, "--verifier", "v", "--set", "n=4")
    (id,) = solved.stderr.split()
    for name in (id, id[:6], "last"):
        assert run("replay", name).stdout == solved.stdout


def test_replay_and_export_give_the_stored_bytes(run, ids, tmp_path):
    data = run("export", ids[0]).stdout_bytes
    assert run("replay", ids[0], "--json").stdout_bytes == data
    file = tmp_path / "one.jsonl"
    assert run("export", ids[0], "-o", file).stdout == ""
    assert file.read_bytes() == data == run("replay", file, "--json").stdout_bytes
    assert run("replay", file).stdout == run("replay", ids[0]).stdout
    assert run("export", *ids).stdout_bytes == data + run("export", "last").stdout_bytes


def test_import_prints_new_ids_that_export_the_same(run, ids, tmp_path):
    file = tmp_path / "both.jsonl"
    run("export", *ids, "--output", file)
    result = run("import", file)
    new = result.stdout.split()
    assert result.exit_code == 0 and len(new) == 2 and not set(new) & set(ids)
    assert run("export", *new).stdout_bytes == file.read_bytes()


def test_a_damaged_file_imports_nothing(run, ids, tmp_path):
    file = tmp_path / "cut.jsonl"
    data = run("export", *ids).stdout_bytes
    file.write_bytes(data[:-9])
    for command in ("import", "replay"):
        result = run(command, file)
        assert (result.exit_code, result.stdout) == (1, "") and "cut.jsonl was refused whole: line" in result.stderr
    assert len(run("sessions").stdout.splitlines()) == 3


def test_an_export_replaces_a_file_at_once_or_not_at_all(run, ids, tmp_path, monkeypatch):
    file = tmp_path / "out.jsonl"
    file.write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        result = run("export", "last", "-o", file)
    assert result.exit_code == 1 and "No space left" in result.stderr and file.read_text() == "before"
    assert run("export", "last", "-o", file).exit_code == 0
    assert file.read_bytes() == run("export", "last").stdout_bytes
    assert stat.S_IMODE(file.stat().st_mode) & 0o444 and list(tmp_path.glob(".out*")) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("replay", "nosuch"), "no session 'nosuch'"),
        (("replay", "nosuch.jsonl"), "no file 'nosuch.jsonl'"),
        (("replay", ""), "no session ''"),
        (("export", "nosuch"), "no session 'nosuch'"),
        (("import", "nosuch.jsonl"), "nosuch.jsonl can't be read"),
        (("import", "."), "can't be read"),
        (("export", "last", "-o", "nosuch/out.jsonl"), "can't be written"),
    ],
)
def test_names_of_nothing(run, ids, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1 and result.stdout == "" and complaint in result.stderr and result.stderr.count("\n") == 1


def test_a_prefix_of_several_ids_is_refused(run, tmp_path):
    from tts_explorer.events import Record, SearchStarted
    from tts_explorer.store import Store

    store = Store(tmp_path / "sessions.db")
    store.append([(id, [Record(0, 0.0, None, SearchStarted("p", "greedy"))]) for id in ("abc", "abd")])
    assert "more than one" in run("replay", "ab").stderr


@pytest.mark.parametrize("arguments", [("replay",), ("export",), ("import",), ("sessions", "--limit", "0"), ("replay", "a", "b")])
def test_bad_usage_is_exit_code_2(run, arguments):
    assert run(*arguments).exit_code == 2


def test_text_from_a_file_cannot_steer_the_terminal(run, tmp_path):
    evil = "\x1b[2J\x1b]0;title\x07[red]x[/red]\u202e"
    started = {"seq": 0, "at": 0, "line": None, "kind": "SearchStarted", "problem": evil, "strategy": evil}
    node = {"node": [0], "text": evil, "tokens": 1, "logprob": 0, "stop": "eos", "terminal": True, "answer": evil}
    noted = {"seq": 2, "at": 0, "line": None, "kind": "Noted", "level": "info", "message": evil}
    file = tmp_path / "evil.jsonl"
    added = {"seq": 1, "at": 0, "line": None, "kind": "NodeAdded"} | node
    file.write_text("\n".join(map(json.dumps, (started, added, noted))))
    assert run("import", file).exit_code == 0
    shown = run("replay", file).stdout + run("sessions").stdout
    assert "[red]x[/red]" in shown and not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "interrupted" in shown
