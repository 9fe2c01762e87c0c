"""Each bench at its smallest size: one JSON object, counts that are exact, names that are checked. No time is asserted."""

from __future__ import annotations

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tts_explorer.assets import folder
from tts_explorer.bench import shapes
from tts_explorer.bench.rounds import Course
from tts_explorer.errors import BadSetting, UnknownName

SMALL = ("--n", 4, "--beam-width", 2, "--rounds", 3, "--steps", 5, "--prompt", 7, "--repeat", 2)
EVEN = 7 + 3 * 4 * 5
"""Unique tokens of that search: the prompt, and four steps a round."""


@pytest.fixture
def bundled():
    """Skip without the bundled models, except where they must be there."""
    if not all((folder() / "models" / name / "model.safetensors").is_file() for name in ("small", "prm")):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("the bundled models are missing")


def whole(result, name):
    """What every bench tells."""
    assert set(result) - {"note"} == {"bench", "settings", "environment", "results", "figures"} and result["bench"] == name
    assert {"torch", "transformers", "python", "platform", "cpu", "threads"} <= set(result["environment"])
    spreads = [value for line in [*result["results"], result["figures"]] for value in line.values() if isinstance(value, dict)]
    for value in spreads:
        assert value["low"] <= value["median"] <= value["high"] and len(value["values"]) == result["settings"]["repeat"]
        assert value["low"] > 0
    return result["results"], result["figures"]


def test_the_engine_computes_each_token_once_and_the_plain_way_every_prefix(measured):
    (engine, plain), figures = whole(measured("engine", *SMALL), "engine")
    assert (engine["side"], plain["side"]) == ("engine", "plain")
    assert (figures["unique_tokens"], figures["steps"], figures["equal_steps"], figures["share_equal"]) == (EVEN, 12, 12, 1.0)
    assert figures["largest_reward_difference"] < 1e-5
    prefixes = [7 + 5 * depth for depth in range(3)]
    assert plain["policy_forwarded"] == 4 * sum(prefix + 4 for prefix in prefixes) and plain["policy_padding"] == 0
    assert plain["verifier_forwarded"] == 4 * sum(prefix + 5 for prefix in prefixes)
    assert engine["verifier_forwarded"] == EVEN and engine["policy_forwarded"] <= EVEN
    assert engine["policy_per_unique"] == engine["policy_forwarded"] / EVEN <= 1 < plain["policy_per_unique"]
    assert 0 < engine["rows_a_call"] <= 4 and plain["rows_a_call"] is None


def test_ragged_steps_have_the_lengths_that_their_places_say(measured):
    (engine, plain), figures = whole(measured("engine", *SMALL, "--ragged"), "engine")
    assert figures["share_equal"] == 1.0 and engine["verifier_forwarded"] == figures["unique_tokens"]
    assert plain["policy_padding"] > 0


def test_the_roofline_has_a_line_for_each_number_of_rows(measured):
    lines, figures = whole(measured("engine", "--roofline", "--prompt", 5, "--repeat", 2), "roofline")
    assert [line["rows"] for line in lines] == [1, 4, 16, 64]
    assert figures["parameters"] == 1_181_312 and figures["read_gb_s"] > 0 and figures["multiply_gflop_s"] > 0
    assert lines[3]["multiply_floor_ms"] == pytest.approx(64 * lines[0]["multiply_floor_ms"])


def test_the_verifier_reads_each_token_once_or_each_text_whole(measured):
    lines, figures = whole(measured("verifier", *SMALL), "verifier")
    assert [(line["steps"], line["side"]) for line in lines] == [
        (steps, side) for steps in ("even", "ragged") for side in ("incremental", "whole")
    ]
    assert lines[0]["forwarded"] == figures["unique_tokens_even"] == EVEN
    assert lines[1]["forwarded"] == 4 * sum(7 + 5 * depth for depth in (1, 2, 3))
    assert lines[2]["per_unique"] == 1 < lines[3]["per_unique"]
    assert max(figures["largest_reward_difference_even"], figures["largest_reward_difference_ragged"]) < 1e-5


def test_searches_in_company_are_those_alone(measured, bundled):
    few = ("--searches", 2, "--n", 4, "--beam-width", 2, "--rows", 4, "--level", 1, "--repeat", 1)
    lines, figures = whole(measured("concurrency", *few), "concurrency")
    assert [line["searches"] for line in lines] == ["alone", "together"]
    assert figures["compared"] == figures["equal"] == figures["same_steps"] == 2
    assert lines[0]["events"] == lines[1]["events"] > 10
    assert all(1 <= line["rows_a_call"] <= 4 for line in lines)


def test_int8_is_told_apart_by_accuracy_and_equal_answers(measured, bundled):
    result = measured("quantize", "--problems", 3, "--level", 1)
    lines, figures = result["results"], result["figures"]
    assert result["bench"] == "quantize" and result["settings"]["problems"] == 3
    assert [(line["search"], line["precision"]) for line in lines] == [
        (search, precision) for search in ("greedy", "one sample", "beam search") for precision in ("float32", "int8")
    ]
    for line in lines:
        assert line["problems"] == 3 and line["accuracy"] == line["right"] / 3 and line["cpu_s"] > 0
        assert 0 <= line["low"] <= line["accuracy"] <= line["high"] <= 1
    assert {0 <= figures[f"equal_answers_{name}"] <= 1 for name in ("greedy", "one_sample", "beam_search")} == {True}


