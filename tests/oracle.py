"""Training and predicting with the NumPy interpreter, as exported programs and estimators do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from automl_zero import programs
from automl_zero.interpreters.numpy_interpreter import PREDICT, TaskRun
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.interpreters.threefry import VALIDATION, Place
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, RegisterType
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import from_arrays

Registers = dict[Any, Any]

MEMORY = MemorySpec(5, 4, 3)
_VECTOR_LABEL = (RegisterType.VECTOR, 1)
_OPS = [TABLE[index].name for index in range(NUM_BUILT_IN)]


def random_program(seed: int, size: int = 10, num_classes: int = 0) -> Program:
    """A random program of all ops, with an end of Predict that reads registers of every type.

    With classes it never writes v1, and its prediction is in v2.
    """
    sizes, ops = dict.fromkeys(COMPONENTS, size), dict.fromkeys(COMPONENTS, _OPS)
    program = programs.random(MEMORY, ops, sizes, seed)
    if num_classes:
        kept = [[i for i in component if (i.spec.output, i.out) != _VECTOR_LABEL] for component in program.components]
        program = Program(MEMORY, *map(tuple, kept))
    scalar, vector, matrix = (int(number) for number in np.random.default_rng(seed).integers((5, 4, 3)))
    end = (
        Instruction("matrix_vector_product", matrix, 0, 3),
        Instruction("vector_sum", 3, vector, 3),
        Instruction("vector_inner_product", 3, 0, 1),
        Instruction("scalar_sum", 1, scalar, 1),
    )
    if num_classes:
        end = (*end[:2], Instruction("scalar_vector_product", scalar, 0, 2), Instruction("vector_sum", 2, 3, 2))
    return replace(program, predict=(*program.predict, *end))


def train_and_predict(
    program: Program, x: Any, y: Any, rows: Any, seed: int, epochs: int, accuracy: bool, dtype: str = "float64"
) -> tuple[Any, tuple[int, int] | None]:
    """What s1 (or v2) holds after Predict on each row, with the memory as it was after training before each of them.

    Returns:
        [rows] (with one-hot labels y, [rows, C]), and the epoch and position at which training stopped, or None.
    """
    evaluation = "accuracy" if accuracy else "rmse"
    num_classes = np.asarray(y).shape[1] if np.ndim(y) == 2 else 0
    valid_y = np.eye(num_classes)[np.zeros(len(rows), dtype=int)] if num_classes else np.zeros(len(rows))
    tasks = from_arrays(x, y, rows, valid_y, evaluation=evaluation, epochs=epochs)
    tasks = replace(tasks, seeds=np.array([seed], np.uint64))
    with np.errstate(all="ignore"):
        run = TaskRun(program, tasks, 0, dtype)
        registers = run.machine.registers
        stop = _train(run, epochs)
        after = _copy(registers)
        outputs = []
        for row in np.asarray(rows).astype(dtype):
            _restore(registers, after)
            run._run(Place(VALIDATION, PREDICT), row, 0.0)
            outputs.append(run.machine.vectors[2, :num_classes].copy() if num_classes else run.machine.scalars[1])
    return np.array(outputs), stop


def _train(run: TaskRun, epochs: int) -> tuple[int, int] | None:
    """Train; a failure restores the memory before the example that failed."""
    for epoch in range(epochs):
        for position, row in enumerate(epoch_order(epoch, run.tasks.num_train).tolist()):
            before = _copy(run.machine.registers)
            if not run.train(epoch, [row])[1]:
                _restore(run.machine.registers, before)
                return epoch, position
    return None


def _copy(registers: Registers) -> Registers:
    return {kind: contents.copy() for kind, contents in registers.items()}


def _restore(registers: Registers, contents: Registers) -> None:
    for kind, values in contents.items():
        registers[kind][...] = values
