"""One experiment: a search from initial populations, until it is solved or a limit is reached."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from automl_zero.evolution import engine
from automl_zero.evolution.ancestry import Step, StepKey, records
from automl_zero.evolution.candidate import Candidate
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.crew import Crew
from automl_zero.evolution.island_group import IslandGroup
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.mutation import Space
from automl_zero.evolution.progress import Progress
from automl_zero.evolution.run_directory import RunError
from automl_zero.evolution.search_tasks import SearchTasks


class Host(Protocol):
    """What an experiment needs of the run that it is part of."""

    config: ExperimentConfig
    space: Space
    pool: Crew

    def stop_requested(self) -> bool:
        """Whether to stop before the next barrier."""

    def checkpoint_due(self) -> bool:
        """Whether to pause for a checkpoint."""

    def save(self) -> None:
        """Write a checkpoint."""

    def wait_for(self, jobs: list[Future[None]]) -> None:
        """Wait for islands to reach a barrier or to be stopped."""

    def select(self, program: Any) -> float:
        """Mean fitness on the select tasks."""

    def remaining_individuals(self) -> int | None:
        """How many individuals the run's limit leaves."""

    def remaining_train_steps(self) -> int | None:
        """How many train steps the run's limit leaves."""

    def report(self, experiment: Experiment) -> None:
        """Tell about the progress."""

    def improved(self, experiment: Experiment, candidate: Candidate) -> None:
        """Record a new best program."""


