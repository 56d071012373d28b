"""Which configurations the search on the device can run; without JAX, so that all can be read anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from automl_zero.ops import NUM_BUILT_IN, TABLE

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

CACHE_SIZE = 4096
"""Entries of each of an island's caches by default: there may be thousands of islands."""

_LARGEST_POPULATION = 1 << 16  # what the random numbers of a tournament reach


def problems(config: ExperimentConfig) -> Iterator[str]:
    """Sentences on what the backend "jax" cannot do, each beginning with the key."""
    limits = (
        ("dtype", config.dtype, "float32"),
        ("caches.fec_mode", config.caches.fec_mode, "program"),
    )
    for key, value, expected in limits:
        if value != expected:
            yield f'{key}: got "{value}", expected "{expected}" with backend = "jax"'
    if config.diversity:
        yield 'diversity: got search tasks that differ between islands, expected none with backend = "jax"'
    if config.population_size > _LARGEST_POPULATION:
        expected = f'expected at most {_LARGEST_POPULATION} with backend = "jax"'
        yield f"population_size: got {config.population_size}, {expected}"
    for component in ("setup", "predict", "learn"):
        for name in getattr(config.search_space, component).ops:
            if name in TABLE and TABLE[name].id >= NUM_BUILT_IN and name not in TABLE.bodies.get("jax", {}):
                yield f'search_space.{component}.ops: {name} has no body for backend = "jax"; register it with jax=...'
