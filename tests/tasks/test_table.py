from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import Table, load_table

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_csv(content: str | bytes) -> Path:
        path = tmp_path / "data.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_csv


def lines(header: str, row: Callable[[int], str], count: int = 24) -> str:
    """A header and `count` rows; row i is on line i + 2."""
    return "\n".join([header, *(row(index) for index in range(count))]) + "\n"


REGRESSION = lines("a,b,y", lambda i: f"{i},{i / 4},{i * 3}")


def refused(path: Path, target: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load_table(path, target)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_table_of_numbers_is_a_regression(write: Write) -> None:
    table = load_table(write(REGRESSION), "y")
    assert (table.kind, table.feature_names, table.class_names) == ("rmse", ("a", "b"), ())
    assert table.x[5].tolist() == [5.0, 1.25]
    assert table.y[5] == 15.0


def test_the_target_may_be_any_column(write: Write) -> None:
    table = load_table(write(REGRESSION), "a")
    assert table.feature_names == ("b", "y")
    assert table.y[5] == 5.0


def test_text_columns_become_a_column_for_each_level_in_sorted_order(write: Write) -> None:
    content = lines("size,colour,y", lambda i: f"{i},{('red', 'blue', 'green')[i % 3]},{i}")
    table = load_table(write(content), "y")
    assert table.feature_names == ("size", "colour=blue", "colour=green", "colour=red")
    assert table.x[:3].tolist() == [[0, 0, 0, 1], [1, 1, 0, 0], [2, 0, 1, 0]]


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        ("0", "1", ("0", "1")),
        ("-1", "2.5", ("-1", "2.5")),
        ("9", "10", ("9", "10")),
        ("no", "yes", ("no", "yes")),
        ("cat", "dog", ("cat", "dog")),
    ],
)
def test_two_distinct_target_values_are_a_classification(
    write: Write, low: str, high: str, names: tuple[str, str]
) -> None:
    table = load_table(write(lines("a,y", lambda i: f"{i},{high if i % 3 == 0 else low}")), "y")
    assert (table.kind, table.class_names) == ("accuracy", names)
    assert table.y.tolist() == [float(i % 3 == 0) for i in range(24)]


def test_two_spellings_of_a_number_are_one_class(write: Write) -> None:
    table = load_table(write(lines("a,y", lambda i: f"{i},{('0', '0.0', '1', '1e0')[i % 4]}")), "y")
    assert table.class_names == ("0", "1")
    assert table.y[:4].tolist() == [0, 0, 1, 1]


def test_quotes_blanks_byte_order_marks_empty_lines_and_windows_line_ends_are_understood(write: Write) -> None:
    content = lines('\ufeff a , "b, c",y', lambda i: f' {i} ,"x ""{i % 2}""", {i}\r\n\r')
    table = load_table(write(content), "y")
    assert table.feature_names == ("a", 'b, c=x "0"', 'b, c=x "1"')
    assert table.y.tolist() == list(range(24))


def test_a_tsv_file_is_separated_by_tabs(tmp_path: Path) -> None:
    path = tmp_path / "data.tsv"
    path.write_text(REGRESSION.replace(",", "\t"), encoding="utf-8")
    assert load_table(path, "y").feature_names == ("a", "b")


def with_cell(line: int, cells: str) -> str:
    """The regression table with one line replaced."""
    rows = REGRESSION.splitlines()
    rows[line - 1] = cells
    return "\n".join(rows)


@pytest.mark.parametrize("missing", ["", "NA", "nan", "?", " ", "null", "N/A", "None"])
def test_a_missing_value_is_named_by_line_and_column(write: Write, missing: str) -> None:
    refused(write(with_cell(7, f"5,{missing},15")), "y", "line 7, column 'b': the value is missing")
    refused(write(with_cell(9, f"5,1,{missing}")), "y", "line 9, column 'y': the value is missing")


