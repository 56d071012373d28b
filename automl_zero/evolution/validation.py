"""Validated tables of a configuration, and one readable sentence for everything that is wrong with one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from automl_zero.suggest import did_you_mean

Schema = dict[str, Any]


class ConfigError(ValueError):
    """A configuration that cannot be used; the message has one line per problem, each naming its key."""


class Table(BaseModel):
    """Base of the tables: unknown keys are errors, and values are not converted between types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _integral(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: Lets an integer be written like 2e8.
INTEGRAL = BeforeValidator(_integral)
#: A count of at least 1.
Positive = Annotated[int, Field(ge=1), INTEGRAL]
#: A fitness to exceed; nothing exceeds 1.
FitnessBound = Annotated[float, Field(ge=0.0, lt=1.0)]


def problems(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """One sentence per problem, such as ``population_size: got 0, expected an integer >= 2``."""
    schema = model.model_json_schema()
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        key = _dotted(location)
        if detail["type"] == "extra_forbidden":
            yield f"{key}: unknown key{_suggestion(str(location[-1]), location[:-1], schema)}"
        elif detail["type"] == "missing":
            yield f"{key}: missing, expected {_expected(_at(location, schema))}"
        elif detail["type"] == "value_error":  # raised by one of our own validators; on its own line per problem
            yield from (f"{key}: {line}" if key else line for line in str(detail["ctx"]["error"]).splitlines())
        else:
            yield f"{key}: got {_shown(detail['input'])}, expected {_expected(_at(location, schema))}"


def _dotted(location: tuple[int | str, ...]) -> str:
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return parts.removeprefix(".")


def _shown(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, str | bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _resolve(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _at(location: tuple[int | str, ...], root: Schema) -> Schema:
    """The part of a model's JSON schema that describes a key."""
    schema = root
    for part in location:
        schema = _resolve(schema, root)
        if isinstance(part, int):
            places = schema.get("prefixItems", [])
            schema = places[part] if part < len(places) else schema.get("items", {})
        else:
            schema = schema.get("properties", {}).get(part) or schema.get("additionalProperties") or {}
    return _resolve(schema, root)


_TYPES = {
    "integer": "an integer",
    "number": "a number",
    "string": "a string",
    "boolean": "true or false",
    "object": "a table",
}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def _expected(schema: Schema) -> str:
    if "anyOf" in schema:  # "or nothing" goes without saying: the key can be left out
        return " or ".join(_expected(option) for option in schema["anyOf"] if option.get("type") != "null")
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"a list of {schema.get('items', {}).get('type', 'value')}s"
    bounds = " and ".join(f"{sign} {schema[name]:g}" for name, sign in _BOUNDS.items() if name in schema)
    return f"{_TYPES.get(schema.get('type', ''), 'another value')} {bounds}".rstrip()


def _suggestion(name: str, parent: tuple[int | str, ...], root: Schema) -> str:
    siblings = _at(parent, root).get("properties", {})
    hint = did_you_mean(name, siblings)
    if hint:
        return hint
    elsewhere = [path for path in _paths(root, root, "") if path.rpartition(".")[2] == name]
    return f" (did you mean {elsewhere[0]}?)" if elsewhere else ""


def _paths(schema: Schema, root: Schema, prefix: str) -> Iterator[str]:
    for name, inner in _resolve(schema, root).get("properties", {}).items():
        yield f"{prefix}{name}"
        yield from _paths(inner, root, f"{prefix}{name}.")
