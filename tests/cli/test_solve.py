"""`solve`: what it prints, stores and refuses."""

import json

import pytest

from tts_explorer.cli import solve as command
from tts_explorer.store import Store

FIGS = "Bo has 5 figs. Bo finds 3 figs. How many figs are left?"
ASK = ("solve", "--problem", FIGS, "--verifier", "v", "--set", "n=4", "--set", "beam_width=2")


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_it_prints_the_tree_the_answer_and_the_cost_and_the_id_on_standard_error(run, tmp_path):
    result = run(*ASK)
    assert result.exit_code == 0, result.output
    for part in (
        FIGS,
        "pruned",
        "★ chosen",
        "answer",
        "right",
        "nodes",
        "tokens sampled",
        "beam_search n=4 beam_width=2",
    ):
        assert part in result.stdout
    (session,) = Store(tmp_path / "sessions.db").sessions()
    assert result.stderr.split() == [session.id]


def test_with_json_standard_output_is_the_stored_stream_and_nothing_else(run, tmp_path):
    result = run(*ASK, "--json")
    (id,) = result.stderr.split()
    assert result.stdout_bytes == Store(tmp_path / "sessions.db").export(id)
    assert [event["seq"] for event in lines(result)] == list(range(len(lines(result))))
    assert lines(result)[0]["kind"] == "SearchStarted" and lines(result)[-1]["kind"] == "SearchFinished"


def test_every_option_reaches_the_search(run):
    options = "--strategy dvts --seed 7 --temperature 0.5 --max-step-tokens 30 --aggregate min --rule majority --policy q"
    budgets = "--budget-nodes 900 --budget-tokens 9000 --budget-flops 1e12 --budget-seconds 60"
    started = lines(run(*ASK, "--json", *options.split(), *budgets.split()))[0]
    assert (started["strategy"], started["seed"], started["aggregate"], started["rule"]) == (
        "dvts",
        7,
        "min",
        "majority",
    )
    assert started["sampling"] == {"temperature": 0.5, "max_step_tokens": 30}
    assert started["budget"] == {"nodes": 900, "tokens": 9000, "flops": 1e12, "seconds": 60}
    assert (started["policy"], started["verifier"], started["settings"]["beam_width"]) == ("q", "v", 2)


def test_how_models_are_run_reaches_them_both(run, monkeypatch):
    from worlds import fair, policy_of, verifier_of

    from tts_explorer.runner import Models

    given = []

    def policy(name, **options):
        given.append(options)
        return policy_of(fair, name=name, context=10_000)

    def verifier(name, **options):
        given.append(options)
        return verifier_of("fair", name=name)

    monkeypatch.setattr(command, "Models", lambda **options: Models(policy, verifier, **options))
    assert run(*ASK).exit_code == run(*ASK, "--device", "cpu", "--threads", 256, "--quantize", "int8").exit_code == 0
    assert given[:2] == [{"device": "cpu", "threads": None, "precision": None}] * 2
    assert given[2:] == [{"device": "cpu", "threads": 256, "precision": "int8"}] * 2


def test_a_tasks_problem_is_the_same_whatever_the_seed(run):
    asked = (
        "solve",
        "--task",
        "countdown",
        "--level",
        2,
        "--index",
        3,
        "--split",
        "validation",
        "--strategy",
        "greedy",
    )
    one, two = (lines(run(*asked, "--json", "--seed", seed))[0] for seed in (1, 2))
    assert one["problem"] == two["problem"] and one["problem_id"] == "validation/2/3"


