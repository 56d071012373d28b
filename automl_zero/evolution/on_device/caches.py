"""Caches on the device, the canonical one and that of functional equivalence: one table an island, set-associative.

Its own table makes an island's search independent of the islands beside it. A set is one row of words: the first words
of the keys of its WAYS entries, their second words, and the bits of their fitnesses, in order of use.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from automl_zero.evolution.on_device.plan import WAYS

ROW = 3 * WAYS
_NOT_A_NUMBER = np.uint32(0x7FC00000)


def fingerprints(predictions: jax.Array, kept: int) -> jax.Array:
    """64 bits for the predictions of each program, never 0: uint32[n, 2].

    The words of predictions, each mixed with its place, are summed. All NaNs are one.

    Args:
        predictions: float32[n, ...], of n programs.
        kept: the bits of a prediction that matter.
    """
    flat = predictions.reshape(predictions.shape[0], -1)
    bits = jax.lax.bitcast_convert_type(flat, jnp.uint32)
    bits = jnp.where(jnp.isnan(flat), _NOT_A_NUMBER, bits) & np.uint32(kept)
    salts = np.random.default_rng(0).integers(0, 1 << 32, (2, flat.shape[1]), np.uint32)
    first, second = (mixed(bits ^ salt).sum(axis=1, dtype=jnp.uint32) for salt in salts)
    return jnp.stack([first, jnp.where((first | second) == 0, np.uint32(1), second)], axis=-1)


def mixed(words: jax.Array) -> jax.Array:
    """Words of which every bit depends on every bit of the given ones."""
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        words = (words ^ (words >> np.uint32(shift))) * np.uint32(factor)
    return words ^ (words >> np.uint32(16))


def new_table(islands: int, sets: int) -> npt.NDArray[np.uint32]:
    """Empty caches, uint32[islands, sets, ROW], on the host."""
    return np.zeros((islands, sets, ROW), np.uint32)


def look_up(entries: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Look a key up in its set.

    Args:
        entries: uint32[ROW], the set.
        key: uint32[2].

    Returns:
        Whether it is there, where (the place of the least recently used entry when it is not) and its fitness.
    """
    found = (entries[:WAYS] == key[0]) & (entries[WAYS : 2 * WAYS] == key[1])
    hit = found.any()
    way = jnp.where(hit, jnp.argmax(found), WAYS - 1)
    return hit, way, jax.lax.bitcast_convert_type(entries[2 * WAYS + way], jnp.float32)


def contains(table: jax.Array, key: jax.Array) -> jax.Array:
    """Whether an island's table, uint32[sets, ROW], holds a key."""
    return look_up(table[place_of(key, table.shape[0])], key)[0]


def place_of(keys: jax.Array, sets: int) -> jax.Array:
    """Numbers of the sets that keys uint32[..., 2] belong to, int32."""
    return (keys[..., 0] & np.uint32(sets - 1)).astype(jnp.int32)


def to_front(entries: jax.Array, way: jax.Array, key: jax.Array, fitness: jax.Array) -> jax.Array:
    """The set with an entry put first, and those before `way` moved up by one."""
    parts = entries.reshape(3, WAYS)
    new = jnp.stack([*key, jax.lax.bitcast_convert_type(fitness, jnp.uint32)])
    moved = jnp.where(np.arange(WAYS) <= way, jnp.roll(parts, 1, axis=1), parts)
    return jnp.where(np.arange(WAYS) == 0, new[:, None], moved).reshape(ROW)
