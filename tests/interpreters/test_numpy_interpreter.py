from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from automl_zero.interpreters.numpy_interpreter import TaskRun, evaluate_program, execute
from automl_zero.interpreters.permutation import epoch_order
from automl_zero.interpreters.threefry import VALIDATION, Place, gaussian, subkey, uniform
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, Op, RegisterType, register, unregister
from automl_zero.program import Instruction, Program
from automl_zero.tasks import TaskSet, from_arrays, linear_regression
from benchmarks import golden

MEMORY = MemorySpec(5, 4, 2)
DATA = Path(__file__).parents[1] / "data"
NAN = [Instruction("scalar_log", 4, out=4), Instruction("scalar_diff", 4, 4, 4)]  # -inf - -inf


def program(
    setup: Sequence[Instruction] = (), predict: Sequence[Instruction] = (), learn: Sequence[Instruction] = ()
) -> Program:
    return Program(MEMORY, tuple(setup), tuple(predict), tuple(learn))


def const(out: int, value: float) -> Instruction:
    return Instruction("scalar_const_set", out=out, constants=(value,))


def add(in1: int, in2: int, out: int) -> Instruction:
    return Instruction("scalar_sum", in1, in2, out)


def tasks(
    train_y: Sequence[float] = (0.0,), valid_y: Sequence[float] = (0.0,), F: int = 2, **options: object
) -> TaskSet:
    """One task whose features are 1."""
    x, valid_x = np.ones((len(train_y), F)), np.ones((len(valid_y), F))
    return from_arrays(x, train_y, valid_x, valid_y, **options)


def rmse_fitness(*errors: float) -> float:
    return float(1 - 2 / np.pi * np.arctan(np.sqrt(np.mean(np.square(errors)))))


def fitness(program: Program, tasks: TaskSet, dtype: str = "float64") -> float:
    (value,) = evaluate_program(program, tasks, dtype)
    return float(value)


def test_fitness_is_a_decreasing_function_of_the_rmse():
    assert fitness(program(), tasks(valid_y=[3.0, 4.0])) == rmse_fitness(3, 4)
    assert fitness(program(), tasks(valid_y=[0.0])) == 1.0


def test_fitness_is_float64_even_in_float32():
    values = evaluate_program(program(), tasks(valid_y=[0.1]), "float32")
    assert values.dtype == np.float64
    assert values[0] == rmse_fitness(float(np.float32(0.1)))


def test_the_label_is_seen_in_learn_and_is_zero_in_predict():
    # s2 sums what Predict sees in s0, s3 what Learn sees.
    summing = program(predict=[add(2, 0, 2), add(2, 3, 1)], learn=[add(3, 0, 3)])
    assert fitness(summing, tasks(train_y=[1.0, 2.0], valid_y=[3.0])) == 1.0


def test_the_features_are_set_before_predict_and_before_learn():
    x, valid_x = np.array([[1.0, 10.0], [2.0, 20.0]]), np.array([[4.0, 40.0]])
    mean_of_features = Instruction("vector_mean", 0, out=2)
    learned = program(predict=[add(3, 3, 1)], learn=[mean_of_features, add(3, 2, 3)])
    assert fitness(learned, from_arrays(x, [0, 0], valid_x, [2 * (5.5 + 11)])) == 1.0
    predicted = program(predict=[Instruction("vector_mean", 0, out=1)])
    assert fitness(predicted, from_arrays(x, [0, 0], valid_x, [22])) == 1.0


def test_setup_runs_once_and_sees_no_example():
    # s3 = norm(v0) + s0 + 1 is 1 when Setup sees zeros; it would grow if Setup ran again.
    setup = [Instruction("vector_norm", 0, out=2), add(3, 2, 3), add(3, 0, 3), const(4, 1.0), add(3, 4, 3)]
    read = [const(2, 0.0), add(3, 2, 1)]
    assert fitness(program(setup, read), tasks(train_y=[1.0] * 3, valid_y=[1.0], epochs=2)) == 1.0


def test_memory_carries_over_from_one_validation_example_to_the_next():
    counting = program([const(2, 1.0)], [add(1, 2, 1)])
    assert fitness(counting, tasks(train_y=[0.0], valid_y=[2.0, 3.0, 4.0])) == 1.0


