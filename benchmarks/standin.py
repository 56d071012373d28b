"""A stand-in for the authors' C++ program: an interpreter of its kind, to compare with where that is not at hand.

It is NOT the reference implementation and none of its code. Like the reference it works through the tasks one after
the other, executes every instruction as it is written by one indirect dispatch, computes in float64, copies each
example's features to v0, and keeps the registers in a struct of fixed size: 20 scalars, 20 vectors [F] and 20 matrices
[F, F], with F known to the compiler. There is no analysis, no cache and no lane. The random numbers alone are not the
reference's but the package's own (the host numbers the live random instructions for them), so that a program's fitness
equals that of the package's interpreters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.liveness import live_instructions
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.memory import MAX_REGISTERS
from automl_zero.ops import NUM_BUILT_IN
from automl_zero.program import Program
from automl_zero.program_arrays import pack
from automl_zero.tasks import TaskSet
from benchmarks.compiled import jit
from benchmarks.standin_ops import execute


class StandIn:
    """Evaluates programs on one task set, in float64.

    Args:
        tasks: the tasks.
    """

    def __init__(self, tasks: TaskSet) -> None:
        self.tasks = tasks
        F = tasks.num_features
        fields = [("scalars", (MAX_REGISTERS,)), ("vectors", (MAX_REGISTERS, F)), ("matrices", (MAX_REGISTERS, F * F))]
        self._memory = np.zeros(1, [(name, np.float64, shape) for name, shape in [*fields, ("scratch", (F * F,))]])
        self._orders = np.array([epoch_order(epoch, tasks.num_train) for epoch in range(tasks.epochs)])

    def evaluate(self, program: Program, repetitions: int = 1) -> tuple[npt.NDArray[np.float64], int]:
        """Fitness on every task, float64[D], and the train steps of all repetitions."""
        code, constants, sizes = pack(program)
        if code[:, 0].max() >= NUM_BUILT_IN:
            raise ValueError("the stand-in has the built-in ops alone")
        spec = program.memory
        registers = np.array([spec.scalars, spec.vectors, spec.matrices])
        fitness = np.zeros(self.tasks.num_tasks)
        examples = (self.tasks.train_x, self.tasks.train_y, self.tasks.valid_x, self.tasks.valid_y)
        steps = _evaluate(
            repetitions,
            (code, constants, _live_ordinals(program), sizes),
            registers,
            self._memory,
            examples,
            self.tasks.seeds,
            self._orders,
            self.tasks.evaluation == "accuracy",
            self.tasks.max_abs_error,
            fitness,
        )
        return fitness, int(steps)


def _live_ordinals(program: Program) -> npt.NDArray[np.int64]:
    """For every instruction, the number of live random instructions before it in its component."""
    ordinals = [0]  # never empty
    for component, live in zip(program.components, live_instructions(program), strict=True):
        drawn = [flag and instruction.spec.random for instruction, flag in zip(component, live, strict=True)]
        ordinals += [sum(drawn[:position]) for position in range(len(drawn))]
    return np.array(ordinals[1:] or ordinals, np.int64)


@jit
def _evaluate(repetitions, program, registers, memory, examples, seeds, orders, accuracy, max_abs_error, fitness):
    train_x, train_y, valid_x, valid_y = examples
    steps = 0
    for _ in range(repetitions):
        for task in range(train_x.shape[0]):
            _clear(memory, registers)
            _setup(program, memory, seeds[task])
            best = 0.0
            for epoch in range(orders.shape[0]):
                place = (task, seeds[task], epoch)
                taken, trained = _train(program, memory, train_x, train_y, place, orders, accuracy, max_abs_error)
                steps += taken
                if not trained:
                    break
                fitness_now = _validate(program, memory, valid_x, valid_y, place, accuracy, max_abs_error)
                best = max(best, fitness_now)
            fitness[task] = best
    return steps


@jit
def _clear(memory, registers):
    F = memory[0].vectors.shape[1]
    for i in range(registers[0]):
        memory[0].scalars[i] = 0.0
    for i in range(registers[1]):
        for j in range(F):
            memory[0].vectors[i, j] = 0.0
    for i in range(registers[2]):
        for j in range(F * F):
            memory[0].matrices[i, j] = 0.0


@jit
def _setup(program, memory, seed):
    code, constants, ordinals, sizes = program
    execute(code, constants, ordinals, 0, sizes[0], memory, (seed, 0, 0))


@jit
def _show(memory, x, task, row, label):
    for i in range(memory[0].vectors.shape[1]):
        memory[0].vectors[0, i] = x[task, row, i]
    memory[0].scalars[0] = label


@jit
def _sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@jit
def _train(program, memory, x, y, place, orders, accuracy, max_abs_error):
    """Train on every example; returns the train steps, and whether no error stopped the training."""
    code, constants, ordinals, sizes = program
    task, seed, epoch = place
    learn, end = sizes[0] + sizes[1], sizes[0] + sizes[1] + sizes[2]
    s = memory[0].scalars
    for position in range(orders.shape[1]):
        row = orders[epoch, position]
        _show(memory, x, task, row, 0.0)
        execute(code, constants, ordinals, sizes[0], learn, memory, (seed, 4 + 16 * epoch, row))
        if accuracy:
            s[1] = _sigmoid(s[1])
        if not abs(y[task, row] - s[1]) <= max_abs_error:  # true for NaN
            return position + 1, False
        _show(memory, x, task, row, y[task, row])
        execute(code, constants, ordinals, learn, end, memory, (seed, 8 + 16 * epoch, row))
    return orders.shape[1], True


@jit
def _validate(program, memory, x, y, place, accuracy, max_abs_error):
    """Fitness on the validation examples."""
    code, constants, ordinals, sizes = program
    task, seed, epoch = place
    s = memory[0].scalars
    loss = 0.0
    for row in range(x.shape[1]):
        _show(memory, x, task, row, 0.0)
        execute(code, constants, ordinals, sizes[0], sizes[0] + sizes[1], memory, (seed, 5 + 16 * epoch, row))
        if accuracy:
            loss += (y[task, row] > 0.5) != (_sigmoid(s[1]) > 0.5)
            continue
        error = abs(y[task, row] - s[1])
        if not error <= max_abs_error:
            return 0.0
        loss += error * error
    mean = loss / x.shape[1]
    return 1.0 - mean if accuracy else 1.0 - 2.0 / np.pi * np.arctan(np.sqrt(mean))
