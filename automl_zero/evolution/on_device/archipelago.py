"""The islands of an experiment on a device, for what drives experiments; the twin of evolution/islands.py.

Between calls the small arrays are on the host, where reports read them and corrections are written. Populations and
caches stay on the device, and come to the host when a checkpoint asks for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from automl_zero.evolution import engine
from automl_zero.evolution.ancestry import Step, StepKey
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.island_group import IslandGroup
from automl_zero.evolution.mutation import Space
from automl_zero.evolution.on_device.devices import by_island, compiled_advance, everywhere, mesh_for
from automl_zero.evolution.on_device.genome import packed_of, rows_of
from automl_zero.evolution.on_device.migration import exchange, routes
from automl_zero.evolution.on_device.plan import make_plan
from automl_zero.evolution.on_device.population import Islands, new_islands, restarted
from automl_zero.evolution.search_tasks import SearchTasks
from automl_zero.interpreters.jax_lockstep import tasks_of
from automl_zero.program import Program
from automl_zero.program_arrays import unpack

_CALL_SECONDS = 0.2  # a call should not last longer, so that stops are seen soon
_FIRST_CALL = 4
_LARGE = ("rows", "canonical_table", "table", "hurdles")  # what stays on the device
_restart = jax.jit(restarted, donate_argnums=0)


class DeviceArchipelago(IslandGroup):
    """The islands of one experiment.

    Args:
        config: the configuration.
        space: its arrays.
        tasks: the search tasks.
        key: seeds the random numbers of the experiment.

    Attributes:
        plan: what its programs are compiled for.
        state: the islands; arrays that can be written to are on the host.
        counters: int64[I, COUNTERS], what has happened on each island.
    """

    def __init__(self, config: ExperimentConfig, space: Space, tasks: SearchTasks, key: Sequence[int]) -> None:
        super().__init__(config, space, tasks.island_data, key, most_threads=1)
        self.plan = make_plan(config, space, tasks.task_set)
        self.state: Islands = new_islands(self.plan, key, config.islands)
        self.counters = np.zeros((config.islands, engine.COUNTERS), np.int64)
        self.counters[:, engine.BEST_INDIVIDUAL] = -1
        self._mesh = mesh_for(config.islands)
        self._compiled = compiled_advance(self.plan, self._mesh)
        founders = rows_of(space.founders.code, space.founders.constants, space.founders.sizes)
        shared = (tasks_of(tasks.task_set, config.dtype), jnp.asarray(founders))
        self._shared = jax.device_put(shared, everywhere(self._mesh))
        self._call_steps = _FIRST_CALL  # adapted to the speed

    # -- evolution -----------------------------------------------------------------------------------------------

    def _advance_until(
        self, quotas: Sequence[int], threads: int, stop: Callable[[], bool], pause: Callable[[], bool]
    ) -> None:
        """Advance all islands together, in one thread."""
        begun = False
        while any(self.remaining):
            if self.counters[:, engine.INDIVIDUALS].any() and (stop() or (begun and pause())):
                return
            steps = min(self._call_steps, max(self.remaining))
            start = time.perf_counter()
            self.advance(steps)
            fitting = int(steps / max(time.perf_counter() - start, 1e-9) * _CALL_SECONDS)
            self._call_steps = max(1, min(fitting, 4 * steps))
            begun = True

    def advance(self, steps: int) -> None:
        """Let every island make what remains for it, at most so many individuals, in this thread."""
        remaining = np.asarray(self.remaining, np.int32)
        progress = self._compiled(self._on_device(), self._put(remaining), jnp.int32(steps), *self._shared)
        self.counters += np.asarray(progress.counters)
        self.remaining = np.asarray(progress.remaining).tolist()
        self._settle(progress.islands)

    def _put(self, arrays: Any) -> Any:
        """Arrays on the devices; those of the host are copied, since the compiled search consumes its arguments."""
        return jax.device_put(arrays, by_island(self._mesh), may_alias=False)

    def _on_device(self) -> Islands:
        moved: Islands = jax.tree.map(lambda a: self._put(a) if isinstance(a, np.ndarray) else a, self.state)
        return moved

    def _settle(self, islands: Islands) -> None:
        """Take over the islands from the device, the small arrays as writable copies on the host."""
        small: dict[str, Any] = {name: np.array(a) for name, a in islands._asdict().items() if name not in _LARGE}
        self.state = islands._replace(**small)
        for index, array in (
            (engine.OLDEST, self.state.oldest),
            (engine.FOUNDED, self.state.founded),
            (engine.BEST_INDIVIDUAL, self.state.best_individual),
        ):
            self.counters[:, index] = array

    def _exchange(self, rng: np.random.Generator, pool: Crew | None) -> None:
        islands, size, count = self.config.islands, self.config.population_size, self.config.migrants
        chosen = routes(rng, islands, size, count, self.config.migration == "ring")
        self._settle(exchange(self._on_device(), self._put(chosen)))

    def restart(self, numbers: Sequence[int]) -> None:
        """Let islands begin again with initial populations."""
        chosen = np.zeros(self.config.islands, bool)
        chosen[list(numbers)] = True
        self._settle(_restart(self._on_device(), self._put(chosen)))

    # -- reports -------------------------------------------------------------------------------------------------

    def counts(self, counter: int) -> npt.NDArray[np.int64]:
        """A counter of every island, by its index in :mod:`automl_zero.evolution.engine`."""
        return self.counters[:, counter]

    def fitness(self) -> list[npt.NDArray[np.float64]]:
        """Search fitness of each island's individuals, by slot, as far as its population is complete."""
        by_slot = np.asarray(self.state.fitness, np.float64)
        return [own[:count] for own, count in zip(by_slot, self.populations().tolist(), strict=True)]

    def best_fitness(self, number: int) -> float:
        """Search fitness of an island's best individual."""
        return float(self.state.best_fitness[number])

    def correct_best_fitness(self, number: int, fitness: float) -> None:
        """Set the search fitness of an island's best individual."""
        self.state.best_fitness[number] = fitness

    def program(self, number: int, slot: int) -> Program:
        """The program in a slot of an island."""
        row = self.state.best_row[number] if slot == self.best_slot else np.asarray(self.state.rows[number, slot])
        return unpack(self.config.search_space.memory, *packed_of(row), self.space.starts)

    def ancestors(self, number: int, slot: int, known: Container[StepKey]) -> list[Step]:
        """The discoveries that led to an individual: none are kept on the device."""
        return []

    def last_step(self, number: int, slot: int) -> StepKey | None:
        """The last discovery in an individual's line of descent: none are kept on the device."""
        return None

    # -- checkpoints ---------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that the islands' future depends on, by name; loading is writing into them."""
        self.state = jax.tree.map(lambda a: a if isinstance(a, np.ndarray) else np.array(a), self.state)
        found: dict[str, npt.NDArray[Any]] = {"islands.counters": self.counters}
        for name, part in self.state._asdict().items():
            inner = {f".{key}": array for key, array in part._asdict().items()} if name == "hurdles" else {"": part}
            found |= {f"islands.{name}{key}": array for key, array in inner.items()}
        return found
