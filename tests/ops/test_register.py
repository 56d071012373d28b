"""A user's op takes part in everything that reads the table, and can be removed again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.evolution.config import load_config
from automl_zero.evolution.mutation import make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.evolution.search import evolve
from automl_zero.interpreters.numba_interpreter import execute
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType, register, unregister
from automl_zero.program import Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays
from tests.compiled import draw_instruction

SCALAR, VECTOR, MATRIX = RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX
MEMORY = MemorySpec(3, 2, 0)
LINEAR = programs.linear()


@pytest.fixture(autouse=True)
def clean_table() -> Iterator[None]:
    yield
    while len(TABLE) > NUM_BUILT_IN:
        unregister(TABLE[len(TABLE) - 1].name)


@pytest.fixture
def tanh() -> Op:
    op = Op("scalar_tanh", (SCALAR,), SCALAR, "{out} = tanh({in1})")
    return register(op, numpy=np.tanh, numba=lambda code, x: code.libm("tanh", x))


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    x = np.random.default_rng(0).normal(size=(3, 12, 4))
    return from_arrays(x[:, :8], x[:, :8].sum(2), x[:, 8:], np.tanh(x[:, 8:].mean(2)))


def squashed() -> Program:
    predict = (Instruction("vector_mean", 0, out=2), Instruction("scalar_tanh", 2, out=1))
    return Program(MEMORY, (), predict, ())


def test_a_registered_op_gets_the_next_id(tanh):
    assert tanh.id == NUM_BUILT_IN
    assert TABLE["scalar_tanh"] is TABLE[NUM_BUILT_IN] is tanh
    assert (tanh.signature, tanh.source) == ("s->s", "user")


def test_both_interpreters_run_it(tanh, tasks):
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-6)):
        expected = evaluate(squashed(), tasks, "numpy", dtype)
        np.testing.assert_allclose(expected, 1.0, atol=1e-6)
        np.testing.assert_allclose(evaluate(squashed(), tasks, "numba", dtype), expected, atol=tolerance)


def test_the_built_in_ops_are_as_before_beside_it(tanh, tasks):
    for program in (LINEAR, programs.neural_net()):
        with_op = evaluate(program, tasks, dtype="float64")
        np.testing.assert_allclose(with_op, evaluate(program, tasks, "numpy", "float64"), atol=1e-9)
    unregister("scalar_tanh")
    np.testing.assert_array_equal(evaluate(program, tasks, dtype="float64"), with_op)


def test_program_files_and_pseudocode_know_it(tanh):
    text = squashed().to_json()
    assert '{"op": "scalar_tanh", "in1": 2, "out": 1}' in text
    assert Program.from_json(text) == squashed()
    assert "s1 = tanh(s2)" in str(squashed())
    unregister("scalar_tanh")
    with pytest.raises(ValueError, match=r"predict\[1\]\.op: unknown op 'scalar_tanh'"):
        Program.from_json(text)


def test_random_programs_use_it(tanh):
    drawn = programs.random(MEMORY, {"predict": ["scalar_tanh", "no_op"]}, {"predict": 50}, seed=0)
    assert {instruction.op for instruction in drawn.predict} == {"scalar_tanh", "no_op"}


def test_a_search_draws_it_and_evaluates_it(tanh, tasks):
    overrides = ["search_space.predict.ops=['scalar_tanh']", "max_individuals=60", "tasks.search.num_tasks=3"]
    small = [f"tasks.{part}.num_{kind}=5" for part in ("search", "select", "final") for kind in ("train", "valid")]
    config = load_config("linear", [*overrides, *small, "select_above=none"])
    space = make_space(config)
    code, constants = np.zeros((20, 4), np.uint8), np.zeros((20, 3))
    draw_instruction(1, 10, code, constants, space, new_generator(0))
    assert code[10, 0] == tanh.id
    result = evolve(config, seed=1)
    assert {instruction.op for instruction in result.program.predict} == {"scalar_tanh"}
    assert result.individuals == 60


def test_an_op_on_vectors_and_matrices_runs_on_all_elements():
    def hypotenuse(x, y):
        return np.sqrt(x * x + y * y)

    def on_lanes(code, x, y):
        return code.sqrt(code.add(code.mul(x, x), code.mul(y, y)))

    for kind, F in ((VECTOR, 3), (MATRIX, 3), (MATRIX, 33)):
        op = Op("hypotenuse", (kind, kind), kind, "{out} = hypot({in1}, {in2})")
        op = register(op, numpy=hypotenuse, numba=on_lanes)
        x, y = np.random.default_rng(F).normal(size=(2, *[F] * (kind - 1)))
        computed = execute(op, (), F, x, y, np.zeros_like(x), "float64")
        np.testing.assert_array_equal(computed, hypotenuse(x, y))
        unregister("hypotenuse")


def test_bodies_can_use_libraries_comparisons_and_constants():
    def capped_log(code, x):
        logarithm, one = code.libm("log1p", code.abs(x)), code.full(1.0, x)
        return code.select(code.less(logarithm, one), logarithm, one)

    op = register(Op("capped_log", (SCALAR,), SCALAR, "{out} = min(1, log1p(abs({in1})))"), numba=capped_log)
    computed = [float(execute(op, (), 2, x, None, 0.0, "float64")) for x in (0.5, -0.5, 5.0, np.inf)]
    np.testing.assert_allclose(computed, [np.log(1.5), np.log(1.5), 1.0, 1.0], rtol=1e-14)


def test_removing_it_leaves_no_trace(tanh):
    unregister("scalar_tanh")
    assert len(TABLE) == NUM_BUILT_IN
    assert "scalar_tanh" not in TABLE
    assert all("scalar_tanh" not in bodies for bodies in TABLE.bodies.values())
    with pytest.raises(ValueError, match="op: unknown op 'scalar_tanh'"):
        squashed()
    with pytest.raises(ValueError, match="can be removed"):
        unregister("scalar_tanh")


def test_an_op_without_a_body_for_a_backend_is_refused_when_it_is_used(tasks):
    register(Op("scalar_half", (SCALAR,), SCALAR, "{out} = {in1} / 2"), numpy=lambda x: x / 2)
    half = Program(MEMORY, (), (Instruction("scalar_half", 2, out=1),), ())
    evaluate(half, tasks, "numpy")
    with pytest.raises(ValueError, match="op 'scalar_half' has no body for the numba backend"):
        evaluate(half, tasks, "numba")


def test_a_body_for_lanes_needs_operands_and_output_of_one_type():
    op = register(Op("scaled", (SCALAR, VECTOR), VECTOR, "{out} = {in1} * {in2}"), numba=lambda code, x, y: x)
    with pytest.raises(ValueError, match=r"op 'scaled': .* one type, not s,v->v"):
        execute(op, (), 2, 1.0, [1.0, 2.0], [0.0, 0.0], "float64")


def test_only_user_ops_with_a_body_can_be_registered():
    op = Op("scalar_half", (SCALAR,), SCALAR, "{out} = {in1} / 2")
    with pytest.raises(ValueError, match="no body given"):
        register(op)
    with pytest.raises(ValueError, match="source must stay 'user'"):
        register(TABLE["scalar_sum"], numpy=np.add)
    with pytest.raises(ValueError, match="op 'scalar_sum' exists already"):
        register(Op("scalar_sum", (SCALAR,), SCALAR, "{out} = {in1}"), numpy=abs)
    assert len(TABLE) == NUM_BUILT_IN
