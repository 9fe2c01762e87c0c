"""Moves and settings: counts, shares, ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.errors import BadSetting
from tts_explorer.moves import Expand, Note, Setting, require_divides, require_setting, shares
from tts_explorer.tree import Node

A, B = Node((0,)), Node((1,))


@given(st.integers(0, 300), st.integers(1, 64))
def test_shares_differ_by_one_at_most_and_the_first_get_more(n, k):
    parts = shares(n, k)
    assert sum(parts) == n and len(parts) == k
    assert parts == sorted(parts, reverse=True) and parts[0] - parts[-1] <= 1


def test_no_beam_has_no_share():
    assert shares(8, 0) == []


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


@given(st.text() | st.integers() | st.floats() | st.none())
def test_no_value_breaks_the_check(value):
    try:
        assert 1 <= require_setting("n", value, Setting(1, 9, "")) <= 9
    except BadSetting:
        pass
