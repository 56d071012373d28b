"""Compiled functions that Python calls by their address, with arrays, numbers and named tuples of these."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from automl_zero import machine_code
from automl_zero.jit import callable_from_python, entry_point, inlined, jit


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path))
    return tmp_path


class Inner(NamedTuple):
    weights: npt.NDArray[np.float64]
    scale: float


class Outer(NamedTuple):
    inner: Inner
    numbers: npt.NDArray[np.int64]
    flags: tuple[int, bool]


@jit
def _weighted(inner, i, j):  # type: ignore[no-untyped-def]
    return inner.weights[i, j] * inner.scale


@inlined
def _offset(outer):  # type: ignore[no-untyped-def]
    return outer.flags[0] if outer.flags[1] else -outer.flags[0]


@entry_point
def _fill(outer, factor, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = factor * _weighted(outer.inner, i, j) + outer.numbers[i] + _offset(outer)


WEIGHTS = np.arange(6.0).reshape(2, 3)
NUMBERS = np.array([10, -20])


def filled(outer: Outer, factor: float) -> Any:
    out = np.zeros((2, 3))
    assert _fill(outer, factor, out) is None
    return out.tolist()


def test_an_entry_point_reads_and_writes_the_memory_of_its_arguments():
    outer = Outer(Inner(WEIGHTS, 0.5), NUMBERS, (7, True))
    assert filled(outer, 2.0) == np.add(WEIGHTS, [[17], [-13]]).tolist()
    assert filled(outer._replace(flags=(7, False)), -2.0) == np.add(-WEIGHTS, [[3], [-27]]).tolist()


def test_arrays_may_have_any_order_and_gaps():
    wide = np.zeros((4, 9))
    wide[::2, ::3] = WEIGHTS
    for weights in (np.asfortranarray(WEIGHTS), wide[::2, ::3], WEIGHTS[::-1][::-1], np.ascontiguousarray(WEIGHTS)):
        assert filled(Outer(Inner(weights, 1.0), NUMBERS, (0, True)), 1.0) == np.add(WEIGHTS, [[10], [-20]]).tolist()


def test_an_array_that_must_not_be_written_can_be_read():
    frozen = WEIGHTS.copy()
    frozen.flags.writeable = False
    assert filled(Outer(Inner(frozen, 1.0), NUMBERS, (0, True)), 1.0) == np.add(WEIGHTS, [[10], [-20]]).tolist()


def test_every_type_has_a_version_of_its_own_on_disk(cache):
    @entry_point
    def double(array):  # type: ignore[no-untyped-def]
        for i in range(array.size):
            array[i] += array[i]

    assert not double.is_compiled()
    for kind in (np.float64, np.float32, np.uint8):
        array = np.arange(3, dtype=kind)
        double(array)
        assert array.tolist() == [0, 2, 4]
    assert double.is_compiled()
    assert len(list(cache.glob("engine/*/*.o"))) == 3


@entry_point
def _none(x):  # type: ignore[no-untyped-def]
    x[0] = 1


@entry_point
def _one(x, n):  # type: ignore[no-untyped-def]
    return n - x.size


@entry_point
def _some(x, n):  # type: ignore[no-untyped-def]
    return n, -1, x[0]


def test_results_are_nothing_an_integer_or_some():
    x = np.zeros(3, np.int32)
    assert _none(x) is None
    assert _one(x, -(1 << 62)) == -(1 << 62) - 3
    assert _some(x, 5) == (5, -1, 1)


def test_other_results_are_refused():
    @entry_point
    def half(n):  # type: ignore[no-untyped-def]
        return n * 0.5

    with pytest.raises(Exception, match="expected nothing or at most 8 integers"):
        half(1)


def test_other_arguments_are_refused():
    @entry_point
    def nothing(x):  # type: ignore[no-untyped-def]
        pass

    with pytest.raises(TypeError, match="an entry point was given a str"):
        nothing("text")


def test_bound_arguments_are_those_of_then_and_their_memory_that_of_now():
    x = np.zeros(2, np.int64)
    bound = _one.bind(x)
    assert [bound(number) for number in (5, 9)] == [3, 7]
    some = _some.bind(x)
    x[0] = 42
    assert some(1) == (1, -1, 42)


def test_the_first_calls_may_come_from_many_threads(cache):
    @entry_point
    def count(x):  # type: ignore[no-untyped-def]
        return x.size

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(count, [np.zeros(5)] * 8)) == [5] * 8
    assert len(list(cache.glob("engine/*/*.o"))) == 1


def test_a_damaged_file_is_compiled_anew(cache):
    @entry_point
    def count(x):  # type: ignore[no-untyped-def]
        return x.size

    assert count(np.zeros(4)) == 4
    [file] = cache.glob("engine/*/*.o")
    file.write_bytes(file.read_bytes()[:-10])
    assert machine_code.read(file) is None
    assert type(count)(count.py_func)(np.zeros(4)) == 4
    assert machine_code.read(file) is not None


def test_what_only_compiled_code_may_call_says_so():
    with pytest.raises(TypeError, match="_weighted can be called by compiled code only"):
        _weighted(Inner(WEIGHTS, 1.0), 0, 0)
    assert callable_from_python(_weighted)(Inner(WEIGHTS, 2.0), 1, 2) == 10.0
    assert _offset.py_func(Outer(Inner(WEIGHTS, 1.0), NUMBERS, (4, False))) == -4
