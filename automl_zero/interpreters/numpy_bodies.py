"""What each op computes, in numpy: the definition that the other interpreters are held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.ops import TABLE, Op

Array = npt.NDArray[Any]
Body = Callable[..., Any]


# The axes of a register are the last ones of an array: bodies also take arrays with further axes in front of them,
# which broadcast against each other (many examples or label sets at once).
Axes = int | tuple[int, int]
ALL: Axes = (-2, -1)  #: axes of a matrix
ROW, COLUMN = -1, -2  #: axis along which the elements of a row, of a column lie


def _mean(a: Array, axes: Axes = ROW) -> Any:
    count = a.shape[-1] ** 2 if axes == ALL else a.shape[-1]
    return np.sum(a, axis=axes) / a.dtype.type(count)


def _st_dev(a: Array, axes: Axes = ROW) -> Any:
    # Round-off may make the difference negative and the result NaN; that is part of the definition.
    return np.sqrt(_mean(a * a, axes) - _mean(a, axes) * _mean(a, axes))


def _norm(a: Array, axes: Axes = ROW) -> Any:
    return np.sqrt(np.sum(a * a, axis=axes))


#: by the op's element-wise function: the same body serves scalars, vectors and matrices
ELEMENTWISE: dict[str, Body] = {
    "sum": lambda a, b: a + b,
    "diff": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "division": lambda a, b: a / b,
    "abs": np.abs,
    "reciprocal": lambda a: 1 / a,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "exp": np.exp,
    "log": np.log,
    "heaviside_one_at_zero": lambda a: np.where(a >= 0, 1.0, 0.0),
    "heaviside": lambda a: np.where(a > 0, 1.0, 0.0),
    "min": lambda a, b: np.where(b < a, b, a),
    "max": lambda a, b: np.where(b > a, b, a),
}

#: by op: bodies for whole registers; a result of fewer dimensions is broadcast to the output
STRUCTURAL: dict[str, Body] = {
    "scalar_vector_product": lambda s, v: s[..., None] * v,
    "scalar_broadcast": lambda s: s[..., None],
    "vector_norm": _norm,
    "vector_inner_product": lambda a, b: np.sum(a * b, axis=-1),
    "vector_outer_product": lambda a, b: a[..., :, None] * b[..., None, :],
    "scalar_matrix_product": lambda s, m: s[..., None, None] * m,
    "matrix_vector_product": lambda m, v: np.sum(m * v[..., None, :], axis=-1),
    "vector_column_broadcast": lambda v: v[..., :, None],
    "vector_row_broadcast": lambda v: v[..., None, :],
    "matrix_norm": lambda m: _norm(m, ALL),
    "matrix_column_norm": lambda m: _norm(m, COLUMN),
    "matrix_row_norm": lambda m: _norm(m, ROW),
    "matrix_transpose": lambda m: np.swapaxes(m, -2, -1),
    "matrix_matrix_product": lambda a, b: np.sum(a[..., :, :, None] * b[..., None, :, :], axis=-2),
    "vector_mean": _mean,
    "matrix_mean": lambda m: _mean(m, ALL),
    "matrix_row_mean": lambda m: _mean(m, ROW),
    "matrix_row_st_dev": lambda m: _st_dev(m, ROW),
    "vector_st_dev": _st_dev,
    "matrix_st_dev": lambda m: _st_dev(m, ALL),
    "scalar_const_set": lambda value: value,
}


def body_of(op: Op) -> Body:
    """Function of the operands and constants of an op that returns what is written to the output."""
    body = TABLE.bodies.get("numpy", {}).get(op.name) or ELEMENTWISE.get(op.elementwise) or STRUCTURAL.get(op.name)
    if body is None:
        raise ValueError(f"op {op.name!r} has no body for the numpy backend")
    return body
