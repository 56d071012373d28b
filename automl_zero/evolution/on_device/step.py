"""The inner loop: every island makes one individual a step (regularized evolution: paper, Section 3)."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution import engine
from automl_zero.evolution.on_device.assess import Assessment, Memory, assess
from automl_zero.evolution.on_device.breed import breed
from automl_zero.evolution.on_device.genome import to_row
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.evolution.on_device.population import Islands
from automl_zero.interpreters.jax_lockstep import Tasks


class Progress(NamedTuple):
    """How far a call has come.

    Attributes:
        islands: the islands.
        remaining: int32[I], individuals that each is yet to make.
        counters: int32[I, COUNTERS], what happened since the call began; see :mod:`automl_zero.evolution.engine`.
    """

    islands: Islands
    remaining: jax.Array
    counters: jax.Array


def advance(
    islands: Islands, remaining: jax.Array, steps: jax.Array, tasks: Tasks, founders: jax.Array, plan: Plan
) -> Progress:
    """Let every island make individuals until none remain, or for so many steps.

    Args:
        islands: the islands.
        remaining: int32[I], individuals for each to make.
        steps: int32, most steps.
        tasks: the search tasks.
        founders: uint32[k, length], rows of the programs that initial populations are made of.
        plan: static.
    """
    counters = jnp.zeros((remaining.shape[0], engine.COUNTERS), jnp.int32)

    def goes_on(carry: tuple[jax.Array, Progress]) -> jax.Array:
        return (carry[0] < steps) & (carry[1].remaining > 0).any()

    def body(carry: tuple[jax.Array, Progress]) -> tuple[jax.Array, Progress]:
        return carry[0] + 1, _step(carry[1], tasks, founders, plan)

    return jax.lax.while_loop(goes_on, body, (jnp.int32(0), Progress(islands, remaining, counters)))[1]


def _step(progress: Progress, tasks: Tasks, founders: jax.Array, plan: Plan) -> Progress:
    islands, active = progress.islands, progress.remaining > 0
    born = islands.individuals - islands.founded
    initial = born < plan.population_size
    brood = breed(islands, founders, plan)
    found = assess(brood, active, Memory(islands.canonical_table, islands.table, islands.hurdles), tasks, plan)
    rows = to_row(brood.genomes)
    everyone = np.arange(active.shape[0])
    slot = jnp.where(initial, born, islands.oldest)
    target = jnp.where(active, everyone, active.shape[0])
    better = active & ((islands.best_individual < 0) | (found.fitness > islands.best_fitness))
    return Progress(
        Islands(
            keys=islands.keys,
            rows=islands.rows.at[target, slot].set(rows, mode="drop"),
            fitness=islands.fitness.at[target, slot].set(found.fitness, mode="drop"),
            canonical_table=found.memory.canonical_table,
            table=found.memory.table,
            hurdles=found.memory.hurdles,
            individuals=islands.individuals + active,
            founded=islands.founded,
            oldest=jnp.where(active & ~initial, (islands.oldest + 1) % plan.population_size, islands.oldest),
            best_row=jnp.where(better[:, None], rows, islands.best_row),
            best_fitness=jnp.where(better, found.fitness, islands.best_fitness),
            best_individual=jnp.where(better, islands.individuals, islands.best_individual),
        ),
        progress.remaining - active,
        progress.counters + _counted(found, active),
    )


def _counted(found: Assessment, active: jax.Array) -> jax.Array:
    """What a step adds to the counters, int32[I, COUNTERS]."""
    columns = {
        engine.INDIVIDUALS: active,
        engine.TRAIN_STEPS: found.train_steps,
        engine.EVALUATED: found.evaluated,
        engine.CANONICAL_LOOKUPS: found.canonical_looked_up,
        engine.CANONICAL_HITS: found.canonical_hit,
        engine.FEC_LOOKUPS: found.looked_up,
        engine.FEC_HITS: found.hit,
        engine.STOPPED_AT_HURDLE: found.stopped_at_hurdle,
        engine.OVER_BUDGET: found.over_budget,
    }
    nothing = jnp.zeros(active.shape, jnp.int32)
    return jnp.stack([columns.get(index, nothing).astype(jnp.int32) for index in range(engine.COUNTERS)], axis=-1)
