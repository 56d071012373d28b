"""A set of supervised tasks that programs are evaluated on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.streams import entropy

Evaluation = Literal["rmse", "accuracy"]
EVALUATIONS: tuple[Evaluation, ...] = ("rmse", "accuracy")

Floats = npt.NDArray[np.float64]


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

    Attributes:
        name: what to call the set in reports.
        evaluation: "rmse" (fitness 1 - (2 / pi) * atan(RMSE)) or "accuracy" (share of right answers, labels 0 and 1).
        train_x: float64[D, N, F], features of the training examples.
        train_y: float64[D, N], their labels.
        valid_x: float64[D, M, F], features of the validation examples.
        valid_y: float64[D, M], their labels.
        seeds: uint64[D], seeds of the random operations in programs.
        epochs: passes over the training examples.
        max_abs_error: a run whose error exceeds this on any example stops with fitness 0; in label units.

    Raises:
        ValueError: if shapes disagree, a size is zero, a value is not finite, a label is not 0 or 1 where accuracy is
            asked for, or a setting is out of range.
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
        for field, dims in (("train_x", 3), ("train_y", 2), ("valid_x", 3), ("valid_y", 2)):
            array = _frozen_floats(field, getattr(self, field))
            if array.ndim != dims:
                wanted = "[tasks, examples, features]" if dims == 3 else "[tasks, examples]"
                raise ValueError(f"{field} must have {dims} dimensions {wanted}, got shape {array.shape}")
            if 0 in array.shape:
                raise ValueError(f"{field} must not be empty, got shape {array.shape}")
            object.__setattr__(self, field, array)
        object.__setattr__(self, "seeds", _frozen_seeds(self.seeds))
        self._check_shapes()
        for field in ("train_x", "train_y", "valid_x", "valid_y"):
            self._check_values(field)

    def _check_shapes(self) -> None:
        for part in ("train", "valid"):
            x, y = getattr(self, f"{part}_x"), getattr(self, f"{part}_y")
            if x.shape[:2] != y.shape:
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

    def _check_values(self, field: str) -> None:
        array = getattr(self, field)
        _refuse(field, array, ~np.isfinite(array), "must be finite")
        if self.evaluation == "accuracy" and field.endswith("_y"):
            _refuse(field, array, (array != 0) & (array != 1), "must be 0 or 1 where evaluation is accuracy")

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
        return (
            f"TaskSet({self.name!r}, {self.evaluation}, {self.num_tasks} tasks, {self.num_features} features, "
            f"{self.num_train}/{self.num_valid} examples, {self.epochs} epochs)"
        )


def _frozen_floats(field: str, value: Any) -> Floats:
    """Read-only C-contiguous float64; a writeable input is copied, for its owner could change it later."""
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{field} must be a rectangular array of numbers ({error})") from None
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{field} must be an array of real numbers, got dtype {given.dtype}")
    if given.dtype == np.float64 and given.flags.c_contiguous and not _writeable(given):
        return given
    array = np.array(given, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


def _frozen_seeds(value: Any) -> npt.NDArray[np.uint64]:
    given = np.asarray(value)
    if given.dtype.kind not in "iu" or (given.dtype.kind == "i" and given.size and given.min() < 0):
        raise ValueError(f"seeds must be an array of integers of at least 0, got dtype {given.dtype}")
    seeds = np.array(given, dtype=np.uint64, order="C")
    seeds.flags.writeable = False
    return seeds


def _writeable(array: npt.NDArray[Any]) -> bool:
    """Whether anyone can write to this memory: a read-only view of a writeable array still changes under it."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return True
        base = base.base
    return base is not None


def _refuse(field: str, array: Floats, bad: npt.NDArray[np.bool_], rule: str) -> None:
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        place = ", ".join(str(i) for i in where)
        raise ValueError(f"{field}[{place}] {rule}, got {array[where]!s}")
