"""The next individual of every island: of the initial population, or a child of the winner of a tournament."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.evolution.on_device.caches import contains
from automl_zero.evolution.on_device.canonical import canonical_hash
from automl_zero.evolution.on_device.compute_once import compute_once
from automl_zero.evolution.on_device.draws import Draws, unit
from automl_zero.evolution.on_device.genome import Genome, from_row, pick
from automl_zero.evolution.on_device.liveness import Live, live_flags, live_part
from automl_zero.evolution.on_device.mutation import (
    FRESH_WORDS,
    MUTATION_WORDS,
    cross,
    mutate,
    random_instructions,
    randomized,
)
from automl_zero.evolution.on_device.plan import Plan
from automl_zero.evolution.on_device.population import Islands
from automl_zero.evolution.on_device.tournament import tournament


class Brood(NamedTuple):
    """One new individual an island: arrays with the islands first.

    Attributes:
        genomes: the programs.
        live: their live parts.
        keys: uint32[I, 2], their canonical hashes; zeros where nothing asks for them.
    """

    genomes: Genome
    live: Live
    keys: jax.Array


class _Parents(NamedTuple):
    """What is settled before the first try to make a child: arrays [I, ...]."""

    one: Genome
    other: Genome
    crosses: jax.Array
    mutates: jax.Array


def breed(islands: Islands, founders: jax.Array, plan: Plan) -> Brood:
    """Make the next individual of every island.

    Args:
        islands: the islands.
        founders: uint32[k, length], rows of the programs that initial populations are made of.
        plan: static.
    """
    born = islands.individuals - islands.founded
    initial = born < plan.population_size
    choose_parents = jax.vmap(partial(_parents, plan=plan))
    parents = compute_once(choose_parents(islands.keys, islands.individuals, islands.rows, islands.fitness))
    founding = from_row(founders[born % plan.num_founders])

    def attempt(number: jax.Array | int) -> Brood:
        make = partial(_attempt, block=number, plan=plan)
        genomes = compute_once(jax.vmap(make)(islands.keys, islands.individuals, initial, founding, parents))
        flags = compute_once(jax.vmap(partial(live_flags, plan=plan))(genomes))
        live = jax.vmap(partial(live_part, plan=plan))(genomes, flags)
        return Brood(genomes, live, _keys(genomes, live.flags, plan))

    brood = attempt(1)
    if plan.until == "any" or plan.random_search:
        return brood
    before = _keys(parents.one, jax.vmap(partial(live_flags, plan=plan))(parents.one), plan)
    once = initial | ~parents.mutates

    def unwanted(brood: Brood) -> jax.Array:
        if plan.until == "changed":
            same = (brood.keys == before).all(axis=1)
        else:
            same = jax.vmap(contains)(islands.canonical_table, brood.keys)
        return jnp.logical_and(~once, same)

    def goes_on(carry: tuple[jax.Array, Brood]) -> jax.Array:
        return (carry[0] <= plan.max_tries) & unwanted(carry[1]).any()

    def again(carry: tuple[jax.Array, Brood]) -> tuple[jax.Array, Brood]:
        number, brood = carry
        repeats = unwanted(brood)

        def choose(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(repeats.reshape(-1, *[1] * (old.ndim - 1)), new, old)

        return number + 1, jax.tree.map(choose, attempt(number), brood)

    return jax.lax.while_loop(goes_on, again, (jnp.int32(2), brood))[1]


def _keys(genomes: Genome, flags: jax.Array, plan: Plan) -> jax.Array:
    if plan.canonical or plan.until != "any":
        return jax.vmap(partial(canonical_hash, plan=plan))(genomes, flags)
    return jnp.zeros((flags.shape[0], 2), jnp.uint32)


def _parents(key: jax.Array, number: jax.Array, rows: jax.Array, fitness: jax.Array, plan: Plan) -> _Parents:
    """Winners of tournaments on one island, and what will happen to their child."""
    count = plan.tournament_size
    draws = Draws(key, number.astype(jnp.uint32), _words(plan))
    one = other = from_row(rows[tournament(fitness, draws.words(count))])
    crosses = jnp.bool_(False)
    if plan.crossover > 0.0:
        other = from_row(rows[tournament(fitness, draws.words(count))])
        crosses = unit(draws.word()) < np.float32(plan.crossover)
    return _Parents(one, other, crosses, unit(draws.word()) < np.float32(plan.mutation_probability))


def _attempt(
    key: jax.Array,
    number: jax.Array,
    initial: jax.Array,
    founder: Genome,
    parents: _Parents,
    block: jax.Array | int,
    plan: Plan,
) -> Genome:
    """One try to make the next individual of an island, by a block of random words of its own."""
    draws = Draws(key, number.astype(jnp.uint32), _words(plan), block)
    fresh = random_instructions(draws.words(FRESH_WORDS * plan.slots), plan)
    if plan.random_search or plan.random_start:
        founder = randomized(founder, fresh, plan)
    if plan.random_search:
        return founder
    child = parents.one
    if plan.crossover > 0.0:
        child = pick(parents.crosses, cross(child, parents.other, draws.words(3), plan), child)
    child = pick(parents.mutates, mutate(child, fresh, draws, plan), child)
    return pick(initial, founder, child)


def _words(plan: Plan) -> int:
    """Random words of a block: for the parents, or for one try to make a child of them."""
    return max(2 * plan.tournament_size + 2, FRESH_WORDS * plan.slots + 3 + MUTATION_WORDS)
