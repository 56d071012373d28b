"""A set of supervised tasks that programs are evaluated on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.frozen import Floats, check_binary, check_finite, check_one_hot, frozen_floats, frozen_seeds
from automl_zero.tasks.streams import entropy

Evaluation = Literal["rmse", "accuracy"]
EVALUATIONS: tuple[Evaluation, ...] = ("rmse", "accuracy")

__all__ = ["EVALUATIONS", "Evaluation", "Floats", "TaskSet", "task_seeds"]


def task_seeds(seed: int, num_tasks: int, tag: str = "draws") -> npt.NDArray[np.uint64]:
    """Seeds for the random operations of each task's programs.

    A task's seed depends on (seed, index, tag) alone, so a larger task set begins with the seeds of a smaller one.

    Args:
        seed: seed of the task set, at least 0.
        num_tasks: D, at least 1.
        tag: what the seeds are for; other tags give unrelated seeds.

    Returns:
        uint64[D].

    Raises:
        ValueError: for a negative or non-integer seed, or fewer than one task.
    """
    check_integer("num_tasks", num_tasks, minimum=1)
    seeds = [entropy(seed, index, tag).generate_state(1, np.uint64)[0] for index in range(num_tasks)]
    return np.array(seeds, dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class TaskSet:
    """D tasks of one shape: training and validation examples, and how a program is scored on them.

    The arrays are copied if need be to C-contiguous float64 and made read-only, so a set can be shared by threads.
    Those that are so already and that nobody can write to are not copied, nor those mapped from a file for reading
    (``np.load(path, mmap_mode="r")``).

    Labels are scalars, or vectors for classification with C classes: one-hot rows, which programs find in v1.

    Attributes:
        name: what to call the set in reports.
        evaluation: "rmse" (fitness 1 - (2 / pi) * atan(RMSE)) or "accuracy" (share of right answers; scalar labels are
            0 and 1, and vector labels are always scored so).
        train_x: float64[D, N, F], features of the training examples.
        train_y: float64[D, N], or float64[D, N, C] for vector labels.
        valid_x: float64[D, M, F], features of the validation examples.
        valid_y: float64[D, M] or float64[D, M, C], their labels.
        seeds: uint64[D], seeds of the random operations in programs.
        epochs: passes over the training examples.
        max_abs_error: a run whose error exceeds this on any example stops with fitness 0; in label units.

    Raises:
        ValueError: if shapes disagree, a size is zero, a value is not finite, a scalar label is not 0 or 1 where
            accuracy is asked for, a vector label is not one-hot, C is below 2 or above F, or a setting is out of range.
    """

    name: str
    evaluation: Evaluation
    train_x: Floats
    train_y: Floats
    valid_x: Floats
    valid_y: Floats
    seeds: npt.NDArray[np.uint64]
    epochs: int = 1
    max_abs_error: float = 100.0

    def __post_init__(self) -> None:
        if self.evaluation not in EVALUATIONS:
            raise ValueError(f"evaluation must be one of {', '.join(EVALUATIONS)}, got {self.evaluation!r}")
        object.__setattr__(self, "epochs", check_integer("epochs", self.epochs, minimum=1))
        object.__setattr__(self, "max_abs_error", check_positive("max_abs_error", self.max_abs_error))
        for field in ("train_x", "train_y", "valid_x", "valid_y"):
            array = frozen_floats(field, getattr(self, field))
            if array.ndim != 3 and (array.ndim != 2 or field.endswith("_x")):
                wanted = "3 dimensions [tasks, examples, features]"
                if field.endswith("_y"):
                    wanted = "2 dimensions [tasks, examples] or, for vector labels, 3 [tasks, examples, classes]"
                raise ValueError(f"{field} must have {wanted}, got shape {array.shape}")
            if 0 in array.shape:
                raise ValueError(f"{field} must not be empty, got shape {array.shape}")
            object.__setattr__(self, field, array)
        object.__setattr__(self, "seeds", frozen_seeds(self.seeds))
        self._check_shapes()
        self._check_classes()
        for field in ("train_x", "train_y", "valid_x", "valid_y"):
            self._check_values(field)

    def _check_shapes(self) -> None:
        for part in ("train", "valid"):
            x, y = getattr(self, f"{part}_x"), getattr(self, f"{part}_y")
            if x.shape[:2] != y.shape[:2]:
                raise ValueError(
                    f"{part}_x and {part}_y must agree in tasks and examples, got shapes {x.shape} and {y.shape}"
                )
        if self.train_x.shape[0] != self.valid_x.shape[0]:
            raise ValueError(
                f"training and validation must have as many tasks, got {self.train_x.shape[0]} "
                f"and {self.valid_x.shape[0]}"
            )
        if self.train_x.shape[2] != self.valid_x.shape[2]:
            raise ValueError(
                f"training and validation must have as many features, got {self.train_x.shape[2]} "
                f"and {self.valid_x.shape[2]}"
            )
        if self.seeds.shape != (self.num_tasks,):
            raise ValueError(f"seeds must have shape ({self.num_tasks},), one a task, got {self.seeds.shape}")

    def _check_classes(self) -> None:
        if self.train_y.shape[2:] != self.valid_y.shape[2:]:
            raise ValueError(
                "train_y and valid_y must have labels of one kind, both scalar or of as many classes, "
                f"got shapes {self.train_y.shape} and {self.valid_y.shape}"
            )
        if self.num_classes == 0:
            return
        if self.evaluation != "accuracy":
            raise ValueError(f"evaluation must be accuracy for vector labels, got {self.evaluation!r}")
        if not 2 <= self.num_classes <= self.num_features:
            raise ValueError(
                f"vector labels must have 2 to {self.num_features} classes, as many as there are features at most, "
                f"got {self.num_classes}"
            )

    def _check_values(self, field: str) -> None:
        array = getattr(self, field)
        check_finite(field, array)
        if array.ndim == 3 and field.endswith("_y"):
            check_one_hot(field, array)
        elif self.evaluation == "accuracy" and field.endswith("_y"):
            check_binary(field, array)

    @property
    def num_tasks(self) -> int:
        """D."""
        return int(self.train_x.shape[0])

    @property
    def num_features(self) -> int:
        """F."""
        return int(self.train_x.shape[2])

    @property
    def num_train(self) -> int:
        """N, training examples of each task."""
        return int(self.train_x.shape[1])

    @property
    def num_valid(self) -> int:
        """M, validation examples of each task."""
        return int(self.valid_x.shape[1])

    @property
    def num_classes(self) -> int:
        """C, the classes of vector labels; 0 for scalar labels."""
        return int(self.train_y.shape[2]) if self.train_y.ndim == 3 else 0

    def take(self, num_tasks: int) -> TaskSet:
        """The first `num_tasks` tasks of this set.

        Raises:
            ValueError: if the set has fewer tasks, or `num_tasks` is below 1.
        """
        if check_integer("num_tasks", num_tasks, minimum=1) > self.num_tasks:
            raise ValueError(f"num_tasks must be at most {self.num_tasks}, the tasks of {self.name}, got {num_tasks}")
        return replace(
            self,
            train_x=self.train_x[:num_tasks],
            train_y=self.train_y[:num_tasks],
            valid_x=self.valid_x[:num_tasks],
            valid_y=self.valid_y[:num_tasks],
            seeds=self.seeds[:num_tasks],
        )

    def __repr__(self) -> str:
        classes = f"{self.num_classes} classes, " if self.num_classes else ""
        return (
            f"TaskSet({self.name!r}, {self.evaluation}, {classes}{self.num_tasks} tasks, {self.num_features} features, "
            f"{self.num_train}/{self.num_valid} examples, {self.epochs} epochs)"
        )
