"""Programs as text in the notation of the paper's figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def render(components: Iterable[Sequence[Instruction]], num_features: int | None = None, num_classes: int = 0) -> str:
    """Text of the component functions: valid Python syntax, no_ops left out.

    Args:
        components: instructions of Setup, Predict and Learn.
        num_features: F, to write index constants as integers; without it they are written as ``int(0.25*F)``.
        num_classes: 0 for scalar labels, else C.

    Raises:
        ValueError: ``num_features`` is not positive.
    """
    if num_features is not None and num_features < 1:
        raise ValueError(f"num_features is {num_features!r}: expected a positive integer")
    lines = []
    headers = _VECTOR_LABELS if num_classes else _SCALAR_LABELS
    for header, instructions in zip(headers, components, strict=True):
        body = [render_instruction(i, num_features) for i in instructions if i.op != "no_op"]
        lines += [header, *(f"    {line}" for line in body or ["pass"])]
    return "\n".join(lines)


def render_instruction(instruction: Instruction, num_features: int | None = None) -> str:
    """Text of one instruction, from the template in the op table."""
    op = TABLE[instruction.op]
    fields = {name: f"{kind.letter}{address}" for name, kind, address in instruction.operands()}
    for position, ((_, kind), value) in enumerate(zip(op.constants, instruction.constants, strict=True)):
        # Shortest text that gives the same number again, in the precision in which the constant is kept.
        text = repr(value) if op.name == "scalar_const_set" else str(np.float32(value))
        if kind == ConstantKind.INDEX:
            text = f"int({text}*F)" if num_features is None else str(int(num_features * value))
        fields[f"c{position}"] = text
    return op.pseudocode.format(**fields)
