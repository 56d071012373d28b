from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import from_arrays

RNG = np.random.default_rng(0)
X3, Y2 = RNG.normal(size=(2, 6, 3)), RNG.normal(size=(2, 6))
V3, W2 = RNG.normal(size=(2, 4, 3)), RNG.normal(size=(2, 4))


def test_arrays_of_several_tasks_are_taken_as_they_are() -> None:
    tasks = from_arrays(X3, Y2, V3, W2, epochs=2, max_abs_error=5.0)
    assert np.array_equal(tasks.train_x, X3)
    assert np.array_equal(tasks.valid_y, W2)
    assert (tasks.evaluation, tasks.epochs, tasks.max_abs_error) == ("rmse", 2, 5.0)


def test_arrays_of_one_task_get_an_axis_of_tasks() -> None:
    tasks = from_arrays(X3[0], Y2[0], V3[0], W2[0])
    assert tasks.num_tasks == 1
    assert np.array_equal(tasks.train_x[0], X3[0])
    assert np.array_equal(tasks.valid_y[0], W2[0])


def test_nested_lists_and_integer_or_boolean_labels_are_numbers_too() -> None:
    tasks = from_arrays([[1, 2], [3, 4]], [True, False], [[5, 6]], [1], evaluation="accuracy")
    assert tasks.train_y.tolist() == [[1.0, 0.0]]
    assert tasks.valid_x.tolist() == [[[5.0, 6.0]]]


def test_the_seed_changes_the_seeds_of_random_draws_alone() -> None:
    first, second = from_arrays(X3, Y2, V3, W2, seed=0), from_arrays(X3, Y2, V3, W2, seed=1)
    assert np.array_equal(first.train_x, second.train_x)
    assert not np.any(first.seeds == second.seeds)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X3, Y2[0], V3, W2), r"train_y must have 2 dimensions \[tasks, examples\].*, got shape \(6,\)"),
        ((X3[0], Y2[0], V3, W2), r"valid_x must have 2 dimensions .* beside a train_x of 2 dimensions"),
        ((X3, Y2, V3[0], W2[0]), r"valid_x must have 3 dimensions .* beside a train_x of 3 dimensions"),
        ((X3[0, 0], Y2[0], V3, W2), r"train_x must have 3 dimensions \[tasks, examples, features\], got shape \(3,\)"),
        ((X3[None], Y2, V3, W2), r"train_x must have 3 dimensions"),
        ((X3, Y2[:, :5], V3, W2), "train_x and train_y must agree in tasks and examples"),
        ((X3, Y2, V3, W2[:, :3]), "valid_x and valid_y must agree in tasks and examples"),
        ((X3, Y2, V3[:1], W2[:1]), "as many tasks, got 2 and 1"),
        ((X3, Y2, V3[:, :, :2], W2), "as many features, got 3 and 2"),
        ((X3[:0], Y2[:0], V3[:0], W2[:0]), r"train_x must not be empty, got shape \(0, 6, 3\)"),
        ((X3[:, :, :0], Y2, V3[:, :, :0], W2), "train_x must not be empty"),
        ((X3, Y2, V3[:, :0], W2[:, :0]), "valid_x must not be empty"),
        ((X3.astype(str), Y2, V3, W2), "train_x must be an array of real numbers, got dtype <U"),
        ((X3, Y2.astype(object), V3, W2), "train_y must be an array of real numbers, got dtype object"),
        ((None, Y2, V3, W2), "train_x must be an array of real numbers"),
        (([[1.0], [1.0, 2.0]], Y2, V3, W2), "train_x must be a rectangular array of numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_arrays(*arguments)


def test_a_missing_value_is_named() -> None:
    x = X3.copy()
    x[1, 4, 2] = np.nan
    with pytest.raises(ValueError, match=r"train_x\[1, 4, 2\] must be finite, got nan"):
        from_arrays(x, Y2, V3, W2)


@pytest.mark.parametrize("label", [2, -1, 0.5])
def test_a_label_other_than_0_and_1_is_refused_for_accuracy(label: float) -> None:
    labels = np.zeros((2, 4))
    labels[1, 2] = label
    with pytest.raises(ValueError, match=r"valid_y\[1, 2\] must be 0 or 1 where evaluation is accuracy"):
        from_arrays(X3, np.zeros((2, 6)), V3, labels, evaluation="accuracy")


@pytest.mark.parametrize("one_task", [True, False])
def test_one_hot_labels_are_vector_labels(one_task: bool) -> None:
    classes, valid = np.eye(3)[[[0, 1, 2, 0, 1, 2]] * 2], np.eye(3)[[[2, 1, 0, 0]] * 2]
    if one_task:
        tasks = from_arrays(X3[0], classes[0], V3[0], valid[0], evaluation="accuracy")
    else:
        tasks = from_arrays(X3, classes, V3, valid, evaluation="accuracy")
    assert tasks.num_classes == 3
    assert np.array_equal(tasks.train_y, classes[: 1 if one_task else 2])
    assert np.array_equal(tasks.valid_y, valid[: 1 if one_task else 2])


def test_vector_labels_of_too_many_dimensions_are_refused() -> None:
    layouts = r"2 dimensions \[tasks, examples\] or 3 dimensions \[tasks, examples, classes\] beside a train_x of 3"
    with pytest.raises(ValueError, match=rf"train_y must have {layouts} dimensions, got shape \(1, 2, 6, 3\)"):
        from_arrays(X3, np.zeros((1, 2, 6, 3)), V3, W2, evaluation="accuracy")


def test_an_unknown_evaluation_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluation must be one of rmse, accuracy, got 'auc'"):
        from_arrays(X3, Y2, V3, W2, evaluation="auc")  # type: ignore[arg-type]
