"""The compiled interpreter is held to the numpy interpreter, op by op and program by program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.interpreters import numpy_interpreter, record
from automl_zero.interpreters.kernel import get_kernel
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.interpreters.numba_interpreter import Evaluator, evaluate_programs, execute
from automl_zero.interpreters.numpy_interpreter import TaskRun
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, Op, RegisterType
from automl_zero.ops.table import MAX_OPS
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays
from benchmarks import conformance

DATA = Path(__file__).parents[1] / "data"

MEMORY = MemorySpec(5, 4, 3)
ALL_OPS = [op.name for op in TABLE]
PARTIAL_WRITES = ["vector_const_set", "matrix_const_set"]
RANDOM_OPS = [op.name for op in TABLE if op.random]
DETERMINISTIC = [op for op in TABLE if op.output and not op.random]
DTYPES = ["float64", "float32"]


class CountingRun(TaskRun):
    """The definition, with a count of the training examples seen."""

    steps = 0

    def train(self, epoch: int, rows: Any) -> tuple[list[float], bool]:
        errors, trained = super().train(epoch, rows)
        self.steps += len(errors) + (not trained)
        return errors, trained


def definition(program: Program, tasks: TaskSet, dtype: str = "float64") -> tuple[np.ndarray, int]:
    """Fitness and train steps by the numpy interpreter."""
    with np.errstate(all="ignore"):
        runs = [CountingRun(program, tasks, task, dtype) for task in range(tasks.num_tasks)]
        return np.array([run.fitness() for run in runs]), sum(run.steps for run in runs)


def random_tasks(
    D: int, F: int, evaluation: str = "rmse", epochs: int = 1, N: int = 6, M: int = 3, **options: Any
) -> TaskSet:
    """Tasks on which random programs fail now and then: labels of all sizes, some features zero."""
    generator = np.random.default_rng([D, F, epochs])
    x, valid_x = (generator.normal(size=(D, n, F)) * generator.choice([0, 1, 1, 5], size=(D, n, 1)) for n in (N, M))
    y, valid_y = x.sum(2), valid_x.sum(2)
    if evaluation == "accuracy":
        y, valid_y = y > 0, valid_y > 0
    return from_arrays(x, y, valid_x, valid_y, evaluation, epochs, seed=F, **options)


def random_programs(count: int, seed: int, ops: Sequence[str] = ALL_OPS) -> list[Program]:
    """Random programs of some length over all ops, in which every op is about as likely to be live."""
    allowed = dict.fromkeys(COMPONENTS, ops)
    generator = np.random.default_rng(seed)
    sizes = {"setup": 8, "predict": 7, "learn": 7}
    return [programs.random(MEMORY, allowed, sizes, generator) for _ in range(count)]


def take(tasks: TaskSet, chosen: Sequence[int]) -> TaskSet:
    """Some of the tasks, in the order given."""
    names = ("train_x", "train_y", "valid_x", "valid_y", "seeds")
    return replace(tasks, **{name: getattr(tasks, name)[list(chosen)] for name in names})


# -- whole programs --------------------------------------------------------------------------------------------------

COMBINATIONS = [
    # tasks, features, evaluation, epochs
    (1, 1, "rmse", 1),
    (3, 2, "accuracy", 3),
    (8, 3, "rmse", 3),
    (3, 4, "accuracy", 1),
    (10, 4, "rmse", 3),
    (17, 5, "accuracy", 3),
    (40, 2, "rmse", 1),
    (17, 33, "rmse", 1),
    (3, 33, "accuracy", 3),
]


@pytest.mark.parametrize(("D", "F", "evaluation", "epochs"), COMBINATIONS)
def test_random_programs_have_the_fitness_and_the_train_steps_of_the_definition(D, F, evaluation, epochs):
    tasks = random_tasks(D, F, evaluation, epochs)
    some = sorted({0, D // 2, D - 1})  # the definition is slow
    few = take(tasks, some)
    sample = random_programs(40, seed=D + F)
    evaluator, counter = Evaluator(tasks, "float64"), Evaluator(few, "float64")
    close, same_steps = [], []
    for program in sample:
        expected, expected_steps = definition(program, few)
        fitness = evaluator.evaluate(program)[0][some]
        close += list((np.abs(fitness - expected) <= 1e-6) & ((fitness == 0) == (expected == 0)))
        same_steps.append(counter.evaluate(program)[1] == expected_steps)
    assert np.mean(close) >= 0.99
    assert np.mean(same_steps) >= 0.97  # a standard deviation may be NaN by round-off


def test_random_programs_agree_in_float32_too():
    for D, F, evaluation in ((10, 4, "rmse"), (17, 33, "accuracy")):
        tasks = random_tasks(D, F, evaluation, epochs=2)
        sample, some = random_programs(25, seed=F), [0, 3, D - 1]
        expected = np.array([definition(program, take(tasks, some), "float32")[0] for program in sample])
        close = np.abs(evaluate_programs(sample, tasks, "float32")[:, some] - expected) <= 1e-4
        assert close.mean() >= 0.95  # round-off can become NaN, and the sign of round-off a class


def test_the_samples_visit_everything_that_can_happen():
    tasks = random_tasks(8, 3, epochs=3)
    sample = random_programs(150, seed=11)
    outcomes = [Evaluator(tasks, "float64").evaluate(program) for program in sample]
    fitness, steps = np.array([f for f, _ in outcomes]), np.array([s for _, s in outcomes])
    everything = 8 * 3 * tasks.num_train
    assert len(np.unique(fitness)) > 150  # not all programs are trivial
    assert (fitness == 0).all(1).sum() > 10  # all tasks fail
    assert ((fitness == 0).any(1) & (fitness > 0).any(1)).sum() >= 2  # some fail
    assert ((steps < everything) & (fitness > 0).all(1)).any()  # a failure after a good epoch
    assert (steps == everything).sum() > 10
    assert (steps < everything).sum() > 20  # early stops
    assert {i.op for program in sample for component in program.components for i in component} == set(ALL_OPS)


def test_the_compiled_interpreter_agrees_with_the_recordings_of_the_reference(capsys):
    assert conformance.main([str(DATA / "golden_ops.json.gz"), "--backend", "numba"]) == 0
    assert capsys.readouterr().out.splitlines() == ["808 passed, 0 failed"]
    assert conformance.main([str(DATA / "golden_programs.json.gz"), "--backend", "numba"]) == 0
    assert capsys.readouterr().out.splitlines() == ["510 passed, 0 failed"]


def test_random_ops_draw_what_the_definition_draws():
    reading = ["scalar_sum", "vector_mean", "matrix_mean", "vector_inner_product", "matrix_vector_product"]
    tasks = random_tasks(10, 4, epochs=3, N=3, M=2, max_abs_error=1e4)
    sample, some = random_programs(20, seed=5, ops=RANDOM_OPS * 2 + reading * 3), [0, 9]
    expected = np.array([definition(program, take(tasks, some))[0] for program in sample])
    assert len(np.unique(expected)) > 20
    np.testing.assert_allclose(evaluate_programs(sample, tasks, "float64")[:, some], expected, atol=1e-9)


def test_partial_writes_hit_the_element_that_the_definition_hits():
    reading = ["matrix_row_norm", "vector_sum", "vector_inner_product", "matrix_vector_product", "vector_mean"]
    for F in (3, 33):
        tasks = random_tasks(3, F, epochs=2, N=3, M=2, max_abs_error=1e4)
        sample = random_programs(30, seed=6, ops=PARTIAL_WRITES * 5 + reading)
        expected = np.array([definition(program, tasks)[0] for program in sample])
        assert len(np.unique(expected)) > 20
        np.testing.assert_allclose(evaluate_programs(sample, tasks, "float64"), expected, atol=1e-9)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_fitness_depends_on_its_task_alone(dtype):
    tasks = random_tasks(40, 4, epochs=2)
    sample = random_programs(60, seed=1)
    fitness = evaluate_programs(sample, tasks, dtype)
    assert len(np.unique(fitness)) > 200
    for chosen in ([0], [39], [5, 31, 17], list(range(9)), list(range(39, -1, -1)), [7] * 20):
        np.testing.assert_array_equal(evaluate_programs(sample, take(tasks, chosen), dtype), fitness[:, chosen])


def test_a_fitness_does_not_depend_on_what_was_evaluated_before():
    tasks = random_tasks(3, 4)
    small = [programs.random(MemorySpec(2, 1, 0), {"predict": ["scalar_exp"]}, {"predict": 3}, seed=0)]
    mixed = [*random_programs(30, seed=2), *small, programs.linear(), programs.empty(), programs.neural_net()]
    evaluator = Evaluator(tasks, "float64")
    forwards = [evaluator.evaluate(program)[0].tolist() for program in mixed]
    backwards = [evaluator.evaluate(program)[0].tolist() for program in reversed(mixed)]
    assert forwards == backwards[::-1]
    assert forwards == [Evaluator(tasks, "float64").evaluate(program)[0].tolist() for program in mixed]


@pytest.mark.parametrize(("D", "F"), [(3, 3), (10, 5)])
def test_the_kernel_of_any_f_agrees_with_the_specialised_one(D, F):
    tasks = random_tasks(D, F, epochs=2)
    evaluator, generic = Evaluator(tasks, "float64"), Evaluator(tasks, "float64")
    generic.data = lay_out(tasks, "float64", get_kernel(evaluator.data.lanes, None, "float64"))
    assert generic.data.kernel != evaluator.data.kernel
    pairs = [(evaluator.evaluate(p), generic.evaluate(p)) for p in random_programs(100, seed=3)]
    agreeing = [a[1] == b[1] and bool((np.abs(a[0] - b[0]) <= 1e-9).all()) for a, b in pairs]
    assert np.mean(agreeing) >= 0.99


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_outer_product_and_a_sum_after_it_are_one_where_the_product_is_not_needed(dtype):
    tasks = random_tasks(3, 4, N=8, M=3)
    evaluator = Evaluator(tasks, dtype)
    fused, needed = 0, 0
    for outer_out, in1, in2, out, read in product(range(3), repeat=5):
        setup = [Instruction("matrix_gaussian_set", out=i, constants=(0.1, 0.2)) for i in range(3)]
        setup.append(Instruction("vector_uniform_set", out=1, constants=(-0.1, 0.1)))
        predict = [
            Instruction("matrix_vector_product", read, 0, 2),
            Instruction("vector_inner_product", 2, 1, 1),
        ]
        learn = [
            Instruction("vector_outer_product", 2, 1, outer_out),
            Instruction("matrix_sum", in1, in2, out),
            Instruction("matrix_vector_product", out, 1, 3),
            Instruction("vector_sum", 1, 3, 1),
        ]
        one = program(setup, predict, learn)
        fitness, steps = evaluator.evaluate(one)
        expected = definition(one, tasks, dtype)
        assert steps == expected[1]
        np.testing.assert_allclose(fitness, expected[0], atol=1e-12 if dtype == "float64" else 1e-6)
        assert evaluator._arena is not None
        is_fused = record.OUTER_AND_SUM in evaluator._arena.records[: len(setup) + len(predict) + len(learn), 0]
        once = (in1 == outer_out) != (in2 == outer_out)
        assert not is_fused or (once and (out == outer_out or read != outer_out))
        fused, needed = fused + is_fused, needed + (once and not is_fused)
    assert (fused, needed) == (36 + 48, 24)  # into the product itself, and into another matrix
    assert record.OUTER_AND_SUM >= MAX_OPS


# -- the meaning of evaluation, by hand ------------------------------------------------------------------------------


def program(
    setup: Sequence[Instruction] = (), predict: Sequence[Instruction] = (), learn: Sequence[Instruction] = ()
) -> Program:
    return Program(MEMORY, tuple(setup), tuple(predict), tuple(learn))


def const(out: int, value: float) -> Instruction:
    return Instruction("scalar_const_set", out=out, constants=(value,))


def add(in1: int, in2: int, out: int) -> Instruction:
    return Instruction("scalar_sum", in1, in2, out)


def one_task(train_y: Sequence[float] = (0.0,), valid_y: Sequence[float] = (0.0,), **options: Any) -> TaskSet:
    """One task of two features that are 1."""
    return from_arrays(np.ones((len(train_y), 2)), train_y, np.ones((len(valid_y), 2)), valid_y, **options)


def fitness_of(program: Program, tasks: TaskSet, dtype: str = "float64") -> float:
    (value,) = evaluate_programs([program], tasks, dtype)[0]
    return float(value)


def rmse_fitness(*errors: float) -> float:
    return pytest.approx(float(1 - 2 / np.pi * np.arctan(np.sqrt(np.mean(np.square(errors))))), abs=1e-12)


def test_setup_reads_zeros_for_features_and_label():
    # The prediction is norm(v0) + s0, as Setup saw them.
    setup = [Instruction("vector_norm", 0, out=2), add(2, 0, 2)]
    assert fitness_of(program(setup, [add(2, 3, 1)]), one_task([1.0], [0.0])) == 1.0
    assert fitness_of(program((), [Instruction("vector_norm", 0, out=1)]), one_task([1.0], [2**0.5])) == 1.0


def test_the_label_is_seen_in_learn_and_is_zero_in_predict():
    summing = program(predict=[add(2, 0, 2), add(2, 3, 1)], learn=[add(3, 0, 3)])
    assert fitness_of(summing, one_task([1.0, 2.0], [3.0])) == 1.0


def test_the_features_are_those_of_the_example_in_predict_and_in_learn():
    x, valid_x = np.array([[1.0, 10.0], [2.0, 20.0]]), np.array([[4.0, 40.0]])
    learned = program(predict=[add(3, 3, 1)], learn=[Instruction("vector_mean", 0, out=2), add(3, 2, 3)])
    assert fitness_of(learned, from_arrays(x, [0, 0], valid_x, [2 * (5.5 + 11)])) == 1.0
    assert (
        fitness_of(program(predict=[Instruction("vector_mean", 0, out=1)]), from_arrays(x, [0, 0], valid_x, [22])) == 1
    )


def test_memory_carries_over_from_one_validation_example_to_the_next():
    counting = program([const(2, 1.0)], [add(1, 2, 1)])
    assert fitness_of(counting, one_task([0.0], [2.0, 3.0, 4.0])) == 1.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("D", [2, 10, 19])
@pytest.mark.parametrize("scalars", [4, 9])
def test_a_failed_validation_leaves_memory_as_it_was_whatever_the_tasks_beside_it_do(D, dtype, scalars):
    # s2 counts Predicts. The even tasks fail at the second of three validation examples; the others go on.
    count = (const(3, 1.0), Instruction("vector_const_set", out=1, constants=(0.0, 1.0)))
    predict = (add(2, 3, 2), Instruction("vector_inner_product", 0, 1, 1), Instruction("scalar_division", 1, 2, 1))
    counting = Program(MemorySpec(scalars, 4, 2), count, predict, ())
    valid_x = np.ones((D, 3, 2))
    valid_x[::2, 1] = 500.0
    data = (np.ones((D, 5, 2)), np.zeros((D, 5)), valid_x, np.zeros((D, 3)))
    tasks = from_arrays(*data, epochs=4, max_abs_error=60.0)
    found = evaluate_programs([counting], tasks, dtype)[0]
    np.testing.assert_allclose(found, numpy_interpreter.evaluate_program(counting, tasks, dtype), rtol=0, atol=1e-6)
    alone = from_arrays(*(array[:1] for array in data), epochs=4, max_abs_error=60.0)
    assert found[0] == evaluate_programs([counting], alone, dtype)[0, 0] > 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_error_above_the_limit_gives_zero_and_one_at_the_limit_does_not(dtype):
    assert fitness_of(program(), one_task([100.0]), dtype) == 1.0
    assert fitness_of(program(), one_task([100.1]), dtype) == 0.0
    assert fitness_of(program(), one_task([3.0], max_abs_error=2.0), dtype) == 0.0
    assert fitness_of(program(), one_task(valid_y=[0.0, 100.0]), dtype) == rmse_fitness(0, 100)
    assert fitness_of(program(), one_task(valid_y=[0.0, 100.1]), dtype) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_training_stops_at_the_first_error_that_is_not_a_number_or_infinite(dtype):
    # The mean of task k's features is that of a good example up to example k: the first bad one is the last step.
    generator = np.random.default_rng(0)
    for D, bad, op in ((12, -1.0, "scalar_log"), (12, 0.0, "scalar_reciprocal"), (5, -1.0, "scalar_arccos")):
        x = generator.uniform(0.2, 0.9, size=(D, 10, 2))
        for task in range(D):
            x[task, task : task + 1] = 2.0 if op == "scalar_arccos" else bad
        tasks = from_arrays(x, np.zeros((D, 10)), np.full((D, 3, 2), 0.5), np.zeros((D, 3)))
        predicting = program(predict=[Instruction("vector_mean", 0, out=2), Instruction(op, 2, out=1)])
        fitness, steps = Evaluator(tasks, dtype).evaluate(predicting)
        assert ((fitness == 0) == (np.arange(D) < 10)).all()
        assert steps == sum(min(task + 1, 10) for task in range(D))


def test_train_steps_are_counted_over_all_epochs_and_tasks():
    tasks = random_tasks(17, 2, epochs=3, N=7)
    assert Evaluator(tasks, "float64").evaluate(programs.empty())[1] == 17 * 3 * 7


def test_an_infinite_number_inside_is_harmless_until_it_is_read():
    infinite = [Instruction("scalar_reciprocal", 3, out=2), Instruction("scalar_reciprocal", 2, out=4)]
    assert fitness_of(program(infinite, [add(4, 3, 1)]), one_task()) == 1.0  # 1 / inf
    assert fitness_of(program(infinite, [add(2, 3, 1)]), one_task()) == 0.0


def test_accuracy_counts_right_answers():
    ones = program([const(2, 3.0)], [add(2, 3, 1)])
    assert fitness_of(ones, one_task([1.0], [1.0, 1.0, 1.0, 0.0], evaluation="accuracy")) == 0.75
    zeros = program(predict=[add(3, 4, 1)])  # on the boundary: class 0
    assert fitness_of(zeros, one_task([0.0], [0.0, 0.0, 0.0, 1.0], evaluation="accuracy")) == 0.75


def test_a_nan_in_validation_predicts_class_zero_when_accuracy_is_measured():
    late_nan = program([const(3, 1.0)], [Instruction("scalar_diff", 4, 4, 1), Instruction("scalar_log", 2, out=4)])
    assert fitness_of(late_nan, one_task([0.0], [0.0, 1.0, 0.0, 0.0], evaluation="accuracy")) == 0.75
    assert fitness_of(late_nan, one_task([0.0], [0.0, 1.0, 0.0, 0.0])) == 0.0


def test_the_logistic_function_is_written_back_in_training_only():
    # Learn takes a half, the logistic function of 0, from s1; validation then finds 0 + 0.5 and leaves it there, so
    # that every further example sees a prediction that has grown by a half.
    learning = program(predict=[add(1, 2, 1)], learn=[add(1, 4, 2), const(1, 0.0)])
    assert fitness_of(learning, one_task([0.0], [1.0], evaluation="accuracy")) == 1.0
    expected, steps = definition(learning, one_task([0.0, 1.0], [0.0, 1.0, 1.0], evaluation="accuracy", epochs=2))
    assert steps == 4
    assert fitness_of(learning, one_task([0.0, 1.0], [0.0, 1.0, 1.0], evaluation="accuracy", epochs=2)) == expected[0]


def test_the_best_epoch_counts():
    counting = program([const(2, 1.0)], [add(3, 4, 1)], [add(3, 2, 3)])
    for label in (1.0, 2.0):
        assert fitness_of(counting, one_task([0.0], [label], epochs=2)) == 1.0
    assert fitness_of(counting, one_task([0.0], [2.0], epochs=1)) == rmse_fitness(1)


def test_a_failure_in_a_later_epoch_keeps_the_best_so_far():
    growing = program([const(2, 60.0)], [add(3, 4, 1)], [add(3, 2, 3)])
    tasks = one_task([0.0, 0.0], [90.0], epochs=5)
    fitness, steps = Evaluator(tasks, "float64").evaluate(growing)
    assert fitness[0] == rmse_fitness(30)
    assert steps == 3  # the third prediction is 120


def test_an_invalid_validation_does_not_end_the_evaluation():
    swinging = program([const(2, 200.0)], [add(3, 4, 1)], [Instruction("scalar_diff", 2, 3, 3)])
    assert fitness_of(swinging, one_task([150.0], [0.0], epochs=2, max_abs_error=151)) == 1.0


def test_validation_may_change_what_the_next_epoch_trains_on():
    # Predict counts: after an epoch it has seen 1 + 3 examples, and the next validation begins with the sixth.
    counting = program([const(2, 1.0)], [add(3, 2, 3), add(3, 4, 1)])
    assert fitness_of(counting, one_task([0.0], [6.0, 7.0, 8.0], epochs=2)) == 1.0


def test_later_epochs_train_in_the_shared_order():
    # The prediction is the label seen last, and the best epoch is the one that ends with the validation label.
    y = np.arange(8.0)
    last = program(predict=[add(3, 4, 1)], learn=[add(0, 4, 3)])
    ends = [int(epoch_order(epoch, 8)[-1]) for epoch in range(3)]
    assert len(set(ends)) == 3
    for end in range(8):
        nearest = min(abs(end - other) for other in ends)
        assert fitness_of(last, one_task(y, [float(end)], epochs=3)) == rmse_fitness(nearest)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_hand_designed_programs_learn(dtype):
    generator = np.random.default_rng(0)
    x, valid_x = generator.normal(size=(10, 400, 4)), generator.normal(size=(10, 50, 4))
    weights = generator.normal(size=(10, 1, 4))
    tasks = from_arrays(x, (x * weights).sum(2), valid_x, (valid_x * weights).sum(2))
    sample = [programs.linear(0.05), programs.neural_net(0.02)]
    fitness = evaluate_programs(sample, tasks, dtype)
    assert fitness[0].min() > 0.999
    assert fitness[1].mean() > 0.75
    expected = [definition(program, tasks.take(2), dtype)[0] for program in sample]
    np.testing.assert_allclose(fitness[:, :2], expected, atol=1e-9 if dtype == "float64" else 1e-4)


# -- ops -------------------------------------------------------------------------------------------------------------

AWKWARD = {
    "float64": [np.nan, np.inf, -np.inf, 0, -0.0, 5e-324, -1e-310, 2.3e-308, -1e308, 1.7e308, 1, -1, 0.3, -7.5, 50],
    "float32": [np.nan, np.inf, -np.inf, 0, -0.0, 1e-45, -1e-40, 1.2e-38, -3e38, 3.4e38, 1, -1, 0.3, -7.5, 50],
}
SUMMING = ("vector_inner_product", "matrix_vector_product", "matrix_matrix_product", "matrix_row_mean")
LIBRARY = ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "exp", "log")
Operands = Sequence[Any]
Addresses = tuple[int | None, int | None, int | None]


def both(
    op: Op, operands: Operands, F: int, dtype: str, alias: Addresses = (None, None, None)
) -> tuple[np.ndarray, np.ndarray]:
    """What the compiled interpreter and the definition make of an instruction."""
    before = np.full((F,) * (op.output - 1), 7.0)
    for operand, kind, address in zip(operands, op.inputs, alias, strict=False):
        if (kind, address) == (op.output, alias[2]):
            before = operand
    in1, in2 = (*operands, None, None)[:2]
    arguments = (op, [0.6] * len(op.constants), F, in1, in2, before, dtype, alias)
    return execute(*arguments), numpy_interpreter.execute(*arguments)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to the bit, but for the payloads and signs of NaNs."""
    nan = np.isnan(b)
    return a.dtype == b.dtype and np.array_equal(np.isnan(a), nan) and a[~nan].tobytes() == b[~nan].tobytes()


