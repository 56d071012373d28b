"""What each exact rule does, and where it must not be applied."""

from __future__ import annotations

import numpy as np
import pytest

import automl_zero as az
from automl_zero import programs
from automl_zero.analysis.simplify import simplify
from automl_zero.memory import MemorySpec
from tests.analysis.notation import program, text


def simplified(setup: str = "", predict: str = "", learn: str = "", **options: object) -> list[str]:
    return text(simplify(program(setup, predict, learn), **options).program)


def test_a_program_that_is_simple_already_comes_back_without_a_step():
    linear = simplify(programs.linear()).program
    assert simplify(linear).program == linear
    assert simplify(linear).steps == ()


def test_the_memory_shrinks_to_the_registers_used():
    assert simplify(program(predict="s1 = s7 + s6")).program.memory == MemorySpec(2, 1, 0)
    assert simplify(programs.linear()).program.memory == MemorySpec(4, 3, 0)


def test_the_hand_designed_linear_program_keeps_its_six_instructions():
    assert text(simplify(programs.linear()).program) == [
        "s2 = 0.01",
        "s1 = dot(v0, v1)",
        "s3 = s0 - s1; s3 = s2 * s3; v2 = s3 * v0; v1 = v1 + v2",
    ]


def test_dead_code_goes():
    assert simplified("s5 = 2.0", "s1 = norm(v0); s4 = s1 + s1") == ["", "s1 = norm(v0)", ""]


def test_an_element_that_is_written_twice_is_written_once():
    assert simplified("v1[0.5] = 1.0; v1[0.0] = 3.0; v1[0.5] = 2.0", "s1 = dot(v0, v1)")[0].count("[") == 2


def test_an_element_that_is_read_in_between_is_written_twice():
    setup = "v1[0.5] = 1.0; s1 = norm(v1); v2 = s1 * v1; v1[0.5] = 2.0"
    assert simplified(setup, "s1 = dot(v1, v2)")[0].count("[") == 2


def test_a_register_that_holds_the_value_already_is_not_written_again():
    assert simplified("s2 = 0.5; s2 = 0.5", "s1 = norm(v0); s1 = s1 * s2; s2 = 0.5")[0] == "s2 = 0.5"
    assert simplified("s2 = 0.5", "s1 = norm(v0); s1 = s1 * s2; s2 = 0.5")[1] == "s3 = norm(v0); s1 = s2 * s3"


def test_a_common_subexpression_is_computed_once():
    assert simplified("", "s2 = norm(v0); s3 = norm(v0); s1 = s2 / s3") == ["", "s2 = norm(v0); s1 = s2 / s2", ""]


def test_a_common_subexpression_with_swapped_operands_is_found():
    predict = "s2 = dot(v0, v1); s3 = dot(v1, v0); s1 = s2 / s3"
    assert simplified("v1 = uniform(0.0, 1.0, (F,))", predict)[1] == "s2 = dot(v0, v1); s1 = s2 / s2"


def test_learn_uses_what_predict_has_computed():
    learn = "s3 = norm(v0); s4 = s0 - s3; s2 = s2 + s4"
    assert simplified("", "s5 = norm(v0); s1 = s5 * s2", learn)[2] == "s2 = s0 - s2; s3 = s2 + s3"


def test_learn_cannot_use_the_prediction_which_may_have_been_replaced():
    predict, learn = "s3 = norm(v0); s1 = s3 * s2", "s4 = s3 * s2; s2 = s4 + s0"
    assert simplified("", predict, learn)[2] == "s2 = s2 * s3; s3 = s0 + s2"


def test_values_that_are_updated_alike_are_kept_once():
    learn = "s4 = s0 - s1; s2 = s2 + s4; s3 = s3 + s4"
    shown = simplified("", "s1 = s2 / s3", learn)
    assert shown == ["", "s1 = s2 / s2", "s3 = s0 - s1; s2 = s2 + s3"]


