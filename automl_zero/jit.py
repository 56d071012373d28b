"""Numba's compiler with the project's settings and a disk cache that cannot serve stale code.

Numba keys a cached function by its own file alone, so that a change in a helper would go unnoticed. Here the cache
directory's name is a hash of every source file that compiled code is made from and of the versions involved.
"""

from __future__ import annotations

import functools
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np

from automl_zero.cache_directory import cache_directory

_SOURCES = ("ops", "analysis", "interpreters", "evolution")


@functools.cache
def compiled_directory() -> Path:
    """Directory of the compiled functions that belong to the present sources and versions."""
    digest = hashlib.sha256()
    for version in (numba.__version__, llvmlite.__version__, np.__version__):
        digest.update(version.encode())
    root = Path(__file__).parent
    files = [Path(__file__), root / "memory.py"]  # compiled code contains the largest number of registers
    for path in sorted([*files, *(p for folder in _SOURCES for p in (root / folder).rglob("*.py"))]):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return cache_directory() / "engine" / digest.hexdigest()[:32]


@functools.cache
def _is_writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return False
    return True


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function for the engine: without the interpreter lock, IEEE arithmetic, cached on disk."""
    # Where it cannot write, Numba would turn to __pycache__ folders beside the sources, whose content can be stale.
    cache = _is_writable(compiled_directory())
    previous = numba.config.CACHE_DIR
    # Numba reads this setting when a function is decorated; other users of Numba in the process keep theirs.
    numba.config.CACHE_DIR = str(compiled_directory())
    try:
        return numba.njit(cache=cache, nogil=True, error_model="numpy", boundscheck=False, _nrt=False)(function)
    finally:
        numba.config.CACHE_DIR = previous


def is_compiled(module: str, function: str) -> bool:
    """Whether the disk cache holds a compiled version of a function, by the last part of its module's name."""
    return any(compiled_directory().glob(f"*/{module}.{function}-*.nbi"))
