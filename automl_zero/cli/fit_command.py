"""``automl-zero fit``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from automl_zero.cli.consoles import echo_json, warnings_on_stderr
from automl_zero.cli.inputs import InputError, bad_input, read_program, refuse_other_labels

if TYPE_CHECKING:
    from automl_zero.origin import Origin
    from automl_zero.program import Program

EPOCHS = 10


@click.command("fit")
@click.argument("program", metavar="PROGRAM|DIR")
@click.option("--tasks", "data", metavar="FILE", help="A CSV or npz file. Default: the data of the run directory.")
@click.option("--target", metavar="COLUMN", help="The column to predict, or the array of an npz file.")
@click.option("--out", required=True, metavar="MODEL", help="The directory to write; a model in it is replaced.")
@click.option("--epochs", type=click.IntRange(min=1), help=f"Passes over the rows. Default: the run's, else {EPOCHS}.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of order and draws.")
@click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float64", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print what was trained as JSON.")
def command(
    program: str,
    data: str | None,
    target: str | None,
    out: str,
    epochs: int | None,
    seed: int,
    dtype: str,
    as_json: bool,
) -> None:
    """Train a program on all rows of a table, and save the model for automl-zero predict.

    Features, and the target of a regression, are standardised. A target of text, or of two distinct numbers, makes a
    classification. A program that was evolved for vector labels, as all are on a table of more than two classes, learns
    all classes at once; another is trained once for each of more than two, to tell it from the others.

    \b
    Examples:
      automl-zero fit runs/houses --out models/houses
      automl-zero fit best.json --tasks houses.csv --target price --epochs 20 --out models/houses
    """
    from automl_zero.origin import find_origin

    candidate = read_program(program)
    with bad_input():
        origin = find_origin(program)
    run_tasks = origin.tasks if origin is not None and Path(program).is_dir() else {}
    if data is None:
        if run_tasks.get("kind") != "file" or "path" not in run_tasks:
            raise InputError(f"{program} has no table of its own to train on: name one with --tasks")
        data, target = run_tasks["path"], target or run_tasks.get("target")
    if epochs is None:
        epochs = run_tasks.get("epochs", 1) if run_tasks else EPOCHS
    from automl_zero.table_models import fit_table, labels_of
    from automl_zero.tasks import load_table

    with bad_input(), warnings_on_stderr():
        table = load_table(data, target)
        vector_labels = _has_vector_labels(candidate, origin)
        if table.kind == "rmse":
            here = f"the target of {data} is a number"
            refuse_other_labels(program, candidate, 0, here=here, expected="a target of classes")
        model = fit_table(candidate, table, target, epochs, seed, dtype, vector_labels)
        model.save(out)
        score = float(model.score(table.x, labels_of(table)))
    measure = "accuracy" if table.kind == "accuracy" else "R2"
    rows, features = table.x.shape
    if as_json:
        record = {"model": out, "kind": table.kind, "rows": rows, "features": features, "epochs": epochs}
        echo_json({**record, "measure": measure, "training_score": score})
        return
    click.echo(f"Trained on {rows} rows of {features} features, epochs: {epochs}; {measure} on these rows: {score:.4f}")
    click.echo(f"model  {out}")


def _has_vector_labels(program: Program, origin: Origin | None) -> bool:
    """Whether a program is for vector labels, by the run that it comes from or else by what it writes."""
    from automl_zero.vector_labels import predicts_vectors_alone

    if origin is not None:
        try:
            return origin.num_classes() > 0
        except (OSError, TypeError, ValueError) as error:
            warnings.warn(
                f"what labels {origin.directory} was for is not known, as its tasks cannot be read: {error}",
                stacklevel=2,
            )
    return predicts_vectors_alone(program)
