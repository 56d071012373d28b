"""Approximate steps: what they find, and that each is checked on the tasks."""

from __future__ import annotations

import math

import numpy as np
import pytest

import automl_zero as az
from automl_zero import programs
from automl_zero.analysis.simplify import Simplification, simplify
from automl_zero.program import Program
from automl_zero.tasks import TaskSet
from tests.analysis.notation import program, text

ERROR, SCALED, DELTA = "s3 = s0 - s1", "s3 = s2 * s3", "v2 = s3 * v0"
TEXTBOOK = f"{ERROR}; {SCALED}; {DELTA}; v1 = v1 + v2"


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    return az.tasks.linear_regression(5, 4, 200, 50, seed=11)


def approximately(tasks: TaskSet, setup: str, predict: str, learn: str, tolerance: float = 0.01) -> Simplification:
    return simplify(program(setup, predict, learn), tasks=tasks, tolerance=tolerance)


def test_the_linear_program_only_has_its_constant_rounded(tasks):
    result = approximately(tasks, "s2 = 0.0512345", "s1 = dot(v0, v1)", TEXTBOOK)
    assert text(result.program) == ["s2 = 0.05", "s1 = dot(v0, v1)", TEXTBOOK]
    assert [step.rule for step in result.steps if not step.exact] == ["rounded constant"]


def test_two_learning_rates_become_one(tasks):
    setup, learn = "s2 = 0.1; s4 = 0.5", f"{ERROR}; {SCALED}; s3 = s4 * s3; {DELTA}; v1 = v1 + v2"
    result = approximately(tasks, setup, "s1 = dot(v0, v1)", learn)
    assert text(result.program)[1:] == ["s1 = dot(v0, v1)", TEXTBOOK]
    assert len(result.program.setup) == 1
    assert "merged constants" in {step.rule for step in result.steps}


def test_an_update_made_twice_is_made_once(tasks):
    learn = f"{ERROR}; {SCALED}; {DELTA}; v1 = v1 + v2; v1 = v1 + v2"
    assert text(approximately(tasks, "s2 = 0.05", "s1 = dot(v0, v1)", learn).program)[1:] == [
        "s1 = dot(v0, v1)",
        TEXTBOOK,
    ]


def test_an_update_that_comes_one_example_late_is_made_at_once(tasks):
    learn = f"v1 = v1 + v2; {ERROR}; {SCALED}; {DELTA}"
    shown = text(approximately(tasks, "s2 = 0.05", "s1 = dot(v0, v1)", learn).program)
    assert shown == ["s2 = 0.05", "s1 = dot(v0, v1)", TEXTBOOK]


def test_an_update_made_in_predict_moves_to_learn(tasks):
    shown = text(
        approximately(tasks, "s2 = 0.05", "v1 = v1 + v2; s1 = dot(v0, v1)", f"{ERROR}; {SCALED}; {DELTA}").program
    )
    assert shown == ["s2 = 0.05", "s1 = dot(v0, v1)", TEXTBOOK]


def test_an_error_with_the_wrong_sign_is_turned_round(tasks):
    shown = text(approximately(tasks, "s2 = -0.05", "s1 = dot(v0, v1)", TEXTBOOK.replace("s0 - s1", "s1 - s0")).program)
    assert shown == ["s2 = 0.05", "s1 = dot(v0, v1)", TEXTBOOK]


def test_a_constant_set_in_learn_moves_to_setup(tasks):
    shown = text(approximately(tasks, "s2 = 0.01", "s1 = dot(v0, v1)", f"{TEXTBOOK}; s2 = 0.05").program)
    assert shown == ["s2 = 0.05", "s1 = dot(v0, v1)", TEXTBOOK]


def test_a_prediction_that_is_scaled_or_negated_is_neither(tasks):
    for setup, change, learn in (
        ("s2 = 0.2", "s1 = s2 * s4", f"{ERROR}; {DELTA}; v1 = v1 + v2"),
        ("s2 = 0.05", "s1 = s7 - s4", "s3 = s1 - s0; s3 = s2 * s3; v2 = s3 * v0; v1 = v1 + v2"),
    ):
        shown = text(approximately(tasks, setup, f"s4 = dot(v0, v1); {change}", learn).program)
        assert shown[1:] == ["s1 = dot(v0, v1)", TEXTBOOK]


def test_a_gradient_in_two_parts_is_put_together(tasks):
    learn = "v3 = s0 * v0; v3 = v3 + v2; v2 = s1 * v0; v2 = v3 - v2; v1 = s2 * v2"
    shown = text(approximately(tasks, "s2 = 0.05", "s1 = dot(v0, v1)", learn).program)
    assert shown[1:] == ["s1 = dot(v0, v1)", TEXTBOOK]


