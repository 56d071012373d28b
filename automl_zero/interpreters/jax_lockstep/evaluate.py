"""Training and validation of a batch of programs in lockstep.

An evaluation is one loop over phases: Setup, then in every epoch Predict and Learn for each training example and
Predict for each validation example. A phase is a loop over the slots of a component, up to the longest program's
size, so the compiled code does not grow with programs or examples.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from automl_zero.interpreters.jax_lockstep import labels, random, registers
from automl_zero.interpreters.jax_lockstep.batch import Outcome, Programs, Shape, Tasks
from automl_zero.interpreters.jax_lockstep.instructions import Instructions, at, lay_out
from automl_zero.interpreters.jax_lockstep.registers import Registers
from automl_zero.interpreters.jax_lockstep.step import step
from automl_zero.interpreters.permutation import epoch_order

SETUP, PREDICT, LEARN = range(3)


class Losses(NamedTuple):
    """What an evaluation adds up.

    Attributes:
        total: [n, D], sum of the losses of the best epoch; infinite where no epoch was valid.
        excess: [n, D], what rounding has added to the sum.
        train_steps: int32[n].
        predictions: of validation, [num_valid, n, D] or with classes [num_valid, C, n, D]; None unless asked for.
    """

    total: jax.Array
    excess: jax.Array
    train_steps: jax.Array
    predictions: jax.Array | None


class _State(NamedTuple):
    phase: jax.Array
    registers: Registers
    stopped: jax.Array  # bool[n, D]: training has stopped
    failed: jax.Array  # bool[n, D]: this epoch's validation is invalid
    total: jax.Array
    excess: jax.Array
    best: Losses


class _Moment(NamedTuple):
    """Where in an evaluation a phase is."""

    component: jax.Array
    validating: jax.Array
    position: jax.Array  # of the example in the order of its part
    example: jax.Array  # its row
    place: random.Place


class _Examples(NamedTuple):
    """Training examples, then validation examples."""

    x: jax.Array  # [D, N + M, F]
    y: jax.Array  # [D, N + M] or [D, N + M, C]
    orders: jax.Array
    num_train: int
    num_valid: int


def run(
    programs: Programs, tasks: Tasks, shape: Shape, num_train: int | None = None, num_valid: int | None = None
) -> Outcome:
    """Train and validate every program on every task; pure, and traceable inside jit.

    Args:
        programs: the programs.
        tasks: the tasks.
        shape: static.
        num_train: static; only the first so many training examples, by default all.
        num_valid: static; likewise for validation.
    """
    losses = evaluate(programs, tasks, shape, num_train, num_valid)
    return outcome_of(losses, shape, _count(num_valid, tasks.valid_x))


def probe(programs: Programs, tasks: Tasks, shape: Shape, num_train: int, num_valid: int) -> tuple[Outcome, jax.Array]:
    """As :func:`run`, with what functional fingerprints are made of.

    Returns:
        The outcome, and the validation predictions of the last epoch before any activation, [n, D, num_valid] or with
        classes [n, D, num_valid, C]. Once a task has stopped, the largest finite number takes their place. Where
        training stopped is in the outcome's train steps.
    """
    losses = evaluate(programs, tasks, shape, num_train, num_valid, keep_predictions=True)
    assert losses.predictions is not None
    predictions = jnp.moveaxis(losses.predictions, (-2, -1), (0, 1))
    return outcome_of(losses, shape, num_valid), predictions


def evaluate(
    programs: Programs,
    tasks: Tasks,
    shape: Shape,
    num_train: int | None = None,
    num_valid: int | None = None,
    keep_predictions: bool = False,
) -> Losses:
    """The losses that fitness is made of; arguments as for :func:`run`."""
    examples = _examples(tasks, shape, _count(num_train, tasks.train_x), _count(num_valid, tasks.valid_x))
    num_tasks, num_programs = tasks.train_x.shape[0], programs.code.shape[0]
    instructions = lay_out(programs, shape)
    lanes = (num_programs, num_tasks)
    nothing, never = jnp.zeros(lanes, shape.dtype), jnp.zeros(lanes, bool)
    predictions = None
    if keep_predictions:
        one = labels.prediction(registers.zeros(shape, *lanes), shape)
        predictions = jnp.full((examples.num_valid + 1, *one.shape), _STOPPED[shape.dtype], shape.dtype)
    best = Losses(jnp.full_like(nothing, jnp.inf), nothing, jnp.zeros(num_programs, jnp.int32), predictions)
    state = _State(jnp.int32(0), registers.zeros(shape, *lanes), never, never, nothing, nothing, best)
    per_epoch = 2 * examples.num_train + examples.num_valid
    num_phases = 1 + shape.epochs * per_epoch

    def goes_on(state: _State) -> jax.Array:
        last_chance = state.phase > num_phases - examples.num_valid
        return (state.phase < num_phases) & ~jnp.all(state.stopped | (state.failed & last_chance))

    def phase(state: _State) -> _State:
        return _phase(state, instructions, examples, tasks.keys, shape)

    best = lax.while_loop(goes_on, phase, state).best
    return best if best.predictions is None else best._replace(predictions=best.predictions[:-1])


_STOPPED = {dtype: float(np.finfo(dtype).max) for dtype in ("float32", "float64")}


def _count(count: int | None, examples: jax.Array) -> int:
    return examples.shape[1] if count is None else count


def _examples(tasks: Tasks, shape: Shape, num_train: int, num_valid: int) -> _Examples:
    orders = tasks.orders
    if orders.shape[1] != num_train:  # the order of fewer examples is an order of its own
        every = np.stack([epoch_order(epoch, num_train) for epoch in range(shape.epochs)])
        orders = jnp.asarray(every.astype(np.int32))
    x = jnp.concatenate([tasks.train_x[:, :num_train], tasks.valid_x[:, :num_valid]], axis=1)
    y = jnp.concatenate([tasks.train_y[:, :num_train], tasks.valid_y[:, :num_valid]], axis=1)
    return _Examples(x, y, orders, num_train, num_valid)


def _moment(phase: jax.Array, examples: _Examples) -> _Moment:
    N, M = examples.num_train, examples.num_valid
    epoch, rest = jnp.maximum(phase - 1, 0) // (2 * N + M), jnp.maximum(phase - 1, 0) % (2 * N + M)
    validating = rest >= 2 * N
    component = jnp.where(phase == 0, SETUP, jnp.where(validating | (rest % 2 == 0), PREDICT, LEARN))
    position = jnp.where(validating, rest - 2 * N, rest // 2)
    example = jnp.where(validating, position, examples.orders[epoch, jnp.minimum(position, N - 1)])
    component = component.astype(jnp.int32)
    drawn_at = jnp.where(phase == 0, 0, example)
    place = random.Place(validating.astype(jnp.int32), component, epoch, drawn_at)
    return _Moment(component, validating, position, example, place)


def _phase(state: _State, instructions: Instructions, examples: _Examples, keys: jax.Array, shape: Shape) -> _State:
    moment = _moment(state.phase, examples)
    row = moment.example + jnp.where(moment.validating, examples.num_train, 0)
    x = lax.dynamic_index_in_dim(examples.x, row, 1, keepdims=False)
    y = lax.dynamic_index_in_dim(examples.y, row, 1, keepdims=False)
    files = labels.show_features(state.registers, jnp.where(moment.component == SETUP, 0, x))
    files = labels.show(files, jnp.where(moment.component == LEARN, y, 0), shape)
    key = random.subkeys(keys, moment.place)
    frozen = None
    if (
        shape.epochs > 1 and shape.evaluation == "rmse"
    ):  # what has failed ends there, and the next epoch goes on from it
        frozen = state.failed & moment.validating

    def instruction(slot: jax.Array, files: Registers) -> Registers:
        return step(files, at(instructions, moment.component, slot), key, shape, frozen)

    files = lax.fori_loop(jnp.int32(0), instructions.counts[moment.component], instruction, files)
    state = _judged_in_training(state._replace(registers=files, phase=state.phase + 1), moment, y, shape)
    return _judged_in_validation(state, moment, y, examples.num_valid, shape)


def _judged_in_training(state: _State, moment: _Moment, y: jax.Array, shape: Shape) -> _State:
    """The state after an example's prediction in training; the same state in other phases."""
    applies = (moment.component == PREDICT) & ~moment.validating
    files, error = labels.training_error(state.registers, y, applies, shape)
    fine = error <= jnp.asarray(shape.max_abs_error, shape.dtype)
    running = jnp.sum(applies & ~state.stopped, axis=1, dtype=jnp.int32)
    starts = applies & (moment.position == 0)
    return state._replace(
        registers=files,
        stopped=state.stopped | (applies & ~fine),
        failed=state.failed & ~starts,
        total=jnp.where(starts, 0, state.total),
        excess=jnp.where(starts, 0, state.excess),
        best=state.best._replace(train_steps=state.best.train_steps + running),
    )


