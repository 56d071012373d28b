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


class IslandGroup(ABC):
    """The islands of one experiment between barriers, up to which each evolves alone.

    Attributes:
        config: the configuration.
        data: the search tasks of each island.
        remaining: individuals that each island has yet to make before the barrier.
        barriers: barriers reached so far.
    """

    def __init__(self, config: ExperimentConfig, data: Sequence[LaneData]) -> None:
        self.config, self.data = config, data
        self.barriers = 0
        self.remaining = [0] * config.islands

    # -- evolution -----------------------------------------------------------------------------------------------

    @abstractmethod
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

    @abstractmethod
    def migrate(self, pool: Crew | None = None) -> None:
        """Islands exchange individuals, which replace the oldest (paper, Section 3.2).

        Every island sends a sample of its population, drawn without replacement: to a common pool, from which it
        receives as many, drawn without replacement, or to the next island.
        """

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
