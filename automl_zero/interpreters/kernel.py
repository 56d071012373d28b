"""Compiled CPU kernels: built once, kept on disk, called by address.

A compiled kernel is stored as an object file under a name that hashes the very LLVM code it was made from, the
compiler's version and the processor, so stale code cannot be served: other code has another name. The file starts
with a digest of its contents, and a file that does not match is compiled anew.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from automl_zero.cache_directory import cache_directory, write_atomically
from automl_zero.interpreters.kernel_code import kernel_module
from automl_zero.ops import NUM_BUILT_IN, TABLE

ENTRY = "evaluate"
_DIGEST_BYTES = 32

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
_engines: list[Any] = []  # compiled code lives as long as its engine
_lock = threading.Lock()


def _initialise() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


def _target_machine() -> Any:
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


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
    _initialise()
    machine = _target_machine()
    source = str(kernel_module(lanes, features, dtype, ENTRY, vector_labels))
    code, seconds = _read(source), 0.0
    if code is None:
        description = f"{dtype}, {lanes} lanes, " + ("any F" if features is None else f"F = {features}")
        if vector_labels:
            description += ", vector labels"
        if observer is not None:
            observer(description, None)
        start = time.perf_counter()
        code = _compile(source, machine)
        write_atomically(_path(source), hashlib.sha256(code).digest() + code)
        seconds = time.perf_counter() - start
        if observer is not None:
            observer(description, seconds)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _engines.append(engine)
    return Kernel(lanes, features, dtype, vector_labels, engine.get_function_address(ENTRY), seconds)


def _compile(source: str, machine: Any) -> bytes:
    module = llvm.parse_assembly(source)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = options.slp_vectorization = False  # the code is vectors already
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


def _path(source: str) -> Path:
    key = "\n".join(
        (
            llvmlite.__version__,
            str(llvm.llvm_version_info),
            llvm.get_default_triple(),
            llvm.get_host_cpu_name(),
            llvm.get_host_cpu_features().flatten(),
            source,
        )
    )
    return cache_directory() / "kernels" / f"{hashlib.sha256(key.encode()).hexdigest()}.o"


def _read(source: str) -> bytes | None:
    """The stored object code, or None when there is none or the file is damaged."""
    try:
        stored = _path(source).read_bytes()
    except OSError:
        return None
    digest, code = stored[:_DIGEST_BYTES], stored[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == digest else None
