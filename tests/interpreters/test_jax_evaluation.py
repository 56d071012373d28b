"""Training and validation by the JAX backend: stops, epochs, labels, steps and probes, on programs made for it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

import jax
import jax.numpy as jnp

from automl_zero import programs
from automl_zero.interpreters.jax_lockstep import Evaluator, probe, run, shape_of, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import Batch, pack_batch
from automl_zero.interpreters.jax_lockstep.evaluate import _add
from automl_zero.interpreters.numpy_interpreter import TaskRun, evaluate_program
from automl_zero.memory import MemorySpec
from automl_zero.program import Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays

MEMORY = MemorySpec(4, 3, 0)
D, N, M, F = 2, 4, 3, 2
STOPPED = np.finfo(np.float32).max


def set_scalar(out: int, value: float) -> Instruction:
    return Instruction("scalar_const_set", out=out, constants=(value,))


def program(
    setup: Sequence[Instruction] = (), predict: Sequence[Instruction] = (), learn: Sequence[Instruction] = ()
) -> Program:
    return Program(MEMORY, tuple(setup), tuple(predict), tuple(learn))


@functools.cache
def tasks(evaluation: str = "rmse", epochs: int = 1) -> TaskSet:
    """Two tasks whose features are (row, 1), with labels of either kind; row 2 of validation is far off in task 0."""
    x = np.stack([np.arange(1.0, N + M + 1), np.ones(N + M)], axis=-1)
    y = (np.arange(N + M) % 2).astype(float)
    every_x, every_y = np.stack([x, -x]), np.stack([y, 1 - y])
    if evaluation == "rmse":
        every_x[0, N + 1] = 50
    train, valid = slice(N), slice(N, N + M)
    return from_arrays(
        every_x[:, train], every_y[:, train], every_x[:, valid], every_y[:, valid], evaluation, epochs=epochs,
        max_abs_error=20.0,
    )  # fmt: skip


#: predicts the first feature: fails where it is far from the label
COPY = (Instruction("vector_inner_product", 0, 1, 1),)
FIRST = Instruction("vector_const_set", out=1, constants=(0.25, 1.0))
#: s1 = s2 = number of predictions so far
COUNT = (Instruction("scalar_sum", 2, 3, 2), Instruction("scalar_sum", 2, 0, 1))
NAN = Instruction("scalar_log", 3, out=1)  # of s3 = -1

PROGRAMS = {
    "nothing": program(),
    "a constant": program(predict=[set_scalar(1, 0.5)]),
    "the first feature": program([FIRST], COPY),
    "counting": program([set_scalar(3, 1.0)], COUNT),
    "counting backwards": program([set_scalar(3, -1.0)], COUNT),
    "quick counting": program([set_scalar(3, 4.0)], COUNT),
    "not a number": program([set_scalar(3, -1.0)], [NAN]),
    "infinity": program(predict=[Instruction("scalar_reciprocal", 2, out=1)]),
    "not a number from the second on": program([set_scalar(3, 1.0)], [NAN], [set_scalar(3, -1.0)]),
    "not a number after training": program(
        learn=[set_scalar(3, -1.0)], predict=[Instruction("scalar_sum", 2, 3, 2), Instruction("scalar_log", 2, out=1)]
    ),
    "the prediction of the last time": program(learn=[Instruction("scalar_sum", 1, 0, 2)], predict=[
        Instruction("scalar_sum", 1, 2, 1)]),
    "the label": program(learn=[Instruction("scalar_sum", 0, 2, 3)], predict=[Instruction("scalar_sum", 3, 0, 1)]),
    "features in Learn": program(learn=[Instruction("vector_sum", 0, 2, 1)], predict=COPY),
    "features in Setup": program([Instruction("vector_sum", 0, 2, 1)], COPY),
    "linear": programs.linear(0.02, MEMORY),
    "random": program(
        [Instruction("scalar_gaussian_set", out=2, constants=(0.0, 0.5))],
        [Instruction("vector_uniform_set", out=1, constants=(1.0, -1.0)), *COPY],
        [Instruction("vector_uniform_set", out=2, constants=(0.0, 1.0)), Instruction("vector_norm", 2, out=2)],
    ),
}  # fmt: skip
CASES = [("rmse", 1), ("rmse", 3), ("accuracy", 2)]


@functools.cache
def outcomes(evaluation: str, epochs: int) -> dict[str, tuple[np.ndarray, int]]:
    """Fitness and train steps of all programs, in one batch."""
    fitness, steps = Evaluator(tasks(evaluation, epochs), "float32").evaluate(list(PROGRAMS.values()))
    return {name: (row, int(count)) for name, row, count in zip(PROGRAMS, fitness, steps, strict=True)}


def steps_by_definition(program: Program, data: TaskSet) -> int:
    total = 0
    for task in range(D):
        alone = TaskRun(program, data, task, "float32")
        train = alone.train

        def counted(*arguments: Any, train: Any = train) -> Any:
            nonlocal total
            errors, trained = train(*arguments)
            total += len(errors) + (not trained)
            return errors, trained

        alone.train = counted  # type: ignore[method-assign]
        with np.errstate(all="ignore"):
            alone.fitness()
    return total


@pytest.mark.parametrize(("evaluation", "epochs"), CASES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_fitness_and_train_steps_are_those_of_the_definition(evaluation, epochs, name):
    data = tasks(evaluation, epochs)
    fitness, steps = outcomes(evaluation, epochs)[name]
    np.testing.assert_allclose(fitness, evaluate_program(PROGRAMS[name], data, "float32"), rtol=0, atol=2e-7)
    assert steps == steps_by_definition(PROGRAMS[name], data)


def test_the_programs_stop_in_all_the_ways_there_are():
    """Guards the other tests: the programs really differ in what they are about."""
    once, thrice, by_class = (outcomes(*case) for case in CASES)
    assert once["the first feature"][0][0] == 0 < once["the first feature"][0][1]  # one task fails in validation
    assert once["not a number"] == (pytest.approx([0, 0]), 2)  # stops at the first example of both tasks
    assert 2 < once["not a number from the second on"][1] <= 2 * N
    assert thrice["counting"][1] == thrice["nothing"][1] == 2 * 3 * N
    assert 2 * N < thrice["quick counting"][1] < 2 * 3 * N  # stops in a later epoch
    assert (once["quick counting"][0] == 0).all()
    assert {1, 2, 3} <= {round(M * value) for row, _ in by_class.values() for value in row}


def test_a_failed_validation_leaves_memory_as_it_was_for_the_next_epoch():
    """Task 0 fails at the second of three validation examples; task 1 goes on. Afterwards both start from there."""
    counting = program(
        [set_scalar(3, 0.25), FIRST],
        [Instruction("scalar_sum", 2, 3, 2), Instruction("vector_inner_product", 0, 1, 1),
         Instruction("scalar_division", 1, 2, 1)],
    )  # fmt: skip
    data = tasks("rmse", 3)
    fitness, _ = Evaluator(data, "float32").evaluate([counting] * 16)
    expected = evaluate_program(counting, data, "float32")
    assert (expected > 0).all()
    np.testing.assert_allclose(fitness, [expected] * 16, rtol=0, atol=2e-7)


def test_a_last_epoch_may_succeed_where_all_before_it_have_failed():
    """The first feature by the number of Learns: too large an error in validation until there were enough."""
    learning = program(
        [set_scalar(2, 1.0), set_scalar(3, 1.0), FIRST],
        [*COPY, Instruction("scalar_division", 1, 2, 1)],
        [Instruction("scalar_sum", 2, 3, 2)],
    )
    train, valid = np.ones((D, N, F)), np.full((D, M, F), 200.0)
    data = from_arrays(train, np.zeros((D, N)), valid, np.zeros((D, M)), epochs=3, max_abs_error=20.0)
    fitness, _ = Evaluator(data, "float32").evaluate([learning] * 16)
    np.testing.assert_allclose(fitness, [evaluate_program(learning, data, "float32")] * 16, rtol=0, atol=2e-7)
    assert fitness[0].min() > 0


@functools.cache
def probed(num_train: int, num_valid: int) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    batch = Batch(tuple(range(len(PROGRAMS))), len(PROGRAMS), 8, uses_matrices=False)
    packed = pack_batch(list(PROGRAMS.values()), batch, "float32")
    shape = shape_of(MEMORY, tasks("rmse", 1), "float32", uses_matrices=False)
    call = jax.jit(probe, static_argnums=(2, 3, 4))
    outcome, predictions = call(packed, tasks_of(tasks("rmse", 1), "float32"), shape, num_train, num_valid)
    return list(PROGRAMS), *map(np.asarray, (outcome.fitness, outcome.train_steps, predictions))


def test_a_probe_gives_the_predictions_and_where_they_stopped():
    names, fitness, steps, predictions = probed(3, 2)
    assert predictions.shape == (len(PROGRAMS), D, 2)
    of = dict(zip(names, predictions.tolist(), strict=True))
    assert of["a constant"] == [[0.5, 0.5]] * D
    assert of["counting"] == [[4.0, 5.0]] * D
    assert of["the first feature"] == [[5.0, STOPPED], [-5.0, -6.0]]
    assert of["not a number"] == [[STOPPED] * 2] * D
    assert dict(zip(names, steps.tolist(), strict=True))["nothing"] == 3 * D
    assert fitness.shape == (len(PROGRAMS), D)


def test_a_probe_is_an_evaluation_of_fewer_examples():
    whole = tasks("rmse", 1)
    fewer = from_arrays(
        whole.train_x[:, :3], whole.train_y[:, :3], whole.valid_x[:, :2], whole.valid_y[:, :2], max_abs_error=20.0
    )
    for name, fitness in zip(PROGRAMS, probed(3, 2)[1], strict=True):
        np.testing.assert_allclose(fitness, evaluate_program(PROGRAMS[name], fewer, "float32"), rtol=0, atol=5e-7)


def test_it_is_traced_inside_other_compiled_code_without_64_bit_numbers():
    shape = shape_of(MEMORY, tasks(), "float32", uses_matrices=False)
    batch = Batch(tuple(range(len(PROGRAMS))), len(PROGRAMS), 8, uses_matrices=False)
    packed, data = pack_batch(list(PROGRAMS.values()), batch, "float32"), tasks_of(tasks(), "float32")
    for wide in (False, True):  # the caller's setting does not matter
        with jax.enable_x64(wide):
            outcome = jax.eval_shape(lambda a, b: run(a, b, shape), packed, data)
        assert (outcome.fitness.dtype, outcome.train_steps.dtype) == (np.float32, np.int32)


def test_many_small_losses_are_added_without_loss():
    @jax.jit
    def added(losses: jax.Array) -> tuple[jax.Array, jax.Array]:
        zero = jnp.zeros((), losses.dtype)
        return jax.lax.fori_loop(0, losses.size, lambda i, sums: _add(*sums, losses[i]), (zero, zero))

    losses = np.full(20_000, 0.01, np.float32)
    losses[0] = 400.0  # beside which the others are rounded away
    total, excess = (float(number) for number in added(losses))
    assert total - excess == pytest.approx(losses.astype(np.float64).sum(), rel=1e-8)
