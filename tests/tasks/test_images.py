from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl_zero.tasks import HELD_OUT_PAIRS, SEARCH_PAIRS, ImageSet, TaskSet, projected_pairs, set_aside_rows
from automl_zero.tasks.images import pair_task

PAIRS = ((0, 1), (0, 2), (1, 2))


def image_set() -> ImageSet:
    """90 images of 2x3 bytes in three classes; a pixel of each gives its index away."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 30, 30])[rng.permutation(90)]
    images = rng.integers(0, 255, size=(90, 2, 3), dtype=np.uint8)
    images[:, 0, 0] = np.arange(90)
    return ImageSet("test images", images, labels, set_aside_rows(labels))


def test_the_held_out_and_the_search_pairs_are_all_pairs_of_ten_classes() -> None:
    assert len(HELD_OUT_PAIRS) == 9
    assert len(SEARCH_PAIRS) == 36
    assert {*HELD_OUT_PAIRS, *SEARCH_PAIRS} == {(a, b) for b in range(10) for a in range(b)}


def test_as_many_images_of_each_class_are_set_aside() -> None:
    labels = np.repeat([0, 1, 2], [50, 20, 100])
    assert np.bincount(labels[set_aside_rows(labels)]).tolist() == [4, 4, 4]


def test_the_same_images_are_set_aside_every_time() -> None:
    labels = np.tile([0, 1], 20)
    assert np.array_equal(set_aside_rows(labels), set_aside_rows(labels.copy()))
    assert np.flatnonzero(set_aside_rows(labels)).tolist() == [13, 16, 17, 19, 22, 28, 38, 39]


def test_set_aside_images_are_spread_over_the_file() -> None:
    chosen = np.flatnonzero(set_aside_rows(np.zeros(1000, dtype=int)))
    assert 400 < chosen.mean() < 600


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_a_share_outside_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share must lie between 0 and 1"):
        set_aside_rows(np.zeros(5), share)


@pytest.mark.parametrize("index", range(6))
@pytest.mark.parametrize("seed", range(5))
def test_search_tasks_never_read_set_aside_images(seed: int, index: int) -> None:
    data = image_set()
    task = pair_task(data, PAIRS, index, 30, 18, seed, on_set_aside=False)
    rows = np.concatenate([task.train, task.valid])
    assert not data.set_aside[rows].any()
    assert np.unique(rows).size == 48
    assert set(data.labels[rows]) == set(task.pair)


@pytest.mark.parametrize("index", range(6))
def test_final_tasks_train_on_the_rest_and_validate_on_all_set_aside_images_of_their_pair(index: int) -> None:
    data = image_set()
    task = pair_task(data, PAIRS, index, 30, 12, 0, on_set_aside=True)
    assert not data.set_aside[task.train].any()
    wanted = np.flatnonzero(data.set_aside & np.isin(data.labels, task.pair))
    assert sorted(task.valid) == wanted.tolist()
    assert set(data.labels[task.train]) == set(task.pair)


def test_consecutive_tasks_cover_all_pairs_equally() -> None:
    data = image_set()
    pairs = [pair_task(data, PAIRS, index, 5, 5, 0, on_set_aside=False).pair for index in range(12)]
    for start in range(0, 12, 3):
        assert sorted(pairs[start : start + 3]) == sorted(PAIRS)
    assert len({tuple(pairs[start : start + 3]) for start in range(0, 12, 3)}) > 1


def tasks_of(data: ImageSet, num_tasks: int = 6, seed: int = 0, num_valid: int = 18) -> TaskSet:
    return projected_pairs(data, PAIRS, num_tasks, 4, 30, num_valid, seed=seed)


def test_training_features_are_standardised_by_the_training_images_alone() -> None:
    tasks = tasks_of(image_set())
    assert tasks.train_x.mean(axis=1) == pytest.approx(0)
    assert tasks.train_x.std(axis=1) == pytest.approx(1)
    assert np.abs(tasks.valid_x.mean(axis=1)).max() > 1e-3


def test_features_are_a_linear_projection_of_the_pixels_of_the_chosen_images() -> None:
    data = image_set()
    tasks = tasks_of(data)
    for index in range(6):
        chosen = pair_task(data, PAIRS, index, 30, 18, 0, on_set_aside=False)
        pixels = data.images.reshape(90, -1).astype(float)
        design = np.column_stack([pixels, np.ones(90)])
        solution = np.linalg.lstsq(design[chosen.train], tasks.train_x[index], rcond=None)[0]
        assert design[chosen.train] @ solution == pytest.approx(tasks.train_x[index])
        assert design[chosen.valid] @ solution == pytest.approx(tasks.valid_x[index])
        assert np.array_equal(tasks.valid_y[index], data.labels[chosen.valid] == chosen.pair[1])


def test_projections_differ_between_tasks_of_one_pair() -> None:
    data = image_set()
    tasks = projected_pairs(data, [(0, 1)], 2, 4, 30, 18)
    features = []
    for index in range(2):
        chosen = pair_task(data, [(0, 1)], index, 30, 18, 0, on_set_aside=False)
        order = np.argsort(np.concatenate([chosen.train, chosen.valid]))
        features.append(np.concatenate([tasks.train_x[index], tasks.valid_x[index]])[order][:, 0])
    assert abs(np.corrcoef(features)[0, 1]) < 0.999


def test_more_tasks_never_change_the_earlier_ones() -> None:
    few, many = tasks_of(image_set(), num_tasks=4), tasks_of(image_set(), num_tasks=9)
    for field in ("train_x", "train_y", "valid_x", "valid_y", "seeds"):
        assert np.array_equal(getattr(few, field), getattr(many, field)[:4])


def test_another_seed_makes_other_tasks() -> None:
    first, second = tasks_of(image_set(), seed=0), tasks_of(image_set(), seed=1)
    assert not np.any(first.train_x == second.train_x)


def test_pixels_that_never_vary_give_features_of_zero() -> None:
    data = image_set()
    blank = replace(data, images=np.full((90, 6), 7.3))
    assert np.abs(tasks_of(blank).train_x).max() < 1e-9


def test_set_aside_images_have_no_influence_on_search_tasks() -> None:
    data = image_set()
    images = data.images.copy()
    images[data.set_aside] = 0
    changed = tasks_of(replace(data, images=images))
    assert np.array_equal(changed.train_x, tasks_of(data).train_x)
    assert np.array_equal(changed.valid_x, tasks_of(data).valid_x)


def test_asking_for_more_images_than_a_pair_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"test images: classes . and . have 48 images that are not set aside, fewer"):
        tasks_of(image_set(), num_valid=19)
    with pytest.raises(ValueError, match="have 12 set-aside images, fewer than the 13 asked for"):
        projected_pairs(image_set(), PAIRS, 1, 4, 30, 13, on_set_aside=True)
    with pytest.raises(ValueError, match="have 48 training images, fewer than the 49 asked for"):
        projected_pairs(image_set(), PAIRS, 1, 4, 49, 12, on_set_aside=True)


def test_an_image_set_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match=r"labels must have shape \(90,\), one an image, got \(89,\)"):
        replace(image_set(), labels=np.zeros(89))


def test_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs must name at least one pair"):
        projected_pairs(image_set(), [], 1, 4, 5, 5)
