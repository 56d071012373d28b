"""The definition of what programs mean: slow, readable, one task and one instruction at a time.

The other interpreters are held to this one. All registers, operations and errors are in the run's dtype; the mean of
the squared errors and the fitness are float64.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.liveness import live_instructions
from automl_zero.interpreters.numpy_bodies import body_of
from automl_zero.interpreters.numpy_labels import ScalarLabels, VectorLabels
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.interpreters.threefry import TRAINING, VALIDATION, Place, gaussian, subkey, uniform
from automl_zero.memory import FEATURES, MemorySpec
from automl_zero.ops import Op, RegisterType
from automl_zero.program import Instruction, Program
from automl_zero.tasks import TaskSet
from automl_zero.vector_labels import check_program

Array = npt.NDArray[Any]
SETUP, PREDICT, LEARN = range(3)
_SETUP_PLACE = Place(TRAINING, SETUP)


class Machine:
    """The registers of one task, and the instructions that work on them.

    Args:
        memory: numbers of registers; all are zero at first.
        num_features: F.
        dtype: float32 or float64.
        seed: the task's seed, for random instructions.
    """

    def __init__(self, memory: MemorySpec, num_features: int, dtype: npt.DTypeLike, seed: int = 0) -> None:
        self.num_features, self.seed = num_features, seed
        scalar: tuple[int, ...] = ()
        shapes = {
            RegisterType.SCALAR: scalar,
            RegisterType.VECTOR: (num_features,),
            RegisterType.MATRIX: (num_features, num_features),
        }
        self.registers = {kind: np.zeros((memory.count(kind), *shape), dtype) for kind, shape in shapes.items()}
        self.scalars, self.vectors = self.registers[RegisterType.SCALAR], self.registers[RegisterType.VECTOR]

    def execute(self, instruction: Instruction, place: Place = _SETUP_PLACE, ordinal: int = 0) -> None:
        """Execute one instruction; ``place`` and ``ordinal`` determine what a random instruction draws."""
        op, constants = instruction.spec, instruction.constants
        if op.output == RegisterType.NONE:
            return
        output = self.registers[op.output]
        address = instruction.out
        if op.partial_write:
            *fractions, value = constants
            output[address, *(int(self.num_features * fraction) for fraction in fractions)] = value
        elif op.random:
            draw = gaussian if op.name.endswith("gaussian_set") else uniform
            size = output[address].size
            first, second = constants
            drawn = draw(subkey(self.seed, place), ordinal, size, first, second, output.dtype)
            output[address] = drawn.reshape(output.shape[1:])
        else:
            inputs = (instruction.in1, instruction.in2)
            operands = [self.registers[kind][at] for kind, at in zip(op.inputs, inputs, strict=False)]
            output[address] = body_of(op)(*operands, *constants)


class TaskRun:
    """One evaluation of a program on one task (Setup is run when it is made).

    Args:
        program: the program.
        tasks: the set that the task belongs to.
        task: its index.
        dtype: float32 or float64.

    Raises:
        ValueError: the program cannot run on vector labels, and the tasks have them.
    """

    def __init__(self, program: Program, tasks: TaskSet, task: int, dtype: npt.DTypeLike) -> None:
        check_program(program, tasks.num_classes)
        self.machine = Machine(program.memory, tasks.num_features, dtype, int(tasks.seeds[task]))
        self.tasks = tasks
        self.train_x, self.train_y = tasks.train_x[task].astype(dtype), tasks.train_y[task].astype(dtype)
        self.valid_x, self.valid_y = tasks.valid_x[task].astype(dtype), tasks.valid_y[task].astype(dtype)
        number: Any = np.dtype(dtype).type
        self.max_abs_error = number(tasks.max_abs_error)
        self.labels: ScalarLabels | VectorLabels = ScalarLabels(self.machine.scalars, tasks.evaluation)
        if tasks.num_classes:
            self.labels = VectorLabels(self.machine.vectors, tasks.num_classes)
        self.components = []  # instructions, each with the number of live random instructions before it
        for instructions, live in zip(program.components, live_instructions(program, tasks.num_classes), strict=True):
            ordinals = np.cumsum([0, *(flag and i.spec.random for i, flag in zip(instructions, live, strict=True))])
            self.components.append([(i, int(ordinal)) for i, ordinal in zip(instructions, ordinals, strict=False)])
        self._run(_SETUP_PLACE, 0.0, 0.0)

    def train(self, epoch: int, rows: Iterable[int]) -> tuple[list[float], bool]:
        """Train on the given examples; returns their absolute errors, and whether none of them stopped training."""
        errors: list[float] = []
        for row in rows:
            x, y = self.train_x[row], self.train_y[row]
            self._run(Place(TRAINING, PREDICT, epoch, row), x, 0.0)
            error = self.labels.training_error(y)
            if np.isnan(error) or error > self.max_abs_error:
                return errors, False
            errors.append(float(error))
            self._run(Place(TRAINING, LEARN, epoch, row), x, y)
        return errors, True

    def validate(self, epoch: int, rows: Iterable[int]) -> tuple[list[float], bool]:
        """Predict the given examples; returns their absolute errors, and whether none of them was invalid."""
        errors: list[float] = []
        for row in rows:
            self._run(Place(VALIDATION, PREDICT, epoch, row), self.valid_x[row], 0.0)
            error = self.labels.validation_error(self.valid_y[row])
            if self.tasks.evaluation == "rmse" and (np.isnan(error) or error > self.max_abs_error):
                return errors, False
            errors.append(float(error))
        return errors, True

    def fitness(self) -> float:
        """Best validation fitness over the epochs; a failure in training keeps the best so far."""
        best = 0.0
        for epoch in range(self.tasks.epochs):
            _, trained = self.train(epoch, epoch_order(epoch, self.tasks.num_train).tolist())
            if not trained:
                break
            errors, valid = self.validate(epoch, range(self.tasks.num_valid))
            best = max(best, self._score(errors) if valid else 0.0)
        return best

    def _run(self, place: Place, features: Array | float, label: Array | float) -> None:
        self.machine.vectors[FEATURES] = features
        self.labels.show(label)
        for instruction, ordinal in self.components[place.component]:
            self.machine.execute(instruction, place, ordinal)

    def _score(self, errors: list[float]) -> float:
        if self.tasks.evaluation == "accuracy":
            return float(1.0 - np.mean(errors))
        return float(1.0 - 2.0 / np.pi * np.arctan(np.sqrt(np.mean(np.square(errors)))))


def evaluate_program(program: Program, tasks: TaskSet, dtype: npt.DTypeLike = "float64") -> npt.NDArray[np.float64]:
    """Fitness of a program on each task: float64[D], in [0, 1]."""
    with np.errstate(all="ignore"):
        return np.array([TaskRun(program, tasks, task, dtype).fitness() for task in range(tasks.num_tasks)])


def execute(
    op: Op,
    constants: Sequence[float],
    num_features: int,
    in1: npt.ArrayLike | None,
    in2: npt.ArrayLike | None,
    out_before: npt.ArrayLike,
    dtype: npt.DTypeLike,
    alias: tuple[int | None, int | None, int | None] = (None, None, None),
) -> Array:
    """Execute one instruction on its own, for conformance tests; the numba interpreter has the same function.

    Args:
        op: the op; neither no_op nor a random op.
        constants: its constants.
        num_features: F.
        in1: contents of the first operand, a number or [F] or [F, F]; None when the op has none.
        in2: contents of the second operand.
        out_before: contents of the output register before.
        dtype: float32 or float64.
        alias: addresses of (in1, in2, out); operands of one type and address are one register.

    Returns:
        Contents of the output register after, in the dtype.
    """
    used = (("out", op.output, out_before, alias[2]), *zip(("in1", "in2"), op.inputs, (in1, in2), alias, strict=False))
    machine = Machine(MemorySpec(3, 3, 3), num_features, dtype)
    registers: list[object] = []  # what each address of the machine stands for
    addresses: dict[str, int] = {}
    with np.errstate(all="ignore"):
        for name, kind, contents, address in used:
            register = name if address is None else (kind, address)
            if register not in registers:
                registers.append(register)
            addresses[name] = registers.index(register)
            machine.registers[kind][addresses[name]] = np.asarray(contents, dtype=np.float64)
        machine.execute(Instruction(op.name, **addresses, constants=tuple(constants)))
    output: Array = machine.registers[op.output][addresses["out"]]
    return output
