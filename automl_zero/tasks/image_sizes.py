"""Default sizes of image task sets, after the paper's (Supplement S5) and as far as the images suffice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from automl_zero.tasks.image_files.kinds import IMAGE_KINDS
from automl_zero.tasks.image_rows import most_images
from automl_zero.tasks.images import PartCounts, class_choices
from automl_zero.tasks.projection import array_shapes
from automl_zero.tasks.sizes import Sizes

ClassMode = Literal["pairs", "all"]
PurposeSizes = tuple[Sizes, Sizes, Sizes]  # search, select, final

MAX_BYTES = 4 << 30  # of one set of tasks

_DIGITS: dict[ClassMode, PurposeSizes] = {
    "pairs": (Sizes(10, 200, 40), Sizes(100, 200, 40), Sizes(90, 200, 70)),
    "all": (Sizes(10, 1000, 240), Sizes(20, 1000, 200), Sizes(10, 1000, 350)),
}
_LARGE: dict[ClassMode, PurposeSizes] = {
    "pairs": (Sizes(10, 8000, 1000), Sizes(100, 8000, 1000), Sizes(90, 8000, 2000)),
    "all": (Sizes(10, 40_000, 5000), Sizes(20, 40_000, 5000), Sizes(10, 40_000, 10_000)),
}
# Tasks for search, selection and the final score. Without projections tasks of the same classes differ in little more
# than the order of their examples, and take much memory.
_UNPROJECTED: dict[ClassMode, tuple[int, int, int]] = {"pairs": (10, 10, 9), "all": (1, 1, 1)}


def default_sizes(
    kind: str, classes: ClassMode, projected: Sequence[bool], counts: PartCounts | None = None
) -> PurposeSizes:
    """Sizes for search, selection and the final score.

    Args:
        kind: kind of the images.
        classes: pairs of classes, or all at once.
        projected: for each purpose whether its features are projections.
        counts: of images that are not known beforehand, how many of each class each part has.
    """
    if kind == "digits":
        sizes = _DIGITS[classes]
    else:
        search, select, final = _LARGE[classes]
        if kind in IMAGE_KINDS:
            known, pairs = IMAGE_KINDS[kind], classes == "pairs"
            select_valid = known.select_valid if pairs else 5 * known.select_valid  # ten classes are five pairs
            select = Sizes(select.num_tasks, select.num_train, select_valid)
            final = Sizes(final.num_tasks, final.num_train, known.final_valid if pairs else final.num_valid)
        sizes = (search, select, final)
        if counts is not None:
            sizes = _fitted(sizes, classes, counts)
    search, select, final = (
        given if is_projected else Sizes(num_tasks, given.num_train, given.num_valid)
        for given, is_projected, num_tasks in zip(sizes, projected, _UNPROJECTED[classes], strict=True)
    )
    return search, select, final


def check_bytes(purpose: str, sizes: Sizes, num_features: int, num_classes: int) -> None:
    """Refuse a set of tasks that would take more than 4 GiB.

    Raises:
        ValueError: that says how much it would take.
    """
    size = 8 * sum(math.prod(shape) for shape in array_shapes(sizes, num_features, num_classes))
    if size > MAX_BYTES:
        raise ValueError(
            f"{purpose}: {sizes} with {num_features} features take {size / (1 << 30):.1f} GiB; "
            f"at most {MAX_BYTES >> 30} GiB are allowed, so ask for fewer tasks, examples or features"
        )


def _fitted(sizes: PurposeSizes, classes: ClassMode, counts: PartCounts) -> PurposeSizes:
    """As many examples, or as many as there are images for."""
    search, select, final = sizes
    shown, held_out = class_choices(classes == "pairs", len(counts["search"]))
    for_search, _ = most_images(counts, shown, "search")
    valid = max(1, min(search.num_valid, for_search // 5))
    train = max(1, min(search.num_train, for_search - valid))
    select_train, select_valid = most_images(counts, shown, "select")
    final_train, final_valid = most_images(counts, held_out, "final")
    return (
        Sizes(search.num_tasks, train, valid),
        Sizes(select.num_tasks, min(train, select_train), min(select.num_valid, select_valid)),
        Sizes(final.num_tasks, min(train, final_train), min(final.num_valid, final_valid)),
    )
