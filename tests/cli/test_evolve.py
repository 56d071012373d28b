"""``automl-zero evolve``: options, user data, outcome and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from automl_zero.evolution.config import load_config
from automl_zero.evolution.progress import Progress
from automl_zero.program import Program

if TYPE_CHECKING:
    from tests.cli.conftest import FakeEngine, Run


def write_csv(path: Path, rows: int = 40) -> Path:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, 2))
    lines = ["size,age,price", *(f"{a},{b},{a + 2 * b}" for a, b in x)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_preset_runs_and_its_result_is_printed(run: Run, engine: FakeEngine) -> None:
    result = run("evolve", "linear", "--seed", "3", "--out", "runs/a", "--workers", "2")
    assert result.exit_code == 0
    call = engine.calls[0]
    assert call == {"config": load_config("linear"), "seed": 3, "out": "runs/a", "workers": 2, "force": False}
    assert result.stdout.startswith("Solved: select fitness 0.999940 exceeds the target, 0.9999.\n")
    assert "s1 = dot(v1, v0)" in result.stdout
    assert "run directory     runs/a" in result.stdout
    assert Program.load("runs/a/best.json") == Program.from_json((Path("runs/a/best.json")).read_text(encoding="utf-8"))


def test_json_is_all_that_goes_to_stdout(run: Run, engine: FakeEngine) -> None:
    engine.reports = [Progress("search", "searching")]
    record = json.loads(run("evolve", "linear", "--out", "here", "--json").stdout)
    assert record["run_dir"] == "here"
    assert record["solved"] is True
    assert {"program", "experiments", "versions", "machine", "cost", "cpu_seconds"} <= record.keys()


def test_the_default_directory_names_preset_and_seed(run: Run, engine: FakeEngine) -> None:
    run("evolve", "affine", "--seed", "7")
    assert engine.calls[0]["out"].startswith("runs/affine-7-")


def test_options_override_settings_which_override_the_preset(run: Run, engine: FakeEngine) -> None:
    run(
        *("evolve", "linear", "--set", "population_size=50", "--set", "max_seconds=1"),
        *("--max-seconds", "9", "--max-individuals", "1e6", "--max-train-steps", "5", "--max-experiments", "4"),
        *("--search", "random", "--dtype", "float64", "--target-fitness", "none"),
    )
    config = engine.calls[0]["config"]
    assert (config.population_size, config.search, config.dtype) == (50, "random", "float64")
    assert (config.max_seconds, config.max_individuals, config.max_train_steps) == (9.0, 1_000_000, 5)
    assert (config.max_experiments, config.target_fitness) == (4, None)


@pytest.mark.parametrize(
    ("outcome", "code", "verdict"),
    [
        ({}, 0, "Solved: select fitness 0.999940 exceeds the target, 0.9999."),
        ({"solved": False}, 1, "Not solved: no program exceeded the target select fitness, 0.9999. The best one:"),
        ({"solved": False, "interrupted": True}, 130, "Interrupted. The best program so far:"),
        ({"solved": False, "target_fitness": None}, 0, "The best program:"),
        ({"solved": False, "target_fitness": None, "select_fitness": None}, 0, "The best program:"),
    ],
)
def test_the_exit_code_tells_the_outcome(
    run: Run, engine: FakeEngine, outcome: dict[str, Any], code: int, verdict: str
) -> None:
    engine.outcome = outcome
    result = run("evolve", "linear")
    assert result.exit_code == code
    assert result.stdout.splitlines()[0] == verdict


def test_progress_goes_to_stderr_in_plain_lines(run: Run, engine: FakeEngine) -> None:
    engine.reports = [
        Progress("compile", "compiling"),
        Progress("search", individuals=1500, individuals_per_second=750.0, best=0.75, mean=0.5, seconds=2.0),
        Progress("select", "testing"),
    ]
    result = run("evolve", "linear")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("linear, seed 0: linear")
    search = "    2.0 s  experiment 1  1,500 individuals (750/s)  best 0.750000  mean 0.500000  "
    assert lines[1:] == ["compiling", search + "cache hits 0% canonical, 0% functional", "testing"]
    assert "\x1b" not in result.output


def test_a_run_that_nothing_ends_is_pointed_out(run: Run, engine: FakeEngine) -> None:
    note = "There is neither a limit nor a target: the run goes on until Ctrl-C."
    assert note in run("evolve", "linear", "--target-fitness", "none").stderr
    assert note not in run("evolve", "linear", "--target-fitness", "none", "--max-experiments", "1").stderr


def test_a_csv_file_becomes_the_tasks(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "houses.csv")
    result = run("evolve", "--tasks", "houses.csv", "--target", "price", "--max-individuals", "1000")
    assert result.exit_code == 0, result.stderr
    config = engine.calls[0]["config"]
    assert config.tasks == {"kind": "file", "path": str(path), "target": "price"}
    assert (config.name, config.max_individuals) == ("houses", 1000)
    assert config.search_space == load_config("digits", ["search_space.initial=linear"]).search_space


def test_an_npz_file_needs_no_target(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", X=np.random.default_rng(0).normal(size=(40, 3)), y=np.arange(40.0))
    result = run("evolve", "--tasks", "data.npz")
    assert result.exit_code == 0, result.stderr


def test_a_configuration_file_can_be_given(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(load_config("affine", ["name=mine"]).to_toml(), encoding="utf-8")
    assert run("evolve", "--config", "mine.toml").exit_code == 0
    assert engine.calls[0]["config"].name == "mine"


def test_force_replaces_a_run_and_without_it_the_run_is_kept(run: Run, engine: FakeEngine) -> None:
    assert run("evolve", "linear", "--out", "a").exit_code == 0
    kept = (Path("a") / "result.json").read_bytes()
    refused = run("evolve", "linear", "--out", "a", "--seed", "1")
    assert refused.exit_code == 2
    assert (
        "Error: a holds a run already (config.toml, best.json, lineage.jsonl, result.json); --force deletes"
        in refused.stderr
    )
    assert (Path("a") / "result.json").read_bytes() == kept
    assert run("evolve", "linear", "--out", "a", "--seed", "1", "--force").exit_code == 0
    assert json.loads((Path("a") / "result.json").read_text(encoding="utf-8"))["seed"] == 1


def test_an_output_directory_below_a_file_is_bad_input(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run("evolve", "linear", "--out", "file/run")
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: file/run cannot be a run directory: there is a file in its place\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lineer"], "unknown preset 'lineer' (did you mean linear?); presets are "),
        ([], "name one of: a preset (see automl-zero presets), --config FILE.toml, --tasks DATA"),
        (["linear", "--config", "x.toml"], "name one of: a preset"),
        (["linear", "--target", "price"], "--target names a column of the data given by --tasks"),
        (["--config", "missing.toml"], "missing.toml: cannot be read: No such file or directory"),
        (["--config", "linear"], "linear: cannot be read: No such file or directory"),
        (["linear", "--max-seconds", "soon"], 'max_seconds: got "soon", expected a number > 0'),
        (["linear", "--max-individuals", "-5"], "max_individuals: got -5, expected an integer >= 1"),
        (["linear", "--target-fitness", "2"], "target_fitness: got 2, expected a number >= 0 and < 1"),
        (["linear", "--dtype", "float16"], 'dtype: got "float16", expected one of "float32", "float64"'),
        (["linear", "--search", "grid"], 'search: got "grid", expected one of "evolution", "random"'),
        (["linear", "--set", "poplation_size=3"], "poplation_size: unknown key (did you mean population_size?)"),
        (["linear", "--set", "islands"], "'islands': expected key=value"),
        (["linear", "--seed", "-1"], "Invalid value for '--seed': -1 is not in the range x>=0."),
        (["linear", "--workers", "0"], "Invalid value for '--workers': 0 is not in the range x>=1."),
        (["linear", "--set", "search_space.setup.ops=['scalar_ad']"], "search_space.setup.ops: unknown op 'scalar_ad'"),
        (["--tasks", "missing.csv", "--target", "y"], "missing.csv: there is no such file"),
    ],
)
def test_bad_usage_and_input_are_one_sentence(run: Run, engine: FakeEngine, arguments: list[str], message: str) -> None:
    result = run("evolve", *arguments)
    assert result.exit_code == 2
    error = result.stderr[result.stderr.index("Error: ") :]
    assert message in error
    assert error.count("\n") == 1
    assert not engine.calls


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,b,price\n", "price", "rows"),
        ("a,b,price\n1,2\n", "price", "line 2"),
        ("a,b,price\n" + "1,2,3\n" * 30 + "1,,3\n", "price", "line 32"),
        (None, "prise", "has no column 'prise' (did you mean price?)"),
        (None, None, "target is missing"),
    ],
)
def test_problems_of_a_csv_file_are_one_sentence(
    run: Run, engine: FakeEngine, tmp_path: Path, text: str | None, target: str | None, message: str
) -> None:
    path = write_csv(tmp_path / "data.csv")
    if text is not None:
        path.write_text(text, encoding="utf-8")
    result = run("evolve", "--tasks", "data.csv", *([] if target is None else ["--target", target]))
    assert result.exit_code == 2
    assert "data.csv" in result.stderr
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_malformed_toml_is_one_sentence(run: Run, engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("[tasks\n", encoding="utf-8")
    result = run("evolve", "--config", "bad.toml")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: bad.toml: is not a TOML file: ")
    assert result.stderr.count("\n") == 1
