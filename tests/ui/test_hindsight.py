"""What can be said of a search once it is over."""

from __future__ import annotations

import pytest

from tts_explorer.answers import reselect
from tts_explorer.events import AnswerGraded, AnswerSelected, CostIncurred, NodeAdded, NodeScored, SearchFinished, SearchStarted
from tts_explorer.models.flops import Flops
from tts_explorer.tongue import Tongue
from tts_explorer.tree import AGGREGATES
from tts_explorer.ui import hindsight as module
from tts_explorer.ui.hindsight import greedy_sentence, hindsight, human, others, worth
from tts_explorer.ui.service import example, examples


def searched(policy: str = "bundled:small", scored: bool = True) -> list:
    """Two wrong answers of high last rewards, one right one that min and prod prefer."""
    events = [SearchStarted("p", "best_of_n", policy=policy, aggregate="last")]
    rewards = {0: ("7", 0.1, 0.9), 1: ("7", 0.2, 0.8), 2: ("8", 0.8, 0.7)}
    for child, (answer, first, last) in rewards.items():
        events.append(NodeAdded((child,), "a\n\n", 3, -1.0, "step", False, None))
        events.append(NodeAdded((child, 0), f"\\boxed{{{answer}}}", 4, -1.0, "eos", True, answer))
        if scored:
            events += [NodeScored((child,), first), NodeScored((child, 0), last)]
    events.append(CostIncurred("policy", 9, 30, 21, 4e6, 0.1))
    return [
        *events,
        AnswerSelected("7", (0, 0), "best", {"7": 0.9}),
        AnswerGraded("7", False),
        AnswerGraded("8", True),
        SearchFinished("done"),
    ]


def test_equal_answers_are_one_line_the_chosen_one_first() -> None:
    assert others(searched()) == [
        {"answer": "7", "correct": False, "chosen": True,
         "by": [["best", ["last"]], ["majority", []], ["weighted", ["last", "mean"]]]},
        {"answer": "8", "correct": True, "chosen": False,
         "by": [["best", ["min", "prod", "mean"]], ["weighted", ["min", "prod"]], ["last", []]]},
    ]  # fmt: skip


@pytest.mark.parametrize("name", examples())
def test_it_is_what_a_reselection_says(name: str) -> None:
    events = [record.event for record in example(name)[0]]
    for told in others(events):
        for rule, aggregates in told["by"]:
            for aggregate in aggregates or AGGREGATES:
                tree = reselect(events, rule=rule, aggregate=aggregate)
                assert (tree.selected.answer, tree.correct) == (told["answer"], told["correct"])


def test_without_scores_only_counting_rules_are_told_and_too_little_says_nothing() -> None:
    assert {rule for told in others(searched(scored=False)) for rule, _ in told["by"]} == {"majority", "last"}
    assert others(searched()[:-1]) == [] and others(searched()[:2]) == [] == others([])


def test_a_greedy_answer_against_the_largest_model(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"bundled:small": Flops(90, 10, 1), "bundled:large": Flops(380, 20, 1)}
    monkeypatch.setattr(module, "flops_of", sizes.get)
    monkeypatch.setattr(module, "largest_bundled", lambda: "bundled:large")
    assert worth(searched()) == {"own": 4e6, "large": 16e6, "name": "bundled:large"}
    assert worth(searched("bundled:large")) == worth(searched("hf:a/b")) == {"own": 4e6}
    assert worth([]) is None


def test_the_greedy_sentence() -> None:
    more = [*searched(), CostIncurred("policy", 9, 30, 21, 88e6, 0.1)]
    assert greedy_sentence(more, searched()) == (
        "The same model’s greedy answer: 7 – wrong, at 1/23 of the cost (21 tokens, 4 MFLOPs)."
    )
    assert greedy_sentence(more, searched(), Tongue("pl")) == (
        "Zachłanna odpowiedź tego samego modelu: 7 – błędna, za 1/23 kosztu (21 tokenów, 4 MFLOP)."
    )
    nothing = [SearchStarted("p", "greedy"), SearchFinished("cancelled")]
    assert greedy_sentence(more, nothing) == "The same model’s greedy answer: none (0 tokens, 0 FLOPs)."
    assert greedy_sentence(more, nothing[:1]) == greedy_sentence(more, []) == ""
    assert [human(x) for x in (0, 999, 1e3, 4.56e9, 1e12)] == ["0 ", "999 ", "1 k", "4.56 G", "1 T"]
    assert hindsight([], []).worth is None