def test_an_answer_grades_a_problem_that_no_task_reads(run):
    asked = (
        "solve",
        "--problem",
        "What is 5 + 3 in words?",
        "--strategy",
        "self_consistency",
        "--policy",
        "q",
        "--json",
    )
    grades = {e["answer"]: e["correct"] for e in lines(run(*asked, "--answer", "8")) if e["kind"] == "AnswerGraded"}
    assert grades["8"] is True and not any(correct for answer, correct in grades.items() if answer != "8")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--strategy", "nosuch"), "no strategy 'nosuch'"),
        (("--task", "nosuch"), "no task 'nosuch'"),
        (("--set", "n=10", "--set", "beam_width=4"), "beam_width must divide n"),
        (("--set", "n=0"), "n is '0'"),
        (("--set", "n=abc"), "n is 'abc'"),
        (("--set", "n=--1"), "n is '--1'"),
        (("--set", "n="), "n is ''"),
        (("--set", "size=3"), "no setting 'size'"),
        (("--problem", ""), "the problem is empty"),
        (("--problem", " \n"), "the problem is empty"),
        (("--problem", "x" * 10_000_000), "10000000 characters"),
        (("--problem", "Why?"), "this problem is of none of them"),
        (("--budget-nodes", "0"), "budget of nodes is 0"),
        (("--budget-tokens", "-5"), "budget of tokens is -5"),
        (("--budget-flops", "nan"), "budget of flops is nan"),
        (("--budget-seconds", "inf"), "budget of seconds is inf"),
        (("--temperature", "nan"), "temperature is nan"),
        (("--temperature", "-1"), "temperature is -1"),
        (("--seed", "-1"), "seed is -1"),
        (("--max-step-tokens", "0"), "max_step_tokens is 0"),
        (("--aggregate", "median"), "no aggregate 'median'"),
        (("--rule", "coin"), "no rule 'coin'"),
        (("--quantize", "int4"), "quantize is 'int4'"),
        (("--quantize", ""), "quantize is ''"),
        (("--device", "gpu"), "device is 'gpu': choose cpu or cuda"),
        (("--device", ""), "device is ''"),
        (("--device", "cuda", "--quantize", "int8"), "not both"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_and_exit_code_1(run, arguments, complaint):
    result = run(*ASK, *arguments)
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert complaint in result.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--level", "9"), "no level 9"),
        (("--index", "-1"), "index is -1"),
        (("--split", "dev"), "no split 'dev'"),
        ((), "asks for scores: choose a verifier"),
    ],
)
def test_a_problem_that_no_task_has(run, arguments, complaint):
    result = run("solve", "--task", "countdown", *arguments)
    assert (result.exit_code, result.stdout) == (1, "") and complaint in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--nosuch",),
        ("--set", "nonsense"),
        ("--set", "=4"),
        ("--level", "abc"),
        ("--budget-nodes", "many"),
        ("--budget-nodes", "1.5"),
        ("--threads", "0"),
        ("--threads", "257"),
        ("--threads", "all"),
        ("--quantize",),
        ("--seed",),
        ("surplus",),
    ],
)
def test_bad_usage_is_exit_code_2(run, arguments):
    result = run(*ASK, *arguments)
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr


def test_an_answer_without_a_problem_is_bad_usage(run):
    assert run("solve", "--task", "countdown", "--answer", "3").exit_code == 2


@pytest.mark.parametrize("name", ["nosuch", "bundled:nosuch", "empty"])
def test_models_that_are_not_there(run, monkeypatch, tmp_path, name):
    from tts_explorer.runner import Models

    monkeypatch.setattr(command, "Models", Models)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    result = run("solve", "--task", "countdown", "--strategy", "greedy", "--policy", name)
    assert result.exit_code == 1 and result.stderr.count("\n") == 1 and "no " in result.stderr


def test_a_spent_budget_is_no_failure(run):
    result = run(*ASK, "--budget-tokens", "3")
    assert result.exit_code == 0 and "budget: the budget of 3 tokens is spent" in result.stdout


def test_a_search_that_fails_says_so(run, monkeypatch):
    from worlds import policy_of

    from tts_explorer.runner import Models

    def broken(name):
        policy = policy_of("fair", context=10_000)
        policy.tick = lambda: 1 / 0
        return policy

    monkeypatch.setattr(command, "Models", lambda **options: Models(broken))
    result = run("solve", "--problem", FIGS, "--strategy", "greedy")
    assert result.exit_code == 1 and "Error: the search failed:" in result.stderr and "ZeroDivisionError" in result.stderr


