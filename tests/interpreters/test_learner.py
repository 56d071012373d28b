from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.interpreters.learner import Learned, Learner, Stop
from automl_zero.ops import Op, RegisterType, register, unregister
from automl_zero.program import Instruction, Program
from tests.oracle import MEMORY, random_program, train_and_predict


def examples(seed: int, F: int, accuracy: bool, num_sets: int = 1) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    labels = rng.standard_normal((num_sets, 9))
    return rng.standard_normal((9, F)), (labels > 0) * 1.0 if accuracy else labels, rng.standard_normal((4, F))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("accuracy", [False, True])
def test_it_agrees_with_the_definition_to_the_last_bit(dtype: str, accuracy: bool) -> None:
    compared = stopped = 0
    for seed in range(30):
        program, F = random_program(seed), 1 + seed % 5
        x, y, rows = examples(seed, F, accuracy, num_sets=2)
        learner = Learner(program, F, accuracy=accuracy, dtype=dtype, seed=seed)
        learned = learner.train(x, y, epochs=3)
        outputs = learner.predict(learned.registers, rows)
        for index in range(2):
            expected, stop = train_and_predict(program, x, y[index], rows, seed, 3, accuracy, dtype)
            np.testing.assert_array_equal(outputs[index], expected)
            assert learned.stops[index] == (None if stop is None else Stop(*stop))
            compared += np.isfinite(expected).all() and len(set(expected)) > 1
            stopped += stop is not None
    assert compared >= 20  # of 60: numbers, and different ones
    assert 0 < stopped < 60


def test_vector_labels_agree_with_the_definition_to_the_last_bit() -> None:
    compared = stopped = 0
    for seed in range(30):
        C, F = 2 + seed % 3, 4 + seed % 2
        program = random_program(seed, num_classes=C)
        rng = np.random.default_rng(seed)
        x, rows, y = rng.standard_normal((9, F)), rng.standard_normal((4, F)), np.eye(C)[rng.integers(C, size=(2, 9))]
        learner = Learner(program, F, accuracy=True, num_classes=C, seed=seed)
        learned = learner.train(x, y, epochs=3)
        outputs = learner.predict(learned.registers, rows)
        for index in range(2):
            expected, stop = train_and_predict(program, x, y[index], rows, seed, 3, True)
            np.testing.assert_array_equal(outputs[index], expected)
            assert learned.stops[index] == (None if stop is None else Stop(*stop))
            compared += np.isfinite(expected).all() and len(np.unique(expected)) > 4
            stopped += stop is not None
    assert compared >= 20  # of 60
    assert 0 < stopped < 60


def test_vector_labels_need_features_and_a_program_for_them() -> None:
    with pytest.raises(ValueError, match="5 classes need as many features for vector labels, got 3"):
        Learner(programs.softmax_linear(), 3, accuracy=True, num_classes=5)
    with pytest.raises(ValueError, match="v1 is the label in tasks with vector labels and cannot be written"):
        Learner(programs.linear(), 3, accuracy=True, num_classes=3)


def linear(accuracy: bool = False, **options: Any) -> Learner:
    return Learner(programs.linear(0.1), 3, accuracy=accuracy, **options)


def test_label_sets_are_learned_as_if_each_were_alone() -> None:
    x, y, rows = examples(0, 3, accuracy=False, num_sets=4)
    y[1, 5] = 1000.0  # this one stops
    learner = linear()
    learned = learner.train(x, y, 2)
    assert learned.stops == (None, Stop(0, 5), None, None)
    for index in range(4):
        alone = learner.train(x, y[index : index + 1], 2)
        for together, single in zip(learned.registers, alone.registers, strict=True):
            np.testing.assert_array_equal(together[index], single[0])
    assert learner.predict(learned.registers, rows).shape == (4, 4)


def test_a_stop_leaves_memory_as_it_was_before_the_example() -> None:
    x, y, _ = examples(0, 3, accuracy=False)
    whole = linear().train(x[:6], y[:, :6], 1)
    y[0, 6] = np.inf
    stopped = linear().train(x, y, 1)
    assert stopped.stops == (Stop(0, 6),)
    # All but the features and the label, which the interpreter sets.
    weights = [0 + 1, 0 + 2, 4 + 1]
    for index in weights:
        np.testing.assert_array_equal(stopped.registers[index], whole.registers[index])


def previous_prediction() -> Program:
    """Predicts the sum of the features minus the prediction before."""
    return Program(
        MEMORY,
        (Instruction("vector_const_set", out=1, constants=(0.0, 1.0)),),
        (
            Instruction("scalar_diff", 2, 1, 2),
            Instruction("vector_inner_product", 1, 0, 1),
            Instruction("scalar_sum", 1, 2, 1),
        ),
        (),
    )


def test_a_prediction_does_not_depend_on_the_other_rows() -> None:
    x, y, rows = examples(0, 3, accuracy=False)
    learner = Learner(previous_prediction(), 3, accuracy=False)
    registers = learner.train(x, y, 1).registers
    together = learner.predict(registers, rows)
    alone = np.column_stack([learner.predict(registers, row[np.newaxis]) for row in rows])
    np.testing.assert_array_equal(together, alone)
    assert registers[2][0] != 0  # there is something to restore


def test_random_draws_are_the_same_for_every_row() -> None:
    noise = Program(MEMORY, (), (Instruction("scalar_gaussian_set", out=1, constants=(0.0, 1.0)),), ())
    x, y, rows = examples(0, 3, accuracy=False)
    learner = Learner(noise, 3, accuracy=False, seed=1)
    (outputs,) = learner.predict(learner.train(x, y, 1).registers, rows)
    assert len(set(outputs)) == 1
    other = Learner(noise, 3, accuracy=False, seed=2)
    assert other.predict(other.train(x, y, 1).registers, rows)[0, 0] != outputs[0]


def test_predictions_in_several_chunks_are_those_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, _ = examples(0, 3, accuracy=False)
    learner = Learner(programs.neural_net(), 3, accuracy=False)
    registers = learner.train(x, y, 1).registers
    whole = learner.predict(registers, x)
    monkeypatch.setattr("automl_zero.interpreters.learner._CHUNK", 20)
    np.testing.assert_array_equal(learner.predict(registers, x), whole)


@pytest.fixture
def user_ops() -> Any:
    """Bodies written for single registers, which know nothing of axes in front."""
    scalar, vector = RegisterType.SCALAR, RegisterType.VECTOR
    register(Op("largest", (vector,), scalar, "{out} = largest({in1})"), numpy=lambda v: v.max())
    register(Op("scaled", (scalar, vector), vector, "{out} = scaled({in1}, {in2})"), numpy=lambda s, v: s * v[::-1])
    yield
    unregister("scaled")
    unregister("largest")


@pytest.mark.usefixtures("user_ops")
def test_user_ops_are_applied_to_one_register_at_a_time() -> None:
    program = Program(MEMORY, (), (Instruction("largest", 0, out=2), Instruction("scaled", 2, 0, 1)), ())
    read = Instruction("vector_inner_product", 1, 0, 1)
    program = Program(MEMORY, (), (*program.predict, read), (Instruction("scalar_sum", 0, 3, 3),))
    x, y, rows = examples(0, 3, accuracy=False, num_sets=2)
    learner = Learner(program, 3, accuracy=False)
    learned: Learned = learner.train(x, y, 1)
    for index in range(2):
        expected, _ = train_and_predict(program, x, y[index], rows, 0, 1, False, "float64")
        np.testing.assert_array_equal(learner.predict(learned.registers, rows)[index], expected)
