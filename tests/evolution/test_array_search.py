from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl_zero import AutoMLZeroClassifier, AutoMLZeroRegressor
from automl_zero.evolution import array_search
from automl_zero.evolution.config import ConfigError, ExperimentConfig
from automl_zero.tasks import make_source

X = np.random.default_rng(0).standard_normal((90, 3))
CLASSES = np.array(["low", "middle", "high"])[np.digitize(X.sum(axis=1), [-1, 1])]


def test_without_a_program_one_is_evolved_and_then_trained() -> None:
    options = {"max_individuals": 3000, "max_seconds": None, "random_state": 0, "epochs": 2}
    model = AutoMLZeroClassifier(**options).fit(X, X[:, 0] > 0)
    assert model.score(X, X[:, 0] > 0) > 0.9
    assert model.program_ == model.search_result_.program
    assert model.search_result_.individuals == 3000
    again = AutoMLZeroClassifier(**options).fit(X, X[:, 0] > 0)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The configurations that searches are started with; none is run."""
    calls: list[dict[str, Any]] = []

    class SearchStarted(Exception):  # noqa: N818
        pass

    def record(config: ExperimentConfig, **options: Any) -> None:
        source = make_source(config.tasks)  # while the file is there
        calls.append({"config": config, "tasks": source.search(0), "final": source.final(0), **options})
        raise SearchStarted

    monkeypatch.setattr(array_search, "evolve", record)
    calls.append({"stop": SearchStarted})
    return calls


def start(seen: list[dict[str, Any]], model: Any, y: Any, x: Any = X) -> dict[str, Any]:
    with pytest.raises(seen[0]["stop"]):
        model.fit(x, y)
    return seen[-1]


def test_the_search_sees_the_same_epochs_and_limits(seen: list[dict[str, Any]]) -> None:
    call = start(seen, AutoMLZeroRegressor(epochs=3, max_abs_error=50.0, max_seconds=7.0, workers=2), X.sum(axis=1))
    config, tasks = call["config"], call["tasks"]
    assert (config.max_seconds, config.max_individuals, call["workers"]) == (7.0, None, 2)
    assert (tasks.evaluation, tasks.epochs, tasks.max_abs_error, tasks.num_tasks) == ("rmse", 3, 50.0, 10)


def test_each_of_several_classes_has_tasks_of_its_own(seen: list[dict[str, Any]]) -> None:
    tasks = start(seen, AutoMLZeroClassifier(), CLASSES)["tasks"]
    assert (tasks.evaluation, tasks.num_tasks) == ("accuracy", 9)
    for index, name in enumerate(("high", "low", "middle")):
        share = (name == CLASSES).mean()
        assert tasks.train_y[3 * index : 3 * index + 3].mean() == pytest.approx(share, abs=0.03)


def test_tasks_of_a_large_table_take_a_part_of_the_rows(seen: list[dict[str, Any]]) -> None:
    x = np.random.default_rng(1).standard_normal((3000, 2))
    call = start(seen, AutoMLZeroRegressor(), x.sum(axis=1), x)
    assert (call["tasks"].num_train, call["tasks"].num_valid) == (1000, 600)
    assert (call["final"].num_train, call["final"].num_valid) == (2400, 600)


def test_a_configuration_changes_the_default(seen: list[dict[str, Any]]) -> None:
    changes = {"islands": 2, "tasks": {"search": {"num_tasks": 4}}, "mutations": {"max_tries": 3}}
    call = start(seen, AutoMLZeroRegressor(config=changes), X.sum(axis=1))
    assert (call["config"].islands, call["config"].mutations.max_tries, call["config"].population_size) == (2, 3, 100)
    assert call["tasks"].num_tasks == 4


@pytest.mark.parametrize(
    ("options", "rows", "message"),
    [
        ({"max_seconds": None}, 90, "max_seconds and max_individuals are None: the search needs a limit"),
        ({"config": {"islandz": 2}}, 90, "islandz: unknown key"),
        ({"config": {"tasks": {"path": "x.csv"}}}, 90, "tasks.path: the tasks are made of X and y, leave it out"),
        ({}, 12, "X and y: has 12 rows; at least 20 are needed"),
    ],
)
def test_what_cannot_be_searched_on_is_refused(options: dict[str, Any], rows: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AutoMLZeroRegressor(**options).fit(X[:rows], X[:rows].sum(axis=1))


def test_a_regression_on_two_values_is_refused() -> None:
    with pytest.raises(ValueError, match="y has fewer than three distinct values"):
        AutoMLZeroRegressor().fit(X, (X[:, 0] > 0) * 1.0)
