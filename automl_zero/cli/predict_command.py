"""``automl-zero predict``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import click

from automl_zero.cli.consoles import echo_json, warnings_on_stderr
from automl_zero.cli.inputs import InputError, bad_input


@click.command("predict")
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA.csv")
@click.option("--out", metavar="FILE", help="Write the predictions to a CSV file instead of stdout.")
@click.option("--proba", is_flag=True, help="Add the probability of each class.")
@click.option("--json", "as_json", is_flag=True, help="Print the predictions as JSON.")
def command(model: str, data: str, out: str | None, proba: bool, as_json: bool) -> None:
    """Predict the rows of a CSV file by a model that automl-zero fit, or an estimator's save(), has written.

    The file needs the columns that the model was trained with, in any order; it may have the target column too. The
    output has a line for each row, in the order of the file.

    \b
    Examples:
      automl-zero predict models/houses new.csv
      automl-zero predict models/churn customers.csv --proba --out predictions.csv
    """
    if out is not None and as_json:
        raise click.UsageError("--out writes a CSV file, --json prints: choose one")
    from automl_zero.model_files import load_model
    from automl_zero.table_models import read_features

    with bad_input(), warnings_on_stderr():
        estimator: Any = load_model(model)
        if proba and not hasattr(estimator, "classes_"):
            raise InputError(f"{model} predicts numbers, which have no probabilities: leave out --proba")
        features = read_features(estimator, data)
        predictions = estimator.predict(features).tolist()
        probabilities = estimator.predict_proba(features).tolist() if proba else None
    classes = estimator.classes_.tolist() if proba else []
    if as_json:
        record: dict[str, Any] = {"predictions": predictions}
        echo_json({**record, "classes": classes, "probabilities": probabilities} if proba else record)
        return
    header = ["prediction", *(f"probability={name}" for name in classes)]
    rows = [[value, *row] for value, row in zip(predictions, probabilities or [[]] * len(predictions), strict=True)]
    if out is None:
        _write(sys.stdout, header, rows)
        return
    with bad_input(), Path(out).open("w", encoding="utf-8", newline="") as file:
        _write(file, header, rows)
    click.echo(f"{len(rows)} predictions in {out}", err=True)


def _write(file: TextIO, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
