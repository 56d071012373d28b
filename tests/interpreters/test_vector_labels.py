"""Multi-class tasks: what vector labels mean, by hand on both backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from automl_zero import evaluate, programs
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.interpreters.numpy_interpreter import TaskRun
from automl_zero.interpreters.numpy_labels import softmax
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.memory import MemorySpec
from automl_zero.program import Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays
from tests.clusters import clusters

MEMORY = MemorySpec(4, 5, 2)

Fitness = Callable[..., list[float]]


@pytest.fixture(params=["numpy", "numba"])
def fitness(request: pytest.FixtureRequest) -> Fitness:
    """Fitness on each task, by one of the backends."""

    def of(program: Program, tasks: TaskSet, dtype: str = "float64") -> list[float]:
        values: list[float] = evaluate(program, tasks, backend=request.param, dtype=dtype).tolist()
        return values

    return of


def program(
    setup: Sequence[Instruction] = (), predict: Sequence[Instruction] = (), learn: Sequence[Instruction] = ()
) -> Program:
    return Program(MEMORY, tuple(setup), tuple(predict), tuple(learn))


def add(in1: int, in2: int, out: int) -> Instruction:
    return Instruction("vector_sum", in1, in2, out)


def element(out: int, index: int, value: float, F: int = 3) -> Instruction:
    return Instruction("vector_const_set", out=out, constants=((index + 0.5) / F, value))


def one_task(train: Sequence[int], valid: Sequence[int], C: int = 3, F: int = 3, **options: Any) -> TaskSet:
    """One task whose features are 1, with those classes."""
    x, valid_x = options.pop("train_x", np.ones((len(train), F))), options.pop("valid_x", np.ones((len(valid), F)))
    return from_arrays(x, np.eye(C)[list(train)], valid_x, np.eye(C)[list(valid)], "accuracy", **options)


COPY_FEATURES = add(0, 4, 2)  # v4 stays zero


# -- the meaning of vector labels ------------------------------------------------------------------------------------


def test_the_class_of_the_largest_number_is_predicted_and_the_first_of_several(fitness):
    valid_x = [[0, 2, 1], [3, 0, 3], [-1, -2, -1], [0, 1, 1], [-5, -5, -4]]
    for labels, expected in (([1, 0, 0, 1, 2], 1.0), ([1, 2, 2, 2, 2], 0.4), ([0, 2, 2, 2, 0], 0.0)):
        assert fitness(program(predict=[COPY_FEATURES]), one_task([0], labels, valid_x=valid_x)) == [expected]


def test_numbers_that_a_softmax_would_round_to_one_are_still_told_apart(fitness):
    valid_x = [[1.0, 1.0 + 1e-15, 0.0], [-1e-300, 0.0, -1.0], [1e300, 0.0, -1e300]]
    assert fitness(program(predict=[COPY_FEATURES]), one_task([0], [1, 1, 0], valid_x=valid_x)) == [1.0]


def test_only_the_first_c_numbers_count(fitness):
    # The largest is beyond the classes, and so are a NaN and an infinity.
    log = [Instruction("vector_reciprocal", 0, out=2)]
    valid_x = [[1.0, 2.0, 0.1], [2.0, 1.0, 0.0], [2.0, 1.0, -0.0]]
    assert fitness(program(predict=log), one_task([0], [0, 1, 1], C=2, valid_x=valid_x)) == [1.0]


@pytest.mark.parametrize("C", [2, 3])
def test_what_softmax_makes_nan_is_an_error_in_validation_and_no_more(fitness, C):
    # 1 / x of the features; NaN comes of infinity - infinity in v3 = 1 / x - 1 / x.
    nan = [
        Instruction("vector_reciprocal", 0, out=2),
        Instruction("vector_diff", 2, 2, 3),
        add(2, 3, 2),
    ]
    valid_x = [[1, 2, 3], [0, 2, 3], [2, 1, 3], [1, 0, 3]]
    assert fitness(program(predict=nan), one_task([0], [0, 0, 1, 0], C=C, valid_x=valid_x)) == [0.5]
    infinite = [Instruction("vector_reciprocal", 0, out=2)]
    plus, minus, all_minus = [2, 0.0, 1], [2, -0.0, 1], [-0.0, -0.0, -0.0]
    assert fitness(program(predict=infinite), one_task([0], [1], C=C, valid_x=[plus])) == [0.0]
    expected = [1.0] if C == 2 else [0.0]  # 1 / 2, -infinity, 1
    assert fitness(program(predict=infinite), one_task([0], [0], C=C, valid_x=[minus])) == expected
    assert fitness(program(predict=infinite), one_task([0], [0], C=C, valid_x=[all_minus])) == [0.0]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_nan_or_plus_infinity_stops_training(fitness, dtype, bad):
    infinite = program(predict=[Instruction("vector_reciprocal", 0, out=2)])
    train_x = np.ones((4, 3))
    train_x[2, bad] = 0.0
    for C in (2, 3):
        expected = 0.0 if bad < C else 1.0
        assert fitness(infinite, one_task([0] * 4, [0], C=C, train_x=train_x), dtype) == [expected]
        stopped = Evaluator(one_task([0] * 4, [0], C=C, train_x=train_x), dtype).evaluate(infinite)[1]
        assert stopped == (3 if bad < C else 4)


def test_a_training_error_is_one_minus_the_probability_of_the_label(fitness):
    # Probabilities 1/7, 2/7, 4/7: the errors are 6/7, 5/7 and 3/7.
    logits = [element(2, 1, float(np.log(2))), element(2, 2, float(np.log(4)))]
    assert TaskRun(program(logits), one_task([0], [2]), 0, "float64").train(0, [0])[0] == [pytest.approx(6 / 7)]
    for label, error in ((0, 6 / 7), (1, 5 / 7), (2, 3 / 7)):
        assert fitness(program(logits), one_task([label], [2], max_abs_error=error + 1e-6)) == [1.0]
        assert fitness(program(logits), one_task([label], [2], max_abs_error=error - 1e-6)) == [0.0]


def test_probabilities_are_written_back_in_training_with_zeros_beyond_the_classes():
    logits = [element(2, 0, 3.0), element(2, 1, 3.0), element(2, 2, 9.0)]
    run = TaskRun(program(predict=logits, learn=[add(2, 3, 3)]), one_task([1], [0], C=2), 0, "float64")
    assert run.train(0, [0]) == ([0.5], True)
    assert run.machine.vectors[2].tolist() == [0.5, 0.5, 0.0]
    assert run.machine.vectors[3].tolist() == [0.5, 0.5, 0.0]
    assert run.validate(0, [0]) == ([0.0], True)
    assert run.machine.vectors[2].tolist() == [3.0, 3.0, 9.0]  # not written back


def test_learn_finds_the_probabilities_and_validation_leaves_the_numbers(fitness):
    # Predict leaves (1, s1, 9). Learn sets s1 to the norm of what it finds, which is below 1 for (p, 1 - p, 0).
    predict = [Instruction("scalar_broadcast", 1, out=2), element(2, 0, 1.0), element(2, 2, 9.0)]
    measuring = program(predict=predict, learn=[Instruction("vector_norm", 2, out=1)])
    assert fitness(measuring, one_task([1], [0], C=2)) == [1.0]
    # Predict adds v0 to v2; were probabilities written back in validation, the first example would be forgotten.
    growing = program(predict=[add(2, 0, 2)], learn=[add(4, 4, 2)])
    valid_x = [[0.0, 5.0, 0.0], [4.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    assert fitness(growing, one_task([0], [1, 1, 0], valid_x=valid_x)) == [1.0]


def test_v1_is_the_one_hot_label_in_learn_and_zero_in_setup_and_predict(fitness):
    # The prediction is what Learn saw last in v1, less ten times what Setup and Predict saw there.
    setup = [add(1, 1, 4)]
    predict = [add(1, 1, 4), add(4, 4, 4), Instruction("vector_diff", 3, 4, 2)]
    remembering = program(setup, predict, [add(1, 1, 3)])
    for label in range(3):
        assert fitness(remembering, one_task([2, 1, 0, label], [label])) == [1.0]
        assert fitness(remembering, one_task([2, 1, 0, label], [(label + 1) % 3])) == [0.0]
    assert fitness(program(predict=[add(1, 1, 2)]), one_task([2], [0, 0, 0, 2])) == [0.75]


def test_v1_is_zero_beyond_the_classes(fitness):
    # Learn sets v3 to the norm of v1, and then one element to a little more or less.
    learn = [Instruction("vector_norm", 1, out=1), Instruction("scalar_broadcast", 1, out=3)]
    run = TaskRun(program(predict=[add(3, 4, 2)], learn=learn), one_task([1, 0], [0], C=2, F=4), 0, "float64")
    run.train(0, [0, 1])
    assert run.machine.vectors[3].tolist() == [1.0] * 4
    counting = program(predict=[add(3, 4, 2)], learn=[*learn, element(3, 1, 1.001, F=4)])
    assert fitness(counting, one_task([1, 0], [1], C=2, F=4)) == [1.0]
    below = program(predict=[add(3, 4, 2)], learn=[*learn, element(3, 1, 0.999, F=4)])
    assert fitness(below, one_task([1, 0], [0], C=2, F=4)) == [1.0]


def test_s0_is_zero_in_learn_and_s1_is_a_register_like_any_other(fitness):
    # Learn adds s0 to s1 and Predict sets every element of v2 but the first to s1, which stays -1.
    minus = Instruction("scalar_const_set", out=1, constants=(-1.0,))
    learn = [Instruction("scalar_sum", 0, 0, 2), Instruction("scalar_sum", 1, 2, 1)]
    predict = [Instruction("scalar_broadcast", 1, out=2), element(2, 0, -1.5)]
    assert fitness(program([minus], predict, learn), one_task([1, 2, 1, 2], [1])) == [1.0]
    predict = [Instruction("scalar_broadcast", 1, out=2), element(2, 0, -0.5)]
    assert fitness(program([minus], predict, learn), one_task([1, 2, 1, 2], [0])) == [1.0]


def test_later_epochs_train_in_the_shared_order_and_the_best_counts(fitness):
    # The prediction is the label seen last.
    last = program(predict=[add(3, 4, 2)], learn=[add(1, 4, 3)])
    ends = {int(epoch_order(epoch, 8)[-1]) for epoch in range(3)}
    assert len(ends) == 3
    for end in range(8):
        assert fitness(last, one_task(range(8), [end], C=8, F=8, epochs=3)) == [float(end in ends)]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_programs_that_cannot_run_on_vector_labels_are_refused(backend):
    tasks = one_task([0], [0])
    writing = program(predict=[Instruction("no_op"), add(0, 0, 1)])
    with pytest.raises(ValueError, match=r"predict\[1\]\.out: v1 is the label in tasks with vector labels"):
        evaluate(writing, tasks, backend=backend)
    with pytest.raises(ValueError, match=r"memory\.vectors is 2: expected at least 3 for tasks with vector labels"):
        evaluate(programs.empty(MemorySpec(2, 2, 0)), tasks, backend=backend)
    scalar = from_arrays(np.ones((1, 3)), [0], np.ones((1, 3)), [0])
    assert evaluate(writing, scalar, backend=backend).tolist() == [1.0]


def test_the_smallest_memory_and_the_empty_program_are_enough(fitness):
    assert fitness(programs.empty(MemorySpec(2, 3, 0)), one_task([0], [0, 0, 0, 1])) == [0.75]


# -- softmax regression by hand --------------------------------------------------------------------------------------


def softmax_regression(tasks: TaskSet, task: int, rate: float) -> float:
    """Validation accuracy of a linear softmax model, written down independently of any program."""
    weights, biases = np.zeros((tasks.num_classes, tasks.num_features)), np.zeros(tasks.num_classes)
    for x, y in zip(tasks.train_x[task], tasks.train_y[task], strict=True):
        powers = np.exp(weights @ x + biases)
        step = rate * (y - powers / powers.sum())
        weights += np.outer(step, x)
        biases += step
    predicted = (tasks.valid_x[task] @ weights.T + biases).argmax(axis=1)
    return float((predicted == tasks.valid_y[task].argmax(axis=1)).mean())


@pytest.mark.parametrize(("C", "F"), [(2, 5), (5, 5), (3, 4)])
def test_the_linear_program_is_softmax_regression(fitness, C, F):
    tasks = clusters(3, C, F)
    expected = [softmax_regression(tasks, task, 0.1) for task in range(3)]
    assert fitness(programs.softmax_linear(0.1), tasks) == pytest.approx(expected, abs=1e-12)
    assert min(expected) > 1.3 / C


def test_a_softmax_is_stable():
    assert softmax(np.array([1000.0, 1000.0])).tolist() == [0.5, 0.5]
    with np.errstate(over="ignore", invalid="ignore"):
        assert softmax(np.array([-1e308, 1e308])).tolist() == [0.0, 1.0]
        assert np.isnan(softmax(np.array([np.inf, 0.0]))).all()
