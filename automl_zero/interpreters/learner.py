"""A program as a learning algorithm in numpy: trains on examples, several label sets at once, and predicts others.

It computes what :mod:`~automl_zero.interpreters.numpy_interpreter` does, in the same order, but on arrays with axes
for label sets and for examples in front, and it keeps what was learned. Registers are never changed in place: an
instruction makes a new array, so what they held before stays available at no cost. A register whose value is the same
for all label sets or examples has no such axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.interpreters.learner_labels import LabelKind, ScalarLabels, VectorLabels
from automl_zero.interpreters.numpy_bodies import Body, body_of
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.interpreters.threefry import TRAINING, VALIDATION, Place, gaussian, subkey, uniform
from automl_zero.memory import FEATURES, LABEL, MemorySpec
from automl_zero.ops import TABLE, Op, RegisterType
from automl_zero.program import Instruction, Program
from automl_zero.vector_labels import check_program

Array = npt.NDArray[Any]
Registers = list[Array]
SETUP, PREDICT, LEARN = range(3)
_KINDS = (RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX)
_CHUNK = 2**22  # numbers in the largest intermediate array of a prediction

#: an instruction: its body, the registers it reads and writes, and the ordinal of its random draws or None
_Step = tuple[Body, tuple[int, ...], int, int | None]


@dataclass(frozen=True)
class Stop:
    """Where the training on one label set stopped early: the error of an example was NaN or too large."""

    epoch: int
    examples: int  #: trained on in that epoch before the one that failed


@dataclass(frozen=True)
class Learned:
    """What a program has learned from K label sets.

    Attributes:
        registers: for each register of the program, scalars first, then vectors and matrices, its contents: [K], [K, F]
            or [K, F, F].
        stops: for each label set, where training stopped early, or None. The registers then are as they were before
            the example that failed.
    """

    registers: tuple[Array, ...]
    stops: tuple[Stop | None, ...]


class Learner:
    """A program, ready to run on examples of a given size.

    Args:
        program: the program; instructions that cannot influence a prediction are left out.
        num_features: F.
        accuracy: whether predictions are made probabilities in training, as in classification.
        num_classes: C of vector labels, 0 for scalar labels.
        dtype: "float32" or "float64".
        seed: seed of the program's random draws, the same for all label sets.
        max_abs_error: error beyond which training stops.

    Raises:
        ValueError: the program cannot run on vector labels, or there are fewer features than classes.
    """

    def __init__(
        self,
        program: Program,
        num_features: int,
        *,
        accuracy: bool,
        num_classes: int = 0,
        dtype: str = "float64",
        seed: int = 0,
        max_abs_error: float = 100.0,
    ) -> None:
        check_program(program, num_classes)
        if num_classes > num_features:
            raise ValueError(f"{num_classes} classes need as many features for vector labels, got {num_features}")
        self.dtype, self.num_classes = np.dtype(dtype), num_classes
        self._labels: LabelKind = ScalarLabels(accuracy, self.dtype)
        if num_classes:
            self._labels = VectorLabels(program.memory, num_features, num_classes, self.dtype)
        self.memory, self.seed, self.max_abs_error = program.memory, seed, max_abs_error
        self.shapes = register_shapes(program.memory, num_features)
        live = remove_dead_code(program, num_classes)
        self._steps = [self._compiled(component) for component in live.components]
        self._largest = max((_largest(i.spec, num_features) for i in live.predict), default=1)

    def train(self, x: Array, y: Array, epochs: int) -> Learned:
        """Run Setup, then Predict and Learn on every example of every epoch.

        Args:
            x: [N, F], features.
            y: [K, N], labels of K label sets, which are learned independently of each other; with classes [K, N, C],
                one-hot.
            epochs: passes over the examples, in the orders of the interpreters.
        """
        x, y = x.astype(self.dtype), y.astype(self.dtype)
        with np.errstate(all="ignore"):
            registers: Registers = [np.zeros(shape, self.dtype) for shape in self.shapes]
            self._run(registers, Place(TRAINING, SETUP))
            return self._train(registers, x, y, epochs)

    def predict(self, registers: Sequence[Array], x: Array) -> Array:
        """The prediction after Predict, [K, N], each example on its own: memory is as after training before each.

        With classes it is that of each class before the softmax, [K, N, C].

        Random instructions draw the same numbers for all examples, those of the first validation example.

        Args:
            registers: as :class:`Learned` has them.
            x: [N, F], features.
        """
        x = x.astype(self.dtype)
        start = [register[:, None] for register in registers]  # an axis for the examples
        num_sets = start[LABEL].shape[0]
        outputs = np.empty((num_sets, x.shape[0], *((self.num_classes,) if self.num_classes else ())), self.dtype)
        step = max(1, _CHUNK // (self._largest * num_sets))
        with np.errstate(all="ignore"):
            for first in range(0, x.shape[0], step):
                rows = slice(first, first + step)
                run = list(start)
                run[self._features] = x[rows]
                self._labels.hide(run)
                self._run(run, Place(VALIDATION, PREDICT))
                outputs[:, rows] = self._labels.output(run)
        return outputs

    @property
    def _features(self) -> int:
        return self.memory.scalars + FEATURES

    def _train(self, registers: Registers, x: Array, y: Array, epochs: int) -> Learned:
        num_sets = y.shape[0]
        learned = [np.zeros((num_sets, *shape), self.dtype) for shape in self.shapes]
        stops: list[Stop | None] = [None] * num_sets
        running = np.arange(num_sets)  # the label sets that have not stopped
        for epoch in range(epochs):
            for position, row in enumerate(epoch_order(epoch, x.shape[0]).tolist()):
                before = list(registers)
                registers[self._features] = x[row]
                self._labels.hide(registers)
                self._run(registers, Place(TRAINING, PREDICT, epoch, row))
                error = self._labels.training_error(registers, y[running, row])
                failed = ~(error <= self.max_abs_error)  # NaN fails
                if failed.any():
                    self._store(learned, running, before, failed)
                    for index in running[failed]:
                        stops[index] = Stop(epoch, position)
                    registers = [self._selected(r, i, ~failed) for i, r in enumerate(registers)]
                    running = running[~failed]
                    if not running.size:
                        return Learned(tuple(learned), tuple(stops))
                registers[self._features] = x[row]
                self._labels.show(registers, y[running, row])
                self._run(registers, Place(TRAINING, LEARN, epoch, row))
        self._store(learned, running, registers, np.ones(running.size, np.bool_))
        return Learned(tuple(learned), tuple(stops))

    def _store(self, learned: Registers, running: Array, registers: Registers, chosen: Array) -> None:
        """Keep the registers of the chosen ones among the running label sets."""
        for index, register in enumerate(registers):
            full = np.broadcast_to(register, (running.size, *self.shapes[index]))
            learned[index][running[chosen]] = full[chosen]

    def _selected(self, register: Array, index: int, chosen: Array) -> Array:
        """A register without the label sets that are not chosen, where it has an axis for them."""
        return register[chosen] if np.ndim(register) > len(self.shapes[index]) else register

    def _run(self, registers: Registers, place: Place) -> None:
        """Run a component function; the list of registers is changed, the arrays in it are not."""
        steps = self._steps[place.component]
        key = subkey(self.seed, place) if any(ordinal is not None for _, _, _, ordinal in steps) else (0, 0)
        for body, inputs, output, ordinal in steps:
            if ordinal is None:
                registers[output] = body(*[registers[index] for index in inputs])
            else:
                registers[output] = body(key, ordinal)

    def _compiled(self, instructions: Sequence[Instruction]) -> list[_Step]:
        steps: list[_Step] = []
        ordinal = 0
        for instruction in instructions:
            registers = {name: self._index(kind, address) for name, kind, address in instruction.operands()}
            output = registers.pop("out")
            inputs = tuple(registers.values())
            shape = self.shapes[output]
            if instruction.spec.random:
                steps.append((self._draw(instruction, shape), (), output, ordinal))
                ordinal += 1
            elif instruction.spec.partial_write:
                steps.append((self._put(instruction, shape), (output,), output, None))
            else:
                steps.append((self._body(instruction, shape), inputs, output, None))
        return steps

    def _index(self, kind: RegisterType, address: int) -> int:
        return sum(self.memory.count(other) for other in _KINDS if other < kind) + address

    def _body(self, instruction: Instruction, shape: tuple[int, ...]) -> Body:
        op, dtype = instruction.spec, self.dtype
        body = body_of(op)
        if not op.inputs:
            value = np.broadcast_to(np.asarray(body(*instruction.constants), dtype), shape)
            return lambda: value
        if op.name in TABLE.bodies.get("numpy", {}):
            body = _one_at_a_time(body, [kind - 1 for kind in op.inputs])

        def run(*operands: Array) -> Array:
            result = np.asarray(body(*operands), dtype)
            if not shape or (result.shape[-len(shape) :] == shape and result.flags.c_contiguous):
                return result
            # Broadcast or transposed: elements in their places, so that later sums run in the definition's order.
            full = np.broadcast_to(result, np.broadcast_shapes(result.shape, shape))
            return np.ascontiguousarray(full)

        return run

    def _put(self, instruction: Instruction, shape: tuple[int, ...]) -> Body:
        *fractions, value = instruction.constants
        place: Any = (..., *(int(shape[0] * fraction) for fraction in fractions))

        def put(register: Array) -> Array:
            changed = np.array(register)
            changed[place] = value
            return changed

        return put

    def _draw(self, instruction: Instruction, shape: tuple[int, ...]) -> Body:
        draw = gaussian if instruction.op.endswith("gaussian_set") else uniform
        size, (first, second), dtype = int(np.prod(shape)), instruction.constants, self.dtype
        return lambda key, ordinal: draw(key, ordinal, size, first, second, dtype).reshape(shape)


def register_shapes(memory: MemorySpec, num_features: int) -> list[tuple[int, ...]]:
    """Shape of each register: scalars first, then vectors and matrices."""
    return [(num_features,) * (kind - 1) for kind in _KINDS for _ in range(memory.count(kind))]


def _largest(op: Op, num_features: int) -> int:
    """Numbers in the largest array that an instruction makes for one example."""
    if op.name == "matrix_matrix_product":
        return num_features**3
    dims = max(int(kind) for kind in (*op.inputs, op.output)) - 1
    return int(num_features**dims)


def _one_at_a_time(body: Body, dims: Sequence[int]) -> Body:
    """A body that was written for single registers, applied along any axes in front."""

    def run(*operands: Array) -> Array:
        fronts = [np.shape(operand)[: np.ndim(operand) - dim] for operand, dim in zip(operands, dims, strict=True)]
        front = np.broadcast_shapes(*fronts)
        full = [
            np.broadcast_to(operand, (*front, *np.shape(operand)[np.ndim(operand) - dim :]))
            for operand, dim in zip(operands, dims, strict=True)
        ]
        results = [np.asarray(body(*(operand[index] for operand in full))) for index in np.ndindex(front)]
        return np.stack(results).reshape((*front, *results[0].shape))

    return run
