from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl_zero.tasks import HELD_OUT_PAIRS, SEARCH_PAIRS, ImageSet, Sizes, TaskSet, projected_pairs, set_aside_rows
from automl_zero.tasks.image_rows import Role, check_sizes, most_images, task_rows
from automl_zero.tasks.images import class_pairs, selection_rows
from automl_zero.tasks.projection import ProjectedTasks

PAIRS = ((0, 1), (0, 2), (1, 2))


def image_set() -> ImageSet:
    """90 images of 2x3 bytes in three classes, of each 6 set aside and 4 for selection."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 30, 30])[rng.permutation(90)]
    images = rng.integers(0, 255, size=(90, 2, 3), dtype=np.uint8)
    images[:, 0, 0] = np.arange(90)
    set_aside = set_aside_rows(labels)
    return ImageSet("test images", images, labels, set_aside, selection_rows(labels, set_aside, 1 / 6))


def test_the_held_out_and_the_search_pairs_are_all_pairs_of_ten_classes() -> None:
    assert len(HELD_OUT_PAIRS) == 9
    assert len(SEARCH_PAIRS) == 36
    assert {*HELD_OUT_PAIRS, *SEARCH_PAIRS} == {(a, b) for b in range(10) for a in range(b)}


@pytest.mark.parametrize("num_classes", [3, 4, 7, 10, 12])
def test_any_number_of_classes_has_search_pairs_and_held_out_pairs(num_classes: int) -> None:
    search, held_out = class_pairs(num_classes)
    assert sorted((*search, *held_out)) == [(a, b) for a in range(num_classes) for b in range(a + 1, num_classes)]
    assert len(held_out) == round(num_classes * (num_classes - 1) / 10)
    assert class_pairs(num_classes) == (search, held_out)


def test_two_classes_have_one_pair_for_every_purpose() -> None:
    assert class_pairs(2) == (((0, 1),), ((0, 1),))
    with pytest.raises(ValueError, match="at least two classes are needed to make pairs, got 1"):
        class_pairs(1)


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


def test_the_images_for_selection_are_as_many_of_each_class_and_none_is_set_aside() -> None:
    data = image_set()
    assert np.bincount(data.labels[data.for_selection]).tolist() == [4, 4, 4]
    assert not (data.for_selection & data.set_aside).any()
    assert data.counts() == {
        "search": {0: 20, 1: 20, 2: 20},
        "selection": {0: 4, 1: 4, 2: 4},
        "set aside": {0: 6, 1: 6, 2: 6},
    }


# Of each role: the images that a pair has to train on, to validate on, and whether these are the same.
POOLS: dict[Role, tuple[int, int, bool]] = {
    "search": (40, 40, True),
    "select": (40, 8, False),
    "final": (48, 12, False),
    "rest": (48, 48, True),
}


def rows_read(data: ImageSet, role: Role, seed: int) -> tuple[set[int], set[int]]:
    """Every image that the first six tasks of a role train on, and that they validate on."""
    train_size, valid_size, shared = POOLS[role]
    sizes = (train_size - 10, 10) if shared else (train_size, valid_size)
    tasks = [task_rows(data, PAIRS, index, *sizes, seed, role) for index in range(6)]
    for task in tasks:
        assert np.unique(np.concatenate([task.train, task.valid])).size == sum(sizes)
        assert set(data.labels[task.train]) == set(data.labels[task.valid]) == set(task.classes)
    return {int(row) for task in tasks for row in task.train}, {int(row) for task in tasks for row in task.valid}


@pytest.mark.parametrize("seed", range(5))
def test_no_set_is_scored_on_images_that_a_set_before_it_reads(seed: int) -> None:
    data = image_set()
    search = set.union(*rows_read(data, "search", seed))
    select_train, select_valid = rows_read(data, "select", seed + 1)
    final_train, final_valid = rows_read(data, "final", seed + 2)
    assert search.isdisjoint(select_valid)
    assert (search | select_train | select_valid | final_train).isdisjoint(final_valid)
    assert search == set(np.flatnonzero(data.part("search")))
    assert select_valid == set(np.flatnonzero(data.for_selection))
    assert final_valid == set(np.flatnonzero(data.set_aside))


@pytest.mark.parametrize("seed", range(3))
def test_tasks_outside_an_experiment_read_all_images_but_those_set_aside(seed: int) -> None:
    data = image_set()
    assert set.union(*rows_read(data, "rest", seed)) == set(np.flatnonzero(~data.set_aside))


def test_consecutive_tasks_cover_all_pairs_equally() -> None:
    data = image_set()
    pairs = [task_rows(data, PAIRS, index, 5, 5, 0, "rest").classes for index in range(12)]
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
        chosen = task_rows(data, PAIRS, index, 30, 18, 0, "rest")
        pixels = data.images.reshape(90, -1).astype(float)
        design = np.column_stack([pixels, np.ones(90)])
        solution = np.linalg.lstsq(design[chosen.train], tasks.train_x[index], rcond=None)[0]
        assert design[chosen.train] @ solution == pytest.approx(tasks.train_x[index])
        assert design[chosen.valid] @ solution == pytest.approx(tasks.valid_x[index])
        assert np.array_equal(tasks.valid_y[index], data.labels[chosen.valid] == chosen.classes[1])


def test_projections_differ_between_tasks_of_one_pair() -> None:
    data = image_set()
    tasks = projected_pairs(data, [(0, 1)], 2, 4, 30, 18)
    features = []
    for index in range(2):
        chosen = task_rows(data, [(0, 1)], index, 30, 18, 0, "rest")
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
    message = (
        r"num_train \+ num_valid must be at most 48, the images that are not set aside of classes . and . of test im"
    )
    with pytest.raises(ValueError, match=message):
        tasks_of(image_set(), num_valid=19)
    with pytest.raises(ValueError, match=r"num_valid must be at most 12, the set-aside images of classes .* got 13"):
        projected_pairs(image_set(), PAIRS, 1, 4, 30, 13, on_set_aside=True)
    with pytest.raises(ValueError, match=r"num_train must be at most 48, the images that are not set aside .* got 49"):
        projected_pairs(image_set(), PAIRS, 1, 4, 49, 12, on_set_aside=True)


@pytest.mark.parametrize("role", list(POOLS))
def test_sizes_are_checked_against_the_choice_of_classes_with_the_fewest_images(role: Role) -> None:
    train, valid, shared = POOLS[role]
    counts = image_set().counts()
    fewer = {part: {**of_class, 2: of_class[2] - 1} for part, of_class in counts.items()}
    assert most_images(counts, PAIRS, role) == (train, valid)
    parts = 2 if role in ("final", "rest") else 1  # parts that are trained on, each with an image less
    most = (train - parts, valid - (parts if shared else 1))
    assert most_images(fewer, PAIRS, role) == most
    fitting = Sizes(1, most[0] - 5, 5) if shared else Sizes(1, *most)
    check_sizes("few", fewer, PAIRS, role, fitting)
    for too_many in (
        replace(fitting, num_train=fitting.num_train + 1),
        replace(fitting, num_valid=fitting.num_valid + 1),
    ):
        with pytest.raises(ValueError, match=r"of classes 0 and 2 of few, got|of classes 1 and 2 of few, got"):
            check_sizes("few", fewer, PAIRS, role, too_many)


def test_one_hot_labels_name_the_class_of_each_image() -> None:
    data = image_set()
    train_x, train_y, _, valid_y = ProjectedTasks(
        data, [(0, 1, 2)], Sizes(2, 40, 12), 4, 0, "select", one_hot=True
    ).build()
    assert train_x.shape == (2, 40, 4)
    for index in range(2):
        rows = task_rows(data, [(0, 1, 2)], index, 40, 12, 0, "select")
        assert np.array_equal(train_y[index], np.eye(3)[data.labels[rows.train]])
        assert np.array_equal(valid_y[index], np.eye(3)[data.labels[rows.valid]])


def test_without_a_projection_the_features_are_the_standardised_pixels() -> None:
    data = image_set()
    train_x, _, valid_x, _ = ProjectedTasks(data, PAIRS, Sizes(3, 30, 8), None, 0, "select").build()
    for index in range(3):
        rows = task_rows(data, PAIRS, index, 30, 8, 0, "select")
        pixels = data.pixels.astype(float)
        mean, deviation = pixels[rows.train].mean(axis=0), pixels[rows.train].std(axis=0)
        assert train_x[index] == pytest.approx((pixels[rows.train] - mean) / deviation)
        assert valid_x[index] == pytest.approx((pixels[rows.valid] - mean) / deviation)


def test_images_and_columns_are_worked_through_in_pieces_without_a_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = ProjectedTasks(image_set(), PAIRS, Sizes(2, 30, 8), None, 0, "select")
    whole = tasks.build()
    monkeypatch.setattr("automl_zero.tasks.projection._ROWS", 7)
    monkeypatch.setattr("automl_zero.tasks.projection._BLOCK", 60)
    for array, in_pieces in zip(whole, tasks.build(), strict=True):
        assert np.array_equal(array, in_pieces)


def test_an_image_set_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match=r"labels must have shape \(90,\), one an image, got \(89,\)"):
        replace(image_set(), labels=np.zeros(89))


def test_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="pairs must name at least one pair"):
        projected_pairs(image_set(), [], 1, 4, 5, 5)


def test_an_image_cannot_be_set_aside_and_for_selection() -> None:
    data = image_set()
    with pytest.raises(ValueError, match=r"image \d+ is both set aside and for selection"):
        replace(data, for_selection=data.set_aside)
