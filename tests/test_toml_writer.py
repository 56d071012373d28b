"""What is written as TOML reads back the same."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl_zero.toml_writer import to_toml

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | texts
values = st.recursive(scalars | st.lists(scalars, max_size=3), lambda v: st.dictionaries(texts, v, max_size=3))


@given(st.dictionaries(texts, values, max_size=5))
def test_nested_tables_survive_a_round_trip(table: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(table)) == table


def test_lists_of_tables_survive_a_round_trip() -> None:
    table = {"runs": [{"seed": 1, "tags": ["a"]}, {}]}
    assert tomllib.loads(to_toml(table)) == table


def test_long_lists_are_written_one_element_a_line() -> None:
    text = to_toml({"ops": ["scalar_const_set"] * 10})
    assert text.count("\n") == 12
    assert tomllib.loads(text) == {"ops": ["scalar_const_set"] * 10}


def test_keys_without_a_value_are_left_out() -> None:
    assert to_toml({"a": None, "b": 1}) == "b = 1\n"


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="cannot be written as TOML"):
        to_toml({"a": object()})
