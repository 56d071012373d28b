"""The user's own table: features, a target, and what kind of task they make."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.suggest import did_you_mean
from automl_zero.tasks.csv_columns import (
    LARGEST,
    Columns,
    Encoding,
    encode,
    learn_encoding,
    number,
    read_columns,
    refuse_missing,
)
from automl_zero.tasks.taskset import Evaluation, Floats

MIN_ROWS = 20
MIN_ROWS_PER_CLASS = 5  # a fifth is set aside for the final score: one row of each class at the least


@dataclass(frozen=True, eq=False)
class Table:
    """A table of numbers with a target.

    Attributes:
        x: float64[N, F], features.
        y: float64[N], target; for "accuracy" the number of the class, from 0.
        feature_names: F names; a categorical column has one per level, "column=level".
        kind: "rmse" (regression) or "accuracy" (classification).
        class_names: for "accuracy" the names of the classes, else empty.
        encodings: how the columns of a CSV file became the features; empty for other tables.
    """

    x: Floats
    y: Floats
    feature_names: tuple[str, ...]
    kind: Evaluation
    class_names: tuple[str, ...] = ()
    encodings: tuple[Encoding, ...] = ()


def load_table(path: str | Path, target: str | None = None) -> Table:
    """Read a table from a CSV or npz file.

    CSV: UTF-8, comma-separated (tab-separated in a .tsv), the first line names the columns. Columns of text are one-hot
    encoded, levels in sorted order. npz: arrays `X` or `x` ([N, F], numbers) and the target ([N]).

    A target of two distinct values, numbers or text, makes a binary classification (the class that sorts second is 1);
    any other target of numbers makes a regression, and one of texts a classification with several classes.

    Args:
        path: the file.
        target: the column to predict; in an npz file the name of its array, "y" by default.

    Raises:
        ValueError: if the file cannot be read or used; the message names the place.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        if path.suffix.lower() == ".npz":
            target = "y" if target is None else target
            table = _from_npz(path, target)
        elif target is None:
            raise ValueError("target is missing: it must name the column to predict")
        else:
            table = _from_csv(path, target)
        _check_rows(table)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    return table


def _check_rows(table: Table) -> None:
    size = table.y.size
    if size < MIN_ROWS:
        raise ValueError(f"has {size} rows; at least {MIN_ROWS} are needed")
    for label, name in enumerate(table.class_names):
        members = int((table.y == label).sum())
        if members < MIN_ROWS_PER_CLASS:
            raise ValueError(f"class {name!r} has {members} rows; at least {MIN_ROWS_PER_CLASS} are needed")


def _from_csv(path: Path, target: str) -> Table:
    columns = read_columns(path, "\t" if path.suffix.lower() == ".tsv" else ",")
    if target not in columns.names:
        listed = ", ".join(columns.names[:20]) + (", ..." if len(columns.names) > 20 else "")
        raise ValueError(f"has no column {target!r}{did_you_mean(target, columns.names)}; its columns are {listed}")
    if len(columns.names) == 1:
        raise ValueError(f"has no column but the target {target!r}; at least one feature is needed")
    refuse_missing(columns)
    encodings = learn_encoding(columns, [name for name in columns.names if name != target])
    x = encode(columns, encodings)
    feature_names = tuple(name for encoding in encodings for name in encoding.feature_names)
    table = _with_target(columns, target, x, feature_names)
    return replace(table, encodings=encodings)


def _with_target(columns: Columns, target: str, x: Floats, feature_names: tuple[str, ...]) -> Table:
    cells = columns.cells[target]
    numbers = [number(cell) for cell in cells]
    if all(value is not None for value in numbers):
        return _numeric_target(x, np.array(numbers, dtype=np.float64), feature_names, target)
    texts = [row for row, value in enumerate(numbers) if value is None]
    classes = sorted(set(cells))
    if len(classes) != 2 and len(texts) < len(cells) / 2:
        row = texts[0]
        raise ValueError(
            f"line {columns.lines[row]}, column {target!r}: {cells[row]!r} is not a number, "
            f"though most of this target column is"
        )
    return _classes(x, cells, classes, feature_names, target)


def _from_npz(path: Path, target: str) -> Table:
    arrays = _arrays(path)
    features = [name for name in ("X", "x") if name in arrays]
    listed = ", ".join(arrays) or "none"
    if len(features) != 1:
        found = "both X and x" if features else "neither X nor x"
        raise ValueError(f"has {found}; the features must be in one of them (arrays in the file: {listed})")
    others = [name for name in arrays if name != features[0]]
    if target not in others:
        raise ValueError(f"has no target array {target!r}{did_you_mean(target, others)}; its arrays are {listed}")
    x, y = arrays[features[0]], arrays[target]
    if x.ndim != 2 or x.dtype.kind not in "biuf" or x.shape[1] == 0:
        raise ValueError(f"array {features[0]!r} must hold numbers, shape [rows, features], got {x.dtype} {x.shape}")
    if y.shape != x.shape[:1] or y.dtype.kind not in "biufU":
        raise ValueError(f"array {target!r} must hold numbers or text, shape {x.shape[:1]}, got {y.dtype} {y.shape}")
    x = _usable(features[0], x)
    feature_names = tuple(f"x{column}" for column in range(x.shape[1]))
    if y.dtype.kind != "U":
        return _numeric_target(x, _usable(target, y), feature_names, target)
    cells = [str(cell) for cell in y]
    return _classes(x, cells, sorted(set(cells)), feature_names, target)


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if not zipfile.is_zipfile(path):
        raise ValueError("is not an npz file")
    try:
        # Opened here, because numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    # numpy's own message suggests allow_pickle=True, which would run code from the file.
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError):
        raise ValueError("is damaged, or holds Python objects; only arrays of numbers and text are read") from None


def _usable(name: str, array: npt.NDArray[Any]) -> Floats:
    floats = array.astype(np.float64)
    bad = np.argwhere(~(np.abs(floats) <= LARGEST))
    if bad.size:
        place = ", column ".join(str(index) for index in bad[0])
        value = floats[tuple(bad[0])]
        raise ValueError(f"array {name!r}, row {place}: {value} is missing, or not a finite number of a usable size")
    return floats


def _numeric_target(x: Floats, y: Floats, feature_names: tuple[str, ...], target: str) -> Table:
    values = np.unique(y)
    if values.size > 2:
        return Table(x, y, feature_names, "rmse")
    names = [f"{value:.17g}" for value in values]
    return _classes(x, [f"{value:.17g}" for value in y], names, feature_names, target)


def _classes(
    x: Floats, cells: Sequence[str], classes: Sequence[str], feature_names: tuple[str, ...], target: str
) -> Table:
    if len(classes) < 2:
        only = repr(classes[0]) if classes else "nothing"
        raise ValueError(f"the target {target!r} holds {only} alone; at least two distinct values are needed")
    labels = {name: label for label, name in enumerate(classes)}
    y = np.array([labels[cell] for cell in cells], dtype=np.float64)
    return Table(x, y, feature_names, "accuracy", tuple(classes))
