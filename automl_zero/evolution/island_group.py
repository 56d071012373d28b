"""The islands of an experiment as what drives it sees them, on whichever backend they evolve."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from automl_zero.evolution import engine
from automl_zero.evolution.ancestry import Step, StepKey
from automl_zero.evolution.crew import Crew
from automl_zero.interpreters.lane_data import LaneData
from automl_zero.program import Program

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.evolution.mutation import Space


class IslandGroup(ABC):
    """The islands of one experiment between barriers, up to which each evolves alone.

    Args:
        config: the configuration.
        space: its arrays.
        data: the search tasks of each island.
        key: seeds the random numbers of the experiment.
        most_threads: how many threads can advance the islands at a time.

    Attributes:
        remaining: individuals that each island has yet to make before the barrier.
        barriers: barriers reached so far.
    """

    def __init__(
        self, config: ExperimentConfig, space: Space, data: Sequence[LaneData], key: Sequence[int], most_threads: int
    ) -> None:
        self.config, self.space, self.data, self.key = config, space, data, tuple(key)
        self.most_threads = most_threads
        self.barriers = 0
        self.remaining = [0] * config.islands

    # -- evolution -----------------------------------------------------------------------------------------------

    def start(
        self,
        quotas: Sequence[int],
        pool: Crew,
        stop: Callable[[], bool],
        pause: Callable[[], bool] = lambda: False,
    ) -> list[Future[None]]:
        """Let island i make quotas[i] individuals, unless `stop` or `pause` cuts that short; `remaining` tells.

        An island makes a few individuals however soon it is stopped, so that there is always a program to offer. And
        it makes a few between two pauses, however short the time between them.
        """
        self.remaining = list(quotas)
        threads = min(pool.size, self.most_threads)
        return [pool.submit(self._advance_until, tuple(quotas), threads, stop, pause) for _ in range(threads)]

    @abstractmethod
    def _advance_until(
        self, quotas: Sequence[int], threads: int, stop: Callable[[], bool], pause: Callable[[], bool]
    ) -> None:
        """Advance islands as one of some threads, until nothing remains to be done for it or it shall stop or pause."""

    def migrate(self, pool: Crew | None = None) -> None:
        """Islands exchange individuals, which replace the oldest (paper, Section 3.2).

        Every island sends a sample of its population, drawn without replacement: to a common pool, from which it
        receives as many, drawn without replacement, or to the next island.
        """
        self.barriers += 1
        islands = self.config.islands
        # Not before all initial populations are complete.
        if self.config.migrants and islands > 1 and self.populations().min() == self.config.population_size:
            self._exchange(np.random.default_rng((*self.key, islands, self.barriers)), pool)

    @abstractmethod
    def _exchange(self, rng: np.random.Generator, pool: Crew | None) -> None:
        """Choose who goes where by random numbers that are the barrier's own, and let them settle there."""

    @abstractmethod
    def restart(self, numbers: Sequence[int]) -> None:
        """Let islands begin again with initial populations."""

    def restart_stalled(self) -> None:
        """Let the islands begin again that have made no better individual for the configured number of them."""
        after = self.config.restart_after
        if after is not None:
            since = np.maximum(self.counts(engine.BEST_INDIVIDUAL) + 1, self.counts(engine.FOUNDED))
            stalled = np.flatnonzero(self.counts(engine.INDIVIDUALS) - since >= after)
            if stalled.size:
                self.restart(stalled.tolist())

    # -- reports -------------------------------------------------------------------------------------------------

    @abstractmethod
    def counts(self, counter: int) -> npt.NDArray[np.int64]:
        """A counter of every island, by its index in :mod:`automl_zero.evolution.engine`."""

    def total(self, counter: int) -> int:
        """A counter summed over the islands."""
        return int(self.counts(counter).sum())

    def populations(self) -> npt.NDArray[np.int64]:
        """How many individuals each island has: its population is complete, or on the way to that."""
        born = self.counts(engine.INDIVIDUALS) - self.counts(engine.FOUNDED)
        found: npt.NDArray[np.int64] = np.minimum(born, self.config.population_size)
        return found

    @abstractmethod
    def fitness(self) -> list[npt.NDArray[np.float64]]:
        """Search fitness of each island's individuals, by slot, as far as its population is complete."""

    def mean_fitness(self) -> float:
        """Mean search fitness of the populations."""
        fitness = np.concatenate(self.fitness())
        return float(fitness.mean()) if fitness.size else 0.0

    @property
    def best_slot(self) -> int:
        """The slot with an island's best individual since it began, after those of the population."""
        return self.config.population_size + 1

    @abstractmethod
    def best_fitness(self, number: int) -> float:
        """Search fitness of an island's best individual."""

    @abstractmethod
    def correct_best_fitness(self, number: int, fitness: float) -> None:
        """Set the search fitness of an island's best individual."""

    @abstractmethod
    def program(self, number: int, slot: int) -> Program:
        """The program in a slot of an island."""

    @abstractmethod
    def ancestors(self, number: int, slot: int, known: Container[StepKey]) -> list[Step]:
        """The steps that led to an individual, the last one first, until one that is known."""

    @abstractmethod
    def last_step(self, number: int, slot: int) -> StepKey | None:
        """What the last step of an individual's line is known by."""

    # -- checkpoints ---------------------------------------------------------------------------------------------

    @abstractmethod
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that the islands' future depends on, by name, without copies; loading is writing into them."""
