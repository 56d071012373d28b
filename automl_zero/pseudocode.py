"""Programs as text in the notation of the paper's figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from automl_zero.ops import TABLE, ConstantKind

if TYPE_CHECKING:
    from automl_zero.instruction import Instruction

_SCALAR_LABELS = (
    "def Setup():",
    "def Predict():  # v0 = features; s1 = prediction",
    "def Learn():  # v0 = features; s0 = label",
)
_VECTOR_LABELS = (
    "def Setup():",
    "def Predict():  # v0 = features; v2 = prediction, one number a class",
    "def Learn():  # v0 = features; v1 = label, 1 for its class",
)
_NAMED_HEADERS = (
    "def Setup():",
    "def Predict():  # from features to prediction",
    "def Learn():  # from features and label",
)

#: names of operands by (component, position, "in1", "in2" or "out"); see automl_zero.analysis.names
Names = Mapping[tuple[int, int, str], str]


def render(
    components: Iterable[Sequence[Instruction]],
    num_features: int | None = None,
    num_classes: int = 0,
    names: Names | None = None,
) -> str:
    """Text of the component functions: valid Python syntax, no_ops left out.

    Args:
        components: instructions of Setup, Predict and Learn.
        num_features: F, to write index constants as integers; without it they are written as ``int(0.25*F)``.
        num_classes: 0 for scalar labels, else C.
        names: names of operands, to be written in place of their registers.

    Raises:
        ValueError: ``num_features`` is not positive.
    """
    if num_features is not None and num_features < 1:
        raise ValueError(f"num_features is {num_features!r}: expected a positive integer")
    lines = []
    for component, (header, instructions) in enumerate(zip(headers(bool(names), num_classes), components, strict=True)):
        lines += [header, *(body_lines(component, instructions, num_features, names) or ["    pass"])]
    return "\n".join(lines)


def headers(named: bool, num_classes: int = 0) -> tuple[str, ...]:
    """The first lines of the component functions, for pseudocode with names or with registers."""
    if named:
        return _NAMED_HEADERS
    return _VECTOR_LABELS if num_classes else _SCALAR_LABELS


def body_lines(
    component: int, instructions: Sequence[Instruction], num_features: int | None = None, names: Names | None = None
) -> list[str]:
    """The instructions of a component, a line each, indented; none for a no_op."""
    return [
        f"    {render_instruction(instruction, num_features, _names_at(component, position, names or {}))}"
        for position, instruction in enumerate(instructions)
        if instruction.op != "no_op"
    ]


def _names_at(component: int, position: int, names: Names) -> dict[str, str]:
    places = {operand: (component, position, operand) for operand in ("in1", "in2", "out")}
    return {operand: names[place] for operand, place in places.items() if place in names}


def render_instruction(
    instruction: Instruction, num_features: int | None = None, names: Mapping[str, str] | None = None
) -> str:
    """Text of one instruction, from the template in the op table; ``names`` has names of its operands."""
    op = TABLE[instruction.op]
    fields = {name: f"{kind.letter}{address}" for name, kind, address in instruction.operands()}
    fields.update(names or {})
    for position, ((_, kind), value) in enumerate(zip(op.constants, instruction.constants, strict=True)):
        # Shortest text that gives the same number again, in the precision in which the constant is kept.
        text = repr(value) if op.name == "scalar_const_set" else str(np.float32(value))
        if kind == ConstantKind.INDEX:
            text = f"int({text}*F)" if num_features is None else str(int(num_features * value))
        fields[f"c{position}"] = text
    return op.pseudocode.format(**fields)
