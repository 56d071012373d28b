"""Projected binary tasks on the 8x8 digits that scikit-learn ships: no download."""

from __future__ import annotations

import functools

from automl_zero.tasks.image_rows import Role, check_sizes
from automl_zero.tasks.images import (
    HELD_OUT_PAIRS,
    SEARCH_PAIRS,
    ImageSet,
    PartCounts,
    selection_rows,
    set_aside_rows,
)
from automl_zero.tasks.projection import projected_pairs
from automl_zero.tasks.sizes import Sizes
from automl_zero.tasks.taskset import TaskSet

SELECTION_SHARE = 1 / 7  # 20 images of each class: 40 of a pair, as many as search validates on
NUM_PIXELS = 64

# Known beforehand so that sizes can be checked without the 2 s that importing scikit-learn takes.
_OF_CLASS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)
_SET_ASIDE, _FOR_SELECTION = 35, 20  # of each class
COUNTS: PartCounts = {
    "search": {label: size - _SET_ASIDE - _FOR_SELECTION for label, size in enumerate(_OF_CLASS)},
    "selection": dict.fromkeys(range(10), _FOR_SELECTION),
    "set aside": dict.fromkeys(range(10), _SET_ASIDE),
}


@functools.cache
def load_digits() -> ImageSet:
    """The 1,797 images (8x8 pixels, ten classes of 174 to 183).

    Of each class 35 are set aside for the final score, and 20 are for selection.
    """
    from sklearn.datasets import load_digits as sklearn_digits  # 2 s: only where it is used

    images, labels = sklearn_digits(return_X_y=True)
    set_aside = set_aside_rows(labels)
    for_selection = selection_rows(labels, set_aside, SELECTION_SHARE)
    for array in (images, labels, set_aside, for_selection):
        array.flags.writeable = False  # shared by every caller through the cache
    return ImageSet("digits", images, labels, set_aside, for_selection)


def digits(
    num_tasks: int = 10,
    num_features: int = 16,
    num_train: int = 200,
    num_valid: int | None = None,
    seed: int = 0,
    epochs: int = 4,
    max_abs_error: float = 100.0,
    held_out: bool = False,
) -> TaskSet:
    """Tell two digits apart from randomly projected pixels, scored by accuracy (paper, Section 4.2).

    These are tasks on their own, drawn from all images but those set aside. An experiment's tasks
    (:func:`automl_zero.tasks.image_source`) keep the images of search and of selection apart.

    Args:
        num_tasks: D; the 36 pairs for search (nine with `held_out`) are taken in turn.
        num_features: F, dimensions that the 64 pixels are projected to.
        num_train: N, training images of each task.
        num_valid: M, validation images of each task; 80 by default, and the 70 of the pair set aside with `held_out`.
        seed: another seed gives other projections, draws of images and random draws in programs.
        epochs: passes over the training images.
        max_abs_error: error at which a run stops with fitness 0.
        held_out: take the nine held-out pairs and validate on the images set aside, for the final score alone.

    Raises:
        ValueError: if a size or setting is out of range, or asks for more images than a pair has.
    """
    if num_valid is None:
        num_valid = 2 * _SET_ASIDE if held_out else 80
    pairs = HELD_OUT_PAIRS if held_out else SEARCH_PAIRS
    role: Role = "final" if held_out else "rest"
    check_sizes("digits", COUNTS, pairs, role, Sizes(num_tasks, num_train, num_valid))
    return projected_pairs(
        load_digits(),
        pairs,
        num_tasks,
        num_features,
        num_train,
        num_valid,
        seed=seed,
        epochs=epochs,
        max_abs_error=max_abs_error,
        on_set_aside=held_out,
    )
