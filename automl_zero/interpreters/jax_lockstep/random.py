"""The random draws of programs, in JAX; the twin of ../threefry.py, which defines them and draws the same bits."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from automl_zero.interpreters.jax_lockstep.exactly import Exactly

_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = 0x1BD11BDA
_NUM_ROUNDS = 20

Words = tuple[jax.Array, jax.Array]


class Place(NamedTuple):
    """Where in an evaluation a component runs, as in ../threefry.py; int32 numbers."""

    phase: jax.Array
    component: jax.Array
    epoch: jax.Array
    example: jax.Array


def threefry2x32(key: Words, counter: Words) -> Words:
    """Two random words for each key and counter, which broadcast against each other; all are uint32."""
    schedule = (*key, key[0] ^ key[1] ^ jnp.uint32(_PARITY))
    x0, x1 = counter[0] + key[0], counter[1] + key[1]
    for index in range(_NUM_ROUNDS):
        rotation = _ROTATIONS[index % 8]
        x0 = x0 + x1
        x1 = ((x1 << jnp.uint32(rotation)) | (x1 >> jnp.uint32(32 - rotation))) ^ x0
        if index % 4 == 3:
            injection = index // 4 + 1
            x0 = x0 + schedule[injection % 3]
            x1 = x1 + schedule[(injection + 1) % 3] + jnp.uint32(injection)
    return x0, x1


def subkeys(keys: jax.Array, place: Place) -> Words:
    """Keys of the draws of one run of a component, [D] each, of the tasks' keys uint32[D, 2]."""
    stream = place.phase + 4 * place.component + 16 * place.epoch
    return threefry2x32((keys[:, 0], keys[:, 1]), (stream.astype(jnp.uint32), place.example.astype(jnp.uint32)))


def unit_draws(key: Words, ordinal: jax.Array, size: int, dtype: str) -> tuple[jax.Array, jax.Array]:
    """Two numbers in (0, 1] for each element, from the 24 highest bits of each word.

    Args:
        key: of :func:`subkeys`.
        ordinal: int32[n], number of each program's instruction among the random ones of its component.
        size: number of elements, row-major.
        dtype: float32 or float64.

    Returns:
        Two arrays [size, n, D].
    """
    elements = jnp.arange(size, dtype=jnp.uint32)[:, None, None]
    words = threefry2x32(key, (ordinal.astype(jnp.uint32)[:, None], elements))
    half, unit = jnp.asarray(0.5, dtype), jnp.asarray(2.0**-24, dtype)
    u0, u1 = (((word >> jnp.uint32(8)).astype(dtype) + half) * unit for word in words)
    return u0, u1


def uniform(u: tuple[jax.Array, jax.Array], low: jax.Array, high: jax.Array, exactly: Exactly) -> jax.Array:
    """Draws between two bounds, which need not be ordered."""
    return low + exactly.rounded((high - low) * u[0])


def gaussian(u: tuple[jax.Array, jax.Array], mean: jax.Array, st_dev: jax.Array, exactly: Exactly) -> jax.Array:
    """Normal draws, by the Box-Muller transform."""
    standard = jnp.sqrt(-2 * jnp.log(u[0])) * jnp.cos(2 * math.pi * u[1])
    return mean + exactly.rounded(st_dev * standard)