def test_an_error_above_the_limit_in_training_gives_zero():
    assert fitness(program(), tasks(train_y=[100.0])) == 1.0
    assert fitness(program(), tasks(train_y=[100.1])) == 0.0
    assert fitness(program(), tasks(train_y=[3.0], max_abs_error=2.0)) == 0.0


def test_an_error_above_the_limit_in_validation_gives_zero():
    assert fitness(program(), tasks(valid_y=[0.0, 100.0])) == rmse_fitness(0, 100)
    assert fitness(program(), tasks(valid_y=[0.0, 100.1])) == 0.0


def test_a_nan_that_reaches_the_prediction_gives_zero_and_one_that_does_not_is_harmless():
    assert fitness(program(NAN, [add(4, 4, 1)]), tasks()) == 0.0
    assert fitness(program(NAN), tasks()) == 1.0


def test_accuracy_counts_right_answers():
    ones = program([const(2, 3.0)], [add(2, 3, 1)])
    assert fitness(ones, tasks([1.0], [1.0, 1.0, 1.0, 0.0], evaluation="accuracy")) == 0.75


def test_a_prediction_on_the_boundary_is_class_zero():
    zeros = program(predict=[add(3, 4, 1)])
    assert fitness(zeros, tasks([0.0], [0.0, 0.0, 0.0, 1.0], evaluation="accuracy")) == 0.75


def test_a_nan_in_validation_predicts_class_zero_when_accuracy_is_measured():
    # The prediction is NaN from the second Predict on, which is the first of validation.
    late_nan = program([const(3, 1.0)], [Instruction("scalar_diff", 4, 4, 1), Instruction("scalar_log", 2, out=4)])
    assert fitness(late_nan, tasks([0.0], [0.0, 1.0, 0.0, 0.0], evaluation="accuracy")) == 0.75
    assert fitness(late_nan, tasks([0.0], [0.0, 1.0, 0.0, 0.0])) == 0.0


def test_the_sigmoid_is_written_back_in_training_only():
    # Learn copies what it finds in s1, the logistic function of 0, to s2.
    run = TaskRun(program(learn=[add(1, 2, 2)]), tasks([1.0], [1.0], evaluation="accuracy"), 0, "float64")
    assert run.train(0, [0]) == ([0.5], True)
    assert run.machine.scalars[[1, 2]].tolist() == [0.5, 0.5]
    # The logistic function of 0.5 is above 0.5, so class 1 is right; s1 stays as it is.
    assert run.validate(0, [0]) == ([0.0], True)
    assert run.machine.scalars[1] == 0.5


def test_the_best_epoch_counts():
    # Each Learn adds 1 to the prediction: 1 after the first epoch, 2 after the second.
    counting = program([const(2, 1.0)], [add(3, 4, 1)], [add(3, 2, 3)])
    for label in (1.0, 2.0):
        assert fitness(counting, tasks([0.0], [label], epochs=2)) == 1.0
    assert fitness(counting, tasks([0.0], [2.0], epochs=1)) == rmse_fitness(1)


def test_a_failure_in_a_later_epoch_keeps_the_best_so_far():
    growing = program([const(2, 60.0)], [add(3, 4, 1)], [add(3, 2, 3)])
    assert fitness(growing, tasks([0.0, 0.0], [90.0], epochs=5)) == rmse_fitness(30)


def test_an_invalid_validation_does_not_end_the_evaluation():
    # The prediction jumps to 200 and back to 0 with every Learn.
    swinging = program([const(2, 200.0)], [add(3, 4, 1)], [Instruction("scalar_diff", 2, 3, 3)])
    assert fitness(swinging, tasks([150.0], [0.0], epochs=2, max_abs_error=151)) == 1.0


def test_validation_may_change_what_the_next_epoch_trains_on():
    # Predict counts examples: after the first epoch it has seen 1 + 3.
    counting = program([const(2, 1.0)], [add(3, 2, 3)], [add(3, 4, 1)])
    run = TaskRun(counting, tasks([0.0], [0.0] * 3), 0, "float64")
    run.train(0, [0])
    run.validate(0, range(3))
    assert run.machine.scalars[3] == 4.0


