"""Fitness of one new individual of every island: budget, cache, hurdles, and an evaluation of those that are left.

An evaluation in lockstep costs as much as the longest program of its batch. So the programs that need it are sorted
by length, moved together, and evaluated in batches of a fixed size, as many as there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution.on_device import caches
from automl_zero.evolution.on_device.breed import Brood
from automl_zero.evolution.on_device.genome import Genome, component_sizes, fields
from automl_zero.evolution.on_device.hurdles import Records, clears
from automl_zero.evolution.on_device.liveness import Live
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.interpreters.jax_lockstep import Programs, Shape, Tasks

Results = tuple[jax.Array, ...]

_LAST = 1 << 30  # in place of a length: comes after any program


class Memory(NamedTuple):
    """What islands remember of earlier individuals.

    Attributes:
        canonical_table: uint32[I, canonical sets, ROW].
        table: uint32[I, sets, ROW], by fingerprints.
        hurdles: records of short evaluations.
    """

    canonical_table: jax.Array
    table: jax.Array
    hurdles: Records


class Assessment(NamedTuple):
    """What is known of the new individuals: arrays [I].

    Attributes:
        fitness: float32.
        train_steps: int32.
        evaluated: bool, in full.
        canonical_looked_up: bool, in the canonical cache.
        canonical_hit: bool, found there.
        looked_up: bool, in the functional-equivalence cache.
        hit: bool, found there.
        stopped_at_hurdle: bool.
        over_budget: bool.
        memory: what is remembered afterwards.
    """

    fitness: jax.Array
    train_steps: jax.Array
    evaluated: jax.Array
    canonical_looked_up: jax.Array
    canonical_hit: jax.Array
    looked_up: jax.Array
    hit: jax.Array
    stopped_at_hurdle: jax.Array
    over_budget: jax.Array
    memory: Memory


def assess(brood: Brood, active: jax.Array, memory: Memory, tasks: Tasks, plan: Plan) -> Assessment:
    """Assess the new individuals of the islands that are active, bool[I]."""
    live, nothing = brood.live, jnp.zeros_like(active)
    over_budget = active & (_cost(brood.genomes, live, plan) > np.float32(plan.cost_limit * (1 + 1e-6)))
    # The cost of the program as it is written comes before any cache, that of its live part after the canonical one.
    asks = active & ~over_budget if plan.budget == "static" else active
    canonical = _looked_up(memory.canonical_table, brood.keys, asks if plan.canonical else nothing)
    left = asks & ~canonical.hit & ~over_budget
    steps, probed = jnp.zeros(active.shape, jnp.int32), left if plan.fec else nothing
    fingerprints = brood.keys
    if plan.fec:
        fingerprints, steps = _evaluated(live, left, plan, _probe_of(tasks, plan), (2,))
    functional = _looked_up(memory.table, fingerprints, probed)
    left &= ~functional.hit
    stopped, hurdles = nothing, memory.hurdles
    for number, stage in enumerate(plan.stages):
        early, stage_steps = _evaluated(live, left, plan, _run_of(tasks, plan, stage.num_train, stage.num_valid))
        steps += stage_steps
        record = jax.tree.map(lambda array, number=number: array[:, number], hurdles)
        cleared, record = jax.vmap(clears, in_axes=(0, 0, None, 0))(record, early, stage.percentile, left)
        hurdles = jax.tree.map(lambda array, new, number=number: array.at[:, number].set(new), hurdles, record)
        stopped |= left & ~cleared
        left &= cleared
    fitness, full_steps = _evaluated(live, left, plan, _run_of(tasks, plan, plan.num_train, plan.num_valid))
    fitness = jnp.where(functional.hit, functional.fitness, fitness)
    fitness = jnp.where(canonical.hit, canonical.fitness, fitness)
    return Assessment(
        fitness=fitness,
        train_steps=steps + full_steps,
        evaluated=left,
        canonical_looked_up=canonical.asked,
        canonical_hit=canonical.hit,
        looked_up=functional.asked,
        hit=functional.hit,
        stopped_at_hurdle=stopped,
        over_budget=over_budget & ~canonical.hit,
        memory=Memory(
            _remembered(memory.canonical_table, canonical, fitness),
            _remembered(memory.table, functional, fitness),
            hurdles,
        ),
    )


class _LookUp(NamedTuple):
    """A look-up of one key an island: arrays with the islands first."""

    asked: jax.Array
    hit: jax.Array
    fitness: jax.Array
    keys: jax.Array
    place: jax.Array
    way: jax.Array


def _looked_up(table: jax.Array, keys: jax.Array, asked: jax.Array) -> _LookUp:
    """Look up a key in each island's table, where that is asked for."""
    place = caches.place_of(keys, table.shape[1])
    hit, way, fitness = jax.vmap(caches.look_up)(table[np.arange(len(keys)), place], keys)
    return _LookUp(asked, asked & hit, fitness, keys, place, way)


