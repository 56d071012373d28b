"""The registers of a program on all tasks of a block, and the instruction that is being executed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax.numpy as jnp
from jax import lax

from automl_zero.interpreters.pallas_gpu.geometry import Geometry

Array = Any  # values inside a kernel: numbers, "lanes" [lanes] or "blocks" [lanes, width]


class Machine(Protocol):
    """What the kernel needs of the machine; :class:`~automl_zero.interpreters.pallas_gpu.mosaic.WarpGroup` is one."""

    geometry: Geometry

    def place(self) -> tuple[Array, Array]:
        """Index of the program, and of the group of tasks."""

    def load_lanes(self, ref: Any, *index: Any) -> Array:
        """Read [lanes]."""

    def load_block(self, ref: Any, *index: Any) -> Array:
        """Read [lanes, width]."""

    def copy(self, source: Any, index: Any, target: Any) -> None:
        """Copy a row of words from device to shared memory."""

    def spread(self, lanes: Array) -> Array:
        """[lanes] to [lanes, width]."""

    def full_lanes(self, value: Any, dtype: Any = jnp.float32) -> Array:
        """[lanes] of one number."""

    def full_block(self, value: Any, dtype: Any = jnp.float32) -> Array:
        """[lanes, width] of one number."""

    def columns(self) -> Array:
        """int32[lanes, width], numbers of the elements."""

    def sqrt(self, values: Array) -> Array:
        """Square roots."""


@dataclass(frozen=True)
class Instruction:
    """Operands of the instruction that is being executed; numbers in the kernel.

    Attributes:
        in1: address of the first operand.
        in2: of the second.
        out: of the output.
        constant: function of 0, 1 or 2 that reads a constant.
        keys: function that returns the two words of the key of each task's draws, lanes.
    """

    in1: Array
    in2: Array
    out: Array
    constant: Callable[[int], Array]
    keys: Callable[[], tuple[Array, Array]]


class Registers:
    """Register files in shared memory.

    A matrix is F rows, each kept like a vector. Elements beyond F, in registers whose width is more than F, may hold
    anything: sums leave them out.

    Args:
        machine: reads and lays out.
        scalars: reference, [S, lanes].
        vectors: reference, [V, lanes, width].
        matrices: reference, [M * F, lanes, width]; None without matrices.
        zero: an int32 number 0 that the compiler does not know to be 0.

    Attributes:
        columns: int32 block, numbers of the elements.
        kept: lanes, 1 where tasks keep their registers as they are; None where all tasks write.
    """

    def __init__(self, machine: Machine, scalars: Any, vectors: Any, matrices: Any, zero: Array) -> None:
        self.machine, self.features = machine, machine.geometry.features
        self._scalars, self._vectors, self._matrices, self._zero = scalars, vectors, matrices, zero
        self.columns = machine.columns()
        self.kept: Array | None = None
        self._zeros = machine.full_block(0.0)

    def clear(self) -> None:
        """Set all registers to zero."""
        geometry = self.machine.geometry
        files = [
            (self._scalars, geometry.scalars, self.machine.full_lanes(0.0)),
            (self._vectors, geometry.vectors, self._zeros),
            (self._matrices, geometry.matrices * self.features, self._zeros),
        ]
        for file, count, zeros in files[: 3 if geometry.matrices else 2]:
            repeat(count, partial(_store, file, value=zeros))

    def scalar(self, address: Array) -> Array:
        """A scalar of each task, lanes."""
        return self.machine.load_lanes(self._scalars, address)

    def vector(self, address: Array) -> Array:
        """A vector of each task, a block."""
        return self.machine.load_block(self._vectors, address)

    def row(self, address: Array, row: Array) -> Array:
        """A row of a matrix, a block."""
        return self.machine.load_block(self._matrices, address * self.features + row)

    def vector_element(self, address: Array, element: Array) -> Array:
        """An element of a vector, repeated over the width: a block."""
        return self.machine.spread(self.machine.load_lanes(self._vectors, address, slice(None), element))

    def matrix_element(self, address: Array, row: Array, column: Array) -> Array:
        """An element of a matrix, repeated over the width: a block."""
        place = address * self.features + row
        return self.machine.spread(self.machine.load_lanes(self._matrices, place, slice(None), column))

    def set_scalar(self, address: Array, value: Array) -> None:
        """Write a scalar."""
        if self.kept is not None:
            value = jnp.where(self.kept > 0.0, self.scalar(address), value)
        _store(self._scalars, address, value)

    def set_vector(self, address: Array, value: Array) -> None:
        """Write a vector."""
        self._set_block(self._vectors, address, value)

    def set_row(self, address: Array, row: Array, value: Array) -> None:
        """Write a row of a matrix."""
        self._set_block(self._matrices, address * self.features + row, value)

    def set_rows(self, address: Array, value: Callable[[Array], Array]) -> None:
        """Write a matrix row by row; a row's value must not depend on rows of the output that were written before."""
        self.for_rows(lambda row: self.set_row(address, row, value(row)))

    def for_rows(self, action: Callable[[Array], None]) -> None:
        """Do something for every row number."""
        repeat(self.features, action)

    def total(self, block: Array) -> Array:
        """Sum of each task's F elements, lanes."""
        if self.features < self.machine.geometry.width:
            block = jnp.where(self.columns < self.features, block, self._zeros)
        return jnp.sum(self.rounded(block), axis=-1)

    def total_of_rows(self, value: Callable[[Array], Array]) -> Array:
        """Sum of a block over all row numbers."""
        return self.accumulate(lambda row, sums: [sums[0] + self.rounded(value(row))], 1)[0]

    def by_rows(self, value: Callable[[Array], Array]) -> Array:
        """The vector whose i-th element is lanes that depend on i."""
        spread = self.machine.spread
        return self.accumulate(lambda row, held: [jnp.where(self.columns == row, spread(value(row)), held[0])], 1)[0]

    def accumulate(self, step: Callable[[Array, list[Array]], Sequence[Array]], count: int) -> list[Array]:
        """Blocks, zero at first, after a step for every row number."""
        start = [self._zeros] * count
        return list(lax.fori_loop(jnp.int32(0), jnp.int32(self.features), step, start))

    def rounded(self, values: Array) -> Array:
        """The same numbers, so that the compiler cannot round a product and the sum that follows it only once.

        That would be another function: a standard deviation of equal numbers may become NaN by it.
        """
        words = lax.bitcast_convert_type(values, jnp.int32) ^ self._zero
        return lax.bitcast_convert_type(words, jnp.float32)

    def _set_block(self, file: Any, address: Array, value: Array) -> None:
        if self.kept is not None:
            old = self.machine.load_block(file, address)
            value = jnp.where(self.machine.spread(self.kept) > 0.0, old, value)
        _store(file, address, value)


def _store(file: Any, address: Array, value: Array) -> None:
    file[address] = value


def repeat(count: Array, action: Callable[[Array], None]) -> None:
    """Do something for every number below a count."""

    def step(index: Array, _: tuple[()]) -> tuple[()]:
        action(index)
        return ()

    lax.fori_loop(jnp.int32(0), jnp.asarray(count, jnp.int32), step, ())
