"""Values of JSON records, of which none can be relied on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def number(record: Mapping[str, Any], key: str) -> float | None:
    """A finite number from a record; None for anything else."""
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def integer(record: Mapping[str, Any], key: str) -> int | None:
    """A whole number from a record; None for anything else."""
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def table(record: Mapping[str, Any] | None, key: str) -> dict[str, Any]:
    """An object from a record; an empty one for anything else."""
    value = record.get(key) if record else None
    return value if isinstance(value, dict) else {}


def texts(record: Mapping[str, Any]) -> dict[str, str]:
    """What an object holds, as text."""
    return {str(key): str(value) for key, value in record.items()}
