"""Exact 95 % intervals of counted events: shares, rates and ratios of rates."""

from __future__ import annotations

from dataclasses import asdict, dataclass

_TAIL = 0.025


@dataclass(frozen=True)
class Bounded:
    """A figure with its interval.

    Attributes:
        value: the estimate; None where there is none.
        low, high: ends of the 95 % interval; None where it has no end.
    """

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """The record of a report."""
        return asdict(self)


def share(successes: int, trials: int) -> Bounded:
    """Share of successes, with the interval of Clopper and Pearson.

    Raises:
        ValueError: no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"{successes} of {trials} is not a share")
    from scipy.stats import beta  # comes with scikit-learn

    low = float(beta.ppf(_TAIL, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.ppf(1 - _TAIL, successes + 1, trials - successes)) if successes < trials else 1.0
    return Bounded(successes / trials, low, high)


def rate(events: int, trials: float) -> Bounded:
    """Events a trial, with the exact interval of a Poisson count."""
    from scipy.stats import chi2

    low = float(chi2.ppf(_TAIL, 2 * events)) / 2 if events else 0.0
    high = float(chi2.ppf(1 - _TAIL, 2 * events + 2)) / 2
    return Bounded(events / trials, low / trials, high / trials)


def rate_ratio(events: int, trials: float, others: int, other_trials: float) -> Bounded:
    """Ratio of two Poisson rates, with its exact interval.

    Given the total of both counts the first is binomial; the interval is that of its share, as odds.
    """
    if events + others == 0:
        return Bounded(None, None, None)
    found = share(events, events + others)

    def odds(probability: float | None) -> float | None:
        assert probability is not None
        return probability / (1 - probability) * other_trials / trials if probability < 1.0 else None

    return Bounded(odds(found.value), odds(found.low), odds(found.high))
