"""The tasks that an experiment searches on, laid out for the CPU backend; islands with equal tasks share them."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.diversity import island_tasks
from automl_zero.interpreters.kernel import Observer
from automl_zero.interpreters.lane_data import LaneData
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.tasks import TaskSet, TaskSource, make_source


@dataclass(frozen=True)
class SearchTasks:
    """Search tasks.

    Attributes:
        task_set: the run's own tasks.
        evaluator: on these, by which programs are compared.
        island_data: the tasks of each island; those of the evaluator itself where the configuration changes nothing.
    """

    task_set: TaskSet
    evaluator: Evaluator
    island_data: list[LaneData]


def make_search_tasks(
    config: ExperimentConfig, source: TaskSource, seed: int, observer: Observer | None = None
) -> SearchTasks:
    """Make the search tasks of an experiment from a seed; the source is that of the run's own tasks."""
    task_set = source.search(seed)
    own = Evaluator(task_set, config.dtype, observer)
    evaluators = {id(config.tasks): own}
    tables = island_tasks(config.tasks, config.diversity, config.islands)
    for table in tables:
        if id(table) not in evaluators:
            evaluators[id(table)] = Evaluator(make_source(table).search(seed), config.dtype, observer)
    return SearchTasks(task_set, own, [evaluators[id(table)].data for table in tables])
