"""What commands take from a run directory when nothing else is asked for: its seed and its type of numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.evolution.config import load_config
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.evolution.sources import task_source

if TYPE_CHECKING:
    from tests.cli.conftest import Run

PROGRAM = programs.linear(learning_rate=0.003)
OVERRIDES = ["tasks.final.num_tasks=4", "tasks.select.num_tasks=4", 'dtype="float64"']


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run with seed 3 in float64."""
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_config(load_config("linear", OVERRIDES).to_toml())
    directory.write_best(PROGRAM)
    directory.write_result({"seed": 3})
    return directory.path


def final_fitness(run_dir: Path, seed: int, dtype: str) -> float:
    return float(evaluate(PROGRAM, task_source(str(run_dir / "config.toml")).final(seed), "numba", dtype).mean())


def before(command: str, record: dict[str, Any]) -> float:
    """The fitness of the program on unseen tasks."""
    found = {
        "evaluate": lambda: record["scores"]["program"]["mean"],
        "explain": lambda: record["fitness"]["mean"],
        "tune": lambda: record["before"]["mean"],
    }
    return float(found[command]())


COMMANDS = (["evaluate"], ["explain"], ["tune", "--max-evaluations", "1"])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("options", "seed", "dtype"),
    [
        ([], 3, "float64"),
        (["--seed", "1"], 1, "float64"),
        (["--dtype", "float32"], 3, "float32"),
        (["--seed", "0", "--dtype", "float32"], 0, "float32"),
    ],
)
def test_a_run_directory_is_measured_as_the_run_was(
    run: Run, run_dir: Path, command: list[str], options: list[str], seed: int, dtype: str
) -> None:
    result = run(*command, "run", *options, "--json")
    assert result.exit_code == 0, result.stderr
    assert before(command[0], json.loads(result.stdout)) == final_fitness(run_dir, seed, dtype)
    values = {final_fitness(run_dir, s, d) for s in (0, 1, 3) for d in ("float32", "float64")}
    assert len(values) == 6  # or else nothing would be told apart


def test_tuning_searches_with_the_seed_of_the_run(run: Run, run_dir: Path) -> None:
    assert json.loads(run("tune", "run", "--max-evaluations", "1", "--json").stdout)["seed"] == 3


@pytest.mark.parametrize("command", COMMANDS)
def test_a_program_file_has_the_seed_0_and_float32(run: Run, run_dir: Path, command: list[str]) -> None:
    result = run(*command, "run/best.json", "--tasks", "run/config.toml", "--json")
    assert before(command[0], json.loads(result.stdout)) == final_fitness(run_dir, 0, "float32")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_run_that_does_not_tell_its_seed_is_measured_with_0_and_a_warning(
    run: Run, run_dir: Path, command: list[str]
) -> None:
    (run_dir / "result.json").write_text('{"seed": ', encoding="utf-8")
    result = run(*command, "run", "--json")
    assert before(command[0], json.loads(result.stdout)) == final_fitness(run_dir, 0, "float64")
    assert "Warning: run does not tell its seed, so it is taken as 0; --seed sets another one\n" in result.stderr
    assert "Warning" not in run(*command, "run", "--seed", "0", "--json").stderr


@pytest.mark.parametrize("command", ["evaluate", "explain", "tune"])
def test_help_says_where_seed_and_type_come_from(run: Run, command: str) -> None:
    text = " ".join(run(command, "--help").stdout.split())
    assert "Default: the seed of the run directory, else 0." in text
    assert "Numbers to compute in. Default: those of the run directory, else float32." in text


def test_the_fitness_that_a_run_has_reported_is_found_again(run: Run, tmp_path: Path) -> None:
    from automl_zero.evolution.search import evolve

    config = load_config("linear", [*OVERRIDES, "max_individuals=2000", "tasks.search.num_tasks=1"])
    result = evolve(config, seed=3, out=tmp_path / "evolved")
    record = json.loads(run("evaluate", "evolved", "--json").stdout)
    assert (record["seed"], record["dtype"]) == (3, "float64")
    assert record["scores"]["program"]["mean"] == np.float64(result.final_fitness)
