"""Evaluations per second of batches of programs in JAX, and of the CPU backend on one core and on all cores."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from automl_zero import programs
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.interpreters.jax_lockstep.batch import shape_of, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import Batch, pack_batch
from automl_zero.interpreters.pallas_gpu.buckets import renamed
from automl_zero.program import Program
from automl_zero.tasks import TaskSet, linear_regression
from benchmarks import evaluation_speed

DTYPE = "float32"
SLOTS = 32


@dataclass(frozen=True)
class Case:
    """Many programs of one kind, with different constants, on linear-regression tasks.

    Attributes:
        name: of the case.
        program: "linear" or "neural_net", which has matrices.
        num_features: F.
        num_train: training examples of each task.
        num_valid: validation examples.
        batch: programs evaluated at once, by interpreter.
        num_tasks: D.
        shorter: by how much the portable interpreter's examples are divided, which is slow on long tasks.
    """

    name: str
    program: str
    num_features: int
    num_train: int
    num_valid: int
    batch: dict[str, int]
    num_tasks: int = 10
    shorter: int = 1

    def programs(self, count: int) -> list[Program]:
        """That many different programs without dead code."""
        make: Callable[[float], Program] = getattr(programs, self.program)
        return [renamed(remove_dead_code(make(float(rate)))) for rate in np.linspace(0.001, 0.02, count)]

    def tasks(self, shorter: int = 1) -> TaskSet:
        """The tasks, with fewer examples on demand."""
        sizes = (max(1, self.num_train // shorter), max(1, self.num_valid // shorter))
        return linear_regression(self.num_tasks, self.num_features, *sizes, seed=0)


CASES = (
    Case("linear", "linear", 4, 100, 100, {"pallas": 16384, "portable": 4096}),
    Case("baseline-like", "neural_net", 16, 8000, 1000, {"pallas": 1024, "portable": 256}, shorter=40),
)
SMALL_CASES = (  # for a CPU that stands in for the device, to try everything out
    Case("linear", "linear", 4, 20, 10, {"portable": 16}, num_tasks=3),
    Case("baseline-like", "neural_net", 16, 80, 20, {"portable": 4}, num_tasks=3, shorter=4),
)


def measure_jax(case: Case, name: str, evaluate: Any, rounds: int) -> dict[str, Any]:
    """Time batches on JAX's device, from programs on the device to losses on the device.

    Args:
        case: what to evaluate.
        name: of the interpreter, "pallas" or "portable".
        evaluate: its function of programs, tasks and a shape.
        rounds: timed calls, after one that compiles.
    """
    shorter, count = case.shorter if name == "portable" else 1, case.batch[name]
    several, task_set = case.programs(count), case.tasks(shorter)
    batch = Batch(tuple(range(count)), count, SLOTS, several[0].memory.matrices > 0)
    shape = shape_of(several[0].memory, task_set, DTYPE, batch.uses_matrices)
    arguments = jax.device_put((pack_batch(several, batch, DTYPE), tasks_of(task_set, DTYPE)))
    compiled = jax.jit(lambda packed, tasks: evaluate(packed, tasks, shape))
    start = time.perf_counter()
    losses = jax.block_until_ready(compiled(*arguments))
    warm_up = time.perf_counter() - start
    samples = []
    for _ in range(rounds):
        start = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        samples.append(time.perf_counter() - start)
    seconds, steps = statistics.median(samples), int(np.asarray(losses.train_steps).astype(np.int64).sum())
    return {
        "programs": count,
        "num_train": task_set.num_train,
        "num_valid": task_set.num_valid,
        "seconds": seconds,
        "best_seconds": min(samples),
        "warm_up_seconds": round(warm_up, 3),
        "train_steps_per_second": steps / seconds,
        # Scaled by the examples, where the tasks were shorter.
        "evaluations_per_second": count / seconds * task_set.num_train / case.num_train,
    }


def measure_cpu(case: Case, threads: int, seconds: float) -> dict[str, Any]:
    """Time the CPU backend on that many threads at once, by wall clock; each evaluates a program again and again."""
    tasks, program = case.tasks(), case.programs(1)[0]
    workers = [evaluation_speed.ours(program, tasks, DTYPE) for _ in range(threads)]
    for worker in workers * 2:  # the first calls compile
        _, steps = worker(1)
    start = time.perf_counter()
    workers[0](1)
    each = time.perf_counter() - start
    count = max(1, int(seconds / max(each, 1e-7)))
    with ThreadPoolExecutor(threads) as pool:
        start = time.perf_counter()
        for done in [pool.submit(worker, count) for worker in workers]:
            done.result()
        taken = time.perf_counter() - start
    rate = threads * count / taken
    return {"threads": threads, "evaluations_per_second": rate, "train_steps_per_second": rate * steps}
