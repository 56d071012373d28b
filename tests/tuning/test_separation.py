"""Separation of hyper-parameters: every constant alone, and fitness as it was."""

from __future__ import annotations

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.explain.changes import PairedScores
from automl_zero.memory import MAX_REGISTERS, MemorySpec
from automl_zero.program import Program
from automl_zero.tasks import TaskSet, linear_regression
from automl_zero.tuning import separate
from tests.explain.examples import DOT, PLANTED, RATE, STEP
from tests.explain.written import instruction, written


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    return linear_regression(num_tasks=8, num_train=100, num_valid=50, seed=1)


def constants(program: Program) -> int:
    return sum(i.op == "scalar_const_set" for component in program.components for i in component)


TIED = {
    "a constant in two roles": written(RATE, f"{DOT}\ns1 = scalar_sum s1 s2", STEP),
    "the same operand twice": written(RATE, f"{DOT}\ns4 = scalar_product s2 s2\ns1 = scalar_sum s1 s4", STEP),
    "a constant of Learn": written("", DOT, f"s2 = scalar_const_set 0.1\n{STEP}\ns4 = scalar_sum s2 s4"),
    "no rate at all": written("", DOT, STEP.replace("s3 = scalar_product s3 s2\n", "")),
    "one rate for a whole network": programs.neural_net(),
}


@pytest.mark.parametrize("program", TIED.values(), ids=TIED.keys())
def test_separation_keeps_fitness_to_the_bit(program: Program, tasks: TaskSet) -> None:
    separated = separate(program)
    assert separated.steps or program is TIED["a constant of Learn"]
    np.testing.assert_array_equal(
        evaluate(separated.program, tasks, dtype="float64"), evaluate(program, tasks, dtype="float64")
    )


@pytest.mark.parametrize("motif", PLANTED)
def test_planted_motifs_keep_their_fitness(motif: str, tasks: TaskSet) -> None:
    for program in PLANTED[motif]:
        after = evaluate(separate(program).program, tasks, dtype="float64")
        np.testing.assert_array_equal(after, evaluate(program, tasks, dtype="float64"))


OPS = {
    "setup": ("scalar_const_set", "vector_gaussian_set"),
    "predict": ("vector_inner_product", "scalar_sum", "scalar_vector_product"),
    "learn": ("scalar_const_set", "scalar_diff", "scalar_product", "scalar_vector_product", "vector_sum"),
}


def test_random_programs_keep_their_fitness(tasks: TaskSet) -> None:
    changed = 0
    for seed in range(150):
        program = programs.random(MemorySpec(4, 3, 0), OPS, {"setup": 3, "predict": 4, "learn": 6}, seed)
        separated = separate(program)
        if separated.steps:
            changed += 1
            after = evaluate(separated.program, tasks, dtype="float64")
            np.testing.assert_array_equal(after, evaluate(program, tasks, dtype="float64"))
    assert changed > 10


def test_a_constant_in_two_roles_becomes_two() -> None:
    separated = separate(TIED["a constant in two roles"])
    assert constants(separated.program) == 2
    assert separated.steps == ("learn[1] reads a constant of its own instead of s2",)
    assert constants(separate(TIED["the same operand twice"]).program) == 3


def test_every_update_gets_a_rate_of_its_own() -> None:
    separated = separate(programs.neural_net())
    assert constants(separated.program) == 1 + 4
    assert len(separated.steps) == 4
    assert separate(separated.program).steps == ()


def test_a_program_with_nothing_tied_is_left_alone() -> None:
    separated = separate(programs.linear())
    assert separated.program == programs.linear()
    assert separated.steps == ()


def test_a_full_memory_ends_separation() -> None:
    others = range(3, MAX_REGISTERS)
    setup = [instruction(f"s{n} = scalar_const_set 1.0") for n in (2, *others)]
    predict = [instruction(f"s1 = scalar_sum s1 s{n}") for n in (2, 2, *others)]
    program = Program(MemorySpec(MAX_REGISTERS, 1, 0), tuple(setup), tuple(predict), ())
    assert separate(program).program == program


