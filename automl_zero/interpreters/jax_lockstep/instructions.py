"""The instructions of a batch, laid out for execution: what is the same for every example is worked out once."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax import lax

from automl_zero.interpreters.jax_lockstep.batch import Programs, Shape
from automl_zero.interpreters.jax_lockstep.groups import groups_of
from automl_zero.ops import TABLE, RegisterType

_TYPES = (RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX)


class Instructions(NamedTuple):
    """Instructions of all programs; the arrays begin with the axes [component, slot], and with them [slot] for one.

    Attributes:
        ops: int32[..., n].
        rows: int32[..., 3, 3, n], rows of in1, in2 and out in the registers of each type; rows that nobody reads or
            writes where an op has no operand of the type. An op that keeps a part of its output has it as in2.
        constants: [..., 3, n].
        places: int32[..., 2, n], the indices that constants stand for.
        ordinals: int32[..., n], number of a random instruction among those of its component.
        used: bool[..., groups], which groups of ops any program needs.
        counts: int32[component], instructions of the longest program.
        zero: int32, 0; see :class:`~automl_zero.interpreters.jax_lockstep.exactly.Exactly`.
    """

    ops: jax.Array
    rows: jax.Array
    constants: jax.Array
    places: jax.Array
    ordinals: jax.Array
    used: jax.Array
    counts: jax.Array
    zero: jax.Array


def lay_out(programs: Programs, shape: Shape) -> Instructions:
    """Lay out the instructions of a batch; ops that the shape leaves out, and slots beyond the size, do nothing."""
    slots = programs.code.shape[2]
    code = jnp.transpose(programs.code, (1, 2, 3, 0))  # [component, slot, field, n]
    constants = jnp.transpose(programs.constants, (1, 2, 3, 0)).astype(shape.dtype)
    filled = jnp.arange(slots, dtype=jnp.int32)[None, :, None] < programs.sizes.T[:, None, :]
    known = np.zeros(len(TABLE), bool)
    known[list(shape.ops)] = True
    ops = jnp.where(filled & jnp.asarray(known)[code[:, :, 0]], code[:, :, 0], 0)
    random = jnp.asarray([op.random for op in TABLE])[ops].astype(jnp.int32)
    groups = groups_of(shape)
    members = np.array([[op.id in group.ops for group in groups] for op in TABLE])
    return Instructions(
        ops=ops,
        rows=_rows(ops, code, shape),
        constants=constants,
        places=_places(constants[:, :, :2], shape.num_features),
        ordinals=jnp.cumsum(random, axis=1, dtype=jnp.int32) - random,
        used=jnp.any(jnp.asarray(members)[ops], axis=2),
        counts=jnp.max(jnp.minimum(programs.sizes, slots), axis=0).astype(jnp.int32),
        zero=jnp.minimum(jnp.min(programs.sizes), 0).astype(jnp.int32),
    )


def at(instructions: Instructions, component: jax.Array, slot: jax.Array) -> Instructions:
    """The instruction of every program in a slot of a component."""

    def pick(array: jax.Array) -> jax.Array:
        start = (component, slot, *[jnp.int32(0)] * (array.ndim - 2))
        return lax.dynamic_slice(array, start, (1, 1, *array.shape[2:]))[0, 0]

    picked = {name: pick(getattr(instructions, name)) for name in Instructions._fields[:-2]}
    return instructions._replace(**picked)


def _rows(ops: jax.Array, code: jax.Array, shape: Shape) -> jax.Array:
    """Rows [component, slot, type, operand, n]."""
    kinds = np.zeros((len(TABLE), 3), np.int32)  # of in1, in2 and out
    partial = np.zeros(len(TABLE), bool)
    for op in TABLE:
        kinds[op.id, : len(op.inputs)] = op.inputs
        kinds[op.id, 2] = op.output
        partial[op.id] = op.partial_write
        if op.partial_write:
            kinds[op.id, 1] = op.output
    of_op = jnp.asarray(kinds)[ops]  # [component, slot, n, operand]
    in1, in2, out = code[:, :, 1], code[:, :, 2], code[:, :, 3]
    addresses = (in1, jnp.where(jnp.asarray(partial)[ops], out, in2), out)
    rows = []
    for kind, count in zip(_TYPES, (shape.scalars, shape.vectors, shape.matrices), strict=True):
        of_type = [jnp.where(of_op[..., i] == kind, address, count) for i, address in enumerate(addresses)]
        rows.append(jnp.stack([jnp.clip(row, 0, count) for row in of_type], axis=2))
    return jnp.stack(rows, axis=2)


def _places(fractions: jax.Array, num_features: int) -> jax.Array:
    """int(F * fraction), exactly: for each index the least float32 fraction that gives it is known."""
    return jnp.searchsorted(jnp.asarray(_thresholds(num_features), fractions.dtype), fractions, side="right").astype(
        jnp.int32
    )


def _thresholds(num_features: int) -> npt.NDArray[np.float32]:
    """For the indices 1 to F - 1, the least float32 number that gives them when F times it is truncated."""
    indices = np.arange(1, num_features)
    near = (indices / num_features).astype(np.float32)
    # float64 holds the products exactly.
    too_small = near.astype(np.float64) * num_features < indices
    return np.where(too_small, np.nextafter(near, np.float32(2.0)), near)
