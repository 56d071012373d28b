"""What a run reports: lines of metrics.jsonl and the record of result.json."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from automl_zero import __version__, programs, provenance
from automl_zero.evolution.config import load_config
from automl_zero.evolution.progress import Progress, Result
from automl_zero.evolution.search import evolve
from automl_zero.interpreters.jax_lockstep.devices import Choice
from automl_zero.program import Program

RESULT = Result(
    program=programs.linear(),
    search_fitness=0.9,
    select_fitness=None,
    final_fitness=None,
    solved=False,
    interrupted=True,
    target_fitness=0.95,
    history=[{"individuals": 5}],
    lineage=[{"mutation": "start"}],
    experiments=[{"individuals": 5}],
    individuals=5,
    train_steps=50,
    evaluated=4,
    seconds=2.0,
    cpu_seconds=3.0,
    seed=7,
    config=load_config("linear"),
)


def test_a_line_of_metrics_has_the_documented_fields() -> None:
    line = Progress("search", individuals=10, best=0.5, seconds=1.23456, cpu_seconds=2.34567).metrics()
    counts = ["individuals", "train_steps", "evaluated", "seconds", "individuals_per_second"]
    assert list(line)[:9] == [*counts, "best", "mean", "canonical_hit_rate", "fec_hit_rate"]
    assert (line["individuals"], line["best"], line["mean"], line["seconds"]) == (10, 0.5, None, 1.235)
    assert line["cpu_seconds"] == 2.346


def test_every_line_of_metrics_has_the_cpu_time_until_then() -> None:
    limits = ["max_experiments=3", "experiment_individuals=200", "target_fitness=none", "tasks.search.num_train=100"]
    result = evolve(load_config("linear", ["population_size=10", "islands=1", *limits]))
    times = [line["cpu_seconds"] for line in result.history]
    assert len(times) >= 3
    assert times == sorted(times)
    assert 0 < times[0] <= times[-1] <= result.cpu_seconds + 0.001


def test_the_record_of_a_result_has_the_documented_fields() -> None:
    record = json.loads(json.dumps(RESULT.to_dict()))
    assert Program.from_json(record["program"]) == programs.linear()
    for name in ("search_fitness", "select_fitness", "final_fitness", "solved", "experiments", "individuals"):
        assert record[name] == getattr(RESULT, name)
    for name in ("train_steps", "evaluated", "cpu_seconds", "seconds", "seed"):
        assert record[name] == getattr(RESULT, name)
    assert {"versions", "machine", "cost"} <= record.keys()


def test_the_cost_is_that_of_the_run() -> None:
    cost = replace(RESULT, seconds=4.0, cpu_seconds=6.0).to_dict()["cost"]
    assert (cost["seconds"], cost["cpu_seconds"], cost["busy_cores"]) == (4.0, 6.0, 1.5)
    assert cost["peak_memory_mib"] > 10


def test_time_on_an_accelerator_is_part_of_the_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    client = SimpleNamespace(devices=lambda: [0, 1])
    device = SimpleNamespace(platform="gpu", device_kind="H100", client=client)
    choice = Choice(device, "gpu", "JAX prefers it")
    monkeypatch.setattr("automl_zero.interpreters.jax_lockstep.devices.choose", lambda: choice)
    on_device = replace(RESULT, seconds=4.0, config=load_config("linear", ['backend="jax"'])).to_dict()
    assert on_device["cost"]["gpu_seconds"] == 4.0
    assert on_device["machine"]["accelerator"] == "2 x H100"
    assert "gpu_seconds" not in RESULT.to_dict()["cost"]
    monkeypatch.setattr("automl_zero.interpreters.jax_lockstep.devices.choose", lambda: replace(choice, platform="cpu"))
    assert "gpu_seconds" not in replace(RESULT, config=load_config("linear", ['backend="jax"'])).to_dict()["cost"]


def test_a_run_of_no_time_has_a_cost_too() -> None:
    assert provenance.cost(0.0, 0.0)["busy_cores"] == 0.0


def test_versions_name_what_results_depend_on() -> None:
    versions = provenance.versions()
    assert versions["automl-zero"] == __version__
    assert all(versions[package][0].isdigit() for package in ("python", "numpy", "numba", "llvmlite"))


def test_the_machine_is_described() -> None:
    machine = provenance.machine()
    assert machine["processor"]
    assert 1 <= machine["usable_cores"] <= machine["cores"]
