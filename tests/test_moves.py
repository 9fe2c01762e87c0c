"""Moves and settings: counts, shares, ranges."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.errors import BadSetting
from tts_explorer.moves import Expand, Note, Setting, portions, require_divides, require_setting, shares, softmax
from tts_explorer.tree import Node

A, B = Node((0,)), Node((1,))


@given(st.integers(0, 300), st.integers(1, 64))
def test_shares_differ_by_one_at_most_and_the_first_get_more(n, k):
    parts = shares(n, k)
    assert sum(parts) == n and len(parts) == k
    assert parts == sorted(parts, reverse=True) and parts[0] - parts[-1] <= 1


def test_no_beam_has_no_share():
    assert shares(8, 0) == []


WEIGHTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=40).filter(lambda many: sum(many) > 1e-6)


@given(st.integers(0, 300), WEIGHTS)
def test_portions_sum_to_all_and_are_off_by_less_than_one(n, weights):
    weights = [weight / sum(weights) for weight in weights]
    counts = portions(n, weights)
    assert sum(counts) == n and all(abs(count - n * weight) < 1 for count, weight in zip(counts, weights, strict=True))


@given(st.integers(0, 300), st.integers(1, 64))
def test_equal_weights_have_the_portions_of_shares(n, k):
    assert portions(n, [1 / k] * k) == shares(n, k)


@given(st.lists(st.floats(0, 1) | st.just(-inf), min_size=1, max_size=40), st.sampled_from([0.01, 0.2, 1, 10]))
def test_softmax_sums_to_one_and_keeps_the_order(scores, temperature):
    weights = softmax(scores, temperature)
    assert sum(weights) == pytest.approx(1) and all(0 <= weight <= 1 for weight in weights)
    assert sorted(weights) == [weight for _, weight in sorted(zip(scores, weights, strict=True))]
    if max(scores) > -inf:
        assert all(weight == 0 for score, weight in zip(scores, weights, strict=True) if score == -inf)


def test_softmax_of_failures_alone_is_even_and_of_nothing_is_nothing():
    assert softmax([-inf, -inf]) == [0.5, 0.5] and softmax([]) == [] == portions(0, [])


def test_one_count_is_for_each_node_and_a_list_is_one_a_node():
    assert Expand([A, B], 3).counts == [3, 3]
    assert Expand([A, B], [2, 0]).counts == [2, 0]
    assert Expand([], []).counts == [] == Expand([], 4).counts


@pytest.mark.parametrize("n", [[1], [1, 2, 3], [1, -1], -1])
def test_counts_that_do_not_fit_are_an_error(n):
    with pytest.raises(ValueError, match="one count"):
        _ = Expand([A, B], n).counts


def test_a_note_is_about_no_node():
    assert Note("hello").nodes == () and Note("hello").level == "info"


@pytest.mark.parametrize(("m", "n"), [(3, 16), (32, 16), (16, 24)])
def test_a_beam_width_that_does_not_divide_is_refused_with_what_would(m, n):
    with pytest.raises(BadSetting, match=rf"{m} and n is {n}.*choose one of \[1, 2, "):
        require_divides(m, n)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (4, 16), (16, 16)])
def test_a_beam_width_that_divides_is_fine(m, n):
    require_divides(m, n)


@pytest.mark.parametrize(("value", "whole"), [(1, 1), (9, 9), ("5", 5), (" 5 ", 5), ("-2", -2)])
def test_whole_numbers_and_their_texts_are_settings(value, whole):
    assert require_setting("n", value, Setting(-3, 9, "")) == whole


@pytest.mark.parametrize(
    "value",
    [
        0,
        10,
        -1,
        2.0,
        "2.5",
        "",
        " ",
        "-",
        "--5",
        "5-",
        "0x5",
        "1_0",
        "²",
        True,
        None,
        [5],
        {},
        "9" * 5000,
        float("nan"),
    ],
)
def test_anything_else_is_refused_with_its_range(value):
    with pytest.raises(BadSetting, match="whole number from 1 to 9"):
        require_setting("n", value, Setting(1, 9, ""))


@pytest.mark.parametrize(("value", "number"), [(1, 1), (0.25, 0.25), ("0.25", 0.25), (" 3 ", 3), ("2e-1", 0.2), (".5", 0.5)])
def test_a_fraction_is_a_setting_where_its_step_is_one(value, number):
    found = require_setting("c", value, Setting(0.1, 3, "", step=0.1))
    assert found == number and type(found) is float


@pytest.mark.parametrize(
    "value", [0, 3.5, "", "-", "1_0", "1,5", "²", True, None, [1], "nan", "inf", float("nan"), 10**400, "1" * 400]
)
def test_a_fraction_out_of_range_is_refused_with_its_range(value):
    with pytest.raises(BadSetting, match=r"a number from 0\.1 to 3"):
        require_setting("c", value, Setting(0.1, 3, "", step=0.1))


@given(st.text() | st.integers() | st.floats() | st.none(), st.sampled_from([1, 0.5]))
def test_no_value_breaks_the_check(value, step):
    try:
        assert 1 <= require_setting("n", value, Setting(1, 9, "", step)) <= 9
    except BadSetting:
        pass
