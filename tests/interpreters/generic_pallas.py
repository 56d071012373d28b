"""The GPU kernel on the CPU: the same body under JAX's generic Pallas interpreter, without layouts or threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jax.experimental import pallas as pl

from automl_zero.interpreters.pallas_gpu.evaluate import Launch, Specification
from automl_zero.interpreters.pallas_gpu.geometry import Geometry


class GenericMachine:
    """The twin of :class:`automl_zero.interpreters.pallas_gpu.mosaic.WarpGroup`."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry

    def place(self) -> tuple[Any, Any]:
        return pl.program_id(0), pl.program_id(1)

    def load_lanes(self, ref: Any, *index: Any) -> Any:
        return ref[index]

    load_block = load_lanes

    def copy(self, source: Any, index: Any, target: Any) -> None:
        target[...] = source[index]

    def spread(self, lanes: Any) -> Any:
        return lax.broadcast_in_dim(lanes, (self.geometry.lanes, self.geometry.width), (0,))

    def full_lanes(self, value: Any, dtype: Any = jnp.float32) -> Any:
        return jnp.full((self.geometry.lanes,), value, dtype)

    def full_block(self, value: Any, dtype: Any = jnp.float32) -> Any:
        return jnp.full((self.geometry.lanes, self.geometry.width), value, dtype)

    def columns(self) -> Any:
        return lax.broadcasted_iota(jnp.int32, (self.geometry.lanes, self.geometry.width), 1)

    def sqrt(self, values: Any) -> Any:
        return jnp.sqrt(values)


def launch(kernel: Launch, machine: type[GenericMachine] = GenericMachine) -> Callable[..., Any]:
    """Run a kernel on the CPU; shared memory is made of further outputs, one for each block."""
    geometry = kernel.plan.geometry
    grid = (kernel.num_programs, geometry.groups)

    def body(*references: Any) -> None:
        kernel.body(machine(geometry), *references)

    def own(array: Specification) -> pl.BlockSpec:
        zeros = (0,) * len(array.shape)
        return pl.BlockSpec((None, None, *array.shape), lambda program, group: (program, group, *zeros))

    call = pl.pallas_call(
        body,
        grid=grid,
        interpret=True,
        out_specs=[pl.BlockSpec()] * len(kernel.outputs) + [own(array) for array in kernel.scratch],
        out_shape=[
            *(array.struct() for array in kernel.outputs),
            *(Specification((*grid, *array.shape), array.dtype).struct() for array in kernel.scratch),
        ],
    )
    return lambda *inputs: call(*inputs)[: len(kernel.outputs)]
