from __future__ import annotations

import pytest

from benchmarks.fits import power_law, slope, upper_half


def test_an_exact_power_law_is_found():
    sizes = [1, 3, 10, 30, 100]
    law = power_law(sizes, [5.0 * x**1.5 for x in sizes])
    assert law is not None
    assert law.exponent == pytest.approx(1.5)
    assert law.factor == pytest.approx(5.0)
    assert law(4.0) == pytest.approx(40.0)


def test_costs_that_do_not_grow_count_only_in_the_lower_half():
    sizes = [1, 2, 4, 8, 16, 32, 64]
    law = power_law(sizes, [100.0, 100.0, 100.0, 64.0, 256.0, 1024.0, 4096.0])
    assert law is not None
    assert law.exponent == pytest.approx(2.0)
    assert (law.low, law.high, law.points) == (8, 64, 4)


def test_the_upper_half_is_that_of_the_logarithmic_axis():
    assert upper_half([4, 8, 16, 32, 64, 128, 256, 512, 784]) == [4, 5, 6, 7, 8]


def test_the_upper_half_holds_two_points_at_least():
    assert upper_half([1, 2, 1000]) == [1, 2]


def test_the_order_of_the_points_does_not_matter():
    law = power_law([100, 1, 10], [200.0, 7.0, 20.0])
    assert law is not None
    assert law.exponent == pytest.approx(1.0)
    assert (law.low, law.high) == (10, 100)


def test_points_that_are_not_positive_are_left_out():
    law = power_law([1, 10, 100, 1000, 10000], [1.0, 1.0, 10.0, -1.0, 1000.0])
    assert law is not None
    assert law.exponent == pytest.approx(1.0)
    assert law.points == 2


def test_no_exponent_comes_from_a_single_point():
    assert power_law([1, 10, 100], [1.0, -1.0, 3.0]) is None


def test_the_slope_is_that_of_the_least_squares_line():
    assert slope([0.0, 1.0, 2.0, 3.0], [1.0, 3.0, 5.0, 7.0]) == pytest.approx(2.0)
    assert slope([0.0, 1.0, 2.0], [0.0, 3.0, 0.0]) == pytest.approx(0.0)
