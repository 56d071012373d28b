"""Models for tables in files: trained on one, used on others with the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from automl_zero.program import Program
from automl_zero.suggest import did_you_mean
from automl_zero.tasks import Table
from automl_zero.tasks.csv_columns import Columns, Encoding, encode, read_columns, refuse_missing
from automl_zero.tasks.taskset import Floats

if TYPE_CHECKING:
    from automl_zero.model_files import Model


def fit_table(
    program: Program,
    table: Table,
    target: str | None,
    epochs: int,
    seed: int,
    dtype: str,
    vector_labels: bool = False,
) -> Model:
    """Train a program on all rows of a table.

    Args:
        program: the program.
        table: the rows; their kind decides between a classifier and a regressor.
        target: name of the target column, which tables to predict may have too.
        epochs: passes over the rows.
        seed: seed of the order of the rows and of the program's random draws.
        dtype: "float32" or "float64".
        vector_labels: whether the program learns all classes of a table at once, rather than each against the rest.

    Returns:
        The fitted estimator, which knows the table's columns.

    Raises:
        ValueError: the table cannot be used, or the program cannot learn such labels.
    """
    from automl_zero.estimator import AutoMLZeroClassifier, AutoMLZeroRegressor

    model: Model
    if table.kind == "accuracy":
        multi_class = "vector" if vector_labels else "ovr"
        model = AutoMLZeroClassifier(program, epochs=epochs, multi_class=multi_class, random_state=seed, dtype=dtype)
    else:
        model = AutoMLZeroRegressor(program, epochs=epochs, random_state=seed, dtype=dtype)
    model.fit(table.x, labels_of(table))
    model.encodings_ = table.encodings or tuple(map(Encoding, table.feature_names))
    model.target_ = target
    return model


def labels_of(table: Table) -> npt.NDArray[Any]:
    """What a table's model predicts, [N]: numbers, or names of classes."""
    return table.y if table.kind == "rmse" else np.array(table.class_names)[table.y.astype(np.int64)]


def read_features(model: Any, path: str | Path) -> Floats:
    """Features of the rows of a CSV file, encoded as in training: float64[N, F].

    The file must have the columns that the model was trained with, in any order, and no others but the target. A model
    that was not trained on a file takes the names of its features, or x0, x1 and so on if they have none.

    Raises:
        ValueError: the file cannot be read, its columns are not those of the model, or a value cannot be used; the
            message names the place.
    """
    path = Path(path)
    encodings = getattr(model, "encodings_", None)
    if encodings is None:
        names = getattr(model, "feature_names_in_", [f"x{index}" for index in range(model.n_features_in_)])
        encodings = tuple(Encoding(str(name)) for name in names)
    try:
        columns = read_columns(path, "\t" if path.suffix.lower() == ".tsv" else ",")
        used = _used_columns(columns, [encoding.name for encoding in encodings], getattr(model, "target_", None))
        refuse_missing(used)
        return encode(used, encodings)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _used_columns(columns: Columns, names: Sequence[str], target: str | None) -> Columns:
    """The columns that the model uses; ValueError when one is missing, or there is another one."""
    unknown = [name for name in columns.names if name not in names and name != target]
    for name in names:
        if name not in columns.names:
            raise ValueError(f"has no column {name!r}, which the model was trained with{did_you_mean(name, unknown)}")
    if unknown:
        raise ValueError(f"has a column {unknown[0]!r}, which the model was not trained with; remove it")
    return Columns(tuple(names), {name: columns.cells[name] for name in names}, columns.lines)
