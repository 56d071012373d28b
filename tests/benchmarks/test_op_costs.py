"""The measurement of the ops' costs: the programs it times, and the lines it fits."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pytest

from automl_zero.evolution.budget import Budget, fill_in, op_costs
from automl_zero.ops import NUM_BUILT_IN, TABLE
from benchmarks.op_costs import SETUP, Bench, costs_of, fit, form_of, to_file


@pytest.mark.parametrize("cost", [(3.0, 0.5), (0.0, 0.25), (7.0, 0.0)])
def test_times_that_lie_on_a_line_give_it_back(cost: tuple[float, float]) -> None:
    sizes = [4, 16, 64, 256]
    assert fit(sizes, [cost[0] + cost[1] * size for size in sizes]) == pytest.approx(cost, abs=1e-9)


def test_neither_part_of_a_cost_is_negative() -> None:
    assert fit([1, 2, 4], [1.0, 4.0, 16.0])[0] == 0.0
    assert fit([1, 2, 4], [4.0, 3.0, 2.0])[1] == 0.0


def test_what_does_not_depend_on_the_size_has_a_fixed_cost_alone() -> None:
    fixed, per_element = fit([1, 1, 1], [2.0, 2.0, 4.0])
    assert 2.0 < fixed < 4.0  # relative errors count, so that 4 weighs less than 2
    assert per_element == 0.0


def test_the_programs_timed_repeat_one_instruction() -> None:
    for op in TABLE.ops[:NUM_BUILT_IN]:
        form = form_of(op, 5)
        assert form.counts.tolist() == [len(SETUP), 5, 0]
        assert set(form.code[len(SETUP) :, 0].tolist()) == {op.id}


def test_a_round_at_one_number_of_features_gives_every_op_a_time() -> None:
    bench = Bench(4, 1e-5)
    for op in TABLE.ops[:NUM_BUILT_IN]:
        bench.sample(op)
        assert bench.nanoseconds(op) > 0


def test_the_file_is_json_with_a_line_for_each_op() -> None:
    times = {"scalar_sum": {2: 1.0, 4: 1.0}, "vector_sum": {2: 2.0, 4: 4.0}}
    record = {"benchmark": "op costs", "machine": {"cores": 2}, "costs": costs_of(times), "nanoseconds": times}
    text = to_file(record)
    assert json.loads(text) == {key: value for key, value in record.items() if key != "nanoseconds"}
    assert '\n    "vector_sum": [0.0, 1.0]\n' in text


def test_the_shipped_table_says_where_it_is_from() -> None:
    file = resources.files("automl_zero.evolution.costs").joinpath("cpu-v1.json")
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["command"].startswith("python -m benchmarks.op_costs ")
    assert {"date", "machine", "versions", "unit", "costs"} <= record.keys()
    costs = op_costs(fill_in(Budget(kind="table")), 1)
    assert np.isclose(costs[TABLE["vector_sum"].id], sum(record["costs"]["vector_sum"]))
