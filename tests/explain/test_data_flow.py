"""Data flow: what reaches what, and what depends on what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.liveness import live_instructions
from automl_zero.evaluation import evaluate
from automl_zero.explain.data_flow import DataFlow, Input, Origin, Site, sites
from automl_zero.explain.registers import find_webs
from automl_zero.program import Program
from automl_zero.tasks import linear_regression
from tests.explain.written import random_program, written

SETUP, PREDICT, LEARN = range(3)


def roles(program: Program) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for web in find_webs(DataFlow(program)):
        found.setdefault(web.name, []).append(web.roles)
    return found


def test_the_live_instructions_are_those_of_the_liveness_analysis() -> None:
    for seed in range(300):
        program = random_program(seed)
        live = {
            Site(component, position)
            for component, flags in enumerate(live_instructions(program))
            for position, flag in enumerate(flags)
            if flag
        }
        assert set(DataFlow(program).live) == live


def test_sources_are_found_through_the_loop() -> None:
    flow = DataFlow(programs.linear())
    weights, features = flow.operands[Site(PREDICT, 0)]
    assert weights.sources == {Input.ZERO, Site(LEARN, 3)}  # zero at first
    assert weights.carried(Site(LEARN, 3))
    assert features.sources == {Input.FEATURES}
    label, prediction = flow.operands[Site(LEARN, 0)]
    assert label.sources == {Input.LABEL}
    assert prediction.sources == {Site(PREDICT, 0)}
    assert not prediction.carried(Site(PREDICT, 0))


def test_what_setup_writes_without_reading_is_no_longer_zero() -> None:
    flow = DataFlow(written("s2 = scalar_const_set 0.5", "s1 = scalar_sum s2 s3"))
    first, second = flow.operands[Site(PREDICT, 0)]
    assert first.sources == {Site(SETUP, 0)}
    assert second.sources == {Input.ZERO}


def test_s0_is_zero_in_predict_and_the_label_in_learn() -> None:
    flow = DataFlow(written("", "s1 = scalar_sum s0 s2", "s2 = scalar_sum s0 s1"))
    assert flow.operands[Site(PREDICT, 0)][0].sources == {Input.ZERO}
    assert flow.operands[Site(LEARN, 0)][0].sources == {Input.LABEL}


def test_a_partial_write_reads_what_it_keeps() -> None:
    flow = DataFlow(
        written("v1 = vector_const_set 0.0 1.0\nv1 = vector_const_set 0.5 1.0", "s1 = vector_inner_product v0 v1")
    )
    (kept,) = flow.operands[Site(SETUP, 1)]
    assert kept.name == "kept"
    assert kept.sources == {Site(SETUP, 0)}


def test_origins_within_an_example_and_over_all() -> None:
    flow = DataFlow(programs.linear())
    assert flow.fresh[Site(PREDICT, 0)] == Origin.FEATURES | Origin.STATE
    assert flow.ever[Site(PREDICT, 0)] == Origin.FEATURES | Origin.LABEL | Origin.CONSTANT
    assert flow.fresh[Site(LEARN, 1)] == Origin.FEATURES | Origin.STATE | Origin.LABEL | Origin.CONSTANT


def test_draws_of_setup_and_of_the_loop_are_told_apart() -> None:
    flow = DataFlow(
        written(
            "v1 = vector_gaussian_set 0 1\nv2 = vector_gaussian_set 0.5 0",
            "v3 = vector_uniform_set 0 1\nv4 = vector_sum v1 v3\nv4 = vector_sum v4 v2\ns1 = vector_norm v4",
        )
    )
    assert flow.fresh[Site(SETUP, 0)] == Origin.INITIAL_DRAW
    assert flow.fresh[Site(SETUP, 1)] == Origin.CONSTANT  # a standard deviation of 0
    assert flow.fresh[Site(PREDICT, 0)] == Origin.NOISE
    assert flow.fresh[Site(PREDICT, 3)] == Origin.INITIAL_DRAW | Origin.NOISE | Origin.CONSTANT


def test_what_only_validation_leaves_is_kept_apart() -> None:
    program = written(
        "s2 = scalar_const_set 0.5", "s3 = scalar_product s2 s2\ns1 = scalar_sum s3 s3\ns2 = scalar_sum s1 s1",
        "s2 = scalar_const_set 0.25",
    )  # fmt: skip
    flow = DataFlow(program)
    operand = flow.operands[Site(PREDICT, 0)][0]
    assert operand.sources == {Site(SETUP, 0), Site(LEARN, 0)}
    assert operand.validation == {Site(PREDICT, 2)}
    assert operand in flow.different_in_validation
    assert Site(PREDICT, 2) in flow.live


def test_vector_labels_are_v1_and_vector_predictions_v2() -> None:
    program = written(
        "",
        "v2 = matrix_vector_product m0 v0",
        "v3 = vector_diff v1 v2\nm1 = vector_outer_product v3 v0\nm0 = matrix_sum m0 m1",
    )
    flow = DataFlow(program, vector_label=True)
    assert len(flow.live) == 4
    assert flow.operands[Site(LEARN, 0)][0].sources == {Input.LABEL}
    assert DataFlow(program).live == {}


@pytest.mark.parametrize("part", ["labels", "features"])
def test_what_the_prediction_does_not_depend_on_changes_nothing(part: str) -> None:
    tasks = linear_regression(num_tasks=1, num_features=3, num_train=8, num_valid=4, max_abs_error=1e300)
    if part == "labels":
        other, origin = replace(tasks, train_y=tasks.train_y * -2 + 1), Origin.LABEL
    else:
        changed = {"train_x": tasks.train_x * -2 + 1, "valid_x": tasks.valid_x * -2 + 1}
        other, origin = replace(tasks, **changed), Origin.FEATURES
    checked = 0
    for seed in range(150):
        program = random_program(seed)
        flow = DataFlow(program)
        if origin in flow.ever_of(flow.prediction) or flow.different_in_validation or not flow.live:
            continue
        before, after = (evaluate(program, given, "numpy", "float64") for given in (tasks, other))
        # A training error that is no number stops the program, which depends on the label whatever the program does.
        if before.all() and after.all():
            checked += 1
            np.testing.assert_array_equal(before, after)
    assert checked >= 10


def test_roles_of_the_registers_of_the_network() -> None:
    found = roles(programs.neural_net())
    assert found["m0"] == found["v1"] == found["v2"] == found["s2"] == [("learned parameter",)]
    assert found["s3"] == [("constant",)]
    assert found["v5"] == [("zero",)]
    assert found["v0"] == [("features",)]
    assert found["s0"] == [("label",)]
    assert ("prediction",) in found["s1"]
    assert found["v3"] == [("temporary",), ("temporary",)]


def test_roles_of_state_draws_and_noise() -> None:
    found = roles(
        written(
            "v1 = vector_gaussian_set 0 1\ns4 = scalar_const_set 1.0",
            "v2 = vector_sum v2 v0\nv3 = vector_uniform_set 0 1\nv4 = vector_sum v1 v3\nv4 = vector_sum v2 v4\n"
            "s1 = vector_norm v4\ns1 = scalar_product s1 s4",
        )
    )
    assert found["v1"] == [("initial draw",)]
    assert found["v2"] == [("state",)]
    assert found["v3"] == [("noise",)]
    assert found["s4"] == [("constant",)]


def test_a_reused_register_has_several_webs() -> None:
    program = written("", "s2 = vector_norm v0\ns3 = scalar_abs s2\ns2 = vector_mean v0\ns1 = scalar_sum s2 s3")
    webs = [web for web in find_webs(DataFlow(program)) if web.name == "s2"]
    assert [web.writes for web in webs] == [(Site(PREDICT, 0),), (Site(PREDICT, 2),)]


def test_every_live_instruction_is_in_one_web() -> None:
    for seed in range(100):
        flow = DataFlow(random_program(seed))
        writes = [site for web in find_webs(flow) for site in web.writes]
        assert sorted(writes) == sorted(flow.live)
        assert set(flow.live) <= {site for site, _ in sites(flow.program)}
