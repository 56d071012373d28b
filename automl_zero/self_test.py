"""Checks that the backends work on this machine, for ``automl-zero doctor``; about ten seconds for each."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import linear_regression

TOLERANCE = 1e-5
LEAST_AGREEING = 0.99
"""The share of (program, task) pairs that has to agree: chaotic programs magnify the last bits of float32."""

_RANDOM_PROGRAMS = 62
_SIZES = (4, 6, 8)
_LEAST_SECONDS = 0.2
_LARGEST_COUNT = 1 << 17


@dataclass(frozen=True)
class SelfTest:
    """Outcome of the check of a backend.

    Attributes:
        backend: its name.
        pairs: (program, task) pairs evaluated.
        agreeing: how many of them have the fitness that the NumPy interpreter finds.
        seconds: time of the first evaluation, compilation included unless it was cached.
        evaluations_per_second: of the hand-designed linear program, 10 tasks of 100/100 examples and 4 features, once
            everything is compiled: by the kernel alone on one core ("numba"), in batches on the whole device ("jax").
    """

    backend: str
    pairs: int
    agreeing: int
    seconds: float
    evaluations_per_second: float

    @property
    def passed(self) -> bool:
        """Whether the backend agrees with the definition."""
        return self.agreeing >= LEAST_AGREEING * self.pairs


def run_self_test(backend: str) -> SelfTest:
    """Compare a backend in float32 with the NumPy interpreter on programs of all ops, and time it.

    Raises:
        ValueError: the backend is not installed or does not start.
    """
    tasks = linear_regression(num_tasks=3, num_features=4, num_train=50, num_valid=20, seed=0)
    sample = _sample()
    start = time.perf_counter()
    found = evaluate(sample, tasks, backend=backend)
    seconds = time.perf_counter() - start
    expected = evaluate(sample, tasks, backend="numpy", dtype="float64")
    agreeing = int((np.abs(found - expected) <= TOLERANCE).sum())
    return SelfTest(backend, found.size, agreeing, seconds, _throughput(backend))


def _sample() -> list[Program]:
    memory, ops = MemorySpec(5, 9, 2), dict.fromkeys(COMPONENTS, tuple(op.name for op in TABLE if op.source != "user"))
    sizes = dict(zip(COMPONENTS, _SIZES, strict=True))
    drawn = (programs.random(memory, ops, sizes, seed) for seed in range(_RANDOM_PROGRAMS))
    return [programs.linear(), programs.neural_net(), *drawn]


def _throughput(backend: str) -> float:
    """Evaluations a second, as many at a time as it takes to time them."""
    tasks = linear_regression(num_tasks=10, num_features=4, num_train=100, num_valid=100, seed=0)
    program, count = programs.linear(), 256
    while True:
        if backend == "numba":
            from automl_zero.interpreters import numba_interpreter

            seconds = numba_interpreter.Evaluator(tasks, "float32").time(program, count)
        else:
            evaluate([program] * count, tasks, backend=backend)  # compiles what a batch of this size needs
            start = time.perf_counter()
            evaluate([program] * count, tasks, backend=backend)
            seconds = time.perf_counter() - start
        if seconds >= _LEAST_SECONDS or count >= _LARGEST_COUNT:
            return count / seconds
        count *= 8
