from __future__ import annotations

import math

import pytest

from benchmarks.rates import rate, rate_ratio, share


def test_the_interval_of_a_share_is_that_of_tables():
    found = share(8, 30)  # Clopper and Pearson: 0.1228 to 0.4589
    assert (found.value, found.low, found.high) == pytest.approx((8 / 30, 0.1228, 0.4589), abs=1e-4)


def test_a_share_of_nothing_or_everything_is_bounded_on_one_side_only():
    # The tail beyond the bound has probability 0.025: (1 - p)^10 = 0.025.
    assert share(0, 10).to_dict() == {"value": 0.0, "low": 0.0, "high": pytest.approx(1 - 0.025**0.1)}
    assert share(10, 10).to_dict() == {"value": 1.0, "low": pytest.approx(0.025**0.1), "high": 1.0}


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 2)])
def test_what_is_not_a_share_is_refused(successes, trials):
    with pytest.raises(ValueError, match="is not a share"):
        share(successes, trials)


def test_the_interval_of_a_rate_is_that_of_a_poisson_count():
    found = rate(0, 100.0)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(-math.log(0.025) / 100)  # exp(-100 high) = 0.025
    found = rate(10, 1e6)  # tables: 4.795 to 18.39
    assert (found.low, found.high) == pytest.approx((4.795e-6, 18.39e-6), rel=1e-3)


def test_a_ratio_of_rates_is_that_of_the_counts_over_that_of_the_trials():
    found = rate_ratio(30, 1e6, 10, 2e6)
    of_all = share(30, 40)
    assert found.value == pytest.approx(6.0)
    assert found.low is not None
    assert found.high is not None
    assert of_all.low is not None
    assert found.low == pytest.approx(of_all.low / (1 - of_all.low) * 2)
    assert found.low < 6.0 < found.high


def test_a_ratio_may_have_a_lower_bound_alone_or_none():
    only = rate_ratio(5, 1.0, 0, 1.0)
    assert only.value is None
    assert only.high is None
    assert only.low == pytest.approx(0.025**0.2 / (1 - 0.025**0.2))
    assert rate_ratio(0, 1.0, 0, 1.0).to_dict() == {"value": None, "low": None, "high": None}