def test_a_session_that_cannot_be_saved_is_a_failure(run, monkeypatch):
    def full(self, batch):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "append", full)
    result = run(*ASK)
    assert result.exit_code == 1 and "could not be saved" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("db", ["notes.txt", "notes.txt/x.db", "."])
def test_a_database_that_cannot_be_one(run, tmp_path, monkeypatch, db):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("What I did last summer. " * 50)
    for arguments in (ASK, ("sessions",), ("replay", "last"), ("export", "last")):
        result = run(*arguments, "--db", db)
        assert result.exit_code == 1 and "can't be used as a session database" in result.stderr


REPEATS = ("solve", "--problem", FIGS, "--strategy", "self_consistency", "--set", "n=2", "--policy", "q")


def test_repeats_are_stored_each_and_reported_together(run, tmp_path):
    result = run(*REPEATS, "--repeats", 4, "--seed", 3)
    assert result.exit_code == 0, result.output
    sessions = Store(tmp_path / "sessions.db").sessions()
    assert sorted(s.seed for s in sessions) == [3, 4, 5, 6]
    assert set(result.stderr.split()) == {s.id for s in sessions} and len(result.stderr.split()) == 4
    right = sum(s.correct is True for s in sessions)
    for part in (f"{25 * right}% of 4 searches right", "best", "worst", "majority", "spread", FIGS, "done"):
        assert part in result.stdout


def test_repeats_are_the_searches_that_each_seed_has_alone(run, tmp_path):
    together = lines(run(*REPEATS, "--repeats", 3, "--json"))
    alone = [lines(run(*REPEATS, "--seed", seed, "--json")) for seed in range(3)]
    streams = [[]]
    for event in together:
        if event["seq"] == 0 and streams[-1]:
            streams.append([])
        streams[-1].append(event)
    assert len(streams) == 3
    for one, other in zip(streams, alone, strict=True):
        assert [e["seq"] for e in one] == list(range(len(one))) and one[-1]["kind"] == "SearchFinished"
        assert {(tuple(e["node"]), e["text"]) for e in one if e["kind"] == "NodeAdded"} == {
            (tuple(e["node"]), e["text"]) for e in other if e["kind"] == "NodeAdded"
        }


def test_with_json_the_streams_of_repeats_can_be_imported_again(run, tmp_path):
    result = run(*REPEATS, "--repeats", 3, "--json")
    (tmp_path / "three.jsonl").write_bytes(result.stdout_bytes)
    assert len(run("import", tmp_path / "three.jsonl").stdout.split()) == 3


def test_repeats_without_a_known_answer_are_not_graded(run):
    asked = ("solve", "--problem", "What is 5 + 3 in words?", "--strategy", "greedy", "--policy", "q", "--repeats", 2)
    ungraded, graded = run(*asked), run(*asked, "--answer", "8")
    assert "not graded" in ungraded.stdout and "searches right" not in ungraded.stdout
    assert "of 2 searches right" in graded.stdout


def test_a_seed_too_high_for_all_repeats_starts_none(run, tmp_path):
    result = run(*REPEATS, "--repeats", 2, "--seed", 2**63 - 1)
    assert result.exit_code == 1 and f"seed is {2**63}" in result.stderr
    assert Store(tmp_path / "sessions.db").sessions() == []


@pytest.fixture
def judged(run, monkeypatch):
    """`run`, with a judge that writes."""
    from worlds import fair, judge_of, policy_of, verifier_of

    from tts_explorer.runner import Models

    def verifier(name, **options):
        return judge_of("fair", context=10_000) if name.startswith("judge:") else verifier_of("fair", name=name)

    def policy(name, **options):
        return policy_of(fair, name=name, context=10_000)

    monkeypatch.setattr(command, "Models", lambda **options: Models(policy, verifier, **options))
    return run


