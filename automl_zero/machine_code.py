"""Compiled code on disk: object files that a later process loads in a millisecond, without a compiler."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import llvmlite
import llvmlite.binding as llvm

from automl_zero.cache_directory import write_atomically

_DIGEST_BYTES = 32
_loaded: list[Any] = []  # compiled code lives as long as its engine


@functools.cache
def sources_digest(*patterns: str) -> str:
    """Digest of the package's source files that match patterns, and of what else machine code depends on.

    Stale code cannot be served: where the sources, the compiler or the processor differ, so do the names of the files.
    """
    root = Path(__file__).parent
    files = sorted({path for pattern in patterns for path in root.glob(pattern)})
    return digest((*machine(), *(text for path in files for text in (str(path.relative_to(root)), path.read_text()))))


def machine() -> tuple[str, ...]:
    """The compiler and the processor that it compiles for."""
    version, triple = str(llvm.llvm_version_info), llvm.get_default_triple()
    return llvmlite.__version__, version, triple, llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def digest(texts: Iterable[str]) -> str:
    """Digest of texts and of where one ends and the next begins."""
    found = hashlib.sha256()
    for text in texts:
        found.update(f"{len(text)}:".encode() + text.encode())
    return found.hexdigest()


@functools.cache
def target_machine() -> Any:
    """This machine, as a target of the compiler."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    features = llvm.get_host_cpu_features().flatten()
    return target.create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=3, jit=True)


def write(path: Path, code: bytes) -> None:
    """Store object code; does nothing where the cache cannot be written."""
    write_atomically(path, hashlib.sha256(code).digest() + code)


def read(path: Path) -> bytes | None:
    """Stored object code, or None when there is none or the file is damaged."""
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    code = stored[_DIGEST_BYTES:]
    return code if hashlib.sha256(code).digest() == stored[:_DIGEST_BYTES] else None


def load(code: bytes, name: str) -> int:
    """Put object code into memory; returns the address of one of its functions."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _loaded.append(engine)
    return int(engine.get_function_address(name))
