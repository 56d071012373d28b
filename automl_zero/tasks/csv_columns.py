"""Columns of a CSV file: reading, telling numbers from text, one-hot encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl_zero.tasks.taskset import Floats

MAX_LEVELS = 50  # a column of text with more is an identifier or free text sooner than a category
LARGEST = 1e150  # the square of a larger number, needed to standardise its column, is infinite

_MISSING = frozenset(["", "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "none"])


@dataclass(frozen=True)
class Columns:
    """The cells of a CSV file, stripped of blanks around them.

    Attributes:
        names: column names in the file's order.
        cells: for each column its cells from top to bottom.
        lines: for each row the line of the file it begins on, from 1.
    """

    names: tuple[str, ...]
    cells: dict[str, list[str]]
    lines: list[int]


def read_columns(path: Path, delimiter: str) -> Columns:
    """Read a CSV file whose first line names the columns; empty lines are skipped.

    Raises:
        ValueError: if the file is not UTF-8, empty, ragged or badly quoted, or the header is unusable.
    """
    records = _records(_text(path), delimiter)
    header = next(records, None)
    if header is None:
        raise ValueError("is empty")
    names = tuple(name.strip() for name in header[1])
    _check_header(names, delimiter)
    rows: list[list[str]] = []
    lines: list[int] = []
    for line, row in records:
        if len(row) != len(names):
            raise ValueError(f"line {line} has {len(row)} fields where the header has {len(names)}")
        rows.append([cell.strip() for cell in row])
        lines.append(line)
    if not rows:
        raise ValueError("has a header but no rows")
    return Columns(names, {name: [row[index] for row in rows] for index, name in enumerate(names)}, lines)


def number(cell: str) -> float | None:
    """The number that a cell holds (possibly not finite), or None if it holds text."""
    # float() reads "1_000" as 1000; in a table it is a code or a name.
    if "_" in cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return None


def refuse_missing(columns: Columns) -> None:
    """Raise a ValueError that names the first cell that is missing, infinite or huge, if there is one."""
    for row, line in enumerate(columns.lines):
        for name in columns.names:
            cell = columns.cells[name][row]
            if cell.lower() in _MISSING:
                shown = f" ({cell!r})" if cell else ""
                raise ValueError(
                    f"line {line}, column {name!r}: the value is missing{shown}; fill it in or remove the row"
                )
            value = number(cell)
            if value is not None and not abs(value) <= LARGEST:
                raise ValueError(f"line {line}, column {name!r}: {cell!r} is not a finite number of a usable size")


@dataclass(frozen=True)
class Encoding:
    """How a column of a CSV file becomes features.

    Attributes:
        name: name of the column.
        levels: for a column of text its levels in sorted order, each of which becomes a feature of 0 and 1; empty for a
            column of numbers, which is a feature as it is.
    """

    name: str
    levels: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, "column=level" for a level."""
        return tuple(f"{self.name}={level}" for level in self.levels) or (self.name,)


def learn_encoding(columns: Columns, names: Sequence[str]) -> tuple[Encoding, ...]:
    """How the named columns become features.

    Raises:
        ValueError: if a column mixes some text into numbers, or has too many levels.
    """
    encodings: list[Encoding] = []
    for name in names:
        cells = columns.cells[name]
        texts = [row for row, cell in enumerate(cells) if number(cell) is None]
        if not texts:
            encodings.append(Encoding(name))
            continue
        if len(texts) < len(cells) / 2:  # sooner a slip among numbers than a category
            raise ValueError(
                f"line {columns.lines[texts[0]]}, column {name!r}: {cells[texts[0]]!r} is not a number, "
                f"though most of this column is"
            )
        levels = sorted(set(cells))
        if len(levels) > MAX_LEVELS:
            raise ValueError(
                f"column {name!r} has {len(levels)} distinct texts, more than the {MAX_LEVELS} that are encoded; "
                f"remove it or group its values"
            )
        encodings.append(Encoding(name, tuple(levels)))
    return tuple(encodings)


def encode(columns: Columns, encodings: Sequence[Encoding]) -> Floats:
    """Features, float64[N, F].

    Raises:
        ValueError: if a cell is not a number where there were numbers, or not one of the levels that there were.
    """
    encoded: list[Floats] = []
    for encoding in encodings:
        cells = columns.cells[encoding.name]
        values = [number(cell) for cell in cells] if not encoding.levels else cells
        for line, cell, value in zip(columns.lines, cells, values, strict=True):
            if value is None:
                raise ValueError(f"line {line}, column {encoding.name!r}: {cell!r} is not a number")
            if encoding.levels and cell not in encoding.levels:
                known = ", ".join(encoding.levels[:10]) + (", ..." if len(encoding.levels) > 10 else "")
                raise ValueError(f"line {line}, column {encoding.name!r}: {cell!r} is none of its levels, {known}")
        if not encoding.levels:
            encoded.append(np.array(values, dtype=np.float64))
        encoded += [np.array([cell == level for cell in cells], dtype=np.float64) for level in encoding.levels]
    return np.column_stack(encoded)


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")  # spreadsheets begin a CSV file with a byte order mark
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not UTF-8 text; save the file as UTF-8") from None


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The non-empty records with the line each begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    line = 1
    try:
        for record in reader:
            if len(record) > 1 or any(cell.strip() for cell in record):
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line} is not valid CSV: {error}") from None


def _check_header(names: tuple[str, ...], delimiter: str) -> None:
    if len(names) == 1 and any(other in names[0] for other in ",;\t|"):
        raise ValueError(f"the header has one column, {names[0]!r}; separate the columns by {delimiter!r}")
    if all(number(name) is not None for name in names):
        raise ValueError("the first line holds numbers only; it must name the columns")
    for position, name in enumerate(names):
        if not name:
            raise ValueError(f"column {position + 1} has no name in the header")
        if name in names[:position]:
            raise ValueError(f"the header names column {name!r} twice")
