"""Check a backend against a golden file: ``python -m benchmarks.conformance FILE [--backend B] [--dtype D]``.

Exit status: 0 when every op case, or 99 % of the (program, task) pairs, agree; 1 when not; 2 for a bad file or
argument. What agreement means:

- Programs: the fitness differs by at most 1e-6 (float64) or 1e-5 (float32). A pair that drifts beyond counts as
  failed; some do, legitimately, because a program may amplify rounding errors without bound.
- Op cases: each element of the output differs from the recorded one by at most 1e-12 (float64) or 1e-5 (float32) of
  its largest term; non-finite elements must be the same. The terms of an element are what rounding can act on: the
  recorded value itself; for dot and matrix products and means the numbers that are added up; in float32, where the
  operands are rounded too, those of sums and differences, and what the rounding of its operand does to a
  transcendental function. Standard deviations are compared squared, with the largest square as the largest term,
  and a NaN (the root of a negative difference) stands for 0.
- In float32, cases marked ``special`` (operands that are infinite, or too large for float32) are skipped.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.evaluation import BACKENDS, DTYPES, evaluate
from automl_zero.tasks import TaskSet, from_arrays
from benchmarks.golden import Floats, OpCase, ProgramCases, read

OP_TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
FITNESS_TOLERANCE = {"float64": 1e-6, "float32": 1e-5}
PAIRS_NEEDED = 0.99
SHOWN_FAILURES = 20

#: |a f'(a)|: by how much f(a) changes when a changes by its own size, for small relative changes
_SENSITIVITY: dict[str, Callable[[Floats], Floats]] = {
    "sin": lambda a: a * np.cos(a),
    "cos": lambda a: a * np.sin(a),
    "tan": lambda a: a / np.cos(a) ** 2,
    "arcsin": lambda a: a / np.sqrt(1 - a * a),
    "arccos": lambda a: a / np.sqrt(1 - a * a),
    "arctan": lambda a: a / (1 + a * a),
    "exp": lambda a: a * np.exp(a),
    "log": np.ones_like,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conformance", description="Check a backend.")
    parser.add_argument("file", type=Path, help="golden file: op cases or programs, JSON or JSON in gzip")
    parser.add_argument("--backend", choices=BACKENDS, default="numba", help="default: %(default)s")
    parser.add_argument("--dtype", choices=DTYPES, default="float64", help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        cases = read(options.file)
        if isinstance(cases, ProgramCases):
            passed, failures, needed = check_programs(cases, options.backend, options.dtype)
        else:
            passed, failures, needed = check_ops(cases, options.backend, options.dtype)
    except ValueError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    for failure in failures[:SHOWN_FAILURES]:
        print(failure)
    if len(failures) > SHOWN_FAILURES:
        print(f"... and {len(failures) - SHOWN_FAILURES} more")
    print(f"{passed} passed, {len(failures)} failed")
    return 0 if passed >= needed * (passed + len(failures)) else 1


def check_ops(cases: list[OpCase], backend: str, dtype: str) -> tuple[int, list[str], float]:
    """Number of op cases that agree, a line for each that does not, and the share that must agree."""
    execute = _executor(backend)
    checked = [case for case in cases if not (dtype == "float32" and case.special)]
    if len(checked) < len(cases):
        print(f"{len(cases) - len(checked)} special cases skipped")
    failures = []
    for case in checked:
        output = execute(
            case.op,
            case.constants,
            case.num_features,
            *case.operands,
            case.out_before,
            dtype=dtype,
            alias=case.addresses,
        )
        if not agrees(case, np.asarray(output), dtype):
            failures.append(f"case {case.position}: {case.op.name}: expected {case.expected}, got {output}")
    return len(checked) - len(failures), failures, 1.0


def check_programs(cases: ProgramCases, backend: str, dtype: str) -> tuple[int, list[str], float]:
    """Number of (program, task) pairs that agree, a line for each that does not, and the share that must agree."""
    fitness: dict[tuple[int, int], float] = {}
    for tasks, ids, programs in groups(cases):
        values = evaluate([cases.programs[i] for i in programs], tasks, backend=backend, dtype=dtype)
        for program, row in zip(programs, values.tolist(), strict=True):
            fitness.update({(program, task): value for task, value in zip(ids, row, strict=True)})
    failures = []
    for pair in cases.pairs:
        value = fitness[pair.program, pair.task]
        if not abs(value - pair.fitness) <= FITNESS_TOLERANCE[dtype]:
            failures.append(f"program {pair.program}, task {pair.task}: expected {pair.fitness!r}, got {value!r}")
    return len(cases.pairs) - len(failures), failures, PAIRS_NEEDED


def agrees(case: OpCase, output: Floats, dtype: str) -> bool:
    """Whether an output is the recorded one, within the tolerance for the dtype."""
    with np.errstate(all="ignore"):
        expected = case.expected.astype(dtype).astype(np.float64)  # beyond float32's range: infinite or zero
        actual = output.astype(np.float64)
        if actual.shape != expected.shape:
            return False
        terms = _largest_terms(case, dtype)
        if case.op.name.endswith("st_dev") and np.isfinite(terms).all():
            expected, actual = (np.nan_to_num(a * a, nan=0.0, posinf=np.inf) for a in (expected, actual))
        terms = np.where(np.isfinite(terms), np.maximum(terms, np.abs(expected)), np.abs(expected))
        limit = OP_TOLERANCE[dtype] * terms + np.finfo(dtype).tiny
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        close = np.isfinite(expected) & (np.abs(actual - expected) <= limit)
        return bool(np.all(same | close))


def _largest_terms(case: OpCase, dtype: str) -> Any:
    """For each element of the output, the largest of the terms that rounding acts on; 0 if there is only the value."""
    a, b = case.operands
    name, kind = case.op.name, case.op.elementwise
    if a is None:
        return 0.0
    if dtype == "float32" and b is not None and kind in ("sum", "diff"):
        return np.maximum(np.abs(a), np.abs(b))
    if b is not None and name == "vector_inner_product":
        return np.max(np.abs(a * b))
    if b is not None and name == "matrix_vector_product":
        return np.max(np.abs(a * b), axis=1)
    if b is not None and name == "matrix_matrix_product":
        return np.max(np.abs(a[:, :, None] * b[None, :, :]), axis=1)
    if name.endswith(("_mean", "st_dev")):
        powers = a * a if name.endswith("st_dev") else np.abs(a)
        return np.max(powers, axis=1) if "_row_" in name else np.max(powers)
    if dtype == "float32" and kind in _SENSITIVITY:
        return np.abs(_SENSITIVITY[kind](a))
    return 0.0


def _executor(backend: str) -> Any:
    if backend == "numpy":
        from automl_zero.interpreters import numpy_interpreter

        return numpy_interpreter.execute
    if backend == "numba":
        from automl_zero.interpreters import numba_interpreter

        return numba_interpreter.execute
    from automl_zero.interpreters import jax_lockstep

    return jax_lockstep.execute


def groups(cases: ProgramCases) -> list[tuple[TaskSet, list[int], list[int]]]:
    """Tasks of one shape as one set, their ids, and the programs that have results on any of them."""
    ids = defaultdict(list)
    for task, tasks in cases.tasks.items():
        ids[tasks.evaluation, tasks.num_features, tasks.num_train, tasks.num_valid].append(task)
    groups = []
    for members in ids.values():
        parts = [cases.tasks[task] for task in members]
        train_x, train_y, valid_x, valid_y = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("train_x", "train_y", "valid_x", "valid_y")
        )
        programs = sorted({pair.program for pair in cases.pairs if pair.task in members})
        group = from_arrays(train_x, train_y, valid_x, valid_y, parts[0].evaluation)
        groups.append((group, members, programs))
    return groups


if __name__ == "__main__":
    sys.exit(main())
