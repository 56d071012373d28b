"""What the lockstep interpreter works on and gives back: programs and tasks as arrays, and their shape.

The arrays are pytrees that may be made on the host or by other compiled code; the shape is static, so that each
shape is compiled once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.interpreters.jax_lockstep import devices
from automl_zero.interpreters.jax_lockstep.bodies import Body, ops_of_variant, user_bodies
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.memory import MemorySpec
from automl_zero.tasks.taskset import Evaluation, TaskSet


class Programs(NamedTuple):
    """n programs without dead code; the instructions of each component are in its first slots.

    What lies beyond a component's size is ignored. Constants are in table order; index fractions are exact in float32.

    Attributes:
        code: int32[n, 3, slots, 4], op, in1, in2 and out of the instructions of Setup, Predict and Learn; 0 for
            operands that an op does not have.
        constants: [n, 3, slots, 3], in the run's dtype.
        sizes: int32[n, 3], numbers of instructions.
    """

    code: jax.Array
    constants: jax.Array
    sizes: jax.Array


class Tasks(NamedTuple):
    """D tasks.

    Attributes:
        train_x: [D, N, F] in the run's dtype, as the other examples and labels.
        train_y: [D, N], or [D, N, C] for vector labels.
        valid_x: [D, M, F].
        valid_y: [D, M] or [D, M, C].
        keys: uint32[D, 2], low and high word of each task's seed.
        orders: int32[epochs, N], rows of the training examples in the order of each epoch.
    """

    train_x: jax.Array
    train_y: jax.Array
    valid_x: jax.Array
    valid_y: jax.Array
    keys: jax.Array
    orders: jax.Array


@dataclass(frozen=True)
class Shape:
    """What an evaluation is compiled for, besides the shapes of the arrays.

    Attributes:
        scalars: number of scalar registers.
        vectors: number of vector registers.
        matrices: number of matrix registers.
        num_features: F.
        evaluation: "rmse" or "accuracy".
        epochs: passes over the training examples.
        max_abs_error: error beyond which a task stops.
        num_classes: C of vector labels, 0 for scalar labels.
        uses_matrices: whether there are matrix registers at all; without them evaluation is much cheaper.
        dtype: "float32" or "float64"; the latter only where JAX has 64-bit numbers enabled.
        ops: ids of the ops that programs may use; any other does nothing. Fewer are cheaper.
        one_hot: read and write registers by comparing all addresses, as TPUs prefer, instead of by indices.
        skips: skip groups of costly ops where no program of the batch needs them. It pays on CPUs; on accelerators each
            decision costs more than the ops.
        bodies: of the ops that users registered, so that code compiled for others is not used.
    """

    scalars: int
    vectors: int
    matrices: int
    num_features: int
    evaluation: Evaluation
    epochs: int
    max_abs_error: float
    num_classes: int
    uses_matrices: bool
    dtype: str
    ops: tuple[int, ...]
    one_hot: bool = False
    skips: bool = True
    bodies: tuple[Body, ...] = ()


class Outcome(NamedTuple):
    """Results of an evaluation.

    Attributes:
        fitness: [n, D] in the run's dtype, in [0, 1].
        train_steps: int32[n], (training example, task) pairs executed until each task stopped.
    """

    fitness: jax.Array
    train_steps: jax.Array


def tasks_of(task_set: TaskSet, dtype: str) -> Tasks:
    """The arrays of a task set, in a dtype; float64 needs 64-bit numbers enabled in JAX."""
    train_x, train_y, valid_x, valid_y = (
        jnp.asarray(np.asarray(array, dtype))
        for array in (task_set.train_x, task_set.train_y, task_set.valid_x, task_set.valid_y)
    )
    words = np.stack([task_set.seeds & np.uint64(0xFFFFFFFF), task_set.seeds >> np.uint64(32)], axis=-1)
    orders = np.stack([epoch_order(epoch, task_set.num_train) for epoch in range(task_set.epochs)])
    return Tasks(
        train_x, train_y, valid_x, valid_y, jnp.asarray(words.astype(np.uint32)), jnp.asarray(orders.astype(np.int32))
    )


def shape_of(
    memory: MemorySpec,
    task_set: TaskSet,
    dtype: str,
    uses_matrices: bool,
    ops: tuple[int, ...] | None = None,
    one_hot: bool | None = None,
    skips: bool | None = None,
) -> Shape:
    """The shape of evaluations of programs with a memory on a task set.

    Args:
        memory: numbers of registers.
        task_set: the tasks.
        dtype: "float32" or "float64".
        uses_matrices: whether any instruction reads or writes a matrix.
        ops: ids of the ops that programs may use; by default all that do without matrices, or all.
        one_hot: see :class:`Shape`; by default as the device that JAX uses here prefers.
        skips: likewise.
    """
    platform = devices.choose().platform
    return Shape(
        scalars=memory.scalars,
        vectors=memory.vectors,
        matrices=memory.matrices if uses_matrices else 0,
        num_features=task_set.num_features,
        evaluation=task_set.evaluation,
        epochs=task_set.epochs,
        max_abs_error=task_set.max_abs_error,
        num_classes=task_set.num_classes,
        uses_matrices=uses_matrices,
        dtype=dtype,
        ops=ops_of_variant(uses_matrices) if ops is None else ops,
        one_hot=platform == "tpu" if one_hot is None else one_hot,
        skips=platform == "cpu" if skips is None else skips,
        bodies=user_bodies(),
    )
