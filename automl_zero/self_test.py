"""A check that compiled code works on this machine, for ``automl-zero doctor``."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.tasks import linear_regression

TOLERANCE = 1e-6


@dataclass(frozen=True)
class SelfTest:
    """Outcome of the check.

    Attributes:
        passed: the compiled interpreter agrees with the NumPy one.
        largest_difference: of the fitness of the programs tried.
        seconds: time of the first compiled evaluation, compilation included unless it was cached.
    """

    passed: bool
    largest_difference: float
    seconds: float


def run_self_test() -> SelfTest:
    """Evaluate the hand-designed programs with both interpreters in float64, and compare."""
    tasks = linear_regression(num_tasks=3, num_features=4, num_train=50, num_valid=20, seed=0)
    candidates = [programs.linear(), programs.neural_net()]
    start = time.perf_counter()
    compiled = evaluate(candidates, tasks, backend="numba", dtype="float64")
    seconds = time.perf_counter() - start
    expected = evaluate(candidates, tasks, backend="numpy", dtype="float64")
    difference = float(np.abs(compiled - expected).max())
    return SelfTest(difference <= TOLERANCE, difference, seconds)
