from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.interpreters.numpy_interpreter import evaluate_program
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType, register, unregister
from automl_zero.program import Instruction, Program
from automl_zero.tasks import TaskSet, linear_regression
from benchmarks.standin import StandIn

F = 4  # the stand-in is compiled for every F that is asked for
NUM_TASKS = 3
INPUT = {RegisterType.SCALAR: 2, RegisterType.VECTOR: 1, RegisterType.MATRIX: 0}  #: registers that hold operands


def tasks(epochs: int = 1, max_abs_error: float = 100.0) -> TaskSet:
    return linear_regression(NUM_TASKS, F, 20, 10, seed=3, epochs=epochs, max_abs_error=max_abs_error)


def classification() -> TaskSet:
    regression = tasks(epochs=3)
    labels = {name: (getattr(regression, name) > 0).astype(float) for name in ("train_y", "valid_y")}
    return replace(regression, evaluation="accuracy", **labels)


def program_with(op: Op, in_place: bool) -> Program:
    """Operands drawn anew for every example, the op, and a prediction that depends on every element of its output."""
    memory = MemorySpec(5, 5, 3)
    draws = [Instruction(f"{k.name.lower()}_uniform_set", out=INPUT[k], constants=(0.1, 0.9)) for k in INPUT]
    draws += [
        Instruction("scalar_uniform_set", out=3, constants=(0.1, 0.9)),
        Instruction("vector_uniform_set", out=2, constants=(0.1, 0.9)),
        Instruction("matrix_uniform_set", out=1, constants=(0.1, 0.9)),
    ]
    inputs = [INPUT[kind] + position for position, kind in enumerate(op.inputs)]
    out = INPUT[op.output] + 2 if op.output != RegisterType.NONE else None
    if in_place:
        out = next((at for kind, at in zip(op.inputs, inputs, strict=False) if kind == op.output), out)
    tested = Instruction(op.name, *(*inputs, None, None)[:2], out, (0.3, 0.6, 0.5)[: len(op.constants)])
    weights = Instruction("vector_gaussian_set", out=4, constants=(0.0, 1.0))
    reading = {
        RegisterType.NONE: (),
        RegisterType.SCALAR: (Instruction("scalar_sum", out or 0, 0, 1),),
        RegisterType.VECTOR: (weights, Instruction("vector_inner_product", out or 0, 4, 1)),
        RegisterType.MATRIX: (
            weights,
            Instruction("matrix_vector_product", out or 0, 4, 1),
            Instruction("vector_inner_product", 1, 0, 1),
        ),
    }[op.output]
    return Program(memory, (), (*draws, tested, *reading), ())


@pytest.mark.parametrize("op", list(TABLE)[:NUM_BUILT_IN], ids=lambda op: op.name)
@pytest.mark.parametrize("in_place", [False, True], ids=["elsewhere", "in-place"])
def test_every_op_gives_the_fitness_that_the_numpy_interpreter_gives(op, in_place):
    program = program_with(op, in_place)
    fitness, _ = StandIn(tasks()).evaluate(program)
    expected = evaluate_program(program, tasks(), "float64")
    assert expected.min() > 0  # no task stopped early
    np.testing.assert_allclose(fitness, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["linear", "neural_net"])
@pytest.mark.parametrize("task_set", [tasks(), tasks(epochs=2), classification()], ids=["rmse", "epochs", "accuracy"])
def test_the_benchmark_programs_have_the_kernels_fitness_and_train_steps(name, task_set):
    program = getattr(programs, name)()
    fitness, steps = StandIn(task_set).evaluate(program)
    expected, expected_steps = Evaluator(task_set, "float64").evaluate(program)
    np.testing.assert_allclose(fitness, expected, rtol=0, atol=1e-12)
    assert fitness.min() > 0.1  # the program did learn something
    assert steps == expected_steps == NUM_TASKS * 20 * task_set.epochs


@pytest.mark.parametrize("limit", [1e-3, 4.0])
def test_a_task_stops_at_a_large_error_as_in_the_kernel(limit):
    program, task_set = programs.linear(learning_rate=1.5), tasks(max_abs_error=limit)
    fitness, steps = StandIn(task_set).evaluate(program)
    expected, expected_steps = Evaluator(task_set, "float64").evaluate(program)
    assert fitness.tolist() == expected.tolist() == [0.0] * NUM_TASKS
    assert steps == expected_steps < NUM_TASKS * 20


def test_repeating_an_evaluation_changes_nothing_but_the_steps():
    stand_in = StandIn(tasks())
    once, steps = stand_in.evaluate(programs.neural_net())
    thrice, total = stand_in.evaluate(programs.neural_net(), repetitions=3)
    assert thrice.tolist() == once.tolist()
    assert total == 3 * steps


def test_an_empty_program_predicts_zero():
    fitness, _ = StandIn(tasks()).evaluate(programs.empty())
    assert fitness.tolist() == evaluate_program(programs.empty(), tasks()).tolist()


def test_an_op_that_a_user_registered_is_refused():
    scalar = RegisterType.SCALAR
    register(Op("scalar_twice", (scalar,), scalar, "{out} = 2 * {in1}"), numpy=lambda a: a + a)
    try:
        program = Program(MemorySpec(2, 1, 0), (), (Instruction("scalar_twice", 0, out=1),), ())
        with pytest.raises(ValueError, match="built-in ops alone"):
            StandIn(tasks()).evaluate(program)
    finally:
        unregister("scalar_twice")
