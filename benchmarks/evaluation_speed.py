"""Time of a full evaluation: this package's CPU kernel against the stand-in, in alternation."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero import programs
from automl_zero.analysis.compiled import canonicalise, new_canonical
from automl_zero.interpreters.execute import encode, run_kernel
from automl_zero.interpreters.kernel import Kernel
from automl_zero.interpreters.lane_data import lay_out, new_arena
from automl_zero.jit import entry_point
from automl_zero.ops.arrays import op_arrays
from automl_zero.program import Program
from automl_zero.program_arrays import pack, starts_of
from automl_zero.tasks import TaskSet, linear_regression
from benchmarks.standin import StandIn

Evaluate = Callable[[int], tuple[npt.NDArray[np.float64], int]]
"""Evaluates a program so many times; returns its fitness on every task and the train steps of all repetitions."""

CLOCK = "CPU time of the thread (time.thread_time)"
_STAND_IN = "stand_in_float64"
_DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Case:
    """A program on linear-regression tasks."""

    name: str
    program: str
    num_features: int
    num_train: int
    num_valid: int
    num_tasks: int = 10


CASES = (
    Case("linear F=4", "linear", 4, 100, 100),
    Case("linear F=16", "linear", 16, 8000, 1000),
    Case("neural_net F=16", "neural_net", 16, 8000, 1000),
)


def measure(case: Case, rounds: int, sample_seconds: float) -> dict[str, Any]:
    """Compile, then time the contestants in turn, round after round.

    Args:
        case: what to evaluate.
        rounds: samples of each contestant.
        sample_seconds: least CPU time of a sample, so that the clock's own cost does not count.
    """
    tasks = linear_regression(case.num_tasks, case.num_features, case.num_train, case.num_valid, seed=0)
    program: Program = getattr(programs, case.program)()
    contestants: dict[str, Evaluate] = {}
    compile_seconds, fitness, steps = {}, {}, {}
    for name in (_STAND_IN, *_DTYPES):
        start = time.perf_counter()
        contestants[name] = _stand_in(program, tasks) if name == _STAND_IN else ours(program, tasks, name)
        fitness[name], steps[name] = contestants[name](1)
        compile_seconds[name] = time.perf_counter() - start
    counts = {name: repetitions(evaluate, sample_seconds) for name, evaluate in contestants.items()}
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, evaluate in contestants.items():
            samples[name].append(seconds_of(evaluate, counts[name]))
    record: dict[str, Any] = {
        **asdict(case),
        "rounds": rounds,
        "fitness_difference": {dtype: _difference(fitness[dtype], fitness[_STAND_IN]) for dtype in _DTYPES},
    }
    for name in contestants:
        seconds = statistics.median(samples[name])
        record[name] = {
            "seconds": seconds,
            "best_seconds": min(samples[name]),
            "train_steps": steps[name],
            "train_steps_per_second": steps[name] / seconds,
            "warm_up_seconds": round(compile_seconds[name], 3),
        }
    for dtype in _DTYPES:
        ratios = [theirs / ours for theirs, ours in zip(samples[_STAND_IN], samples[dtype], strict=True)]
        record[dtype]["speedup_ratio_of_medians"] = record[_STAND_IN]["seconds"] / record[dtype]["seconds"]
        record[dtype]["speedup_median_of_ratios"] = statistics.median(ratios)
    return record


def seconds_of(evaluate: Evaluate, count: int) -> float:
    start = time.thread_time()
    evaluate(count)
    return (time.thread_time() - start) / count


def repetitions(evaluate: Evaluate, sample_seconds: float) -> int:
    evaluate(1)  # the first call may compile
    count = 1
    while (seconds := seconds_of(evaluate, count)) * count < sample_seconds:
        count = max(2 * count, min(int(sample_seconds / max(seconds, 1e-9)) + 1, 100 * count))
    return count


def _difference(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    return float(np.abs(a - b).max())


def _stand_in(program: Program, tasks: TaskSet) -> Evaluate:
    stand_in = StandIn(tasks)
    return lambda count: stand_in.evaluate(program, count)


def ours(program: Program, tasks: TaskSet, dtype: str, kernel: Kernel | None = None) -> Evaluate:
    """What the search does with a program that no cache knows: analyse it, encode it, run the kernel."""
    data, (code, constants, sizes) = lay_out(tasks, dtype, kernel), pack(program)
    memory, form = program.memory, new_canonical(len(code))
    arena = new_arena(data, len(code), memory.scalars, memory.vectors, memory.matrices)
    arguments = (code, constants, sizes, starts_of(sizes), form, data, op_arrays(), arena)

    def evaluate(count: int) -> tuple[npt.NDArray[np.float64], int]:
        steps = int(_repeat(count, *arguments))
        return arena.fitness.reshape(-1)[: tasks.num_tasks].copy(), steps

    return evaluate


@entry_point
def _repeat(count, code, constants, sizes, starts, form, data, ops, arena):
    total = 0
    for _ in range(count):
        canonicalise(code, constants, sizes, starts, data.num_features, data.num_classes, ops, form)
        encode(form, data, ops, arena)
        steps, _ = run_kernel(form, data, arena, data.num_train, data.num_valid, data.epochs, 0, 0)
        total += steps
    return total
