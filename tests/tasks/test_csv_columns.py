from __future__ import annotations

import pytest

from automl_zero.tasks.csv_columns import Columns, Encoding, encode, learn_encoding


def columns(**cells: list[str]) -> Columns:
    return Columns(tuple(cells), cells, list(range(2, 2 + len(next(iter(cells.values()))))))


TRAINING = columns(size=["1", "2.5", "3"], colour=["red", "blue", "red"])


def test_numbers_stay_and_texts_become_levels() -> None:
    encodings = learn_encoding(TRAINING, ["size", "colour"])
    assert encodings == (Encoding("size"), Encoding("colour", ("blue", "red")))
    assert [encoding.feature_names for encoding in encodings] == [("size",), ("colour=blue", "colour=red")]
    assert encode(TRAINING, encodings).tolist() == [[1, 0, 1], [2.5, 1, 0], [3, 0, 1]]


def test_other_rows_are_encoded_like_those_it_was_learned_from() -> None:
    others = columns(other=["7", "8"], colour=["blue", "blue"], size=["4", "5"])
    assert encode(others, learn_encoding(TRAINING, ["size", "colour"])).tolist() == [[4, 1, 0], [5, 1, 0]]


def test_codes_that_were_levels_stay_levels() -> None:
    codes = learn_encoding(columns(code=["1", "x", "x"]), ["code"])
    assert codes == (Encoding("code", ("1", "x")),)
    assert encode(columns(code=["1", "1"]), codes).tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"size": ["1", "big"], "colour": ["red", "red"]}, "line 3, column 'size': 'big' is not a number"),
        ({"size": ["1"], "colour": ["pink"]}, "line 2, column 'colour': 'pink' is none of its levels, blue, red"),
    ],
)
def test_a_value_of_another_kind_is_refused(cells: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(columns(**cells), learn_encoding(TRAINING, ["size", "colour"]))
