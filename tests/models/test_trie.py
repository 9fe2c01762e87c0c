"""The trie of key/value segments: paths, owners, the cap on memory; and what holds after any sequence of calls."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.models.trie import Stretch, Trie

PLENTY = 1 << 40


def state(tokens: int) -> torch.Tensor:
    """Keys and values of one layer, one head, two features: 16 bytes a token."""
    return torch.zeros(2, 1, tokens, 2)


def whole(trie: Trie, stretch: Stretch) -> None:
    trie.keep(stretch, state(len(stretch.ids)), torch.zeros(3))


def flat(found: list[list[Stretch]]) -> list[Stretch]:
    return [stretch for segment in found for stretch in segment]


def below(stretch: Stretch) -> list[Stretch]:
    """It and everything after it."""
    return [stretch, *(other for child in stretch.children.values() for other in below(child))]


def all_of(trie: Trie) -> list[Stretch]:
    return [stretch for root in trie.roots.values() for stretch in below(root)]


def test_equal_beginnings_of_one_search_are_one_stretch():
    trie = Trie(PLENTY)
    first, second = trie.path("a", [(1, 2), (3,), (4,)]), trie.path("a", [(1, 2), (3,), (5,)])
    assert [first[i][0] is second[i][0] for i in range(3)] == [True, True, False]
    assert first[2][0].parent is second[2][0].parent is first[1][0]
    assert trie.path("b", [(1, 2)])[0][0] is not first[0][0]


def test_a_segment_that_goes_on_from_a_fragment_is_the_fragment_and_the_rest():
    trie = Trie(PLENTY)
    [fragment] = flat(trie.path("a", [(9,), (1, 2)])[1:])
    [begun, rest] = trie.path("a", [(9,), (1, 2, 3, 4)])[1]
    assert begun is fragment and rest.ids == (3, 4) and rest.parent is fragment
    assert [stretch.ids for stretch in trie.path("a", [(9,), (1, 2, 7)])[1]] == [(1, 2), (7,)]


def test_a_segment_goes_on_from_the_longest_fragment_and_from_one_fragment_after_another():
    trie = Trie(PLENTY)
    for ids in ((1,), (1, 2), (1, 2, 3)):
        trie.path("a", [ids])
    assert [stretch.ids for stretch in trie.path("a", [(1, 2, 3, 4)])[0]] == [(1,), (2,), (3,), (4,)]
    trie.roots["a"].child((1, 2, 3), sampled=True)
    assert [stretch.ids for stretch in trie.path("a", [(1, 2, 3, 5)])[0]] == [(1, 2, 3), (5,)]


def test_a_segment_that_is_here_itself_is_never_taken_apart():
    trie = Trie(PLENTY)
    [[long]] = trie.path("a", [(1, 2, 3)])
    trie.path("a", [(1,)])
    assert trie.path("a", [(1, 2, 3)]) == [[long]]


def test_a_stretch_is_whole_when_its_last_token_has_a_hidden_state():
    trie = Trie(PLENTY)
    [[stretch]] = trie.path("a", [(1, 2, 3)])
    assert (stretch.held, stretch.whole) == (0, False)
    trie.keep(stretch, state(2), None)
    assert (stretch.held, stretch.whole) == (2, False)
    whole(trie, stretch)
    assert (stretch.held, stretch.whole) == (3, True)


def test_bytes_are_those_of_what_is_held_and_a_state_kept_again_counts_once():
    trie = Trie(PLENTY)
    stretches = flat(trie.path("a", [(1, 2), (3,), (4, 5, 6)]))
    for stretch in stretches:
        whole(trie, stretch)
    assert trie.bytes == 16 * 6
    trie.keep(stretches[0], state(1), None)
    assert trie.bytes == 16 * 5
    whole(trie, stretches[0])
    assert trie.bytes == 16 * 6


def test_the_least_recently_used_goes_first():
    trie = Trie(16 * 3)
    a, b, c, d = flat(trie.path("s", [(1,), (2,), (3,), (4,)]))
    for stretch in (a, b, c):
        whole(trie, stretch)
    trie.used(a)
    whole(trie, d)
    assert [stretch.whole for stretch in (a, b, c, d)] == [True, False, True, True]
    trie.used(b)  # holds nothing: no use of it counts
    whole(trie, b)
    assert [stretch.whole for stretch in (a, b, c, d)] == [True, True, False, True]


@pytest.mark.parametrize("limit", [0, 15])
def test_what_is_larger_than_the_limit_is_not_kept(limit):
    trie = Trie(limit)
    [[stretch]] = trie.path("a", [(1,)])
    whole(trie, stretch)
    assert not stretch.whole and stretch.hidden is None and trie.bytes == 0 and not trie.recent


def test_a_reward_outlives_the_state_that_it_was_read_off():
    trie = Trie(16)
    first, second = flat(trie.path("a", [(1,), (2,)]))
    whole(trie, first)
    first.reward = 0.5
    whole(trie, second)
    assert (first.whole, first.reward) == (False, 0.5)


def test_what_two_keys_own_goes_with_the_second():
    trie = Trie(PLENTY)
    shared, mine = flat(trie.path("a", [(1,), (2,)]))
    for key, stretch in ((("a", 0), shared), (("a", 1), shared), (("a", 2), mine)):
        trie.own(key, stretch)
        whole(trie, stretch)
    trie.drop([("a", 0)])
    assert shared.whole and mine.whole
    trie.drop([("a", 2), ("a", 1)])
    assert not shared.whole and not mine.whole and trie.bytes == 0 and not trie.owned


def test_a_parent_that_no_key_owns_stays_when_its_child_goes():
    trie = Trie(PLENTY)
    parent, child = flat(trie.path("a", [(1,), (2,)]))
    whole(trie, parent)
    whole(trie, child)
    trie.own(("a", 0), child)
    trie.drop([("a", 0)])
    assert parent.whole and not child.whole


def test_a_key_that_owns_another_stretch_now_owns_only_that():
    trie = Trie(PLENTY)
    before, after = flat(trie.path("a", [(1,), (2,)]))
    trie.own(("a", 0), before)
    trie.own(("a", 0), after)
    assert before.owners == set() and after.owners == {("a", 0)} and trie.owned == {("a", 0): after}


def test_a_search_is_forgotten_whole_and_its_neighbour_stays():
    trie = Trie(PLENTY)
    for search in "ab":
        for i, stretch in enumerate(flat(trie.path(search, [(1, 2), (3,)]))):
            whole(trie, stretch)
            trie.own((search, i), stretch)
    trie.drop([("a",), ("nobody",), ("a", 0)])
    assert set(trie.roots) == {"b"} and set(trie.owned) == {("b", 0), ("b", 1)} and trie.bytes == 16 * 3
    trie.drop([("b",)])
    assert not (trie.roots or trie.owned or trie.recent or trie.bytes)


SEARCHES = st.sampled_from("ab")
PATHS = st.lists(st.lists(st.integers(1, 2), min_size=1, max_size=3).map(tuple), min_size=1, max_size=3)
CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("keep"), SEARCHES, PATHS, st.integers(0, 4)),
        st.tuples(st.just("own"), SEARCHES, PATHS, st.integers(0, 5)),
        st.tuples(st.just("used"), SEARCHES, PATHS, st.just(0)),
        st.tuples(st.just("drop"), SEARCHES, st.just([]), st.integers(0, 5)),
        st.tuples(st.just("forget"), SEARCHES, st.just([]), st.just(0)),
    ),
    max_size=30,
)


def play(trie: Trie, call) -> None:
    """One call; what it names is made if it is not there."""
    name, search, segments, number = call
    if name == "drop":
        trie.drop([(search, number)])
    elif name == "forget":
        trie.drop([(search,)])
    else:
        stretch = trie.path(search, segments)[-1][-1]
        if name == "own":
            trie.own((search, number), stretch)
        elif name == "used":
            trie.used(stretch)
        elif number >= len(stretch.ids):
            whole(trie, stretch)
        elif number:
            trie.keep(stretch, state(number), None)


@given(CALLS, st.sampled_from([0, 40, 100, PLENTY]))
def test_after_any_calls_the_accounts_are_right(calls, limit):
    trie = Trie(limit)
    for call in calls:
        play(trie, call)
        stretches = all_of(trie)
        held = [stretch for stretch in stretches if stretch.state is not None]
        assert trie.bytes == sum(stretch.state.nbytes for stretch in held) <= limit
        assert set(trie.recent) == set(held)
        assert all(stretch.held <= len(stretch.ids) for stretch in stretches)
        assert all(stretch.state is not None or stretch.hidden is None for stretch in stretches)
        assert {key: stretch for stretch in stretches for key in stretch.owners} == trie.owned
        assert all(child.parent is stretch for stretch in stretches for child in stretch.children.values())


@given(CALLS, SEARCHES, PATHS)
def test_a_path_spells_its_segments_and_is_found_again(calls, search, segments):
    trie = Trie(PLENTY)
    for call in calls:
        play(trie, call)
    found = trie.path(search, segments)
    assert [tuple(id for stretch in stretches for id in stretch.ids) for stretches in found] == segments
    path = flat(found)
    assert [stretch.parent for stretch in path] == [trie.roots[search], *path[:-1]]
    before = len(all_of(trie))
    assert trie.path(search, segments) == found and len(all_of(trie)) == before


@given(CALLS, SEARCHES, PATHS, st.integers(0, 5))
def test_a_drop_frees_what_only_that_key_owned_and_nothing_else(calls, search, segments, number):
    trie = Trie(PLENTY)
    for call in calls:
        play(trie, call)
    before = {stretch: stretch.state for stretch in all_of(trie) if stretch.state is not None}
    mine = trie.owned.get((search, number))
    freed = {mine} if mine is not None and mine.owners == {(search, number)} else set()
    trie.drop([(search, number)])
    assert {stretch: stretch.state for stretch in all_of(trie) if stretch.state is not None} == {
        stretch: kept for stretch, kept in before.items() if stretch not in freed
    }
    assert (search, number) not in trie.owned


@given(CALLS)
def test_when_every_search_is_forgotten_nothing_is_left(calls):
    trie = Trie(PLENTY)
    for call in calls:
        play(trie, call)
    trie.drop([("a",), ("b",)])
    assert not (trie.roots or trie.owned or trie.recent or trie.bytes)
