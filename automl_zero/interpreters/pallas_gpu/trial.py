"""A trial of the kernel: some programs are evaluated by it and by the definition, and compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from automl_zero import programs
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.interpreters.jax_lockstep.batch import Shape, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import Batch, pack_batch
from automl_zero.interpreters.numpy_interpreter import evaluate_program
from automl_zero.interpreters.pallas_gpu.evaluate import run
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import TaskSet, from_arrays

NUM_PROGRAMS, NUM_TRAIN, NUM_VALID, COMPARED = 16, 6, 3, 2
TOLERANCE, NEEDED = 1e-4, 0.9  # programs may amplify what rounding does


def disagreement(shape: Shape, num_tasks: int, slots: int, evaluate: Callable[..., Any] = run) -> str | None:
    """What is wrong with the kernel's fitness of a few random programs of a shape; None when it is right.

    Args:
        shape: registers, sizes and ops.
        num_tasks: D, of the tasks that the kernel will be used for; the definition does only a few of them.
        slots: room for the instructions of each component.
        evaluate: the kernel.
    """
    several = [remove_dead_code(program) for program in _random_programs(shape, slots)]
    tasks = _tasks(shape, num_tasks)
    batch = Batch(tuple(range(NUM_PROGRAMS)), NUM_PROGRAMS, slots, shape.uses_matrices)
    compiled = jax.jit(lambda packed, data: evaluate(packed, data, shape))
    outcome = compiled(pack_batch(several, batch, shape.dtype), tasks_of(tasks, shape.dtype))
    fitness: npt.NDArray[Any] = np.asarray(outcome.fitness)[:, :COMPARED]
    few = _tasks(shape, min(num_tasks, COMPARED))
    expected = np.array([evaluate_program(program, few, shape.dtype) for program in several])
    agreeing = float(np.mean(np.abs(fitness - expected) <= TOLERANCE))
    if agreeing < NEEDED:
        return f"the GPU kernel is wrong here: {agreeing:.0%} of a trial's fitnesses agree with the definition"
    return None


def _random_programs(shape: Shape, slots: int) -> list[Program]:
    memory = MemorySpec(shape.scalars, shape.vectors, shape.matrices if shape.uses_matrices else 0)
    ops = [TABLE[number].name for number in shape.ops if number]
    sizes = dict.fromkeys(COMPONENTS, min(8, slots))
    generator = np.random.default_rng(0)
    return [programs.random(memory, dict.fromkeys(COMPONENTS, ops), sizes, generator) for _ in range(NUM_PROGRAMS)]


def _tasks(shape: Shape, num_tasks: int) -> TaskSet:
    """Tasks of which the first ones do not depend on how many there are."""
    features, labels = [], []
    for task in range(num_tasks):
        x = np.random.default_rng(task).normal(size=(NUM_TRAIN + NUM_VALID, shape.num_features))
        features.append(x)
        labels.append(x.sum(axis=1) if shape.evaluation == "rmse" else x.sum(axis=1) > 0)
    examples = [np.split(np.array(array), [NUM_TRAIN], axis=1) for array in (features, labels)]
    (train_x, valid_x), (train_y, valid_y) = examples
    limit = shape.max_abs_error
    return from_arrays(train_x, train_y, valid_x, valid_y, shape.evaluation, shape.epochs, max_abs_error=limit)
