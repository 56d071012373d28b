"""How the registers of a program are laid out on a GPU, and what fits there; needs no JAX."""

from __future__ import annotations

from dataclasses import dataclass

THREADS = 128  #: of a warpgroup, which runs one program on one group of tasks
SHARED_BYTES = 227 * 1024  #: what one block may use on Hopper and newer
_ALLOCATION = 1024  # every array in shared memory starts at a multiple of this
_COMPILER_BYTES = 3 * 1024  # what the compiler takes for its own reductions, and a reserve
LARGEST_FEATURES = 128
LARGEST_FEATURES_WITH_MATRICES = 32
_MAX_TILES = {4: 4, 8: 4, 16: 2, 32: 1}  # of a block with matrices: products keep F x tiles numbers in registers


@dataclass(frozen=True)
class Geometry:
    """Sizes of the arrays that one block works on.

    A block is a warpgroup; it runs one program on ``lanes`` tasks at once. A vector register is an array
    [lanes, width], spread over the 128 threads so that each task lies within one warp.

    Attributes:
        features: F.
        width: F rounded up to a power of two, at least 4.
        lanes: tasks of a block, a multiple of the tile's.
        groups: blocks for all tasks of a program.
        words: instructions of a program, Setup, Predict and Learn, padded for copying.
        scalars: number of scalar registers.
        vectors: number of vector registers.
        matrices: number of matrix registers.
    """

    features: int
    width: int
    lanes: int
    groups: int
    words: int
    scalars: int
    vectors: int
    matrices: int

    @property
    def per_thread(self) -> int:
        """Neighbouring elements of a vector register that a thread holds."""
        return max(1, self.width // 32)

    @property
    def tile(self) -> int:
        """Tasks of one vector register that the 128 threads hold when each holds ``per_thread`` elements."""
        return tile_of(self.width)

    @property
    def shared_bytes(self) -> int:
        """Shared memory of a block, in bytes."""
        vector = 4 * self.lanes * self.width
        arrays = (
            4 * self.words,
            3 * 4 * self.words,
            4 * self.lanes,
            4 * self.lanes * self.scalars,
            vector * self.vectors,
            vector * self.features * self.matrices,
        )
        return sum(-(-size // _ALLOCATION) * _ALLOCATION for size in arrays) + _COMPILER_BYTES


def tile_of(width: int) -> int:
    """Tasks in a tile of 128 threads."""
    return max(4, THREADS // width)


def geometry_of(num_tasks: int, num_features: int, slots: int, scalars: int, vectors: int, matrices: int) -> Geometry:
    """Geometry for programs with so many slots a component and so many registers, on so many tasks."""
    width = max(4, 1 << (num_features - 1).bit_length())
    tile = tile_of(width)
    most = _MAX_TILES.get(width, 1) if matrices else max(1, 4 // max(1, width // 32))
    groups = -(-num_tasks // (tile * most))
    tiles = -(-num_tasks // (groups * tile))
    words = -(-(3 * slots + 1) // THREADS) * THREADS
    return Geometry(num_features, width, tile * tiles, groups, words, scalars, vectors, matrices)
