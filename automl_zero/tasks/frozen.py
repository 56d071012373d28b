"""Read-only arrays of a task set, and checks of their values that need little memory beside them."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Seeds = npt.NDArray[np.uint64]

_CHUNK = 1 << 18  # values checked at a time


def frozen_floats(field: str, value: Any) -> Floats:
    """Read-only C-contiguous float64; a writeable input is copied, for its owner could change it later.

    Arrays that nobody can write to, those mapped from a file for reading among them, are taken as they are.

    Raises:
        ValueError: `value` is not a rectangular array of real numbers; the message begins with `field`.
    """
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{field} must be a rectangular array of numbers ({error})") from None
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{field} must be an array of real numbers, got dtype {given.dtype}")
    if given.dtype == np.float64 and given.dtype.isnative and given.flags.c_contiguous and not _writeable(given):
        return given
    array = np.array(given, dtype=np.float64, order="C")
    array.flags.writeable = False
    return array


def frozen_seeds(value: Any) -> Seeds:
    """Read-only uint64; ValueError for anything but integers of at least 0."""
    given = np.asarray(value)
    if given.dtype.kind not in "iu" or (given.dtype.kind == "i" and given.size and given.min() < 0):
        raise ValueError(f"seeds must be an array of integers of at least 0, got dtype {given.dtype}")
    seeds = np.array(given, dtype=np.uint64, order="C")
    seeds.flags.writeable = False
    return seeds


def check_finite(field: str, array: Floats) -> None:
    """Refuse NaN and infinity; the ValueError names the first place."""
    _refuse(field, array, lambda values: ~np.isfinite(values), "must be finite")


def check_binary(field: str, array: Floats) -> None:
    """Refuse labels other than 0 and 1."""
    rule = "must be 0 or 1 where evaluation is accuracy"
    _refuse(field, array, lambda values: (values != 0) & (values != 1), rule)


def check_one_hot(field: str, array: Floats) -> None:
    """Refuse rows, along the last axis, that are not one 1 among zeros."""
    rows = array.reshape(-1, array.shape[-1])
    for start, part in _parts(rows):
        ones = np.count_nonzero(part == 1, axis=1)
        bad = (ones != 1) | (np.count_nonzero(part, axis=1) != 1)
        if bad.any():
            row = start + int(bad.argmax())
            place = _place(row, array.shape[:-1])
            raise ValueError(f"{field}[{place}] must be one-hot, one 1 among zeros, got {rows[row]!s:.60}")


def _refuse(field: str, array: Floats, is_bad: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]], rule: str) -> None:
    values = array.reshape(-1)
    for start, part in _parts(values):
        bad = is_bad(part)
        if bad.any():
            at = start + int(bad.argmax())
            raise ValueError(f"{field}[{_place(at, array.shape)}] {rule}, got {values[at]!s}")


def _parts(array: Floats) -> Iterator[tuple[int, Floats]]:
    """The array in pieces along its first axis, each with the index that it starts at."""
    step = max(1, _CHUNK // (array.size // array.shape[0]))
    for start in range(0, array.shape[0], step):
        yield start, array[start : start + step]


def _place(index: int, shape: tuple[int, ...]) -> str:
    return ", ".join(str(int(i)) for i in np.unravel_index(index, shape))


def _writeable(array: npt.NDArray[Any]) -> bool:
    """Whether anyone can write to this memory: a read-only view of a writeable array still changes under it."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return True
        base = base.base
    if isinstance(base, mmap.mmap):
        with memoryview(base) as memory:
            return not memory.readonly
    return base is not None