def _remembered(table: jax.Array, found: _LookUp, fitness: jax.Array) -> jax.Array:
    """The tables after the look-ups: what was found is the most recently used now, and what was not is entered."""
    islands = np.arange(table.shape[0])
    entries = jax.vmap(caches.to_front)(table[islands, found.place], found.way, found.keys, fitness)
    return table.at[jnp.where(found.asked, islands, len(islands)), found.place].set(entries, mode="drop")


def _cost(genomes: Genome, live: Live, plan: Plan) -> jax.Array:
    """Cost of each program on one task, float32[I]."""
    if plan.budget == "none":
        return jnp.zeros(genomes.sizes.shape[0], jnp.float32)
    counted = live.flags
    if plan.budget == "static":
        counted = jnp.asarray(plan.place_of) < jax.vmap(lambda genome: component_sizes(genome, plan))(genomes)
    costs = jnp.where(counted, jnp.asarray(plan.costs, jnp.float32)[fields(genomes.code).op], 0)
    setup = costs[:, : plan.max_sizes[0]].sum(axis=1)
    return setup + np.float32(plan.examples) * costs[:, plan.max_sizes[0] :].sum(axis=1)


def _run_of(tasks: Tasks, plan: Plan, num_train: int, num_valid: int) -> Callable[[Programs, Shape], Results]:
    def run(programs: Programs, shape: Shape) -> Results:
        outcome = plan.interpreter.run(programs, tasks, shape, num_train, num_valid)
        return _aggregate(outcome.fitness, plan), outcome.train_steps

    return run


def _probe_of(tasks: Tasks, plan: Plan) -> Callable[[Programs, Shape], Results]:
    def probe(programs: Programs, shape: Shape) -> Results:
        outcome, predictions = plan.interpreter.probe(programs, tasks, shape, plan.fec_train, plan.fec_valid)
        return caches.fingerprints(predictions, plan.fec_mask), outcome.train_steps

    return probe


def _aggregate(fitness: jax.Array, plan: Plan) -> jax.Array:
    """Mean or upper median over the tasks of [n, D]."""
    if plan.median:
        return jnp.sort(fitness, axis=1)[:, fitness.shape[1] // 2]
    return fitness.mean(axis=1)


def _evaluated(
    live: Live,
    wanted: jax.Array,
    plan: Plan,
    evaluate: Callable[[Programs, Shape], Results],
    first_shape: tuple[int, ...] = (),
) -> tuple[jax.Array, jax.Array]:
    """Evaluate the wanted programs, bool[I]; the results of the others are 0.

    Args:
        live: the programs.
        wanted: which of them.
        plan: the plan.
        evaluate: gives for n programs an array [n, *first_shape] and the train steps int32[n].
        first_shape: see there; words of a fingerprint, or nothing for a fitness.
    """
    islands = wanted.shape[0]
    chunk = plan.chunk  # however many islands this device has: rounding may depend on the size of a batch
    first_type = jnp.uint32 if first_shape else jnp.float32
    results: Results = (jnp.zeros((islands, *first_shape), first_type), jnp.zeros(islands, jnp.int32))
    length = live.programs.sizes[:, 1:].sum(axis=1)
    for shape in plan.shapes:
        chosen = wanted & (live.uses_matrices == shape.uses_matrices) if len(plan.shapes) > 1 else wanted
        order = jnp.argsort(jnp.where(chosen, length, _LAST), stable=True)
        order = jnp.pad(order, (0, -islands % chunk))
        count = chosen.sum(dtype=jnp.int32)

        def body(number: jax.Array, results: Results, order=order, count=count, shape=shape) -> Results:  # type: ignore[no-untyped-def]
            places = jax.lax.dynamic_slice(order, (number * chunk,), (chunk,))
            filled = number * chunk + np.arange(chunk) < count
            # The places that are left hold the first program once more, which takes no longer than the others.
            places = jnp.where(filled, places, places[0])
            programs = jax.tree.map(lambda array: array[places], live.programs)
            targets = jnp.where(filled, places, islands)
            return tuple(
                old.at[targets].set(new, mode="drop")
                for old, new in zip(results, evaluate(programs, shape), strict=True)
            )

        results = jax.lax.fori_loop(0, (count + chunk - 1) // chunk, body, results)
    return results[0], results[1]
