"""Tuning recovers planted constants, is deterministic, and reports unseen tasks."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

import automl_zero as az
from automl_zero import programs
from automl_zero.explain.changes import Change
from automl_zero.program import Program
from automl_zero.tasks import TaskSet, linear_regression
from automl_zero.tuning.samplers import DECADES, cma_search, random_search

METHODS = ["random", "cma"]


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    return linear_regression(num_tasks=6, num_train=100, seed=1)


@pytest.fixture(scope="module")
def unseen() -> TaskSet:
    return linear_regression(num_tasks=12, num_train=100, seed=2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("wrong", [1e-4, 10.0])
def test_a_planted_wrong_learning_rate_is_recovered(method: str, wrong: float, tasks: TaskSet, unseen: TaskSet) -> None:
    tuning = az.tune_constants(programs.linear(wrong), tasks, method, 150, validation_tasks=unseen)
    assert tuning.before.mean < 0.5
    assert tuning.after.mean > 0.99
    assert tuning.improved
    assert tuning.change.mean == pytest.approx(tuning.after.mean - tuning.before.mean)
    (rate,) = (i.constants[0] for i in tuning.program.setup)
    assert 0.02 < rate < 0.5


@pytest.mark.parametrize("method", METHODS)
def test_the_same_arguments_give_the_same_result(method: str, tasks: TaskSet, unseen: TaskSet) -> None:
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    first, second = (
        az.tune_constants(programs.neural_net(), tasks, method, 40, seed=3, validation_tasks=unseen) for _ in range(2)
    )
    assert first == second
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    other = az.tune_constants(programs.neural_net(), tasks, method, 40, seed=4, validation_tasks=unseen)
    assert other.history != first.history


def test_the_history_rises_from_the_program_as_given(tasks: TaskSet, unseen: TaskSet) -> None:
    calls: list[tuple[int, float]] = []
    tuning = az.tune_constants(
        programs.linear(1e-3), tasks, max_evaluations=25, validation_tasks=unseen,
        callback=lambda evaluations, best: calls.append((evaluations, best)),
    )  # fmt: skip
    fitness = [trial.fitness for trial in tuning.history]
    assert tuning.history[0].evaluation == 0
    assert tuning.history[0].constants == (1e-3,)
    assert fitness == sorted(set(fitness))
    assert tuning.evaluations == 25
    assert [evaluations for evaluations, _ in calls] == list(range(1, 26))
    assert calls[-1][1] == fitness[-1]
    assert az.evaluate(tuning.program, tasks).mean() == pytest.approx(fitness[-1])


def test_when_nothing_better_is_found_the_program_stays_as_it_is(tasks: TaskSet, unseen: TaskSet) -> None:
    good = az.tune_constants(programs.linear(), tasks, "cma", 200, validation_tasks=unseen).program
    again = az.tune_constants(good, tasks, "random", 3, validation_tasks=unseen)
    assert again.program == good
    assert again.change.mean == 0.0
    assert not again.improved


def test_without_validation_tasks_a_third_is_kept_from_the_search(tasks: TaskSet) -> None:
    tuning = az.tune_constants(programs.linear(1e-3), tasks, max_evaluations=5)
    assert tuning.after.num_tasks == 2


def test_random_factors_are_log_uniform_over_six_decades() -> None:
    seen: list[float] = []
    search = random_search(2, lambda exponents: seen.extend(exponents) or 0.0, seed=0)
    for _ in range(500):
        next(search)
    assert len(seen) == 1000
    assert min(seen) > -DECADES
    assert max(seen) < DECADES
    assert np.histogram(seen, bins=6, range=(-DECADES, DECADES))[0].min() > 120


def test_cma_stays_within_its_bounds_and_starts_again_when_it_has_converged() -> None:
    seen: list[np.ndarray] = []

    def fitness(exponents: np.ndarray) -> float:
        seen.append(exponents)
        return -float(np.sum((exponents - 1.0) ** 2))

    search = cma_search(2, fitness, seed=0)
    for _ in range(1500):
        next(search)
    assert len(seen) == 1500
    assert np.abs(seen).max() <= DECADES
    distance = np.abs(np.array(seen) - 1.0).max(axis=1)
    assert distance.min() < 1e-4
    converged = int(np.argmax(distance < 1e-4))
    assert distance[converged:].max() > 0.3  # later it looks far away once more


def test_a_missing_library_is_named(tasks: TaskSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cma", None)
    with pytest.raises(ValueError, match=r"needs the library cma, which is not installed: pip install"):
        az.tune_constants(programs.linear(), tasks, "cma")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"method": "cme"}, ValueError, "method is 'cme': expected random or cma"),
        ({"max_evaluations": 0}, ValueError, "max_evaluations is 0: expected an integer of at least 1"),
        ({"dtype": "int8"}, ValueError, "dtype is 'int8'"),
        ({"program": "linear"}, TypeError, "program is 'linear': expected a Program"),
        ({"tasks": None}, TypeError, "tasks is None: expected a TaskSet"),
        ({"validation_tasks": 3}, TypeError, "validation_tasks is 3: expected a TaskSet"),
        ({"program": programs.empty()}, ValueError, "the program has no constants to tune"),
        ({"tasks": linear_regression(num_tasks=1)}, ValueError, "at least 2 when there are no validation_tasks"),
        (
            {"validation_tasks": linear_regression(num_features=5)},
            ValueError,
            "validation_tasks must have the same num_features as tasks, 4, got 5",
        ),
    ],
)
def test_wrong_arguments_are_refused(
    change: dict[str, object], error: type[Exception], message: str, tasks: TaskSet
) -> None:
    arguments: dict[str, object] = {"program": programs.linear(), "tasks": tasks, "max_evaluations": 1, **change}
    with pytest.raises(error, match=message):
        az.tune_constants(**arguments)  # type: ignore[arg-type]


def test_the_record_holds_the_program(tasks: TaskSet) -> None:
    tuning = az.tune_constants(programs.linear(1e-3), tasks, max_evaluations=3)
    record = tuning.to_dict()
    assert Program.from_json(record["program"]) == tuning.program
    assert record["history"][0] == {"evaluation": 0, "fitness": tuning.history[0].fitness, "constants": [1e-3]}


def test_constants_are_named_by_their_places_in_the_program_as_given(tasks: TaskSet) -> None:
    program = programs.pad(programs.linear(), {"setup": 3})
    dead = replace(program, predict=(*(program.predict[-1:] * 2), *program.predict), setup=program.setup[::-1])
    places = {f"setup[{i}] value" for i, one in enumerate(dead.setup) if one.op == "scalar_const_set"}
    for separation in (True, False):
        assert set(az.tune_constants(dead, tasks, max_evaluations=1, separation=separation).constants) == places


def ascending(tasks: TaskSet) -> TaskSet:
    """Tasks on which every step of learning is for the worse: labels of training with the wrong sign."""
    return replace(tasks, train_y=-tasks.train_y)


def test_where_the_unseen_tasks_show_a_loss_the_program_stays_as_it_was(tasks: TaskSet, unseen: TaskSet) -> None:
    given = programs.linear(1e-3)
    tuning = az.tune_constants(given, tasks, max_evaluations=20, validation_tasks=ascending(unseen))
    assert tuning.history[-1].fitness > tuning.history[0].fitness
    assert tuning.change.mean < 0
    assert tuning.program == given
    assert tuning.tuned != given
    assert tuning.kept
    assert tuning.verdict == "Fitness on the unseen tasks did not rise: the program stays as it was given."
    record = tuning.to_dict()
    assert record["kept"] is True
    assert Program.from_json(record["program"]) == given
    assert Program.from_json(record["tuned"]) == tuning.tuned


def test_where_they_show_a_gain_the_tuned_constants_are_used(tasks: TaskSet, unseen: TaskSet) -> None:
    tuning = az.tune_constants(programs.linear(1e-3), tasks, max_evaluations=20, validation_tasks=unseen)
    assert tuning.program == tuning.tuned
    assert not tuning.kept
    assert tuning.verdict == "The unseen tasks confirm the gain."
    chance = replace(tuning, change=Change(0.001, 0.002))
    assert "within its error" in chance.verdict
    assert "tuned constants are used" in chance.verdict


def test_nothing_better_is_not_called_a_loss(tasks: TaskSet, unseen: TaskSet) -> None:
    good = az.tune_constants(programs.linear(), tasks, "cma", 200, validation_tasks=unseen).tuned
    verdict = az.tune_constants(good, tasks, "random", 3, validation_tasks=unseen).verdict
    assert verdict == "The search found nothing better: the program stays as it was given."
