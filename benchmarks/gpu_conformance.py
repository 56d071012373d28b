"""Whether the JAX interpreters, on the device at hand, agree with the reference's recordings and the definition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero import programs
from automl_zero.interpreters.numpy_interpreter import evaluate_program
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, RegisterType
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import TaskSet, linear_regression
from benchmarks import conformance
from benchmarks.golden import ProgramCases, read

Evaluate = Callable[[Sequence[Program], TaskSet], npt.NDArray[np.float64]]
"""Fitness of programs on tasks, float64[n, D], in float32 arithmetic."""

DTYPE = "float32"
RANDOM_SIZES = ((4, 0), (4, 2), (16, 1))  # features and matrix registers
RANDOM_TOLERANCE, RANDOM_NEEDED = 1e-4, 0.95  # round-off can become NaN
NEEDED_OF_FEW = 0.9  # of the golden pairs, when only some are checked: one that drifts weighs more


def check_ops(path: Path) -> dict[str, Any]:
    """The portable interpreter on the golden op cases; the kernel has no way to execute one instruction alone."""
    cases = read(path)
    assert isinstance(cases, list)
    checked = [case for case in cases if not case.special]
    passed, failures, _ = conformance.check_ops(checked, "jax", DTYPE)
    return _verdict(passed, len(checked), 1.0, failures)


def check_programs(path: Path, evaluate: Evaluate, limit: int | None = None) -> dict[str, Any]:
    """An interpreter on the golden programs, or on the first so many of each group of tasks."""
    cases = read(path)
    assert isinstance(cases, ProgramCases)
    fitness: dict[tuple[int, int], float] = {}
    for tasks, ids, members in conformance.groups(cases):
        chosen = members[:limit]
        rows = evaluate([cases.programs[i] for i in chosen], tasks)
        for program, row in zip(chosen, rows.tolist(), strict=True):
            fitness.update({(program, task): value for task, value in zip(ids, row, strict=True)})
    pairs = [pair for pair in cases.pairs if (pair.program, pair.task) in fitness]
    tolerance = conformance.FITNESS_TOLERANCE[DTYPE]
    wrong = [p for p in pairs if not abs(fitness[p.program, p.task] - p.fitness) <= tolerance]
    failures = [
        f"program {pair.program}, task {pair.task}: expected {pair.fitness!r}, got {fitness[pair.program, pair.task]!r}"
        for pair in wrong
    ]
    needed = conformance.PAIRS_NEEDED if limit is None else NEEDED_OF_FEW
    return _verdict(len(pairs) - len(wrong), len(pairs), needed, failures)


def check_random_programs(evaluate: Evaluate, count: int) -> dict[str, Any]:
    """An interpreter against the definition on random programs of all ops, for several sizes."""
    passed = total = 0
    failures: list[str] = []
    for several, tasks in _samples(count):
        expected = np.array([evaluate_program(program, tasks, DTYPE) for program in several])
        close = np.abs(evaluate(several, tasks) - expected) <= RANDOM_TOLERANCE
        passed, total = passed + int(close.sum()), total + close.size
        failures += [f"F={tasks.num_features}: random program {i}" for i in np.flatnonzero(~close.all(axis=1))]
    return _verdict(passed, total, RANDOM_NEEDED, failures)


def _samples(count: int) -> Iterator[tuple[list[Program], TaskSet]]:
    sizes = {"setup": 8, "predict": 7, "learn": 7}
    for number, (num_features, matrices) in enumerate(RANDOM_SIZES):
        built_in = (TABLE[op] for op in range(NUM_BUILT_IN))
        ops = [op.name for op in built_in if matrices or RegisterType.MATRIX not in (*op.inputs, op.output)]
        allowed, generator = dict.fromkeys(COMPONENTS, ops), np.random.default_rng(number)
        memory = MemorySpec(5, 4, matrices)
        several = [programs.random(memory, allowed, sizes, generator) for _ in range(count)]
        yield several, linear_regression(4, num_features, 8, 4, seed=number)


def _verdict(passed: int, total: int, needed: float, failures: Sequence[str]) -> dict[str, Any]:
    return {
        "passed": passed,
        "failed": total - passed,
        "needed": needed,
        "conforms": passed >= needed * total,
        "first_failures": [failure[:300] for failure in failures[:5]],
    }
