"""``automl-zero show`` and ``automl-zero evaluate``: programs in, text and scores out."""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from automl_zero import programs
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.program import Program

if TYPE_CHECKING:
    from tests.cli.conftest import Run

PADDED = programs.pad(programs.linear(), {"setup": 3})


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "program.json"
    PADDED.save(path)
    return path


def test_show_prints_pseudocode(run: Run, saved: Path) -> None:
    result = run("show", saved)
    assert result.exit_code == 0
    assert result.stdout == f"{PADDED}\n"


def test_show_takes_a_run_directory_for_its_best_program(run: Run, tmp_path: Path) -> None:
    RunDirectory.create(tmp_path / "run").write_best(PADDED)
    assert run("show", "run").stdout == f"{PADDED}\n"


def test_show_json_is_a_program_file(run: Run, saved: Path) -> None:
    assert Program.from_json(run("show", saved, "--format", "json").stdout) == PADDED


def test_a_directory_without_a_best_program_is_bad_input(run: Run, tmp_path: Path) -> None:
    result = run("show", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {tmp_path} is not a run directory: it holds no best.json\n"


def test_a_missing_file_is_bad_input(run: Run) -> None:
    result = run("show", "missing.json")
    assert result.exit_code == 2
    assert result.stderr == "Error: missing.json: No such file or directory\n"


@pytest.mark.parametrize("command", [["show"], ["evaluate", "--tasks", "linear"]])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p["setup"].append({"op": "scalar_add", "out": 2}), "unknown op 'scalar_add'"),
        (lambda p: p["learn"][0].update(in1=9), "learn[0].in1: register s9 is out of range (4 scalars)"),
        (lambda p: p["learn"][0].update(in1=-1), "learn[0].in1: -1 is negative"),
        (lambda p: p["learn"][0].update(out=0), "learn[0].out: s0 is the label and cannot be written"),
        (lambda p: p["learn"][2].update(out=0), "learn[2].out: v0 holds the features and cannot be written"),
        (lambda p: p["setup"][0].pop("constants"), "setup[0].constants"),
        (lambda p: p["setup"][0].update(constants=[1, 2]), "setup[0].constants"),
        (lambda p: p["setup"][0].update(constants=[float("nan")]), "NaN"),
        (lambda p: p["memory"].update(scalars=1), "memory.scalars is 1: expected 2 to 20"),
        (lambda p: p.pop("learn"), "key 'learn' is missing"),
        (lambda p: p.update(format="automl-zero-program/9"), "format: 'automl-zero-program/9'"),
    ],
)
def test_a_bad_program_is_one_sentence_that_names_the_place(
    run: Run, tmp_path: Path, command: list[str], change: Callable[[dict[str, Any]], object], message: str
) -> None:
    record = copy.deepcopy(PADDED.to_dict())
    change(record)
    (tmp_path / "bad.json").write_text(json.dumps(record), encoding="utf-8")
    result = run(*command, "bad.json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: bad.json: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("data", [b"{", b"[]", b"", b"\xff\xfe", b"[" * 100_000])
def test_a_file_that_is_no_program_is_one_sentence(run: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(data)
    result = run("show", "bad.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: bad.json")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("length", [0, 1, 30, -3])
def test_a_program_that_has_been_cut_off_is_said_to_be_damaged(run: Run, tmp_path: Path, length: int) -> None:
    (tmp_path / "best.json").write_text(PADDED.to_json()[:length], encoding="utf-8")
    result = run("show", "best.json")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: best.json is not JSON; it may have been cut off: ")


@pytest.mark.parametrize("command", [["show"], ["evaluate"], ["explain"], ["tune"], ["fit", "--out", "model"]])
def test_a_run_that_has_not_written_a_program_is_said_to_have_none_yet(
    run: Run, tmp_path: Path, command: list[str]
) -> None:
    RunDirectory.create(tmp_path / "run").write_config(SMALL)
    result = run(*command, "run")
    assert result.exit_code == 2
    assert result.stderr == "Error: run has no program yet: it holds no best.json\n"


@pytest.mark.usefixtures("numpy_evaluation")
def test_evaluate_prints_the_score_beside_the_baselines(run: Run, saved: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(SMALL, encoding="utf-8")
    result = run("evaluate", saved, "--tasks", "tasks.toml")
    assert result.exit_code == 0, result.stderr
    rows = [line.split("  ")[0] for line in result.stdout.splitlines()]
    own = ["program", "hand-designed linear program", "hand-designed network program"]
    assert rows == ["model", *own, "mean", "linear regression", "two-layer network"]
    assert result.stdout.count("±") == 6


@pytest.mark.usefixtures("numpy_evaluation")
def test_evaluate_takes_the_tasks_of_a_run_directory_by_default(run: Run, tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_config(SMALL)
    directory.write_best(programs.linear())
    program, config = tmp_path / "run" / "best.json", tmp_path / "run" / "config.toml"
    result = run("evaluate", "run", "--json")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == run("evaluate", program, "--tasks", config, "--json").stdout


def test_show_knows_the_elements_that_a_run_directorys_program_sets(run: Run, tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_config(SMALL)
    half = {"op": "vector_const_set", "out": 1, "constants": [0.5, 1.5]}
    directory.write_best(Program.from_json({**programs.linear().to_dict(), "setup": [half]}))
    assert "v1[1] = 1.5" in run("show", "run").stdout
    assert "v1[int(0.5*F)] = 1.5" in run("show", tmp_path / "run" / "best.json").stdout


@pytest.mark.usefixtures("numpy_evaluation")
def test_evaluate_json_has_every_tasks_fitness_and_depends_on_the_seed(run: Run, saved: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.toml").write_text(SMALL, encoding="utf-8")
    records = [
        json.loads(run("evaluate", saved, "--tasks", "tasks.toml", "--seed", seed, "--json").stdout)
        for seed in (1, 1, 2)
    ]
    scores = [record["scores"]["program"] for record in records]
    assert scores[0] == scores[1] != scores[2]
    assert len(scores[0]["fitness"]) == scores[0]["num_tasks"] == 3
    assert scores[0]["mean"] == pytest.approx(sum(scores[0]["fitness"]) / 3)


def test_evaluate_takes_a_backend(run: Run, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tasks.toml").write_text(SMALL, encoding="utf-8")
    assert (
        "hand-designed linear program" in run("evaluate", saved, "--tasks", "tasks.toml", "--backend", "numpy").stdout
    )
    monkeypatch.setitem(sys.modules, "jax", None)
    result = run("evaluate", saved, "--tasks", "tasks.toml", "--backend", "jax")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: backend 'jax' needs the library jax, which is not installed: pip install")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tasks", "lineer"], "unknown preset 'lineer' (did you mean linear?)"),
        (["--tasks", "linear", "--target", "y"], "a target belongs to a table (.csv, .tsv, .npz), but the tasks are"),
        (["--tasks", "missing.csv", "--target", "y"], "missing.csv: there is no such file"),
        ([], "is a program file, which has no tasks of its own: name some with --tasks"),
    ],
)
def test_bad_tasks_are_one_sentence(run: Run, saved: Path, arguments: list[str], message: str) -> None:
    result = run("evaluate", saved, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.fixture
def numpy_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evaluate with the NumPy interpreter, as the compiled one takes seconds to load."""
    from automl_zero import score

    original = score.evaluate
    monkeypatch.setattr(score, "evaluate", lambda program, tasks, _, dtype: original(program, tasks, "numpy", dtype))


SMALL = """
[search_space]
scalars = 4
vectors = 3
matrices = 0
setup = { ops = ["scalar_const_set"], min_size = 0, max_size = 5, initial_size = 1 }
predict = { ops = ["vector_inner_product"], min_size = 0, max_size = 5, initial_size = 1 }
learn = { ops = ["scalar_diff"], min_size = 0, max_size = 5, initial_size = 1 }

[tasks]
kind = "linear"
num_features = 2
final = { num_tasks = 3, num_train = 20, num_valid = 10 }
"""
