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
    told: list[tuple[int | str, ...]] = []
    for detail in error.errors(include_url=False):
        location = _of_key(detail["loc"], schema)
        if location in told or (detail["type"] == "too_short" and any(_is_within(other, location) for other in told)):
            continue  # told for another type that the value may have, or by the items that are wrong
        told.append(location)
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


def _is_within(location: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return location[: len(other)] == other


def _of_key(location: tuple[int | str, ...], root: Schema) -> tuple[int | str, ...]:
    """A location up to a value of several possible types, after which it names one of these."""
    for end in range(1, len(location)):
        if len(_options(_at(location[:end], root))) > 1:
            return location[:end]
    return location


def _options(schema: Schema) -> list[Schema]:
    """The types that a value may have; "or nothing" goes without saying, since a key can be left out."""
    return [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]


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
_PLURALS = {"integer": "integers", "number": "numbers", "string": "strings", "boolean": "booleans", "object": "tables"}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def _expected(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_expected(option) for option in _options(schema))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return _expected_list(schema)
    bounds = " and ".join(f"{sign} {schema[name]:g}" for name, sign in _BOUNDS.items() if name in schema)
    return f"{_TYPES.get(schema.get('type', ''), 'another value')} {bounds}".rstrip()


def _expected_list(schema: Schema) -> str:
    least, places = schema.get("minItems", 0), schema.get("prefixItems", [])
    if places:
        return f"a list of {least} {_PLURALS.get(places[0].get('type', ''), 'values')}"
    items = schema.get("items", {})
    if items.get("type") == "array":
        kind = f"lists of {_PLURALS.get(items.get('items', {}).get('type', ''), 'values')}"
    else:
        kind = _PLURALS.get("object" if "$ref" in items else items.get("type", ""), "values")
    return f"a list of {kind}{f', at least {least}' if least else ''}"


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