def test_values_that_start_apart_are_kept_apart():
    learn = "s4 = s0 - s1; s2 = s2 + s4; s3 = s3 + s4"
    assert simplified("s2 = 1.0", "s1 = s2 / s3", learn)[2].count("+") == 2


def test_a_value_from_the_last_example_is_not_taken_for_this_one():
    shown = simplified("", "s1 = s3 + s2; s3 = norm(v0)", "s2 = norm(v0); s2 = s2 + s0")
    assert shown[1].count("norm") == 1
    assert shown[1].startswith("s1 = s2 + s3")


@pytest.mark.parametrize(
    ("setup", "constant"),
    [
        ("s2 = 0.5; s3 = 0.25; s2 = s2 + s3", "0.75"),
        ("s2 = 0.1; s3 = 0.3; s2 = s2 - s3", repr(0.1 - 0.3)),
        ("s2 = 0.1; s3 = 0.3; s2 = s2 * s3", repr(0.1 * 0.3)),
        ("s2 = 0.1; s3 = 0.3; s2 = s2 / s3", repr(0.1 / 0.3)),
        ("s2 = -0.1; s2 = abs(s2)", "0.1"),
        ("s2 = 3.0; s2 = 1 / s2", repr(1 / 3)),
        ("s2 = 3.0; s3 = 2.0; s2 = minimum(s2, s3)", "2.0"),
    ],
)
def test_scalar_constants_are_folded(setup: str, constant: str) -> None:
    assert simplified(setup, "s1 = norm(v0); s1 = s1 * s2")[0] == f"s2 = {constant}"


def test_the_scalar_heaviside_of_zero_is_one():
    assert simplified("s2 = -0.0; s2 = heaviside(s2, 1.0)", "s1 = norm(v0); s1 = s1 + s2")[0] == "s2 = 1.0"


def test_constants_are_folded_in_the_type_of_the_run() -> None:
    setup = "s2 = 0.1; s3 = 0.3; s2 = s2 * s3"
    folded = float(np.float32(0.1) * np.float32(0.3))
    assert simplified(setup, "s1 = s0 + s2", dtype="float32")[1] == f"s1 = {folded!r}"


def test_functions_that_differ_between_libraries_are_not_folded() -> None:
    assert "sin" in simplified("s2 = 0.5; s2 = sin(s2)", "s1 = norm(v0); s1 = s1 * s2")[0]


def test_a_result_that_is_not_finite_is_not_folded() -> None:
    assert "1 / s2" in simplified("s3 = 1 / s2", "s1 = norm(v0); s1 = s1 * s3")[0]


@pytest.mark.parametrize(
    "setup",
    [
        "s2 = norm(v5)",
        "s2 = dot(v5, v6)",
        "s2 = s5 * s6",
        "s2 = mean(m3)",
        "s2 = std(v4)",
        "v4 = dot(m2, v5); s2 = norm(v4)",
        "v4 = v0 * v0; s2 = mean(v4)",
    ],
)
def test_what_is_computed_from_zeros_is_zero(setup: str) -> None:
    assert simplified(setup, "s3 = norm(v0); s1 = maximum(s3, s2)")[0] == ""


@pytest.mark.parametrize(
    "change",
    [
        "s4 = s3 * s2",
        "s4 = s3 / s2",
        "s4 = s3 - s7",
        "s4 = abs(s3); s4 = abs(s4)",
        "s4 = maximum(s3, s3)",
        "s4 = minimum(s3, s3)",
        "s4 = s3 + s7",
        "s4 = s7 + s3",
    ],
)
def test_identities_go(change: str) -> None:
    shown = simplified("s2 = 1.0", f"s3 = norm(v0); {change}; s1 = cos(s4)")
    assert shown == ["", "s2 = norm(v0); s1 = cos(s2)", ""]


@pytest.mark.parametrize(
    "change",
    [
        "s4 = s3 - s3",
        "s4 = s3 * s7",
        "s4 = s3 / s6",
        "s4 = s3 / s3",
        "s4 = s7 - s3",
        "s4 = maximum(s3, s7)",
        "s4 = abs(s3)",
    ],
)
def test_what_only_looks_like_an_identity_stays(change: str) -> None:
    predict = f"s3 = tan(s2); {change}; s1 = cos(s4)"
    assert simplified("s6 = -1.0", predict, "s2 = s2 + s0")[1].count(";") == 2


