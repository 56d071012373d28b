"""Projected task sets on disk: built once, a task at a time, then mapped into memory by every run that needs them.

A set is one file of float64 in the user's cache directory: train_x, train_y, valid_x, valid_y and a checksum. It is
named by a digest of everything that determines it, written under another name and renamed. A file that is damaged is
built anew; where nothing can be written the set is built in memory, and nothing is said.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from automl_zero.cache_directory import cache_directory
from automl_zero.tasks.projection import Arrays, ProjectedTasks
from automl_zero.tasks.taskset import Floats

FORMAT = 1  # to be raised whenever the same key would give other numbers
MAX_BYTES = 8 << 30  # of all files together; the least recently used go first

_STALE = 3600.0  # seconds after which an unfinished file is one that its process left behind
_ITEM = 8  # bytes of a float64
_PIECE = 1 << 24  # bytes read at a time


def cached_arrays(tasks: ProjectedTasks, source: Any) -> Arrays:
    """The arrays of all tasks, mapped read-only from the cache, or built in memory where there can be no cache.

    Args:
        tasks: what to build.
        source: identity of the image files, anything that JSON can write; the digest of `tasks` leaves pixels out.
    """
    path = cache_directory() / "tasks" / f"{_digest(tasks, source)}.npy"
    size = sum(_lengths(tasks)) + 1
    values = _read(path, size)
    if values is None:
        with contextlib.suppress(OSError):
            _write(path, size, tasks)
            _remove_oldest(path)
        values = _read(path, size)
    if values is None:
        return tasks.build()
    return _split(tasks, values)


def _digest(tasks: ProjectedTasks, source: Any) -> str:
    sizes = tasks.sizes
    # JSON, not repr: numbers of numpy's and of Python's types must be one.
    key = json.dumps(
        {
            "format": FORMAT,
            "source": source,
            "choices": [[int(label) for label in classes] for classes in tasks.choices],
            "sizes": [int(sizes.num_tasks), int(sizes.num_train), int(sizes.num_valid)],
            "num_features": None if tasks.num_features is None else int(tasks.num_features),
            "seed": int(tasks.seed),
            "role": tasks.role,
            "one_hot": tasks.one_hot,
        },
        sort_keys=True,
    )
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _lengths(tasks: ProjectedTasks) -> list[int]:
    return [int(np.prod(shape)) for shape in tasks.shapes]


def _split(tasks: ProjectedTasks, values: Floats) -> Arrays:
    ends = np.cumsum(_lengths(tasks))
    parts = np.split(values[: ends[-1]], ends[:-1])
    train_x, train_y, valid_x, valid_y = (part.reshape(shape) for part, shape in zip(parts, tasks.shapes, strict=True))
    return train_x, train_y, valid_x, valid_y


def _read(path: Path, size: int) -> Floats | None:
    """The values of a file, mapped, or None if there is none or it is not whole."""
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # there is none, or its header is damaged, for which numpy has errors of many types
        return None
    if values.shape != (size,) or values.dtype != np.dtype("<f8") or _checksum(values[:-1]) != values[-1]:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # used now: see _remove_oldest
    return np.asarray(values)


def _write(path: Path, size: int, tasks: ProjectedTasks) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < 2 * _ITEM * size:
        raise OSError("a cache is not worth filling the disk for")
    # Plain writes: of a mapped file a full disk would kill the process.
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with os.fdopen(descriptor, "w+b") as file:
            header = io.BytesIO()
            layout = {"descr": "<f8", "fortran_order": False, "shape": (size,)}
            np.lib.format.write_array_header_1_0(header, layout)
            file.write(header.getvalue())
            _write_tasks(file, file.tell(), tasks)
            file.flush()
            file.seek(len(header.getvalue()))
            checksum = _file_checksum(file, _ITEM * (size - 1))
            file.write(np.array([checksum], dtype="<f8").tobytes())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _write_tasks(file: BinaryIO, start: int, tasks: ProjectedTasks) -> None:
    num_tasks = tasks.sizes.num_tasks
    lengths = _lengths(tasks)
    starts = [start + _ITEM * int(before) for before in np.cumsum([0, *lengths[:-1]])]
    for index in range(num_tasks):
        for begin, length, part in zip(starts, lengths, tasks.task(index), strict=True):
            file.seek(begin + index * _ITEM * (length // num_tasks))
            file.write(np.ascontiguousarray(part, dtype="<f8").data)


def _checksum(values: npt.NDArray[Any]) -> int:
    """CRC of the values; 32 bits, which a float64 holds exactly."""
    checksum = 0
    for start in range(0, values.size, _PIECE // _ITEM):
        checksum = zlib.crc32(values[start : start + _PIECE // _ITEM].data, checksum)
    return checksum


def _file_checksum(file: BinaryIO, length: int) -> int:
    checksum = 0
    for start in range(0, length, _PIECE):
        checksum = zlib.crc32(file.read(min(_PIECE, length - start)), checksum)
    return checksum


def _remove_oldest(newest: Path) -> None:
    """Delete the files used longest ago until all together are within the limit, and unfinished ones left behind."""
    files = sorted(_files(newest.parent), reverse=True)
    total = 0
    for used, size, path in files:
        abandoned = path.suffix == ".new" and used < time.time() - _STALE
        total += size
        if abandoned or (total > MAX_BYTES and path != newest and path.suffix != ".new"):
            with contextlib.suppress(OSError):  # another process may hold it, or have deleted it
                path.unlink()


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            status = path.stat()
            yield status.st_mtime, status.st_size, path
