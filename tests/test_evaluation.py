from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.tasks import linear_regression

TASKS = linear_regression(num_tasks=3, num_features=2, num_train=10, num_valid=10)


def test_one_program_gives_a_fitness_for_each_task():
    fitness = evaluate(programs.linear(), TASKS, backend="numpy")
    assert fitness.shape == (3,)
    assert fitness.dtype == np.float64


def test_several_programs_give_a_row_each():
    several = [programs.linear(0.01), programs.linear(0.1)]
    fitness = evaluate(several, TASKS, backend="numpy")
    assert fitness.tolist() == [evaluate(program, TASKS, backend="numpy").tolist() for program in several]
    assert evaluate([], TASKS).shape == (0, 3)


def test_the_dtype_is_that_of_the_registers():
    single, double = (evaluate(programs.linear(), TASKS, "numpy", dtype) for dtype in ("float32", "float64"))
    assert 0 < np.abs(single - double).max() < 1e-5
    assert evaluate(programs.linear(), TASKS, "numpy").tolist() == single.tolist()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((programs.linear(), TASKS, "cuda"), ValueError, "backend is 'cuda': expected one of numba, numpy, jax"),
        ((programs.linear(), TASKS, "numpy", "float16"), ValueError, "dtype is 'float16': expected one of float32"),
        ((programs.linear(), 3), TypeError, "tasks is 3: expected a TaskSet"),
        (("linear", TASKS), TypeError, "programs is 'linear': expected a Program or several"),
        (([programs.linear(), 3], TASKS), TypeError, r"programs\[1\] is 3: expected a Program"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        evaluate(*arguments)


def test_the_numpy_backend_does_without_numba():
    code = (
        "import sys; from automl_zero import evaluate, programs; from automl_zero.tasks import linear_regression; "
        "evaluate(programs.linear(), linear_regression(num_tasks=1), backend='numpy'); "
        "sys.exit('numba' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
