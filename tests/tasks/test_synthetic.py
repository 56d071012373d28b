from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import SyntheticSource, TaskSet, affine_regression, linear_regression, nn_regression
from automl_zero.tasks.streams import stream

MAKERS = [linear_regression, affine_regression, nn_regression]
FIELDS = ("train_x", "train_y", "valid_x", "valid_y", "seeds")
Maker = Callable[..., TaskSet]


def least_squares_residual(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> float:
    solution = np.linalg.lstsq(x, y, rcond=None)[0]
    return float(np.abs(x @ solution - y).max())


@pytest.mark.parametrize("make", MAKERS)
def test_shapes_and_settings_are_those_asked_for(make: Maker) -> None:
    tasks = make(num_tasks=3, num_features=5, num_train=7, num_valid=2, seed=1, epochs=4, max_abs_error=9.0)
    assert tasks.train_x.shape == (3, 7, 5)
    assert tasks.valid_y.shape == (3, 2)
    assert (tasks.evaluation, tasks.epochs, tasks.max_abs_error) == ("rmse", 4, 9.0)


@pytest.mark.parametrize("make", MAKERS)
def test_equal_seeds_make_equal_tasks_and_others_do_not(make: Maker) -> None:
    first, again, other = make(seed=3), make(seed=3), make(seed=4)
    for field in FIELDS:
        assert np.array_equal(getattr(first, field), getattr(again, field))
        for one, another in zip(getattr(first, field), getattr(other, field), strict=True):
            assert not np.array_equal(one, another)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("num_tasks", [1, 4])
def test_more_tasks_never_change_the_earlier_ones(make: Maker, num_tasks: int) -> None:
    few, many = make(num_tasks=num_tasks), make(num_tasks=10)
    for field in FIELDS:
        assert np.array_equal(getattr(few, field), getattr(many, field)[:num_tasks])


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("num_features", [4, 7, 16])
def test_the_number_of_examples_of_one_part_never_changes_the_rows_of_either(make: Maker, num_features: int) -> None:
    base = make(num_features=num_features)
    fewer = make(num_features=num_features, num_train=1, num_valid=100)
    assert np.array_equal(fewer.valid_x, base.valid_x)
    assert np.array_equal(fewer.valid_y, base.valid_y)
    assert np.array_equal(fewer.train_x, base.train_x[:, :1])
    assert np.array_equal(fewer.train_y, base.train_y[:, :1])
    more = make(num_features=num_features, num_train=100, num_valid=333)
    assert np.array_equal(more.train_x, base.train_x)
    assert np.array_equal(more.train_y, base.train_y)
    assert np.array_equal(more.valid_y[:, :100], base.valid_y)


@pytest.mark.parametrize("make", MAKERS)
def test_training_and_validation_examples_are_different(make: Maker) -> None:
    tasks = make()
    assert not np.isin(tasks.train_x, tasks.valid_x).any()


@pytest.mark.parametrize("make", MAKERS)
def test_features_are_standard_normal(make: Maker) -> None:
    x = make(num_tasks=20, num_train=500).train_x
    assert abs(x.mean()) < 0.02
    assert abs(x.std() - 1) < 0.02


def test_linear_labels_are_one_linear_function_of_training_and_validation_features() -> None:
    tasks = linear_regression()
    for task in range(tasks.num_tasks):
        x = np.concatenate([tasks.train_x[task], tasks.valid_x[task]])
        y = np.concatenate([tasks.train_y[task], tasks.valid_y[task]])
        assert least_squares_residual(x, y) < 1e-12


def test_linear_weights_are_standard_normal() -> None:
    tasks = linear_regression(num_tasks=300)
    weights = np.array(
        [np.linalg.lstsq(x, y, rcond=None)[0] for x, y in zip(tasks.train_x, tasks.train_y, strict=True)]
    )
    assert abs(weights.mean()) < 0.1
    assert abs(weights.std() - 1) < 0.1


def test_affine_labels_need_a_bias_and_are_exact_with_one() -> None:
    tasks = affine_regression()
    for x, y in zip(tasks.train_x, tasks.train_y, strict=True):
        assert least_squares_residual(x, y) > 1e-3
        assert least_squares_residual(np.column_stack([x, np.ones(len(x))]), y) < 1e-12


@pytest.mark.parametrize("zeroed", [True, False])
def test_network_labels_are_those_of_a_two_layer_relu_network(zeroed: bool) -> None:
    tasks = nn_regression(num_tasks=2, num_features=6, seed=8, zeroed_units=zeroed)
    for task in range(2):
        parameters = stream(8, task, "parameters")
        hidden, final = parameters.standard_normal((6, 6)), parameters.standard_normal(6)
        if zeroed:
            final[0] = final[2] = 0
        for x, y in ((tasks.train_x, tasks.train_y), (tasks.valid_x, tasks.valid_y)):
            for row, label in zip(x[task], y[task], strict=True):
                assert label == pytest.approx(final @ np.maximum(hidden @ row, 0))


def test_zeroed_units_change_the_labels_alone() -> None:
    zeroed, whole = nn_regression(zeroed_units=True), nn_regression(zeroed_units=False)
    assert np.array_equal(zeroed.train_x, whole.train_x)
    assert not np.array_equal(zeroed.train_y, whole.train_y)


def test_a_teacher_with_zeroed_units_needs_four_features() -> None:
    with pytest.raises(ValueError, match=r"num_features must be at least 4 .*, got 3"):
        nn_regression(num_features=3)
    assert nn_regression(num_features=3, zeroed_units=False).num_features == 3


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("size", ["num_tasks", "num_features", "num_train", "num_valid", "epochs"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True, None])
def test_a_size_that_is_no_positive_integer_is_named(make: Maker, size: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{size} must be an integer of at least 1, got {value}"):
        make(**{size: value})


def test_a_source_makes_the_same_tasks_as_the_function_of_its_kind() -> None:
    for kind, make in (("linear", linear_regression), ("affine", affine_regression), ("nn", nn_regression)):
        source, direct = SyntheticSource(kind), make(seed=0)
        tasks = source.search(0)
        assert tasks.train_x.shape == direct.train_x.shape
        assert tasks.name.startswith(direct.name)


def test_a_source_of_networks_heeds_the_zeroed_units() -> None:
    zeroed, whole = (SyntheticSource("nn", zeroed_units=value).search(0) for value in (True, False))
    assert np.array_equal(zeroed.train_x, whole.train_x)
    assert not np.array_equal(zeroed.train_y, whole.train_y)
