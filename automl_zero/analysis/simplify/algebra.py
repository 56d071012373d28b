"""Algebra that holds to the last bit in floating point.

A value is a name for what an instruction computes; an expression says how. :meth:`Algebra.reduce` brings an
expression into a normal form, or finds that its value has a name already. Whatever it equates has equal bits, NaN and
infinity included, with one exception: the sign of zeros where ``zero_signs`` is false. Only a division or a reciprocal
can tell -0.0 from 0.0 later on, so in a program without them nobody can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from automl_zero.analysis.simplify.facts import (
    NORMS,
    SCALINGS,
    SPREADING,
    Expression,
    Facts,
    Value,
    constant,
    rule_of,
)
from automl_zero.ops import TABLE, Op, RegisterType

#: exactly rounded or exactly defined, so that every backend computes the same
_FOLDABLE: dict[str, Callable[..., Any]] = {
    "sum": lambda a, b: a + b,
    "diff": lambda a, b: a - b,
    "product": lambda a, b: a * b,
    "division": lambda a, b: a / b,
    "reciprocal": lambda a: 1 / a,
    "abs": abs,
    "heaviside_one_at_zero": lambda a: 1.0 if a >= 0 else 0.0,
    "heaviside": lambda a: 1.0 if a > 0 else 0.0,
    "min": lambda a, b: b if b < a else a,
    "max": lambda a, b: b if b > a else a,
}
#: sums of products of elements of the two operands, or such products alone
_BILINEAR = (
    *("scalar_product", "vector_product", "matrix_product", "vector_inner_product", "vector_outer_product"),
    *("matrix_vector_product", "matrix_matrix_product", *SCALINGS),
)
#: zero for an operand of zeros, whatever F is
_ZERO_OF_ZERO = (
    *("vector_norm", "matrix_norm", "matrix_column_norm", "matrix_row_norm", "vector_mean", "matrix_mean"),
    *("matrix_row_mean", "matrix_row_st_dev", "vector_st_dev", "matrix_st_dev"),
)
_SQUARES = ("scalar_product", "vector_product", "matrix_product", "vector_inner_product")
_TRANSPOSED = {
    "vector_column_broadcast": "vector_row_broadcast",
    "vector_row_broadcast": "vector_column_broadcast",
    "vector_outer_product": "vector_outer_product",
}


@dataclass
class Algebra:
    """Reduces expressions; it must be told what the values are made of.

    Attributes:
        number: np.float64 or np.float32, the type of numbers of the run.
        zero_signs: whether -0.0 and 0.0 must be told apart.
        facts: what is certain about values.
    """

    number: Any
    zero_signs: bool
    facts: Facts = field(init=False)

    def __post_init__(self) -> None:
        self.facts = Facts(self.number)

    @property
    def expressions(self) -> dict[Value, Expression]:
        """How each value that an instruction computed first was made."""
        return self.facts.expressions

    def constant(self, kind: RegisterType, number: Any) -> Value:
        """The value with one number, rounded to the run's type, in every element."""
        with np.errstate(all="ignore"):
            rounded = float(self.number(number))
        return constant(kind, 0.0 if rounded == 0 and not self.zero_signs else rounded)

    def reduce(self, op: Op, inputs: tuple[Value, ...], constants: tuple[float, ...]) -> Value | Expression:
        """The value of an op applied to values if it has a name, else its normal form."""
        if op.name == "scalar_const_set":
            return self.constant(RegisterType.SCALAR, constants[0])
        if op.partial_write:
            return self._partial_write(op, inputs[0], constants)
        expression = Expression(op.name, inputs, tuple(c.hex() for c in constants))
        if op.random or op.source == "user":
            return expression
        return self._folded(op, inputs) or self._identity(op, inputs) or self._normal(op, expression)

    def _partial_write(self, op: Op, old: Value, constants: tuple[float, ...]) -> Value | Expression:
        number = self.constant(op.output, constants[-1])
        place = tuple(c.hex() for c in constants[:-1])
        if old == number:
            return old
        before = self.expressions.get(old)
        if before is not None and before.op == op.name and before.constants[:-1] == place:
            if before.constants[-1] == number.place:
                return old
            (old,) = before.inputs
        return Expression(op.name, (old,), (*place, number.place))

    # Folding

    def _folded(self, op: Op, inputs: tuple[Value, ...]) -> Value | None:
        numbers = [value.number for value in inputs]
        known = [self.number(n) for n in numbers if n is not None]
        if len(known) == len(inputs):
            if rule_of(op.name) in _FOLDABLE:
                with np.errstate(all="ignore"):
                    return self.constant(op.output, _FOLDABLE[rule_of(op.name)](*known))
            if op.name in SPREADING:
                return self.constant(op.output, known[0])
            if op.name in _ZERO_OF_ZERO and self._is_zero(inputs[0]):
                return self.constant(op.output, 0.0)
        if op.name in _BILINEAR:
            for zero, other in (inputs, inputs[::-1]):
                # A product with 0.0 has the sign of the other factor, and a sum of -0.0 may be either zero.
                if (
                    self._is_zero(zero)
                    and self.facts.is_finite(other)
                    and (not self.zero_signs or self.facts.is_unsigned(other))
                ):
                    return self.constant(op.output, 0.0)
        if op.elementwise == "diff" and inputs[0] == inputs[1] and self.facts.is_finite(inputs[0]):
            return self.constant(op.output, 0.0)
        if op.name == "scalar_heaviside" and self.facts.is_unsigned(inputs[0]) and self.facts.is_number(inputs[0]):
            return self.constant(op.output, 1.0)
        return None

    def _is_zero(self, value: Value) -> bool:
        return value == constant(value.kind, 0.0)

    # Identities: the result is one of the values that went in

    def _identity(self, op: Op, inputs: tuple[Value, ...]) -> Value | None:
        function = getattr(self, f"_identity_{rule_of(op.name)}", None)
        value: Value | None = function(*inputs) if function else None
        # A scaling by a scalar 1 has the vector, not the scalar, for its value.
        return value if value is not None and value.kind == op.output else None

    def _identity_product(self, a: Value, b: Value) -> Value | None:
        for factor, other in ((a, b), (b, a)):
            if factor.number == 1:
                return other
            if factor.number == -1 and (negated := self._negated(other)) is not None:
                return negated
        return None

    def _identity_division(self, a: Value, b: Value) -> Value | None:
        return a if b.number == 1 else None

    def _identity_sum(self, a: Value, b: Value) -> Value | None:
        for term, other in ((a, b), (b, a)):
            if term.number == 0 and self._absorbs(other, -0.0 if term.place.startswith("-") else 0.0):
                return other
        return None

    def _identity_diff(self, a: Value, b: Value) -> Value | None:
        if b.number == 0 and self._absorbs(a, 0.0 if b.place.startswith("-") else -0.0):
            return a
        if self._is_zero(a) and not self.zero_signs:
            return self._negated(b)
        return None

    def _absorbs(self, value: Value, zero: float) -> bool:
        """Whether adding a zero changes nothing: -0.0 + 0.0 is 0.0."""
        return not self.zero_signs or np.signbit(zero) or self.facts.is_unsigned(value)

    def _identity_abs(self, a: Value) -> Value | None:
        return a if self.facts.is_unsigned(a) else None

    def _identity_heaviside(self, a: Value) -> Value | None:
        return a if self.facts.is_binary(a) else None

    def _identity_max(self, a: Value, b: Value) -> Value | None:
        if a == b or (self._is_zero(b) and self.facts.is_unsigned(a)):
            return a
        return self._absorbed("max", a, b)

    def _identity_min(self, a: Value, b: Value) -> Value | None:
        return a if a == b else self._absorbed("min", a, b)

    def _absorbed(self, rule: str, a: Value, b: Value) -> Value | None:
        """max(max(x, y), y) and max(max(x, y), x) are max(x, y), also when one of them is NaN; so for min."""
        made = self.expressions.get(a)
        if made is not None and rule_of(made.op) == rule and b in made.inputs:
            return a
        return None

    def _identity_matrix_transpose(self, a: Value) -> Value | None:
        made = self.expressions.get(a)
        return made.inputs[0] if made is not None and made.op == "matrix_transpose" else None

    def _negated(self, value: Value) -> Value | None:
        """The value that this one is the negative of; the sign of a NaN is nobody's business."""
        made = self.expressions.get(value)
        if made is None:
            return None
        rule = rule_of(made.op)
        if rule == "product":
            for factor, other in (made.inputs, made.inputs[::-1]):
                if factor.number == -1 and other.kind == value.kind:
                    return other
        if rule == "diff" and self._is_zero(made.inputs[0]) and not self.zero_signs:
            return made.inputs[1]
        return None

    # Normal forms: another op, or other operands, that give the same bits

    def _normal(self, op: Op, expression: Expression) -> Value | Expression:
        a, b = (*expression.inputs, None, None)[:2]
        name = op.name
        made = None if a is None else self.expressions.get(a)
        if name in NORMS and made is not None and rule_of(made.op) == "abs":
            return self._again(name, made.inputs)
        if name in _SQUARES and a == b and made is not None and rule_of(made.op) == "abs":
            return self._again(name, made.inputs * 2)
        if name == "matrix_transpose" and made is not None and made.op in _TRANSPOSED:
            return self._again(_TRANSPOSED[made.op], made.inputs[::-1])
        if a is not None and b is not None:
            if op.commutative:
                a, b = sorted((a, b), key=_order)  # constants first
            changed = self._normal_of_two(op, a, b)
            if changed is not None:
                return changed
        if op.commutative:
            return Expression(name, tuple(sorted(expression.inputs, key=_order)), ())
        return expression

    def _normal_of_two(self, op: Op, a: Value, b: Value) -> Value | Expression | None:
        family = op.name.partition("_")[0]
        if op.elementwise == "division" and a.number == 1:
            return self._again(f"{family}_reciprocal", (b,))
        if op.name == "vector_product":
            for spread, other in ((a, b), (b, a)):
                made = self.expressions.get(spread)
                if made is not None and made.op == "scalar_broadcast":
                    return self._again("scalar_vector_product", (made.inputs[0], other))
        if rule_of(op.name) == "product" and a.number == -1 and not self.zero_signs:
            made = self.expressions.get(b)
            if made is not None and rule_of(made.op) == "diff" and b.kind == op.output:
                return self._again(made.op, made.inputs[::-1])
        if op.elementwise == "sum":
            for negative, other in ((a, b), (b, a)):
                if (positive := self._negated(negative)) is not None:
                    return self._again(f"{family}_diff", (other, positive))
        if op.elementwise == "diff" and (positive := self._negated(b)) is not None:
            return self._again(f"{family}_sum", (a, positive))
        return None

    def _again(self, name: str, inputs: tuple[Value, ...]) -> Value | Expression:
        return self.reduce(TABLE[name], inputs, ())


def _order(value: Value) -> tuple[Any, ...]:
    """Any fixed order of values will do; constants and inputs come first."""
    place = value.place if isinstance(value.place, tuple) else ()
    return value.origin in ("loop", "instruction"), value.kind, value.origin, place, str(value.place)
