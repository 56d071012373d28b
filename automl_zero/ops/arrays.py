"""The op table as arrays, for compiled code."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.ops.table import TABLE


class OpArrays(NamedTuple):
    """Facts about every op, indexed by op id.

    Attributes:
        inputs: uint8[n, 2], register types of in1 and in2, 0 where absent.
        output: uint8[n], register type of the output.
        num_constants: uint8[n].
        kinds: uint8[n, 3], kind of each constant.
        commutative, partial_write, random: uint8[n], 0 or 1.
        rounds: uint8[n], 1 when the op's constants are rounded to float32.
    """

    inputs: npt.NDArray[np.uint8]
    output: npt.NDArray[np.uint8]
    num_constants: npt.NDArray[np.uint8]
    kinds: npt.NDArray[np.uint8]
    commutative: npt.NDArray[np.uint8]
    partial_write: npt.NDArray[np.uint8]
    random: npt.NDArray[np.uint8]
    rounds: npt.NDArray[np.uint8]


def op_arrays() -> OpArrays:
    """The table as it is now, user ops included."""
    n = len(TABLE)
    arrays = OpArrays(*(np.zeros((n, 2) if i == 0 else (n, 3) if i == 3 else n, np.uint8) for i in range(8)))
    for op in TABLE:
        arrays.inputs[op.id, : len(op.inputs)] = op.inputs
        arrays.output[op.id] = op.output
        arrays.num_constants[op.id] = len(op.constants)
        arrays.kinds[op.id, : len(op.constants)] = [kind for _, kind in op.constants]
        arrays.commutative[op.id] = op.commutative
        arrays.partial_write[op.id] = op.partial_write
        arrays.random[op.id] = op.random
        arrays.rounds[op.id] = op.rounds_constants
    return arrays
