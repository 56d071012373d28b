"""A hint for XLA, which likes to compute a value anew in every kernel that uses it."""

from __future__ import annotations

from typing import TypeVar

import jax

T = TypeVar("T")


def compute_once(value: T) -> T:
    """The arrays of a pytree, computed once and kept for all that use them."""
    kept: T = jax.lax.optimization_barrier(value)  # type: ignore[no-untyped-call]
    return kept
