"""The search spaces and the measure of success of the paper's Figure 4, and one experiment of either search on them."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from automl_zero import programs
from automl_zero.evolution import engine
from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.evolution.islands import make_settings, new_island, program_in
from automl_zero.evolution.mutation import make_space
from automl_zero.instruction import Instruction
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.memory import MemorySpec
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import TaskSet, make_source
from benchmarks.random_programs import RandomPrograms

LEARNING_RATE = 0.05  #: of the hand-designed programs: the best of 1, 2 and 5 times powers of ten on other tasks
TUNING_SEED = 1_000_003  #: of those other tasks; experiments have seeds below a million
NEAR = 2.0  #: up to this multiple of the hand-designed program's error, the difference is one of rounding or pace
_DTYPE = "float32"


@dataclass(frozen=True)
class Row:
    """A task type of the figure.

    Attributes:
        name: for reports.
        kind: "linear" or "affine".
        learn_only: whether Setup and Predict are those of the hand-designed program.
        individuals: made by an experiment with evolution.
        paper_ratio: success of evolution over that of random search, in the paper.
        paper_difficulty: log10 of the random programs for an acceptable one, in the paper.
    """

    name: str
    kind: str
    learn_only: bool
    individuals: int
    paper_ratio: float
    paper_difficulty: float


ROWS = {
    row.name: row
    for row in (
        Row("linear, Learn only", "linear", True, 10_000, 2.9, 6.2),
        Row("linear, all three", "linear", False, 10_000, 5.6, 7.4),
        Row("affine, Learn only", "affine", True, 10_000, 150.0, 9.0),
    )
}


def hand_designed(kind: str, learning_rate: float = LEARNING_RATE) -> Program:
    """The linear program, or the affine one: the same with a bias s4."""
    if kind == "linear":
        return programs.linear(learning_rate)
    linear = programs.linear(learning_rate, memory=MemorySpec(5, 3, 1))
    predict = (*linear.predict, Instruction("scalar_sum", 1, 4, 1))
    learn = (*linear.learn, Instruction("scalar_sum", 4, 3, 4))
    return Program(linear.memory, linear.setup, predict, learn)


def root_mean_squared_errors(fitness: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Errors of regression tasks from their fitness 1 - (2/pi) atan(error); infinite for a fitness of 0."""
    return np.where(fitness > 0.0, np.tan(np.pi / 2 * (1.0 - np.maximum(fitness, 1e-300))), np.inf)


@dataclass(frozen=True)
class Counts:
    """What an amount of search has found.

    Attributes:
        individuals: programs made or drawn.
        trials: what can succeed once: an experiment with evolution, or a random program.
        acceptable: successes by the measure of the paper: a lower mean error than the hand-designed program's.
        near: successes when an error of up to twice the hand-designed program's counts as well.
    """

    individuals: int = 0
    trials: int = 0
    acceptable: int = 0
    near: int = 0

    def __add__(self, other: Counts) -> Counts:
        mine, its = (dataclasses.astuple(counts) for counts in (self, other))
        return Counts(*(a + b for a, b in zip(mine, its, strict=True)))


class Searches:
    """Experiments on one row, each on tasks of its own; a seed gives both searches the same tasks.

    Args:
        row: the task type.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.hand_designed = hand_designed(row.kind)
        with tempfile.TemporaryDirectory() as folder:
            initial = Path(folder) / "initial.json"
            self.hand_designed.save(initial)
            self.config = _configuration(row, initial)
            self.space = make_space(self.config)
        self.source = make_source(self.config.tasks)

    def evolve(self, seed: int) -> Counts:
        """An experiment with evolution; it ends with the first acceptable individual, but counts as a whole one."""
        judge = Judge(self.source.search(seed), self.hand_designed)
        island = new_island(self.config, self.space, judge.data, (seed, 1))
        settings = make_settings(self.config, judge.data)
        size, near, acceptable = self.config.population_size, False, False
        for _ in range(self.row.individuals // size):
            engine.advance(island, self.space, settings, judge.data, size)
            for slot in np.flatnonzero(island.fitness[:size] > judge.near_fitness):
                error = judge.error(program_in(island, int(slot), self.hand_designed.memory, self.space))
                near |= error <= NEAR * judge.bar
                acceptable |= error < judge.bar
            if acceptable:
                break
        return Counts(self.row.individuals, 1, int(acceptable), int(near))

    def draw(self, seed: int, count: int) -> Counts:
        """Random search; every acceptable program counts."""
        judge = Judge(self.source.search(seed), self.hand_designed)
        drawn = RandomPrograms(self.hand_designed.memory, self.space, judge.data, (seed, 2))
        errors = [judge.error(program) for program in drawn.search(count, judge.near_fitness)]
        near = sum(error <= NEAR * judge.bar for error in errors)
        return Counts(count, count, sum(error < judge.bar for error in errors), near)


class Judge:
    """Tells how good programs are on some tasks.

    Attributes:
        bar: mean error of the hand-designed program.
        near_fitness: mean fitness that every program with a mean error of up to NEAR times the bar exceeds.
    """

    def __init__(self, tasks: TaskSet, hand_designed: Program) -> None:
        self._evaluator = Evaluator(tasks, _DTYPE)
        self.data = self._evaluator.data
        self.bar = self.error(hand_designed)
        # Fitness is a convex function of the error, so its mean is at least the fitness of the mean error.
        self.near_fitness = (1.0 - 2.0 / math.pi * math.atan(NEAR * self.bar)) * (1.0 - 1e-12)

    def error(self, program: Program) -> float:
        """Mean over the tasks of the root mean squared error, evaluated without caches."""
        return float(root_mean_squared_errors(self._evaluator.evaluate(program)[0]).mean())


def _configuration(row: Row, initial: Path) -> ExperimentConfig:
    """Space, tasks and search; evolution is what the paper calls regularized evolution, with sizes that stay."""
    affine = row.kind == "affine"
    sizes = (6, 2, 6) if affine else (5, 1, 4)
    more = ["scalar_sum"] if affine else []
    ops = (
        ["scalar_const_set", "vector_const_set"],
        ["vector_inner_product", *more],
        ["scalar_diff", "scalar_product", "scalar_vector_product", "vector_sum", *more],
    )
    fixed = ("setup", "predict") if row.learn_only else ()
    components = {
        name: {
            "ops": [] if name in fixed else allowed,
            "min_size": 0 if name in fixed else size,
            "max_size": size,
            "initial_size": size,
        }
        for name, allowed, size in zip(COMPONENTS, ops, sizes, strict=True)
    }
    registers = {"scalars": 5 if affine else 4, "vectors": 3, "matrices": 1}
    start = {"initial": str(initial) if row.learn_only else "random", "randomize": True}
    return load_config(
        {
            "name": row.name,
            "population_size": 1000,
            "tournament_size": 10,
            "mutation_probability": 0.9,
            "dtype": _DTYPE,
            "search_space": {**start, **registers, **components},
            "tasks": {
                "kind": row.kind,
                "num_features": 8,
                "search": {"num_tasks": 3, "num_train": 1000, "num_valid": 100},
            },
            # No probes: errors near the hand-designed program's differ by rounding, which a probe may not see.
            "caches": {"canonical": True, "canonical_size": 16384, "fec": False},
        }
    )
