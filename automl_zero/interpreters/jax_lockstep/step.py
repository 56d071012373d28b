"""One instruction of every program of a batch.

All ops are computed on the operands of all programs, and each program keeps the result of its own: programs differ,
so there is nothing to branch on. Groups of costly ops are skipped where no program needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from automl_zero.interpreters.jax_lockstep import random
from automl_zero.interpreters.jax_lockstep.batch import Shape
from automl_zero.interpreters.jax_lockstep.bodies import body_of
from automl_zero.interpreters.jax_lockstep.exactly import Exactly
from automl_zero.interpreters.jax_lockstep.groups import Group, groups_of
from automl_zero.interpreters.jax_lockstep.instructions import Instructions
from automl_zero.interpreters.jax_lockstep.registers import Registers, read, write
from automl_zero.ops import TABLE, Op, RegisterType

Operands = dict[tuple[RegisterType, int], jax.Array]
Results = dict[RegisterType, jax.Array]
Units = tuple[jax.Array, jax.Array]
_T = TypeVar("_T")
_SCALAR, _VECTOR, _MATRIX = RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX


def step(
    registers: Registers, instruction: Instructions, key: random.Words, shape: Shape, frozen: jax.Array | None = None
) -> Registers:
    """Execute one instruction of every program.

    Args:
        registers: of the batch.
        instruction: of one slot.
        key: keys of the random draws, [D] each.
        shape: static.
        frozen: bool[n, D], lanes whose registers stay; None for none.
    """
    return _Step(instruction, key, shape, frozen).run(registers)


@dataclass(frozen=True)
class _Step:
    instruction: Instructions
    key: random.Words
    shape: Shape
    frozen: jax.Array | None

    def run(self, registers: Registers) -> Registers:
        """The registers afterwards."""
        groups = list(enumerate(groups_of(self.shape)))
        small, large = ([pair for pair in groups if pair[1].matrices == matrices] for matrices in (False, True))
        scalars, vectors, matrices = registers
        operands = self._read(scalars, _SCALAR) | self._read(vectors, _VECTOR)
        results = {kind: jnp.zeros_like(operands[kind, 0]) for kind in (_SCALAR, _VECTOR)}
        for number, group in small:
            results = self._with_group(number, group, operands, results)

        def with_matrices(state: tuple[jax.Array, Results]) -> tuple[jax.Array, Results]:
            file, results = state
            every = operands | self._read(file, _MATRIX)
            results = {**results, _MATRIX: jnp.zeros_like(every[_MATRIX, 0])}
            for number, group in large:
                results = self._with_group(number, group, every, results)
            return self._written(file, _MATRIX, results.pop(_MATRIX)), results

        if large:
            used = jnp.any(jnp.stack([self.instruction.used[number] for number, _ in large]))
            matrices, results = self._if(used, with_matrices, (matrices, results))
        scalars = self._written(scalars, _SCALAR, results[_SCALAR])
        return Registers(scalars, self._written(vectors, _VECTOR, results[_VECTOR]), matrices)

    def _if(self, used: jax.Array, compute: Callable[[_T], _T], before: _T) -> _T:
        if not self.shape.skips:
            return compute(before)
        after: _T = lax.cond(used, compute, lambda state: state, before)
        return after

    def _read(self, file: jax.Array, kind: RegisterType) -> Operands:
        rows = self.instruction.rows[kind - 1]
        return {(kind, i): read(file, rows[i], self.shape.one_hot) for i in range(2)}

    def _written(self, file: jax.Array, kind: RegisterType, contents: jax.Array) -> jax.Array:
        rows = self.instruction.rows[kind - 1, 2]
        if self.frozen is not None:
            contents = jnp.where(self.frozen, read(file, rows, self.shape.one_hot), contents)
        return write(file, rows, contents, self.shape.one_hot)

    def _with_group(self, number: int, group: Group, operands: Operands, results: Results) -> Results:
        """The results, with those of the group's ops where they are the ones wanted."""
        kinds = {TABLE[op].output for op in group.ops}

        def compute(results: Results) -> Results:
            results, draws = dict(results), None
            if group.draws:
                size = self.shape.num_features ** (group.draws - 1)
                draws = random.unit_draws(self.key, self.instruction.ordinals, size, self.shape.dtype)
            for op in (TABLE[op] for op in group.ops):
                chosen = (self.instruction.ops == op.id)[:, None]
                results[op.output] = jnp.where(chosen, self._value(op, operands, draws), results[op.output])
            return results

        return results | self._if(self.instruction.used[number], compute, {kind: results[kind] for kind in kinds})

    def _value(self, op: Op, operands: Operands, draws: Units | None) -> jax.Array:
        """What an op writes: an array that broadcasts to its output."""
        constants = [self.instruction.constants[i][:, None] for i in range(3)]
        exactly = Exactly(self.instruction.zero)
        if op.partial_write:
            return jnp.where(self._place(op.output - 1), constants[op.output - 1], operands[op.output, 1])
        if draws is not None:
            first, second = (self._first(u, op.output - 1) for u in draws)
            draw = random.gaussian if op.name.endswith("gaussian_set") else random.uniform
            return draw((first, second), constants[0], constants[1], exactly)
        body = body_of(op, exactly)
        if body is None:  # scalar_const_set
            return constants[0]
        inputs = [operands[kind, i] for i, kind in enumerate(op.inputs)]
        return body(*inputs, *constants[: len(op.constants)])

    def _place(self, axes: int) -> jax.Array:
        """Where a register is the element that a partial write changes."""
        indices = jnp.arange(self.shape.num_features, dtype=jnp.int32)[:, None, None]
        first = indices == self.instruction.places[0][:, None]
        if axes == 1:
            return first
        second = indices == self.instruction.places[1][:, None]
        return first[:, None] & second[None, :]

    def _first(self, draws: jax.Array, axes: int) -> jax.Array:
        """The first of the draws [elements, n, D], as a register with so many axes."""
        F = self.shape.num_features
        return draws[: F**axes].reshape(*[F] * axes, *draws.shape[1:])
