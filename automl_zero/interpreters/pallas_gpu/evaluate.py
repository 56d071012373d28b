"""Evaluation of batches of programs by the kernel; the twin of ../jax_lockstep/evaluate.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from automl_zero.interpreters.jax_lockstep.batch import Outcome, Programs, Shape, Tasks
from automl_zero.interpreters.jax_lockstep.evaluate import Losses, outcome_of
from automl_zero.interpreters.jax_lockstep.instructions import lay_out
from automl_zero.interpreters.pallas_gpu.bodies import unsupported
from automl_zero.interpreters.pallas_gpu.geometry import (
    LARGEST_FEATURES,
    LARGEST_FEATURES_WITH_MATRICES,
    SHARED_BYTES,
    Geometry,
    geometry_of,
)
from automl_zero.interpreters.pallas_gpu.kernel import Inputs, Outputs, Plan, Scratch, run_program
from automl_zero.interpreters.pallas_gpu.registers import Machine
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.ops import TABLE

Array = jax.Array


class Specification(NamedTuple):
    """Shape and type of an array of the kernel."""

    shape: tuple[int, ...]
    dtype: Any

    def struct(self) -> jax.ShapeDtypeStruct:
        """The same for JAX."""
        return jax.ShapeDtypeStruct(self.shape, self.dtype)  # type: ignore[no-untyped-call]


class Launch(NamedTuple):
    """A kernel to be started: one block for each program and group of tasks.

    Attributes:
        body: takes the machine and the references of inputs, outputs and scratch arrays.
        plan: what it is compiled for.
        num_programs: n.
        outputs: shapes and types of the outputs.
        scratch: shapes and types of the arrays that each block has in shared memory.
    """

    body: Callable[..., None]
    plan: Plan
    num_programs: int
    outputs: Sequence[Specification]
    scratch: Sequence[Specification]


Launcher = Callable[[Launch], Callable[..., Any]]


def supports(shape: Shape, num_tasks: int = 1, slots: int = 64) -> str | None:
    """Why the kernel cannot evaluate programs of a shape; None when it can.

    Args:
        shape: registers, sizes and ops.
        num_tasks: D.
        slots: room for the instructions of each component.
    """
    if shape.dtype != "float32":
        return f"the GPU kernel computes in float32, not {shape.dtype}"
    if shape.num_classes:
        return "the GPU kernel has no vector labels"
    most = LARGEST_FEATURES_WITH_MATRICES if shape.uses_matrices else LARGEST_FEATURES
    if shape.num_features > most:
        what = "features with matrices" if shape.uses_matrices else "features"
        return f"the GPU kernel has room for at most {most} {what}, not {shape.num_features}"
    if missing := unsupported(shape.ops):
        return f"the GPU kernel does not have the op {missing[0]}"
    needed = _geometry(shape, num_tasks, slots).shared_bytes
    if needed > SHARED_BYTES:
        return f"the registers need {needed / 1024:.0f} KiB of shared memory, but a block has {SHARED_BYTES // 1024}"
    return None


def run(
    programs: Programs, tasks: Tasks, shape: Shape, num_train: int | None = None, num_valid: int | None = None
) -> Outcome:
    """Train and validate every program on every task, on a GPU; the twin of the lockstep interpreter's function.

    Raises:
        ValueError: the shape is not one that :func:`supports` accepts.
    """
    losses = evaluate(programs, tasks, shape, num_train, num_valid)
    return outcome_of(losses, shape, _count(num_valid, tasks.valid_x))


def probe(programs: Programs, tasks: Tasks, shape: Shape, num_train: int, num_valid: int) -> tuple[Outcome, Array]:
    """As :func:`run`, with the validation predictions [n, D, num_valid]; see the lockstep interpreter's function.

    Predictions differ in the last bits between backends: fingerprints made of them must all come from one.

    Raises:
        ValueError: the shape is not one that :func:`supports` accepts.
    """
    losses = evaluate(programs, tasks, shape, num_train, num_valid, keep_predictions=True)
    assert losses.predictions is not None
    return outcome_of(losses, shape, num_valid), jnp.moveaxis(losses.predictions, 0, 2)


def evaluate(
    programs: Programs,
    tasks: Tasks,
    shape: Shape,
    num_train: int | None = None,
    num_valid: int | None = None,
    keep_predictions: bool = False,
    launcher: Launcher | None = None,
) -> Losses:
    """The losses that fitness is made of; traceable inside jit.

    Args:
        programs: the programs.
        tasks: the tasks.
        shape: static, one that :func:`supports` accepts.
        num_train: static; only the first so many training examples, by default all.
        num_valid: static; likewise for validation.
        keep_predictions: static; whether to return the validation predictions too.
        launcher: starts the kernel; by default on the GPU.

    Raises:
        ValueError: the shape is not supported.
    """
    count, _, slots, _ = programs.code.shape
    num_tasks = tasks.train_x.shape[0]
    reason = supports(shape, num_tasks, slots)
    if reason is not None:
        raise ValueError(reason)
    train, valid = _count(num_train, tasks.train_x), _count(num_valid, tasks.valid_x)
    geometry = _geometry(shape, num_tasks, slots)
    ops = (0, *sorted(set(shape.ops) - {0}))
    plan = Plan(geometry, ops, slots, shape.evaluation, shape.epochs, shape.max_abs_error, keep_predictions)
    by_task = (count, geometry.groups, geometry.lanes)
    outputs = [Specification(by_task, dtype) for dtype in (jnp.float32, jnp.float32, jnp.int32)]
    if keep_predictions:
        outputs.append(Specification((*by_task[:2], valid, geometry.lanes), jnp.float32))
    launch = Launch(_body(plan), plan, count, outputs, _scratch(geometry))
    start = (launcher or _on_gpu)(launch)
    loss, excess, steps, *kept = start(*_inputs(programs, tasks, shape, plan, train, valid))
    total, excess = (array.reshape(count, -1)[:, :num_tasks] for array in (loss, excess))
    predictions = None
    if kept:
        predictions = jnp.moveaxis(kept[0], 2, 0).reshape(valid, count, -1)[:, :, :num_tasks]
    return Losses(total, excess, jnp.sum(steps, axis=(1, 2)), predictions)


def _count(count: int | None, examples: Array) -> int:
    return examples.shape[1] if count is None else count


def _on_gpu(launch: Launch) -> Callable[..., Any]:
    # Imported here, so that everything else can be tested where Mosaic GPU cannot be imported.
    from automl_zero.interpreters.pallas_gpu import mosaic

    return mosaic.launch(launch)


def _geometry(shape: Shape, num_tasks: int, slots: int) -> Geometry:
    matrices = shape.matrices if shape.uses_matrices else 0
    return geometry_of(num_tasks, shape.num_features, slots, shape.scalars, shape.vectors, matrices)


def _scratch(geometry: Geometry) -> list[Specification]:
    lanes, width = geometry.lanes, geometry.width
    arrays = [
        Specification((geometry.words,), jnp.int32),
        Specification((3 * geometry.words,), jnp.float32),
        Specification((1, lanes), jnp.float32),
        Specification((geometry.scalars, lanes), jnp.float32),
        Specification((geometry.vectors, lanes, width), jnp.float32),
    ]
    if geometry.matrices:
        arrays.append(Specification((geometry.matrices * geometry.features, lanes, width), jnp.float32))
    return arrays


def _body(plan: Plan) -> Callable[..., None]:
    num_inputs, num_outputs = len(Inputs._fields), 4 if plan.keep_predictions else 3

    def evaluate_programs(machine: Machine, *references: Any) -> None:
        inputs = Inputs(*references[:num_inputs])
        outputs = Outputs(*references[num_inputs : num_inputs + num_outputs])
        run_program(machine, plan, inputs, outputs, Scratch(*references[num_inputs + num_outputs :]))

    return evaluate_programs


def _inputs(programs: Programs, tasks: Tasks, shape: Shape, plan: Plan, num_train: int, num_valid: int) -> Inputs:
    geometry = plan.geometry
    words, constants = _instructions(programs, shape, plan)
    num_tasks, most_train, _ = tasks.train_x.shape
    orders = tasks.orders
    if orders.shape[1] != num_train:  # the order of fewer examples is an order of its own
        every = np.stack([epoch_order(epoch, num_train) for epoch in range(shape.epochs)])
        orders = jnp.asarray(every.astype(np.int32))
    features = jnp.concatenate([tasks.train_x, tasks.valid_x], axis=1)
    features = _grouped(jnp.moveaxis(features, 0, 1), geometry, 1)
    labels = jnp.concatenate([tasks.train_y, tasks.valid_y], axis=1)
    return Inputs(
        words=words,
        constants=constants,
        sizes=programs.sizes.astype(jnp.int32),
        counts=jnp.asarray([num_train, num_valid, most_train, 0], jnp.int32),
        orders=orders,
        features=jnp.pad(features, [(0, 0)] * 3 + [(0, geometry.width - geometry.features)]),
        labels=_grouped(labels.T, geometry, 1),
        keys=_grouped(tasks.keys.T, geometry, 1),
        present=_grouped(jnp.ones(num_tasks, jnp.float32), geometry, 0),
    )


def _grouped(array: Array, geometry: Geometry, axis: int) -> Array:
    """Split the axis of tasks into groups of lanes; lanes without a task are zero."""
    missing = geometry.groups * geometry.lanes - array.shape[axis]
    padded = jnp.pad(array, [(0, missing if i == axis else 0) for i in range(array.ndim)])
    return padded.reshape(*array.shape[:axis], geometry.groups, geometry.lanes, *array.shape[axis + 1 :])


def _instructions(programs: Programs, shape: Shape, plan: Plan) -> tuple[Array, Array]:
    """Instructions in a word each, int32[n, words], and their constants, float32[n, 3 * words].

    In place of fractions of F there are the indices that they stand for, and random sets get their ordinal among the
    random sets of the component as a third constant.
    """
    table = lay_out(programs, shape)
    ops = jnp.transpose(table.ops, (2, 0, 1))  # [n, component, slot]
    positions = np.zeros(len(TABLE), np.int32)
    positions[list(plan.ops)] = np.arange(len(plan.ops))
    in1, in2, out = (programs.code[..., i].astype(jnp.int32) for i in (1, 2, 3))
    words = jnp.asarray(positions)[ops] | in1 << 8 | in2 << 16 | out << 24
    places = jnp.transpose(table.places, (2, 3, 0, 1)).astype(jnp.float32)  # [index, n, component, slot]
    ordinals = jnp.transpose(table.ordinals, (2, 0, 1)).astype(jnp.float32)
    columns = []
    for index in range(3):
        values = programs.constants[..., index].astype(jnp.float32)
        is_index = np.array([index < len(op.constants) and op.constants[index][1].name == "INDEX" for op in TABLE])
        if is_index.any():
            values = jnp.where(jnp.asarray(is_index)[ops], places[index], values)
        if index == 2:
            values = jnp.where(jnp.asarray([op.random for op in TABLE])[ops], ordinals, values)
        columns.append(_padded(values, plan.geometry.words))
    return _padded(words, plan.geometry.words), jnp.concatenate(columns, axis=1)


def _padded(values: Array, words: int) -> Array:
    flat = values.reshape(values.shape[0], -1)
    return jnp.pad(flat, [(0, 0), (0, words - flat.shape[1])])
