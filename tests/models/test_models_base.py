"""Where randomness comes from, and sums of what was spent."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tts_explorer.models.base import Spend, sample_key, uniforms

KEYS = st.integers(0, 2**64 - 1)


@given(st.lists(st.tuples(KEYS, st.integers(0, 5000)), min_size=1, max_size=9), st.randoms())
def test_a_number_depends_on_key_and_position_alone(rows, random):
    alone = {row: uniforms([row[0]], [row[1]])[0] for row in rows}
    random.shuffle(rows)
    together = uniforms([key for key, _ in rows], [position for _, position in rows])
    assert [alone[row] for row in rows] == together.tolist()
    assert all(0.0 < number < 1.0 for number in together)


def test_the_numbers_are_fixed_for_ever():
    assert [sample_key(0, ()), sample_key(7, (0, 2))] == [17840976768840183104, 3343838006312350552]
    assert uniforms([0, 1, 2**64 - 1], [0, 1, 2]).tolist() == [
        5.551115123125783e-17,
        0.566561575172281,
        0.9125972035944532,
    ]


def test_the_numbers_look_uniform():
    numbers = np.concatenate([uniforms([sample_key(seed, (0,))] * 200, range(200)) for seed in range(50)])
    assert abs(numbers.mean() - 0.5) < 0.01 and abs(numbers.var() - 1 / 12) < 0.003
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.03 and len(set(numbers.tolist())) == len(numbers)


@given(st.integers(0, 2**63), st.lists(st.integers(0, 300), max_size=6), st.lists(st.integers(0, 300), max_size=6))
def test_a_key_tells_seeds_and_nodes_apart(seed, one, other):
    assert sample_key(seed, tuple(one)) == sample_key(seed, tuple(one)) < 2**64
    assert (sample_key(seed, tuple(one)) == sample_key(seed, tuple(other))) == (one == other)
    assert sample_key(seed, tuple(one)) != sample_key(seed + 1, tuple(one))


def test_spends_are_added_field_by_field():
    assert Spend(1, 2, 3, 4.0) + Spend(10, 20, 30, 40.0) == Spend(11, 22, 33, 44.0)
    assert Spend() + Spend() == Spend()
