"""What a link asks of Explore, without a browser."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from worlds import SMALL

from tts_explorer.events import Record, SearchStarted
from tts_explorer.models import POLICY_AS_JUDGE
from tts_explorer.store import Store
from tts_explorer.strategies import strategy_names
from tts_explorer.tasks import task_named
from tts_explorer.tasks.base import problem_at
from tts_explorer.tongue import Tongue
from tts_explorer.ui import controls
from tts_explorer.ui.links import settings_query
from tts_explorer.ui.prefill import FILLED, Offered, Prefill, prefilled

OFFERED = Offered(["countdown", "maze"], ["bundled:small"], ["bundled:prm", POLICY_AS_JUDGE], strategy_names())
CLOSED = Offered(OFFERED.tasks, OFFERED.policies, OFFERED.verifiers, OFFERED.strategies, open_models=False)


def read(link: str, offered: Offered = OFFERED) -> Prefill:
    return prefilled(dict(parse_qsl(link, keep_blank_values=True)), offered)


def test_a_whole_link_is_read() -> None:
    asked = read(
        "task=countdown&level=4&index=7&policy=bundled:small&verifier=&strategy=dvts&seed=3&temperature=0.7&n=8&beam_width=2"
    )
    text = problem_at(task_named("countdown"), "test", 4, 7).text
    assert asked.chosen == {
        "task": "countdown", "level": 4, "index": 7, "problem": text, "policy": "bundled:small", "verifier": "",
        "strategy": "dvts", "seed": 3, "temperature": 0.7,
    }  # fmt: skip
    assert asked.settings == {"n": 8, "beam_width": 2} and asked.said() == FILLED


def test_a_place_in_a_session_fills_no_control() -> None:
    asked = read("session=abc&at=-1&node=0.2.11&view=table&embed=1&present=1&__theme=dark")
    assert asked.opening == {"at": -1, "node": "0.2.11", "view": "table"} and asked.said() == ""
    assert read("node=").opening == {"node": ""}


def test_bad_values_are_named_in_one_sentence_and_the_rest_is_kept() -> None:
    asked = read("task=maze&level=9&index=x&strategy=beam_search&n=1000&max_depth=3&seed=-1&at=soon&node=a.b&view=moon")
    assert asked.settings == {"max_depth": 3} and asked.chosen["strategy"] == "beam_search" and not asked.opening
    assert asked.chosen["problem"] == problem_at(task_named("maze"), "test", 3, 0).text
    assert len(asked.refused) == 7 and "level is '9': it must be a whole number from 1 to 5" in asked.said()
    assert "n is '1000': it must be a whole number from 1 to 256" in asked.said() and asked.said().count(". ") == 0
    long = read("strategy=" + "x" * 5000)
    assert "x" * 24 + "…" in long.said() and len(long.said()) < 500


def test_what_is_left_out_is_said_in_the_readers_language() -> None:
    assert read("level=9&n=8&node=a.b").said(Tongue("it")) == (
        "Il resto del link è tenuto, ma level è '9': deve essere un intero da 1 a 5;"
        " node è 'a.b': deve essere un percorso come 0.2."
    )


@pytest.mark.parametrize(
    "link", ["task=nope", "strategy=nope", "level=", "temperature=nan", "temperature=inf", "seed=1e3", "problem=" + "a" * 9000]
)
def test_nonsense_is_refused(link: str) -> None:
    asked = read(link)
    assert len(asked.refused) == 1 and not asked.chosen


def test_other_models_only_where_they_may_be_named() -> None:
    assert read("policy=hf:a/b").chosen == {"policy": "hf:a/b"}
    assert read("policy=hf:a/b", CLOSED).refused and read("policy=bundled:gone").refused
    assert read("policy=hf:a/b&verifier=judge:hf:a/b").chosen["verifier"] == POLICY_AS_JUDGE


@pytest.mark.parametrize("strategy", strategy_names())
def test_what_the_sessions_page_links_to_is_taken_whole(strategy: str, tmp_path) -> None:
    start = SearchStarted(
        "a text", strategy, task="countdown", problem_id="test/3/7", policy="bundled:small", verifier="bundled:prm",
        settings=SMALL[strategy], sampling={"temperature": 0.5}, seed=4,
    )  # fmt: skip
    store = Store(tmp_path / "sessions.db")
    store.append([("one", [Record(0, 0.0, None, start)])])
    asked = read(settings_query(store.session("one")))
    store.close()
    assert asked.said() == FILLED and asked.settings == SMALL[strategy]
    assert (asked.chosen["seed"], asked.chosen["temperature"], asked.chosen["index"]) == (4, 0.5, 7)
    assert len(controls.updates(asked, list(controls.all_settings()))) == 10 + len(controls.all_settings())


def test_only_taught_families_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"bundled:a": ["maze"], "bundled:b": ["countdown", "maze"], "bundled:c": []}
    monkeypatch.setattr(controls, "bundled_policies", lambda: list(known))
    for place in ("tts_explorer.ui.controls.families", "tts_explorer.models.families"):
        monkeypatch.setattr(place, lambda policy: known.get(policy, []))
    assert controls.taught_tasks() == ["countdown", "maze"]
    assert controls.strange("bundled:a", "countdown").startswith("bundled:a was trained on maze alone")
    assert (
        controls.strange("bundled:a", "maze") == controls.strange("bundled:c", "sat") == controls.strange("hf:a/b", "sat") == ""
    )
    for place in ("tts_explorer.ui.controls.families", "tts_explorer.models.families"):
        monkeypatch.setattr(place, lambda policy: [])
    assert len(controls.taught_tasks()) > 4


def test_a_family_that_the_chosen_models_do_not_know_brings_ones_that_do(monkeypatch):
    known = {"bundled:narrow": ["countdown"], "bundled:wide": ["countdown", "maze"], "bundled:prm": ["countdown"]}
    for place in ("tts_explorer.ui.controls.families", "tts_explorer.models.families"):
        monkeypatch.setattr(place, lambda name: known.get(name, []))
    monkeypatch.setattr(controls, "bundled_policies", lambda: ["bundled:narrow", "bundled:wide"])
    monkeypatch.setattr(controls, "bundled_verifiers", lambda: ["bundled:prm"])
    assert controls.suited("maze", "bundled:narrow", "bundled:prm") == ("bundled:wide", "program")
    assert controls.suited("maze", "bundled:wide", "judge:policy") == ("bundled:wide", "judge:policy")
    assert controls.suited("countdown", "bundled:narrow", "bundled:prm") == ("bundled:narrow", "bundled:prm")
    assert controls.suited("maze", "some/folder", "another") == ("some/folder", "another"), "nobody knows what they know"
