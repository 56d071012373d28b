"""Random draws inside the kernel; the same bits as those of ../threefry.py."""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp

from automl_zero.interpreters.jax_lockstep.random import threefry2x32
from automl_zero.interpreters.pallas_gpu.registers import Registers

Array = Any


def uniform(r: Registers, key: tuple[Array, Array], ordinal: Array, element: Array, low: Array, high: Array) -> Array:
    """Draws between two bounds, which need not be ordered.

    Args:
        r: for arithmetic.
        key: two words for each element to be drawn.
        ordinal: uint32, number of the instruction among the random ones of its component.
        element: uint32, like the key; numbers of the elements, row-major.
        low: first bound.
        high: second bound.
    """
    u, _ = _unit_draws(key, ordinal, element)
    return low + r.rounded((high - low) * u)


def gaussian(
    r: Registers, key: tuple[Array, Array], ordinal: Array, element: Array, mean: Array, st_dev: Array
) -> Array:
    """Normal draws by the Box-Muller transform; arguments as for :func:`uniform`."""
    u0, u1 = _unit_draws(key, ordinal, element)
    radius = r.machine.sqrt(jnp.float32(-2.0) * jnp.log(u0))
    return mean + r.rounded(st_dev * (radius * jnp.cos(jnp.float32(2.0 * math.pi) * u1)))


def _unit_draws(key: tuple[Array, Array], ordinal: Array, element: Array) -> tuple[Array, Array]:
    words = threefry2x32(key, (ordinal, element))
    # Through int32, which has the 24 bits too, because the compiler converts signed numbers alone to float32.
    halves = ((word >> jnp.uint32(8)).astype(jnp.int32).astype(jnp.float32) + jnp.float32(0.5) for word in words)
    u0, u1 = (half * jnp.float32(2.0**-24) for half in halves)
    return u0, u1
