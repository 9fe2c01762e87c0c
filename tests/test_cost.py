"""The ledger: sums by model."""

from tts_explorer.cost import Cost, Ledger
from tts_explorer.events import CostIncurred, NodeAdded, Noted


def test_costs_are_summed_by_model():
    cost = Cost.of(
        [
            CostIncurred("policy", 1, 2, 3, 4.0, 0.5),
            NodeAdded((0,), "s", 3, -1.0, "step", False),
            CostIncurred("policy", 10, 20, 30, 40.0, 0.25, apportioned=True),
            CostIncurred("verifier", 5, 6, 7, 8.0, 1.0),
            Noted("info", "free"),
        ]
    )
    assert cost.policy == Ledger(11, 22, 33, 44.0, 0.75, 2, True)
    assert cost.verifier == Ledger(5, 6, 7, 8.0, 1.0, 1, False)
    assert (cost.nodes, cost.tokens, cost.flops) == (1, 40, 52.0)


def test_nothing_costs_nothing():
    assert Cost.of([]) == Cost() and Cost().tokens == 0 and Cost().flops == 0.0
