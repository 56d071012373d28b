"""``automl-zero fit`` and ``automl-zero predict``: from a program and a table to predictions for another one."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from automl_zero import AutoMLZeroRegressor, load_model, programs
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.table_models import labels_of
from automl_zero.tasks import load_table

if TYPE_CHECKING:
    from tests.cli.conftest import Run

COLOURS = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """A program, houses with a price, customers who buy or do not, and houses and customers without these."""
    rng = np.random.default_rng(0)
    programs.linear(0.05).save(tmp_path / "program.json")
    houses = [
        (f"{size:.1f}", COLOURS[i % 3], 3 * size + 50 * (i % 3)) for i, size in enumerate(rng.normal(100, 20, 60))
    ]
    write(tmp_path / "houses.csv", [("size", "colour", "price"), *((s, c, f"{p:.2f}") for s, c, p in houses)])
    write(tmp_path / "new.csv", [("colour", "size"), ("blue", "90"), ("red", "120")])
    visits = rng.standard_normal((60, 2))
    rows = [(f"{a:.3f}", f"{b:.3f}", "yes" if a + b > 0 else "no") for a, b in visits]
    write(tmp_path / "customers.csv", [("visits", "age", "buys"), *rows])


def write(path: Path, rows: list[tuple[Any, ...]]) -> None:
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def fit(run: Run, data: str = "houses.csv", target: str = "price", *options: Any) -> Any:
    result = run("fit", "program.json", "--tasks", data, "--target", target, "--out", "model", *options)
    assert result.exit_code == 0, result.stderr
    return result


def test_fit_says_what_it_trained_on(run: Run) -> None:
    first, second = fit(run).stdout.splitlines()
    assert first.startswith("Trained on 60 rows of 4 features, epochs: 10; R2 on these rows: ")
    assert second == "model  model"
    record = json.loads(fit(run, "customers.csv", "buys", "--epochs", 3, "--json").stdout)
    score = record.pop("training_score")
    assert record == {
        "model": "model",
        "kind": "accuracy",
        "rows": 60,
        "features": 2,
        "epochs": 3,
        "measure": "accuracy",
    }
    assert 0.8 < score <= 1


def test_predict_takes_columns_in_any_order_and_writes_a_line_for_each_row(run: Run) -> None:
    fit(run)
    result = run("predict", "model", "new.csv")
    assert result.exit_code == 0, result.stderr
    header, *values = result.stdout.splitlines()
    assert header == "prediction"
    assert [float(value) for value in values] == pytest.approx([90 * 3 + 100, 360], abs=10)


def test_predictions_are_those_of_the_estimator(run: Run, tmp_path: Path) -> None:
    fit(run)
    table = load_table(tmp_path / "houses.csv", "price")
    expected = (
        AutoMLZeroRegressor(programs.linear(0.05), random_state=0).fit(table.x, labels_of(table)).predict(table.x)
    )
    found = json.loads(run("predict", "model", "houses.csv", "--json").stdout)  # the target is there, and ignored
    assert found == {"predictions": expected.tolist()}


def test_probabilities_have_a_column_for_each_class(run: Run) -> None:
    fit(run, "customers.csv", "buys")
    result = run("predict", "model", "customers.csv", "--proba")
    rows = list(csv.reader(io.StringIO(result.stdout)))
    assert rows[0] == ["prediction", "probability=no", "probability=yes"]
    for label, no, yes in rows[1:]:
        assert float(no) + float(yes) == pytest.approx(1)
        assert (float(yes) > 0.5) == (label == "yes")
    record = json.loads(run("predict", "model", "customers.csv", "--proba", "--json").stdout)
    assert record["classes"] == ["no", "yes"]
    assert [
        [label, *map(str, p)] for label, p in zip(record["predictions"], record["probabilities"], strict=True)
    ] == rows[1:]


def test_several_classes_are_told_apart(run: Run) -> None:
    assert "60 rows of 2 features" in fit(run, "houses.csv", "colour").stdout
    result = run("predict", "model", "houses.csv", "--proba")
    assert result.stdout.splitlines()[0] == "prediction,probability=blue,probability=green,probability=red"


def test_out_writes_a_file(run: Run, tmp_path: Path) -> None:
    fit(run)
    result = run("predict", "model", "new.csv", "--out", "predictions.csv")
    assert (result.stdout, result.stderr) == ("", "2 predictions in predictions.csv\n")
    assert (tmp_path / "predictions.csv").read_text() == run("predict", "model", "new.csv").stdout


def test_a_run_brings_its_program_its_data_and_its_epochs(run: Run, tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_best(programs.linear(0.05))
    directory.write_config('[tasks]\nkind = "file"\npath = "../houses.csv"\ntarget = "price"\nepochs = 4\n')
    result = run("fit", "run", "--out", "model")
    assert result.exit_code == 0, result.stderr
    assert "60 rows of 4 features, epochs: 4" in result.stdout
    assert run("fit", "run", "--tasks", "customers.csv", "--target", "buys", "--out", "model").exit_code == 0


def test_a_model_from_python_names_its_columns_x0_and_so_on(run: Run, tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((30, 2))
    model = AutoMLZeroRegressor(programs.linear(), random_state=0).fit(x, x @ [1.0, 2.0])
    model.save(tmp_path / "model")
    write(tmp_path / "data.csv", [("x1", "x0"), (0.5, 2)])
    assert json.loads(run("predict", "model", "data.csv", "--json").stdout) == {
        "predictions": model.predict([[2, 0.5]]).tolist()
    }
    assert not hasattr(load_model(tmp_path / "model"), "encodings_")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("colour", "area"), ("red", 1)], "has no column 'size', which the model was trained with"),
        (
            [("colour", "sizes"), ("red", 1)],
            "has no column 'size', which the model was trained with (did you mean sizes?)",
        ),
        (
            [("size", "colour", "id"), (1, "red", 7)],
            "has a column 'id', which the model was not trained with; remove it",
        ),
        ([("size", "colour"), ("big", "red")], "line 2, column 'size': 'big' is not a number"),
        (
            [("size", "colour"), (1, "red"), (1, "pink")],
            "line 3, column 'colour': 'pink' is none of its levels, blue, ",
        ),
        ([("size", "colour"), (1, "red"), ("", "red")], "line 3, column 'size': the value is missing"),
        ([("size", "colour"), (1, "red"), ("1e300", "red")], "line 3, column 'size': '1e300' is not a finite number"),
        ([("size", "colour"), (1,)], "line 2 has 1 fields where the header has 2"),
        ([("size", "colour")], "has a header but no rows"),
        ([], "is empty"),
    ],
)
def test_a_table_that_does_not_fit_the_model_is_one_sentence(
    run: Run, tmp_path: Path, rows: list[tuple[Any, ...]], message: str
) -> None:
    fit(run)
    write(tmp_path / "bad.csv", rows)
    result = run("predict", "model", "bad.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: bad.csv: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "program.json", "new.csv"], "program.json is not a saved model: it holds no model.json"),
        (["predict", "model", "missing.csv"], "missing.csv: No such file or directory"),
        (["predict", "model", "new.csv", "--proba"], "model predicts numbers, which have no probabilities"),
        (["predict", "model", "new.csv", "--out", "no/such/file"], "no/such/file: No such file or directory"),
        (["predict", "model", "new.csv", "--out", "x", "--json"], "--out writes a CSV file, --json prints: choose one"),
        (
            ["fit", "program.json", "--out", "m"],
            "program.json has no table of its own to train on: name one with --tasks",
        ),
        (["fit", "missing.json", "--out", "m"], "missing.json: No such file or directory"),
        (["fit", "program.json", "--tasks", "houses.csv", "--out", "m"], "houses.csv: target is missing"),
        (
            ["fit", "program.json", "--tasks", "houses.csv", "--target", "price", "--out", "new.csv"],
            "new.csv is a file",
        ),
    ],
)
def test_bad_input_is_one_sentence(run: Run, arguments: list[str], message: str) -> None:
    fit(run)
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_training_that_fails_is_a_warning(run: Run, tmp_path: Path) -> None:
    programs.linear(50.0).save(tmp_path / "program.json")
    assert fit(run).stderr.startswith("Warning: training stopped at example ")
