from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from automl_zero.tasks import HELD_OUT_PAIRS, SEARCH_PAIRS, ImageSource, Sizes, digits, image_source
from automl_zero.tasks.digits import COUNTS, load_digits
from automl_zero.tasks.image_rows import Role, TaskRows, task_rows
from automl_zero.tasks.streams import purpose_seed


def chosen(source: ImageSource, purpose: Role, seed: int) -> Iterable[TaskRows]:
    """Which images the tasks of a source's set use."""
    sizes: Sizes = getattr(source, f"{purpose}_sizes")
    pairs = HELD_OUT_PAIRS if purpose == "final" else SEARCH_PAIRS
    for index in range(sizes.num_tasks):
        own_seed = purpose_seed(seed, purpose)
        yield task_rows(load_digits(), pairs, index, sizes.num_train, sizes.num_valid, own_seed, purpose)


def test_the_numbers_of_images_known_beforehand_are_those_of_the_data() -> None:
    assert load_digits().counts() == COUNTS


def test_final_tasks_are_scored_on_every_set_aside_image_of_the_held_out_pairs() -> None:
    data = load_digits()
    tasks = list(chosen(image_source("digits"), "final", 0))
    for task in tasks:
        assert not data.set_aside[task.train].any()
        wanted = np.flatnonzero(data.set_aside & np.isin(data.labels, task.classes))
        assert sorted(task.valid) == wanted.tolist()
    pairs = [task.classes for task in tasks]
    assert {pair: pairs.count(pair) for pair in pairs} == dict.fromkeys(HELD_OUT_PAIRS, 10)


@pytest.mark.parametrize("purpose", ["search", "select", "final"])
def test_the_tasks_of_a_source_are_made_of_the_chosen_images(purpose: Role) -> None:
    data, source = load_digits(), image_source("digits")
    tasks = getattr(source, purpose)(0)
    for index, task in enumerate(chosen(source, purpose, 0)):
        assert np.array_equal(tasks.train_y[index], data.labels[task.train] == task.classes[1])
        assert np.array_equal(tasks.valid_y[index], data.labels[task.valid] == task.classes[1])


def test_select_uses_other_projections_and_splits_than_search() -> None:
    source = image_source("digits")
    search, select = source.search(0), source.select(0)
    assert not np.isin(search.train_x, select.train_x).any()
    splits = {frozenset(task.train) for purpose in ("search", "select") for task in chosen(source, purpose, 0)}
    assert len(splits) == search.num_tasks + select.num_tasks


def test_the_defaults_are_16_features_and_200_and_80_examples() -> None:
    tasks = digits()
    assert (tasks.num_tasks, tasks.num_features, tasks.num_train, tasks.num_valid) == (10, 16, 200, 80)
    assert (tasks.evaluation, tasks.epochs) == ("accuracy", 4)
    assert digits(1, held_out=True).num_valid == 70


def test_a_linear_separator_tells_the_digits_apart() -> None:
    tasks = digits(num_tasks=3)
    for x, y, vx, vy in zip(tasks.train_x, tasks.train_y, tasks.valid_x, tasks.valid_y, strict=True):
        weights = np.linalg.lstsq(x, 2 * y - 1, rcond=None)[0]
        assert np.mean((vx @ weights > 0) == (vy > 0.5)) > 0.8


def test_more_images_than_a_pair_has_are_refused_before_any_is_loaded() -> None:
    few = r"num_train \+ num_valid must be at most 241, the images for search of classes 2 and 8 of digits, got 300"
    with pytest.raises(ValueError, match=few):
        image_source("digits", search_sizes=Sizes(10, 200, 100))
    few = "select: num_valid must be at most 40, the images for selection of classes 0 and 1 of digits, got 41"
    with pytest.raises(ValueError, match=few):
        image_source("digits", select_sizes=Sizes(10, 200, 41))
    few = "final: num_valid must be at most 70, the set-aside images of classes 0 and 5 of digits, got 80"
    with pytest.raises(ValueError, match=few):
        image_source("digits", final_sizes=Sizes(9, 200, 80))
    with pytest.raises(
        ValueError, match="num_train must be at most 284, the images that are not set aside of classes 8"
    ):
        digits(num_train=285, held_out=True)
    with pytest.raises(
        ValueError, match=r"num_train \+ num_valid must be at most 281, the images that are not set aside"
    ):
        digits(num_train=202)


def test_the_shared_images_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_digits().images[0] = 0