def test_later_epochs_train_in_the_shared_order():
    y = np.arange(8.0)
    # The prediction is the label seen last, and the best epoch is the one that ends with the validation label.
    last = program(predict=[add(3, 4, 1)], learn=[add(0, 4, 3)])
    ends = [int(epoch_order(epoch, 8)[-1]) for epoch in range(3)]
    assert len(set(ends)) == 3
    for end in range(8):
        nearest = min(abs(end - other) for other in ends)
        assert fitness(last, tasks(y, [float(end)], epochs=3)) == rmse_fitness(nearest)


def test_a_task_is_evaluated_alone():
    drawing = [Instruction("vector_gaussian_set", out=1, constants=(0.0, 0.5))]
    noisy = program(drawing, [Instruction("vector_inner_product", 1, 0, 1)])
    several = linear_regression(num_tasks=3, num_features=4, num_train=5, num_valid=5)
    values = evaluate_program(noisy, several)
    assert len(set(values.tolist())) == 3
    assert evaluate_program(noisy, several.take(2)).tolist() == values[:2].tolist()


def test_random_instructions_draw_at_their_place_in_the_evaluation():
    vector = Instruction("vector_gaussian_set", out=2, constants=(0.5, 2.0))
    matrix = Instruction("matrix_uniform_set", out=1, constants=(1.0, -1.0))
    scalar = Instruction("scalar_uniform_set", out=2, constants=(0.0, 1.0))
    use = [Instruction("matrix_vector_product", 1, 2, 3), Instruction("vector_mean", 3, out=1), add(1, 2, 1)]
    dead = Instruction("scalar_gaussian_set", out=4, constants=(0.0, 1.0))
    one = tasks([0.0] * 4, [0.0] * 4, F=3, max_abs_error=1e6)
    run = TaskRun(program(predict=[dead, vector, matrix, scalar, *use]), one, 0, "float64")
    run.train(2, [3])
    key = subkey(int(one.seeds[0]), Place(component=1, epoch=2, example=3))
    assert run.machine.vectors[2].tolist() == gaussian(key, 0, 3, 0.5, 2.0, "float64").tolist()
    drawn = uniform(key, 1, 9, 1.0, -1.0, "float64")
    assert run.machine.registers[RegisterType.MATRIX][1].ravel().tolist() == drawn.tolist()
    assert run.machine.scalars[2] == uniform(key, 2, 1, 0.0, 1.0, "float64")[0]
    run.validate(2, [1])
    key = subkey(int(one.seeds[0]), Place(phase=VALIDATION, component=1, epoch=2, example=1))
    assert run.machine.scalars[2] == uniform(key, 2, 1, 0.0, 1.0, "float64")[0]


def run_op(name: str, *operands: object, constants: Sequence[float] = (), F: int = 3, dtype: str = "float64") -> object:
    op = TABLE[name]
    in1, in2 = (*operands, None, None)[:2]
    before = np.full(((), (F,), (F, F))[op.output - 1], 7.0)
    return execute(op, constants, F, in1, in2, before, dtype).tolist()


def test_the_scalar_heaviside_is_one_at_zero_and_the_others_are_not():
    assert [run_op("scalar_heaviside", a) for a in (-1.0, 0.0, 1.0, np.nan)] == [0.0, 1.0, 1.0, 0.0]
    assert run_op("vector_heaviside", [-1.0, 0.0, 1.0]) == [0.0, 0.0, 1.0]
    assert run_op("vector_heaviside", [np.nan, np.inf, 0.0]) == [0.0, 1.0, 0.0]


def test_min_and_max_return_the_first_operand_unless_the_second_is_beyond_it():
    for op in ("scalar_min", "scalar_max"):
        assert np.isnan(run_op(op, np.nan, 1.0))
        assert run_op(op, 1.0, np.nan) == 1.0
        assert np.signbit(run_op(op, -0.0, 0.0))
        assert not np.signbit(run_op(op, 0.0, -0.0))


def test_division_by_zero_is_not_protected():
    assert run_op("scalar_division", 1.0, -0.0) == -np.inf
    assert run_op("scalar_reciprocal", 0.0) == np.inf
    assert np.isnan(run_op("scalar_division", 0.0, 0.0))


def test_a_standard_deviation_may_be_nan_by_round_off():
    assert np.isnan(run_op("vector_st_dev", [0.1, 0.1, 0.1]))
    assert run_op("vector_st_dev", [1.0, 3.0], F=2) == 1.0


