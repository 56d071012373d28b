"""``automl-zero resume``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl_zero.evolution.search import evolve
from tests.cli.conftest import Run

SMALL = {"max_individuals": 2000, "population_size": 20, "islands": 1, "target_fitness": None, "select_above": None}


@pytest.fixture
def stopped(run: Run) -> Path:
    """A run that ended early, in the directory that commands run in."""
    from automl_zero.evolution.config import load_config

    config = load_config("linear").model_copy(update=SMALL)
    evolve(config, seed=1, out="stopped", callback=lambda progress: progress.phase != "search")
    return Path("stopped")


def test_a_run_goes_on_and_its_result_is_printed(run: Run, stopped: Path) -> None:
    result = run("resume", "stopped", "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert (record["individuals"], record["interrupted"], record["run_dir"]) == (2000, False, "stopped")
    assert "linear, seed 1: linear regression" in result.stderr


def test_a_run_can_be_extended(run: Run, stopped: Path) -> None:
    record = json.loads(run("resume", stopped, "--max-individuals", "3000", "--json").stdout)
    assert record["individuals"] == 3000
    record = json.loads(run("resume", stopped, "--max-individuals", "4000", "--json").stdout)
    assert record["individuals"] == 4000


def test_what_was_found_wrong_is_a_warning_on_stderr(run: Run, stopped: Path) -> None:
    (stopped / "checkpoint.json").write_text("{", encoding="utf-8")
    result = run("resume", stopped)
    assert result.exit_code == 0
    assert "Warning: stopped/checkpoint.json cannot be used: it is not JSON" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere is not the directory of a run: it holds no config.toml of automl-zero"),
        (["stopped", "--max-individuals", "many"], 'max_individuals: got "many", expected an integer >= 1'),
    ],
)
def test_bad_input_is_one_sentence(run: Run, stopped: Path, arguments: list[str], message: str) -> None:
    result = run("resume", *arguments)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {message}\n"
    assert run("resume", "stopped").exit_code == 0
