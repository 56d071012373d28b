"""Islands: populations side by side, advanced on threads between barriers (ARCHITECTURE: determinism).

What an island reads while it runs is its own. Barriers come at fixed counts of individuals, so neither the number of
threads nor where compiled calls end can influence a result.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.analysis.compiled import new_canonical
from automl_zero.evolution import engine, stopwatch
from automl_zero.evolution.caches import new_cache
from automl_zero.evolution.engine import Island, Settings
from automl_zero.evolution.mutation import Space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.lane_data import LaneData, new_arena
from automl_zero.memory import MemorySpec
from automl_zero.program import Program
from automl_zero.program_arrays import pack, unpack

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

_CALL_SECONDS = 0.1  # a compiled call should not last longer, so that stops are seen soon
_FIRST_CALL = 50


def make_settings(config: ExperimentConfig, data: LaneData) -> Settings:
    """The engine's settings of a configuration on a task set."""
    caches = config.caches
    bits, mantissa = (32, 23) if config.dtype == "float32" else (64, 52)
    kept = ((1 << bits) - 1) & ~((1 << max(mantissa - caches.fec_bits, 0)) - 1)
    return Settings(
        population_size=config.population_size,
        tournament_size=config.tournament_size,
        mutation_probability=config.mutation_probability,
        random_search=int(config.search == "random"),
        random_start=int(config.search_space.initial == "random"),
        median=int(config.fitness == "median"),
        until={"any": 0, "changed": engine.CHANGED, "new": engine.NEW}[config.mutations.until],
        max_tries=config.mutations.max_tries,
        use_canonical=int(caches.canonical),
        use_fec=int(caches.fec),
        fec_train=min(caches.fec_train, data.num_train),
        fec_valid=min(caches.fec_valid, data.num_valid),
        fec_mask=kept - (1 << 64) if kept >= 1 << 63 else kept,
    )


def new_island(config: ExperimentConfig, space: Space, data: LaneData, key: Sequence[int]) -> Island:
    """An island before its first individual; `key` seeds its random numbers."""
    slots = max(int(space.max_sizes.sum()), 1)
    rows = config.population_size + 2
    candidate = config.population_size
    memory = config.search_space.memory
    island = Island(
        code=aligned_zeros((rows, slots, 4), np.uint8),
        constants=aligned_zeros((rows, slots, 3)),
        sizes=aligned_zeros((rows, 3), np.int64),
        fitness=aligned_zeros(rows),
        hashes=aligned_zeros(rows, np.uint64),
        canonical_cache=new_cache(config.caches.canonical_size if config.caches.canonical else 1),
        fec_cache=new_cache(config.caches.fec_size if config.caches.fec else 1),
        rng=new_generator(*key),
        counters=aligned_zeros(engine.COUNTERS, np.int64),
        form=new_canonical(slots),
        arena=new_arena(data, slots, memory.scalars, memory.vectors, memory.matrices),
        ranked=aligned_zeros(data.num_tasks),
        laps=aligned_zeros(stopwatch.SIZE, np.int64),
    )
    island.counters[engine.BEST_INDIVIDUAL] = -1
    initial = config.search_space.initial_program()
    if initial is not None:
        code, constants, island.sizes[candidate] = pack(initial, space.max_sizes.tolist())
        island.code[candidate], island.constants[candidate] = code, constants
    return island


def program_in(island: Island, slot: int, memory: MemorySpec, space: Space) -> Program:
    """The program in a slot."""
    return unpack(memory, island.code[slot], island.constants[slot], island.sizes[slot], space.starts)


class Archipelago:
    """The islands of one experiment.

    Args:
        config: the configuration.
        space: its arrays.
        data: the search tasks.
        key: seeds the random numbers of the experiment.
    """

    def __init__(self, config: ExperimentConfig, space: Space, data: LaneData, key: Sequence[int]) -> None:
        self.config, self.space, self.data, self.key = config, space, data, tuple(key)
        self.settings = make_settings(config, data)
        self.islands = [new_island(config, space, data, (*key, number)) for number in range(config.islands)]
        self.barriers = 0
        self._call_sizes = [_FIRST_CALL] * config.islands  # individuals a compiled call, adapted to the speed

    def start(self, quotas: Sequence[int], pool: ThreadPoolExecutor, stop: Callable[[], bool]) -> list[Future[bool]]:
        """Let island i make quotas[i] individuals; the results are False where `stop` cut that short.

        An island makes a few individuals however soon it is stopped, so that there is always a program to offer.
        """
        return [pool.submit(self._advance_island, number, quota, stop) for number, quota in enumerate(quotas)]

    def _advance_island(self, number: int, quota: int, stop: Callable[[], bool]) -> bool:
        island, done = self.islands[number], 0
        while done < quota:
            if island.counters[engine.INDIVIDUALS] > 0 and stop():
                return False
            count = min(self._call_sizes[number], quota - done)
            start = time.perf_counter()
            engine.advance(island, self.space, self.settings, self.data, count)
            fitting = int(count / max(time.perf_counter() - start, 1e-9) * _CALL_SECONDS)
            self._call_sizes[number] = max(1, min(fitting, 10 * self._call_sizes[number]))
            done += count
        return True

    def migrate(self) -> None:
        """Every island sends individuals to a common pool and receives as many from it, in place of its oldest.

        (Paper, Section 3.2.) Senders draw without replacement from their population; receivers from the pool.
        """
        count, size = self.config.migrants, self.config.population_size
        self.barriers += 1
        if count == 0 or len(self.islands) < 2:
            return
        if any(island.counters[engine.INDIVIDUALS] < size for island in self.islands):
            return  # an initial population is not complete yet
        rng = np.random.default_rng((*self.key, len(self.islands), self.barriers))
        senders = [(island, slot) for island in self.islands for slot in rng.permutation(size)[:count]]
        emigrants = [
            tuple(
                array[slot].copy()
                for array in (island.code, island.constants, island.sizes, island.fitness, island.hashes)
            )
            for island, slot in senders
        ]
        for island in self.islands:
            for choice in rng.permutation(len(emigrants))[:count]:
                slot = int(island.counters[engine.OLDEST])
                code, constants, sizes, island.fitness[slot], island.hashes[slot] = emigrants[choice]
                island.code[slot], island.constants[slot], island.sizes[slot] = code, constants, sizes
                island.counters[engine.OLDEST] = (slot + 1) % size

    def total(self, counter: int) -> int:
        """A counter summed over the islands."""
        return sum(int(island.counters[counter]) for island in self.islands)

    def fitness(self) -> list[npt.NDArray[np.float64]]:
        """Search fitness of each island's individuals, by slot, as far as its population is complete."""
        size = self.config.population_size
        return [island.fitness[: min(int(island.counters[engine.INDIVIDUALS]), size)] for island in self.islands]

    def mean_fitness(self) -> float:
        """Mean search fitness of the populations."""
        fitness = np.concatenate(self.fitness())
        return float(fitness.mean()) if fitness.size else 0.0
