from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from automl_zero.evolution.config import load_config
from benchmarks import evaluation_speed, processes, search_speed, throughput

CASE = evaluation_speed.Case("linear F=4", "linear", 4, 20, 10, num_tasks=3)


def finished(*arguments: object) -> processes.Finished:
    return processes.Finished({}, seconds=2.0, cpu_seconds=1.5, peak_memory_mib=123.4)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Status, output and files of a quick run on one small case, without processes of its own."""
    path: Path = tmp_path_factory.mktemp("throughput") / "results" / "report.json"
    output, errors = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation_speed, "CASES", (CASE,))
        patch.setattr(processes, "evolve", finished)
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = throughput.main(["--quick", "--json", "--out", str(path)])
    return {"status": status, "output": output.getvalue(), "errors": errors.getvalue(), "path": path}


@pytest.fixture(scope="module")
def record(outcome: dict[str, Any]) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(outcome["output"])
    return report


def test_the_report_is_printed_as_json_and_written_to_the_file(outcome, record):
    assert outcome["status"] == 0
    assert json.loads(outcome["path"].read_text(encoding="utf-8")) == record
    assert [path.name for path in outcome["path"].parent.iterdir()] == ["report.json"]


def test_progress_goes_to_stderr(outcome):
    assert "evaluation: linear F=4" in outcome["errors"]
    assert "search: linear-reference, seed 0" in outcome["errors"]


def test_processes_are_measured_before_this_one_grows(outcome):
    assert outcome["errors"].splitlines()[:2] == ["process: linear-reference", "process: linear"]


def test_the_report_says_where_and_when_it_was_made(record):
    assert record["benchmark"] == "throughput"
    assert record["quick"] is True
    assert record["date"].endswith("+00:00")
    assert {"processor", "cores", "usable_cores", "load_average"} <= record["machine"].keys()
    assert {"automl-zero", "python", "numba", "llvmlite", "numpy"} <= record["versions"].keys()


def test_the_contestants_do_the_same_work(record):
    (case,) = record["evaluations"]
    assert case["fitness_difference"]["float64"] < 1e-12
    assert case["fitness_difference"]["float32"] < 1e-5
    assert {case[name]["train_steps"] for name in ("stand_in_float64", "float32", "float64")} == {3 * 20}


def test_each_contestant_has_its_time_and_ours_the_speedup(record):
    (case,) = record["evaluations"]
    for name in ("stand_in_float64", "float32", "float64"):
        entry = case[name]
        assert 0 < entry["best_seconds"] <= entry["seconds"]
        assert entry["train_steps_per_second"] == pytest.approx(entry["train_steps"] / entry["seconds"])
        assert entry["warm_up_seconds"] >= 0
    for dtype in ("float32", "float64"):
        ratio = case["stand_in_float64"]["seconds"] / case[dtype]["seconds"]
        assert case[dtype]["speedup_ratio_of_medians"] == pytest.approx(ratio)
        assert case[dtype]["speedup_median_of_ratios"] > 0


def test_both_presets_are_searched_and_their_processes_measured(record):
    assert [entry["preset"] for entry in record["searches"]] == ["linear-reference", "linear"]
    assert [entry["preset"] for entry in record["processes"]] == ["linear-reference", "linear"]
    for entry in record["searches"]:
        (seed,) = entry["seeds"]
        assert seed["individuals"] >= throughput.QUICK.individuals
        assert 0 < seed["evaluated"] < seed["individuals"]
        assert seed["individuals_per_second"] == pytest.approx(seed["individuals"] / seed["cpu_seconds"])
        assert entry["evaluated_per_second"]["median"] == seed["evaluated_per_second"]
    assert record["processes"][0]["peak_memory_mib"] == 123.4


def test_the_text_shows_every_part(record):
    shown = throughput.text(record)
    for part in ("A quick run", "linear F=4 20/10", "stand-in", "float32", "linear-reference", "peak memory 123 MiB"):
        assert part in shown


def test_the_cases_are_those_of_the_documentation():
    assert [(c.name, c.num_train, c.num_valid, c.num_tasks) for c in evaluation_speed.CASES] == [
        ("linear F=4", 100, 100, 10),
        ("linear F=16", 8000, 1000, 10),
        ("neural_net F=16", 8000, 1000, 10),
    ]


def test_a_search_goes_on_with_a_new_experiment_where_one_ends():
    config = load_config("linear", ["experiment_individuals=1000"])
    figures = search_speed.measure_seed(config, 0, 2500)
    assert figures["individuals"] == 2500
    assert figures["experiments"] == 3


def test_an_experiment_also_ends_by_its_train_steps():
    config = load_config("linear-reference", ["experiment_train_steps=1", "migration_every=500"])
    assert search_speed.measure_seed(config, 0, 1500)["experiments"] == 3


def test_islands_make_the_individuals_together():
    config = load_config("linear", ["islands=2", "population_size=50", "migrants=10"])
    assert search_speed.measure_seed(config, 0, 4000)["individuals"] == 4000


def test_starts_are_timed_with_an_empty_cache_and_with_a_full_one(monkeypatch):
    environments = []

    def evolve(arguments: list[str], environment: dict[str, str] | None = None) -> processes.Finished:
        environments.append(environment)
        return processes.Finished({}, 10.0 if environment else 1.0, 1.0, 100.0)

    monkeypatch.setattr(processes, "evolve", evolve)
    record = throughput._process("linear", throughput.Effort(starts=3))
    assert record["first_start_seconds"] == 10.0
    assert record["later_start_seconds"] == 1.0
    assert [environment is None for environment in environments] == [True, True, False, True, True, True]


def test_a_failing_process_is_reported(monkeypatch, capsys):
    def fail(*arguments: object) -> None:
        raise RuntimeError("it ended with status 70")

    monkeypatch.setattr(throughput, "run", fail)
    assert throughput.main([]) == 1
    assert "status 70" in capsys.readouterr().err
