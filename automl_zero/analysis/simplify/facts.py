"""Values, and what is certain about them from how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from automl_zero.ops import TABLE, RegisterType

SCALINGS = ("scalar_vector_product", "scalar_matrix_product")
SPREADING = ("scalar_broadcast", "vector_column_broadcast", "vector_row_broadcast", "matrix_transpose")
NORMS = ("vector_norm", "matrix_norm", "matrix_column_norm", "matrix_row_norm")


@dataclass(frozen=True)
class Value:
    """Name of what a register holds.

    Attributes:
        kind: type of the register.
        origin: "constant" (the same number in every element), "features", "label", "prediction" (as Learn finds it),
            "loop" (what a register holds when Predict begins) or "instruction".
        place: the number of a constant, the address of a loop's register, (component, index) of an instruction.
    """

    kind: RegisterType
    origin: str
    place: Any = None

    @property
    def number(self) -> float | None:
        """The number in every element of a constant."""
        return float.fromhex(self.place) if self.origin == "constant" else None


def constant(kind: RegisterType, number: float) -> Value:
    """The value with one number in every element."""
    return Value(kind, "constant", float(number).hex())


@dataclass(frozen=True)
class Expression:
    """An op applied to values.

    Attributes:
        op: name of the op.
        inputs: its operands; for a partial write, the register's old value.
        constants: its constants in hexadecimal, so that -0.0 differs from 0.0.
    """

    op: str
    inputs: tuple[Value, ...]
    constants: tuple[str, ...] = ()


def rule_of(name: str) -> str:
    """What an op does to elements, or its name; nothing is known about user ops."""
    op = TABLE[name]
    if op.source == "user":
        return ""
    return "product" if name in SCALINGS else op.elementwise or name


@dataclass
class Facts:
    """Proves facts about values.

    Attributes:
        number: np.float64 or np.float32, the type of numbers of the run.
        expressions: how each value that an instruction computed first was made.
    """

    number: Any
    expressions: dict[Value, Expression] = field(default_factory=dict)
    _known: dict[tuple[str, Value], bool] = field(default_factory=dict)

    def is_finite(self, value: Value) -> bool:
        """Neither NaN nor infinite in any element."""
        return self._fact("finite", value)

    def is_number(self, value: Value) -> bool:
        """Not NaN in any element."""
        return self._fact("number", value)

    def is_unsigned(self, value: Value) -> bool:
        """Each element has no minus sign, or is NaN."""
        return self._fact("unsigned", value)

    def is_binary(self, value: Value) -> bool:
        """Each element is 0.0 or 1.0."""
        return self._fact("binary", value)

    def _fact(self, fact: str, value: Value) -> bool:
        key = (fact, value)
        if key not in self._known:
            self._known[key] = getattr(self, f"_{fact}")(value)
        return self._known[key]

    def _finite(self, value: Value) -> bool:
        number = value.number
        if number is not None:
            return bool(np.isfinite(number))
        made = self.expressions.get(value)
        if value.origin in ("features", "label") or (made is not None and TABLE[made.op].random and rule_of(made.op)):
            return self.number is np.float64  # finite numbers may be too large for float32
        if made is None:
            return False
        if TABLE[made.op].partial_write:
            return np.isfinite(self.number(float.fromhex(made.constants[-1]))) and self.is_finite(made.inputs[0])
        rule = rule_of(made.op)
        if rule in ("abs", "min", "max", "sin", "cos", "arctan", *SPREADING):
            return all(map(self.is_finite, made.inputs))
        return self.is_binary(value)

    def _number(self, value: Value) -> bool:
        number = value.number
        if number is not None:
            return not np.isnan(number)
        made = self.expressions.get(value)
        if made is not None and rule_of(made.op) in ("abs", "min", "max", "exp", "arctan"):
            return all(map(self.is_number, made.inputs))
        return self.is_finite(value)

    def _unsigned(self, value: Value) -> bool:
        number = value.number
        if number is not None:
            return np.isnan(number) or not np.signbit(number)
        made = self.expressions.get(value)
        if made is None:
            return False
        rule = rule_of(made.op)
        if rule in ("abs", "exp", *NORMS):
            return True
        if rule in ("product", "vector_inner_product") and made.inputs[0] == made.inputs[-1]:
            return True
        if rule in ("sum", "product", "vector_inner_product", "min", "max", *SPREADING):
            return all(map(self.is_unsigned, made.inputs))
        return self.is_binary(value)

    def _binary(self, value: Value) -> bool:
        if value.number is not None:
            return value in (constant(value.kind, 0.0), constant(value.kind, 1.0))
        made = self.expressions.get(value)
        if made is None:
            return False
        rule = rule_of(made.op)
        if rule in ("heaviside", "heaviside_one_at_zero"):
            return True
        return rule in ("product", "min", "max", *SPREADING) and all(map(self.is_binary, made.inputs))
