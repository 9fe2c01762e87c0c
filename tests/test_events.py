"""The wire form: one example of every kind, and what a reader must survive."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.events import (
    KINDS,
    AnswerGraded,
    AnswerSelected,
    CostIncurred,
    FeedbackGiven,
    LookedAhead,
    NodeAdded,
    NodePruned,
    NodeScored,
    NodeSelected,
    Noted,
    Record,
    SearchFinished,
    SearchStarted,
    Verdict,
    clean,
    from_dict,
    to_dict,
)

ONE_OF_EACH = [
    SearchStarted("What is 1 + 1?", "beam_search", settings={"n": 4}, budget={"nodes": 9.0}, versions={"m": "sha256:00"}),
    NodeAdded((0, 2), "step\n\n", 4, -1.25, "step", False, revises=(1, 0)),
    NodeAdded((1,), "\\boxed{2}", 9, -0.5, "eos", True, answer="2", greedy=True),
    NodeScored((0,), 0.25),
    NodeScored((0, 2), None, (Verdict("Looks right.", 0.75, 4), Verdict("", 0.0, 1))),
    LookedAhead((0,), "and so on", 3),
    FeedbackGiven((1,), "Try again.", 3, "self"),
    NodePruned((0, 2), "rank"),
    NodeSelected((0,), visits=3, value=0.5),
    CostIncurred("policy", 1, 2, 3, 4.0, 0.5, True),
    Noted("warning", "careful"),
    AnswerSelected("2", (1,), "best", {"2": 0.5}),
    AnswerGraded("2", None),
    SearchFinished("budget", "spent"),
]


def test_every_kind_has_an_example():
    assert {type(event).__name__ for event in ONE_OF_EACH} == set(KINDS)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_the_wire_form_inverts_through_json_text(event):
    record = Record(3, 0.5, None, event)
    assert from_dict(to_dict(record)) == record
    assert from_dict(json.loads(json.dumps(to_dict(record), allow_nan=False))) == record


def test_the_envelope_comes_first_and_the_kind_is_the_class_name():
    wire = to_dict(Record(7, 1.234, 5, NodePruned((0, 2), "rank")))
    assert list(wire.items()) == [
        ("seq", 7), ("at", 1.234), ("line", 5), ("kind", "NodePruned"), ("node", (0, 2)), ("reason", "rank")
    ]  # fmt: skip


def test_fields_of_the_contract_are_all_there():
    """DESIGN §8: fields are only ever added, a kind is never renamed."""
    fields = {name: " ".join(kind.__dataclass_fields__) for name, kind in KINDS.items()}
    assert {name: set(text.split()) for name, text in fields.items()} == {
        "SearchStarted": set(
            "schema started problem task problem_id truth strategy settings source policy verifier sampling aggregate "
            "rule seed budget parent versions".split()
        ),
        "NodeAdded": set("node text tokens logprob stop terminal answer greedy revises certainty".split()),
        "NodeScored": set("node reward verdicts".split()),
        "LookedAhead": set("node text tokens".split()),
        "FeedbackGiven": set("node text tokens by accepted".split()),
        "NodePruned": set("node reason".split()),
        "NodeSelected": set("node visits value weight".split()),
        "CostIncurred": set("role prompt_tokens forwarded_tokens sampled_tokens flops seconds apportioned".split()),
        "Noted": set("level message".split()),
        "AnswerSelected": set("answer node rule votes".split()),
        "AnswerGraded": set("answer correct".split()),
        "SearchFinished": set("status detail".split()),
    }


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_fields_of_a_newer_program_are_left_out(event):
    wire = json.loads(json.dumps(to_dict(Record(0, 0.0, None, event)))) | {"colour": "green"}
    for verdict in wire.get("verdicts", ()):
        verdict["colour"] = "green"
    assert from_dict(wire).event == event


def test_fields_with_a_default_may_be_missing():
    wire = {"seq": 0, "at": 0.0, "line": None, "kind": "NodeScored", "node": [0], "reward": 0.5}
    assert from_dict(wire).event == NodeScored((0,), 0.5)


@pytest.mark.parametrize("gone", ["seq", "at", "line", "kind", "node", "reason"])
def test_a_missing_field_is_an_error(gone):
    wire = to_dict(Record(0, 0.0, None, NodePruned((0,), "rank")))
    del wire[gone]
    with pytest.raises(KeyError):
        from_dict(wire)


def test_events_can_not_be_changed():
    with pytest.raises(AttributeError):
        NodePruned((0,), "rank").reason = "by hand"


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_stored_and_keeps_its_length(text):
    assert len(clean(text)) == len(text) and "\0" not in clean(text)
    clean(text).encode("utf-8")
    assert clean(clean(text)) == clean(text)


@given(st.text())
def test_writable_text_is_left_as_it_is(text):
    assert clean(text) == text.replace("\0", "\ufffd")
