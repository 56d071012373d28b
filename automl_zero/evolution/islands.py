"""Islands: populations side by side, advanced on threads between barriers (ARCHITECTURE: determinism).

What an island reads while it runs is its own. Barriers come at fixed counts of individuals, so neither the number of
threads nor where compiled calls end can influence a result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.analysis.compiled import new_canonical
from automl_zero.evolution import engine, stopwatch
from automl_zero.evolution.ancestry import Step, StepKey, ancestors, last_step
from automl_zero.evolution.budget import limit, op_costs
from automl_zero.evolution.caches import new_cache, new_counted_cache
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.engine import Island, Settings
from automl_zero.evolution.hurdles import new_record
from automl_zero.evolution.island_group import IslandGroup
from automl_zero.evolution.lineage import Lines, new_lineage
from automl_zero.evolution.mutation import Space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.lane_data import LaneData, new_arena
from automl_zero.memory import MemorySpec
from automl_zero.program import Program
from automl_zero.program_arrays import unpack

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

_CALL_SECONDS = 0.1  # a compiled call should not last longer, so that stops are seen soon
_FIRST_CALL = 50
_TURNS_IN_CALL = 400  # a turn is not worth taking below that part of it


def make_settings(config: ExperimentConfig, data: LaneData) -> Settings:
    """The engine's settings of a configuration on a task set."""
    caches, stages = config.caches, config.hurdles.stages
    bits, mantissa = (32, 23) if config.dtype == "float32" else (64, 52)
    dropped = max(mantissa - caches.fec_bits, 0) if caches.fec_mode == "program" else 0
    kept = ((1 << bits) - 1) & ~((1 << dropped) - 1)
    return Settings(
        population_size=config.population_size,
        tournament_size=config.tournament_size,
        mutation_probability=config.mutation_probability,
        random_search=int(config.search == "random"),
        random_start=int(config.search_space.random_start),
        crossover=config.mutations.crossover,
        median=int(config.fitness == "median"),
        until={"any": 0, "changed": engine.CHANGED, "new": engine.NEW}[config.mutations.until],
        max_tries=config.mutations.max_tries,
        canonical=int(caches.canonical),
        fec={"program": engine.PER_PROGRAM, "reference": engine.PER_TASK}[caches.fec_mode] if caches.fec else 0,
        fec_train=min(caches.fec_train, data.num_train),
        fec_valid=min(caches.fec_valid, data.num_valid),
        fec_mask=kept - (1 << 64) if kept >= 1 << 63 else kept,
        fec_forget=caches.fec_forget,
        stages=np.array(
            [(min(stage.num_train, data.num_train), min(stage.num_valid, data.num_valid)) for stage in stages], np.int64
        ).reshape(-1, 2),
        percentiles=np.array([stage.percentile for stage in stages], np.float64),
        budget={"none": 0, "static": engine.RAW, "table": engine.LIVE}[config.budget.kind],
        costs=op_costs(config.budget, data.num_features),
        cost_limit=limit(config.budget, data.num_features, data.num_train * data.epochs, data.num_classes),
    )


def new_island(config: ExperimentConfig, space: Space, data: LaneData, key: Sequence[int]) -> Island:
    """An island before its first individual; `key` seeds its random numbers and ends with the island's number."""
    slots = max(int(space.max_sizes.sum()), 1)
    rows = config.population_size + 2
    memory, caches = config.search_space.memory, config.caches
    per_task = caches.fec and caches.fec_mode == "reference"
    island = Island(
        code=aligned_zeros((rows, slots, 4), np.uint8),
        constants=aligned_zeros((rows, slots, 3)),
        sizes=aligned_zeros((rows, 3), np.int64),
        fitness=aligned_zeros(rows),
        hashes=aligned_zeros(rows, np.uint64),
        canonical_cache=new_cache(caches.canonical_size if caches.canonical else 1),
        fec_cache=new_cache(caches.fec_size if caches.fec and not per_task else 1),
        task_cache=new_counted_cache(caches.fec_size if per_task else 1),
        hurdles=new_record(len(config.hurdles.stages), config.hurdles.window),
        lineage=new_lineage(key[-1], config.population_size, slots),
        rng=new_generator(*key),
        counters=aligned_zeros(engine.COUNTERS, np.int64),
        form=new_canonical(slots),
        arena=new_arena(data, slots, memory.scalars, memory.vectors, memory.matrices),
        ranked=aligned_zeros(data.num_tasks),
        known=aligned_zeros(data.num_tasks),
        laps=aligned_zeros(stopwatch.SIZE, np.int64),
    )
    island.counters[engine.BEST_INDIVIDUAL] = -1
    return island


