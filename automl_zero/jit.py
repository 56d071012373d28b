"""Numba's compiler with the project's settings and a disk cache that cannot serve stale code.

Numba keys a cached function by its own file alone, so that a change in a helper would go unnoticed. Here the cache
directory's name is a hash of every source file that compiled code is made from and of the versions involved.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np

from automl_zero.cache_directory import cache_directory

_SOURCES = ("ops", "interpreters")  #: folders that compiled code is made from
_MIXED = ("analysis", "evolution")  #: folders of which only the modules with compiled functions matter

PROFILING = os.environ.get("AUTOML_ZERO_PROFILE") == "1"
"""Whether the engine measures where its time goes. Decided when code is compiled: without it, there is no such code."""


@functools.cache
def compiled_directory() -> Path:
    """Directory of the compiled functions that belong to the present sources and versions."""
    digest = hashlib.sha256()
    for setting in (numba.__version__, llvmlite.__version__, np.__version__, str(PROFILING)):
        digest.update(setting.encode() + b"\0")
    root = Path(__file__).parent
    files = [Path(__file__), root / "memory.py"]  # compiled code contains the largest number of registers
    files += [path for folder in _SOURCES for path in (root / folder).glob("*.py")]  # JAX does without, in folders below
    for path in sorted([*files, *(path for folder in _MIXED for path in (root / folder).rglob("*.py"))]):
        content = path.read_bytes()
        if path in files or b"automl_zero.jit import" in content:
            digest.update(str(path.relative_to(root)).encode() + b"\0" + content)
    return cache_directory() / "engine" / digest.hexdigest()[:32]


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code may call; Python crashes when it does.

    Without the wrappers that calls from Python need, which take a third of the compile time. All compiled code runs
    without the interpreter lock, with IEEE arithmetic, and without reference counting: no function makes an array.
    """
    return _compiled(function, compiled_directory(), no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into its callers, like :func:`jit` but never as a call.

    For functions of an island or of settings: these are hundreds of numbers, which a call would copy to the stack, and
    that costs more than many such a function does.
    """
    return _compiled(function, compiled_directory(), no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def entry_point(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls."""
    return _compiled(function, compiled_directory())


def callable_from_python(compiled: Any) -> Any:
    """A version that Python can call of a function compiled by :func:`jit`; for tests and experiments."""
    return _compiled(compiled.py_func, compiled_directory() / "callable")


def is_compiled(module: str, function: str) -> bool:
    """Whether the disk cache holds a compiled version of a function, by the last part of its module's name."""
    return any(compiled_directory().glob(f"*/{module}.{function}-*.nbi"))


@functools.cache
def _is_writable(directory: Path) -> bool:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        return False
    return True


def _compiled(function: Callable[..., Any], directory: Path, **options: bool) -> Any:
    # Where it cannot write, Numba would turn to __pycache__ folders beside the sources, whose content can be stale.
    options["cache"] = _is_writable(directory)
    previous = numba.config.CACHE_DIR
    # Numba reads this setting when a function is decorated; other users of Numba in the process keep theirs.
    numba.config.CACHE_DIR = str(directory)
    try:
        return numba.njit(nogil=True, error_model="numpy", boundscheck=False, _nrt=False, **options)(function)
    finally:
        numba.config.CACHE_DIR = previous
