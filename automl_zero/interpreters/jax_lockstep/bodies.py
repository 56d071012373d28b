"""What each op computes, in JAX, for all lanes of a batch at once; the twin of numpy_bodies.py.

A lane is a (program, task) pair. The axes of a register come first and those of the lanes last, so that operands of
all types broadcast against each other: scalars are [n, D], vectors [F, n, D] and matrices [F, F, n, D].
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from automl_zero.interpreters.jax_lockstep.exactly import Exactly
from automl_zero.ops import TABLE, Op, RegisterType

Body = Callable[..., jax.Array]

ROW, COLUMN = 1, 0  #: axis along which the elements of a row, of a column of a matrix lie


def ops_of_variant(uses_matrices: bool) -> tuple[int, ...]:
    """Ids of all ops but no_op, or of those that neither read nor write a matrix."""
    return tuple(
        op.id
        for op in TABLE
        if op.output != RegisterType.NONE
        and _can_compute(op)
        and (uses_matrices or RegisterType.MATRIX not in (*op.inputs, op.output))
    )


#: by the op's element-wise function: the same body serves scalars, vectors and matrices
ELEMENTWISE: dict[str, Body] = {
    "sum": lambda a, b: a + b,
    "diff": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "division": lambda a, b: a / b,
    "abs": jnp.abs,
    "reciprocal": lambda a: 1 / a,
    "sin": jnp.sin,
    "cos": jnp.cos,
    "tan": jnp.tan,
    "arcsin": jnp.arcsin,
    "arccos": jnp.arccos,
    "arctan": jnp.arctan,
    "exp": jnp.exp,
    "log": jnp.log,
    "heaviside_one_at_zero": lambda a: jnp.where(a >= 0, 1, 0).astype(a.dtype),
    "heaviside": lambda a: jnp.where(a > 0, 1, 0).astype(a.dtype),
    # Not jnp.minimum: it decides otherwise about NaN and signed zeros.
    "min": lambda a, b: jnp.where(b < a, b, a),
    "max": lambda a, b: jnp.where(b > a, b, a),
}

#: of ops on whole registers; a result of fewer dimensions is broadcast to the output
STRUCTURAL: dict[str, Callable[..., jax.Array]] = {
    "scalar_vector_product": lambda x, s, v: s * v,
    "scalar_broadcast": lambda x, s: s,
    "vector_norm": lambda x, v: x.norm(v, 0),
    "vector_inner_product": lambda x, a, b: x.sum(a * b, 0),
    "vector_outer_product": lambda x, a, b: a[:, None] * b[None, :],
    "scalar_matrix_product": lambda x, s, m: s * m,
    "matrix_vector_product": lambda x, m, v: x.added(lambda k: m[:, k] * v[k], v.shape[0]),
    "vector_column_broadcast": lambda x, v: v[:, None],
    "vector_row_broadcast": lambda x, v: v[None, :],
    "matrix_norm": lambda x, m: x.norm(m, 0, 1),
    "matrix_column_norm": lambda x, m: x.norm(m, COLUMN),
    "matrix_row_norm": lambda x, m: x.norm(m, ROW),
    "matrix_transpose": lambda x, m: jnp.swapaxes(m, 0, 1),
    "matrix_matrix_product": lambda x, a, b: x.added(lambda k: a[:, k][:, None] * b[k][None], a.shape[0]),
    "vector_mean": lambda x, v: x.mean(v, 0),
    "matrix_mean": lambda x, m: x.mean(m, 0, 1),
    "matrix_row_mean": lambda x, m: x.mean(m, ROW),
    "matrix_row_st_dev": lambda x, m: x.st_dev(m, ROW),
    "vector_st_dev": lambda x, v: x.st_dev(v, 0),
    "matrix_st_dev": lambda x, m: x.st_dev(m, 0, 1),
}


def body_of(op: Op, exactly: Exactly) -> Body | None:
    """Function of an op's operands that returns what is written to the output, if there is one.

    Partial writes, random ops and scalar_const_set, which are made of constants, have none.
    """
    if op.name in STRUCTURAL:
        return partial(STRUCTURAL[op.name], exactly)
    return _body_of_elements(op)


def check_op(op: Op) -> None:
    """Refuse an op that this backend cannot compute; ValueError."""
    if not _can_compute(op):
        raise ValueError(f"op {op.name!r} has no body for the jax backend")


def user_bodies() -> tuple[Body, ...]:
    """The bodies that users registered, in the order of the table."""
    return tuple(TABLE.bodies.get("jax", {}).values())


def _can_compute(op: Op) -> bool:
    made_of_constants = op.random or op.partial_write or op.name == "scalar_const_set"
    return made_of_constants or op.name in STRUCTURAL or _body_of_elements(op) is not None


def _body_of_elements(op: Op) -> Body | None:
    return TABLE.bodies.get("jax", {}).get(op.name) or ELEMENTWISE.get(op.elementwise)
