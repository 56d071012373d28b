"""Functions of the package that Numba compiles, once for a version and a machine.

Numba is imported only to compile: what it made is kept as object code, under names that change with the sources, and a
later process calls that by its address. Importing Numba and preparing it takes most of a second.
"""

from __future__ import annotations

import ctypes
import functools
import os
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero import machine_code
from automl_zero.cache_directory import cache_directory

_ENTRY = "entry"  # name of the function in every object file
_SOURCES = (
    *("jit.py", "machine_code.py", "memory.py", "ops/*.py", "analysis/compiled.py", "interpreters/*.py"),
    "evolution/method.py",  # the number of mutation types
)
_MOST_RESULTS = 8

PROFILING = os.environ.get("AUTOML_ZERO_PROFILE") == "1"
"""Whether the engine measures where its time goes. Decided when code is compiled: without it, there is no such code."""

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "boundscheck": False, "_nrt": False}
_FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 4)
_lock = threading.Lock()


class Compiled:
    """A function that only compiled code may call; Numba sees it when it compiles a caller.

    Attributes:
        py_func: the function, for Python.
    """

    def __init__(self, function: Callable[..., Any], **options: bool) -> None:
        functools.update_wrapper(self, function)
        self.py_func, self._options = function, options

    def __call__(self, *arguments: Any) -> Any:
        """Raise TypeError."""
        raise TypeError(f"{self.py_func.__qualname__} can be called by compiled code only; see callable_from_python")

    @functools.cached_property
    def dispatcher(self) -> Any:
        """What Numba knows the function by."""
        import numba

        return numba.njit(**_OPTIONS, **self._options)(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        from numba import types

        return types.Dispatcher(self.dispatcher)


class Intrinsic(Compiled):
    """A function written in LLVM code, defined as for :func:`numba.extending.intrinsic`."""

    @functools.cached_property
    def dispatcher(self) -> Any:
        """A function around it."""
        import numba
        from numba.extending import intrinsic

        made = intrinsic(self.py_func)

        def call(*arguments: Any) -> Any:
            return made(*arguments)

        return numba.njit(**_OPTIONS, **self._options)(call)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled code may call.

    All compiled code runs without the interpreter lock, with IEEE arithmetic, and without reference counting: no
    function makes an array.
    """
    return Compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into its callers, like :func:`jit` but never as a call.

    For functions of an island or of settings: these are hundreds of numbers, which a call would copy to the stack, and
    that costs more than many such a function does.
    """
    return Compiled(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def intrinsic(define: Callable[..., Any]) -> Any:
    """A function of compiled code whose own code is LLVM's."""
    return Intrinsic(define, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def callable_from_python(compiled: Compiled) -> Any:
    """A version of a compiled function that Python can call; for tests and experiments."""
    import numba

    return numba.njit(**_OPTIONS)(compiled.py_func)


class EntryPoint:
    """A compiled function that Python calls: with arrays, numbers, and named tuples of these.

    It returns nothing, an integer, or some integers.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self._loaded: dict[str, Any] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, which is compiled if need be."""
        return self.bind()(*arguments)

    def bind(self, *arguments: Any) -> Bound:
        """The function with its first arguments, for calls that take no time to begin; not for two threads at once."""
        return Bound(self, arguments)

    def is_compiled(self) -> bool:
        """Whether the disk holds a compiled version, whatever the types of its arguments."""
        return any(self._directory().glob(f"{self._name()}-*.o"))

    def function(self, description: str, arguments: tuple[Any, ...]) -> Any:
        """The compiled function for arguments of some types."""
        found = self._loaded.get(description)
        if found is None:
            with _lock:
                found = self._loaded.get(description)
                if found is None:
                    path = self._directory() / f"{self._name()}-{machine_code.digest([description])[:32]}.o"
                    code = machine_code.read(path)
                    if code is None:
                        code = self._compile(arguments)
                        machine_code.write(path, code)
                    found = self._loaded[description] = _FUNCTION(machine_code.load(code, _ENTRY))
        return found

    def _name(self) -> str:
        return f"{self.py_func.__module__.rpartition('.')[2]}.{self.py_func.__qualname__}"

    def _directory(self) -> Path:
        return compiled_directory(self.py_func.__code__.co_filename)

    def _compile(self, arguments: tuple[Any, ...]) -> bytes:
        import llvmlite.binding as llvm
        import numba
        from numba import types

        unpack, store = _argument_reader(tuple(map(numba.typeof, arguments))), _result_writer()
        inner = Compiled(self.py_func, no_cpython_wrapper=True, no_cfunc_wrapper=True).dispatcher

        def entry(job: int, results: int) -> None:
            store(results, inner(*unpack(job)))

        dispatcher = numba.njit(**_OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)(entry)
        dispatcher.compile((types.int64, types.int64))
        [compiled] = dispatcher.overloads.values()
        source = compiled.library.get_llvm_str().replace(compiled.fndesc.llvm_func_name, _ENTRY)
        module = llvm.parse_assembly(source)
        return bytes(machine_code.target_machine().emit_object(module))


def entry_point(function: Callable[..., Any]) -> EntryPoint:
    """Compile a function that Python calls."""
    return EntryPoint(function)


class Bound:
    """A compiled function with its first arguments."""

    def __init__(self, entry: EntryPoint, arguments: tuple[Any, ...]) -> None:
        self._entry, self._arguments = entry, arguments  # which keeps their memory alive
        types, words = _flat(arguments)
        self._types, self._words = types, np.array(words, np.int64)
        self._results = np.zeros(1 + _MOST_RESULTS, np.int64)
        self._unused = np.zeros(2, np.int64)  # where Numba's calling convention has results and exceptions

    def __call__(self, *arguments: Any) -> Any:
        """Call the function with the rest of its arguments."""
        types, words = _flat(arguments)
        function = self._entry.function(f"{self._types} {types}", (*self._arguments, *arguments))
        job = np.concatenate((self._words, np.array(words, np.int64)))
        unused = self._unused.ctypes.data
        function(unused, unused + 8, job.ctypes.data, self._results.ctypes.data)
        count = int(self._results[0])
        if count == 0:
            return None
        return int(self._results[1]) if count == 1 else tuple(self._results[1 : 1 + count].tolist())


def _flat(values: tuple[Any, ...]) -> tuple[str, list[int]]:
    """The types of arguments, and what they consist of as 64-bit words."""
    types: list[str] = []
    words: list[int] = []
    for value in values:
        _flatten(value, types, words)
    return " ".join(types), words


def _flatten(value: Any, types: list[str], words: list[int]) -> None:
    """Add the type of an argument, and what it consists of as 64-bit words."""
    if isinstance(value, np.ndarray):
        flags = value.flags
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        types.append(f"{value.dtype.str}{value.ndim}{layout}{flags.writeable:d}{flags.aligned:d}")
        words += (value.__array_interface__["data"][0], *value.shape, *value.strides)
    elif isinstance(value, tuple):
        types.append(f"{type(value).__name__}(")
        for part in value:
            _flatten(part, types, words)
        types.append(")")
    elif isinstance(value, float):
        types.append("float")
        words.append(int(np.float64(value).view(np.int64)))
    elif isinstance(value, (int, np.integer)):
        types.append(type(value).__name__)
        words.append(int(value))
    else:
        raise TypeError(
            f"an entry point was given a {type(value).__name__}: expected arrays, numbers and tuples of these"
        )


def _argument_reader(kinds: tuple[Any, ...]) -> Any:
    """An intrinsic that makes arguments of some types from the words at an address."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic
    from numba.np import arrayobj

    word = ir.IntType(64)

    @intrinsic
    def unpack(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            at = iter(range(1 << 20))
            base = builder.inttoptr(arguments[0], word.as_pointer())

            def take() -> Any:
                return builder.load(builder.gep(base, [word(next(at))]))

            def make(kind: Any) -> Any:
                if isinstance(kind, types.BaseTuple):
                    return context.make_tuple(builder, kind, [make(part) for part in kind])
                if isinstance(kind, types.Array):
                    array = arrayobj.make_array(kind)(context, builder)
                    data = builder.inttoptr(take(), array.data.type)
                    shape, strides = ([take() for _ in range(kind.ndim)] for _ in range(2))
                    size = word(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
                    arrayobj.populate_array(array, data, shape, strides, size, meminfo=None)
                    return array._getvalue()
                if kind == types.float64:
                    return builder.bitcast(take(), ir.DoubleType())
                bits = 1 if isinstance(kind, types.Boolean) else kind.bitwidth
                return take() if bits == word.width else builder.trunc(take(), ir.IntType(bits))

            return make(result)

        result = types.Tuple(kinds)
        return result(types.int64), generate

    return unpack


def _result_writer() -> Any:
    """An intrinsic that writes the number of results, and then these, to an address."""
    from llvmlite import ir
    from numba import types
    from numba.extending import intrinsic

    word = ir.IntType(64)

    @intrinsic
    def store(typing_context: Any, address: Any, results: Any) -> Any:
        parts = () if results == types.none else tuple(results) if isinstance(results, types.BaseTuple) else (results,)
        if len(parts) > _MOST_RESULTS or not all(isinstance(part, types.Integer) for part in parts):
            raise TypeError(f"an entry point returns {results}: expected nothing or at most {_MOST_RESULTS} integers")

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            base = builder.inttoptr(arguments[0], word.as_pointer())
            single = not isinstance(results, types.BaseTuple)
            builder.store(word(len(parts)), base)
            for number, part in enumerate(parts):
                value = arguments[1] if single else builder.extract_value(arguments[1], number)
                value = context.cast(builder, value, part, types.int64)
                builder.store(value, builder.gep(base, [word(1 + number)]))
            return context.get_dummy_value()

        return types.none(types.int64, results), generate

    return store


def compiled_directory(file: str) -> Path:
    """Directory of the functions in a file, whose name changes with everything that they are compiled from."""
    return cache_directory() / "engine" / _sources_of(file)


@functools.cache
def _sources_of(file: str) -> str:
    root = Path(__file__).parent
    mixed = [str(path.relative_to(root)) for path in sorted((root / "evolution").glob("*.py")) if _is_compiled(path)]
    parts = [machine_code.sources_digest(*_SOURCES, *mixed), version("numba"), np.__version__, str(PROFILING)]
    if not Path(file).is_relative_to(root):
        parts.append(Path(file).read_text(encoding="utf-8"))
    return machine_code.digest(parts)[:32]


def _is_compiled(path: Path) -> bool:
    return b"automl_zero.jit import" in path.read_bytes()
