"""Labelled images, and which of them each set of tasks may read.

Three parts never mix: images for search, images that selection alone is scored on, and images set aside for the final
score. The splits are fixed: they depend on the labels, never on the seed of an experiment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.streams import stream

Pair = tuple[int, int]
Mask = npt.NDArray[np.bool_]
Part = Literal["search", "selection", "set aside"]
PARTS: tuple[Part, ...] = ("search", "selection", "set aside")
PartCounts = Mapping[Part, Mapping[int, int]]  # of each part the number of images of each class

#: Class pairs that search never sees, of ten classes (paper, Supplement S5; the reference's own list).
HELD_OUT_PAIRS: tuple[Pair, ...] = ((0, 5), (0, 9), (1, 8), (2, 9), (3, 5), (3, 6), (3, 8), (4, 6), (8, 9))
#: The other 36 pairs, for search and selection.
SEARCH_PAIRS: tuple[Pair, ...] = tuple(
    (first, second) for first in range(10) for second in range(first + 1, 10) if (first, second) not in HELD_OUT_PAIRS
)

SET_ASIDE_SEED = 0  # a constant: no seed of an experiment may ever move an image across a split


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images, some of them kept from search.

    Attributes:
        name: what to call the data set in reports.
        images: [n, ...], pixels of any numeric type; every axis but the first is flattened.
        labels: [n], the class of each image.
        set_aside: bool[n], the images that only the final score may read.
        for_selection: bool[n], the images that search may not read, but selection is scored on; none by default.

    Raises:
        ValueError: if the lengths disagree, or an image is in both parts.
    """

    name: str
    images: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    set_aside: Mask
    for_selection: Mask = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    def __post_init__(self) -> None:
        size = self.images.shape[0]
        if self.for_selection.size == 0:
            object.__setattr__(self, "for_selection", np.zeros(size, dtype=np.bool_))
        for name in ("labels", "set_aside", "for_selection"):
            shape = getattr(self, name).shape
            if shape != (size,):
                raise ValueError(f"{name} must have shape ({size},), one an image, got {shape}")
        both = np.flatnonzero(self.set_aside & self.for_selection)
        if both.size:
            raise ValueError(f"image {both[0]} is both set aside and for selection")

    @property
    def pixels(self) -> npt.NDArray[Any]:
        """[n, pixels of an image]."""
        return self.images.reshape(self.images.shape[0], -1)

    def part(self, part: Part) -> Mask:
        """bool[n], the images of a part; every image is in exactly one."""
        if part == "search":
            return ~(self.set_aside | self.for_selection)
        return self.for_selection if part == "selection" else self.set_aside

    def counts(self) -> PartCounts:
        """How many images of each class each part has."""
        classes = [int(label) for label in np.unique(self.labels)]
        of = {label: self.labels == label for label in classes}
        return {
            part: {label: int(np.count_nonzero(of[label] & self.part(part))) for label in classes} for part in PARTS
        }


def set_aside_rows(labels: npt.NDArray[Any], share: float = 0.2) -> Mask:
    """Choose test images: as many of each class, `share` of the smallest class, by a fixed seed.

    Equal numbers make every pair's test set balanced and of one size.

    Args:
        labels: [n], the class of each image.
        share: part of the smallest class, between 0 and 1.

    Returns:
        bool[n], true for the images set aside.
    """
    return _reserve(labels, np.arange(labels.shape[0]), share, "set aside")


def selection_rows(labels: npt.NDArray[Any], set_aside: Mask, share: float) -> Mask:
    """Choose the images that selection is scored on, as many of each class, by a fixed seed.

    Args:
        labels: [n], the class of each image.
        set_aside: bool[n], images to choose none of.
        share: part of the smallest class, of the images that are not set aside, between 0 and 1.

    Returns:
        bool[n], true for the images for selection.
    """
    return _reserve(labels, np.flatnonzero(~set_aside), share, "selection")


def _reserve(labels: npt.NDArray[Any], rows: npt.NDArray[np.int64], share: float, tag: str) -> Mask:
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1, got {share!r}")
    classes, sizes = np.unique(labels[rows], return_counts=True)
    each = reserved_of_each(int(sizes.min()), share)
    chosen = np.zeros(labels.shape[0], dtype=np.bool_)
    for index, label in enumerate(classes):
        members = rows[labels[rows] == label]
        chosen[stream(SET_ASIDE_SEED, index, tag).permutation(members)[:each]] = True
    return chosen


def reserved_of_each(smallest: int, share: float) -> int:
    """Images of each class that a split reserves, where the smallest class has `smallest`."""
    return max(1, round(share * smallest))


def class_pairs(num_classes: int) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Class pairs for search and selection, and those held out for the final score.

    Ten classes are divided as in the paper. Of other numbers a fifth of the pairs is held out, by a fixed seed; two
    classes have one pair, which both parts use.

    Raises:
        ValueError: for fewer than two classes.
    """
    if num_classes < 2:
        raise ValueError(f"at least two classes are needed to make pairs, got {num_classes}")
    if num_classes == 10:
        return SEARCH_PAIRS, HELD_OUT_PAIRS
    pairs = [(first, second) for first in range(num_classes) for second in range(first + 1, num_classes)]
    if len(pairs) == 1:
        return (pairs[0],), (pairs[0],)
    order = stream(SET_ASIDE_SEED, num_classes, "held-out pairs").permutation(len(pairs))
    held_out = {pairs[place] for place in order[: max(1, round(len(pairs) / 5))]}
    return tuple(pair for pair in pairs if pair not in held_out), tuple(pair for pair in pairs if pair in held_out)


def class_choices(pairs: bool, num_classes: int) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """What classes tasks are made of, for search and selection and for the final score: pairs, or all at once."""
    if pairs:
        return class_pairs(num_classes)
    every = (tuple(range(num_classes)),)
    return every, every