def test_a_rate_computed_from_data_becomes_a_constant_where_that_is_no_loss(tasks: TaskSet) -> None:
    # The norm of the features, about 2, divided by 20: a rate that hardly needs the data.
    program = written("s5 = scalar_const_set 20.0", DOT, f"s2 = vector_norm v0\ns2 = scalar_division s2 s5\n{STEP}")
    separated = separate(program, PairedScores(program, tasks))
    assert "vector_norm" not in {i.op for i in separated.program.learn}
    assert len(separated.steps) == 1
    assert "is a constant instead of computed from data" in separated.steps[0]
    before, after = evaluate([program, separated.program], tasks).mean(axis=1)
    assert after > before - 0.01


def test_data_that_are_needed_stay(tasks: TaskSet) -> None:
    # Divided by its squared norm, which varies from example to example, a step solves each example exactly.
    program = written(
        RATE, DOT, "s3 = scalar_diff s0 s1\ns2 = vector_inner_product v0 v0\ns3 = scalar_division s3 s2\n"
        "v2 = scalar_vector_product s3 v0\nv1 = vector_sum v1 v2",
    )  # fmt: skip
    few = linear_regression(num_tasks=20, num_features=16, num_train=60, seed=2)
    separated = separate(program, PairedScores(program, few))
    assert "vector_inner_product" in {i.op for i in separated.program.learn}


ZERO_STEPS = {
    "never written": "v5 = scalar_vector_product s3 v4\nv1 = vector_sum v1 v5",
    "times zero": "s5 = scalar_product s3 s9\nv5 = scalar_vector_product s5 v0\nv1 = vector_sum v1 v5",
    "adds up zeros": "v4 = vector_sum v4 v4\nv5 = scalar_vector_product s3 v4\nv1 = vector_sum v1 v5",
    "a difference of nothing": "s5 = scalar_diff s2 s2\nv5 = scalar_vector_product s5 v0\nv1 = vector_sum v1 v5",
    "a larger one of zeros": "v4 = vector_max v4 v7\nv5 = vector_product v4 v0\nv1 = vector_sum v1 v5",
}


@pytest.mark.parametrize("step", ZERO_STEPS.values(), ids=ZERO_STEPS.keys())
def test_no_constant_is_spent_on_what_is_always_zero(step: str) -> None:
    assert separate(written(RATE, DOT, f"{STEP}\n{step}")).steps == ()


def test_a_constant_read_where_the_result_is_zero_is_not_split() -> None:
    program = written(
        RATE, DOT, f"{STEP}\nv5 = scalar_vector_product s2 v4\nv3 = vector_sum v1 v5\nv1 = vector_sum v3 v5"
    )
    assert separate(program).steps == ()


def test_what_is_zero_only_at_first_gets_its_constant() -> None:
    # v4 is zero in the first example alone, so both updates share the rate.
    step = "v5 = scalar_vector_product s3 v4\nv1 = vector_sum v1 v5\nv4 = vector_sum v0 v4"
    assert len(separate(written(RATE, DOT, f"{STEP}\n{step}")).steps) == 2


def test_places_are_those_of_the_program_as_given() -> None:
    dead = "v9 = vector_abs v0"
    program = written(f"{dead}\n{RATE}", f"{dead}\n{DOT}\n{dead}\ns1 = scalar_sum s1 s2", f"{dead}\nno_op\n{STEP}")
    separated = separate(program)
    assert separated.steps == ("learn[3] reads a constant of its own instead of s2",)
    assert separated.places == (
        ("new for learn[3]", "setup[1]"),
        ("predict[1]", "predict[3]"),
        ("learn[2]", "learn[3]", "learn[4]", "learn[5]"),
    )
    untied = written("", f"{dead}\n{DOT}", f"{dead}\n{STEP.replace('s3 = scalar_product s3 s2', dead)}")
    separated = separate(untied)
    assert separated.steps == ("the update of v1 in learn[4] has a rate of its own",)
    learn = ("learn[1]", "learn[3]", "new for learn[4]", "learn[4]")
    assert separated.places == (("new for learn[4]",), ("predict[1]",), learn)