def test_the_beam_search_takes_some_of_the_problems_and_turns_take_all(monkeypatch):
    from tts_explorer.bench import quantize

    seen = []

    def searched(models, asks, name):
        seen.append((models.options, asks[0].strategy, len(asks), name))
        return SimpleNamespace(streams=[[] for _ in asks], cpu=1.0)

    class Fake:
        def __init__(self, **options):
            self.options = options["precision"]

    monkeypatch.setattr(quantize, "Models", Fake)
    monkeypatch.setattr(quantize, "searched", searched)
    result = quantize.bench_quantize(70, level=3, threads=1)
    assert [line["problems"] for line in result["results"]] == [70, 70, 70, 70, 60, 60]
    turns = [(side, name, size) for side, strategy, size, name in seen if strategy == "greedy" and name != "warm"]
    sizes = ((0, 20), (1, 20), (2, 20), (3, 10))
    assert turns == [(side, f"turn {i}", size) for i, size in sizes for side in (None, "int8")]
    assert result["results"][1]["cpu_s"] == 4.0 and result["figures"]["equal_answers_greedy"] == 1.0


def test_the_engine_with_int8_weights_is_near_the_plain_way(measured):
    result = measured("engine", *SMALL, "--quantize", "int8")
    assert result["settings"]["precision"] == "int8" and measured("engine", *SMALL)["settings"]["precision"] == "float32"
    (engine, plain), figures = whole(result, "engine")
    assert engine["verifier_forwarded"] == EVEN < plain["verifier_forwarded"]
    assert figures["equal_steps"] == 0 or 0 < figures["largest_reward_difference"] < 0.1


def test_the_store_gives_back_what_it_was_given(measured):
    lines, figures = whole(measured("store", "--events", 300, "--repeat", 2), "store")
    assert [line["batch"] for line in lines] == [1, 16, 256]
    assert all(line["bytes_an_event"] > figures["wire_bytes_an_event"] / 2 for line in lines)


def test_a_table_holds_the_same(run):
    result = run("engine", *SMALL)
    assert result.exit_code == 0 and "share equal: 1.00" in result.stdout and "plain over engine total" in result.stdout
    assert run("store", "--events", 20, "--repeat", 1).stdout.startswith("bench store: events 20, repeat 1\n")


def test_threads_are_those_asked_for_and_one_by_default(measured, monkeypatch):
    given = []
    monkeypatch.setattr("tts_explorer.bench.verifier.bench_verifier", lambda *args, **options: given.append(options) or {})
    assert measured("verifier", "--threads", 7) == measured("verifier") == {}
    assert [options["threads"] for options in given] == [7, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("engine", "--shape", "7b"), 1, "no shape '7b': choose one of bundled, slice, 0.5b"),
        (("engine", "--roofline", "--shape", ""), 1, "no shape ''"),
        (("verifier", "--shape", "Bundled"), 1, "no shape 'Bundled'"),
        (("engine", "--n", 6, "--beam-width", 4), 1, "beam_width must divide n"),
        (("verifier", "--n", 2, "--beam-width", 4), 1, "beam_width must divide n"),
        (("concurrency", "--n", 6, "--beam-width", 4), 1, "beam_width must divide n"),
        (("concurrency", "--level", 9), 1, "level"),
        (("engine", "--quantize", "int4"), 1, "quantize is 'int4'"),
        (("engine", "--roofline", "--quantize", "int8"), 1, "leave --quantize or --roofline away"),
        (("quantize", "--level", 9), 1, "no level 9"),
        (("quantize", "--problems", 0), 2, "problems"),
        (("engine", "--rounds", 0), 2, "rounds"),
        (("store", "--events", 0), 2, "events"),
        (("engines",), 2, "engines"),
        ((), 2, "engine"),
    ],
    ids=str,
)
def test_wrong_names_and_numbers_are_told_in_a_sentence(run, arguments, code, words):
    result = run(*arguments)
    assert result.exit_code == code and words in result.output and "Traceback" not in result.output
    if code == 1:
        assert result.stdout == "" and result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1


def test_shapes_are_those_of_the_models_that_they_are_named_after():
    from transformers import AutoConfig

    real, made = AutoConfig.from_pretrained(folder() / "models" / "small"), shapes.SHAPES["bundled"]()
    for name in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "head_dim"):
        assert getattr(made, name) == getattr(real, name), name
    assert made.num_key_value_heads == real.num_key_value_heads and made.tie_word_embeddings == real.tie_word_embeddings
    half = shapes.SHAPES["0.5b"]()
    assert (half.hidden_size, half.num_hidden_layers, half.intermediate_size, half.vocab_size) == (896, 24, 4864, 151936)
    with pytest.raises(UnknownName):
        shapes.random_verifier("nosuch", context=10, threads=1)


def test_a_random_model_is_the_same_each_time_and_leaves_the_dice_alone():
    import torch

    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    first, second = (shapes.random_policy("bundled", context=10, threads=1).model.state_dict() for _ in range(2))
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_course_is_ragged_around_its_mean_and_the_same_for_everybody():
    course = Course(ragged=True)
    lengths = [course.length((i, j)) for i in range(40) for j in range(40)]
    assert (min(lengths), max(lengths)) == (4, 64) and lengths == [course.length((i, j)) for i in range(40) for j in range(40)]
    assert {replace(course, ragged=False).length((i,)) for i in range(9)} == {32}
    assert course.context >= 100 + 10 * 64
    assert len(course.children([()])) == len(course.children([(0,), (1,), (2,), (3,)])) == 16
    with pytest.raises(BadSetting):
        Course(n=10, beam_width=4)
