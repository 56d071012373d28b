"""The train budget: what programs cost, where the limit is, and the table that comes with the package."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.analysis.compiled import new_canonical
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution import program_cost
from automl_zero.evolution.budget import Budget, cost_of, elements, fill_in, limit, op_costs, shipped_costs
from automl_zero.evolution.config import ConfigError, load_config
from automl_zero.jit import callable_from_python
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType, register, unregister
from automl_zero.ops.arrays import op_arrays
from automl_zero.program import Program
from automl_zero.program_arrays import pack, starts_of
from tests.compiled import canonicalise

STATIC, MEASURED = Budget(kind="static"), fill_in(Budget(kind="table"))
COSTS_NOTHING = Budget(kind="none")
MEMORY = MemorySpec(6, 5, 4)
compiled_cost = callable_from_python(program_cost.program_cost)


def random_program(seed: int) -> Program:
    generator = np.random.default_rng(seed)
    ops = {name: [op.name for op in TABLE.ops[:NUM_BUILT_IN]] for name in ("setup", "predict", "learn")}
    return programs.random(MEMORY, ops, {name: int(generator.integers(0, 9)) for name in ops}, generator)


@pytest.fixture
def tanh() -> Iterator[Op]:
    scalar = RegisterType.SCALAR
    yield register(Op("scalar_tanh", (scalar,), scalar, "{out} = tanh({in1})"), numpy=np.tanh)
    unregister("scalar_tanh")


def test_the_static_cost_of_the_linear_program_is_that_worked_out_by_hand() -> None:
    # A constant; a dot product; difference, product, scaled features, new weights.
    expected = 3.69 + 100 * (4.29 + 5.10 + 4.42 + 3.71 + 4.70)
    assert cost_of(programs.linear(), op_costs(STATIC, 4), 100) == pytest.approx(expected, rel=1e-12)


def test_the_static_limit_is_twice_the_cost_of_the_network_worked_out_by_hand() -> None:
    setup = 77.48 + 277.69 + 3.69
    predict = 9.31 + 4.70 + 3.97 + 4.29 + 4.70
    learn = 5.10 + 4.42 + 4.70 + 3.71 + 4.70 + 3.71 + 3.97 + 4.50 + 4.70 + 9.83 + 5.58
    expected = 2 * (setup + 8000 * (predict + learn))
    assert limit(STATIC, num_features=16, num_train=8000) == pytest.approx(expected, rel=1e-12)
    assert limit(STATIC, num_features=64, num_train=8000) == limit(STATIC, num_features=16, num_train=8000)


def test_a_measured_cost_grows_with_the_elements_that_an_op_works_on() -> None:
    budget = Budget(kind="table", costs={"vector_sum": (1.0, 0.5), "matrix_sum": (2.0, 0.25), "scalar_sum": (3.0, 0.0)})
    costs = op_costs(budget, num_features=8)
    found = [costs[TABLE[name].id] for name in ("vector_sum", "matrix_sum", "scalar_sum")]
    assert found == [1.0 + 8 * 0.5, 2.0 + 64 * 0.25, 3.0]


@pytest.mark.parametrize(
    ("op", "count"),
    [
        ("no_op", 1),
        ("scalar_sin", 1),
        ("scalar_broadcast", 5),
        ("vector_norm", 5),
        ("matrix_norm", 25),
        ("vector_outer_product", 25),
        ("matrix_vector_product", 25),
        ("matrix_matrix_product", 125),
        ("matrix_gaussian_set", 25),
        ("vector_const_set", 1),
        ("matrix_const_set", 1),
    ],
)
def test_the_elements_of_an_op_are_those_of_its_largest_register(op: str, count: int) -> None:
    assert elements(TABLE[op], 5) == count


@pytest.mark.parametrize("budget", [STATIC, MEASURED], ids=["static", "table"])
def test_compiled_and_readable_costs_of_random_programs_are_the_same_number(budget: Budget) -> None:
    costs, seen = op_costs(budget, 8), set()
    for seed in range(300):
        program = random_program(seed)
        code, _, sizes = pack(program, (9, 8, 10))  # what lies beyond a component's size must not count
        cost = compiled_cost(code, sizes, starts_of((9, 8, 10)), costs, 1000)
        assert cost == cost_of(program, costs, 1000)
        seen.add(cost)
    assert len(seen) > 250


def test_the_cost_of_a_canonical_form_is_that_of_the_live_instructions() -> None:
    costs, ops, dead = op_costs(MEASURED, 8), op_arrays(), 0
    for seed in range(300):
        program = random_program(seed)
        code, constants, sizes = pack(program)
        form = new_canonical(len(code))
        canonicalise(code, constants, sizes, starts_of(sizes), 8, 0, ops, form)
        live = remove_dead_code(program)
        cost = compiled_cost(form.code, form.counts, starts_of(form.counts), costs, 1000)
        assert cost == cost_of(live, costs, 1000)
        dead += live != program
    assert dead > 100


@pytest.mark.parametrize("budget", [STATIC, MEASURED], ids=["static", "table"])
def test_the_baseline_itself_is_just_within_a_factor_of_one(budget: Budget) -> None:
    budget = Budget(**{**budget.model_dump(), "factor": 1.0})
    costs = op_costs(budget, 16)
    network = programs.neural_net()
    assert cost_of(network, costs, 800) == limit(budget, 16, 800)
    longer = Program(network.memory, network.setup, network.predict, (*network.learn, network.predict[-1]))
    assert cost_of(longer, costs, 800) > limit(budget, 16, 800)


def test_without_a_budget_anything_goes() -> None:
    assert limit(COSTS_NOTHING, 16, 8000) == math.inf
    assert not op_costs(COSTS_NOTHING, 16).any()
    assert fill_in(COSTS_NOTHING) == COSTS_NOTHING


def test_the_baseline_can_be_a_program_file_whose_dead_code_counts_only_as_it_is_written(tmp_path: Path) -> None:
    linear = programs.linear()
    file = tmp_path / "mine.json"
    Program(linear.memory, (*linear.setup, *linear.setup), linear.predict, linear.learn).save(file)  # one is dead
    by_name = limit(Budget(kind="table", baseline="linear"), 4, 100)
    assert limit(Budget(kind="table", baseline=str(file)), 4, 100) == by_name
    written = limit(Budget(kind="static", baseline=str(file)), 4, 100)
    assert written == pytest.approx(limit(Budget(kind="static", baseline="linear"), 4, 100) + 2 * 3.69, rel=1e-12)


def test_filling_in_keeps_what_is_given_and_adds_the_rest() -> None:
    filled = fill_in(Budget(kind="table", costs={"scalar_sin": (50.0, 0.0)})).costs
    assert filled == {**shipped_costs(), "scalar_sin": (50.0, 0.0)}
    again = Budget(kind="table", costs=filled)
    assert fill_in(again) == again


def test_every_built_in_op_has_a_shipped_cost() -> None:
    assert list(shipped_costs()) == [op.name for op in TABLE.ops[:NUM_BUILT_IN]]


def test_shipped_costs_are_positive_and_never_fall_with_the_number_of_features() -> None:
    costs = np.array([op_costs(MEASURED, F) for F in (1, 2, 3, 4, 8, 16, 32, 64, 256, 3072)])
    assert (costs > 0).all()
    assert (np.diff(costs, axis=0) >= 0).all()


def test_shipped_costs_know_what_is_dear() -> None:
    costs = {op.name: cost for op, cost in zip(TABLE, op_costs(MEASURED, 16), strict=True)}
    assert costs["matrix_matrix_product"] > 5 * costs["matrix_sum"] > 25 * costs["vector_sum"] / 2
    assert costs["scalar_gaussian_set"] > 5 * costs["scalar_sum"]
    assert costs["matrix_gaussian_set"] == max(costs.values())


def test_a_users_op_costs_as_much_as_the_costliest_of_its_signature(tanh: Op) -> None:
    assert op_costs(MEASURED, 8)[tanh.id] == max(op_costs(MEASURED, 8)[TABLE["scalar_abs"].id : TABLE["scalar_log"].id])
    given = Budget(kind="table", costs={"scalar_tanh": (7.0, 0.0)})
    assert op_costs(given, 8)[tanh.id] == 7.0
    assert op_costs(STATIC, 8)[tanh.id] == tanh.static_cost


def test_a_users_op_of_a_new_signature_costs_as_much_as_the_costliest_of_its_size() -> None:
    scalar, matrix = RegisterType.SCALAR, RegisterType.MATRIX
    op = register(Op("fill", (scalar,), matrix, "{out} = fill({in1})"), numpy=np.sin)
    try:
        costs = op_costs(MEASURED, 8)
        assert costs[op.id] == costs[TABLE["matrix_gaussian_set"].id]
    finally:
        unregister("fill")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("budget.kind=statik", 'budget.kind: got "statik", expected one of "none", "static", "table"'),
        ("budget.factor=0", "budget.factor: got 0, expected a number > 0"),
        ("budget.baseline=linaer", "budget.baseline: 'linaer' is neither one of"),
        ("budget.costs={scalar_sun=[1.0, 0.0]}", "budget.costs: unknown op 'scalar_sun' (did you mean scalar_sum?)"),
        ("budget.costs={scalar_sum=[0.0, 0.0]}", "budget.costs: scalar_sum costs nothing, expected"),
        ("budget.costs={scalar_sum=[-1.0, 0.0]}", "budget.costs.scalar_sum[0]: got -1.0, expected a number >= 0"),
        ("budget.costs={scalar_sum=1.0}", "budget.costs.scalar_sum: got 1.0, expected"),
    ],
)
def test_a_budget_that_cannot_be_used_is_one_sentence(override: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config("linear", [override])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_baseline_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"budget.baseline: .*bad.json: program: key 'format' is missing"):
        load_config("linear", [f"budget.baseline={file}"])
