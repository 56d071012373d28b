"""Every call whose form depends on the version of JAX or on Pallas' Mosaic GPU back end (see README.md here).

Tried with JAX 0.10.2 and 0.11.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.experimental.mosaic.gpu import fragmented_array
from jax.experimental.pallas import mosaic_gpu

from automl_zero.interpreters.pallas_gpu.geometry import Geometry

if TYPE_CHECKING:
    from automl_zero.interpreters.pallas_gpu.evaluate import Launch

Array = Any  # values inside a kernel

_VERSION = jax.__version_info__
_HAS_LOAD_WITHOUT_INDEX = _VERSION >= (0, 11)
_HAS_SQRT = _VERSION >= (0, 11)
_AXES = ("group", "program")  # the last one is the grid's x, which alone may have more than 65,535 blocks


class WarpGroup:
    """What a kernel needs of the machine it runs on: a warpgroup of a GPU, registers in shared memory.

    A number of every task of the block is an array [lanes] ("lanes"); a vector of every task is an array
    [lanes, width] ("block"). Both have one fixed layout each, so that they can be combined.

    Args:
        geometry: the sizes.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        tile, width, each = geometry.tile, geometry.width, geometry.per_thread
        layout = fragmented_array.TiledLayout(
            fragmented_array.Tiling(((tile, width), (tile // 4, width), (1, each))),
            warp_dims=(-6,),
            lane_dims=(-4, -3),
            vector_dim=-1,
            _check_canonical=False,
        ).canonicalize()
        self._block = mosaic_gpu.Layout.TILED(
            layout.tiling, warp_dims=layout.warp_dims, lane_dims=layout.lane_dims, vector_dim=layout.vector_dim
        )
        self._lanes = self._block.reduce(1)

    def place(self) -> tuple[Array, Array]:
        """Index of the program, and of the group of tasks, that this block works on."""
        group, program = (lax.axis_index(name) for name in _AXES)
        return program, group

    def load_lanes(self, ref: Any, *index: Any) -> Array:
        """A row [lanes] of an array in shared or device memory."""
        return _load(ref, index, self._lanes)

    def load_block(self, ref: Any, *index: Any) -> Array:
        """A block [lanes, width] of an array in shared or device memory."""
        return _load(ref, index, self._block)

    def copy(self, source: Any, index: Any, target: Any) -> None:
        """Copy a row of 32-bit words, a multiple of 128, from device to shared memory."""
        target[...] = source[index]

    def spread(self, lanes: Array) -> Array:
        """Repeat each task's number over the width."""
        shape = (self.geometry.lanes, self.geometry.width)
        return mosaic_gpu.layout_cast(lax.broadcast_in_dim(lanes, shape, (0,)), self._block)

    def full_lanes(self, value: Any, dtype: Any = jnp.float32) -> Array:
        """The same number for each task."""
        return mosaic_gpu.layout_cast(jnp.full((self.geometry.lanes,), value, dtype), self._lanes)

    def full_block(self, value: Any, dtype: Any = jnp.float32) -> Array:
        """The same number for each element of a vector of each task."""
        shape = (self.geometry.lanes, self.geometry.width)
        return mosaic_gpu.layout_cast(jnp.full(shape, value, dtype), self._block)

    def columns(self) -> Array:
        """int32 block, the number of each element in its vector."""
        shape = (self.geometry.lanes, self.geometry.width)
        return mosaic_gpu.layout_cast(lax.broadcasted_iota(jnp.int32, shape, 1), self._block)

    def sqrt(self, values: Array) -> Array:
        """Square roots; JAX 0.10 has only their reciprocals here, to which a step of Newton's method is added."""
        if _HAS_SQRT:
            return jnp.sqrt(values)
        inverse = lax.rsqrt(values)
        root = values * inverse
        root = root + jnp.float32(0.5) * inverse * (values - root * root)
        # Zero and infinity times their inverse are NaN, but they are their own roots.
        own = jnp.logical_or(values == jnp.float32(0.0), values == jnp.float32(jnp.inf))
        return jnp.where(own, values, root)


def launch(kernel: Launch, interpret: Any = None) -> Callable[..., Any]:
    """A function of the input arrays that runs a kernel on the GPU.

    Args:
        kernel: the kernel.
        interpret: parameters of the interpreter that JAX has for such kernels; None to compile.
    """
    geometry = kernel.plan.geometry

    def evaluate_programs(*references: Any) -> None:
        kernel.body(WarpGroup(geometry), *references)

    return mosaic_gpu.kernel(  # type: ignore[no-any-return]
        evaluate_programs,
        out_type=[array.struct() for array in kernel.outputs],
        scratch_types=[mosaic_gpu.SMEM(array.shape, array.dtype) for array in kernel.scratch],
        grid=(geometry.groups, kernel.num_programs),
        grid_names=_AXES,
        compiler_params=mosaic_gpu.CompilerParams(
            # The default became Warpgroup in JAX 0.11; layouts are given by hand here, which needs Lane.
            lowering_semantics=mosaic_gpu.LoweringSemantics.Lane
        ),
        interpret=interpret,
    )


def _load(ref: Any, index: Sequence[Any], layout: Any) -> Array:
    # The layouts are not made for the widest loads, which optimized=True would insist on.
    load: Any = mosaic_gpu.load
    if _HAS_LOAD_WITHOUT_INDEX:
        return load(ref.at[tuple(index)], layout=layout, optimized=False)
    return load(ref, tuple(index), layout=layout, optimized=False)
