"""Searches in small spaces, one island each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automl_zero.evolution import engine
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.engine import Island, advance
from automl_zero.evolution.islands import make_settings, new_island, program_in, restart
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.memory import MemorySpec
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import TaskSet

MEMORY = MemorySpec(4, 3, 1)
KEY = (3, 1, 4)
OPS = [
    *("scalar_const_set", "scalar_diff", "scalar_product", "scalar_vector_product", "scalar_log", "no_op"),
    *("vector_inner_product", "vector_sum", "vector_gaussian_set", "vector_const_set", "matrix_vector_product"),
]
NO_CACHES = {"canonical": False, "fec": False}


def make_config(
    sizes: Sequence[tuple[int, int, int]] = ((4, 4, 4), (3, 3, 3), (5, 5, 5)),
    initial: str | Sequence[str] = "random",
    randomize: bool = False,
    ops: Sequence[Sequence[str]] = (OPS, OPS, OPS),
    **settings: Any,
) -> ExperimentConfig:
    names = ("min_size", "initial_size", "max_size")
    space: dict[str, Any] = {"scalars": 4, "vectors": 3, "matrices": 1, "initial": initial, "randomize": randomize}
    for component, allowed, bounds in zip(COMPONENTS, ops, sizes, strict=True):
        space[component] = {"ops": list(allowed), **dict(zip(names, bounds, strict=True))}
    settings = {"population_size": 16, "tournament_size": 4, **settings}
    return ExperimentConfig(search_space=space, tasks={"kind": "linear"}, **settings)


class Search:
    """An island of the engine."""

    def __init__(self, config: ExperimentConfig, tasks: TaskSet, key: Sequence[int] = KEY) -> None:
        self.config, self.space = config, make_space(config, tasks.num_classes > 0)
        self.data = Evaluator(tasks, config.dtype).data
        self.settings = make_settings(config, self.data)
        self.island: Island = new_island(config, self.space, self.data, key)

    def advance(self, count: int) -> None:
        advance(self.island, self.space, self.settings, self.data, count)

    def restart(self) -> None:
        restart(self.island)

    def program(self, slot: int) -> Program:
        return program_in(self.island, slot, self.config.search_space.memory, self.space)

    def programs(self) -> list[Program]:
        made = self.counter(engine.INDIVIDUALS) - self.counter(engine.FOUNDED)
        return [self.program(slot) for slot in range(min(made, self.config.population_size))]

    def counter(self, index: int) -> int:
        return int(self.island.counters[index])

    @property
    def fitness(self) -> list[float]:
        return self.island.fitness[: len(self.programs())].tolist()

    @property
    def best(self) -> tuple[Program, float]:
        slot = self.config.population_size + 1
        return self.program(slot), float(self.island.fitness[slot])
