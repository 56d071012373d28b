"""Scores of conventional models on a task set, to stand beside an evolved program's in a report."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from automl_zero.tasks.taskset import Floats, TaskSet

MAX_ITERATIONS = 200  # of the networks

_Fitted = Callable[[Floats], Floats]  # x [M, F] -> predictions [M]


def baseline_scores(tasks: TaskSet) -> dict[str, Floats]:
    """Fitness of a constant, a linear model and a two-layer network, trained on each task by scikit-learn.

    The scale is that of programs on the same tasks: accuracy, or 1 - (2 / pi) * atan(RMSE) and 0 where an error exceeds
    `max_abs_error`. The network has F hidden units, as the hand-designed one has (paper, Section 4.2). The models
    stop by their own rules, not after the tasks' number of epochs. Of vector labels they learn the classes: logistic
    regression is multinomial then, and the network ends in a softmax.

    Returns:
        Name of the model -> float64[D]. For "accuracy": "majority class", "logistic regression", "two-layer network";
        for "rmse": "mean", "linear regression", "two-layer network".
    """
    models = _CLASSIFIERS if tasks.evaluation == "accuracy" else _REGRESSORS
    return {
        name: np.array([_score(tasks, task, fit) for task in range(tasks.num_tasks)]) for name, fit in models.items()
    }


def _score(tasks: TaskSet, task: int, fit: Callable[[Floats, Floats, int], _Fitted]) -> float:
    seed = int(tasks.seeds[task] & np.uint64(0xFFFFFFFF))  # scikit-learn takes 32 bits
    train_y, labels = (_classes(y[task]) if tasks.num_classes else y[task] for y in (tasks.train_y, tasks.valid_y))
    predictions = fit(tasks.train_x[task], train_y, seed)(tasks.valid_x[task])
    if tasks.evaluation == "accuracy":
        return float(np.mean(labels == predictions))
    errors = labels - predictions
    if np.abs(errors).max() > tasks.max_abs_error:
        return 0.0
    return float(1.0 - 2.0 / np.pi * np.arctan(np.sqrt(np.mean(errors**2))))


def _classes(one_hot: Floats) -> Floats:
    """The class of each row, as a number."""
    classes: Floats = one_hot.argmax(axis=1).astype(np.float64)
    return classes


def _constant(value: float) -> _Fitted:
    return lambda x: np.full(x.shape[0], value)


def _fit_mean(x: Floats, y: Floats, seed: int) -> _Fitted:
    return _constant(float(y.mean()))


def _fit_majority(x: Floats, y: Floats, seed: int) -> _Fitted:
    classes, counts = np.unique(y, return_counts=True)
    return _constant(float(classes[counts.argmax()]))  # the lowest of several


def _fit_logistic(x: Floats, y: Floats, seed: int) -> _Fitted:
    from sklearn.linear_model import LogisticRegression  # 2 s: only where it is used

    return _fit_classifier(LogisticRegression(max_iter=1000), x, y)


def _fit_linear(x: Floats, y: Floats, seed: int) -> _Fitted:
    from sklearn.linear_model import LinearRegression

    return _fitted(LinearRegression(), x, y)


def _fit_network_classifier(x: Floats, y: Floats, seed: int) -> _Fitted:
    from sklearn.neural_network import MLPClassifier

    # scikit-learn's own step size, 0.001, leaves the network short of its best on some hundreds of examples.
    network = MLPClassifier(
        hidden_layer_sizes=(x.shape[1],), learning_rate_init=0.01, max_iter=MAX_ITERATIONS, random_state=seed
    )
    return _fit_classifier(network, x, y)


def _fit_network_regressor(x: Floats, y: Floats, seed: int) -> _Fitted:
    from sklearn.neural_network import MLPRegressor

    # Without noise in the labels L-BFGS comes much closer than the stochastic solvers do.
    network = MLPRegressor(hidden_layer_sizes=(x.shape[1],), solver="lbfgs", max_iter=MAX_ITERATIONS, random_state=seed)
    return _fitted(network, x, y)


def _fit_classifier(model: Any, x: Floats, y: Floats) -> _Fitted:
    if np.all(y == y[0]):  # scikit-learn refuses to learn from one class
        return _constant(float(y[0]))
    return _fitted(model, x, y)


def _fitted(model: Any, x: Floats, y: Floats) -> _Fitted:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bounded number of passes is what is asked for
        model.fit(x, y)
    predict: _Fitted = model.predict
    return predict


_CLASSIFIERS = {
    "majority class": _fit_majority,
    "logistic regression": _fit_logistic,
    "two-layer network": _fit_network_classifier,
}
_REGRESSORS = {
    "mean": _fit_mean,
    "linear regression": _fit_linear,
    "two-layer network": _fit_network_regressor,
}