def restart(island: Island) -> None:
    """Let an island begin again with an initial population; what its caches know stays true, but for hurdles."""
    island.counters[engine.FOUNDED] = island.counters[engine.INDIVIDUALS]
    island.counters[engine.OLDEST] = 0
    island.counters[engine.BEST_INDIVIDUAL] = -1
    if island.hurdles.counts.any():  # a remembered fitness of 0 may be a failure at a hurdle of the old population
        for cache in (island.canonical_cache, island.fec_cache, island.task_cache.cache):
            cache.keys[:] = 0
    island.hurdles.counts[:] = 0  # which a new one could not clear
    island.hurdles.oldest[:] = 0


def program_in(island: Island, slot: int, memory: MemorySpec, space: Space) -> Program:
    """The program in a slot."""
    return unpack(memory, island.code[slot], island.constants[slot], island.sizes[slot], space.starts)


class Archipelago(IslandGroup):
    """The islands of one experiment on the CPU.

    Args:
        config: the configuration.
        space: its arrays.
        data: the search tasks.
        key: seeds the random numbers of the experiment.
        own_data: the search tasks of each island, where they are not the same for all.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        space: Space,
        data: LaneData,
        key: Sequence[int],
        own_data: Sequence[LaneData] | None = None,
    ) -> None:
        each = list(own_data) if own_data is not None else [data] * config.islands
        super().__init__(config, space, each, key, most_threads=config.islands)
        self.settings = [make_settings(config, own) for own in self.data]
        self.islands = [new_island(config, space, own, (*key, number)) for number, own in enumerate(self.data)]
        self._advance = [
            engine.advance.bind(island, space, settings, own)
            for island, settings, own in zip(self.islands, self.settings, self.data, strict=True)
        ]
        self.lines = Lines([island.lineage for island in self.islands])
        self._call_sizes = [_FIRST_CALL] * config.islands  # individuals a compiled call, adapted to the speed
        self._lock = Lock()
        self._free = set(range(config.islands))  # islands that no thread advances at the moment

    def _advance_until(
        self, quotas: Sequence[int], threads: int, stop: Callable[[], bool], pause: Callable[[], bool]
    ) -> None:
        """Advance islands as one of some threads, which take turns at them."""
        while True:
            stopping, pausing = stop(), pause()
            with self._lock:
                able = [
                    number
                    for number in self._free
                    if self.islands[number].counters[engine.INDIVIDUALS] == 0
                    or not (stopping or (pausing and self.remaining[number] < quotas[number]))
                ]
                calls = [remaining / size for remaining, size in zip(self.remaining, self._call_sizes, strict=True)]
                number = max(able, key=calls.__getitem__, default=-1)
                if number < 0 or not self.remaining[number]:
                    return
                self._free.remove(number)
                call_size = self._call_sizes[number]
                count = min(self.remaining[number], call_size)
                if threads > 1:  # turns become shorter towards the barrier, so that the threads reach it together
                    share = sum(calls) / (3 * threads)
                    count = min(count, max(int(share * call_size), call_size // _TURNS_IN_CALL, 1))
            start = time.perf_counter()
            self.advance(number, count)
            fitting = int(count / max(time.perf_counter() - start, 1e-9) * _CALL_SECONDS)
            self._call_sizes[number] = max(1, min(fitting, 10 * call_size))
            with self._lock:
                self.remaining[number] -= count
                self._free.add(number)

    def advance(self, number: int, count: int) -> None:
        """Let one island make some individuals, in this thread."""
        self._advance[number](count)

    def compile(self) -> None:
        """Compile whatever the islands will call, by letting the first make an individual."""
        self.advance(0, 1)
        if self.config.migrants and self.config.diversity:
            engine.assess_again(self.islands[0], self.space, self.settings[0], self.data[0], 0)

    def migrate(self, pool: Crew | None = None) -> None:
        """Islands exchange individuals; those from an island with other tasks are assessed anew."""
        self.lines.hear()
        super().migrate(pool)

    def _exchange(self, rng: np.random.Generator, pool: Crew | None) -> None:
        count, size = self.config.migrants, self.config.population_size
        emigrants = [
            _Emigrant(island, int(slot), self.data[number], self.lines.keep(number, int(slot)))
            for number, island in enumerate(self.islands)
            for slot in rng.permutation(size)[:count]
        ]
        arrivals = []
        for number in range(len(self.islands)):
            if self.config.migration == "ring":
                sender = (number - 1) % len(self.islands)
                chosen = emigrants[sender * count : (sender + 1) * count]
            else:
                chosen = [emigrants[choice] for choice in rng.permutation(len(emigrants))[:count]]
            arrivals.append(chosen)
        slots = list((pool.map if pool else map)(self._receive, range(len(self.islands)), arrivals))
        for number, island in enumerate(self.islands):
            individual = int(island.counters[engine.INDIVIDUALS])
            for slot, immigrant in zip(slots[number], arrivals[number], strict=True):
                fitness = None if immigrant.data is self.data[number] else float(island.fitness[slot])
                self.lines.settle(number, slot, immigrant.step, individual, fitness)
        for emigrant in emigrants:
            self.lines.give_up(emigrant.step)
        self.lines.hear()

    def _receive(self, number: int, immigrants: Sequence[_Emigrant]) -> list[int]:
        """Let immigrants replace the oldest of an island; returns their slots."""
        island, data, slots = self.islands[number], self.data[number], []
        for immigrant in immigrants:
            slot = int(island.counters[engine.OLDEST])
            immigrant.settle(island, slot)
            if immigrant.data is not data:
                engine.assess_again(island, self.space, self.settings[number], data, slot)
            island.counters[engine.OLDEST] = (slot + 1) % self.config.population_size
            slots.append(slot)
        return slots

    def restart(self, numbers: Sequence[int]) -> None:
        """Let islands begin again with initial populations."""
        for number in numbers:
            restart(self.islands[number])

    def counts(self, counter: int) -> npt.NDArray[np.int64]:
        """A counter of every island, by its index in :mod:`automl_zero.evolution.engine`."""
        return np.array([island.counters[counter] for island in self.islands])

    def fitness(self) -> list[npt.NDArray[np.float64]]:
        """Search fitness of each island's individuals, by slot, as far as its population is complete."""
        counts = self.populations().tolist()
        return [island.fitness[:count] for island, count in zip(self.islands, counts, strict=True)]

    def best_fitness(self, number: int) -> float:
        """Search fitness of an island's best individual."""
        return float(self.islands[number].fitness[self.best_slot])

    def correct_best_fitness(self, number: int, fitness: float) -> None:
        """Set the search fitness of an island's best individual."""
        self.islands[number].fitness[self.best_slot] = fitness

    def program(self, number: int, slot: int) -> Program:
        """The program in a slot of an island."""
        return program_in(self.islands[number], slot, self.config.search_space.memory, self.space)

    def ancestors(self, number: int, slot: int, known: Container[StepKey]) -> list[Step]:
        """The steps that led to an individual, the last one first, until one that is known."""
        return ancestors(self.lines, number, slot, known, self.config.search_space.memory, self.space)

    def last_step(self, number: int, slot: int) -> StepKey | None:
        """What the last step of an individual's line is known by."""
        return last_step(self.lines, number, slot)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that the islands' future depends on, by name, without copies; loading is writing into them."""
        found: dict[str, npt.NDArray[Any]] = {}
        for number, island in enumerate(self.islands):
            for name in _STATE:
                found |= _leaves(f"island{number}.{name}", getattr(island, name))
        return found


_STATE = (
    *("code", "constants", "sizes", "fitness", "hashes", "canonical_cache", "fec_cache", "task_cache", "hurdles"),
    *("lineage", "rng", "counters"),
)


def _leaves(name: str, part: Any) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a named tuple of arrays and such tuples."""
    if isinstance(part, np.ndarray):
        return {name: part}
    found: dict[str, npt.NDArray[Any]] = {}
    for field, inner in zip(part._fields, part, strict=True):
        found |= _leaves(f"{name}.{field}", inner)
    return found


class _Emigrant:
    """A copy of an individual, its tasks and the number of the last step of its line."""

    def __init__(self, island: Island, slot: int, data: LaneData, step: int) -> None:
        self.data, self.step = data, step
        self.parts = [array[slot].copy() for array in _individual(island)]

    def settle(self, island: Island, slot: int) -> None:
        """Take a slot of an island."""
        for array, part in zip(_individual(island), self.parts, strict=True):
            array[slot] = part


def _individual(island: Island) -> tuple[npt.NDArray[Any], ...]:
    return island.code, island.constants, island.sizes, island.fitness, island.hashes
