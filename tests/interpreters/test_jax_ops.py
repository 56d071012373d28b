"""The JAX backend, op by op, against the numpy interpreter."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

import jax

from automl_zero.interpreters import numpy_interpreter
from automl_zero.interpreters.jax_lockstep import execute, shape_of
from automl_zero.interpreters.jax_lockstep.bodies import ops_of_variant
from automl_zero.interpreters.jax_lockstep.exactly import UNROLLED, Exactly
from automl_zero.interpreters.jax_lockstep.instructions import _thresholds
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, ConstantKind, Op, RegisterType, register, unregister
from automl_zero.tasks import linear_regression
from benchmarks.conformance import main
from tests.test_conformance import OPS

F = 3
FORMS = [("float32", False), ("float64", False), ("float32", True)]
DETERMINISTIC = [TABLE[i] for i in range(1, NUM_BUILT_IN) if not TABLE[i].random]
#: elementary functions, within a few units in the last place; a sum of three may round in another order
LIMIT = {"float32": 1e-6, "float64": 4e-15}
EXACT = {"sum", "diff", "product", "division", "abs", "reciprocal", "min", "max", "heaviside", "heaviside_one_at_zero"}


@functools.cache
def flushes_denormals(dtype: str) -> bool:
    """Whether the platform takes denormal numbers for zeros, as XLA does on CPUs."""
    smallest = np.finfo(dtype).tiny
    with jax.enable_x64(dtype == "float64"):
        return bool(np.asarray(jax.jit(lambda a: a + a)(np.full(1, smallest / 4, dtype)))[0] == 0)


def special_values(op: Op, dtype: str) -> np.ndarray:
    limits = np.finfo(dtype)
    values = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, limits.tiny, 0.5, -2.0]
    if op.elementwise:  # a sum of them would depend on the order
        values += [limits.max, -limits.max]
    if not flushes_denormals(dtype):
        values += [limits.tiny / 4, -limits.tiny / 4]
    return np.array(values, dtype)


def contents(kind: RegisterType, values: np.ndarray, rng: np.random.Generator) -> Any:
    return rng.choice(values, (F,) * (kind - 1))


def operands(op: Op, values: np.ndarray, rng: np.random.Generator) -> tuple[Any, Any]:
    in1, in2 = (*(contents(kind, values, rng) for kind in op.inputs), None, None)[:2]
    return in1, in2


def constants(op: Op, rng: np.random.Generator) -> tuple[float, ...]:
    # All fractions are exact in float32, as those of programs are.
    return tuple(
        float(np.float32(rng.uniform() * 0.999 if kind == ConstantKind.INDEX else rng.normal()))
        for _, kind in op.constants
    )


def assert_same(op: Op, dtype: str, actual: np.ndarray, expected: np.ndarray) -> None:
    assert actual.dtype == expected.dtype == dtype
    limits = np.finfo(dtype)
    if flushes_denormals(dtype):
        expected, actual = (np.where(np.abs(a) <= limits.tiny, a * 0, a) for a in (expected, actual))
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    np.testing.assert_allclose(actual, expected, rtol=0 if op.elementwise in EXACT else LIMIT[dtype], atol=0)
    if op.elementwise in EXACT:
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(actual)[known], np.signbit(expected)[known])


@pytest.mark.parametrize(("dtype", "one_hot"), FORMS)
@pytest.mark.parametrize("op", DETERMINISTIC, ids=lambda op: op.name)
def test_an_op_is_that_of_the_definition(op, dtype, one_hot):
    rng = np.random.default_rng(op.id)
    ordinary = np.concatenate([rng.normal(size=50), rng.uniform(-1, 1, 50), rng.normal(size=50) * 30]).astype(dtype)
    for values in [ordinary] * 2 + [special_values(op, dtype)] * 3:
        case = (op, constants(op, rng), F, *operands(op, values, rng), contents(op.output, ordinary, rng), dtype)
        with np.errstate(all="ignore"):
            expected = numpy_interpreter.execute(*case)
            assert_same(op, dtype, execute(*case, one_hot=one_hot), expected)


@pytest.mark.parametrize("op", [op for op in DETERMINISTIC if op.output in op.inputs], ids=lambda op: op.name)
def test_an_op_may_write_the_register_it_reads(op):
    rng = np.random.default_rng(op.id)
    for first, second in ((1, 1), (0, 1), (1, 0)):
        in1, in2 = operands(op, rng.uniform(0.1, 1, 50), rng)
        alias = (first, second if len(op.inputs) == 2 else None, 1)
        case = (op, (), F, in1, in2, contents(op.output, np.ones(1), rng), "float64", alias)
        assert_same(op, "float64", execute(*case), numpy_interpreter.execute(*case))


@pytest.mark.parametrize(("kind", "smaller"), [("scalar", 0.0), ("vector", np.zeros(F))])
def test_min_and_max_take_the_first_unless_the_second_is_beyond(kind, smaller):
    for name in ("min", "max"):
        for first, second in ((np.nan, 1.0), (1.0, np.nan), (0.0, -0.0), (-0.0, 0.0)):
            case = (TABLE[f"{kind}_{name}"], (), F, smaller + first, smaller + second, smaller, "float32")
            result = execute(*case)
            np.testing.assert_array_equal(result, np.full_like(result, first))
            assert np.isnan(first) or (np.signbit(result) == np.signbit(np.float32(first + smaller))).all()


def test_the_standard_deviation_of_equal_numbers_is_rounded_step_by_step():
    # A fused multiply-add would leave a remainder, and a NaN where it is negative.
    for value in np.random.default_rng(0).normal(size=20):
        case = (TABLE["vector_st_dev"], (), F, np.full(F, value), None, 0.0, "float64")
        with np.errstate(invalid="ignore"):
            np.testing.assert_array_equal(execute(*case), numpy_interpreter.execute(*case))


@pytest.mark.parametrize("count", [1, 2, 10, UNROLLED + 1])
def test_products_are_rounded_before_they_are_added(count):
    a, b = np.random.default_rng(count).normal(size=(2, count))
    expected = 0.0
    for product in a * b:
        expected += product
    with jax.enable_x64(True):
        added = jax.jit(lambda zero, a, b: Exactly(zero).added(lambda k: a[k] * b[k], count))
        assert added(np.int32(0), a, b) == expected


@pytest.mark.parametrize("features", [1, 2, 3, 5, 7, 10, 49, 784, 3072])
def test_indices_are_cut_exactly(features):
    rng = np.random.default_rng(features)
    near = (np.arange(features + 1) / features).astype(np.float32)
    fractions = np.concatenate(
        [near, np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(1)), rng.random(100, np.float32)]
    )
    fractions = fractions[fractions < 1]
    places = np.searchsorted(_thresholds(features), fractions, side="right")
    assert places.tolist() == [int(features * float(fraction)) for fraction in fractions]


def test_every_op_agrees_with_the_reference(capsys):
    assert main([str(OPS), "--backend", "jax"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "808 passed, 0 failed"


def test_an_op_of_the_users_runs_by_its_jax_body():
    shapes = []
    for factor in (3.0, 5.0):  # the second op has the first one's id, and must not be taken for it
        op = register(
            Op("scalar_times", (RegisterType.SCALAR,), RegisterType.SCALAR, "{out} = times({in1})"),
            jax=lambda a, factor=factor: a * factor,
        )
        try:
            assert op.id in ops_of_variant(uses_matrices=False)
            shapes.append(shape_of(MemorySpec(2, 1, 0), linear_regression(num_tasks=1), "float32", False))
            if factor == 5.0:
                assert execute(op, (), F, 2.0, None, 0.0, "float32") == 10.0
        finally:
            unregister("scalar_times")
    assert shapes[0] != shapes[1]
