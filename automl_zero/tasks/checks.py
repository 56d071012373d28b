"""Checks of arguments, with messages that name the argument, its value and what was expected."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def check_integer(name: str, value: object, *, minimum: int) -> int:
    """Return `value` as an int, or raise a ValueError that names it."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or int(value) < minimum:
        raise ValueError(f"{name} must be an integer of at least {minimum}, got {value!r}")
    return int(value)


def check_positive(name: str, value: Any) -> float:
    """Return `value` as a positive, finite float, or raise a ValueError that names it."""
    valid_type = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not valid_type or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a positive, finite number, got {value!r}")
    return float(value)
