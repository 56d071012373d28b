from __future__ import annotations

import numpy as np
import pytest

from automl_zero import evaluate, programs
from automl_zero.memory import MemorySpec
from automl_zero.score import fitness_beside_baselines
from automl_zero.tasks import TaskSet, from_arrays, linear_regression
from automl_zero.tasks.splits import Scaling

COLUMNS = ["program", "hand-designed linear program", "hand-designed network program"]


def ten_digits(num_tasks: int, num_features: int) -> TaskSet:
    """All ten classes of scikit-learn's digits, projected at random."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    generator = np.random.default_rng(0)
    arrays: list[list[np.ndarray]] = [[], [], [], []]
    for _ in range(num_tasks):
        order = generator.permutation(len(images))
        projected = images @ generator.normal(size=(images.shape[1], num_features))
        scaling = Scaling.fit(projected[order[:1000]])
        for at, rows in ((0, order[:1000]), (2, order[1000:1400])):
            arrays[at].append(scaling.apply(projected[rows]))
            arrays[at + 1].append(np.eye(10)[labels[rows]])
    return from_arrays(*map(np.array, arrays), evaluation="accuracy", epochs=4)  # type: ignore[misc]


@pytest.fixture(scope="module")
def digits() -> TaskSet:
    return ten_digits(4, 16)


def test_a_program_for_classes_is_compared_with_softmax_programs(digits):
    fitness = fitness_beside_baselines(programs.softmax_linear(0.1), digits, "float32")
    assert list(fitness) == [*COLUMNS, "majority class", "logistic regression", "two-layer network"]
    models = [programs.softmax_linear(0.1), programs.softmax_linear(), programs.softmax_net()]
    np.testing.assert_array_equal([fitness[name] for name in COLUMNS], evaluate(models, digits))


def test_the_hand_designed_programs_come_close_to_conventional_models_on_ten_digits(digits):
    fitness = fitness_beside_baselines(programs.softmax_net(), digits, "float32")
    mean = {name: values.mean() for name, values in fitness.items()}
    assert mean["majority class"] < 0.15
    assert mean["logistic regression"] > 0.8
    assert abs(mean["hand-designed linear program"] - mean["logistic regression"]) < 0.05
    assert abs(mean["hand-designed network program"] - mean["two-layer network"]) < 0.05
    assert mean["hand-designed network program"] > mean["hand-designed linear program"]


def test_scalar_labels_are_compared_with_the_programs_of_the_paper():
    tasks = linear_regression(num_tasks=2, num_features=4, num_train=100, num_valid=20)
    fitness = fitness_beside_baselines(programs.linear(0.1), tasks, "float64")
    assert list(fitness) == [*COLUMNS, "mean", "linear regression", "two-layer network"]
    models = [programs.linear(0.1), programs.linear(), programs.neural_net()]
    np.testing.assert_array_equal([fitness[name] for name in COLUMNS], evaluate(models, tasks, dtype="float64"))


def test_a_program_that_cannot_run_on_classes_is_refused(digits):
    with pytest.raises(ValueError, match=r"memory\.vectors is 2: expected at least 3"):
        fitness_beside_baselines(programs.empty(MemorySpec(2, 2, 0)), digits, "float32")