def _judged_in_validation(state: _State, moment: _Moment, y: jax.Array, num_valid: int, shape: Shape) -> _State:
    """The state after an example's prediction in validation; the same state in other phases."""
    loss, fine = labels.validation_loss(state.registers, y, shape)
    failed = state.failed | (moment.validating & ~fine)
    total, excess = _add(state.total, state.excess, jnp.where(moment.validating, loss, 0))
    ends = moment.validating & (moment.position == num_valid - 1)
    better = ends & ~failed & ~state.stopped & (total < state.best.total)
    best = state.best._replace(
        total=jnp.where(better, total, state.best.total), excess=jnp.where(better, excess, state.best.excess)
    )
    if best.predictions is not None:
        shown = jnp.where(failed | state.stopped, _STOPPED[shape.dtype], labels.prediction(state.registers, shape))
        at_row = jnp.where(moment.validating, moment.position, num_valid)  # the last row is not looked at
        best = best._replace(predictions=lax.dynamic_update_index_in_dim(best.predictions, shown, at_row, 0))
    return state._replace(failed=failed, total=total, excess=excess, best=best)


def _add(total: jax.Array, excess: jax.Array, value: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Kahan's compensated sum, so that float32 is enough for many examples."""
    wanted = value - excess
    new = total + wanted
    return new, (new - total) - wanted


def outcome_of(losses: Losses, shape: Shape, num_valid: int) -> Outcome:
    """Fitness by the sums of losses over `num_valid` examples."""
    mean = losses.total / num_valid
    fitness = 1 - mean if shape.evaluation == "accuracy" else 1 - 2 / math.pi * jnp.arctan(jnp.sqrt(mean))
    return Outcome(jnp.where(jnp.isfinite(mean), fitness, 0), losses.train_steps)
