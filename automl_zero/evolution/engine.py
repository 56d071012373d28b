"""The compiled inner loop of the search: select, copy, mutate, analyse, look up, evaluate, replace.

Thousands of individuals a call, without the interpreter lock and without allocation. Everything a call touches belongs
to one island, so islands run on any number of threads with one result (regularized evolution: paper, Section 3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.compiled import Canonical, canonicalise
from automl_zero.evolution.caches import (
    Cache,
    CountedCache,
    contains,
    insert,
    insert_counted,
    look_up,
    look_up_counted,
)
from automl_zero.evolution.hurdles import HurdleRecord, clears
from automl_zero.evolution.lineage import CROSSED, Lineage, settle, trace
from automl_zero.evolution.mutation import IDENTITY, Space, cross, mutate, randomize_algorithm
from automl_zero.evolution.program_cost import program_cost
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
from automl_zero.jit import entry_point, inlined, jit

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
    BEST_INDIVIDUAL,  #: number of the best individual since the island started, -1 before the first
    FOUNDED,  #: number of the individual with which the island started, or started anew
    STOPPED_AT_HURDLE,
    OVER_BUDGET,
) = range(12)
COUNTERS = 12

CHANGED, NEW = 1, 2  # Settings.until
PER_PROGRAM, PER_TASK = 1, 2  # Settings.fec
RAW, LIVE = 1, 2  # Settings.budget


class Settings(NamedTuple):
    """The engine's settings.

    Attributes:
        population_size: P.
        tournament_size: T.
        mutation_probability: U.
        random_search: 1 to draw every individual at random.
        random_start: 1 when the initial population is drawn at random.
        crossover: probability of a second parent.
        median: 1 to aggregate task fitnesses by their upper median, 0 by their mean.
        until: re-mutate until the canonical form is anything (0), another than the parent's (1), not remembered (2).
        max_tries: most mutations for that.
        canonical: canonical cache on or off.
        fec: no functional-equivalence cache (0), or one entry per program (1) or per task (2).
        fec_train, fec_valid: examples of a probe.
        fec_mask: bits of a prediction or an error that a probe compares.
        fec_forget: look-ups after which an entry per task is forgotten.
        stages: int64[k, 2], training and validation examples of each hurdle; percentiles float64[k].
        budget: no limit (0), or one on the cost of the raw program (1) or of its live instructions (2).
        costs: float64[n], cost of every op; cost_limit: what a program may cost.
    """

    population_size: int
    tournament_size: int
    mutation_probability: float
    random_search: int
    random_start: int
    crossover: float
    median: int
    until: int
    max_tries: int
    canonical: int
    fec: int
    fec_train: int
    fec_valid: int
    fec_mask: int
    fec_forget: int
    stages: npt.NDArray[np.int64]
    percentiles: npt.NDArray[np.float64]
    budget: int
    costs: npt.NDArray[np.float64]
    cost_limit: float


class Island(NamedTuple):
    """A population with everything that its search reads and writes.

    Attributes:
        code: uint8[P + 2, slots, 4], the population, then the candidate, then the best so far.
        constants: float64[P + 2, slots, 3].
        sizes: int64[P + 2, 3].
        fitness: float64[P + 2].
        hashes: uint64[P + 2], canonical hashes.
        canonical_cache, fec_cache, task_cache: the island's caches.
        hurdles: the island's record of short evaluations.
        lineage: the discoveries that its individuals descend from.
        rng: uint64[4].
        counters: int64[COUNTERS].
        form: room for the canonical form of a candidate.
        arena: working memory of the kernel.
        ranked: float64[D], room to sort task fitnesses.
        known: float64[D], task fitnesses that the cache per task knows, -1 for the others.
        laps: int64[stopwatch.SIZE], cycles by stage, when profiling.
    """

    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    fitness: npt.NDArray[np.float64]
    hashes: npt.NDArray[np.uint64]
    canonical_cache: Cache
    fec_cache: Cache
    task_cache: CountedCache
    hurdles: HurdleRecord
    lineage: Lineage
    rng: npt.NDArray[np.uint64]
    counters: npt.NDArray[np.int64]
    form: Canonical
    arena: Arena
    ranked: npt.NDArray[np.float64]
    known: npt.NDArray[np.float64]
    laps: npt.NDArray[np.int64]


@entry_point
def advance(island: Island, space: Space, settings: Settings, data: LaneData, count: int):  # type: ignore[no-untyped-def]
    """Make `count` individuals: the initial population first, then children that replace the oldest."""
    candidate = settings.population_size
    start(island.laps)
    for _ in range(count):
        number = island.counters[INDIVIDUALS]
        born = number - island.counters[FOUNDED]
        initial = born < settings.population_size
        if initial or settings.random_search:
            value = _found(born, island, space, settings, data)
            parent, mutation = np.int64(-1), 0
        else:
            value, parent, mutation = _make_child(island, space, settings, data)
        fitness = _assess(value, island, space, settings, data)
        origin = trace(island, candidate, parent, mutation, fitness, number)
        slot = born if initial else island.counters[OLDEST]
        if not initial:
            island.counters[OLDEST] = slot + 1 if slot + 1 < settings.population_size else 0
        _copy(candidate, slot, island)
        settle(island.lineage, slot, origin)
        island.fitness[slot] = fitness
        island.hashes[slot] = value
        if island.counters[BEST_INDIVIDUAL] < 0 or fitness > island.fitness[candidate + 1]:
            _copy(candidate, candidate + 1, island)
            settle(island.lineage, candidate + 1, origin)
            island.fitness[candidate + 1] = fitness
            island.hashes[candidate + 1] = value
            island.counters[BEST_INDIVIDUAL] = number
        island.counters[INDIVIDUALS] = number + 1
        lap(island.laps, REPLACE)


@entry_point
def assess_again(island: Island, space: Space, settings: Settings, data: LaneData, slot: int):  # type: ignore[no-untyped-def]
    """Assess the individual in a slot on this island's tasks; it comes from an island with others."""
    candidate = settings.population_size
    start(island.laps)
    _copy(slot, candidate, island)
    island.hashes[slot] = _analyse(island, space, data)
    island.fitness[slot] = _assess(island.hashes[slot], island, space, settings, data)