class Experiment:
    """One search from initial populations.

    Args:
        host: the run.
        number: number of the experiment, from 0.
        tasks: what it searches on.
        key: seeds its random numbers.

    Attributes:
        steps: the discoveries that the programs of its hall of fame descend from.
        cut_short: it was ended by a limit of the run or a request, and could go on.
    """

    def __init__(self, host: Host, number: int, tasks: SearchTasks, key: tuple[int, ...]) -> None:
        self.host, self.number, self.config, self.tasks = host, number, host.config, tasks
        self.islands = _archipelago(self.config, host.space, tasks, key)
        self.search_seconds = 0.0
        self.select_tests = 0
        self.hall_of_fame: list[Candidate] = []
        self.steps: dict[StepKey, Step] = {}
        self.checked = [-1] * self.config.islands  # number of each island's best individual when last looked at
        self.cut_short = False

    @property
    def best(self) -> Candidate | None:
        """The best program seen at a barrier."""
        return self.hall_of_fame[-1] if self.hall_of_fame else None

    def run(self) -> Candidate:
        """Search until the select test is passed or a limit is reached; returns the program to offer."""
        while True:
            if not any(self.islands.remaining):
                quotas = self._quotas()
                if not any(quotas):
                    self.cut_short = not self._is_complete()
                    if self.cut_short:
                        self.host.save()
                    return self._offer()
                self.islands.remaining = quotas
            if not self._advance():
                self.host.save()
                if not self.host.stop_requested():
                    continue  # it was the time for a checkpoint
                self.cut_short = True
                # The run is as it was at the last barrier; before the first one, better an early stop than nothing.
                if self.best is None:
                    self._look_for_improvements()
                return self._offer_best()
            passed = self._look_for_improvements()
            self.islands.migrate(self.host.pool)
            self.islands.restart_stalled()
            self.host.report(self)
            if passed is not None:
                return passed
            if self.host.stop_requested():
                self.cut_short = True
                self.host.save()
                return self._offer_best()

    def _advance(self) -> bool:
        """Let the islands go on to the next barrier; False when they were stopped before."""
        start = time.perf_counter()
        host = self.host
        jobs = self.islands.start(self.islands.remaining, host.pool, host.stop_requested, host.checkpoint_due)
        host.wait_for(jobs)
        self.search_seconds += time.perf_counter() - start
        return not any(self.islands.remaining)

    def _quotas(self) -> list[int]:
        """Individuals for each island until the next barrier; zeros at the end of the experiment."""
        islands, config = self.config.islands, self.config
        made, steps = self.individuals, self.islands.total(engine.TRAIN_STEPS)
        total = islands * config.migration_every
        for limit in (config.experiment_individuals, self.host.remaining_individuals()):
            if limit is not None:
                total = min(total, max(limit - made, 0))
        for limit in (config.experiment_train_steps, self.host.remaining_train_steps()):
            if limit is not None and steps >= limit:
                total = 0
        return [total // islands + (number < total % islands) for number in range(islands)]

    def _is_complete(self) -> bool:
        """Whether the experiment's own limits ended it, not those of the run."""
        individuals, steps = self.config.experiment_individuals, self.config.experiment_train_steps
        return (individuals is not None and self.individuals >= individuals) or (
            steps is not None and self.islands.total(engine.TRAIN_STEPS) >= steps
        )

    def _look_for_improvements(self) -> Candidate | None:
        """Take note of better programs, evaluated without caches; returns one that passes the select test, if any."""
        islands = self.islands
        for number, individual in enumerate(islands.counts(engine.BEST_INDIVIDUAL).tolist()):
            if individual == self.checked[number]:
                continue
            self.checked[number] = individual
            on_own_tasks = self._is_on_the_runs_tasks(number)
            if on_own_tasks and self.best is not None and islands.best_fitness(number) <= self.best.search_fitness:
                continue
            candidate = self._candidate(number, islands.best_slot)
            if on_own_tasks:  # a cache may have flattered the program; then a better one must not be overlooked
                islands.correct_best_fitness(number, candidate.search_fitness)
            if self.best is None or candidate.search_fitness > self.best.search_fitness:
                self.hall_of_fame.append(candidate)
                self.host.improved(self, candidate)
                if self._passes(candidate):
                    return candidate
        return None

    def _is_on_the_runs_tasks(self, number: int) -> bool:
        """Whether an island's fitness is the search fitness that programs are compared by."""
        return self.islands.data[number] is self.tasks.evaluator.data

    def _passes(self, candidate: Candidate) -> bool:
        above, target = self.config.select_above, self.config.target_fitness
        if above is None or target is None or candidate.search_fitness <= above:
            return False
        return self.select(candidate) > target

    def select(self, candidate: Candidate) -> float:
        """Fitness of a candidate on the select tasks; each takes the test once."""
        if candidate.select_fitness is None:
            self.select_tests += 1
            candidate.select_fitness = self.host.select(candidate.program)
        return candidate.select_fitness

    def _candidate(self, number: int, slot: int) -> Candidate:
        program = self.islands.program(number, slot)
        found = self.islands.ancestors(number, slot, self.steps)
        self.steps |= {step.key: step for step in found}
        fitness = self._aggregate(self.tasks.evaluator.evaluate(program)[0])
        return Candidate(program, fitness, last_step=self.islands.last_step(number, slot))

    def lineage(self, candidate: Candidate) -> list[dict[str, Any]]:
        """Records of the discoveries that led to a candidate, the first one first; none of random search."""
        if self.config.search == "random":
            return []
        steps: list[Step] = []
        key = candidate.last_step
        while key is not None:
            steps.append(self.steps[key])
            key = steps[-1].before
        return records(steps[::-1], candidate, self.number + 1)

    def _aggregate(self, fitness: npt.NDArray[np.float64]) -> float:
        """Search fitness: the mean over the tasks or their upper median."""
        if self.config.fitness == "median":
            return float(np.sort(fitness)[len(fitness) // 2])
        return float(np.cumsum(fitness)[-1]) / len(fitness)  # summed in the order of the engine, to the same bit

    def _offer(self) -> Candidate:
        """The candidate of an experiment that ended by a limit on counts."""
        if self.config.select_program != "final_population" or self.config.search == "random":
            return self._offer_best()
        fitness = self.islands.fitness()
        numbers = [number for number, own in enumerate(fitness) if own.size]  # others have just started anew
        on_the_runs_tasks = [number for number in numbers if self._is_on_the_runs_tasks(number)]
        if on_the_runs_tasks:
            number = max(on_the_runs_tasks, key=lambda i: float(fitness[i].max()))
            return self._candidate(number, int(fitness[number].argmax()))
        if not numbers:
            return self._offer_best()
        best = [self._candidate(number, int(fitness[number].argmax())) for number in numbers]
        return max(best, key=lambda candidate: candidate.search_fitness)

    def _offer_best(self) -> Candidate:
        """The best program seen, by search fitness or, of those that were once the best, by select fitness."""
        assert self.best is not None
        if self.config.select_program == "hall_of_fame":
            return max(self.hall_of_fame, key=self.select)
        return self.best

    @property
    def individuals(self) -> int:
        """Individuals made so far."""
        return self.islands.total(engine.INDIVIDUALS)

    # -- checkpoints ---------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Everything but arrays, as JSON values."""
        return {
            "number": self.number,
            "search_seconds": self.search_seconds,
            "select_tests": self.select_tests,
            "hall_of_fame": [candidate.to_dict() for candidate in self.hall_of_fame],
            "steps": [step.to_dict() for step in self.steps.values()],
            "checked": self.checked,
            "barriers": self.islands.barriers,
            "remaining": self.islands.remaining,
        }

    def restore(self, state: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go back to a checkpoint.

        Raises:
            RunError: the arrays are not those of such an experiment.
        """
        mine = self.islands.arrays()
        for name, array in mine.items():
            saved = arrays.get(name)
            if saved is None or (saved.shape, saved.dtype) != (array.shape, array.dtype):
                found = "nothing" if saved is None else f"{saved.dtype}{list(saved.shape)}"
                raise RunError(f"the checkpoint has {found} for {name}, expected {array.dtype}{list(array.shape)}")
            array[...] = saved
        self.search_seconds, self.select_tests = state["search_seconds"], state["select_tests"]
        self.hall_of_fame = [Candidate.from_dict(record) for record in state["hall_of_fame"]]
        self.steps = {step.key: step for step in map(Step.from_dict, state["steps"])}
        self.checked = state["checked"]
        self.islands.barriers, self.islands.remaining = state["barriers"], state["remaining"]

    def progress(self) -> Progress:
        """The state of this experiment at a barrier; the run adds what came before."""
        total = self.islands.total
        assert self.best is not None
        misses = self.individuals - total(engine.CANONICAL_HITS)
        return Progress(
            phase="search",
            experiment=self.number + 1,
            individuals=self.individuals,
            train_steps=total(engine.TRAIN_STEPS),
            evaluated=total(engine.EVALUATED),
            best=self.best.search_fitness,
            mean=self.islands.mean_fitness(),
            canonical_hit_rate=_rate(total(engine.CANONICAL_HITS), total(engine.CANONICAL_LOOKUPS)),
            fec_hit_rate=_rate(total(engine.FEC_HITS), total(engine.FEC_LOOKUPS)),
            hurdle_stop_rate=_rate(
                total(engine.STOPPED_AT_HURDLE), total(engine.STOPPED_AT_HURDLE) + total(engine.EVALUATED)
            ),
            over_budget_rate=_rate(
                total(engine.OVER_BUDGET), self.individuals if self.config.budget.kind == "static" else misses
            ),
            program=self.best.program,
        )


def _archipelago(config: ExperimentConfig, space: Space, tasks: SearchTasks, key: tuple[int, ...]) -> IslandGroup:
    """The islands of an experiment, on the backend of its configuration."""
    if config.backend == "numba":
        return Archipelago(config, space, tasks.evaluator.data, key, tasks.island_data)
    from automl_zero.evolution.on_device.archipelago import DeviceArchipelago  # imports JAX

    return DeviceArchipelago(config, space, tasks, key)


def _rate(hits: int, lookups: int) -> float:
    return hits / lookups if lookups else 0.0
