"""What each op does to the registers of a block; the twin of ../numpy_bodies.py.

Element-wise bodies are functions of values, the same for scalars, vectors and rows of matrices. The arithmetic is
restricted to what Mosaic GPU has: no tan, arcsin, arccos, arctan or powers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from automl_zero.interpreters.pallas_gpu import draws
from automl_zero.interpreters.pallas_gpu.registers import Instruction, Machine, Registers
from automl_zero.ops import TABLE, Op, RegisterType

Array = Any
Execute = Callable[[Registers, Instruction], None]


def _like(a: Array, value: float) -> Array:
    return jnp.full_like(a, value)


def _cosine_of_arcsine(m: Machine, a: Array) -> Array:
    """sqrt(1 - a^2), accurate near 1 too; NaN beyond."""
    one = jnp.float32(1.0)
    return m.sqrt((one - a) * (one + a))


#: by the op's element-wise function
ELEMENTWISE: dict[str, Callable[..., Array]] = {
    "sum": lambda m, a, b: a + b,
    "diff": lambda m, a, b: a - b,
    "product": lambda m, a, b: a * b,
    "division": lambda m, a, b: a / b,
    "abs": lambda m, a: jnp.abs(a),
    "reciprocal": lambda m, a: jnp.float32(1.0) / a,
    "sin": lambda m, a: jnp.sin(a),
    "cos": lambda m, a: jnp.cos(a),
    "tan": lambda m, a: jnp.sin(a) / jnp.cos(a),
    "arcsin": lambda m, a: jnp.arctan2(a, _cosine_of_arcsine(m, a)),
    "arccos": lambda m, a: jnp.arctan2(_cosine_of_arcsine(m, a), a),
    "arctan": lambda m, a: jnp.arctan2(a, _like(a, 1.0)),
    "exp": lambda m, a: jnp.exp(a),
    "log": lambda m, a: jnp.log(a),
    "heaviside_one_at_zero": lambda m, a: jnp.where(a >= jnp.float32(0.0), _like(a, 1.0), _like(a, 0.0)),
    "heaviside": lambda m, a: jnp.where(a > jnp.float32(0.0), _like(a, 1.0), _like(a, 0.0)),
    "min": lambda m, a, b: jnp.where(b < a, b, a),
    "max": lambda m, a, b: jnp.where(b > a, b, a),
}


def _mean(r: Registers, block: Array) -> Array:
    return r.total(block) / jnp.float32(r.features)


def _mean_of_rows(r: Registers, value: Callable[[Array], Array]) -> Array:
    return r.total(r.total_of_rows(value)) / jnp.float32(r.features**2)


def _deviation(r: Registers, mean_of_squares: Array, mean: Array) -> Array:
    return r.machine.sqrt(mean_of_squares - r.rounded(mean * mean))


def _square(a: Array) -> Array:
    return a * a


def _row_deviation(r: Registers, row: Array) -> Array:
    return _deviation(r, _mean(r, row * row), _mean(r, row))


def _matrix_vector_product(r: Registers, i: Instruction) -> None:
    vector = r.vector(i.in2)
    r.set_vector(i.out, r.by_rows(lambda row: r.total(r.row(i.in1, row) * vector)))


def _vector_outer_product(r: Registers, i: Instruction) -> None:
    other = r.vector(i.in2)
    r.set_rows(i.out, lambda row: r.vector_element(i.in1, row) * other)


def _matrix_matrix_product(r: Registers, i: Instruction) -> None:
    """The output may be one of the operands, so that all rows are kept until the end."""

    def step(k: Array, rows: list[Array]) -> list[Array]:
        other = r.row(i.in2, k)
        return [held + r.rounded(r.matrix_element(i.in1, jnp.int32(row), k) * other) for row, held in enumerate(rows)]

    _set_matrix(r, i, r.accumulate(step, r.features))


def _matrix_transpose(r: Registers, i: Instruction) -> None:
    def step(k: Array, rows: list[Array]) -> list[Array]:
        return [
            jnp.where(r.columns == k, r.matrix_element(i.in1, k, jnp.int32(row)), held) for row, held in enumerate(rows)
        ]

    _set_matrix(r, i, r.accumulate(step, r.features))


def _set_matrix(r: Registers, i: Instruction, rows: list[Array]) -> None:
    for row, value in enumerate(rows):
        r.set_row(i.out, jnp.int32(row), value)


def _scalar_matrix_product(r: Registers, i: Instruction) -> None:
    factor = r.machine.spread(r.scalar(i.in1))
    r.set_rows(i.out, lambda row: factor * r.row(i.in2, row))


def _vector_row_broadcast(r: Registers, i: Instruction) -> None:
    vector = r.vector(i.in1)
    r.set_rows(i.out, lambda row: vector)


def _matrix_st_dev(r: Registers, i: Instruction) -> None:
    squares = _mean_of_rows(r, lambda row: _square(r.row(i.in1, row)))
    r.set_scalar(i.out, _deviation(r, squares, _mean_of_rows(r, lambda row: r.row(i.in1, row))))


def _vector_const_set(r: Registers, i: Instruction) -> None:
    element, value = i.constant(0).astype(jnp.int32), r.machine.full_block(i.constant(1))
    r.set_vector(i.out, jnp.where(r.columns == element, value, r.vector(i.out)))


def _matrix_const_set(r: Registers, i: Instruction) -> None:
    row, column = (i.constant(index).astype(jnp.int32) for index in (0, 1))
    value = r.machine.full_block(i.constant(2))
    r.set_row(i.out, row, jnp.where(r.columns == column, value, r.row(i.out, row)))


#: by op: bodies for whole registers
STRUCTURAL: dict[str, Execute] = {
    "no_op": lambda r, i: None,
    "scalar_vector_product": lambda r, i: r.set_vector(i.out, r.machine.spread(r.scalar(i.in1)) * r.vector(i.in2)),
    "scalar_broadcast": lambda r, i: r.set_vector(i.out, r.machine.spread(r.scalar(i.in1))),
    "vector_norm": lambda r, i: r.set_scalar(i.out, r.machine.sqrt(r.total(_square(r.vector(i.in1))))),
    "vector_inner_product": lambda r, i: r.set_scalar(i.out, r.total(r.vector(i.in1) * r.vector(i.in2))),
    "vector_outer_product": _vector_outer_product,
    "scalar_matrix_product": _scalar_matrix_product,
    "matrix_vector_product": _matrix_vector_product,
    "vector_column_broadcast": lambda r, i: r.set_rows(i.out, lambda row: r.vector_element(i.in1, row)),
    "vector_row_broadcast": _vector_row_broadcast,
    "matrix_norm": lambda r, i: r.set_scalar(
        i.out, r.machine.sqrt(r.total(r.total_of_rows(lambda row: _square(r.row(i.in1, row)))))
    ),
    "matrix_column_norm": lambda r, i: r.set_vector(
        i.out, r.machine.sqrt(r.total_of_rows(lambda row: _square(r.row(i.in1, row))))
    ),
    "matrix_row_norm": lambda r, i: r.set_vector(
        i.out, r.by_rows(lambda row: r.machine.sqrt(r.total(_square(r.row(i.in1, row)))))
    ),
    "matrix_transpose": _matrix_transpose,
    "matrix_matrix_product": _matrix_matrix_product,
    "vector_mean": lambda r, i: r.set_scalar(i.out, _mean(r, r.vector(i.in1))),
    "matrix_mean": lambda r, i: r.set_scalar(i.out, _mean_of_rows(r, lambda row: r.row(i.in1, row))),
    "matrix_row_mean": lambda r, i: r.set_vector(i.out, r.by_rows(lambda row: _mean(r, r.row(i.in1, row)))),
    "matrix_row_st_dev": lambda r, i: r.set_vector(i.out, r.by_rows(lambda row: _row_deviation(r, r.row(i.in1, row)))),
    "vector_st_dev": lambda r, i: r.set_scalar(i.out, _row_deviation(r, r.vector(i.in1))),
    "matrix_st_dev": _matrix_st_dev,
    "scalar_const_set": lambda r, i: r.set_scalar(i.out, r.machine.full_lanes(i.constant(0))),
    "vector_const_set": _vector_const_set,
    "matrix_const_set": _matrix_const_set,
}


def body_of(op: Op) -> Execute | None:
    """What executes an op; None for an op that the kernel does not have (one that a user registered)."""
    if op.random:
        return _random(op)
    if op.elementwise in ELEMENTWISE:
        return _elementwise(op, ELEMENTWISE[op.elementwise])
    return STRUCTURAL.get(op.name)


def unsupported(ops: tuple[int, ...]) -> list[str]:
    """Names of those ops, of the given ids, that the kernel does not have."""
    return [TABLE[number].name for number in ops if body_of(TABLE[number]) is None]


def _elementwise(op: Op, function: Callable[..., Array]) -> Execute:
    def execute(r: Registers, i: Instruction) -> None:
        addresses = (i.in1, i.in2)[: len(op.inputs)]
        if op.output == RegisterType.SCALAR:
            r.set_scalar(i.out, function(r.machine, *(r.scalar(address) for address in addresses)))
        elif op.output == RegisterType.VECTOR:
            r.set_vector(i.out, function(r.machine, *(r.vector(address) for address in addresses)))
        else:
            r.set_rows(i.out, lambda row: function(r.machine, *(r.row(address, row) for address in addresses)))

    return execute


def _random(op: Op) -> Execute:
    """Random sets have the ordinal of the instruction as their third constant."""
    draw = draws.gaussian if op.name.endswith("gaussian_set") else draws.uniform

    def execute(r: Registers, i: Instruction) -> None:
        ordinal = i.constant(2).astype(jnp.int32).astype(jnp.uint32)
        first, second = i.constant(0), i.constant(1)
        key = i.keys()
        if op.output == RegisterType.SCALAR:
            element = r.machine.full_lanes(0, jnp.uint32)
            r.set_scalar(i.out, draw(r, key, ordinal, element, first, second))
            return
        key = r.machine.spread(key[0]), r.machine.spread(key[1])
        columns = r.columns.astype(jnp.uint32)
        if op.output == RegisterType.VECTOR:
            r.set_vector(i.out, draw(r, key, ordinal, columns, first, second))
        else:
            width = jnp.uint32(r.features)
            r.set_rows(
                i.out,
                lambda row: draw(r, key, ordinal, row.astype(jnp.uint32) * width + columns, first, second),
            )

    return execute
