"""Configurations as TOML text. Python reads TOML but does not write it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_LINE = 120  # longer lists are written one element a line


def to_toml(table: Mapping[str, Any]) -> str:
    """TOML text of nested tables; reading it with ``tomllib`` gives the same values again.

    Args:
        table: strings, integers, floats, booleans, lists or tuples of them, and mappings with string keys. Keys whose
            value is None are left out, as TOML has no such value.

    Raises:
        TypeError: some other type of value.
    """
    return "\n".join(_lines(table, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if value is not None and not isinstance(value, Mapping)}
    tables = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and (values or not tables):  # a table that holds only tables needs no header of its own
        yield from ("", f"[{'.'.join(map(_key, path))}]")
    for key, value in values.items():
        yield _assignment(_key(key), value)
    for key, inner in tables.items():
        yield from _lines(inner, (*path, key))


def _assignment(key: str, value: Any) -> str:
    line = f"{key} = {_value(value)}"
    if len(line) <= _LINE or not isinstance(value, list | tuple):
        return line
    elements = "".join(f"    {_value(element)},\n" for element in value)
    return f"{key} = [\n{elements}]"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):  # Python's repr of a finite or infinite float or of a NaN is TOML's too
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items() if inner is not None)
        return f"{{ {pairs} }}" if pairs else "{}"
    raise TypeError(f"{value!r} cannot be written as TOML")
