"""Run directories written by hand, so that no test has to search."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from automl_zero import programs
from automl_zero.evolution.config import load_config
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.program import Program

WriteRun = Callable[..., Path]

SMALL = (
    "tasks.select={num_tasks=4, num_train=100, num_valid=20}",
    "tasks.final={num_tasks=3, num_train=200, num_valid=20}",
)


def evolved() -> Program:
    """The linear program with an instruction that does nothing and one that hardly does."""
    record = programs.linear(learning_rate=0.1).to_dict()
    record["setup"].append({"op": "vector_gaussian_set", "out": 2, "constants": [0.0, 1.0]})
    record["setup"].append({"op": "vector_gaussian_set", "out": 1, "constants": [0.0, 1e-6]})
    return Program.from_json(record)


def metric(individuals: int, best: float, experiment: int = 1) -> dict[str, Any]:
    return {
        "individuals": individuals,
        "train_steps": individuals * 50,
        "evaluated": individuals // 4,
        "seconds": individuals / 1000,
        "individuals_per_second": 1000.0,
        "best": best,
        "mean": best / 2,
        "canonical_hit_rate": 0.25,
        "fec_hit_rate": 0.5,
        "hurdle_stop_rate": 0.0,
        "over_budget_rate": 0.0,
        "experiment": experiment,
        "cpu_seconds": individuals / 500,
    }


METRICS = [metric(1000, 0.3), metric(2000, 0.6), metric(3000, 0.4, 2), metric(4000, 0.99, 2)]


def result(program: Program, **values: Any) -> dict[str, Any]:
    """A record as in result.json."""
    return {
        "program": program.to_dict(),
        "search_fitness": 0.99,
        "select_fitness": 0.98,
        "final_fitness": 0.97,
        "solved": False,
        "interrupted": False,
        "target_fitness": None,
        "experiments": [{"individuals": 2000, "search_fitness": 0.6, "select_fitness": 0.5, "seconds": 2.0}],
        "individuals": 4000,
        "train_steps": 200_000,
        "evaluated": 1000,
        "seed": 7,
        "seconds": 4.0,
        "cpu_seconds": 7200.0,
        "versions": {"automl-zero": "0.1.0"},
        "machine": {"processor": "a processor", "cores": 2},
        "cost": {"peak_memory_mib": 1024.0},
        **values,
    }


def lineage() -> list[dict[str, Any]]:
    """A way from the empty program to the linear one, in one step."""
    start, end = programs.empty().to_dict(), programs.linear().to_dict()
    begin = {"island": None, "individual": None, "parent_fitness": None, "parent": None}
    step = {"island": 2, "individual": 345, "parent_fitness": 0.3, "parent": start}
    return [
        {"experiment": 1, **begin, "mutation": "start", "fitness": 0.3, "program": start},
        {"experiment": 1, **step, "mutation": "insert_instruction", "fitness": 0.99, "program": end},
    ]


def write_run(
    path: Path,
    outcome: dict[str, Any] | None = None,
    finished: bool = True,
    steps: list[dict[str, Any]] | None = None,
    overrides: tuple[str, ...] = (),
) -> Path:
    """Write a run directory, with or without a result and a lineage."""
    directory = RunDirectory.create(path)
    directory.write_config(load_config("linear", (*SMALL, *overrides)).to_toml())
    evolved().save(path / "best.json")
    for record in METRICS:
        directory.append("metrics.jsonl", record)
    best = {"experiment": 2, "individuals": 4000, "search_fitness": 0.99, "program": evolved().to_dict()}
    directory.append("hall_of_fame.jsonl", best)
    if steps is not None:
        lines = "".join(json.dumps(step) + "\n" for step in steps)
        (path / "lineage.jsonl").write_text(lines, encoding="utf-8")
    if finished:
        directory.write_result(result(evolved(), **(outcome or {})))
    directory.release()
    return path