def test_lines_are_counted_as_an_editor_counts_them(write: Write) -> None:
    content = lines("a,b,y", lambda i: f'{i},"two\nlines",{i}' if i < 3 else f"{i},one,{i if i != 4 else ''}")
    refused(write(content), "y", "line 9, column 'y': the value is missing")


@pytest.mark.parametrize(
    ("content", "target", "message"),
    [
        ("", "y", "is empty"),
        ("\n\n", "y", "is empty"),
        ("a,b,y\n", "y", "has a header but no rows"),
        (with_cell(6, "1,2"), "y", "line 6 has 2 fields where the header has 3"),
        (with_cell(6, "1,2,3,4"), "y", "line 6 has 4 fields where the header has 3"),
        (with_cell(6, ",,"), "y", "line 6, column 'a': the value is missing"),
        (with_cell(6, "inf,1,2"), "y", "line 6, column 'a': 'inf' is not a finite number"),
        (with_cell(6, "1,1e999,2"), "y", "line 6, column 'b': '1e999' is not a finite number"),
        (with_cell(6, "1,1e200,2"), "y", "line 6, column 'b': '1e200' is not a finite number of a usable size"),
        (with_cell(6, "1,12o,2"), "y", "line 6, column 'b': '12o' is not a number, though most of this column is"),
        (with_cell(6, "1,1_000,2"), "y", "line 6, column 'b': '1_000' is not a number"),
        (with_cell(6, "1,2,much"), "y", "line 6, column 'y': 'much' is not a number, though most of this target"),
        (with_cell(6, '1,"2,3'), "y", "line 6 is not valid CSV"),
        (with_cell(1, "1,2,3"), "3", "the first line holds numbers only; it must name the columns"),
        (with_cell(1, "a,a,y"), "y", "the header names column 'a' twice"),
        (with_cell(1, "a,,y"), "y", "column 2 has no name in the header"),
        (REGRESSION.replace(",", ";"), "y", "the header has one column, 'a;b;y'; separate the columns by ','"),
        (REGRESSION, "Y", r"has no column 'Y' \(did you mean y\?\); its columns are a, b, y"),
        (REGRESSION, "price", "has no column 'price'; its columns are a, b, y"),
        (REGRESSION, None, "target is missing: it must name the column to predict"),
        (lines("y", str), "y", "has no column but the target 'y'; at least one feature is needed"),
        (lines("a,y", lambda i: f"{i},5"), "y", "the target 'y' holds '5' alone; at least two distinct values"),
        (lines("a,y", lambda i: f"{i},x"), "y", "the target 'y' holds 'x' alone"),
        (lines("a,y", lambda i: f"{i},{i}", 19), "y", "has 19 rows; at least 20 are needed"),
        (lines("a,y", lambda i: f"{i},{int(i < 4)}"), "y", "class '1' has 4 rows; at least 5 are needed"),
        (lines("a,y", lambda i: f"id{i},{i}", 51), "y", "column 'a' has 51 distinct texts, more than the 50"),
    ],
)
def test_an_unusable_csv_file_is_refused(write: Write, content: str, target: str | None, message: str) -> None:
    refused(write(content), target, message)


def test_fifty_levels_are_still_encoded(write: Write) -> None:
    assert load_table(write(lines("a,y", lambda i: f"id{i},{i}", 50)), "y").x.shape == (50, 50)


def test_text_that_is_not_utf_8_is_refused(write: Write) -> None:
    refused(write(with_cell(5, "1,2,grün").encode("latin-1")), "y", "line 5 is not UTF-8 text; save the file as UTF-8")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.csv", "y", "there is no such file")
    refused(tmp_path, "y", "there is no such file")


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


X, Y = np.arange(60.0).reshape(20, 3), np.arange(20)


def test_npz_arrays_are_read_like_columns(tmp_path: Path) -> None:
    table = load_table(saved(tmp_path, X=X, y=Y))
    assert (table.kind, table.feature_names) == ("rmse", ("x0", "x1", "x2"))
    assert np.array_equal(table.x, X)
    assert table.y.tolist() == Y.tolist()