def awkward_operands(op: Op, dtype: str) -> list[Operands]:
    """Operands of two features: all pairs of awkward numbers for scalars, many draws for vectors and matrices."""
    points, generator = np.array(AWKWARD[dtype]), np.random.default_rng(op.id)
    if set(op.inputs) <= {RegisterType.SCALAR}:
        return list(product(points, repeat=len(op.inputs)))
    drawn = [[generator.choice(points, size=(2,) * (kind - 1)) for kind in op.inputs] for _ in range(150)]
    if op.inputs == (RegisterType.MATRIX,) and op.output == RegisterType.SCALAR:
        for (matrix,) in drawn:  # a sum of more than two numbers could be rounded in another order
            matrix[1] = 0.0
    return drawn


def operands_like(op: Op, F: int, generator: np.random.Generator) -> Operands:
    return [generator.uniform(0.1, 1.0, size=(F,) * (kind - 1)) for kind in op.inputs]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", DETERMINISTIC, ids=lambda op: op.name)
def test_an_op_on_awkward_numbers_is_that_of_the_definition(op, dtype):
    for operands in awkward_operands(op, dtype):
        result, expected = both(op, operands, 2, dtype)
        if op.name in SUMMING:  # whether a sum of negative zeros is negative is not defined
            result, expected = result + 0, expected + 0
        if op.elementwise in LIBRARY:
            np.testing.assert_allclose(result, expected, rtol=1e-13 if dtype == "float64" else 1e-5, atol=1e-300)
        else:
            assert same_bits(result, expected), (operands, result, expected)


