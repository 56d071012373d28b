from __future__ import annotations

import numpy as np
import pytest

from automl_zero.tasks import baseline_scores, digits, from_arrays, linear_regression, nn_regression
from automl_zero.tasks.taskset import Floats
from tests.clusters import clusters


def binary(train_y: list[int], valid_y: list[int]) -> dict[str, Floats]:
    """Scores on one task whose single feature says nothing about its labels."""
    train_x, valid_x = np.zeros((len(train_y), 1)), np.zeros((len(valid_y), 1))
    return baseline_scores(from_arrays(train_x, train_y, valid_x, valid_y, evaluation="accuracy"))


def test_a_linear_model_solves_linear_regression_and_the_mean_does_not() -> None:
    scores = baseline_scores(linear_regression(num_tasks=3))
    assert list(scores) == ["mean", "linear regression", "two-layer network"]
    assert scores["linear regression"] == pytest.approx(1)
    assert np.all(scores["mean"] < 0.7)
    assert np.all(scores["two-layer network"] > scores["mean"])


def test_the_mean_scores_by_the_root_mean_square_error() -> None:
    scores = baseline_scores(from_arrays([[1.0], [2.0]], [0.0, 2.0], [[3.0], [4.0]], [4.0, -2.0]))
    assert scores["mean"].item() == pytest.approx(1 - 2 / np.pi * np.arctan(3.0))


def test_a_prediction_too_far_off_scores_0_as_a_program_would() -> None:
    near = from_arrays([[1.0], [2.0]], [0.0, 2.0], [[3.0], [4.0]], [1.0, 11.0], max_abs_error=10.0)
    far = from_arrays([[1.0], [2.0]], [0.0, 2.0], [[3.0], [4.0]], [1.0, 11.5], max_abs_error=10.0)
    assert baseline_scores(near)["mean"] > 0
    assert baseline_scores(far)["mean"] == 0


def test_a_network_beats_a_linear_model_on_network_labels() -> None:
    scores = baseline_scores(nn_regression(num_tasks=3, num_train=500))
    assert scores["two-layer network"].mean() > scores["linear regression"].mean() + 0.1


def test_both_trained_models_tell_digits_apart() -> None:
    scores = baseline_scores(digits(num_tasks=3))
    assert list(scores) == ["majority class", "logistic regression", "two-layer network"]
    assert scores["majority class"].mean() < 0.7
    assert scores["logistic regression"].mean() > 0.9
    assert scores["two-layer network"].mean() > 0.9
    assert all(score.shape == (3,) and score.dtype == np.float64 for score in scores.values())


def test_the_majority_class_is_that_of_the_training_labels() -> None:
    assert binary([1, 1, 0], [1, 0, 0, 0])["majority class"] == 0.25
    assert binary([0, 0, 1], [1, 0, 0, 0])["majority class"] == 0.75


def test_training_labels_of_one_class_are_predicted_everywhere() -> None:
    for name, score in binary([1, 1, 1], [1, 0, 0, 1, 1]).items():
        assert score == pytest.approx(0.6), name


def test_scores_are_the_same_every_time() -> None:
    tasks = digits(num_tasks=2)
    first, second = baseline_scores(tasks), baseline_scores(tasks)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_classes_are_told_apart_by_models_of_many_classes():
    tasks = clusters(2, 4, 5, N=200, M=200)
    scores = baseline_scores(tasks)
    assert list(scores) == ["majority class", "logistic regression", "two-layer network"]
    assert all(score.shape == (2,) and score.dtype == np.float64 for score in scores.values())
    assert scores["majority class"].max() < 0.4
    assert scores["logistic regression"].min() > 0.6
    assert scores["two-layer network"].min() > 0.6


def test_the_majority_of_many_classes_is_that_of_the_training_labels() -> None:
    features, eye = np.zeros((5, 3)), np.eye(3)
    tasks = from_arrays(features, eye[[1, 2, 2, 1, 2]], features, eye[[2, 2, 2, 1, 0]], evaluation="accuracy")
    assert baseline_scores(tasks)["majority class"].tolist() == [0.6]


def test_a_class_that_training_lacks_is_never_predicted() -> None:
    tasks = clusters(1, 3, 4, N=50, M=30)
    seen = tasks.train_y[0].argmax(axis=1) != 2
    few = from_arrays(tasks.train_x[:, seen], tasks.train_y[:, seen], tasks.valid_x, tasks.valid_y, "accuracy")
    most = 1 - (tasks.valid_y[0, :, 2]).mean()
    for name, score in baseline_scores(few).items():
        assert 0 < score.item() <= most, name
