"""Means with 95 % confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Mean:
    """A mean with its interval.

    Attributes:
        mean: of the values.
        standard_error: of the mean.
        low, high: ends of the 95 % interval by Student's t distribution.
        count: number of values.
    """

    mean: float
    standard_error: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.standard_error:.4f} (95 %: {self.low:.4f} to {self.high:.4f})"

    def to_dict(self) -> dict[str, float]:
        """The record of a report."""
        return asdict(self)


def mean(values: Sequence[float]) -> Mean:
    """Mean of at least two independent values.

    Raises:
        ValueError: there are fewer.
    """
    from scipy.stats import t  # comes with scikit-learn

    array = np.asarray(values, np.float64)
    if array.size < 2:
        raise ValueError(f"an interval needs at least two values, got {array.size}")
    error = float(array.std(ddof=1)) / math.sqrt(array.size)
    half = float(t.ppf(0.975, array.size - 1)) * error
    center = float(array.mean())
    return Mean(center, error, center - half, center + half, int(array.size))


def paired_difference(values: Sequence[float], baseline: Sequence[float]) -> Mean:
    """Mean difference of pairs, such as runs with equal seeds on equal tasks."""
    return mean([value - other for value, other in zip(values, baseline, strict=True)])
