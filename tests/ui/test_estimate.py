"""What a search will take, said before it begins: against recorded searches, and without loading a model."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from worlds import SMALL

from tts_explorer.cost import Cost
from tts_explorer.events import SearchStarted
from tts_explorer.models import POLICY_AS_JUDGE
from tts_explorer.runner import Ask
from tts_explorer.store import Store
from tts_explorer.strategies import needs_words, strategy_named, strategy_names
from tts_explorer.tongue import Tongue
from tts_explorer.ui import estimate as module
from tts_explorer.ui.estimate import UNKNOWN_FAMILY, estimate, flops_in, rounded, spelt
from tts_explorer.ui.rehearsal import lengths, rehearsed
from tts_explorer.ui.service import example, examples
from tts_explorer.wire import read_streams


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "sessions.db")
    yield store
    store.close()


@pytest.mark.parametrize("name", examples())
def test_a_rehearsal_comes_near_what_a_recorded_search_took(name: str) -> None:
    for stream in example(name):
        start = stream[0].event
        assert isinstance(start, SearchStarted)
        cost = Cost.of(record.event for record in stream)
        ask = Ask(policy=start.policy, verifier=start.verifier, strategy=start.strategy, settings=start.settings, seed=start.seed)
        spent = rehearsed(ask, lengths(start.task, int(start.problem_id.split("/")[1])))
        print(name, start.strategy, spent.sampled / cost.tokens, flops_in(ask, spent) / cost.flops)
        assert 0.7 < spent.sampled / cost.tokens < 1.5
        assert 0.7 < flops_in(ask, spent) / cost.flops < 1.8


@pytest.mark.parametrize("strategy", strategy_names())
def test_every_strategy_is_estimated(strategy: str, store: Store) -> None:
    verifier = POLICY_AS_JUDGE if needs_words(strategy_named(strategy), {}) else "bundled:prm"
    ask = Ask(strategy=strategy, verifier=verifier, settings=SMALL[strategy], task="countdown")
    said = estimate(ask, store)
    assert said.startswith("About ") and "FLOPs, worth " in said and " s on" not in said


def test_what_is_wrong_is_said_instead(store: Store) -> None:
    assert "beam_width must divide n" in estimate(
        Ask(task="countdown", verifier="bundled:prm", settings={"beam_width": 3}), store
    )
    assert "asks for scores" in estimate(Ask(task="countdown"), store)
    assert "knows only its own families" in estimate(Ask(problem="What is love?"), store)
    assert estimate(Ask(problem="What is love?", policy="hf:a/b"), store) == UNKNOWN_FAMILY
    assert estimate(Ask(task="countdown", strategy="greedy", policy="hf:a/b"), store) == "About 60 tokens."


def test_seconds_come_from_earlier_searches_here(store: Store) -> None:
    data = (Path(module.__file__).parents[2] / "assets" / "sessions" / f"{examples()[0]}.jsonl").read_bytes()
    store.import_bytes(data)
    cost = Cost.of(record.event for stream in read_streams(data, "it") for record in stream)
    rate = cost.flops / (cost.policy.seconds + cost.verifier.seconds)
    assert module.seconds("bundled:small", 3 * rate, store) == pytest.approx(3)
    assert module.seconds("bundled:other", rate, store) is None
    assert " s on this machine, worth " in estimate(Ask(task="countdown", verifier="bundled:prm"), store)


def test_numbers_have_two_digits() -> None:
    assert [rounded(x) for x in (0, 0.0049, 0.996, 1.44, 9.96, 16.2, 2913)] == ["0", "0.005", "1", "1.4", "10", "16", "2,900"]
    assert spelt(2913, 1.43e9, 0.82, 16.2) == "About 2,900 tokens, 1.4 GFLOPs, 0.82 s on this machine, worth 16 greedy answers."
    assert spelt(60, 2e8, None, 1.0) == "About 60 tokens, 200 MFLOPs, worth one greedy answer."


def test_it_is_said_in_the_readers_language(store: Store) -> None:
    said = [spelt(2913, 1.43e9, 0.82, 1.4, say=Tongue(language)) for language in ("it", "pl")]
    assert said == [
        "Circa 2900 token, 1,4 GFLOPs, 0,82 s su questa macchina, quanto 1,4 risposte greedy.",
        "Mniej więcej 2900 tokenów, 1,4 GFLOP, 0,82 s na tym komputerze, tyle co 1,4 odpowiedzi zachłannej.",
    ]
    wrong = Ask(task="countdown", verifier="bundled:prm", settings={"beam_width": 3})
    assert estimate(wrong, store, Tongue("it")).startswith("beam_width è 3 e n è 16: beam_width deve dividere n")


def test_a_huge_search_is_not_rehearsed_to_its_end(store: Store) -> None:
    said = estimate(Ask(strategy="best_of_n", settings={"n": 256}, verifier="bundled:prm", task="sat", level=5), store)
    assert said.startswith("More than ")
    less = Ask(strategy="self_consistency", settings={"n": 256}, task="sat", level=5, budget={"tokens": 500.0})
    assert estimate(less, store).startswith(("About 500 tokens", "About 510 tokens"))


def test_no_model_is_loaded_for_it() -> None:
    code = (
        "import sys; from tts_explorer.runner import Ask; from tts_explorer.ui.rehearsal import lengths, rehearsed;"
        "rehearsed(Ask(verifier='bundled:prm'), lengths('maze', 5)); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
