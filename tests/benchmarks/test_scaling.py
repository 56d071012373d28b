from __future__ import annotations

import contextlib
import io
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

import automl_zero
from automl_zero.analysis.liveness import live_instructions
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.program import Instruction, Program
from automl_zero.programs import linear
from automl_zero.tasks import linear_regression
from benchmarks import repeated, scaling, scaling_series
from benchmarks.scaling_series import Series, Sizes

ADDED = tuple(scaling_series._ADDED)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Status, output and files of a quick run."""
    folder: Path = tmp_path_factory.mktemp("scaling")
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = scaling.main(["--quick", "--json", str(folder / "s.json"), "--plots", str(folder / "plots")])
    return {"status": status, "output": output.getvalue(), "errors": errors.getvalue(), "folder": folder}


@pytest.fixture(scope="module")
def record(outcome: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((outcome["folder"] / "s.json").read_text(encoding="utf-8"))
    return report


def test_the_report_says_where_and_when_it_was_made(outcome, record):
    assert outcome["status"] == 0
    assert record["benchmark"] == "scaling"
    assert record["quick"] is True
    assert {"date", "machine", "versions"} <= record.keys()


def test_every_size_is_varied_and_every_point_measured(record):
    measured = {(series["name"], series["variable"]) for series in record["series"]}
    assert {
        ("linear-features", "F"),
        ("vector_sum-features", "F"),
        ("neural_net-features", "F"),
        ("linear-tasks", "D"),
        ("scalar_sum-length", "live instructions"),
        ("linear-examples", "N"),
        ("engine-population", "P"),
        ("search-population", "P"),
    } <= measured
    assert len(measured) == len(record["series"])
    features = record["series"][0]
    assert [point["x"] for point in features["points"]] == [4, 8, 40]
    for series in record["series"]:
        for point in series["points"]:
            assert point["seconds"]["min"] <= point["seconds"]["median"] <= point["seconds"]["max"]


def test_whole_evaluations_take_time(record):
    for series in record["series"]:
        if series["title"].startswith("evaluation"):
            assert all(point["seconds"]["min"] > 0 for point in series["points"])
            assert series["fit"]["points"] >= 2


def test_threads_have_their_rates_and_ratio(record):
    threads = record["threads"]
    rates = threads["individuals_per_second"]
    assert threads["ratio"]["median"] == pytest.approx(rates["2"]["median"] / rates["1"]["median"])


def test_the_text_shows_every_series(outcome, record):
    assert "A quick run" in outcome["output"]
    for series in record["series"]:
        assert f"{series['title']} ({series['setting']})" in outcome["output"]
    assert "2 threads / 1" in outcome["output"]


def test_there_is_a_plot_for_every_variable(outcome):
    names = {path.name for path in (outcome["folder"] / "plots").iterdir()}
    assert names == {f"scaling-{name}.png" for name in ("F", "D", "N", "P", "live-instructions")}
    for name in names:
        assert (outcome["folder"] / "plots" / name).read_bytes().startswith(b"\x89PNG")


def test_the_exponent_is_that_of_the_medians():
    series = Series("name", "title", "F", "setting", (1, 10, 100), ())
    record = scaling.series_record(series, [[1.0, 2.0, 9.0], [20.0, 20.0, 20.0], [1.0, 2000.0, 9000.0]])
    assert record["points"][2] == {"x": 100, "seconds": {"median": 2000.0, "min": 1.0, "max": 9000.0}}
    assert record["fit"]["exponent"] == pytest.approx(2.0)
    assert (record["fit"]["low"], record["fit"]["high"]) == (10, 100)


def test_points_take_turns():
    order = []
    samplers = tuple(lambda number, point=point: order.append((number, point)) or 1.0 for point in "ab")
    series = Series("name", "title", "F", "setting", (1, 2), samplers)
    assert scaling_series.sample(series, 2) == [[1.0, 1.0], [1.0, 1.0]]
    assert order == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]


@pytest.mark.parametrize("op", ADDED)
def test_added_instructions_are_live_and_change_no_fitness(op):
    tasks = linear_regression(3, 4, 20, 10)
    without, program = scaling_series.linear_with(op, 0), scaling_series.linear_with(op, 5)
    added = len(scaling_series._ADDED[op].instructions)
    assert len(program.learn) == len(without.learn) + 5 * added
    assert all(live_instructions(program)[2])
    assert (automl_zero.evaluate(program, tasks) == automl_zero.evaluate(without, tasks)).all()


def test_the_sizes_of_lengths_are_numbers_of_live_instructions():
    series = scaling_series.over_length("vector_sum", Sizes(extra=(0, 3), sample_seconds=0.0))
    program = scaling_series.linear_with("vector_sum", 3)
    assert series.x == (6, 9)
    assert sum(map(sum, live_instructions(program))) == 9


def test_a_program_that_stops_early_is_refused():
    diverging = Program(linear().memory, (), (Instruction("scalar_const_set", out=1, constants=(1e3,)),), ())
    with pytest.raises(RuntimeError, match="stopped early"):
        repeated.evaluations(diverging, lay_out(linear_regression(2, 4, 10, 10), "float32"))


def test_a_time_is_a_difference_divided_into_parts(monkeypatch):
    clock = itertools.accumulate(itertools.cycle([0.0, 9.0, 0.0, 3.0]))  # the work takes 9 s, the baseline 3 s
    monkeypatch.setattr(repeated.time, "thread_time", lambda: next(clock))
    timed = repeated.Timed(lambda count: None, 1.0, lambda count: None, parts=2.0)
    assert timed(0) == 3.0


def test_work_is_repeated_until_a_sample_is_long_enough(monkeypatch):
    now = [0.0]

    def work(count: int) -> None:
        now[0] += count * 0.001

    monkeypatch.setattr(repeated.time, "thread_time", lambda: now[0])
    timed = repeated.Timed(work, 0.05)
    before = now[0]
    assert timed(0) == pytest.approx(0.001)
    assert now[0] - before >= 0.05


def test_missing_matplotlib_is_told_before_anything_is_measured(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert scaling.main(["--plots", str(tmp_path)]) == 1
    assert "matplotlib" in capsys.readouterr().err
