"""Projected binary classification: two classes of an image data set, pixels projected at random (paper, Section 4.2).

Test images are set aside once, by a split that never changes, before any projection, scaling or resampling. Only the
final score reads them; search and selection draw from the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.checks import check_integer
from automl_zero.tasks.sizes import Sizes
from automl_zero.tasks.splits import Rows, Scaling, stratified_split
from automl_zero.tasks.streams import stream
from automl_zero.tasks.taskset import Floats, TaskSet, task_seeds

Pair = tuple[int, int]

#: Class pairs that search never sees, of ten classes (paper, Supplement S5; the reference's own list).
HELD_OUT_PAIRS: tuple[Pair, ...] = ((0, 5), (0, 9), (1, 8), (2, 9), (3, 5), (3, 6), (3, 8), (4, 6), (8, 9))
#: The other 36 pairs, for search and selection.
SEARCH_PAIRS: tuple[Pair, ...] = tuple(
    (first, second) for first in range(10) for second in range(first + 1, 10) if (first, second) not in HELD_OUT_PAIRS
)

SET_ASIDE_SEED = 0  # a constant: no seed of an experiment may ever move an image across the split


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images, some of them set aside for the final score.

    Attributes:
        name: what to call the data set in reports.
        images: [n, ...], pixels of any numeric type; every axis but the first is flattened.
        labels: [n], the class of each image.
        set_aside: bool[n], the images that only the final score may read.

    Raises:
        ValueError: if the lengths disagree.
    """

    name: str
    images: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    set_aside: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        size = self.images.shape[0]
        for field in ("labels", "set_aside"):
            shape = getattr(self, field).shape
            if shape != (size,):
                raise ValueError(f"{field} must have shape ({size},), one an image, got {shape}")


def set_aside_rows(labels: npt.NDArray[Any], share: float = 0.2) -> npt.NDArray[np.bool_]:
    """Choose test images: as many of each class, `share` of the smallest class, by a fixed seed.

    Equal numbers make every pair's test set balanced and of one size.

    Args:
        labels: [n], the class of each image.
        share: part of the smallest class, between 0 and 1.

    Returns:
        bool[n], true for the images set aside.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share!r}")
    classes, sizes = np.unique(labels, return_counts=True)
    each = max(1, round(share * int(sizes.min())))
    chosen = np.zeros(labels.shape[0], dtype=np.bool_)
    for index, label in enumerate(classes):
        members = np.flatnonzero(labels == label)
        chosen[stream(SET_ASIDE_SEED, index, "set aside").permutation(members)[:each]] = True
    return chosen


@dataclass(frozen=True, eq=False)
class PairTask:
    """Which images one task uses: the first class of the pair is labelled 0, the second 1.

    Attributes:
        pair: the two classes.
        train: indices of the training images in the image set.
        valid: indices of the validation images.
    """

    pair: Pair
    train: Rows
    valid: Rows


def pair_task(
    data: ImageSet, pairs: Sequence[Pair], index: int, num_train: int, num_valid: int, seed: int, on_set_aside: bool
) -> PairTask:
    """Choose the class pair and the images of task `index`, a function of (seed, index).

    Any len(pairs) tasks that follow each other from a multiple of len(pairs) on cover every pair once.

    Raises:
        ValueError: if the pair has too few images.
    """
    cycle, place = divmod(index, len(pairs))
    pair = pairs[int(stream(seed, cycle, "pairs").permutation(len(pairs))[place])]
    of_pair = np.isin(data.labels, pair)
    rest = np.flatnonzero(of_pair & ~data.set_aside)
    test = np.flatnonzero(of_pair & data.set_aside)
    if on_set_aside:
        _check_enough(data, pair, num_train, rest.size, "training images")
        _check_enough(data, pair, num_valid, test.size, "set-aside images")
        train, _ = stratified_split(data.labels[rest], num_train, 0, stream(seed, index, "rows"))
        _, valid = stratified_split(data.labels[test], 0, num_valid, stream(seed, index, "set-aside rows"))
        return PairTask(pair, rest[train], test[valid])
    _check_enough(data, pair, num_train + num_valid, rest.size, "images that are not set aside")
    train, valid = stratified_split(data.labels[rest], num_train, num_valid, stream(seed, index, "rows"))
    return PairTask(pair, rest[train], rest[valid])


def projected_pairs(
    data: ImageSet,
    pairs: Sequence[Pair],
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
    if not pairs:
        raise ValueError("pairs must name at least one pair of classes")
    pixels = data.images.reshape(data.images.shape[0], -1)
    train_x = np.empty((sizes.num_tasks, sizes.num_train, num_features))
    valid_x = np.empty((sizes.num_tasks, sizes.num_valid, num_features))
    train_y, valid_y = np.empty(train_x.shape[:2]), np.empty(valid_x.shape[:2])
    for index in range(sizes.num_tasks):
        task = pair_task(data, pairs, index, num_train, num_valid, seed, on_set_aside)
        projection = stream(seed, index, "projection").standard_normal((pixels.shape[1], num_features))
        train = _project(pixels, task.train, projection)
        scaling = Scaling.fit(train)
        train_x[index] = scaling.apply(train)
        valid_x[index] = scaling.apply(_project(pixels, task.valid, projection))
        train_y[index] = data.labels[task.train] == task.pair[1]
        valid_y[index] = data.labels[task.valid] == task.pair[1]
    seeds = task_seeds(seed, sizes.num_tasks)
    return TaskSet(data.name, "accuracy", train_x, train_y, valid_x, valid_y, seeds, epochs, max_abs_error)


def _project(pixels: npt.NDArray[Any], rows: Rows, projection: Floats) -> Floats:
    projected: Floats = pixels[rows].astype(np.float64) @ projection
    return projected


def _check_enough(data: ImageSet, pair: Pair, wanted: int, available: int, what: str) -> None:
    if wanted > available:
        raise ValueError(
            f"{data.name}: classes {pair[0]} and {pair[1]} have {available} {what}, fewer than the {wanted} asked for"
        )
