"""Compiled CPU kernels: built once, kept on disk, called by address.

A compiled kernel is stored as an object file under a name that hashes the sources it is made from, the compiler's
version and the processor, so stale code cannot be served: other code has another name. The file starts with a digest of
its contents, and a file that does not match is compiled anew.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from automl_zero import machine_code
from automl_zero.cache_directory import cache_directory
from automl_zero.ops import NUM_BUILT_IN, TABLE

ENTRY = "evaluate"
_SOURCES = ("memory.py", "ops/*.py", "interpreters/*.py")

Observer = Callable[[str, float | None], None]
"""Called with a kernel's description and None before it is compiled, and with the seconds taken afterwards."""


@dataclass(frozen=True)
class Kernel:
    """A kernel in memory.

    Attributes:
        lanes: lane width L.
        features: F the kernel is specialised on, or None when it serves any F.
        dtype: element type.
        vector_labels: whether labels are classes instead of numbers.
        address: address of ``int64 evaluate(int64* job)``.
        compile_seconds: 0.0 when it came from disk.
    """

    lanes: int
    features: int | None
    dtype: str
    vector_labels: bool
    address: int
    compile_seconds: float

    def __call__(self, job_address: int) -> int:
        """Run a job; returns the train steps. The interpreter lock is released meanwhile."""
        return int(_FUNCTION(self.address)(job_address))


_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
_kernels: dict[tuple[Any, ...], Kernel] = {}
_lock = threading.Lock()


def get_kernel(
    lanes: int, features: int | None, dtype: str, observer: Observer | None = None, vector_labels: bool = False
) -> Kernel:
    """The kernel for a lane width, number of features (None: any), element type and kind of labels.

    It is compiled if need be, which the observer is told.
    """
    user_bodies = tuple(TABLE.bodies.get("numba", {}).items())
    key = (lanes, features, dtype, vector_labels, tuple(TABLE.ops[NUM_BUILT_IN:]), user_bodies)
    with _lock:
        if key not in _kernels:
            _kernels[key] = _load(lanes, features, dtype, observer, vector_labels)
        return _kernels[key]


def _load(lanes: int, features: int | None, dtype: str, observer: Observer | None, vector_labels: bool) -> Kernel:
    def source_code() -> str:
        from automl_zero.interpreters.kernel_code import kernel_module  # most processes find the kernel on disk

        return str(kernel_module(lanes, features, dtype, ENTRY, vector_labels))

    source: str | None = None
    if tuple(TABLE.ops[NUM_BUILT_IN:]) or TABLE.bodies.get("numba"):  # ops of users can be told by their code alone
        source = source_code()
        path = _path(*machine_code.machine(), source)
    else:
        sources = machine_code.sources_digest(*_SOURCES)
        path = _path(sources, str(lanes), str(features), dtype, str(vector_labels))
    code, seconds = machine_code.read(path), 0.0
    if code is None:
        description = f"{dtype}, {lanes} lanes, " + ("any F" if features is None else f"F = {features}")
        if vector_labels:
            description += ", vector labels"
        if observer is not None:
            observer(description, None)
        start = time.perf_counter()
        code = _compile(source or source_code())
        machine_code.write(path, code)
        seconds = time.perf_counter() - start
        if observer is not None:
            observer(description, seconds)
    return Kernel(lanes, features, dtype, vector_labels, machine_code.load(code, ENTRY), seconds)


def _compile(source: str) -> bytes:
    machine = machine_code.target_machine()
    module = llvm.parse_assembly(source)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False  # the code is vectors already
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


def _path(*recipe: str) -> Path:
    return cache_directory() / "kernels" / f"{machine_code.digest(recipe)}.o"
