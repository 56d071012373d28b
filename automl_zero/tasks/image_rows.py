"""Which images each task reads: a function of (seed, task index) and of the fixed parts of the image set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from automl_zero.tasks.images import ImageSet, Mask, Part, PartCounts
from automl_zero.tasks.sizes import Sizes
from automl_zero.tasks.splits import Rows, stratified_split
from automl_zero.tasks.streams import stream

Classes = tuple[int, ...]

#: What tasks are for. "rest" takes every image that is not set aside, for tasks outside an experiment.
Role = Literal["search", "select", "final", "rest"]

_NOT_SET_ASIDE: tuple[Part, ...] = ("search", "selection")
# Parts to train on, and parts to validate on. The images that selection or the final score validates on are read by no
# set before it; those that it trains on may be, as every program is trained anew on every task.
_PARTS: dict[Role, tuple[tuple[Part, ...], tuple[Part, ...]]] = {
    "search": (("search",), ("search",)),
    "select": (("search",), ("selection",)),
    "final": (_NOT_SET_ASIDE, ("set aside",)),
    "rest": (_NOT_SET_ASIDE, _NOT_SET_ASIDE),
}
_NAMES: dict[tuple[Part, ...], str] = {
    ("search",): "images for search",
    ("selection",): "images for selection",
    ("set aside",): "set-aside images",
    _NOT_SET_ASIDE: "images that are not set aside",
}


@dataclass(frozen=True, eq=False)
class TaskRows:
    """Which images one task uses.

    Attributes:
        classes: the classes that it tells apart, in the order of their labels.
        train: indices of the training images in the image set.
        valid: indices of the validation images.
    """

    classes: Classes
    train: Rows
    valid: Rows


def task_rows(
    data: ImageSet, choices: Sequence[Classes], index: int, num_train: int, num_valid: int, seed: int, role: Role
) -> TaskRows:
    """Choose the classes and the images of task `index`, a function of (seed, index).

    Any len(choices) tasks that follow each other from a multiple of len(choices) on cover every choice once.

    Raises:
        ValueError: if the classes have too few images.
    """
    cycle, place = divmod(index, len(choices))
    classes = choices[int(stream(seed, cycle, "pairs").permutation(len(choices))[place])]
    train_parts, valid_parts = _PARTS[role]
    of_classes = np.isin(data.labels, classes)
    rest = np.flatnonzero(of_classes & _in_parts(data, train_parts))
    if train_parts == valid_parts:
        _check(data.name, "num_train + num_valid", num_train + num_valid, rest.size, train_parts, classes)
        train, valid = stratified_split(data.labels[rest], num_train, num_valid, stream(seed, index, "rows"))
        return TaskRows(classes, rest[train], rest[valid])
    test = np.flatnonzero(of_classes & _in_parts(data, valid_parts))
    _check(data.name, "num_train", num_train, rest.size, train_parts, classes)
    _check(data.name, "num_valid", num_valid, test.size, valid_parts, classes)
    train, _ = stratified_split(data.labels[rest], num_train, 0, stream(seed, index, "rows"))
    _, valid = stratified_split(data.labels[test], 0, num_valid, stream(seed, index, "set-aside rows"))
    return TaskRows(classes, rest[train], test[valid])


def most_images(counts: PartCounts, choices: Sequence[Classes], role: Role) -> tuple[int, int]:
    """The largest num_train and num_valid, each alone, that every choice of classes has images for."""
    train_parts, valid_parts = _PARTS[role]
    return _fewest(counts, choices, train_parts)[0], _fewest(counts, choices, valid_parts)[0]


def check_sizes(name: str, counts: PartCounts, choices: Sequence[Classes], role: Role, sizes: Sizes) -> None:
    """Refuse sizes that some choice of classes has too few images for.

    Args:
        name: what to call the data set.
        counts: how many images of each class each part has.
        choices: the combinations of classes that tasks are made of.
        role: what the tasks are for.
        sizes: the sizes asked for.

    Raises:
        ValueError: that names the classes, how many images there are, and how many were asked for.
    """
    train_parts, valid_parts = _PARTS[role]
    wanted = [("num_train", sizes.num_train, train_parts), ("num_valid", sizes.num_valid, valid_parts)]
    if train_parts == valid_parts:
        wanted = [("num_train + num_valid", sizes.num_train + sizes.num_valid, train_parts)]
    for what, asked, parts in wanted:
        fewest, classes = _fewest(counts, choices, parts)
        _check(name, what, asked, fewest, parts, classes)


def _in_parts(data: ImageSet, parts: tuple[Part, ...]) -> Mask:
    mask: Mask = np.logical_or.reduce([data.part(part) for part in parts])
    return mask


def _fewest(counts: PartCounts, choices: Sequence[Classes], parts: tuple[Part, ...]) -> tuple[int, Classes]:
    return min((sum(counts[part][label] for part in parts for label in classes), classes) for classes in choices)


def _check(name: str, what: str, asked: int, available: int, parts: tuple[Part, ...], classes: Classes) -> None:
    if asked > available:
        listed = f"classes {classes[0]} and {classes[1]}" if len(classes) == 2 else f"the {len(classes)} classes"
        raise ValueError(f"{what} must be at most {available}, the {_NAMES[parts]} of {listed} of {name}, got {asked}")
