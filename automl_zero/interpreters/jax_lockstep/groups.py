"""Groups of ops that are computed together, and only where a program of the batch needs one of them."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.interpreters.jax_lockstep.batch import Shape
from automl_zero.ops import TABLE, Op, RegisterType

_FUNCTIONS = {"sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log"}


@dataclass(frozen=True)
class Group:
    """Ids of the ops of a group; the ``draws`` of random ones need numbers for that type, and smaller ones."""

    ops: tuple[int, ...]
    draws: RegisterType = RegisterType.NONE

    @property
    def matrices(self) -> bool:
        """Whether matrices are read or written."""
        return any(RegisterType.MATRIX in (*TABLE[op].inputs, TABLE[op].output) for op in self.ops)


def groups_of(shape: Shape) -> list[Group]:
    """The groups of a shape that are not empty."""
    parts: dict[tuple[str, RegisterType], list[int]] = {}
    for number in sorted(shape.ops):
        parts.setdefault(_kind(TABLE[number]), []).append(number)
    return [Group(tuple(ops), draws) for (_, draws), ops in parts.items()]


def _kind(op: Op) -> tuple[str, RegisterType]:
    matrix = RegisterType.MATRIX in (*op.inputs, op.output)
    if op.random:
        return "random", RegisterType.MATRIX if matrix else RegisterType.VECTOR
    if op.name == "matrix_matrix_product":
        return op.name, RegisterType.NONE
    if matrix:
        costly = op.elementwise in ("division", "reciprocal") or op.output != RegisterType.MATRIX
        return f"matrix {op.output if costly else 0}", RegisterType.NONE
    return "function" if op.elementwise in _FUNCTIONS else "simple", RegisterType.NONE
