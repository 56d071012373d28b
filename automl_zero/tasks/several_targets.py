"""Tasks from a table with several targets, such as one for each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from automl_zero.tasks.streams import purpose_seed
from automl_zero.tasks.taskset import Evaluation, TaskSet, task_seeds
from automl_zero.tasks.userdata import UserData


@dataclass(frozen=True, eq=False)
class SeveralTargets:
    """Source of tasks on one table, the tasks of each target after those of the one before.

    Attributes:
        sources: one for each target, all of one evaluation and of equal sizes.

    Raises:
        ValueError: there are no targets, or they are of different kinds.
    """

    sources: Sequence[UserData]

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError("targets is empty: at least one target is needed")
        if len({source.evaluation for source in self.sources}) > 1:
            raise ValueError("targets must be all of numbers or all of two classes each")

    @property
    def evaluation(self) -> Evaluation:
        """How programs are scored."""
        return self.sources[0].evaluation

    @property
    def num_classes(self) -> int:
        """0: labels are scalars."""
        return 0

    @property
    def num_features(self) -> int:
        """F."""
        return self.sources[0].num_features

    def search(self, seed: int) -> TaskSet:
        """Tasks that evolution sees."""
        return _joined([source.search(seed) for source in self.sources], purpose_seed(seed, "search"))

    def select(self, seed: int) -> TaskSet:
        """Tasks that pick one among several candidates."""
        return _joined([source.select(seed) for source in self.sources], purpose_seed(seed, "select"))

    def final(self, seed: int) -> TaskSet:
        """Tasks validated on the rows that are set aside for each target."""
        return _joined([source.final(seed) for source in self.sources], purpose_seed(seed, "final"))

    def describe(self) -> str:
        """One line for reports."""
        return f"{len(self.sources)} targets, each: {self.sources[0].describe()}"


def _joined(sets: Sequence[TaskSet], seed: int) -> TaskSet:
    names = ("train_x", "train_y", "valid_x", "valid_y")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(tasks, name) for tasks in sets]) for name in names}
    return replace(sets[0], **arrays, seeds=task_seeds(seed, sum(tasks.num_tasks for tasks in sets)))
