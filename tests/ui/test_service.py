"""What the page asks of the worker and the store, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from viz.streams import ahead, refinement, verified

from tts_explorer.errors import UnknownName, UserError
from tts_explorer.events import Noted, Record, SearchFinished, SearchStarted
from tts_explorer.models.scripted import ScriptedPolicy, ScriptedVerifier
from tts_explorer.runner import Ask, Models
from tts_explorer.store import Store
from tts_explorer.ui import service as module
from tts_explorer.ui.service import EXAMPLE, OPEN, Service, examples


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    policy = ScriptedPolicy(lambda text, rng: ("\\boxed{1}", "eos") if "\n\n" in text else ("a\n\n", "step"))
    models = Models(lambda name: policy, lambda name: ScriptedVerifier(lambda problem, steps: 0.5))
    service = Service(Store(tmp_path / "sessions.db"), models)
    yield service
    service.close()


def ended(service: Service, id: str) -> None:
    assert all(live.done.wait(20) for live in service.begun[id])


def test_a_search_and_a_greedy_one_beside_it_are_stored_and_listed_once(service: Service) -> None:
    id = service.start(Ask(strategy="best_of_n", verifier="v", task="countdown"), "me")
    ended(service, id)
    state = service.state(id, [])
    assert not state.live and isinstance(state.records[-1].event, SearchFinished)
    assert state.baseline.startswith("The same model’s greedy answer: 1 – wrong, at 1/")
    assert service.state(id, [], alone=True).baseline == ""
    assert [session.id for session in service.store.sessions(children=False)] == [id]
    assert service.state(id, state.records).records == state.records
    service.begun.clear()
    assert service.state(id, []) == state


def test_a_page_of_sessions_is_full_though_greedy_ones_lie_between(service: Service) -> None:
    ids = [service.start(Ask(strategy="self_consistency", task="countdown"), name) for name in "abc"]
    for id in ids:
        ended(service, id)
    assert {session.id for session in service.store.sessions(limit=3, children=False)} == set(ids)


def test_all_that_was_said_of_a_node_is_told(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "records", lambda id, known=(): {"r": refinement, "v": verified, "a": ahead}[id]())
    (given,) = service.node("r", "1.0.0")["feedback"]
    assert (given["by"], given["accepted"]) == ("self", None) and given["text"].endswith("I am not sure.\n")
    verdicts = service.node("v", "1.0.0")["verdicts"]
    assert len(verdicts) == 8 and verdicts[0]["p_yes"] == 0.91 and verdicts[7]["text"].endswith("The answer is 99: No\n")
    assert service.node("a", "0")["lookahead"] == "126 - 37 = 89\n\n\\boxed{89}"
    assert service.node("a", "0.0")["lookahead"] is None


def test_the_full_text_of_a_path_is_told_and_nonsense_is_empty(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    id = service.start(Ask(strategy="best_of_n", verifier="v", task="countdown"), "me")
    ended(service, id)
    steps = service.node(id, "0.0")["steps"]
    assert [step["text"] for step in steps] == ["a\n\n", "\\boxed{1}"] and steps[0]["reward"] == 0.5
    service.begun.clear()
    monkeypatch.setattr(service.store, "child", lambda *asked: pytest.fail("a click needs no greedy search"))
    assert service.node(id, "0.0")["steps"] == steps
    assert service.node(id, "9.9") == service.node("nope", "0") == service.node(id, "x.y") == {"steps": []}


def test_a_second_click_reads_nothing_again(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    id = service.start(Ask(strategy="best_of_n", verifier="v", task="countdown"), "me")
    ended(service, id)
    before = service.node(id, "0.0")
    read, records = [], service.store.records
    monkeypatch.setattr(service.store, "records", lambda *asked, **more: read.extend(found := records(*asked, **more)) or found)
    assert service.node(id, "0.0") == before and read == []
    for other in range(OPEN):
        service.node(f"example-{examples()[other]}", "0")
    assert len(service.trees) == OPEN and service.node(id, "0.0") == before and read


def test_a_new_search_stops_the_visitors_old_one_and_no_other(service: Service) -> None:
    slow = Ask(strategy="self_consistency", settings={"n": 256}, task="arithmetic", level=5)
    ids = [service.start(slow, "other"), service.start(slow, "me"), service.start(slow, "me")]
    for id in ids:
        ended(service, id)
    assert [service.store.session(id).state for id in ids] == ["done", "cancelled", "done"]
    assert not service.stop("me")


def test_a_search_that_can_not_be_saved_says_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(batch: object) -> None:
        raise OSError("database or disk is full")

    monkeypatch.setattr(service.store, "append", full)
    id = service.start(Ask(strategy="self_consistency", task="countdown"), "me")
    ended(service, id)
    with pytest.raises(UserError, match="could not be saved .*disk is full"):
        service.state(id, [])


def test_a_search_of_another_process_is_followed_to_its_end(service: Service) -> None:
    begun, more, ended = (
        Record(0, 0.0, None, SearchStarted("p", "greedy")), Record(1, 0.1, None, Noted("info", "on")),
        Record(2, 0.2, None, SearchFinished("done")),
    )  # fmt: skip
    service.store.append([("other", [begun])])
    state = service.state("other", [])
    assert state.live and state.records == [begun]
    service.store.append([("other", [more])])
    state = service.state("other", state.records)
    assert state.live and state.records == [begun, more]
    service.store.append([("other", [ended])])
    state = service.state("other", state.records)
    assert not state.live and not state.interrupted and state.records == [begun, more, ended]


def test_a_search_whose_process_is_gone_is_interrupted(service: Service) -> None:
    service.store.append([("cut", [Record(0, 0.0, None, SearchStarted("p", "greedy"))])])
    assert not service.state("cut", []).interrupted
    service.store.connection.execute("UPDATE searches SET owner = '1:0:another boot'")
    service.store.connection.commit()
    assert service.state("cut", []).interrupted


def test_only_the_last_tabs_and_searches_are_remembered(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for tab in ("one", "two", "one", "three"):
        service.look(tab, "a")
    assert list(service.looking) == ["one", "three"]
    ids = [service.start(Ask(strategy="greedy", task="countdown"), name) for name in "abc"]
    assert list(service.begun) == ids[1:] and service.mine == dict(zip("bc", ids[1:], strict=True))


def test_recordings_are_whole_and_unknown_ones_are_named(service: Service) -> None:
    assert examples()
    for name in examples():
        state = service.state(EXAMPLE + name, [])
        assert isinstance(state.records[-1].event, SearchFinished) and " – wrong, at 1/" in state.baseline
    for id in (EXAMPLE + "nope", EXAMPLE + "../first", "nope"):
        with pytest.raises(UnknownName):
            service.state(id, [])
