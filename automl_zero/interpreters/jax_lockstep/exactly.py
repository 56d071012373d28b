"""Arithmetic that compilers leave as it is written."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

UNROLLED = 32  #: longer sums are loops


class Exactly:
    """Sums whose terms are rounded as they stand.

    Compilers fuse a product with the sum that follows, and then round once. That is more exact but another function:
    a standard deviation of equal numbers may become NaN, and infinities that should cancel do not. And they divide by
    a constant by multiplying with its inverse.

    Args:
        zero: an integer 0 that compilers do not know to be 0.
    """

    def __init__(self, zero: jax.Array) -> None:
        self._zero = zero

    def rounded(self, a: jax.Array) -> jax.Array:
        """The same numbers, by a way that compilers cannot see through."""
        word = jnp.int32 if a.dtype == jnp.float32 else jnp.int64
        return lax.bitcast_convert_type(lax.bitcast_convert_type(a, word) ^ self._zero.astype(word), a.dtype)

    def sum(self, a: jax.Array, *axes: int) -> jax.Array:
        """Sum over axes."""
        return jnp.sum(self.rounded(a), axis=axes)

    def added(self, term: Callable[[int | jax.Array], jax.Array], count: int) -> jax.Array:
        """The sum of term(0), term(1), ... in this order, without an array of all of them.

        Compilers make much better code of it on CPUs than of a sum over an axis that is not the last.
        """
        total = self.rounded(term(0))
        if count <= UNROLLED:
            for k in range(1, count):
                total = total + self.rounded(term(k))
            return total
        added: jax.Array = lax.fori_loop(1, count, lambda k, total: total + self.rounded(term(k)), total)
        return added

    def mean(self, a: jax.Array, *axes: int) -> jax.Array:
        """Mean over axes, all of length F."""
        return self.sum(a, *axes) / self.rounded(jnp.asarray(a.shape[0] ** len(axes), a.dtype))

    def st_dev(self, a: jax.Array, *axes: int) -> jax.Array:
        """Standard deviation by the mean of the squares; round-off may make it NaN."""
        mean = self.mean(a, *axes)
        return jnp.sqrt(self.mean(a * a, *axes) - self.rounded(mean * mean))

    def norm(self, a: jax.Array, *axes: int) -> jax.Array:
        """Root of the sum of squares."""
        return jnp.sqrt(self.sum(a * a, *axes))
