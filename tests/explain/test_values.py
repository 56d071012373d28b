"""Equality and structure of values, held against runs of the programs."""

from __future__ import annotations

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.explain.accumulators import find_accumulators
from automl_zero.explain.data_flow import LEARN, PREDICT, SETUP, DataFlow, Operand, Site
from automl_zero.explain.timeline import NUM_EXAMPLES, Timeline
from automl_zero.explain.values import Values
from automl_zero.interpreters.numpy_interpreter import Machine
from automl_zero.memory import FEATURES, LABEL
from automl_zero.program import Program
from tests.explain.written import random_program, written


def recorded(flow: DataFlow, num_examples: int = 6) -> dict[tuple[Site, str], list[bytes]]:
    """Contents of every operand at each training example of a run on random data."""
    machine = Machine(flow.program.memory, 4, np.float64)
    rng = np.random.default_rng(0)
    found: dict[tuple[Site, str], list[bytes]] = {}

    def run(component: int) -> None:
        for site, instruction in flow.live.items():
            if site.component == component:
                for operand in flow.operands[site]:
                    kind, address = operand.register
                    found.setdefault((site, operand.name), []).append(machine.registers[kind][address].tobytes())
                machine.execute(instruction)

    with np.errstate(all="ignore"):
        run(SETUP)
        for _ in range(num_examples):
            machine.vectors[FEATURES], machine.scalars[LABEL] = rng.standard_normal(4), 0.0
            run(PREDICT)
            machine.scalars[LABEL] = rng.standard_normal()
            run(LEARN)
    return found


def test_equal_keys_mean_equal_values() -> None:
    compared = 0
    for seed in range(200):
        flow = DataFlow(random_program(seed))
        values, contents = Values(flow), recorded(flow)
        by_key: dict[object, list[Operand]] = {}
        for operands in flow.operands.values():
            for operand in operands:
                if operand.site.component != SETUP:
                    by_key.setdefault(values.key(operand), []).append(operand)
        for same in by_key.values():
            first, *others = [contents[operand.site, operand.name] for operand in same]
            compared += len(others)
            assert all(other == first for other in others)
    assert compared > 150


def test_the_timeline_is_what_a_run_shows() -> None:
    seen = 0
    for seed in range(60):
        flow = DataFlow(random_program(seed))
        timeline, contents = Timeline(flow), recorded(flow)  # both with four features
        for operands in flow.operands.values():
            for operand in operands:
                if operand.register[0].letter == "s" and (values := timeline.of(operand)) is not None:
                    run = contents[operand.site, operand.name]
                    np.testing.assert_array_equal(values[: len(run), 0], [np.frombuffer(value)[0] for value in run])
                    seen += operand.site.component != SETUP
    assert seen > 20


@pytest.mark.parametrize(
    ("update", "decays"),
    [
        ("s2 = scalar_product s2 s3", True),  # s3 is 0.99
        ("s2 = scalar_division s2 s3", False),
        ("s2 = scalar_arctan s2", True),
        ("s2 = scalar_sin s2\ns2 = scalar_sin s2", True),
        ("s2 = scalar_sum s2 s3", False),
        ("s2 = scalar_abs s2", False),
        ("s2 = scalar_const_set 0.5", False),  # once, and never again
        ("s2 = scalar_diff s2 s3", False),  # changes its sign
    ],
)
def test_which_rates_decay(update: str, decays: bool) -> None:
    setup = "s2 = scalar_const_set 1.0\ns3 = scalar_const_set 0.99"
    flow = DataFlow(written(setup, "s1 = vector_mean v0\ns1 = scalar_product s2 s1", update))
    timeline = Timeline(flow)
    rate = flow.operands[Site(PREDICT, 1)][0]
    assert timeline.decays(rate, 1) is decays
    values = timeline.of(rate)
    assert values is not None
    assert values.shape == (NUM_EXAMPLES, 1)


def test_a_counter_decays_as_a_divisor() -> None:
    flow = DataFlow(
        written(
            "s3 = scalar_const_set 1.0", "s1 = scalar_product s2 s2", "s2 = scalar_sum s2 s3\ns2 = scalar_sum s2 s3"
        )
    )
    timeline = Timeline(flow)
    second = flow.operands[Site(LEARN, 1)][0]
    assert timeline.decays(second, -1)
    assert not timeline.decays(second, 1)


def accumulator_names(program: Program) -> list[str]:
    return [accumulator.name for accumulator in find_accumulators(Values(DataFlow(program)))]


def test_the_accumulators_of_the_network_are_its_parameters() -> None:
    assert sorted(accumulator_names(programs.neural_net())) == ["m0", "s2", "v1", "v2"]


@pytest.mark.parametrize(
    ("learn", "names"),
    [
        ("v1 = vector_diff v1 v0", ["v1"]),
        ("v1 = vector_diff v0 v1", []),  # changes its sign with every example
        ("v2 = vector_sum v1 v0\nv1 = vector_max v2 v2", ["v1"]),  # by way of a copy
        ("v2 = vector_sum v1 v0\nv1 = vector_max v2 v0", []),
        ("v1 = scalar_vector_product s2 v1\nv1 = vector_sum v1 v0", ["v1"]),  # forgets
        ("v1 = scalar_vector_product s1 v1\nv1 = vector_sum v1 v0", []),
        ("v1 = scalar_vector_product s2 v1", []),
    ],
)
def test_what_accumulates(learn: str, names: list[str]) -> None:
    assert accumulator_names(written("s2 = scalar_const_set 0.9", "s1 = vector_inner_product v1 v0", learn)) == names
