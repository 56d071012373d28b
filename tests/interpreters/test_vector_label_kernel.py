"""The compiled interpreter is held to the numpy interpreter on multi-class tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl_zero import programs
from automl_zero.interpreters.kernel import get_kernel
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.interpreters.numpy_interpreter import TaskRun
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import TaskSet, from_arrays
from tests.clusters import clusters

MEMORY = MemorySpec(4, 5, 2)
ALL_OPS = [op.name for op in TABLE]
#: ops by which the label comes to the prediction
OFTEN = ["vector_sum", "vector_diff", "vector_product", "vector_outer_product", "matrix_vector_product", "matrix_sum"]


def random_tasks(D: int, C: int, F: int, epochs: int = 1, N: int = 7, M: int = 5) -> TaskSet:
    """Tasks on which random programs fail now and then: labels of all classes, some features zero."""
    generator = np.random.default_rng([D, C, F, epochs])
    x, valid_x = (generator.normal(size=(D, n, F)) * generator.choice([0, 1, 1, 5], size=(D, n, 1)) for n in (N, M))
    y, valid_y = (np.eye(C)[generator.integers(C, size=(D, n))] for n in (N, M))
    return from_arrays(x, y, valid_x, valid_y, "accuracy", epochs, seed=F)


def random_programs(count: int, seed: int) -> list[Program]:
    allowed, generator = dict.fromkeys(COMPONENTS, ALL_OPS + OFTEN * 5), np.random.default_rng(seed)
    sizes = {"setup": 6, "predict": 8, "learn": 8}
    return [programs.random(MEMORY, allowed, sizes, generator, num_classes=1) for _ in range(count)]


class CountingRun(TaskRun):
    """The definition, with a count of the training examples seen."""

    steps = 0

    def train(self, epoch: int, rows: Any) -> tuple[list[float], bool]:
        errors, trained = super().train(epoch, rows)
        self.steps += len(errors) + (not trained)
        return errors, trained


def definition(program: Program, tasks: TaskSet, some: Sequence[int], dtype: str) -> tuple[np.ndarray, int]:
    """Fitness on some of the tasks, and the train steps there."""
    with np.errstate(all="ignore"):
        runs = [CountingRun(program, tasks, task, dtype) for task in some]
        return np.array([run.fitness() for run in runs]), sum(run.steps for run in runs)


@pytest.mark.parametrize(
    ("D", "C", "F", "epochs"),
    [(1, 2, 2, 1), (3, 3, 3, 3), (10, 2, 4, 1), (17, 4, 5, 2), (9, 5, 5, 3), (3, 2, 33, 1), (17, 33, 33, 1)],
)
def test_random_programs_have_the_fitness_of_the_definition(D, C, F, epochs):
    tasks, some = random_tasks(D, C, F, epochs), sorted({0, D - 1})
    evaluator = Evaluator(tasks, "float64")
    close, seen = [], set()
    for sample in random_programs(40, seed=D + F):
        expected = definition(sample, tasks, some, "float64")[0]
        values = evaluator.evaluate(sample)[0]
        close += list(np.abs(values[some] - expected) <= 1e-6)
        seen.update(values.tolist())
    assert np.mean(close) >= 0.98  # round-off can break a tie
    assert len(seen) >= 3
    assert 0.0 in seen


def test_random_programs_take_the_train_steps_of_the_definition():
    tasks = random_tasks(4, 3, 4, epochs=2)
    evaluator = Evaluator(tasks, "float64")
    outcomes = [
        (evaluator.evaluate(sample)[1], definition(sample, tasks, range(4), "float64")[1])
        for sample in random_programs(80, seed=1)
    ]
    assert np.mean([steps == expected for steps, expected in outcomes]) >= 0.97
    everything = 4 * 2 * tasks.num_train
    assert sum(steps < everything for steps, _ in outcomes) > 8
    assert sum(steps == everything for steps, _ in outcomes) > 30


@pytest.fixture(scope="module")
def small() -> tuple[TaskSet, Evaluator]:
    tasks = random_tasks(3, 3, 4, epochs=2)
    return tasks, Evaluator(tasks, "float64")


@settings(max_examples=120, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 8))
def test_any_program_agrees_with_the_definition(small, seed, size):
    tasks, evaluator = small
    # Sums over elements and transcendental functions are left out: round-off could break a tie.
    inexact = ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log")
    ops = [op.name for op in TABLE if op.elementwise and op.elementwise not in inexact]
    ops += ["scalar_broadcast", "vector_outer_product", "vector_const_set", "scalar_vector_product"]
    sample = programs.random(MEMORY, dict.fromkeys(COMPONENTS, ops), dict.fromkeys(COMPONENTS, size), seed, 3)
    expected = definition(sample, tasks, range(3), "float64")[0]
    np.testing.assert_allclose(evaluator.evaluate(sample)[0], expected, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("D", "C", "F"), [(2, 2, 4), (17, 4, 4), (2, 10, 33)])
def test_the_hand_designed_programs_agree_with_the_definition(dtype, D, C, F):
    tasks, some = clusters(D, C, F, N=30, M=20, epochs=2), [0, D - 1]
    for sample in (programs.softmax_linear(0.1), programs.softmax_net(0.1)):
        expected = definition(sample, tasks, some, dtype)[0]
        assert np.abs(Evaluator(tasks, dtype).evaluate(sample)[0][some] - expected).max() <= 1e-6


def test_a_fitness_depends_on_its_task_alone():
    tasks = random_tasks(20, 3, 4, epochs=2)
    evaluator = Evaluator(tasks, "float32")
    sample = random_programs(60, seed=4)
    fitness = np.array([evaluator.evaluate(program)[0] for program in sample])
    few = tasks.take(3)
    assert len(np.unique(fitness)) >= 5
    np.testing.assert_array_equal([Evaluator(few, "float32").evaluate(p)[0] for p in sample], fitness[:, :3])
    np.testing.assert_array_equal([evaluator.evaluate(p)[0] for p in sample[::-1]], fitness[::-1])


@pytest.mark.parametrize(("D", "C", "F"), [(3, 3, 3), (10, 2, 5)])
def test_the_kernel_of_any_f_agrees_with_the_specialised_one(D, C, F):
    tasks = random_tasks(D, C, F, epochs=2)
    evaluator, generic = Evaluator(tasks, "float64"), Evaluator(tasks, "float64")
    kernel = get_kernel(evaluator.data.lanes, None, "float64", vector_labels=True)
    generic.data = lay_out(tasks, "float64", kernel)
    assert generic.data.kernel != evaluator.data.kernel
    pairs = [(evaluator.evaluate(p), generic.evaluate(p)) for p in random_programs(100, seed=3)]
    assert np.mean([a[1] == b[1] and bool((a[0] == b[0]).all()) for a, b in pairs]) >= 0.98


def test_scalar_and_vector_labels_have_kernels_of_their_own():
    scalar, vector = (get_kernel(8, 3, "float64", vector_labels=vector) for vector in (False, True))
    assert (scalar.vector_labels, vector.vector_labels) == (False, True)
    assert scalar.address != vector.address
