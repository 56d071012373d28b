"""The islands of an experiment as arrays with the islands first, so that they can be split over devices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution.on_device.caches import new_table
from automl_zero.evolution.on_device.draws import island_keys
from automl_zero.evolution.on_device.genome import row_length
from automl_zero.evolution.on_device.hurdles import Records, new_records
from automl_zero.evolution.on_device.plan import Plan

Array = Any  # of JAX or, on the host, of numpy


class Islands(NamedTuple):
    """I islands with everything that their search reads and writes.

    Attributes:
        keys: uint32[I, 2], seeds of their random numbers.
        rows: uint32[I, P, length], the programs.
        fitness: float32[I, P].
        canonical_table: uint32[I, canonical sets, ROW], canonical caches.
        table: uint32[I, sets, ROW], functional-equivalence caches.
        hurdles: records of short evaluations.
        individuals: int32[I], individuals made so far, initial population included.
        founded: int32[I], number of the individual with which an island started, or started anew.
        oldest: int32[I], slot of the oldest individual, the next to be replaced.
        best_row: uint32[I, length], the best program since the island started.
        best_fitness: float32[I].
        best_individual: int32[I], its number, -1 before the first.
    """

    keys: Array
    rows: Array
    fitness: Array
    canonical_table: Array
    table: Array
    hurdles: Records
    individuals: Array
    founded: Array
    oldest: Array
    best_row: Array
    best_fitness: Array
    best_individual: Array


def new_islands(plan: Plan, key: Sequence[int], islands: int) -> Islands:
    """Islands before their first individual, as arrays on the host."""
    length, size = row_length(plan.slots), plan.population_size
    return Islands(
        keys=island_keys(key, islands),
        rows=np.zeros((islands, size, length), np.uint32),
        fitness=np.zeros((islands, size), np.float32),
        canonical_table=new_table(islands, plan.canonical_sets),
        table=new_table(islands, plan.sets),
        hurdles=new_records(islands, len(plan.stages), plan.window),
        individuals=np.zeros(islands, np.int32),
        founded=np.zeros(islands, np.int32),
        oldest=np.zeros(islands, np.int32),
        best_row=np.zeros((islands, length), np.uint32),
        best_fitness=np.zeros(islands, np.float32),
        best_individual=np.full(islands, -1, np.int32),
    )


def restarted(islands: Islands, stalled: jax.Array) -> Islands:
    """The islands, of which those that are `stalled`, bool[I], begin again with an initial population.

    What their caches know stays true, except where a fitness of 0 may be a failure at a hurdle of the old population.
    """
    at_start = islands._replace(founded=islands.individuals, oldest=jnp.zeros_like(islands.oldest))
    at_start = at_start._replace(best_individual=jnp.full_like(islands.best_individual, -1))
    if islands.hurdles.counts.shape[1]:
        at_start = at_start._replace(
            canonical_table=jnp.zeros_like(islands.canonical_table),
            table=jnp.zeros_like(islands.table),
            hurdles=islands.hurdles._replace(
                ranked=jnp.full_like(islands.hurdles.ranked, jnp.inf),
                counts=jnp.zeros_like(islands.hurdles.counts),
                oldest=jnp.zeros_like(islands.hurdles.oldest),
            ),
        )

    def choose(new: jax.Array, old: jax.Array) -> jax.Array:
        return jnp.where(stalled.reshape(-1, *[1] * (old.ndim - 1)), new, old)

    chosen: Islands = jax.tree.map(choose, at_start, islands)
    return chosen