@pytest.mark.parametrize("op", [op for op in DETERMINISTIC if op.inputs], ids=lambda op: op.name)
def test_an_op_may_write_the_register_that_it_reads(op):
    aliases: list[Addresses] = [(None, None, None), (0, None, 0)]
    if len(op.inputs) == 2:
        aliases += [(None, 0, 0), (0, 0, None), (0, 0, 0)]
    for F in (1, 3, 4, 17, 33):
        generator = np.random.default_rng(F)
        for alias in aliases:
            operands = list(operands_like(op, F, generator))
            if len(op.inputs) == 2 and op.inputs[0] == op.inputs[1] and alias[:2] == (0, 0):
                operands[1] = operands[0]  # one register
            result, expected = both(op, operands, F, "float64", alias)
            np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-7 if "st_dev" in op.name else 0)


def test_a_fraction_selects_the_element_that_the_definition_selects():
    fractions = [0.0, 0.1, 0.2, 0.25, 0.3, 1 / 3, 0.6, 0.7, 0.8, 0.9, 1 - 2**-24]
    for F in (1, 3, 4, 5, 33):
        for row, column in product(fractions, repeat=2):
            for name, constants in (("vector_const_set", (row, 9.1)), ("matrix_const_set", (row, column, 9.1))):
                before = np.zeros((F,) * (len(constants) - 1))
                arguments = (TABLE[name], constants, F, None, None, before, "float64")
                assert same_bits(execute(*arguments), numpy_interpreter.execute(*arguments))


