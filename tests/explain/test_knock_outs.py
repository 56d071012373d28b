"""Knock-outs and constants: what matters comes first, what was planted as noise last."""

from __future__ import annotations

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.explain.changes import Change, PairedScores, paired_change
from automl_zero.explain.constants import FACTORS, Sensitivity, constant_sensitivities, with_constants
from automl_zero.explain.data_flow import LEARN, PREDICT, SETUP, DataFlow, Site
from automl_zero.explain.knock_outs import KnockOut, knock_out_groups, knock_out_instructions, without
from automl_zero.explain.motifs import find_motifs
from automl_zero.instruction import Instruction
from automl_zero.program import Program
from automl_zero.tasks import TaskSet, linear_regression, nn_regression
from tests.explain.examples import DOT, RATE, STEP
from tests.explain.written import MEMORY, instruction, written


@pytest.fixture(scope="module")
def tasks() -> TaskSet:
    return linear_regression(num_tasks=16, num_train=200, seed=3)


def single(program: Program, tasks: TaskSet) -> list[KnockOut]:
    return knock_out_instructions(DataFlow(program), PairedScores(program, tasks))


def groups(program: Program, tasks: TaskSet) -> list[KnockOut]:
    flow = DataFlow(program)
    return knock_out_groups(flow, find_motifs(flow), PairedScores(program, tasks))


def constants(program: Program, tasks: TaskSet) -> list[Sensitivity]:
    return constant_sensitivities(DataFlow(program), PairedScores(program, tasks))


def test_changes_are_paired() -> None:
    before = np.array([0.1, 0.5, 0.9])
    change = paired_change(before + np.array([0.1, 0.1, 0.1]), before)
    assert change.mean == pytest.approx(0.1)
    assert change.standard_error == pytest.approx(0.0, abs=1e-12)  # although the tasks differ by far more
    assert paired_change(np.array([1.0]), np.array([0.5])) == Change(0.5, None)
    error = paired_change(np.array([0.0, 0.2, 0.1]), np.zeros(3)).standard_error
    assert error == pytest.approx(0.1 / np.sqrt(3))


def test_a_change_within_two_errors_may_be_chance() -> None:
    assert Change(-0.02, 0.01).within_error
    assert not Change(-0.021, 0.01).within_error
    assert Change(-0.021, 0.01).is_loss()
    assert not Change(0.021, 0.01).is_loss()
    assert Change(0.0, None).within_error


def test_a_knock_out_puts_a_no_op_in_place() -> None:
    program = without(programs.linear(), [Site(LEARN, 1)])
    assert program.learn[1] == Instruction("no_op")
    assert program.learn[0] == programs.linear().learn[0]
    assert program.setup == programs.linear().setup


def test_what_dies_with_an_instruction_is_listed(tasks: TaskSet) -> None:
    by_site = {knock_out.sites: knock_out for knock_out in single(programs.linear(), tasks)}
    assert by_site[Site(LEARN, 3),].dies == (Site(SETUP, 0), Site(LEARN, 0), Site(LEARN, 1), Site(LEARN, 2))
    assert by_site[Site(LEARN, 0),].dies == ()  # learn[1] still writes s3


NOISE = {
    SETUP: ["v9 = vector_gaussian_set 0 1", "s9 = scalar_const_set 3.0", "v8 = vector_uniform_set -1 1"],
    PREDICT: [
        "v3 = vector_max v3 v3",  # a copy in place
        "s11 = scalar_sum s9 s9",  # dead
        "v4 = vector_sum v4 v10",  # plus zero
        "v11 = vector_gaussian_set 0 1",  # dead
        "s1 = scalar_sum s1 s10",  # plus zero
    ],
    LEARN: [
        "v11 = vector_product v9 v8",  # dead
        "s10 = scalar_product s10 s9",  # zero for ever
        "v7 = vector_min v7 v7",
        "v10 = vector_heaviside v10",  # zero for ever
        "m3 = vector_outer_product v9 v9",
    ],
}


def with_noise(program: Program, count: int, seed: int) -> tuple[Program, set[Site]]:
    """The program with instructions that do nothing planted at random places, and these places."""
    rng = np.random.default_rng(seed)
    components = [[(one, False) for one in instructions] for instructions in program.components]
    for _ in range(count):
        component = int(rng.integers(3))
        lines = NOISE[component]
        position = int(rng.integers(len(components[component]) + 1))
        components[component].insert(position, (instruction(lines[int(rng.integers(len(lines)))]), True))
    planted = {Site(c, p) for c, pairs in enumerate(components) for p, (_, noise) in enumerate(pairs) if noise}
    return Program(MEMORY, *(tuple(one for one, _ in pairs) for pairs in components)), planted


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_noise_ranks_last_and_the_essential_first(seed: int) -> None:
    network = programs.neural_net(learning_rate=0.02, first_scale=0.5, final_scale=0.5)
    program, planted = with_noise(network, 40, seed)
    ranked = single(program, nn_regression(num_tasks=16, num_train=1000, seed=5))
    assert len(ranked) == len(network.setup + network.predict + network.learn) + 40
    noise = [knock_out for knock_out in ranked if knock_out.sites[0] in planted]
    assert all(knock_out.change.within_error for knock_out in noise)
    missed = [knock_out for knock_out in ranked if knock_out.change.is_loss()]
    assert ranked[: len(missed)] == missed
    assert not planted & {knock_out.sites[0] for knock_out in missed}
    essential = {"vector_inner_product", "matrix_vector_product", "vector_max", "scalar_diff", "matrix_sum"}
    assert essential <= {knock_out.name for knock_out in missed}


