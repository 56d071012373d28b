"""Programs of a run meet tasks with labels of the other kind, or of their own kind."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from automl_zero import AutoMLZeroClassifier, programs
from automl_zero.analysis.simplify import simplify
from automl_zero.evolution.config import load_config
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.evolution.sources import data_config
from automl_zero.instruction import Instruction
from automl_zero.program import Program
from automl_zero.table_models import labels_of
from automl_zero.tasks import load_table

if TYPE_CHECKING:
    from tests.cli.conftest import Run

SOFTMAX = programs.softmax_linear()
#: For vector labels, which s1 alone does not tell.
EVOLVED = Program(
    SOFTMAX.memory, (Instruction("scalar_const_set", out=1, constants=(0.5,)), *SOFTMAX.setup), *SOFTMAX.components[1:]
)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables with three classes, two and a number as the target; a run on the first, another on numbers."""
    folder = tmp_path_factory.mktemp("labels")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 3))
    score = x @ [1.0, 2.0, -1.0]
    targets = {
        "grades": [("low", "mid", "high")[i] for i in np.digitize(score, [-1.0, 1.0])],
        "buys": ["yes" if s > 0 else "no" for s in score],
        "prices": [f"{s:.4f}" for s in score],
    }
    for name, values in targets.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            rows = [(*(f"{v:.3f}" for v in row), value) for row, value in zip(x, values, strict=True)]
            csv.writer(file).writerows([("a", "b", "c", "target"), *rows])
    for name, config, program in (
        ("mc", load_config(data_config(folder / "grades.csv", "target")), EVOLVED),
        ("linear", load_config("linear"), programs.linear()),
    ):
        directory = RunDirectory.create(folder / name)
        directory.release()
        directory.write_config(config.to_toml())
        directory.write_best(program)
        directory.write_result({"seed": 0})
    SOFTMAX.save(folder / "softmax.json")
    programs.linear().save(folder / "linear.json")
    return folder


@pytest.fixture(autouse=True)
def files(originals: Path, tmp_path: Path) -> None:
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    config = tmp_path / "mc" / "config.toml"
    config.write_text(config.read_text().replace(str(originals), str(tmp_path)))


def fitted(run: Run, *arguments: str) -> str:
    """What the model predicts for the table of three classes."""
    result = run("fit", *arguments, "--out", "model")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return run("predict", "model", "grades.csv", "--proba", "--json").stdout


def test_fit_teaches_a_program_for_vector_labels_all_classes_at_once(run: Run, tmp_path: Path) -> None:
    table = load_table(tmp_path / "grades.csv", "target")
    model = AutoMLZeroClassifier(EVOLVED, multi_class="vector", epochs=1, random_state=0).fit(table.x, labels_of(table))
    record = json.loads(fitted(run, "mc"))
    assert record["predictions"] == model.predict(table.x).tolist()
    assert record["probabilities"] == model.predict_proba(table.x).tolist()
    assert json.loads((tmp_path / "model" / "model.json").read_text())["parameters"]["multi_class"] == "vector"
    score = json.loads(run("fit", "mc", "--out", "model", "--json").stdout)["training_score"]
    assert score == model.score(table.x, labels_of(table)) > 0.7


def test_fit_knows_the_labels_of_a_runs_program_file_and_of_one_that_predicts_v2_alone(run: Run) -> None:
    table = ("--tasks", "grades.csv", "--target", "target", "--epochs", "1")
    from_run = fitted(run, "mc")
    assert fitted(run, "mc/best.json", *table) == from_run
    assert '"vector"' in (Path("model") / "model.json").read_text()
    fitted(run, "softmax.json", *table)
    assert '"vector"' in (Path("model") / "model.json").read_text()


def test_fit_teaches_another_program_each_class_against_the_rest(run: Run) -> None:
    for program in ("linear", "linear.json"):
        fitted(run, program, "--tasks", "grades.csv", "--target", "target")
        assert '"ovr"' in (Path("model") / "model.json").read_text()


