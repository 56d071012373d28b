"""Evaluation of programs in JAX by whichever interpreter suits; the twin of ../numba_interpreter.py."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import numpy.typing as npt

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.interpreters.jax_lockstep.batch import shape_of, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import SIZES, Batch, batches, pack_batch
from automl_zero.interpreters.jax_lockstep.evaluator import Evaluator as PortableEvaluator
from automl_zero.interpreters.pallas_gpu.bodies import body_of
from automl_zero.interpreters.pallas_gpu.buckets import Bucket, buckets
from automl_zero.interpreters.pallas_gpu.choose import KERNEL, Interpreter, interpreter_for
from automl_zero.ops import TABLE
from automl_zero.program import Program
from automl_zero.tasks import TaskSet

if TYPE_CHECKING:
    from automl_zero.interpreters.jax_lockstep.batch import Shape
    from automl_zero.interpreters.jax_lockstep.evaluate import Losses


class Evaluator:
    """Evaluates programs on one task set, again and again, without any cache.

    Args:
        tasks: the tasks.
        dtype: "float32" or "float64".
        choose: picks the interpreter for a shape, a number of tasks and of slots.

    Attributes:
        by_kernel: how many programs the GPU kernel has evaluated so far.

    Raises:
        ValueError: JAX is not installed or does not start.
    """

    def __init__(self, tasks: TaskSet, dtype: str, choose: Any = interpreter_for) -> None:
        self.tasks, self.dtype, self.by_kernel = tasks, dtype, 0
        self._choose, self._portable = choose, PortableEvaluator(tasks, dtype)
        self._tasks: Any = None  # on the device, when the kernel needs them

    def evaluate(self, programs: Sequence[Program]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Fitness on every task, float64[n, D], and the train steps taken, int64[n].

        Raises:
            ValueError: a program cannot run on vector labels, and the tasks have them; or it uses an op of the user's
                that has no body for this backend.
        """
        if self.tasks.num_classes or not programs:  # the kernel has no vector labels
            return self._portable.evaluate(programs)
        fitness, steps = np.zeros((len(programs), self.tasks.num_tasks)), np.zeros(len(programs), np.int64)
        rest: list[int] = []
        running: list[tuple[list[int], Losses]] = []
        for bucket in buckets([remove_dead_code(program) for program in programs]):
            largest = dict.fromkeys((False, True), SIZES[-1])
            for batch in batches(bucket.programs, largest, self.tasks.num_train, self.tasks.num_valid):
                members = [bucket.members[place] for place in batch.members]
                shape = self._shape(bucket, batch)
                chosen = self._choose(shape, self.tasks.num_tasks, batch.slots)
                if chosen.name == KERNEL:
                    running.append((members, self._start(chosen, bucket, batch, shape)))
                else:
                    rest += members
        if rest:
            fitness[rest], steps[rest] = self._portable.evaluate([programs[place] for place in rest])
        for members, losses in running:
            fitness[members] = self._fitness(losses)[: len(members)]
            steps[members] = np.asarray(losses.train_steps)[: len(members)]
            self.by_kernel += len(members)
        return fitness, steps

    def _shape(self, bucket: Bucket, batch: Batch) -> Shape:
        """What a batch is compiled for: all ops of the kernel, or also those of the user's that the programs use."""
        shape = shape_of(bucket.memory, self.tasks, self.dtype, batch.uses_matrices)
        members = [bucket.programs[place] for place in batch.members]
        used = {instruction.spec.id for program in members for part in program.components for instruction in part}
        return replace(shape, ops=tuple(op for op in shape.ops if op in used or body_of(TABLE[op]) is not None))

    def _start(self, chosen: Interpreter, bucket: Bucket, batch: Batch, shape: Shape) -> Losses:
        if self._tasks is None:
            self._tasks = jax.device_put(tasks_of(self.tasks, self.dtype))
        losses: Losses = _compiled(chosen.evaluate, shape)(pack_batch(bucket.programs, batch, self.dtype), self._tasks)
        return losses

    def _fitness(self, losses: Losses) -> npt.NDArray[np.float64]:
        total, excess = (np.asarray(array).astype(np.float64) for array in (losses.total, losses.excess))
        mean = (total - excess) / self.tasks.num_valid
        score = 1 - mean if self.tasks.evaluation == "accuracy" else 1 - 2 / np.pi * np.arctan(np.sqrt(mean))
        return np.where(np.isfinite(total), score, 0.0)


@functools.cache
def _compiled(evaluate: Any, shape: Shape) -> Any:
    return jax.jit(lambda programs, tasks: evaluate(programs, tasks, shape))


def evaluate_programs(programs: Sequence[Program], tasks: TaskSet, dtype: str) -> npt.NDArray[np.float64]:
    """Fitness of programs on tasks, float64[n, D]."""
    return Evaluator(tasks, dtype).evaluate(programs)[0]