@inlined
def _copy(source, target, island):  # type: ignore[no-untyped-def]
    for slot in range(island.code.shape[1]):
        for j in range(4):
            island.code[target, slot, j] = island.code[source, slot, j]
        for j in range(3):
            island.constants[target, slot, j] = island.constants[source, slot, j]
    for component in range(3):
        island.sizes[target, component] = island.sizes[source, component]


@inlined
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
        data.num_classes,
        space.ops,
        island.form,
    )
    lap(island.laps, ANALYSE)
    return value


@inlined
def _found(born, island, space, settings, data):  # type: ignore[no-untyped-def]
    """Put an initial program into the candidate slot; returns its canonical hash."""
    candidate = settings.population_size
    code, constants, sizes = island.code[candidate], island.constants[candidate], island.sizes[candidate]
    founder = born % space.founders.code.shape[0]
    for slot in range(code.shape[0]):
        for j in range(4):
            code[slot, j] = space.founders.code[founder, slot, j]
        for j in range(3):
            constants[slot, j] = space.founders.constants[founder, slot, j]
    for component in range(3):
        sizes[component] = space.founders.sizes[founder, component]
    if settings.random_search or settings.random_start:
        for component in space.open_components:  # the others keep the founder's instructions
            sizes[component] = space.initial_sizes[component]
        randomize_algorithm(code, constants, sizes, space, island.rng)
    return _analyse(island, space, data)


@inlined
def _tournament(island, settings):  # type: ignore[no-untyped-def]
    """Slot of the fittest of some individuals drawn with replacement; the first drawn of equals."""
    winner = below(island.rng, settings.population_size)
    for _ in range(settings.tournament_size - 1):
        rival = below(island.rng, settings.population_size)
        if island.fitness[rival] > island.fitness[winner]:
            winner = rival
    return winner


@inlined
def _make_child(island, space, settings, data):  # type: ignore[no-untyped-def]
    """Put a child of the winner of a tournament into the candidate slot.

    Returns its canonical hash, its parent's slot and the number of its mutation.
    """
    candidate = settings.population_size
    parent = _tournament(island, settings)
    mate = parent
    if settings.crossover > 0.0 and unit(island.rng) < settings.crossover:
        mate = _tournament(island, settings)
    mutated = unit(island.rng) < settings.mutation_probability
    lap(island.laps, SELECT)
    code, constants, sizes = island.code, island.constants, island.sizes
    tries = settings.max_tries if mutated and settings.until != 0 else 1
    value, mutation = np.uint64(0), IDENTITY
    for _ in range(tries):
        _copy(parent, candidate, island)
        if mate != parent:
            cross(
                code[candidate],
                constants[candidate],
                sizes[candidate],
                code[mate],
                constants[mate],
                sizes[mate],
                space,
                island.rng,
            )
        if mutated:
            mutation = mutate(code[candidate], constants[candidate], sizes[candidate], space, island.rng)
        value = _analyse(island, space, data)
        if settings.until == NEW:
            if not contains(island.canonical_cache, value):
                break
        elif settings.until == CHANGED and value != island.hashes[parent]:
            break
    return value, parent, mutation if mate == parent else mutation + CROSSED


