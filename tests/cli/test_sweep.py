"""`sweep`: what it prints, keeps and refuses."""

import json
import os
import signal

import pytest
from worlds import models_by_name

from tts_explorer.lab import sweep as lab
from tts_explorer.runner import Models

ASK = ("sweep", "--task", "arithmetic", "--level", 1, "--policy", "p", "--problems", 2, "--seeds", 2)
BOTH = (*ASK, "--strategy", "greedy", "--strategy", "best_of_n", "--set", "n=1,4", "--verifier", "v")


@pytest.fixture
def models(run, monkeypatch):
    """Scripted models in this process."""
    made = models_by_name()
    monkeypatch.setattr(lab, "models", lambda: made)
    monkeypatch.setattr(lab, "cores", lambda: 1)
    return made


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_with_json_standard_output_is_a_line_a_cell_and_nothing_else(run, models):
    result = run(*BOTH, "--json")
    assert result.exit_code == 0, result.output
    found = lines(result)
    assert [(c["strategy"], c["verifier"], c["settings"], c["seeds"], c["total"]) for c in found] == [
        ("greedy", None, {}, 1, 2),
        ("best_of_n", "v", {"n": 1}, 2, 4),
        ("best_of_n", "v", {"n": 4}, 2, 4),
    ]
    told = "task level policy verifier strategy settings problems seeds correct total accuracy low high tokens flops seconds"
    assert {*told.split(), "first", "split", "policy_flops", "verifier_flops", "tokens_spread"} <= set(found[0])
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == ["4 of 10", "6 of 10", "10 of 10"]


def test_without_it_there_is_a_table_under_what_is_the_same_for_all(run, models):
    result = run(*BOTH)
    above, head, *rows = result.stdout.splitlines()
    assert result.exit_code == 0 and len(rows) == 3 and above.strip() == "arithmetic 1, p"
    assert head.split() == "cell right 95% searches tokens MFLOPs seconds".split()
    assert rows[2].split()[:3] == ["best_of_n", "n=4", "v"] and "2 × 2" in rows[2] and "2 × 1" in rows[0]
    (one,) = run(*ASK, "--strategy", "greedy").stdout.splitlines()[2:]
    assert "%" in one.split()[0]


def test_the_same_again_runs_nothing_and_prints_the_same(run, models):
    first, second = run(*BOTH, "--json"), run(*BOTH, "--json")
    assert second.stdout == first.stdout and second.stderr == "10 of 10 searches are there already\n"


def test_every_option_reaches_the_searches(run, models):
    options = "--first 3 --split validation --temperature 0.5 --max-step-tokens 30 --aggregate min --rule majority"
    budgets = "--budget-nodes 900 --budget-tokens 9000 --budget-flops 1e12 --budget-seconds 60"
    (cell,) = lines(run(*ASK, "--strategy", "mcts", "--verifier", "v", "--json", *options.split(), *budgets.split()))
    assert (cell["first"], cell["split"], cell["temperature"], cell["max_step_tokens"]) == (3, "validation", 0.5, 30)
    assert (cell["aggregate"], cell["rule"]) == ("min", "majority")
    assert cell["budget"] == {"nodes": 900, "tokens": 9000, "flops": 1e12, "seconds": 60}


def test_values_of_one_setting_add_up_and_every_task_has_every_level(run, models):
    more = ("--strategy", "self_consistency", "--set", "n=1", "--set", "n=2, 1", "--task", "countdown", "--level", 2)
    found = lines(run(*ASK, *more, "--json"))
    assert [(c["task"], c["level"], c["settings"]["n"]) for c in found] == [
        (task, level, n) for task in ("arithmetic", "countdown") for level in (1, 2) for n in (1, 2)
    ]


def test_what_is_left_out_is_a_line_on_standard_error(run, models):
    result = run(*ASK, "--strategy", "beam_search", "--verifier", "v", "--set", "n=1,4", "--json")
    assert result.exit_code == 0 and len(lines(result)) == 1
    assert result.stderr.splitlines()[0].startswith("left out: beam_search n=1: beam_width is 4 and n is 1")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--strategy", "nosuch"), "no strategy 'nosuch'"),
        (("--strategy", "greedy", "--task", "nosuch"), "no task 'nosuch'"),
        (("--strategy", "greedy", "--level", "9"), "no level 9"),
        (("--strategy", "greedy", "--set", "n=4"), "leave it away"),
        (("--strategy", "best_of_n", "--set", "n=4,"), "n is ''"),
        (("--strategy", "best_of_n"), "choose a verifier"),
        (("--strategy", "greedy", "--problems", "0"), "problems is 0"),
        (("--strategy", "greedy", "--first", "-1"), "first is -1"),
        (("--strategy", "greedy", "--budget-flops", "nan"), "the budget of flops is nan"),
        (("--strategy", "greedy", "--db", "/dev/null/x.db"), "x.db can't be used as a session database"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_and_exit_code_1(run, models, arguments, complaint):
    result = run(*ASK, *arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("Error: ") and complaint in result.stderr


def test_a_model_that_is_not_there(run, monkeypatch):
    monkeypatch.setattr(lab, "models", Models)
    result = run("sweep", "--task", "countdown", "--strategy", "greedy", "--policy", "bundled:nosuch")
    assert result.exit_code == 1 and "no bundled model 'nosuch'" in result.stderr and result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [("sweep", "--task", "countdown"), ("sweep", "--strategy", "greedy"), (*BOTH, "--set", "n"), (*BOTH, "--workers", "0")],
)
def test_bad_usage_is_exit_code_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr


def test_jobs_that_fail_are_told_and_the_rest_is_printed(run, models):
    models.verifier("v").tick = lambda: 1 / 0
    result = run(*BOTH, "--json")
    assert result.exit_code == 1 and [cell["strategy"] for cell in lines(result)] == ["greedy"]
    assert result.stderr.count(": failed: 4 searches of best_of_n on arithmetic 1") == 2
    assert result.stderr.splitlines()[-1] == "Error: 2 of the jobs failed, and the same command tries them again"


@pytest.fixture
def interruptible():
    """As in the foreground: a shell lets what it starts in the background ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_what_is_done_and_says_how_much(run, models, monkeypatch, interruptible):
    monkeypatch.setattr(lab, "JOB", 5)
    policy = models.policy("p")
    tick, ran = policy.tick, []
    policy.tick = lambda: (ran.append(0), len(ran) == 400 and os.kill(os.getpid(), signal.SIGINT), tick())[-1]
    result = run(*BOTH, "--set", "n=2", "--problems", 30, "--json")
    assert (result.exit_code, result.stdout) == (130, "")
    said = result.stderr.splitlines()[-1]
    kept, total = (int(said.split()[place]) for place in (1, 3))
    assert 0 < kept < total == 210 and "searches are kept in sessions.db, and the same command goes on from there" in said
    again = run(*BOTH, "--set", "n=2", "--problems", 30, "--json")
    assert again.exit_code == 0 and again.stderr.splitlines()[0] == f"{kept} of 210 searches are there already"
