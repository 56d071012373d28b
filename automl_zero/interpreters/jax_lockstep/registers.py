"""The registers of a batch: one array for each type, from which every program reads and writes a row of its own.

Arrays are [R + 1, ..., n, D] with the axes of a register in the middle; the last row takes what nobody reads.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from automl_zero.interpreters.jax_lockstep.batch import Shape


class Registers(NamedTuple):
    """Scalars [., n, D], vectors [., F, n, D] and matrices [., F, F, n, D]."""

    scalars: jax.Array
    vectors: jax.Array
    matrices: jax.Array


def zeros(shape: Shape, num_programs: int, num_tasks: int) -> Registers:
    """Registers at the start of an evaluation."""
    counts = (shape.scalars, shape.vectors, shape.matrices)
    return Registers(
        *(
            jnp.zeros((count + 1, *[shape.num_features] * axes, num_programs, num_tasks), shape.dtype)
            for axes, count in enumerate(counts)
        )
    )


def read(file: jax.Array, rows: jax.Array, one_hot: bool) -> jax.Array:
    """Row rows[i] of every program i, [..., n, D]."""
    if one_hot:
        contents = file[0]
        for row in range(1, file.shape[0]):
            contents = jnp.where((rows == row)[:, None], file[row], contents)
        return contents
    axes = file.ndim - 1  # of the result
    numbers = lax.GatherDimensionNumbers(
        offset_dims=(*range(axes - 2), axes - 1), collapsed_slice_dims=(0, axes - 1), start_index_map=(0, axes - 1)
    )
    sizes = (1, *file.shape[1:-2], 1, file.shape[-1])
    return lax.gather(
        file, _places(rows), numbers, sizes, unique_indices=True, mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS
    )


def write(file: jax.Array, rows: jax.Array, contents: jax.Array, one_hot: bool) -> jax.Array:
    """The array with contents [..., n, D] in row rows[i] of every program i."""
    if one_hot:
        every = jnp.arange(file.shape[0], dtype=jnp.int32).reshape(-1, *[1] * (file.ndim - 1))
        return jnp.where(rows[:, None] == every, contents, file)
    axes = file.ndim - 1
    numbers = lax.ScatterDimensionNumbers(
        update_window_dims=(*range(axes - 2), axes - 1),
        inserted_window_dims=(0, axes - 1),
        scatter_dims_to_operand_dims=(0, axes - 1),
    )
    return lax.scatter(
        file,
        _places(rows),
        contents,
        numbers,
        unique_indices=True,
        mode=lax.GatherScatterMode.PROMISE_IN_BOUNDS,
    )


def _places(rows: jax.Array) -> jax.Array:
    return jnp.stack([rows, jnp.arange(rows.shape[0], dtype=jnp.int32)], axis=-1)
