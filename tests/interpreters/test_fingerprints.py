"""Fingerprints of probes: of predictions over all tasks, and of absolute errors on each task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.compiled import new_canonical
from automl_zero.interpreters.evaluate_code import FINGERPRINT_PRIME, NOT_A_NUMBER, STOPPED
from automl_zero.interpreters.execute import _PROBE_START
from automl_zero.interpreters.lane_data import lay_out, new_arena
from automl_zero.interpreters.numpy_interpreter import TaskRun
from automl_zero.memory import MemorySpec
from automl_zero.ops.arrays import op_arrays
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.program_arrays import pack, starts_of
from automl_zero.tasks import TaskSet, from_arrays
from tests.clusters import clusters
from tests.compiled import canonicalise, encode, run_kernel

MEMORY = MemorySpec(4, 5, 2)
OPS = op_arrays()
ALL_BITS = -1
WORD = 2**64


def probe(
    program: Program, tasks: TaskSet, errors: bool, dtype: str = "float64", mask: int = ALL_BITS, N: int = 5, M: int = 3
) -> tuple[int, list[int]]:
    """The fingerprint over all tasks and that on each task."""
    data = lay_out(tasks, dtype)
    code, constants, sizes = pack(program)
    form = new_canonical(len(code))
    canonicalise(code, constants, sizes, starts_of(sizes), data.num_features, data.num_classes, OPS, form)
    arena = new_arena(data, len(code), MEMORY.scalars, MEMORY.vectors, MEMORY.matrices)
    encode(form, data, OPS, arena)
    _, value = run_kernel(form, data, arena, N, M, 1, mask, int(errors))
    assert arena.fingerprints.shape == (data.blocks, data.lanes)
    return int(value), arena.fingerprints.reshape(-1)[: tasks.num_tasks].tolist()


def hashed(numbers: Sequence[float | None], dtype: str) -> int:
    """The fingerprint of a sequence of numbers, None standing for a stop, as specified."""
    value = int(_PROBE_START)
    for number in numbers:
        if number is None:
            bits = STOPPED
        elif np.isnan(number):
            bits = NOT_A_NUMBER
        else:
            bits = int(np.array(number, dtype).view(np.uint32 if dtype == "float32" else np.uint64))
        value = (value ^ bits) * FINGERPRINT_PRIME % WORD
        value ^= value >> 32
    return value


def errors_by_definition(program: Program, tasks: TaskSet, task: int, dtype: str, N: int = 5, M: int = 3) -> list:
    """Absolute errors of a probe; None where the task stops, which ends them."""
    with np.errstate(all="ignore"):
        run = TaskRun(program, tasks, task, dtype)
        errors, trained = run.train(0, range(N))
        if not trained:
            return [*errors, None]
        validated, valid = run.validate(0, range(M))
    return [*errors, *validated] if valid else [*errors, *validated, None]


def regression(D: int, evaluation: str) -> TaskSet:
    generator = np.random.default_rng(D)
    x, valid_x = (generator.normal(size=(D, n, 4)) * generator.choice([0, 1, 9], size=(D, n, 1)) for n in (7, 5))
    y, valid_y = (a.sum(2) if evaluation == "rmse" else a.sum(2) > 0 for a in (x, valid_x))
    return from_arrays(x, y, valid_x, valid_y, evaluation, max_abs_error=20.0 if evaluation == "rmse" else 0.9)


KINDS = {
    "rmse": lambda D: regression(D, "rmse"),
    "accuracy": lambda D: regression(D, "accuracy"),
    "classes": lambda D: clusters(D, 3, 4, N=7, M=5),
}


def exact_programs(count: int, num_classes: int) -> list[Program]:
    """Random programs whose values both backends compute to the bit, up to sigmoid and softmax."""
    ops = [*("scalar_sum", "scalar_diff", "scalar_product", "scalar_abs", "scalar_reciprocal", "scalar_const_set")]
    ops += ["vector_sum", "vector_diff", "vector_product", "vector_abs", "scalar_broadcast", "scalar_vector_product"]
    ops += ["matrix_const_set", "vector_const_set", "vector_max"]
    allowed = dict.fromkeys(COMPONENTS, ops)
    generator = np.random.default_rng(0)
    sizes = dict.fromkeys(COMPONENTS, 8)
    return [programs.random(MEMORY, allowed, sizes, generator, num_classes) for _ in range(count)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_fingerprints_of_errors_are_those_of_the_errors_by_definition(kind, dtype):
    tasks = KINDS[kind](18)
    agreeing, stops, different = [], 0, set()
    for program in exact_programs(60, tasks.num_classes):
        fingerprints = probe(program, tasks, errors=True, dtype=dtype)[1]
        for task in (0, 3, 17):
            errors = errors_by_definition(program, tasks, task, dtype)
            agreeing.append(fingerprints[task] == hashed(errors, dtype))
            stops += None in errors
            different.add(fingerprints[task])
    # The logistic function and the softmax may differ in the last place.
    assert np.mean(agreeing) >= (1.0 if kind == "rmse" else 0.7)
    assert len(different) > 10
    assert stops > 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_fingerprint_of_errors_depends_on_its_task_alone(kind):
    tasks = KINDS[kind](18)
    for program in exact_programs(40, tasks.num_classes):
        fingerprints = probe(program, tasks, errors=True)[1]
        assert probe(program, tasks.take(1), errors=True)[1] == fingerprints[:1]
        assert probe(program, tasks.take(9), errors=True)[1] == fingerprints[:9]


def test_a_fingerprint_of_errors_ignores_their_sign():
    tasks = from_arrays(np.ones((7, 2)), np.zeros(7), np.ones((5, 2)), np.zeros(5))
    predicting = [
        Program(MEMORY, (), (Instruction("scalar_const_set", out=1, constants=(value,)),), ()) for value in (2.0, -2.0)
    ]
    assert probe(predicting[0], tasks, errors=True) == probe(predicting[1], tasks, errors=True)
    assert probe(predicting[0], tasks, errors=False) != probe(predicting[1], tasks, errors=False)


def test_the_mask_cuts_errors_as_it_cuts_predictions():
    tasks = from_arrays(np.ones((7, 2)), np.zeros(7), np.ones((5, 2)), np.zeros(5))
    predicting = [
        Program(MEMORY, (), (Instruction("scalar_const_set", out=1, constants=(value,)),), ()) for value in (1.0, 1.01)
    ]
    coarse = -(1 << 48)
    assert probe(predicting[0], tasks, True, mask=coarse) == probe(predicting[1], tasks, True, mask=coarse)
    assert probe(predicting[0], tasks, True) != probe(predicting[1], tasks, True)


# -- predictions of vector labels ------------------------------------------------------------------------------------


def numbers(*values: float) -> tuple[Instruction, ...]:
    """Instructions that set v2."""
    return tuple(Instruction("vector_const_set", out=2, constants=((i + 0.5) / 4, v)) for i, v in enumerate(values))


def test_a_fingerprint_covers_all_classes_and_nothing_beyond_them():
    tasks = clusters(10, 3, 4, N=7, M=5)
    plain = probe(Program(MEMORY, (), numbers(1, 2, 3, 0), ()), tasks, errors=False)
    for place in range(4):
        values = [1.0, 2.0, 3.0, 0.0]
        values[place] += 0.25
        changed = probe(Program(MEMORY, (), numbers(*values), ()), tasks, errors=False)
        assert (changed == plain) == (place == 3)


def test_a_fingerprint_of_classes_is_cut_to_the_bits_asked_for():
    tasks = clusters(10, 3, 4, N=7, M=5)
    finer, coarse = numbers(1, 2, 3 + 2.0**-12, 0), -(1 << 46)
    fingerprints = [
        [probe(Program(MEMORY, (), numbers_, ()), tasks, False, mask=mask)[0] for numbers_ in (numbers(1, 2, 3), finer)]
        for mask in (coarse, ALL_BITS)
    ]
    assert fingerprints[0][0] == fingerprints[0][1]
    assert fingerprints[1][0] != fingerprints[1][1]


def test_a_stop_is_part_of_the_fingerprint_of_classes():
    tasks = clusters(10, 3, 4, N=7, M=5)
    infinite = [Instruction("scalar_reciprocal", 2, out=1), Instruction("scalar_broadcast", 1, out=2)]
    nan = [*infinite, Instruction("vector_diff", 2, 2, 2)]
    stopped = [probe(Program(MEMORY, (), tuple(code), ()), tasks, False) for code in (infinite, nan)]
    assert stopped[0] == stopped[1]
    assert stopped[0] != probe(programs.empty(MEMORY), tasks, False)
