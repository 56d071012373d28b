"""Which programs run together on the JAX backend, and that little is compiled for them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

import jax

from automl_zero import evaluate, programs
from automl_zero.interpreters.jax_lockstep import Evaluator, evaluator
from automl_zero.interpreters.jax_lockstep import evaluate as evaluation
from automl_zero.interpreters.jax_lockstep.batches import SIZES, batches, fitting, pack_batch
from automl_zero.interpreters.numpy_interpreter import evaluate_program
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, Op, RegisterType, register, unregister
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import linear_regression

MEMORY = MemorySpec(4, 3, 1)
TASKS = linear_regression(num_tasks=2, num_features=2, num_train=6, num_valid=4)
LARGEST = {False: 256, True: 64}
ADD = Instruction("scalar_sum", 1, 2, 1)
NORM = Instruction("matrix_norm", 0, out=1)


def of_size(size: int, matrices: bool = False) -> Program:
    return Program(MEMORY, (), (ADD,) * size + (NORM,) * matrices, ())


def random_program(seed: int) -> Program:
    """A random program without matrices, of random size."""
    names = [op.name for op in TABLE if RegisterType.MATRIX not in (*op.inputs, op.output)]
    sizes = dict.fromkeys(COMPONENTS, int(np.random.default_rng(seed).integers(1, 8)))
    return programs.random(MEMORY, dict.fromkeys(COMPONENTS, names), sizes, seed)


def cut(several: list[Program]) -> list[Any]:
    return batches(several, LARGEST, num_train=10, num_valid=5)


def test_programs_are_split_by_their_need_of_matrices_and_sorted_by_cost():
    several = [of_size(5), of_size(3, matrices=True), of_size(9), of_size(1), of_size(2, matrices=True)]
    without, with_matrices = cut(several)
    assert (without.members, without.uses_matrices, without.slots) == ((3, 0, 2), False, 32)
    assert (with_matrices.members, with_matrices.uses_matrices, with_matrices.slots) == ((4, 1), True, 8)


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [16]), (16, [16]), (17, [16, 16]), (70, [64, 16]), (600, [256, 256, 64, 16, 16])]
)
def test_batches_have_a_few_fixed_sizes(count, sizes):
    found = cut([of_size(1)] * count)
    assert [batch.size for batch in found] == sizes
    assert sorted(i for batch in found for i in batch.members) == list(range(count))


def test_small_memory_means_small_batches():
    assert fitting(MemorySpec(4, 3, 0), 4, 10, 4, 2**22) == 1024
    assert fitting(MemorySpec(4, 3, 4), 256, 10, 4, 2**22) == 1
    room = fitting(MemorySpec(4, 3, 4), 16, 100, 8, 2**24)
    assert room in SIZES
    assert 1 < room < 64
    assert [batch.size for batch in batches([of_size(1)] * 6, {False: 4, True: 1}, 1, 1)] == [4, 4]


def test_places_that_are_left_hold_a_program_again():
    (batch,) = cut([of_size(2), of_size(1)])
    packed = pack_batch([of_size(2), of_size(1)], batch, "float32")
    assert packed.sizes[:, 1].tolist() == [1, 2] + [1] * 14
    assert packed.code[0].tolist() == packed.code[-1].tolist()


def test_results_are_in_the_order_of_the_programs():
    several = [of_size(0, matrices=True), *(random_program(seed) for seed in range(20)), of_size(0), of_size(3)]
    fitness = evaluate(several, TASKS, backend="jax")
    assert fitness.dtype == np.float64
    expected = [evaluate_program(program, TASKS, "float32") for program in several]
    np.testing.assert_allclose(fitness, expected, atol=1e-5)
    assert evaluate(several[1], TASKS, backend="jax").tolist() == fitness[1].tolist()
    assert evaluate([], TASKS, backend="jax").shape == (0, 2)


def test_nothing_is_compiled_after_a_while(monkeypatch):
    traced: Counter[tuple[int, ...]] = Counter()
    lay_out = evaluation.lay_out

    def counted(packed: Any, shape: Any) -> Any:
        traced[packed.code.shape] += 1
        return lay_out(packed, shape)

    monkeypatch.setattr(evaluation, "lay_out", counted)
    data = linear_regression(num_tasks=1, num_features=2, num_train=3, num_valid=2)
    backend = Evaluator(data, "float32")
    backend.evaluate([random_program(seed) for seed in range(50)])
    assert sum(traced.values()) == 1
    rng = np.random.default_rng(0)
    for count in rng.integers(1, 64, 10).tolist():
        fitness, steps = backend.evaluate([random_program(seed) for seed in rng.integers(1000, size=count).tolist()])
        assert (fitness.shape, steps.shape) == ((count, 1), (count,))
        assert steps.min() >= 1
    assert sum(traced.values()) == 1


def test_the_users_settings_of_jax_stay(monkeypatch):
    def settings() -> tuple[Any, ...]:
        return jax.config.jax_enable_x64, jax.config.jax_default_device, jax.config.jax_platforms

    before = settings()
    seen = []
    monkeypatch.setattr(evaluator, "_compiled", lambda *_, **__: seen.append(settings()) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Evaluator(TASKS, "float64").evaluate([programs.linear()])
    assert seen[0][0] is True
    assert settings() == before


def test_programs_that_do_not_fit_the_labels_are_refused():
    labels = np.eye(2)[[0, 1, 1]]
    from automl_zero.tasks import from_arrays

    tasks = from_arrays(np.ones((3, 2)), labels, np.ones((3, 2)), labels, "accuracy")
    with pytest.raises(ValueError, match="v1 is the label in tasks with vector labels"):
        evaluate(programs.linear(), tasks, backend="jax")


def test_an_op_without_a_body_for_this_backend_is_refused_when_it_is_used():
    scalar = RegisterType.SCALAR
    op = register(Op("scalar_half", (scalar,), scalar, "{out} = half({in1})"), numpy=lambda a: a / 2)
    try:
        program = Program(MEMORY, (), (Instruction(op.name, 1, out=1),), ())
        with pytest.raises(ValueError, match="op 'scalar_half' has no body for the jax backend"):
            evaluate(program, TASKS, backend="jax")
    finally:
        unregister(op.name)
