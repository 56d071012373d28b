"""Straight lines through measurements: growth rates and, on logarithmic axes, exponents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class PowerLaw:
    """y = factor * x ** exponent, fitted by least squares to the logarithms.

    Attributes:
        exponent: slope on log-log axes.
        factor: y at x = 1.
        low: smallest x that went into the fit.
        high: largest.
        points: how many did.
    """

    exponent: float
    factor: float
    low: float
    high: float
    points: int

    def __call__(self, x: float) -> float:
        """The fitted y."""
        return float(self.factor * x**self.exponent)

    def to_dict(self) -> dict[str, Any]:
        """As a record of a report."""
        return asdict(self)


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Slope of the least-squares line through points of which at least two differ in x."""
    return float(np.polyfit(x, y, 1)[0])


def upper_half(x: Sequence[float]) -> list[int]:
    """Indices of the points in the upper half of a range on a logarithmic axis, at least the two largest."""
    middle = math.sqrt(min(x) * max(x))
    largest = sorted(range(len(x)), key=lambda i: x[i])[-2:]
    return [i for i in range(len(x)) if x[i] >= middle or i in largest]


def power_law(x: Sequence[float], y: Sequence[float]) -> PowerLaw | None:
    """The exponent with which y grows over the upper half of the range of x.

    There, costs that do not grow with x weigh least.

    Args:
        x: positive sizes.
        y: what was measured. Differences of times can be negative when little was measured; those are left out.

    Returns:
        None when fewer than two points are left.
    """
    used = [i for i in upper_half(x) if y[i] > 0]
    if len(used) < 2:
        return None
    sizes = [x[i] for i in used]
    exponent, intercept = np.polyfit(np.log(sizes), np.log([y[i] for i in used]), 1)
    return PowerLaw(float(exponent), math.exp(intercept), min(sizes), max(sizes), len(used))
