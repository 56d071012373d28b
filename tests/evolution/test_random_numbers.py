"""The search's generator."""

from __future__ import annotations

import numpy as np
import pytest

from automl_zero.evolution.random_numbers import new_generator
from tests.compiled import below, between, next_bits, normal, unit

MASK = 2**64 - 1


def rotated(x: int, k: int) -> int:
    return ((x << k) | (x >> (64 - k))) & MASK


def definition(state: list[int]) -> int:
    """The next output of xoshiro256++, as Blackman and Vigna define it."""
    result = (rotated((state[0] + state[3]) & MASK, 23) + state[0]) & MASK
    t = (state[1] << 17) & MASK
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= t
    state[3] = rotated(state[3], 45)
    return result


def test_the_published_outputs_of_xoshiro256_plus_plus_are_reproduced():
    state = np.array([1, 2, 3, 4], np.uint64)
    assert [int(next_bits(state)) for _ in range(10)] == [
        41943041,
        58720359,
        3588806011781223,
        3591011842654386,
        9228616714210784205,
        9973669472204895162,
        14011001112246962877,
        12406186145184390807,
        15849039046786891736,
        10450023813501588000,
    ]


def test_outputs_and_states_are_those_of_the_definition():
    state = new_generator(5)
    expected = [int(word) for word in state]
    for _ in range(1000):
        assert int(next_bits(state)) == definition(expected)
    assert state.tolist() == expected


def test_every_number_of_a_key_matters_and_equal_keys_give_equal_generators():
    keys = [(0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (2**31, 0, 0, 0)]
    states = [tuple(new_generator(*key).tolist()) for key in keys]
    assert len(set(states)) == len(keys)
    assert [tuple(new_generator(*key).tolist()) for key in keys] == states
    assert new_generator(7).dtype == np.uint64


@pytest.mark.parametrize("bound", [1, 2, 3, 7, 100])
def test_integers_are_below_the_bound_and_equally_likely(bound):
    state, count = new_generator(1), 10_000
    counts = np.bincount([int(below(state, bound)) for _ in range(count)], minlength=bound)
    assert counts.shape == (bound,)
    expected = count / bound
    assert np.abs(counts - expected).max() <= 4.5 * np.sqrt(expected)


def test_an_integer_is_the_share_of_the_upper_half_of_a_draw():
    state, expected = new_generator(2), [int(word) for word in new_generator(2)]
    for bound in (1, 10, 1000, 2**20):
        for _ in range(50):
            assert below(state, bound) == ((definition(expected) >> 32) * bound) >> 32


def test_units_are_multiples_of_two_to_the_minus_53_from_0_to_1():
    state, expected = new_generator(3), [int(word) for word in new_generator(3)]
    draws = np.array([unit(state) for _ in range(10_000)])
    assert draws[:100].tolist() == [(definition(expected) >> 11) / 2**53 for _ in range(100)]
    assert 0 <= draws.min() < 0.001 < 0.999 < draws.max() < 1
    assert draws.mean() == pytest.approx(0.5, abs=0.015)
    zeros = np.zeros(4, np.uint64)
    assert unit(zeros) == 0.0


def test_draws_between_bounds_are_uniform():
    state = new_generator(4)
    draws = np.array([between(state, -1.0, 3.0) for _ in range(10_000)])
    assert -1 <= draws.min() < -0.99
    assert 2.99 < draws.max() < 3
    quartiles = np.quantile(draws, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(quartiles, [0, 1, 2], atol=0.1)


def test_normal_draws_have_the_moments_and_the_tails_of_the_normal_distribution():
    state = new_generator(5)
    draws = np.array([normal(state) for _ in range(20_000)])
    assert np.isfinite(draws).all()
    moments = [np.mean(draws**k) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.15)
    for bound, probability in ((1, 0.6827), (2, 0.9545), (3, 0.9973)):
        assert (np.abs(draws) < bound).mean() == pytest.approx(probability, abs=0.01)


def test_a_normal_draw_from_the_smallest_unit_is_finite():
    assert normal(np.zeros(4, np.uint64)) == 0.0  # the radius of 1 - 0 is 0
