"""Evaluation of programs on tasks, on a backend of choice."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from automl_zero.program import Program
from automl_zero.tasks import TaskSet

BACKENDS = ("numba", "numpy", "jax")
DTYPES = ("float32", "float64")

Fitness = npt.NDArray[np.float64]


def evaluate(
    programs: Program | Iterable[Program], tasks: TaskSet, backend: str = "numba", dtype: str = "float32"
) -> Fitness:
    """Train and validate programs on every task of a set, and return their fitness (paper, Section 3).

    Args:
        programs: a program, or several.
        tasks: the tasks.
        backend: "numba" (compiled, for the CPU), "numpy" (the slow definition) or "jax" (many programs at once, on
            whatever device JAX finds; needs ``pip install 'automl-zero[jax]'``).
        dtype: "float32" or "float64", in which the programs compute.

    Returns:
        Fitness in [0, 1]: float64[D] for a program, float64[n, D] for several.

    Raises:
        TypeError: ``programs`` holds something other than programs, or ``tasks`` is not a TaskSet.
        ValueError: an unknown backend or dtype, a backend whose library is not installed, or a program that cannot run
            on vector labels where the tasks have them (fewer than three vectors, or an instruction that writes v1).
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}: expected one of {', '.join(BACKENDS)}")
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}: expected one of {', '.join(DTYPES)}")
    if not isinstance(tasks, TaskSet):
        raise TypeError(f"tasks is {tasks!r:.80}: expected a TaskSet, as made by automl_zero.tasks")
    several = _checked_programs(programs)
    fitness = _evaluate_all(several, tasks, backend, dtype)
    return fitness[0] if isinstance(programs, Program) else fitness


def _checked_programs(programs: Program | Iterable[Program]) -> list[Program]:
    if isinstance(programs, Program):
        return [programs]
    if isinstance(programs, str) or not isinstance(programs, Iterable):
        raise TypeError(f"programs is {programs!r:.80}: expected a Program or several")
    several = list(programs)
    for position, program in enumerate(several):
        if not isinstance(program, Program):
            raise TypeError(f"programs[{position}] is {program!r:.80}: expected a Program")
    return several


def _evaluate_all(programs: list[Program], tasks: TaskSet, backend: str, dtype: str) -> Fitness:
    if not programs:
        return np.zeros((0, tasks.num_tasks))
    # The backends are imported here, so that numba and jax are loaded only by who uses them.
    if backend == "numpy":
        from automl_zero.interpreters import numpy_interpreter

        return np.array([numpy_interpreter.evaluate_program(program, tasks, dtype) for program in programs])
    if backend == "jax":
        from automl_zero.interpreters.jax_lockstep.devices import import_jax

        import_jax()
        from automl_zero.interpreters.pallas_gpu import evaluator

        return evaluator.evaluate_programs(programs, tasks, dtype)
    from automl_zero.interpreters import numba_interpreter

    fitness: Fitness = numba_interpreter.evaluate_programs(programs, tasks, dtype)
    return fitness