def test_a_sum_with_zero_stays_where_the_sign_of_zero_can_be_seen():
    predict = "s3 = dot(v0, v1); s4 = s3 + s7; s1 = 1 / s4"
    assert "+" in simplified("v1 = gaussian(0.0, 1.0, (F,))", predict)[1]
    assert "+" not in simplified("v1 = gaussian(0.0, 1.0, (F,))", predict.replace("1 / s4", "cos(s4)"))[1]


def test_a_sum_with_zero_goes_where_the_other_term_has_no_sign():
    assert "+" not in simplified("", "s3 = norm(v0); s4 = s3 + s7; s1 = 1 / s4")[1]


def test_two_transpositions_are_none():
    shown = simplified(
        "m0 = gaussian(0.0, 1.0, (F, F))", "m1 = transpose(m0); m2 = transpose(m1); v1 = dot(m2, v0); s1 = norm(v1)"
    )
    assert shown[1] == "v1 = dot(m0, v0); s1 = norm(v1)"


def test_another_op_that_gives_the_same_bits_is_used_where_it_is_simpler():
    shown = simplified("", "s2 = norm(v0); v1 = broadcast(s2, (F,)); v2 = v0 * v1; s1 = norm(v2)")
    assert shown[1] == "s2 = norm(v0); v1 = s2 * v0; s1 = norm(v1)"


def test_negations_become_differences():
    shown = simplified("s2 = -1.0", "s3 = norm(v0); s3 = s2 * s3; s4 = mean(v0); s1 = s4 + s3")
    assert shown == ["", "s2 = norm(v0); s3 = mean(v0); s1 = s3 - s2", ""]


def test_constants_move_to_setup():
    assert simplified("", "s1 = dot(v0, v1)", "s2 = 0.5; v2 = s2 * v0; v1 = v1 + v2") == [
        "s2 = 0.5",
        "s1 = dot(v0, v1)",
        "v2 = s2 * v0; v1 = v1 + v2",
    ]


def test_what_the_first_predict_reads_before_it_is_written_stays_where_it_is():
    shown = simplified("", "s2 = norm(v0); s1 = s2 * s3", "s3 = 0.5")
    assert shown == ["", "s2 = norm(v0); s1 = s2 * s3", "s3 = 0.5"]


def test_a_constant_prediction_is_not_moved_because_the_interpreter_may_replace_it():
    assert simplified("", "s1 = 0.5", "s2 = s1 + s0") == ["", "s1 = 0.5", ""]


def test_a_computation_of_constants_moves_to_setup_with_its_operands():
    learn = "s2 = 0.5; s3 = sin(s2); s4 = exp(s3); v2 = s4 * v0; v1 = v1 + v2"
    assert simplified("", "s1 = dot(v0, v1)", learn)[2] == "v2 = s2 * v0; v1 = v1 + v2"


def test_random_draws_are_neither_merged_nor_moved():
    shown = simplified("", "s2 = uniform(0.0, 1.0); s3 = uniform(0.0, 1.0); s1 = s2 - s3")
    assert shown == ["", "s2 = uniform(0.0, 1.0); s3 = uniform(0.0, 1.0); s1 = s2 - s3", ""]


def test_a_draw_stays_that_has_no_effect_but_numbers_the_one_behind_it():
    without_effect = "v2 = uniform(0.0, 1.0, (F,)); v2 = abs(v2); s2 = norm(v2); s2 = heaviside(s2, 1.0)"
    predict = f"{without_effect}; s3 = uniform(0.0, 1.0); s1 = s2 * s3"
    assert "uniform" in simplified("", predict)[1]
    original = program("", predict)
    tasks = az.tasks.linear_regression(3, 4, 5, 5)
    assert np.array_equal(
        az.evaluate(simplify(original).program, tasks, "numpy", "float64"),
        az.evaluate(original, tasks, "numpy", "float64"),
    )


