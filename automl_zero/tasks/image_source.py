"""Source of classification tasks on images: digits, published data sets, or the user's own (paper, Section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.image_origin import ImageOrigin
from automl_zero.tasks.image_rows import Classes, check_sizes
from automl_zero.tasks.image_sizes import ClassMode, PurposeSizes, check_bytes, default_sizes
from automl_zero.tasks.images import PartCounts, class_choices
from automl_zero.tasks.projected_cache import cached_arrays
from automl_zero.tasks.projection import ProjectedTasks
from automl_zero.tasks.sizes import Sizes, describe_sizes
from automl_zero.tasks.streams import purpose_seed
from automl_zero.tasks.taskset import Evaluation, TaskSet, task_seeds

Features = int | Literal["all"]
Purpose = Literal["search", "select", "final"]
PURPOSES: tuple[Purpose, ...] = ("search", "select", "final")


@dataclass(frozen=True)
class ImageSource:
    """Source of image classification tasks, scored by accuracy.

    With pairs of classes, search and selection use the search pairs, and the final score the held-out pairs. The images
    fall into three parts by splits that never change: search trains and validates on the first; selection trains on the
    first and validates on the second; the final score trains on the first two and validates on the third, the test
    images. So no image that a set is scored on was read by a set before it.

    Attributes:
        images: where the images come from.
        features: F of the sets for search and selection, dimensions that the pixels are projected to; "all" for all
            pixels, unprojected.
        final_features: F of the set for the final score, likewise.
        classes: "pairs" for two classes a task, labels 0 and 1; "all" for all classes in every task, vector labels.
        search_sizes: sizes of the sets that evolution sees.
        select_sizes: sizes of the sets that pick one among several candidates.
        final_sizes: sizes of the sets that give the final score.
        epochs: passes over the training images.
        max_abs_error: error at which a run stops with fitness 0.

    Raises:
        ValueError: if a setting is out of range, asks for more images than are known to be there, or for too much
            memory. Published files are not looked for before tasks are made, or :meth:`check_data` is called.
    """

    images: ImageOrigin
    features: Features
    final_features: Features
    classes: ClassMode
    search_sizes: Sizes
    select_sizes: Sizes
    final_sizes: Sizes
    epochs: int = 1
    max_abs_error: float = 100.0

    def __post_init__(self) -> None:
        check_settings(self.features, self.final_features, self.classes)
        check_integer("epochs", self.epochs, minimum=1)
        check_positive("max_abs_error", self.max_abs_error)
        if (counts := self.images.known_counts) is not None:
            self._check_images(counts)
        for purpose in PURPOSES:
            features, name = self._features(purpose), "final_features" if purpose == "final" else "num_features"
            if features < self.num_classes:
                raise ValueError(f"{name} must be at least {self.num_classes}, the number of classes, got {features}")
            check_bytes(purpose, self._sizes(purpose), features, self.num_classes)

    @property
    def evaluation(self) -> Evaluation:
        """How programs are scored: "accuracy"."""
        return "accuracy"

    @property
    def num_features(self) -> int:
        """F of the sets for search and selection."""
        return self._features("search")

    @property
    def final_num_features(self) -> int:
        """F of the set for the final score."""
        return self._features("final")

    @property
    def num_classes(self) -> int:
        """C of vector labels; 0 with pairs of classes."""
        return 0 if self.classes == "pairs" else self.images.num_classes

    def search(self, seed: int) -> TaskSet:
        """Tasks that evolution sees.

        Raises:
            ValueError: here as in the other two: files are missing or not usable, or hold too few images for any of
                the three.
        """
        return self._tasks("search", seed)

    def select(self, seed: int) -> TaskSet:
        """Tasks that pick one among several candidates: other projections and validation images than in search."""
        return self._tasks("select", seed)

    def final(self, seed: int) -> TaskSet:
        """Tasks of the held-out pairs (with pairs of classes), validated on the images set aside."""
        return self._tasks("final", seed)

    def check_data(self) -> None:
        """Refuse files that are missing, before anything is read.

        Raises:
            ValueError: that says what is missing, where it was looked for and how to get it.
        """
        self.images.check_files()

    def choices(self, purpose: Purpose) -> Sequence[Classes]:
        """The combinations of classes that the tasks for a purpose are made of."""
        return class_choices(self.classes == "pairs", self.images.num_classes)[purpose == "final"]

    def describe(self) -> str:
        """One line for reports."""
        what = "pairs of classes" if self.classes == "pairs" else f"all {self.num_classes} classes"
        features = _describe_features(self.features, self.num_features)
        if self.final_features != self.features:
            features += f" (for the final score: {_describe_features(self.final_features, self.final_num_features)})"
        sizes = describe_sizes(self.search_sizes, self.select_sizes, self.final_sizes)
        return f"{self.images.describe()}, {what} {features}: {sizes}"

    def _features(self, purpose: Purpose) -> int:
        features = self.final_features if purpose == "final" else self.features
        return self.images.num_pixels if features == "all" else features

    def _sizes(self, purpose: Purpose) -> Sizes:
        sizes: Sizes = getattr(self, f"{purpose}_sizes")
        return sizes

    def _check_images(self, counts: PartCounts) -> None:
        shown, held_out = class_choices(self.classes == "pairs", len(counts["search"]))
        for purpose in PURPOSES:
            choices = held_out if purpose == "final" else shown
            try:
                check_sizes(self.images.kind, counts, choices, purpose, self._sizes(purpose))
            except ValueError as error:
                raise ValueError(f"{purpose}: {error}") from None

    def _tasks(self, purpose: Purpose, seed: int) -> TaskSet:
        data, identity = self.images.load()
        # All three purposes: hours of search should not end in a final set that cannot be made.
        self._check_images(data.counts())
        own_seed, sizes = purpose_seed(seed, purpose), self._sizes(purpose)
        features = self.final_features if purpose == "final" else self.features
        projected, one_hot = None if features == "all" else features, self.classes == "all"
        tasks = ProjectedTasks(data, self.choices(purpose), sizes, projected, own_seed, purpose, one_hot)
        arrays = tasks.build() if identity is None else cached_arrays(tasks, identity)
        seeds = task_seeds(own_seed, sizes.num_tasks)
        return TaskSet(f"{data.name} ({purpose})", "accuracy", *arrays, seeds, self.epochs, self.max_abs_error)


def image_source(
    kind: str = "digits",
    num_features: Features = 16,
    *,
    classes: ClassMode = "pairs",
    final_features: Features | None = None,
    search_sizes: Sizes | None = None,
    select_sizes: Sizes | None = None,
    final_sizes: Sizes | None = None,
    epochs: int | None = None,
    max_abs_error: float = 100.0,
    data_dir: str | None = None,
    download: bool = False,
    path: str | None = None,
) -> ImageSource:
    """A source of image tasks in which what is left out takes the kind's default.

    Args:
        kind: "digits", "fashion-mnist", "mnist", "cifar10", "svhn", or "images" for an npz file.
        num_features: F, or "all" for all pixels, unprojected.
        classes: "pairs" or "all", see :class:`ImageSource`.
        final_features: F of the final score's set; `num_features` by default.
        search_sizes: sizes of the sets that evolution sees; by default the paper's, where there are enough images.
        select_sizes: sizes of the sets that pick one among several candidates.
        final_sizes: sizes of the sets that give the final score.
        epochs: passes over the training images; 1, for the digits 4.
        max_abs_error: error at which a run stops with fitness 0.
        data_dir: folder of the files, of the published data sets; without it they are looked for in the usual places.
        download: fetch the files from OpenML if they are not found.
        path: the npz file, of "images".

    Raises:
        ValueError: as :class:`ImageSource`; also if the npz file cannot be used.
    """
    images = ImageOrigin(kind, data_dir, download, path)
    final_features = num_features if final_features is None else final_features
    defaults = sizes_for(images, num_features, final_features, classes)
    return ImageSource(
        images,
        num_features,
        final_features,
        classes,
        search_sizes or defaults[0],
        select_sizes or defaults[1],
        final_sizes or defaults[2],
        (4 if kind == "digits" else 1) if epochs is None else epochs,
        max_abs_error,
    )


def sizes_for(
    images: ImageOrigin, num_features: Features, final_features: Features, classes: ClassMode
) -> PurposeSizes:
    """Default sizes for search, selection and the final score."""
    check_settings(num_features, final_features, classes)
    projected = [features != "all" for features in (num_features, num_features, final_features)]
    if images.path is None:
        return default_sizes(images.kind, classes, projected)
    return default_sizes(images.kind, classes, projected, images.known_counts)


def check_settings(features: Any, final_features: Any, classes: Any) -> None:
    """Refuse features and classes that are neither numbers nor the words for them."""
    for name, value in (("num_features", features), ("final_features", final_features)):
        if isinstance(value, str) and value != "all":
            raise ValueError(f'{name} must be an integer of at least 1 or "all", got {value!r}')
        if value != "all":
            check_integer(name, value, minimum=1)
    if classes not in get_args(ClassMode):
        raise ValueError(f'classes must be "pairs" or "all", got {classes!r}')


def _describe_features(features: Features, number: int) -> str:
    return f"with all {number} features (pixels)" if features == "all" else f"projected to {number} features"
