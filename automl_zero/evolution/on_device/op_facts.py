"""The op table for compiled JAX programs: everything about an op in one word, so that one gather fetches it."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from automl_zero.ops.arrays import op_arrays


class Facts(NamedTuple):
    """Facts about ops, int32 each unless said.

    Attributes:
        inputs: register types of in1 and in2, 0 where absent.
        output: register type of the output.
        num_constants: number of constants.
        kinds: kind of each constant.
        partial_write: bool, writes one element alone.
        commutative: bool, the order of its operands does not matter.
    """

    inputs: tuple[jax.Array, jax.Array]
    output: jax.Array
    num_constants: jax.Array
    kinds: tuple[jax.Array, jax.Array, jax.Array]
    partial_write: jax.Array
    commutative: jax.Array


def _words() -> npt.NDArray[np.uint32]:
    """Two bits each for two inputs, output, number of constants and three kinds, then two flags."""
    ops = op_arrays()
    columns = [*ops.inputs.T, ops.output, ops.num_constants, *ops.kinds.T, ops.partial_write, ops.commutative]
    words = np.zeros(len(ops.output), np.uint32)
    for position, column in enumerate(columns):
        words |= column.astype(np.uint32) << np.uint32(2 * position)
    return words


def facts_of(op: jax.Array) -> Facts:
    """The facts about ops by their ids."""
    word = jnp.asarray(_words())[op]
    in1, in2, output, constants, kind0, kind1, kind2, partial, commutative = (
        (word >> np.uint32(2 * position) & np.uint32(3)).astype(jnp.int32) for position in range(9)
    )
    return Facts((in1, in2), output, constants, (kind0, kind1, kind2), partial != 0, commutative != 0)
