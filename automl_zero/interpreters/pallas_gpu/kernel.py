"""The kernel: one program on one group of tasks, from Setup to the last validation example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import pallas as pl

from automl_zero.interpreters.jax_lockstep.random import threefry2x32
from automl_zero.interpreters.pallas_gpu.bodies import body_of
from automl_zero.interpreters.pallas_gpu.geometry import Geometry
from automl_zero.interpreters.pallas_gpu.registers import Instruction, Machine, Registers, repeat
from automl_zero.memory import FEATURES, LABEL, PREDICTION
from automl_zero.ops import TABLE
from automl_zero.tasks.taskset import Evaluation

Array = Any
SETUP, PREDICT, LEARN = range(3)
PHASES_BETWEEN_CHECKS = 64  # a block stops when, at a check, all of its tasks have failed


@dataclass(frozen=True)
class Plan:
    """What a kernel is compiled for.

    Attributes:
        geometry: sizes of the arrays.
        ops: ids of the ops, the first being no_op; instructions hold positions in this list.
        slots: room for the instructions of each component.
        evaluation: "rmse" or "accuracy".
        epochs: passes over the training examples.
        max_abs_error: error beyond which a task stops.
        keep_predictions: whether the validation predictions of the last epoch are an output.
    """

    geometry: Geometry
    ops: tuple[int, ...]
    slots: int
    evaluation: Evaluation
    epochs: int
    max_abs_error: float
    keep_predictions: bool = False


class Inputs(NamedTuple):
    """References to arrays in device memory.

    Attributes:
        words: int32[n, words], instructions: op, in1, in2 and out in a byte each, from the lowest.
        constants: float32[n, 3 * words], first constants of all instructions, then second and third ones.
        sizes: int32[n, 3], instructions of each component.
        counts: int32[4], training examples, validation examples, the first row of the latter, and 0.
        orders: int32[epochs, N].
        features: float32[rows, groups, lanes, width].
        labels: float32[rows, groups, lanes].
        keys: uint32[2, groups, lanes].
        present: float32[groups, lanes], 1 where there is a task.
    """

    words: Any
    constants: Any
    sizes: Any
    counts: Any
    orders: Any
    features: Any
    labels: Any
    keys: Any
    present: Any


class Outputs(NamedTuple):
    """References to the results, [n, groups, lanes].

    Attributes:
        loss: float32, sum over the validation examples of the best epoch; infinite where there is none.
        excess: float32, what rounding has added to that sum.
        steps: int32, training examples seen.
        predictions: float32[n, groups, M, lanes], those of validation, where they are kept; the largest finite
            number once a task has stopped.
    """

    loss: Any
    excess: Any
    steps: Any
    predictions: Any = None


class Scratch(NamedTuple):
    """References to arrays in shared memory; there are no matrices in kernels without matrix registers."""

    words: Any
    constants: Any
    flags: Any
    scalars: Any
    vectors: Any
    matrices: Any = None


class Tally(NamedTuple):
    """What is known of each task so far; lanes.

    Attributes:
        alive: 1 until training stops, then 0.
        valid: 1 until a validation error of this epoch is too large.
        loss: sum over the validation examples of this epoch.
        excess: what rounding has added to it (Kahan's summation).
        best: smallest loss of an epoch.
        best_excess: what rounding has added to that.
        steps: int32, training examples seen.
    """

    alive: Array
    valid: Array
    loss: Array
    excess: Array
    best: Array
    best_excess: Array
    steps: Array


def run_program(machine: Machine, plan: Plan, inputs: Inputs, outputs: Outputs, scratch: Scratch) -> None:
    """Train and validate one program on one group of tasks."""
    program, group = machine.place()
    machine.copy(inputs.words, program, scratch.words)
    machine.copy(inputs.constants, program, scratch.constants)
    block = _Block(machine, plan, inputs, outputs, scratch, program, group)
    tally = block.evaluate()
    outputs.loss[program, group] = tally.best
    outputs.excess[program, group] = tally.best_excess
    outputs.steps[program, group] = tally.steps


class _Block:
    """One program on one group of tasks."""

    def __init__(
        self,
        machine: Machine,
        plan: Plan,
        inputs: Inputs,
        outputs: Outputs,
        scratch: Scratch,
        program: Array,
        group: Array,
    ) -> None:
        self.machine, self.plan, self.inputs, self.scratch = machine, plan, inputs, scratch
        self.outputs, self.program, self.group = outputs, program, group
        self.registers = Registers(machine, scratch.scalars, scratch.vectors, scratch.matrices, inputs.counts[3])
        self.sizes = [inputs.sizes[program, component] for component in range(3)]
        self.num_train, self.num_valid, self.first_valid = (inputs.counts[i] for i in range(3))
        self.span = 2 * self.num_train + self.num_valid  # phases of an epoch
        self.bodies = [body_of(TABLE[number]) for number in plan.ops]
        self.zero, self.one = machine.full_lanes(0.0), machine.full_lanes(1.0)
        self.stopped = machine.full_lanes(np.finfo(np.float32).max)

    def evaluate(self) -> Tally:
        """One loop over phases: Setup; then for each example Predict and Learn, or in validation Predict alone.

        There is one loop so that there is one copy of the code of all ops.
        """
        self.registers.clear()
        if self.plan.keep_predictions:
            repeat(self.num_valid, lambda position: self._keep_prediction(position, self.stopped))
        zero = self.zero
        tally = Tally(
            alive=self.machine.load_lanes(self.inputs.present, self.group),
            valid=self.one,
            loss=zero,
            excess=zero,
            best=self.machine.full_lanes(jnp.inf),
            best_excess=zero,
            steps=self.machine.full_lanes(0, jnp.int32),
        )
        total = 1 + self.plan.epochs * self.span

        def unfinished(state: tuple[Array, Array, Tally]) -> Array:
            phase, any_alive, _ = state
            return jnp.logical_and(phase < total, any_alive > 0.0)

        def some_phases(state: tuple[Array, Array, Tally]) -> tuple[Array, Array, Tally]:
            phase, _, tally = state
            end = jnp.minimum(phase + jnp.int32(PHASES_BETWEEN_CHECKS), total)
            tally = lax.fori_loop(phase, end, self._phase, tally)
            return end, self._any(tally), tally

        *_, tally = lax.while_loop(unfinished, some_phases, (jnp.int32(0), jnp.float32(1.0), tally))
        return tally

    def _any(self, tally: Tally) -> Array:
        """Whether any task is of interest still, as a number; the same for all threads."""
        flags = tally.alive if self.plan.epochs > 1 else tally.alive * tally.valid
        self.scratch.flags[0] = flags
        largest = self.scratch.flags[0, 0]
        for lane in range(1, self.machine.geometry.lanes):
            largest = jnp.maximum(largest, self.scratch.flags[0, lane])
        return largest

    def _phase(self, phase: Array, tally: Tally) -> Tally:
        is_setup = phase == 0
        step = jnp.maximum(phase - jnp.int32(1), jnp.int32(0))
        epoch = jnp.int32(0) if self.plan.epochs == 1 else step // self.span
        step = step - epoch * self.span
        is_validation = step >= 2 * self.num_train
        position = jnp.where(is_validation, step - 2 * self.num_train, step >> jnp.int32(1))
        example = position
        if self.plan.epochs > 1:
            example = jnp.where(is_validation, position, self.inputs.orders[epoch, position])
        row = jnp.where(is_validation, self.first_valid + position, example)
        learns = jnp.logical_not(is_validation) & ((step & jnp.int32(1)) == 1)
        component = jnp.where(is_setup, jnp.int32(SETUP), jnp.where(learns, jnp.int32(LEARN), jnp.int32(PREDICT)))
        label = self.machine.load_lanes(self.inputs.labels, row, self.group)
        registers = self.registers

        @pl.when(component == PREDICT)
        def _() -> None:
            registers.set_vector(FEATURES, self.machine.load_block(self.inputs.features, row, self.group))
            registers.set_scalar(LABEL, self.zero)

        @pl.when(component == LEARN)
        def _() -> None:
            registers.set_scalar(LABEL, label)

        if self.plan.epochs > 1 and self.plan.evaluation == "rmse":
            # A failed validation ends, and the next epoch finds the memory as it was then.
            validating = self.machine.full_lanes(is_validation.astype(jnp.float32))
            registers.kept = validating * (self.one - tally.valid)
        stream = is_validation.astype(jnp.int32) + 4 * component + 16 * epoch
        self._run(component, stream, jnp.where(is_setup, jnp.int32(0), example))
        registers.kept = None
        judgement = (component == PREDICT).astype(jnp.int32) * (1 + is_validation.astype(jnp.int32))
        judges = [self._keep, self._judge_training, self._judge_validation]
        tally = Tally(*lax.switch(judgement, judges, tally, label, position))
        is_last = (step == self.span - 1) & jnp.logical_not(is_setup)
        return Tally(*lax.cond(is_last, self._finish_epoch, lambda tally: tally, tally))

    def _run(self, component: Array, stream: Array, example: Array) -> None:
        """Execute the instructions of a component."""
        first = component * jnp.int32(self.plan.slots)
        size = self.sizes[SETUP]
        for other in (PREDICT, LEARN):
            size = jnp.where(component == other, self.sizes[other], size)
        words, constants = self.scratch.words, self.scratch.constants
        byte = jnp.int32(255)

        def execute(offset: Array, word: Array) -> Array:
            at = first + offset
            following = words[at + 1]  # early, so that it is there when it is needed

            def constant(index: int) -> Array:
                return constants[at + index * self.machine.geometry.words]

            instruction = Instruction(
                in1=(word >> jnp.int32(8)) & byte,
                in2=(word >> jnp.int32(16)) & byte,
                out=(word >> jnp.int32(24)) & byte,
                constant=constant,
                keys=lambda: self._keys(stream, example),
            )
            branches = [lambda body=body: body(self.registers, instruction) for body in self.bodies]
            lax.switch(word & byte, branches)
            return following

        lax.fori_loop(jnp.int32(0), size, execute, words[first])

    def _keys(self, stream: Array, example: Array) -> tuple[Array, Array]:
        """Key of each task's draws in this run of a component, as in ../threefry.py."""
        low, high = (self.machine.load_lanes(self.inputs.keys, word, self.group) for word in (0, 1))
        return threefry2x32((low, high), (stream.astype(jnp.uint32), example.astype(jnp.uint32)))

    def _keep(self, tally: Tally, label: Array, position: Array) -> Tally:
        return tally

    def _judge_training(self, tally: Tally, label: Array, position: Array) -> Tally:
        prediction = self.registers.scalar(PREDICTION)
        if self.plan.evaluation == "accuracy":
            prediction = _sigmoid(prediction)
            self.registers.set_scalar(PREDICTION, prediction)
        alive = jnp.where(self._is_small(label - prediction), tally.alive, self.zero)
        steps = jnp.where(tally.alive > 0.0, tally.steps + jnp.int32(1), tally.steps)
        return tally._replace(alive=alive, steps=steps)

    def _judge_validation(self, tally: Tally, label: Array, position: Array) -> Tally:
        prediction = self.registers.scalar(PREDICTION)
        valid = tally.valid
        if self.plan.evaluation == "accuracy":  # a NaN predicts class 0
            half = jnp.float32(0.5)
            predicted, expected = (
                jnp.where(value > half, self.one, self.zero) for value in (_sigmoid(prediction), label)
            )
            added = jnp.abs(predicted - expected)
        else:
            error = label - prediction
            valid = jnp.where(self._is_small(error), valid, self.zero)
            added = error * error
        if self.plan.keep_predictions:
            runs = tally.alive * valid > 0.0
            self._keep_prediction(position, jnp.where(runs, self.registers.scalar(PREDICTION), self.stopped))
        wanted = self.registers.rounded(added) - tally.excess
        loss = tally.loss + wanted
        return tally._replace(valid=valid, loss=loss, excess=(loss - tally.loss) - wanted)

    def _keep_prediction(self, position: Array, prediction: Array) -> None:
        self.outputs.predictions[self.program, self.group, position] = prediction

    def _is_small(self, error: Array) -> Array:
        return jnp.abs(error) <= jnp.float32(self.plan.max_abs_error)

    def _finish_epoch(self, tally: Tally) -> Tally:
        counts = (tally.alive * tally.valid > 0.0) & (tally.loss < tally.best)
        return tally._replace(
            valid=self.one,
            loss=self.zero,
            excess=self.zero,
            best=jnp.where(counts, tally.loss, tally.best),
            best_excess=jnp.where(counts, tally.excess, tally.best_excess),
        )


def _sigmoid(a: Array) -> Array:
    one = jnp.float32(1.0)
    return one / (one + jnp.exp(-a))
