"""Programs as words of 32 bits, so that a population is one array of which an individual is one row.

An instruction is four words: op, in1, in2 and out in a byte each, and the bits of three float32 constants. A row holds
the instruction words of all slots, then the constants of all slots, then the sizes of the three components.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from automl_zero.evolution.on_device.plan import Plan


class Genome(NamedTuple):
    """A program.

    Attributes:
        code: uint32[slots].
        constants: float32[slots, 3].
        sizes: int32[3].
    """

    code: jax.Array
    constants: jax.Array
    sizes: jax.Array


class Fields(NamedTuple):
    """op, in1, in2 and out of instructions, int32 each."""

    op: jax.Array
    in1: jax.Array
    in2: jax.Array
    out: jax.Array


def row_length(slots: int) -> int:
    """Words of a row."""
    return 4 * slots + 3


def from_row(row: jax.Array) -> Genome:
    """The program of a row uint32[..., length]."""
    slots = (row.shape[-1] - 3) // 4
    constants = jax.lax.bitcast_convert_type(row[..., slots:-3], jnp.float32)
    return Genome(row[..., :slots], constants.reshape(*row.shape[:-1], slots, 3), row[..., -3:].astype(jnp.int32))


def to_row(genome: Genome) -> jax.Array:
    """The row of a program."""
    constants = jax.lax.bitcast_convert_type(genome.constants, jnp.uint32)
    flat = constants.reshape(*constants.shape[:-2], -1)
    return jnp.concatenate([genome.code, flat, genome.sizes.astype(jnp.uint32)], axis=-1)


def fields(code: jax.Array) -> Fields:
    """The parts of instruction words."""
    return Fields(*((code >> np.uint32(8 * i) & np.uint32(0xFF)).astype(jnp.int32) for i in range(4)))


def word_of(instruction: Fields) -> jax.Array:
    """The words of instructions."""
    parts = [part.astype(jnp.uint32) << np.uint32(8 * i) for i, part in enumerate(instruction)]
    return parts[0] | parts[1] | parts[2] | parts[3]


def rows_of(
    code: npt.NDArray[np.uint8], constants: npt.NDArray[np.float64], sizes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint32]:
    """Rows of packed programs: code [..., slots, 4], constants [..., slots, 3] and sizes [..., 3], on the host."""
    words = (code.astype(np.uint32) << np.arange(0, 32, 8, dtype=np.uint32)).sum(axis=-1, dtype=np.uint32)
    flat = constants.astype(np.float32).view(np.uint32).reshape(*words.shape[:-1], -1)
    return np.concatenate([words, flat, sizes.astype(np.uint32)], axis=-1)


def packed_of(
    rows: npt.NDArray[np.uint32],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Packed programs of rows, the inverse of :func:`rows_of`."""
    slots = (rows.shape[-1] - 3) // 4
    words, flat, sizes = rows[..., :slots], rows[..., slots:-3], rows[..., -3:]
    code = (words[..., None] >> np.arange(0, 32, 8, dtype=np.uint32)).astype(np.uint8)
    constants = np.ascontiguousarray(flat).view(np.float32).astype(np.float64)
    return code, constants.reshape(*words.shape, 3), sizes.astype(np.int64)


def pick(flags: jax.Array, chosen: Genome, other: Genome) -> Genome:
    """One program or the other."""
    return Genome(*(jnp.where(flags, a, b) for a, b in zip(chosen, other, strict=True)))


def component_sizes(genome: Genome, plan: Plan) -> jax.Array:
    """For each slot, the size of the component that it belongs to: int32[slots]."""
    return jnp.repeat(genome.sizes, np.asarray(plan.max_sizes), total_repeat_length=plan.slots)
