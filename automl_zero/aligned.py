"""Arrays on cache lines of their own."""

from __future__ import annotations

import math
import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

CACHE_LINE = 64  # bytes

# Larger arrays are pages of their own. From the heap, those of one experiment after another would leave gaps between
# what stays, and a long run would grow by megabytes.
_PAGES_FROM = 1 << 16


def padded(size: int) -> int:
    """The next multiple of a cache line."""
    return -(-size // CACHE_LINE) * CACHE_LINE


def aligned_bytes(size: int) -> npt.NDArray[np.uint8]:
    """Zeroed bytes that share no cache line with anything else."""
    if size >= _PAGES_FROM:
        return np.frombuffer(mmap.mmap(-1, size), np.uint8)
    raw = np.zeros(padded(size) + CACHE_LINE, np.uint8)
    start = -raw.ctypes.data % CACHE_LINE
    return raw[start : start + size]


def aligned_zeros(shape: int | tuple[int, ...], dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
    """Zeros that share no cache line with anything else: threads that write to neighbours on a line slow each other."""
    kind = np.dtype(dtype)
    dimensions = (shape,) if isinstance(shape, int) else shape
    return aligned_bytes(math.prod(dimensions) * kind.itemsize).view(kind).reshape(dimensions)