WORTH = ("solve", "--problem", FIGS, "--strategy", "solve_and_verify", "--policy", "q")


def test_a_worth_is_divided_between_solutions_and_verdicts(judged):
    result = judged(*WORTH, "--worth", 21, "--divide", "even", "--ratio", 1, "--json")
    told, id = result.stderr.splitlines()
    assert told == "S = 4, V = 4: worth 20 of 21 solutions at λ = 1, by even" and len(id) == 22
    started = lines(result)[0]
    assert (started["strategy"], started["settings"]) == ("solve_and_verify", {"n": 4, "votes": 4})
    started = lines(judged(*WORTH, "--worth", 21, "--ratio", 1, "--json"))[0]
    assert started["settings"] == {"n": 5, "votes": 3}


def test_a_worth_without_verdicts_is_plain_majority(judged):
    started = lines(judged(*WORTH, "--worth", 7, "--divide", 0, "--ratio", 1, "--json"))[0]
    assert (started["strategy"], started["rule"], started["settings"]) == ("self_consistency", "majority", {"n": 7})


def test_the_ratio_is_that_of_the_sessions_with_both_models(judged):
    unknown = judged(*WORTH, "--worth", 8)
    assert unknown.exit_code == 1 and "by judge:judge on a solution by q costs: record a search" in unknown.stderr
    assert judged(*WORTH, "--set", "n=8", "--set", "votes=2").exit_code == 0
    result = judged(*WORTH, "--worth", 100)
    assert result.exit_code == 0 and "by paper" in result.stderr.splitlines()[0]
    fit = judged(*WORTH, "--worth", 100, "--divide", "fit", "--ratio", 0.5)
    assert fit.exit_code == 0 and "by fit (" in fit.stderr and "S = " in fit.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--worth", "0.5"), "worth is 0.5"),
        (("--worth", "nan"), "worth is nan"),
        (("--worth", "8", "--ratio", "0"), "ratio is 0"),
        (("--worth", "8", "--ratio", "1", "--divide", "odd"), "divide is 'odd'"),
        (("--worth", "8", "--ratio", "1", "--divide", "-2"), "divide is -2"),
        (("--worth", "8", "--ratio", "1", "--divide", "9"), "one solution with 9 verdicts takes 10"),
        (("--worth", "8", "--ratio", "1", "--divide", "fit"), "a fit needs 3 budgets"),
        (("--worth", "300", "--ratio", "1", "--divide", "0"), "n is 300"),
    ],
)
def test_a_worth_that_cannot_be_divided_is_one_sentence(judged, arguments, complaint):
    result = judged(*WORTH, *arguments)
    assert result.exit_code == 1 and result.stdout == ""
    assert complaint in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--divide", "even"),
        ("--ratio", "1"),
        ("--worth", "8", "--set", "n=4"),
        ("--worth", "8", "--set", "votes=4"),
        ("--worth", "8", "--strategy", "best_of_n"),
        ("--worth", "much"),
        ("--repeats", "0"),
        ("--repeats", "257"),
        ("--repeats", "two"),
    ],
)
def test_options_that_do_not_go_together_are_bad_usage(judged, arguments):
    result = judged(*WORTH, *arguments)
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr


def test_ctrl_c_ends_all_repeats_as_cancelled(run, monkeypatch, tmp_path):
    import os
    import signal

    from worlds import fair, policy_of

    from tts_explorer.runner import Models

    policy = policy_of(fair, context=10_000)
    tick = policy.tick
    policy.tick = lambda: (policy.ticks == 3 and os.kill(os.getpid(), signal.SIGINT)) or tick()
    monkeypatch.setattr(command, "Models", lambda **options: Models(lambda name, **options: policy, **options))
    result = run(*REPEATS, "--repeats", 3)
    assert result.exit_code == 130 and "of 3 searches right" in result.stdout
    assert [s.state for s in Store(tmp_path / "sessions.db").sessions()] == ["cancelled"] * 3
