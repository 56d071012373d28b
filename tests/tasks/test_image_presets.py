"""The sets of every image preset are disjoint in images, shown on data sets with the published numbers of images."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest

from automl_zero.evolution.diversity import island_tasks
from automl_zero.presets import SCALES, preset_names, preset_text
from automl_zero.tasks import ImageSet, ImageSource, make_source
from automl_zero.tasks.digits import load_digits
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS
from automl_zero.tasks.image_files.labelled import Labelled
from automl_zero.tasks.image_files.load import image_set
from automl_zero.tasks.image_rows import check_sizes, task_rows
from automl_zero.tasks.image_source import PURPOSES, Purpose
from automl_zero.tasks.streams import purpose_seed

# Published numbers of training and test images of each class.
PUBLISHED = {
    "fashion-mnist": ([6000] * 10, [1000] * 10),
    "cifar10": ([5000] * 10, [1000] * 10),
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ),
    "svhn": (
        [4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659],
        [1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595],
    ),
}
Rows = npt.NDArray[np.bool_]


@functools.cache
def images_of(kind: str) -> ImageSet:
    """A data set with the published labels and no pixels."""
    if kind == "digits":
        return load_digits()
    parts = []
    for counts in PUBLISHED[kind]:
        labels = np.random.default_rng(0).permutation(np.repeat(np.arange(10), counts))
        parts.append(Labelled(np.zeros((labels.size, 1), dtype=np.uint8), labels))
    return image_set(kind, *parts, tuple("0123456789"))


def source_of(tasks: Mapping[str, Any]) -> ImageSource:
    return cast(ImageSource, make_source(tasks, need_data=False))


def rows_read(source: ImageSource, purpose: Purpose, seed: int) -> tuple[Rows, Rows]:
    """Which images the tasks for a purpose train on, and which they validate on."""
    data, sizes = images_of(source.images.kind), getattr(source, f"{purpose}_sizes")
    train, valid = (np.zeros(data.labels.size, dtype=np.bool_) for _ in range(2))
    for index in range(sizes.num_tasks):
        choices, own_seed = source.choices(purpose), purpose_seed(seed, purpose)
        rows = task_rows(data, choices, index, sizes.num_train, sizes.num_valid, own_seed, purpose)
        train[rows.train], valid[rows.valid] = True, True
    return train, valid


def image_presets() -> list[tuple[str, str]]:
    every = [(name, scale) for scale in SCALES for name in preset_names(scale)]
    kinds = {*PUBLISHED, "digits"}
    return [(name, scale) for name, scale in every if tomllib.loads(preset_text(name, scale))["tasks"]["kind"] in kinds]


def test_there_are_image_presets_to_check() -> None:
    assert {"digits", "baseline", "full", "cifar-large", "multi-class"} <= {name for name, _ in image_presets()}


@pytest.mark.parametrize(("name", "scale"), image_presets())
def test_the_search_select_and_final_sets_of_a_preset_are_disjoint_in_images(name: str, scale: str) -> None:
    preset = tomllib.loads(preset_text(name, scale))
    own = source_of(preset["tasks"])
    tables = island_tasks(preset["tasks"], preset.get("diversity", []), preset["islands"])
    searched: dict[str, Rows] = {}
    for source in {source_of(table) for table in tables} | {own}:
        kind = source.images.kind
        train, valid = rows_read(source, "search", 0)
        searched[kind] = searched.get(kind, np.zeros_like(train)) | train | valid
    search = searched[own.images.kind]
    select_train, select_valid = rows_read(own, "select", 0)
    final_train, final_valid = rows_read(own, "final", 0)
    assert select_valid.any()
    assert final_valid.any()
    # What a set is scored on, no set before it reads, be it to train on or to validate on.
    assert not (search & select_valid).any()
    assert not ((search | select_train | select_valid | final_train) & final_valid).any()
    for kind, rows in searched.items():  # no set at all reads another data set's images for selection and final score
        assert not (rows & ~images_of(kind).part("search")).any()


@pytest.mark.parametrize("kind", [*PUBLISHED, "digits"])
@pytest.mark.parametrize("classes", ["pairs", "all"])
def test_every_data_set_has_images_enough_for_the_default_sizes(kind: str, classes: str) -> None:
    source = source_of({"kind": kind, "classes": classes})
    counts = images_of(kind).counts()
    for purpose in PURPOSES:
        check_sizes(kind, counts, source.choices(purpose), purpose, getattr(source, f"{purpose}_sizes"))


def test_the_published_numbers_are_those_of_the_data_sets() -> None:
    assert {kind: sum(test) for kind, (_, test) in PUBLISHED.items()} == {
        name: kind.num_test for name, kind in IMAGE_KINDS.items()
    }
    assert {kind: sum(train) for kind, (train, _) in PUBLISHED.items()} == {
        "fashion-mnist": 60_000,
        "mnist": 60_000,
        "cifar10": 50_000,
        "svhn": 73_257,
    }
