"""One instruction on its own, for conformance tests; the other interpreters have the same function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from automl_zero.interpreters.jax_lockstep.batch import Programs, Shape
from automl_zero.interpreters.jax_lockstep.bodies import ops_of_variant, user_bodies
from automl_zero.interpreters.jax_lockstep.instructions import at, lay_out
from automl_zero.interpreters.jax_lockstep.registers import Registers
from automl_zero.interpreters.jax_lockstep.step import step
from automl_zero.ops import Op

_REGISTERS = 3  # of each type: for two operands and an output


def execute(
    op: Op,
    constants: Sequence[float],
    num_features: int,
    in1: npt.ArrayLike | None,
    in2: npt.ArrayLike | None,
    out_before: npt.ArrayLike,
    dtype: str,
    alias: tuple[int | None, int | None, int | None] = (None, None, None),
    one_hot: bool = False,
) -> npt.NDArray[Any]:
    """Execute one instruction by the lockstep interpreter and return its output register.

    Args:
        op: the op; neither no_op nor a random op.
        constants: its constants.
        num_features: F.
        in1: contents of the first operand, a number or [F] or [F, F]; None when the op has none.
        in2: contents of the second operand.
        out_before: contents of the output register before.
        dtype: "float32" or "float64".
        alias: addresses of (in1, in2, out); operands of one type and address are one register.
        one_hot: as in :class:`~automl_zero.interpreters.jax_lockstep.batch.Shape`.

    Returns:
        Contents of the output register after, in the dtype.
    """
    used = (("out", op.output, out_before, alias[2]), *zip(("in1", "in2"), op.inputs, (in1, in2), alias, strict=False))
    places: list[object] = []  # what each row of the registers stands for
    rows: dict[str, int] = {}
    files = [np.zeros((_REGISTERS + 1, *[num_features] * axes, 1, 1), dtype) for axes in range(3)]
    for name, kind, contents, address in used:
        place = name if address is None else (kind, address)
        if place not in places:
            places.append(place)
        rows[name] = places.index(place)
        files[kind - 1][rows[name], ..., 0, 0] = contents
    code = np.array([op.id, rows.get("in1", 0), rows.get("in2", 0), rows["out"]], np.int32)
    values = np.zeros(3, dtype)
    values[: len(constants)] = constants
    counts = (_REGISTERS,) * 3
    shape = Shape(*counts, num_features, "rmse", 1, 100.0, 0, True, dtype, ops_of_variant(True), one_hot)
    shape = replace(shape, bodies=user_bodies())
    with jax.enable_x64(dtype == "float64"):
        after = _step(code, values, Registers(*map(jnp.asarray, files)), shape)
    return np.asarray(after[op.output - 1][rows["out"], ..., 0, 0])


@partial(jax.jit, static_argnames="shape")
def _step(code: jax.Array, constants: jax.Array, files: Registers, shape: Shape) -> Registers:
    sizes = jnp.array([[1, 0, 0]], jnp.int32)
    programs = Programs(jnp.tile(code, (1, 3, 1, 1)), jnp.tile(constants, (1, 3, 1, 1)), sizes)
    first = at(lay_out(programs, shape), jnp.int32(0), jnp.int32(0))
    no_key = (jnp.zeros(1, jnp.uint32), jnp.zeros(1, jnp.uint32))
    return step(files, first, no_key, shape)
