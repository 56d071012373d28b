from __future__ import annotations

import numpy as np
import pytest

from automl_zero.interpreters.threefry import VALIDATION, Place, gaussian, subkey, threefry2x32, uniform

KEY = (0x13198A2E, 0x03707344)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), KEY, (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_known_answers_of_random123_are_reproduced(counter, key, words):
    x0, x1 = threefry2x32(key, *counter)
    assert (int(x0), int(x1)) == words


def test_many_counters_at_once_give_the_words_of_each():
    x0, x1 = threefry2x32(KEY, 7, np.arange(5))
    for element in range(5):
        assert (x0[element], x1[element]) == threefry2x32(KEY, 7, element)


def test_each_part_of_the_place_and_each_half_of_the_seed_changes_the_key():
    seed = 0x1234567800000009
    places = [
        Place(),
        Place(phase=VALIDATION),
        Place(component=1),
        Place(component=2),
        Place(epoch=1),
        Place(example=1),
    ]
    keys = {subkey(seed, place) for place in places} | {subkey(9, Place()), subkey(seed - 9, Place())}
    assert len(keys) == len(places) + 2


def test_a_subkey_is_threefry_of_the_seed_and_the_place():
    expected = threefry2x32((9, 0x12345678), 1 + 4 * 2 + 16 * 3, 5)
    assert subkey(0x1234567800000009, Place(phase=1, component=2, epoch=3, example=5)) == expected


def test_uniform_draws_are_the_24_highest_bits_of_the_first_word():
    x0, _ = threefry2x32(KEY, 3, np.arange(100))
    unit = [(int(x >> np.uint32(8)) + 0.5) / 2**24 for x in x0]
    assert uniform(KEY, 3, 100, 0.0, 1.0, "float64").tolist() == unit


def test_gaussian_draws_are_those_of_box_muller():
    x0, x1 = threefry2x32(KEY, 3, np.arange(100))
    u0, u1 = (((x >> np.uint32(8)).astype(float) + 0.5) / 2**24 for x in (x0, x1))
    expected = 2.0 + 0.5 * np.sqrt(-2 * np.log(u0)) * np.cos(2 * np.pi * u1)
    np.testing.assert_allclose(gaussian(KEY, 3, 100, 2.0, 0.5, "float64"), expected, rtol=1e-14)


def test_uniform_draws_fill_the_range_between_the_bounds():
    draws = uniform(KEY, 0, 20_000, -1.0, 3.0, "float64")
    assert -1.0 < draws.min() < -0.99
    assert 2.99 < draws.max() < 3.0
    assert abs(draws.mean() - 1.0) < 0.03


def test_bounds_in_the_wrong_order_give_draws_between_the_two():
    draws = uniform(KEY, 0, 1000, 3.0, -1.0, "float64")
    assert draws.min() > -1.0
    assert draws.max() < 3.0


def test_gaussian_draws_have_the_mean_and_deviation_asked_for():
    draws = gaussian(KEY, 0, 20_000, 5.0, 2.0, "float64")
    assert abs(draws.mean() - 5.0) < 0.05
    assert abs(draws.std() - 2.0) < 0.05


@pytest.mark.parametrize("draw", [uniform, gaussian])
def test_float32_draws_are_float32_and_close_to_those_in_float64(draw):
    single, double = (draw(KEY, 1, 1000, 0.25, 0.75, dtype) for dtype in ("float32", "float64"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, double, atol=2e-6)


def test_instructions_of_one_component_draw_independent_numbers():
    first, second = (uniform(KEY, ordinal, 1000, -1.0, 1.0, "float64") for ordinal in (0, 1))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