@pytest.mark.parametrize(("dtype", "wide"), [("float64", np.longdouble), ("float32", np.float64)])
def test_exp_is_within_two_units_in_the_last_place(dtype, wide):
    generator = np.random.default_rng(0)
    low, largest, high = (-746.0, 709.78, 712.0) if dtype == "float64" else (-105.0, 88.72, 90.0)
    subnormal = -708.3 if dtype == "float64" else -87.3
    parts = [(low, high), (-1.0, 1.0), (-1e-8, 1e-8), (low, subnormal), (largest - 0.1, largest + 0.1)]
    points = np.concatenate([generator.uniform(*part, size=500) for part in parts]).astype(dtype)
    with np.errstate(all="ignore"):
        exact = np.exp(points.astype(wide))
        rounded = exact.astype(dtype)
    computed = np.array([execute(TABLE["scalar_exp"], (), 2, x, None, 0.0, dtype) for x in points])
    finite = np.isfinite(rounded)
    assert (computed[~finite] == np.inf).all()
    assert 100 < (~finite).sum() < 500
    assert (rounded[finite] == 0).sum() > 5
    assert ((rounded[finite] > 0) & (rounded[finite] < np.finfo(dtype).tiny)).sum() > 400
    units = np.abs(computed[finite] - exact[finite]) / np.spacing(rounded[finite])
    assert units.max() <= 2.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_of_special_numbers(dtype):
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30]
    computed = [float(execute(TABLE["scalar_exp"], (), 2, x, None, 0.0, dtype)) for x in special]
    np.testing.assert_array_equal(computed, [np.nan, np.inf, 0.0, 1.0, 1.0, np.inf, 0.0])