def test_dead_instructions_come_last_and_change_nothing(tasks: TaskSet) -> None:
    program = programs.pad(programs.linear(), {"setup": 2})
    program = Program(
        program.memory, (*program.setup, instruction("s3 = scalar_const_set 0.3")), *program.components[1:]
    )
    last = single(program, tasks)[-1]
    assert last.sites == (Site(SETUP, 2),)
    assert last.dead
    assert last.change == Change(0.0, 0.0)


def test_motifs_and_chains_are_knocked_out_together(tasks: TaskSet) -> None:
    found = {(knock_out.kind, knock_out.name): knock_out for knock_out in groups(programs.linear(), tasks)}
    step = found["motif", "gradient_step"]
    assert step.sites == (Site(LEARN, 1), Site(LEARN, 2), Site(LEARN, 3))
    assert step.change.is_loss()
    assert set(step.dies) == {Site(SETUP, 0), Site(LEARN, 0)}
    assert found["chain", "temporaries"].sites == tuple(Site(LEARN, position) for position in range(4))


def test_all_noise_is_knocked_out_together(tasks: TaskSet) -> None:
    program = written(
        RATE, f"v3 = vector_gaussian_set 0 0.5\nv5 = vector_sum v3 v0\n{DOT.replace('v0', 'v5')}",
        f"{STEP}\nv4 = vector_uniform_set -0.5 0.5\nv1 = vector_sum v4 v1",
    )  # fmt: skip
    (noise,) = (knock_out for knock_out in groups(program, tasks) if knock_out.kind == "noise")
    assert noise.sites == (Site(PREDICT, 0), Site(LEARN, 4))
    assert noise.change.mean > 0.1


def test_instructions_that_undo_each_other_are_found(tasks: TaskSet) -> None:
    program = written(
        f"{RATE}\ns5 = scalar_const_set 5.0",
        f"{DOT}\ns1 = scalar_sum s1 s5\ns1 = scalar_diff s1 s5",
        STEP,
    )
    pairs = [knock_out for knock_out in groups(program, tasks) if knock_out.kind == "cancelling pair"]
    assert [pair.sites for pair in pairs] == [(Site(PREDICT, 1), Site(PREDICT, 2))]
    assert pairs[0].change.within_error


def test_instructions_that_stand_in_for_each_other_are_found(tasks: TaskSet) -> None:
    program = written(RATE, DOT, f"{STEP}\nv1 = vector_sum v1 v2")
    pairs = [knock_out.sites for knock_out in groups(program, tasks) if knock_out.kind == "redundant pair"]
    assert (Site(LEARN, 3), Site(LEARN, 4)) in pairs


def test_a_program_without_instructions_has_no_knock_outs(tasks: TaskSet) -> None:
    assert (
        single(programs.empty(), tasks) == groups(programs.empty(), tasks) == constants(programs.empty(), tasks) == []
    )


def test_the_learning_rate_matters_on_its_scale(tasks: TaskSet) -> None:
    (rate,) = constants(programs.linear(0.1), tasks)
    assert (rate.site, rate.name, rate.value) == (Site(SETUP, 0), "value", 0.1)
    assert rate.matters
    assert rate.flat == (1.0, 1.0)  # ten times smaller is too slow for 200 examples, ten times larger diverges
    assert {point.factor for point in rate.curve} == set(FACTORS) - {1.0}
    by_factor = {point.factor: point for point in rate.curve}
    assert by_factor[-1.0].value == -0.1
    assert by_factor[-1.0].change.mean < -0.9  # it ascends
    assert by_factor[0.01].value == pytest.approx(0.001)
    assert rate.largest_loss == -min(point.change.mean for point in rate.curve)


def test_constants_that_matter_most_come_first(tasks: TaskSet) -> None:
    program = written(
        f"v3 = vector_gaussian_set 0 1e-9\ns5 = scalar_const_set 1e-6\n{RATE}\nv3 = vector_const_set 0.5 0.0",
        f"{DOT}\ns1 = scalar_sum s1 s5\ns4 = vector_mean v3\ns4 = scalar_product s4 s5\ns1 = scalar_sum s1 s4",
        STEP,
    )
    found = constants(program, tasks)
    assert found[0].site == Site(SETUP, 2)
    rest = {(sensitivity.site, sensitivity.name): sensitivity for sensitivity in found[1:]}
    offset = rest[Site(SETUP, 1), "value"]
    assert not offset.matters
    assert offset.flat == (1e-3, 1e3)
    deviation = rest[Site(SETUP, 0), "st_dev"]
    assert all(point.factor > 0 for point in deviation.curve)  # a deviation has no sign
    zero = rest[Site(SETUP, 0), "mean"]
    assert [point.value for point in zero.curve] == [factor for factor in FACTORS if factor != 1.0]
    assert (Site(SETUP, 3), "index") not in rest


def test_constants_too_large_for_float32_are_left_out(tasks: TaskSet) -> None:
    program = written("v1 = vector_uniform_set 0 1e37", DOT)
    (curve,) = (found.curve for found in constants(program, tasks) if found.value)
    assert max(point.value for point in curve) < 3.4e38


def test_other_constants_are_put_in_place() -> None:
    program = with_constants(programs.neural_net(), {(Site(SETUP, 0), 1): 0.5, (Site(SETUP, 2), 0): 2.0})
    assert [i.constants for i in program.setup] == [(0.0, 0.5), programs.neural_net().setup[1].constants, (2.0,)]
