"""The compiled inner loop of the search: select, copy, mutate, analyse, look up, evaluate, replace.

Thousands of individuals a call, without the interpreter lock and without allocation. Everything a call touches belongs
to one island, so islands run on any number of threads with one result (regularized evolution: paper, Section 3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.compiled import Canonical, canonicalise
from automl_zero.evolution.caches import Cache, contains, insert, look_up
from automl_zero.evolution.mutation import Space, mutate, randomize_algorithm
from automl_zero.evolution.random_numbers import below, unit
from automl_zero.evolution.stopwatch import (
    ANALYSE,
    ENCODE,
    EVALUATE,
    LOOK_UP,
    MUTATE,
    PROBE,
    REPLACE,
    SELECT,
    lap,
    start,
)
from automl_zero.interpreters.execute import encode, run_kernel
from automl_zero.interpreters.lane_data import Arena, LaneData
from automl_zero.jit import entry_point, jit

# Counters of an island, by index.
(
    INDIVIDUALS,  #: individuals made so far, initial population included
    TRAIN_STEPS,
    EVALUATED,  #: full evaluations
    CANONICAL_LOOKUPS,
    CANONICAL_HITS,
    FEC_LOOKUPS,
    FEC_HITS,
    OLDEST,  #: slot of the oldest individual, the next to be replaced
    BEST_INDIVIDUAL,  #: number of the best individual so far, -1 before the first
) = range(9)
COUNTERS = 9

CHANGED, NEW = 1, 2  # Settings.until


class Settings(NamedTuple):
    """The engine's settings.

    Attributes:
        population_size: P.
        tournament_size: T.
        mutation_probability: U.
        random_search: 1 to draw every individual at random.
        random_start: 1 when the initial population is random, 0 when the island's candidate slot holds the program.
        median: 1 to aggregate task fitnesses by their upper median, 0 by their mean.
        until: re-mutate until the canonical form is anything (0), another than the parent's (1), not remembered (2).
        max_tries: most mutations for that.
        use_canonical, use_fec: caches on or off.
        fec_train, fec_valid: examples of a probe.
        fec_mask: bits of a prediction that a probe compares.
    """

    population_size: int
    tournament_size: int
    mutation_probability: float
    random_search: int
    random_start: int
    median: int
    until: int
    max_tries: int
    use_canonical: int
    use_fec: int
    fec_train: int
    fec_valid: int
    fec_mask: int


class Island(NamedTuple):
    """A population with everything that its search reads and writes.

    Attributes:
        code: uint8[P + 2, slots, 4], the population, then the candidate, then the best so far.
        constants: float64[P + 2, slots, 3].
        sizes: int64[P + 2, 3].
        fitness: float64[P + 2].
        hashes: uint64[P + 2], canonical hashes.
        canonical_cache, fec_cache: the island's caches.
        rng: uint64[4].
        counters: int64[COUNTERS].
        form: room for the canonical form of a candidate.
        arena: working memory of the kernel.
        ranked: float64[D], room to sort task fitnesses.
        laps: int64[stopwatch.SIZE], cycles by stage, when profiling.
    """

    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    fitness: npt.NDArray[np.float64]
    hashes: npt.NDArray[np.uint64]
    canonical_cache: Cache
    fec_cache: Cache
    rng: npt.NDArray[np.uint64]
    counters: npt.NDArray[np.int64]
    form: Canonical
    arena: Arena
    ranked: npt.NDArray[np.float64]
    laps: npt.NDArray[np.int64]


@entry_point
def advance(island: Island, space: Space, settings: Settings, data: LaneData, count: int):  # type: ignore[no-untyped-def]
    """Make `count` individuals: the initial population first, then children that replace the oldest."""
    candidate = settings.population_size
    start(island.laps)
    for _ in range(count):
        number = island.counters[INDIVIDUALS]
        initial = number < settings.population_size
        if settings.random_search or (initial and settings.random_start):
            for component in space.open_components:  # the others keep the instructions of the initial program
                island.sizes[candidate, component] = space.initial_sizes[component]
            randomize_algorithm(
                island.code[candidate], island.constants[candidate], island.sizes[candidate], space, island.rng
            )
            value = _analyse(island, space, data)
        elif initial:
            value = _analyse(island, space, data)
        else:
            value = _make_child(island, space, settings, data)
        fitness = _assess(value, island, space, settings, data)
        slot = number if initial else island.counters[OLDEST]
        if not initial:
            island.counters[OLDEST] = slot + 1 if slot + 1 < settings.population_size else 0
        _copy(candidate, slot, island)
        island.fitness[slot] = fitness
        island.hashes[slot] = value
        if island.counters[BEST_INDIVIDUAL] < 0 or fitness > island.fitness[candidate + 1]:
            _copy(candidate, candidate + 1, island)
            island.fitness[candidate + 1] = fitness
            island.hashes[candidate + 1] = value
            island.counters[BEST_INDIVIDUAL] = number
        island.counters[INDIVIDUALS] = number + 1
        lap(island.laps, REPLACE)


@jit
def _copy(source, target, island):  # type: ignore[no-untyped-def]
    for slot in range(island.code.shape[1]):
        for j in range(4):
            island.code[target, slot, j] = island.code[source, slot, j]
        for j in range(3):
            island.constants[target, slot, j] = island.constants[source, slot, j]
    for component in range(3):
        island.sizes[target, component] = island.sizes[source, component]


@jit
def _analyse(island, space, data):  # type: ignore[no-untyped-def]
    """Canonical form and hash of the candidate."""
    candidate = island.code.shape[0] - 2
    lap(island.laps, MUTATE)
    value = canonicalise(
        island.code[candidate],
        island.constants[candidate],
        island.sizes[candidate],
        space.starts,
        data.num_features,
        space.ops,
        island.form,
    )
    lap(island.laps, ANALYSE)
    return value


@jit
def _make_child(island, space, settings, data):  # type: ignore[no-untyped-def]
    """Choose a parent by tournament and put its mutated copy into the candidate slot; returns the canonical hash."""
    candidate = settings.population_size
    parent = below(island.rng, settings.population_size)
    for _ in range(settings.tournament_size - 1):
        rival = below(island.rng, settings.population_size)
        if island.fitness[rival] > island.fitness[parent]:
            parent = rival
    mutated = unit(island.rng) < settings.mutation_probability
    lap(island.laps, SELECT)
    tries = settings.max_tries if mutated and settings.until != 0 else 1
    value = np.uint64(0)
    for _ in range(tries):
        _copy(parent, candidate, island)
        if mutated:
            mutate(island.code[candidate], island.constants[candidate], island.sizes[candidate], space, island.rng)
        value = _analyse(island, space, data)
        if settings.until == NEW:
            if not contains(island.canonical_cache, value):
                break
        elif settings.until == CHANGED and value != island.hashes[parent]:
            break
    return value


@jit
def _assess(value, island, space, settings, data):  # type: ignore[no-untyped-def]
    """Fitness of the candidate, whose canonical form is ready: from a cache, or by evaluation."""
    counters = island.counters
    if settings.use_canonical:
        counters[CANONICAL_LOOKUPS] += 1
        known = look_up(island.canonical_cache, value)
        lap(island.laps, LOOK_UP)
        if known >= 0.0:
            counters[CANONICAL_HITS] += 1
            return known
    encode(island.form, data, space.ops, island.arena)
    lap(island.laps, ENCODE)
    fingerprint = np.uint64(0)
    fitness = -1.0
    if settings.use_fec:
        steps, fingerprint = run_kernel(
            island.form, data, island.arena, settings.fec_train, settings.fec_valid, 1, settings.fec_mask
        )
        fingerprint |= np.uint64(1)  # 0 marks an empty entry
        counters[TRAIN_STEPS] += steps
        counters[FEC_LOOKUPS] += 1
        lap(island.laps, PROBE)
        fitness = look_up(island.fec_cache, fingerprint)
        lap(island.laps, LOOK_UP)
        if fitness >= 0.0:
            counters[FEC_HITS] += 1
    if fitness < 0.0:
        steps, _ = run_kernel(island.form, data, island.arena, data.num_train, data.num_valid, data.epochs, 0)
        counters[TRAIN_STEPS] += steps
        counters[EVALUATED] += 1
        fitness = _aggregate(island, settings, data)
        lap(island.laps, EVALUATE)
        if settings.use_fec:
            insert(island.fec_cache, fingerprint, fitness)
    if settings.use_canonical:
        insert(island.canonical_cache, value, fitness)
    return fitness


@jit
def _aggregate(island, settings, data):  # type: ignore[no-untyped-def]
    """Mean or upper median of the task fitnesses."""
    fitness = island.arena.fitness
    if settings.median:
        ranked = island.ranked  # by insertion: there are few tasks
        for task in range(data.num_tasks):
            value = fitness[task // data.lanes, task % data.lanes]
            at = task
            while at > 0 and ranked[at - 1] > value:
                ranked[at] = ranked[at - 1]
                at -= 1
            ranked[at] = value
        return ranked[data.num_tasks // 2]
    total = 0.0
    for task in range(data.num_tasks):
        total += fitness[task // data.lanes, task % data.lanes]
    return total / data.num_tasks