def test_broadcasts_norms_and_means_follow_rows_and_columns():
    m = [[3.0, 0.0], [4.0, 1.0]]
    assert run_op("vector_column_broadcast", [1.0, 2.0], F=2) == [[1.0, 1.0], [2.0, 2.0]]
    assert run_op("vector_row_broadcast", [1.0, 2.0], F=2) == [[1.0, 2.0], [1.0, 2.0]]
    assert run_op("matrix_column_norm", m, F=2) == [5.0, 1.0]
    assert run_op("matrix_row_norm", m, F=2) == [3.0, 17.0**0.5]
    assert run_op("matrix_row_mean", m, F=2) == [1.5, 2.5]
    assert run_op("matrix_row_st_dev", m, F=2) == [1.5, 1.5]


def test_const_sets_write_one_element_and_keep_the_rest():
    assert run_op("vector_const_set", constants=(0.5, 2.0)) == [7.0, 2.0, 7.0]
    assert run_op("matrix_const_set", constants=(0.99, 0.1, 2.0), F=2) == [[7.0, 7.0], [2.0, 7.0]]


def test_an_index_is_the_integer_part_of_the_float32_fraction_times_the_number_of_features():
    # 0.7 is just below seven tenths in float32, so element 6 of 10.
    assert run_op("vector_const_set", constants=(0.7, 0.0), F=10).index(0.0) == 6


def test_an_output_that_is_also_an_operand_is_written_after_it_is_read():
    m = np.arange(9.0).reshape(3, 3)
    for name, expected in (("matrix_transpose", m.T), ("matrix_matrix_product", m @ m)):
        assert execute(TABLE[name], (), 3, m, m, m, "float64", alias=(1, 1, 1)).tolist() == expected.tolist()


def test_registers_are_kept_in_the_dtype():
    assert run_op("scalar_const_set", constants=(0.1,), dtype="float32") == float(np.float32(0.1))
    assert run_op("scalar_const_set", constants=(1e300,), dtype="float32") == np.inf
    assert run_op("scalar_product", 1e30, 1e30, dtype="float32") == np.inf


def test_every_op_but_those_of_the_interpreter_itself_has_a_body():
    for op in TABLE:
        if op.output and not op.random:
            shapes = [np.full(((), (2,), (2, 2))[kind - 1], 0.5) for kind in op.inputs]
            run_op(op.name, *shapes, constants=[0.5] * len(op.constants), F=2)


def test_a_registered_op_runs_by_its_numpy_body():
    cube = register(Op("vector_cube", (RegisterType.VECTOR,), RegisterType.VECTOR, "{out} = {in1} ** 3"), numpy=_cube)
    try:
        cubed = program(predict=[Instruction("vector_cube", 0, out=1), Instruction("vector_mean", 1, out=1)])
        assert fitness(cubed, from_arrays([[2.0, 0.0]], [0.0], [[2.0, 4.0]], [36.0])) == 1.0
    finally:
        unregister(cube.name)


def _cube(v: np.ndarray) -> np.ndarray:
    return v**3


def test_an_op_without_a_numpy_body_is_refused():
    register(Op("scalar_other", (), RegisterType.SCALAR, "{out} = other()"), numba=_cube)
    try:
        with pytest.raises(ValueError, match="op 'scalar_other' has no body for the numpy backend"):
            fitness(program(predict=[Instruction("scalar_other", out=1)]), tasks())
    finally:
        unregister("scalar_other")


def test_the_errors_of_short_runs_are_those_of_the_reference_implementation():
    cases = golden.read(DATA / "golden_programs.json.gz")
    assert isinstance(cases, golden.ProgramCases)
    stopped = 0
    for pair in cases.pairs:
        with np.errstate(all="ignore"):
            run = TaskRun(cases.programs[pair.program], cases.tasks[pair.task], 0, "float64")
            train_errors, trained = run.train(0, range(10))
            valid_errors, valid = run.validate(0, range(10)) if trained else ([], False)
        np.testing.assert_allclose(train_errors, pair.train_errors, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(valid_errors, pair.valid_errors, rtol=1e-9, atol=1e-9)
        stopped += not valid
    assert stopped > 10
