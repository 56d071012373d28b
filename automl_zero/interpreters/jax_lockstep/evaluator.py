"""The JAX backend as the rest of the project calls it; the twin of ../numba_interpreter.py."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.interpreters.jax_lockstep import devices
from automl_zero.interpreters.jax_lockstep.batch import Programs, Shape, shape_of, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import Batch, batches, common_memory, fitting, pack_batch
from automl_zero.interpreters.jax_lockstep.bodies import check_op
from automl_zero.interpreters.jax_lockstep.evaluate import Losses, evaluate
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import Program
from automl_zero.tasks import TaskSet
from automl_zero.vector_labels import check_program

#: bytes that the registers of a batch may take; on a CPU what its caches hold is fastest
ROOM = {"cpu": 6 * 2**20, "gpu": 2**31, "tpu": 2**30}

_compiled = jax.jit(evaluate, static_argnames=("shape", "num_train", "num_valid", "keep_predictions"))


class Evaluator:
    """Evaluates programs on one task set, again and again, without any cache.

    Args:
        tasks: the tasks.
        dtype: "float32" or "float64".

    Raises:
        ValueError: JAX is not installed or does not start.
    """

    def __init__(self, tasks: TaskSet, dtype: str) -> None:
        self.tasks, self.dtype = tasks, dtype
        choice = devices.choose()
        if choice.fallback:
            warnings.warn(choice.reason, RuntimeWarning, stacklevel=2)
        self.device, self.platform = choice.device, choice.platform
        with self._settings():
            self._tasks = jax.device_put(tasks_of(tasks, dtype), self.device)

    def evaluate(self, programs: Sequence[Program]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Fitness on every task, float64[n, D], and the train steps taken, int64[n].

        Raises:
            ValueError: a program cannot run on vector labels, and the tasks have them; or it uses an op of the user's
                that has no body for this backend.
        """
        fitness, steps = np.zeros((len(programs), self.tasks.num_tasks)), np.zeros(len(programs), np.int64)
        if not programs:
            return fitness, steps
        for program in programs:
            check_program(program, self.tasks.num_classes)
        live = [remove_dead_code(program, self.tasks.num_classes) for program in programs]
        for op in {i.spec.id for program in live for component in program.components for i in component}:
            check_op(TABLE[op])
        memory = common_memory(live)
        room = {matrices: self._largest(memory, matrices) for matrices in (False, True)}
        running = [
            (batch, self._start(live, batch, memory))
            for batch in batches(live, room, self.tasks.num_train, self.tasks.num_valid)
        ]
        for batch, losses in running:
            members = list(batch.members)
            fitness[members] = self._fitness(losses)[: len(members)]
            steps[members] = np.asarray(losses.train_steps)[: len(members)]
        return fitness, steps

    def shape(self, memory: MemorySpec, uses_matrices: bool) -> Shape:
        """What batches of programs with that memory are compiled for."""
        return shape_of(memory, self.tasks, self.dtype, uses_matrices)

    def _largest(self, memory: MemorySpec, uses_matrices: bool) -> int:
        shape = self.shape(memory, uses_matrices)
        used = MemorySpec(shape.scalars, shape.vectors, shape.matrices)
        room = ROOM.get(self.platform, ROOM["gpu"])
        return fitting(used, shape.num_features, self.tasks.num_tasks, np.dtype(self.dtype).itemsize, room)

    def _start(self, live: Sequence[Program], batch: Batch, memory: MemorySpec) -> Losses:
        with self._settings():
            programs: Programs = jax.device_put(pack_batch(live, batch, self.dtype), self.device)
            losses: Losses = _compiled(programs, self._tasks, shape=self.shape(memory, batch.uses_matrices))
            return losses

    def _fitness(self, losses: Losses) -> npt.NDArray[np.float64]:
        total, excess = (np.asarray(array).astype(np.float64) for array in (losses.total, losses.excess))
        mean = (total - excess) / self.tasks.num_valid
        score = 1 - mean if self.tasks.evaluation == "accuracy" else 1 - 2 / np.pi * np.arctan(np.sqrt(mean))
        return np.where(np.isfinite(total), score, 0.0)

    def _settings(self) -> Any:
        """A context in which JAX has the numbers of the dtype, whatever the user's settings."""
        return jax.enable_x64(self.dtype == "float64")


def evaluate_programs(programs: Sequence[Program], tasks: TaskSet, dtype: str) -> npt.NDArray[np.float64]:
    """Fitness of programs on tasks, float64[n, D]."""
    return Evaluator(tasks, dtype).evaluate(programs)[0]
