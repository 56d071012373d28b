"""Means and paired differences against cases computed by hand."""

from __future__ import annotations

import pytest

from benchmarks.intervals import mean, paired_difference


def test_the_interval_of_a_mean_is_that_of_students_t():
    # 1, 2, 3, 4, 5: mean 3, deviation sqrt(2.5); t(0.975, 4) = 2.7764
    found = mean([1, 2, 3, 4, 5])
    assert (found.mean, found.count) == (3.0, 5)
    assert found.standard_error == pytest.approx(0.70711, abs=1e-5)
    assert (found.low, found.high) == (pytest.approx(1.03676, abs=1e-5), pytest.approx(4.96324, abs=1e-5))


def test_pairs_are_compared_one_by_one():
    # Far apart between pairs, but always 1 apart within one.
    found = paired_difference([11, 101, 1001], [10, 100, 1000])
    assert (found.mean, found.standard_error, found.low, found.high) == (1.0, 0.0, 1.0, 1.0)


def test_the_order_of_a_difference_is_value_minus_baseline():
    assert paired_difference([1.0, 2.0], [3.0, 5.0]).mean == -2.5


def test_unequal_numbers_of_values_are_no_pairs():
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1.0, 2.0], [1.0])


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="at least two values, got 1"):
        mean([1.0])
