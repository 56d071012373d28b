"""Random numbers of the search on the device: a function of the island's key and the individual's number.

Threefry-2x32-20, as for the draws of programs (:mod:`automl_zero.interpreters.threefry`). Without a state to carry
along, an individual's draws depend neither on the islands beside its own nor on where a compiled call ends.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from automl_zero.evolution.on_device.compute_once import compute_once
from automl_zero.interpreters.jax_lockstep.random import threefry2x32

_UNIT = np.float32(2.0**-24)


def island_keys(key: Sequence[int], islands: int) -> npt.NDArray[np.uint32]:
    """The keys of islands, uint32[I, 2], for an experiment's key; each depends on the island's number alone."""
    return np.stack([np.random.SeedSequence((*key, number)).generate_state(2) for number in range(islands)])


class Draws:
    """The random words of one individual, handed out in order.

    All are computed at once, since one long kernel is cheaper than many short ones.

    Args:
        key: uint32[2], the island's.
        number: uint32, the individual's number on its island.
        count: how many words will be asked for.
        block: int32, which of the blocks of so many words to take: one for every repetition of a mutation.
    """

    def __init__(self, key: jax.Array, number: jax.Array, count: int, block: jax.Array | int = 0) -> None:
        size = (count + 1) // 2
        pairs = jnp.arange(size, dtype=jnp.uint32) + jnp.uint32(block) * np.uint32(size)
        words = jnp.concatenate(threefry2x32((key[0], key[1]), (number, pairs)))
        self._words = compute_once(words)
        self._used = 0

    def words(self, count: int) -> jax.Array:
        """The next words, uint32[count].

        Raises:
            ValueError: there are not as many.
        """
        self._used += count
        if self._used > self._words.shape[0]:
            raise ValueError(f"{self._used} words asked for, there are {self._words.shape[0]}")
        return self._words[self._used - count : self._used]

    def word(self) -> jax.Array:
        """The next word."""
        return self.words(1)[0]


def below(words: jax.Array, bounds: jax.Array | int) -> jax.Array:
    """Integers in 0..bound-1 (int32), for bounds up to 2^16: the high half of the product of word and bound."""
    factors = jnp.asarray(bounds, jnp.uint32)
    high, low = words >> np.uint32(16), words & np.uint32(0xFFFF)
    return ((high * factors + ((low * factors) >> np.uint32(16))) >> np.uint32(16)).astype(jnp.int32)


def unit(words: jax.Array) -> jax.Array:
    """Numbers in [0, 1), float32, that are multiples of 2^-24."""
    return (words >> np.uint32(8)).astype(jnp.float32) * _UNIT


def between(words: jax.Array, low: float, high: float) -> jax.Array:
    """Numbers from U(low, high), float32."""
    return np.float32(low) + np.float32(high - low) * unit(words)


def normal(word0: jax.Array, word1: jax.Array) -> jax.Array:
    """Numbers from N(0, 1), float32, by Box and Muller."""
    radius = jnp.sqrt(np.float32(-2.0) * jnp.log(np.float32(1.0) - unit(word0)))
    return radius * jnp.cos(np.float32(2.0 * np.pi) * unit(word1))