def test_npz_features_may_be_called_x_and_the_target_anything(tmp_path: Path) -> None:
    table = load_table(saved(tmp_path, x=X.astype(np.int8), price=Y, y=-Y), "price")
    assert table.x.dtype == np.float64
    assert table.y.tolist() == Y.tolist()


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.tile([0, 1], 10), ("0", "1")),
        (np.tile([False, True], 10), ("0", "1")),
        (np.tile(["cat", "dog"], 10), ("cat", "dog")),
    ],
)
def test_two_distinct_npz_targets_are_a_classification(
    tmp_path: Path, labels: np.ndarray[Any, Any], names: tuple[str, str]
) -> None:
    table: Table = load_table(saved(tmp_path, X=X, y=labels))
    assert (table.kind, table.class_names) == ("accuracy", names)
    assert table.y.tolist() == [0, 1] * 10


@pytest.mark.parametrize(
    ("arrays", "target", "message"),
    [
        ({"y": Y}, None, r"has neither X nor x; .* \(arrays in the file: y\)"),
        ({"X": X, "x": X, "y": Y}, None, "has both X and x"),
        (
            {"X": X, "label": Y},
            "labels",
            r"no target array 'labels' \(did you mean label\?\); its arrays are X, label",
        ),
        ({"X": X, "y": Y}, "X", "has no target array 'X'"),
        ({"X": X[0], "y": Y}, None, "array 'X' must hold numbers"),
        ({"X": X[:, :0], "y": Y}, None, "array 'X' must hold numbers"),
        ({"X": X.astype(str), "y": Y}, None, "array 'X' must hold numbers"),
        ({"X": X, "y": Y[:19]}, None, r"array 'y' must hold numbers or text, shape \(20,\), got int64 \(19,\)"),
        ({"X": X, "y": X}, None, "array 'y' must hold numbers or text"),
        ({"X": np.where(X == 7, np.nan, X), "y": Y}, None, "array 'X', row 2, column 1: nan is missing"),
        ({"X": X, "y": np.where(Y == 3, np.inf, Y)}, None, "array 'y', row 3: inf is missing, or not a finite number"),
        ({"X": X[:19], "y": Y[:19]}, None, "has 19 rows; at least 20 are needed"),
        ({"X": X[:0], "y": Y[:0]}, None, "the target 'y' holds nothing alone"),
        ({"X": X.astype(object), "y": Y}, None, "holds Python objects"),
    ],
)
def test_an_unusable_npz_file_is_refused(
    tmp_path: Path, arrays: dict[str, Any], target: str | None, message: str
) -> None:
    refused(saved(tmp_path, **arrays), target, message)


@pytest.mark.parametrize("content", [b"", b"not a zip file", pickle.dumps([1, 2]), b"PK\x03\x04 broken"])
def test_a_file_that_only_looks_like_npz_by_name_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    refused(path, None, "is not an npz file")


@pytest.mark.parametrize(
    ("part", "offset"),
    [(b"PK\x03\x04", 0), (b"PK\x03\x04", 200), (b"PK\x01\x02", 8), (b"PK\x01\x02", 10)],
    ids=["start of the file", "data", "flag of encryption", "compression method"],
)
def test_a_damaged_npz_file_is_refused(tmp_path: Path, part: bytes, offset: int) -> None:
    path = saved(tmp_path, X=X, y=Y)
    content = bytearray(path.read_bytes())
    content[content.index(part) + offset] ^= 0x3F
    path.write_bytes(content)
    refused(path, None, "is damaged")


def test_a_zip_archive_of_other_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("X", "text")
        archive.writestr("y", "text")
    refused(path, None, "array 'X' must hold numbers")


def test_a_target_of_several_texts_is_a_classification(tmp_path):
    file = tmp_path / "data.npz"
    np.savez(file, X=X, y=np.tile(["b", "a", "c", "d"], 5))
    table = load_table(file)
    assert (table.kind, table.class_names) == ("accuracy", ("a", "b", "c", "d"))
    assert table.y[:5].tolist() == [1, 0, 2, 3, 1]
