"""Projected binary tasks on the 8x8 digits that scikit-learn ships: no download."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.images import HELD_OUT_PAIRS, SEARCH_PAIRS, ImageSet, projected_pairs, set_aside_rows
from automl_zero.tasks.sizes import Sizes, describe_sizes
from automl_zero.tasks.streams import purpose_seed
from automl_zero.tasks.taskset import Evaluation, TaskSet

# Of the pair with the fewest images, (2, 8) of those for search and (8, 9) of those held out. Known beforehand so that
# sizes can be checked without the 2 s that importing scikit-learn takes.
SMALLEST_SEARCH_PAIR = 281
SMALLEST_HELD_OUT_PAIR = 284
SET_ASIDE_PER_PAIR = 70


@functools.cache
def load_digits() -> ImageSet:
    """The 1,797 images (8x8 pixels, ten classes of 174 to 183), 35 of each class set aside for the final score."""
    from sklearn.datasets import load_digits as sklearn_digits  # 2 s: only where it is used

    images, labels = sklearn_digits(return_X_y=True)
    set_aside = set_aside_rows(labels)
    for array in (images, labels, set_aside):
        array.flags.writeable = False  # shared by every caller through the cache
    return ImageSet("digits", images, labels, set_aside)


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
        num_valid = FINAL_SIZES.num_valid if held_out else SEARCH_SIZES.num_valid
    _check_images(Sizes(num_tasks, num_train, num_valid), held_out)
    return projected_pairs(
        load_digits(),
        HELD_OUT_PAIRS if held_out else SEARCH_PAIRS,
        num_tasks,
        num_features,
        num_train,
        num_valid,
        seed=seed,
        epochs=epochs,
        max_abs_error=max_abs_error,
        on_set_aside=held_out,
    )


SEARCH_SIZES = Sizes(10, 200, 80)
SELECT_SIZES = Sizes(100, 200, 80)
FINAL_SIZES = Sizes(10 * len(HELD_OUT_PAIRS), 200, SET_ASIDE_PER_PAIR)  # ten projections of each held-out pair


@dataclass(frozen=True)
class DigitsSource:
    """Source of projected binary digits tasks.

    Search and selection use the 36 search pairs, each with projections and draws of its own; the final score is over
    the nine held-out pairs and the images set aside.

    Attributes:
        num_features: F.
        search_sizes: sizes of the sets that evolution sees.
        select_sizes: sizes of the sets that pick one among several candidates.
        final_sizes: sizes of the sets that give the final score; nine tasks are one projection of each held-out pair.
        epochs: passes over the training images.
        max_abs_error: error at which a run stops with fitness 0.

    Raises:
        ValueError: if a setting is out of range, or asks for more images than a pair has.
    """

    num_features: int = 16
    search_sizes: Sizes = SEARCH_SIZES
    select_sizes: Sizes = SELECT_SIZES
    final_sizes: Sizes = FINAL_SIZES
    epochs: int = 4
    max_abs_error: float = 100.0

    def __post_init__(self) -> None:
        check_integer("num_features", self.num_features, minimum=1)
        check_integer("epochs", self.epochs, minimum=1)
        check_positive("max_abs_error", self.max_abs_error)
        _check_images(self.search_sizes, held_out=False)
        _check_images(self.select_sizes, held_out=False)
        _check_images(self.final_sizes, held_out=True)

    @property
    def evaluation(self) -> Evaluation:
        """How programs are scored: "accuracy"."""
        return "accuracy"

    def search(self, seed: int) -> TaskSet:
        """Tasks that evolution sees."""
        return self._tasks("search", self.search_sizes, seed)

    def select(self, seed: int) -> TaskSet:
        """Tasks that pick one among several candidates: other projections and draws of images than in search."""
        return self._tasks("select", self.select_sizes, seed)

    def final(self, seed: int) -> TaskSet:
        """Tasks of the held-out pairs, validated on the images set aside."""
        return self._tasks("final", self.final_sizes, seed)

    def describe(self) -> str:
        """One line for reports."""
        sizes = describe_sizes(self.search_sizes, self.select_sizes, self.final_sizes)
        return f"digits, pairs of classes projected to {self.num_features} features: {sizes}"

    def _tasks(self, purpose: str, sizes: Sizes, seed: int) -> TaskSet:
        tasks = digits(
            sizes.num_tasks,
            self.num_features,
            sizes.num_train,
            sizes.num_valid,
            purpose_seed(seed, purpose),
            self.epochs,
            self.max_abs_error,
            held_out=purpose == "final",
        )
        return replace(tasks, name=f"digits ({purpose})")


def _check_images(sizes: Sizes, held_out: bool) -> None:
    if held_out:
        bounds = [
            ("num_train", sizes.num_train, SMALLEST_HELD_OUT_PAIR),
            ("num_valid", sizes.num_valid, SET_ASIDE_PER_PAIR),
        ]
    else:
        bounds = [("num_train + num_valid", sizes.num_train + sizes.num_valid, SMALLEST_SEARCH_PAIR)]
    for name, wanted, available in bounds:
        if wanted > available:
            pairs = "a held-out pair" if held_out else "a search pair"
            raise ValueError(f"{name} must be at most {available} for {pairs} of digits, got {wanted}")
