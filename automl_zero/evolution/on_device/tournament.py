"""Selection of a parent (paper, Section 3)."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from automl_zero.evolution.on_device.draws import below


def tournament(fitness: jax.Array, words: jax.Array) -> jax.Array:
    """Slot of the fittest of some individuals drawn with replacement; the first drawn of equals.

    Args:
        fitness: [P], of a population.
        words: uint32[T], random words.
    """
    drawn = below(words, fitness.shape[0])
    return drawn[jnp.argmax(fitness[drawn])]