def test_learn_uses_the_prediction_where_it_is_certain_to_be_kept(tasks):
    learn = f"s4 = dot(v0, v1); s3 = s0 - s4; {SCALED}; {DELTA}; v1 = v1 + v2"
    result = approximately(tasks, "s2 = 0.05", "s1 = dot(v0, v1)", learn, tolerance=0.0)
    assert sum(map(len, result.exact.components)) == 7
    assert text(result.program)[1:] == ["s1 = dot(v0, v1)", TEXTBOOK]


def test_functions_of_constants_are_folded(tasks):
    setup = "s2 = 0.05; s2 = sin(s2); s2 = arctan(s2)"
    shown = text(approximately(tasks, setup, "s1 = dot(v0, v1)", TEXTBOOK).program)
    assert shown == ["s2 = 0.05", "s1 = dot(v0, v1)", TEXTBOOK]


def test_the_fitness_falls_by_no_more_than_the_tolerance(tasks):
    noisy = program(
        "s2 = 0.02", "s1 = dot(v0, v1)", f"{TEXTBOOK}; s4 = s3 * s3; s4 = s4 * s3; v3 = s4 * v0; v1 = v1 + v3"
    )
    for tolerance in (0.0, 1e-3, 0.1, 1.0):
        result = simplify(noisy, tasks=tasks, tolerance=tolerance)
        fitness = az.evaluate([noisy, result.program], tasks, dtype="float64")
        change = (fitness[1] - fitness[0]).mean()
        assert change >= -tolerance
        assert result.change is not None
        assert result.change.mean == pytest.approx(change, abs=1e-15)
        assert result.change.standard_error is not None
        assert result.change.num_tasks == 5
    assert sum(map(len, result.program.components)) == 0  # a tolerance of 1 lets everything go


def test_a_step_that_costs_too_much_is_not_taken(tasks):
    result = simplify(programs.linear(0.05), tasks=tasks, tolerance=0.0)
    assert sum(map(len, result.program.components)) == 6
    assert result.exact == simplify(programs.linear(0.05)).program


def test_the_steps_lead_from_the_program_to_its_simplification(tasks):
    result = approximately(
        tasks, "s2 = 0.1; s4 = 0.5", "s1 = dot(v0, v1)", f"{ERROR}; s3 = s4 * s3; {SCALED}; {DELTA}; v1 = v1 + v2"
    )
    assert result.steps[-1].program == result.program
    assert [a.after for a in result.steps[:-1]] == [b.before for b in result.steps[1:]]
    sizes = [sum(map(len, step.program.components)) for step in result.steps]
    assert sizes == [step.after for step in result.steps]


def test_simplification_is_deterministic(tasks):
    noisy = program("s2 = 0.1; s4 = 0.5", "s1 = dot(v0, v1)", f"{ERROR}; s3 = s4 * s3; {SCALED}; {DELTA}; v1 = v1 + v2")
    assert simplify(noisy, tasks=tasks, tolerance=0.01) == simplify(noisy, tasks=tasks, tolerance=0.01)


def test_the_result_says_what_it_cost(tasks):
    result = approximately(
        tasks, "s2 = 0.1; s4 = 0.5", "s1 = dot(v0, v1)", f"{ERROR}; s3 = s4 * s3; {SCALED}; {DELTA}; v1 = v1 + v2"
    )
    assert str(result).startswith("8 instructions, 6 when simplified; change of mean fitness over 5 tasks ")
    assert "±" in str(result)


@pytest.mark.parametrize("tolerance", [-0.1, math.nan, math.inf])
def test_a_tolerance_that_is_none_is_refused(tasks, tolerance):
    with pytest.raises(ValueError, match="expected a finite number of at least 0"):
        simplify(programs.linear(), tasks=tasks, tolerance=tolerance)
    with pytest.raises(TypeError, match=r"tolerance is '0.1': expected a number"):
        simplify(programs.linear(), tasks=tasks, tolerance="0.1")


def test_a_program_that_fails_becomes_empty(tasks):
    assert simplify(program("", "s1 = 1 / s1"), tasks=tasks, tolerance=0.0).program.components == ((), (), ())


def test_an_accuracy_task_is_judged_by_its_accuracy():
    generator = np.random.default_rng(3)
    x, valid_x = generator.normal(size=(60, 3)), generator.normal(size=(40, 3))
    tasks = az.tasks.from_arrays(x, x[:, 0] > 0, valid_x, valid_x[:, 0] > 0, "accuracy")
    noisy: Program = program(
        "s2 = 0.5", "s4 = norm(v0); s5 = s4 * s2; s1 = dot(v0, v1)", f"{TEXTBOOK}; v1 = s5 * v1; v1 = v1 + v2"
    )
    result = simplify(noisy, tasks=tasks, tolerance=0.05)
    assert sum(map(len, result.program.components)) < sum(map(len, result.exact.components))
    assert result.change is not None
    assert result.change.mean >= -0.05