def test_with_classes_the_prediction_is_a_vector():
    shown = program("", "v2 = v0 + v3; s1 = norm(v0)", "v3 = v1 - v2")
    assert text(simplify(shown, num_classes=3).program) == ["", "v2 = v0 + v3", "v3 = v1 - v2"]
    assert text(simplify(shown).program) == ["", "s1 = norm(v0)", ""]


def test_with_classes_a_zero_is_not_read_from_the_label():
    shown = program(
        "v7 = v7 - v6", "v3 = maximum(v0, v7); v2 = v3 + v4", "v3 = v1 - v2; v4 = v3 + v7; v4 = maximum(v4, v7)"
    )
    for component in simplify(shown, num_classes=3).program.components:
        for instruction in component:
            assert instruction.op != "vector_max" or instruction.in2 not in (0, 1, 2)


def test_with_classes_the_label_is_not_written():
    with pytest.raises(ValueError, match=r"predict\[0\].out: v1 is the label"):
        simplify(program("", "v1 = v0 + v3"), num_classes=3)


def test_every_step_says_what_changed():
    result = simplify(program("s5 = 1.0", "s2 = norm(v0); s3 = norm(v0); s1 = s2 / s3"))
    first, *_ = result.steps
    assert (first.rule, first.component, first.index, first.before, first.after) == ("dead code", "Setup", 0, 4, 3)
    assert first.text == "s5 = 1.0  removed: nothing reads it"
    assert "s2 = norm(v0)  removed: s3 holds the same" in [step.text for step in result.steps]
    assert str(result) == "4 instructions, 2 when simplified; the same fitness on every task"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"dtype": "float16"}, ValueError, "dtype is 'float16': expected one of float32, float64"),
        ({"num_classes": 1}, ValueError, "num_classes is 1"),
        ({"num_classes": True}, TypeError, "num_classes is True: expected an integer"),
        ({"tolerance": 0.1}, ValueError, "tasks and tolerance go together"),
        ({"tasks": "linear", "tolerance": 0.1}, TypeError, "tasks is 'linear': expected a TaskSet"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        simplify(programs.linear(), **arguments)  # type: ignore[arg-type]


def test_only_a_program_can_be_simplified():
    with pytest.raises(TypeError, match="program is 'linear': expected a Program"):
        simplify("linear")  # type: ignore[arg-type]


def test_a_product_with_zero_keeps_its_sign_where_a_division_can_see_it():
    predict = "v1 = v0 * v5; v2 = 1 / v1; v3 = heaviside(v2, 0.0); s1 = norm(v3)"
    assert simplified("", predict)[1].count(";") == 3
    assert simplified("", predict.replace("1 / v1", "abs(v1)"))[1] == "s1 = 0.0"


def test_the_step_function_of_what_may_be_no_number_stays():
    predict, learn = "s3 = abs(s2); s4 = heaviside(s3, 1.0); s1 = s4 + s2", "s2 = s2 + s0"
    assert "heaviside" in simplified("", predict, learn)[1]
    assert "heaviside" not in simplified("", predict.replace("abs(s2)", "norm(v4)"), learn)[1]


def test_the_smaller_of_two_zeros_is_the_first():
    shown = simplified("s2 = -0.0; s2 = minimum(s2, s7)", "s1 = 1 / s2")
    assert shown == ["s2 = -0.0", "s1 = 1 / s2", ""]
    assert simplified("s3 = -0.0; s2 = minimum(s7, s3)", "s1 = 1 / s2") == ["", "s1 = 1 / s2", ""]


def test_the_mean_of_a_constant_is_not_the_constant_because_sums_are_rounded():
    shown = simplified("s2 = 0.1; v1 = broadcast(s2, (F,)); s2 = mean(v1)", "s3 = norm(v0); s1 = s2 + s3")
    assert "mean" in shown[0]
