"""C(S, V): divisions never cost more than they may, exponents, fits, and λ as recorded."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import drive, judge_of, search

from tts_explorer.errors import BadSetting
from tts_explorer.lab import divide
from tts_explorer.lab.divide import Division, Law, Point, divided, fitted, known_ratio, points_of, ratio_of, recorded
from tts_explorer.store import Store

RATIOS = st.floats(0.01, 20)
WORTHS = st.floats(1, 4096)


@given(WORTHS, RATIOS, st.sampled_from(["even", "paper", "fit"]))
def test_a_division_is_of_whole_numbers_and_never_costs_more(worth, ratio, way):
    found = divided(worth, ratio, way, law=Law(0.7, 0.6, 3))
    assert found.solutions >= 1 and found.verdicts >= 0
    assert found.cost(ratio) <= worth * (1 + 1e-6)
    assert Division(found.solutions, found.verdicts + 1).cost(ratio) > worth * (1 - 1e-6)  # one verdict more does not fit


@given(WORTHS, RATIOS, st.integers(0, 40))
def test_a_fixed_number_of_verdicts_buys_all_the_solutions_it_can(worth, ratio, verdicts):
    if worth < (1 + ratio * verdicts) * (1 - 1e-6):
        with pytest.raises(BadSetting, match=f"one solution with {verdicts} verdicts takes"):
            divided(worth, ratio, verdicts)
    elif worth > (1 + ratio * verdicts) * (1 + 1e-6):
        found = divided(worth, ratio, verdicts)
        assert found.verdicts == verdicts and found.cost(ratio) <= worth * (1 + 1e-6)
        assert Division(found.solutions + 1, verdicts).cost(ratio) > worth * (1 - 1e-6)


@given(st.floats(1, 1e6), RATIOS)
def test_even_is_as_many_verdicts_as_solutions_and_paper_has_its_exponents(worth, ratio):
    even = divide._balanced(worth, ratio, 0, 0)
    assert even * (1 + ratio * even) == pytest.approx(worth)
    solutions = divide._balanced(worth, ratio, *divide.PAPER)
    verdicts = (worth / solutions - 1) / ratio
    assert solutions / verdicts == pytest.approx(worth ** (0.57 - 0.39), rel=1e-6)


def test_a_hundredfold_budget_divides_as_the_paper_says():
    small, large = divided(1e4, 1, "paper"), divided(1e8, 1, "paper")
    assert math.log(large.solutions / small.solutions, 1e4) == pytest.approx(0.57 + 0.02, abs=0.01)
    assert math.log(large.verdicts / small.verdicts, 1e4) == pytest.approx(0.39 + 0.02, abs=0.01)


def test_little_worth_is_plain_majority_unless_a_verdict_is_asked_for():
    assert divided(1, 1, "paper") == Division(1, 0) == divided(1.9, 1, "even")
    assert divided(2, 1, "even", least=1) == Division(1, 1) and divided(4, 3, "paper", least=1) == Division(1, 1)
    assert divided(7, 1, 0) == Division(7, 0)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((0.5, 1, "even"), "worth is 0.5: it must be a number from 1"),
        ((math.nan, 1, "even"), "worth is nan"),
        ((math.inf, 1, 2), "worth is inf"),
        ((4, 0, "even"), "ratio is 0: it must be more than 0"),
        ((4, -1, 3), "ratio is -1"),
        ((4, math.nan, "paper"), "ratio is nan"),
        ((4, 1, "odd"), "divide is 'odd': choose even, paper, fit, or a whole number of verdicts"),
        ((4, 1, -1), "divide is -1"),
        ((4, 1, 9), "one solution with 9 verdicts takes 10"),
        ((4, 1, "fit"), "give the law that was fitted"),
    ],
)
def test_nonsense_is_refused(arguments, complaint):
    with pytest.raises(BadSetting, match=complaint):
        divided(*arguments)


def lawful(exponent, ratio, most=10):
    """Points of which at each budget those nearest to C^exponent solutions are best."""
    sizes = [2**i for i in range(most)]
    near = [(s, v, abs(math.log(s) - exponent * math.log(Division(s, v).cost(ratio)))) for s in sizes for v in [0, *sizes]]
    return [Point(Division(s, v), 1 / (1 + off)) for s, v, off in near]


@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.7])
def test_a_fit_finds_the_exponent_that_made_the_data(exponent):
    law = fitted(lawful(exponent, 1.0), 1.0)
    assert law.exponent == pytest.approx(exponent, abs=0.12) and law.budgets >= 5
    assert divided(100, 1, "fit", law=law).solutions == pytest.approx(100**exponent, rel=0.6)


def test_too_few_budgets_are_no_fit():
    for points in ([], [Point(Division(4, 1), 0.5)], [Point(Division(s, 0), 0.5) for s in (1, 2, 4, 8, 16)]):
        with pytest.raises(BadSetting, match="a fit needs 3 budgets .* and there are 0: record searches by solve_and_verify"):
            fitted(points, 1.0)


def verified(id="a", **options):
    """A finished search by solve_and_verify on scripted models, and its records."""
    run = search("solve_and_verify", verifier=judge_of("fair", context=9999), id=id, settings={"n": 4, "votes": 3}, **options)
    (records,) = drive(run)
    return run, records


def test_the_ratio_is_mean_tokens_of_verdicts_over_those_of_solutions():
    run, _ = verified()
    verdicts = [verdict.tokens for node in run.tree.nodes.values() for verdict in node.verdicts]
    ends = [node for node in run.tree.nodes.values() if node.terminal]
    solutions = [len(run.tree.text(node.id)) for node in ends]
    assert len(verdicts) >= 3 and len(solutions) == 4
    expected = (sum(verdicts) / len(verdicts)) / (sum(solutions) / len(solutions))
    assert ratio_of([run.tree]) == pytest.approx(expected)
    assert ratio_of([]) is None and ratio_of([drive_one("best_of_n").tree]) is None


def drive_one(strategy):
    run = search(strategy)
    drive(run)
    return run


def test_points_are_the_expected_grades_of_fewer_solutions_with_fewer_verdicts():
    trees = [verified(seed=seed)[0].tree for seed in range(5)]
    found = {(p.division.solutions, p.division.verdicts): p.accuracy for p in points_of(trees)}
    assert set(found) == {(s, v) for s in (1, 2, 4) for v in (0, 1, 2, 3)}
    shares = [sum(tree.grades.get(n.answer or "") is True for n in tree.nodes.values() if n.terminal) / 4 for tree in trees]
    assert [found[1, v] for v in (0, 1, 2, 3)] == pytest.approx([sum(shares) / 5] * 4)
    assert found[4, 3] == sum(tree.correct is True for tree in trees) / 5
    assert points_of([]) == []


def test_searches_of_other_sizes_are_left_out():
    trees = [verified(seed=seed)[0].tree for seed in range(2)]
    other = search("solve_and_verify", settings={"n": 9, "votes": 1})
    drive(other)
    assert points_of([*trees, other.tree]) == points_of(trees)


def test_recorded_searches_of_the_same_two_models_tell_the_ratio(tmp_path):
    store = Store(tmp_path / "s.db")
    run, records = verified()
    store.append([("one", records)])
    names = run.policy.name, run.verifier.name
    assert ratio_of(recorded(store, *names)) == ratio_of([run.tree])
    assert known_ratio(recorded(store, *names), *names, results=tmp_path) == ratio_of([run.tree])
    assert recorded(store, *names, "arithmetic") and not recorded(store, *names, "countdown")
    assert recorded(store, names[0], "another") == [] == recorded(store, "another", names[1])
    store.close()


def test_without_recordings_the_kept_figure_of_these_models_tells_it_or_nothing_does(tmp_path):
    with pytest.raises(BadSetting, match="a verdict by j on a solution by p costs: record a search .* or give --ratio"):
        known_ratio([], "p", "j", results=tmp_path)
    kept = tmp_path / "verification.json"
    fact = {"policy": "p", "verifier": "j", "task": "maze", "ratio": 0.8}
    kept.write_text(json.dumps([fact, fact | {"task": "sat", "ratio": 1.2}]))
    assert known_ratio([], "p", "j", "maze", results=tmp_path) == 0.8
    assert known_ratio([], "p", "j", results=tmp_path) == known_ratio([], "p", "j", "chess", results=tmp_path) == 1.0
    with pytest.raises(BadSetting, match="by j on a solution by q"):
        known_ratio([], "q", "j", results=tmp_path)
