"""Numba's compiler for the code of the benchmarks, cached on disk beside the package's own compiled code."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

from automl_zero.cache_directory import cache_directory


@functools.cache
def _directory() -> Path:
    """Numba looks at the file of a function alone; with a hash in the name no change in the others goes unnoticed."""
    digest = hashlib.sha256()
    for path in (Path(__file__), *sorted(Path(__file__).parent.glob("standin*.py"))):
        digest.update(path.read_bytes())
    return cache_directory() / "benchmarks" / digest.hexdigest()[:32]


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function of the stand-in, with the settings that the package uses for its own (automl_zero/jit.py)."""
    previous = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_directory())
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy", boundscheck=False, _nrt=False)(function)
    finally:
        numba.config.CACHE_DIR = previous
