"""Features of image tasks: pixels projected at random (paper, Section 4.2) or taken as they are, and standardised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.checks import check_integer
from automl_zero.tasks.image_rows import Classes, Role, task_rows
from automl_zero.tasks.images import ImageSet
from automl_zero.tasks.sizes import Sizes
from automl_zero.tasks.splits import Rows, Scaling
from automl_zero.tasks.streams import stream
from automl_zero.tasks.taskset import Floats, TaskSet, task_seeds

Arrays = tuple[Floats, Floats, Floats, Floats]  # train_x, train_y, valid_x, valid_y

_ROWS = 4096  # images turned into floating point at a time
_BLOCK = 1 << 23  # values standardised at a time: whole columns, 64 MiB


@dataclass(frozen=True, eq=False)
class ProjectedTasks:
    """What determines the arrays of a set of image tasks.

    Attributes:
        data: the images.
        choices: combinations of classes, taken in turn by the tasks.
        sizes: tasks and examples.
        num_features: F, dimensions after a Gaussian random projection of each task's own; None for all pixels,
            unprojected.
        seed: another seed gives other projections and draws of images.
        role: which parts of the images are read.
        one_hot: vector labels ([D, N, C], the classes in the order of a choice) instead of 0 and 1.

    Raises:
        ValueError: if `num_features` is not a positive integer, or there is no choice of classes.
    """

    data: ImageSet
    choices: Sequence[Classes]
    sizes: Sizes
    num_features: int | None
    seed: int
    role: Role
    one_hot: bool = False

    def __post_init__(self) -> None:
        if self.num_features is not None:
            check_integer("num_features", self.num_features, minimum=1)
        if not self.choices:
            raise ValueError("pairs must name at least one pair of classes")

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """Shapes of train_x, train_y, valid_x and valid_y."""
        classes = len(self.choices[0]) if self.one_hot else 0
        features = self.data.pixels.shape[1] if self.num_features is None else self.num_features
        return array_shapes(self.sizes, features, classes)

    def task(self, index: int) -> Arrays:
        """The arrays of one task, without the axis of tasks."""
        sizes, pixels, labels = self.sizes, self.data.pixels, self.data.labels
        rows = task_rows(self.data, self.choices, index, sizes.num_train, sizes.num_valid, self.seed, self.role)
        projection = None
        if self.num_features is not None:
            normal = stream(self.seed, index, "projection").standard_normal
            projection = normal((pixels.shape[1], self.num_features))
        train, valid = _features(pixels, rows.train, projection), _features(pixels, rows.valid, projection)
        _standardise(train, valid)
        return train, self._targets(labels[rows.train], rows), valid, self._targets(labels[rows.valid], rows)

    def build(self) -> Arrays:
        """The arrays of all tasks, in memory."""
        arrays = tuple(np.empty(shape) for shape in self.shapes)
        for index in range(self.sizes.num_tasks):
            for array, part in zip(arrays, self.task(index), strict=True):
                array[index] = part
        for array in arrays:
            array.flags.writeable = False  # so that a task set takes them without a copy
        train_x, train_y, valid_x, valid_y = arrays
        return train_x, train_y, valid_x, valid_y

    def _targets(self, labels: npt.NDArray[Any], rows: Any) -> Floats:
        if not self.one_hot:
            return np.asarray(labels == rows.classes[1], dtype=np.float64)
        return np.asarray(labels[:, np.newaxis] == np.array(rows.classes), dtype=np.float64)


def array_shapes(sizes: Sizes, num_features: int, num_classes: int) -> tuple[tuple[int, ...], ...]:
    """Shapes of train_x, train_y, valid_x and valid_y; `num_classes` is 0 for scalar labels."""
    label = (num_classes,) if num_classes else ()
    return tuple(
        (sizes.num_tasks, examples, *last)
        for examples in (sizes.num_train, sizes.num_valid)
        for last in ((num_features,), label)
    )


def projected_pairs(
    data: ImageSet,
    pairs: Sequence[Classes],
    num_tasks: int,
    num_features: int,
    num_train: int,
    num_valid: int,
    seed: int = 0,
    epochs: int = 1,
    max_abs_error: float = 100.0,
    on_set_aside: bool = False,
) -> TaskSet:
    """Binary classification tasks of class pairs, scored by accuracy (paper, Section 4.2 and Supplement S5).

    Each task takes a pair in turn, draws its images without replacement, flattens them, projects them to
    `num_features` dimensions by a Gaussian random matrix of its own and standardises each feature with the mean and
    deviation of its training images.

    Args:
        data: the images.
        pairs: class pairs to draw from; the first class of a pair is labelled 0, the second 1.
        num_tasks: D; a multiple of len(pairs) covers all pairs equally often.
        num_features: F, dimensions after the projection.
        num_train: N, training images of each task.
        num_valid: M, validation images of each task.
        seed: another seed gives other projections and draws of images.
        epochs: passes over the training images.
        max_abs_error: error at which a run stops with fitness 0.
        on_set_aside: validate on set-aside images (for the final score) instead of on others that are not trained on.

    Raises:
        ValueError: if a setting is out of range, or a pair has too few images.
    """
    sizes = Sizes(num_tasks, num_train, num_valid)
    check_integer("num_features", num_features, minimum=1)
    role: Role = "final" if on_set_aside else "rest"
    arrays = ProjectedTasks(data, pairs, sizes, num_features, seed, role).build()
    return TaskSet(data.name, "accuracy", *arrays, task_seeds(seed, num_tasks), epochs, max_abs_error)


def _features(pixels: npt.NDArray[Any], rows: Rows, projection: Floats | None) -> Floats:
    features = np.empty((rows.size, pixels.shape[1] if projection is None else projection.shape[1]))
    for start in range(0, rows.size, _ROWS):
        some = pixels[rows[start : start + _ROWS]].astype(np.float64)
        features[start : start + _ROWS] = some if projection is None else some @ projection
    return features


def _standardise(train: Floats, valid: Floats) -> None:
    """Standardise features in place, with the mean and deviation of the training images."""
    width = max(1, _BLOCK // train.shape[0])
    for start in range(0, train.shape[1], width):
        columns = slice(start, start + width)
        scaling = Scaling.fit(train[:, columns])
        train[:, columns] = scaling.apply(train[:, columns])
        valid[:, columns] = scaling.apply(valid[:, columns])
