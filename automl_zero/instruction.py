"""Instructions: one op with its addresses and constants (paper, Section 3)."""

from __future__ import annotations

import math
import operator
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from automl_zero.ops import TABLE, ConstantKind, Op, RegisterType
from automl_zero.suggest import did_you_mean

_LARGEST_FRACTION = 1.0 - 2.0**-24  # the largest float32 below 1


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Operands that the op does not use are ``None``. Constants are rounded to float32, as in the reference, except
    that of ``scalar_const_set``, which stays a double.

    Attributes:
        op: name of the op.
        in1: address of the first operand.
        in2: address of the second operand.
        out: address of the output.
        constants: the op's constants in table order; index constants are fractions of F in [0, 1).

    Raises:
        TypeError: an address is not an integer, or a constant not a number.
        ValueError: an unknown op, operands or constants that the op does not take, or lacks; the message starts
            with the name of the attribute.
    """

    op: str
    in1: int | None = None
    in2: int | None = None
    out: int | None = None
    constants: tuple[float, ...] = field(default=(), compare=False)
    # Compared instead of the constants, because 0.0 == -0.0 although the two are different programs.
    _constant_bits: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.op, str):
            raise TypeError(f"op: {self.op!r} is not the name of an op")
        if self.op not in TABLE:
            raise ValueError(f"op: unknown op {self.op!r}{did_you_mean(self.op, (op.name for op in TABLE))}")
        op = TABLE[self.op]
        for name, kind in (*_inputs(op), ("out", op.output)):
            address = getattr(self, name)
            object.__setattr__(self, name, _checked_address(op, name, kind, address))
        constants = _checked_constants(op, self.constants)
        object.__setattr__(self, "constants", constants)
        object.__setattr__(self, "_constant_bits", tuple(constant.hex() for constant in constants))

    @property
    def spec(self) -> Op:
        """Record of the op in the op table."""
        return TABLE[self.op]

    def operands(self) -> Iterator[tuple[str, RegisterType, int]]:
        """Name ("in1", "in2" or "out"), type and address of every operand that the op uses."""
        for name, kind in (*_inputs(self.spec), ("out", self.spec.output)):
            if kind != RegisterType.NONE:
                yield name, kind, getattr(self, name)

    def to_dict(self) -> dict[str, Any]:
        """JSON object with exactly the keys that the op uses."""
        record: dict[str, Any] = {"op": self.op}
        record.update((name, address) for name, _, address in self.operands())
        if self.constants:
            record["constants"] = list(self.constants)
        return record


def _inputs(op: Op) -> tuple[tuple[str, RegisterType], tuple[str, RegisterType]]:
    first, second = (*op.inputs, RegisterType.NONE, RegisterType.NONE)[:2]
    return ("in1", first), ("in2", second)


def _checked_address(op: Op, name: str, kind: RegisterType, address: Any) -> int | None:
    if kind == RegisterType.NONE:
        if address is not None:
            raise ValueError(f"{name}: {op.name} ({op.signature}) takes none, got {address!r}")
        return None
    if address is None:
        raise ValueError(f"{name}: missing; {op.name} ({op.signature}) needs it")
    if isinstance(address, bool) or not hasattr(address, "__index__"):
        raise TypeError(f"{name}: {address!r} is not an integer")
    index = operator.index(address)
    if index < 0:
        raise ValueError(f"{name}: {index} is negative")
    return index


def _checked_constants(op: Op, constants: Any) -> tuple[float, ...]:
    if isinstance(constants, str) or not isinstance(constants, Iterable):
        raise TypeError(f"constants: {constants!r} is not a list of numbers")
    values = tuple(constants)
    if len(values) != len(op.constants):
        names = ", ".join(name for name, _ in op.constants)
        wanted = f"{len(op.constants)} ({names})" if names else "none"
        raise ValueError(f"constants: {op.name} takes {wanted}, got {len(values)}")
    return tuple(
        _checked_constant(value, f"constants[{i}]", kind, keep_double=op.name == "scalar_const_set")
        for i, (value, (_, kind)) in enumerate(zip(values, op.constants, strict=True))
    )


def _checked_constant(value: Any, place: str, kind: ConstantKind, keep_double: bool) -> float:
    if isinstance(value, bool | str) or not hasattr(value, "__float__"):
        raise TypeError(f"{place}: {value!r} is not a number")
    try:
        number = float(value)
        rounded: float = number if keep_double else struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        raise ValueError(f"{place}: {value!r} is too large") from None
    if not math.isfinite(rounded):
        raise ValueError(f"{place}: {value!r} is not finite")
    if kind == ConstantKind.INDEX:
        if not 0.0 <= number < 1.0:
            raise ValueError(f"{place}: {value!r} is not in [0, 1), the range of index fractions")
        return min(rounded, _LARGEST_FRACTION)
    return rounded