def test_a_program_for_vector_labels_learns_two_classes_too(run: Run) -> None:
    result = run("fit", "mc", "--tasks", "buys.csv", "--target", "target", "--out", "model", "--epochs", 5, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["training_score"] > 0.9


def test_fit_warns_when_the_labels_of_a_run_are_not_known(run: Run, tmp_path: Path) -> None:
    (tmp_path / "grades.csv").rename(tmp_path / "moved.csv")
    result = run("fit", "mc", "--tasks", "moved.csv", "--target", "target", "--out", "model")
    assert result.stderr.startswith("Warning: what labels mc was for is not known, as its tasks cannot be read: ")
    assert "grades.csv" in result.stderr
    assert result.stderr.count("\n") == 1


EVOLVED_FOR_CLASSES = (
    "was evolved for vector labels of 3 classes, but these tasks have numbers as labels: expected tasks"
)
EVOLVED_FOR_NUMBERS = (
    "was evolved for labels that are numbers, but these tasks have 3 classes as vector labels: expected"
)
NEVER_SETS_S1 = "never sets its prediction s1, only v2, the prediction for vector labels, but these tasks have numbers"
NOT_FOR_CLASSES = "is not for vector labels, but these tasks have 3 classes as vector labels: learn[3].out: v1 is the"
COMMANDS = (["evaluate"], ["explain"], ["tune"], ["show"], ["show", "--simplify"])


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("program", "tasks", "message"),
    [
        ("mc", ["linear"], EVOLVED_FOR_CLASSES),
        ("mc/best.json", ["linear"], EVOLVED_FOR_CLASSES),
        ("mc", ["prices.csv", "--target", "target"], EVOLVED_FOR_CLASSES),
        ("softmax.json", ["linear"], NEVER_SETS_S1),
        ("linear", ["grades.csv", "--target", "target"], EVOLVED_FOR_NUMBERS),
        ("linear/best.json", ["grades.csv", "--target", "target"], EVOLVED_FOR_NUMBERS),
        ("linear.json", ["grades.csv", "--target", "target"], NOT_FOR_CLASSES),
    ],
)
def test_tasks_with_labels_of_the_other_kind_are_refused(
    run: Run, command: list[str], program: str, tasks: list[str], message: str
) -> None:
    result = run(*command, program, "--tasks", *tasks)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {program} {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("program", ["mc", "mc/best.json", "softmax.json"])
def test_a_regression_by_a_program_for_vector_labels_is_refused(run: Run, program: str) -> None:
    result = run("fit", program, "--tasks", "prices.csv", "--target", "target", "--out", "model")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {program} ")
    assert result.stderr.endswith(", but the target of prices.csv is a number: expected a target of classes\n")
    assert not Path("model").exists()


def test_show_simplifies_a_runs_program_file_for_the_labels_of_the_run(run: Run, tmp_path: Path) -> None:
    expected = simplify(EVOLVED, num_classes=3, dtype="float64").program
    shown = run("show", "--simplify", "mc/best.json", "--format", "json", "--dtype", "float64")
    assert Program.from_json(shown.stdout) == expected
    assert "v1 = label" in run("show", "mc/best.json").stdout
    assert "one_hot" in run("show", "mc/best.json", "--format", "python").stdout


@pytest.mark.parametrize("options", [["--simplify"], ["--names"], ["--format", "python"], ["--format", "latex"]])
def test_show_asks_for_the_tasks_of_a_program_that_predicts_v2_alone(run: Run, options: list[str]) -> None:
    result = run("show", "softmax.json", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("but it is shown as a program for numbers: expected its tasks, named with --tasks\n")
    assert run("show", "softmax.json", *options, "--tasks", "grades.csv", "--target", "target").exit_code == 0
    assert run("show", "softmax.json").exit_code == 0


def test_programs_for_different_labels_are_not_compared_when_simplified(run: Run) -> None:
    result = run("show", "mc", "--diff", "linear", "--simplify")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: linear was evolved for labels that are numbers, but")
    assert run("show", "mc", "--diff", "linear").exit_code == 0


@pytest.mark.parametrize("program", ["mc/best.json", "softmax.json"])
def test_explain_reads_the_text_of_a_program_for_vector_labels_as_such(run: Run, program: str) -> None:
    record = json.loads(run("explain", program, "--json").stdout)
    assert record["prediction"] == ["features", "state"]
    assert all(instruction["live"] for instruction in record["instructions"] if "s1" not in instruction["text"])


def test_a_run_copied_with_its_configuration_keeps_its_labels(run: Run, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "mc", tmp_path / "elsewhere" / "copy")
    assert EVOLVED_FOR_CLASSES in run("evaluate", "elsewhere/copy", "--tasks", "linear").stderr