@inlined
def _assess(value, island, space, settings, data):  # type: ignore[no-untyped-def]
    """Fitness of the candidate, whose canonical form is ready: from a cache, or by evaluation."""
    candidate = settings.population_size
    counters = island.counters
    examples = data.num_train * data.epochs
    if settings.budget == RAW:
        code, sizes = island.code[candidate], island.sizes[candidate]
        if program_cost(code, sizes, space.starts, settings.costs, examples) > settings.cost_limit:
            counters[OVER_BUDGET] += 1
            return 0.0
    if settings.canonical:
        counters[CANONICAL_LOOKUPS] += 1
        known = look_up(island.canonical_cache, value)
        lap(island.laps, LOOK_UP)
        if known >= 0.0:
            counters[CANONICAL_HITS] += 1
            return known
    fitness = _fitness_of_form(island, space, settings, data)
    if settings.canonical:
        insert(island.canonical_cache, value, fitness)
    return fitness


@inlined
def _fitness_of_form(island, space, settings, data):  # type: ignore[no-untyped-def]
    """Fitness of the candidate by its canonical form."""
    form, counters = island.form, island.counters
    if settings.budget == LIVE:
        starts = (np.int64(0), form.counts[0], form.counts[0] + form.counts[1])
        examples = data.num_train * data.epochs
        if program_cost(form.code, form.counts, starts, settings.costs, examples) > settings.cost_limit:
            counters[OVER_BUDGET] += 1
            return 0.0
    encode(form, data, space.ops, island.arena)
    lap(island.laps, ENCODE)
    fingerprint = np.uint64(0)
    if settings.fec != 0:
        errors = 1 if settings.fec == PER_TASK else 0
        steps, fingerprint = run_kernel(
            form, data, island.arena, settings.fec_train, settings.fec_valid, 1, settings.fec_mask, errors
        )
        counters[TRAIN_STEPS] += steps
        fingerprint = _key(fingerprint)
        lap(island.laps, PROBE)
        if settings.fec == PER_TASK:
            known = _look_up_each_task(island, settings, data)
        else:
            counters[FEC_LOOKUPS] += 1
            known = look_up(island.fec_cache, fingerprint)
            if known >= 0.0:
                counters[FEC_HITS] += 1
        lap(island.laps, LOOK_UP)
        if known >= 0.0:
            return known
    fitness = 0.0
    cleared = _clears_hurdles(island, settings, data)
    if cleared:
        steps, _ = run_kernel(form, data, island.arena, data.num_train, data.num_valid, data.epochs, 0, 0)
        counters[TRAIN_STEPS] += steps
        counters[EVALUATED] += 1
        if settings.fec == PER_TASK:
            _remember_each_task(island, data)
        fitness = _aggregate(island, settings, data)
    lap(island.laps, EVALUATE)
    if settings.fec == PER_PROGRAM:
        insert(island.fec_cache, fingerprint, fitness)
    return fitness


@inlined
def _look_up_each_task(island, settings, data):  # type: ignore[no-untyped-def]
    """Fitness of the probed program if every task's entry is known, else -1; what is known stays in island.known.

    As in the authors' implementation. What no entry knows is evaluated, in lockstep with what one does know.
    """
    fitness, fingerprints = island.arena.fitness, island.arena.fingerprints
    all_known = True
    for task in range(data.num_tasks):
        block, lane = task // data.lanes, task % data.lanes
        fingerprints[block, lane] = _key((fingerprints[block, lane] ^ np.uint64(task)) * np.uint64(0x9E3779B97F4A7C15))
        known = look_up_counted(island.task_cache, fingerprints[block, lane], settings.fec_forget)
        island.known[task] = fitness[block, lane] = known
        all_known &= known >= 0.0
        island.counters[FEC_LOOKUPS] += 1
        if known >= 0.0:
            island.counters[FEC_HITS] += 1
    return _aggregate(island, settings, data) if all_known else -1.0


@inlined
def _remember_each_task(island, data):  # type: ignore[no-untyped-def]
    """Put the known fitnesses in place of those evaluated, and enter the others."""
    fitness, fingerprints = island.arena.fitness, island.arena.fingerprints
    for task in range(data.num_tasks):
        block, lane = task // data.lanes, task % data.lanes
        if island.known[task] >= 0.0:
            fitness[block, lane] = island.known[task]
        else:
            insert_counted(island.task_cache, fingerprints[block, lane], fitness[block, lane])


@jit
def _key(fingerprint):  # type: ignore[no-untyped-def]
    """A fingerprint as the key of a cache, where 0 marks an empty entry."""
    return fingerprint if fingerprint != np.uint64(0) else np.uint64(1)


@inlined
def _clears_hurdles(island, settings, data):  # type: ignore[no-untyped-def]
    """Whether the encoded program reaches the percentile of every stage."""
    for stage in range(settings.stages.shape[0]):
        num_train, num_valid = settings.stages[stage, 0], settings.stages[stage, 1]
        steps, _ = run_kernel(island.form, data, island.arena, num_train, num_valid, 1, 0, 0)
        island.counters[TRAIN_STEPS] += steps
        early = _aggregate(island, settings, data)
        if not clears(island.hurdles, stage, early, settings.percentiles[stage]):
            island.counters[STOPPED_AT_HURDLE] += 1
            return False
    return True


@inlined
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
