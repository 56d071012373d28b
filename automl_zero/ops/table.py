"""The instruction set: one record per op; everything else about an op is derived from this table.

The 65 built-in ops are those of the paper (Real et al. 2020, Table S1), with the same ids. Further ops can be
added with :func:`register`; they get the next free ids and take part in everything that reads the table:
validation, mutation, analysis, pseudocode and both interpreters.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


class RegisterType(enum.IntEnum):
    """Type of a register file. The integer values are used in compiled code; ``NONE`` marks an absent operand."""

    NONE = 0
    SCALAR = 1
    VECTOR = 2
    MATRIX = 3

    @property
    def letter(self) -> str:
        """Letter used in pseudocode and register names: s, v or m."""
        return "-svm"[self]


class ConstantKind(enum.IntEnum):
    """How a constant is drawn for a random instruction and altered by mutation (paper, Section 3)."""

    VALUE = 0  #: drawn from U(-1, 1); scaled, or its sign flipped
    INDEX = 1  #: a fraction of F in [0, 1) that selects an element; drawn anew when altered
    ST_DEV = 2  #: drawn from U(0, 1); scaled, never flipped
    BOUND = 3  #: like VALUE; after an alteration the two bounds are sorted


@dataclass(frozen=True)
class Op:
    """One instruction type.

    Attributes:
        name: unique name, used in program files.
        inputs: types of the operands in1, in2.
        output: type of the output register; ``NONE`` for no_op alone.
        pseudocode: template with the fields {out}, {in1}, {in2}, {c0}, {c1}, {c2}. It begins with "{out} = " and goes
            on with a Python expression, from which programs are exported as source (see :mod:`automl_zero.export`).
        elementwise: name of the element-wise function that defines the op, or "" when it has a body of its own.
        constants: names and kinds of the constants, in file order.
        commutative: exactly commutative in floating point (up to NaN payloads): min and max are not.
        partial_write: writes one element and keeps the rest, so that the old value of the output stays live.
        random: draws new random numbers at every execution.
        static_cost: cost units of the reference's train budget (1e6 of them a table unit).
        id: number of the op, assigned by the table; the paper's for the built-in ops.
        source: where the op is defined.
    """

    name: str
    inputs: tuple[RegisterType, ...]
    output: RegisterType
    pseudocode: str
    elementwise: str = ""
    constants: tuple[tuple[str, ConstantKind], ...] = ()
    commutative: bool = False
    partial_write: bool = False
    random: bool = False
    static_cost: float = 4.0
    id: int = -1
    source: str = "user"

    @property
    def signature(self) -> str:
        """Types in the notation of the paper's Table S1, such as ``s,v->v``."""
        operands = ",".join(kind.letter for kind in self.inputs)
        return f"{operands}->{self.output.letter}" if operands or self.output else "-"

    @property
    def rounds_constants(self) -> bool:
        """Whether constants are rounded to float32 when a program is built, as in the reference."""
        return self.name != "scalar_const_set"


_S, _V, _M = RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX
_TYPES = {"s": _S, "v": _V, "m": _M}
_VALUE, _INDEX, _ST_DEV, _BOUND = ConstantKind.VALUE, ConstantKind.INDEX, ConstantKind.ST_DEV, ConstantKind.BOUND
_UNIFORM = (("low", _BOUND), ("high", _BOUND))
_GAUSSIAN = (("mean", _VALUE), ("st_dev", _ST_DEV))


def _op(name: str, signature: str, pseudocode: str, cost: float, elementwise: str = "", **traits: Any) -> Op:
    operands, _, output = signature.partition("->")
    inputs = tuple(_TYPES[letter] for letter in operands.split(",") if letter)
    result = _TYPES[output] if output else RegisterType.NONE
    return Op(name, inputs, result, pseudocode, elementwise, static_cost=cost, source="paper, Table S1", **traits)


# Costs are the reference's static estimates, used by its train budget.
_BUILT_IN = (
    _op("no_op", "", "pass", 3.01),
    _op("scalar_sum", "s,s->s", "{out} = {in1} + {in2}", 4.70, "sum", commutative=True),
    _op("scalar_diff", "s,s->s", "{out} = {in1} - {in2}", 5.10, "diff"),
    _op("scalar_product", "s,s->s", "{out} = {in1} * {in2}", 4.42, "product", commutative=True),
    _op("scalar_division", "s,s->s", "{out} = {in1} / {in2}", 3.96, "division"),
    _op("scalar_abs", "s->s", "{out} = abs({in1})", 3.68, "abs"),
    _op("scalar_reciprocal", "s->s", "{out} = 1 / {in1}", 4.21, "reciprocal"),
    _op("scalar_sin", "s->s", "{out} = sin({in1})", 7.54, "sin"),
    _op("scalar_cos", "s->s", "{out} = cos({in1})", 7.45, "cos"),
    _op("scalar_tan", "s->s", "{out} = tan({in1})", 7.58, "tan"),
    _op("scalar_arcsin", "s->s", "{out} = arcsin({in1})", 9.15, "arcsin"),
    _op("scalar_arccos", "s->s", "{out} = arccos({in1})", 7.67, "arccos"),
    _op("scalar_arctan", "s->s", "{out} = arctan({in1})", 9.27, "arctan"),
    _op("scalar_exp", "s->s", "{out} = exp({in1})", 11.76, "exp"),
    _op("scalar_log", "s->s", "{out} = log({in1})", 11.63, "log"),
    _op("scalar_heaviside", "s->s", "{out} = heaviside({in1}, 1.0)", 4.06, "heaviside_one_at_zero"),
    _op("vector_heaviside", "v->v", "{out} = heaviside({in1}, 0.0)", 3.97, "heaviside"),
    _op("matrix_heaviside", "m->m", "{out} = heaviside({in1}, 0.0)", 6.73, "heaviside"),
    _op("scalar_vector_product", "s,v->v", "{out} = {in1} * {in2}", 3.71),
    _op("scalar_broadcast", "s->v", "{out} = broadcast({in1}, (F,))", 4.17),
    _op("vector_reciprocal", "v->v", "{out} = 1 / {in1}", 6.31, "reciprocal"),
    _op("vector_norm", "v->s", "{out} = norm({in1})", 4.81),
    _op("vector_abs", "v->v", "{out} = abs({in1})", 3.71, "abs"),
    _op("vector_sum", "v,v->v", "{out} = {in1} + {in2}", 4.70, "sum", commutative=True),
    _op("vector_diff", "v,v->v", "{out} = {in1} - {in2}", 4.17, "diff"),
    _op("vector_product", "v,v->v", "{out} = {in1} * {in2}", 4.50, "product", commutative=True),
    _op("vector_division", "v,v->v", "{out} = {in1} / {in2}", 4.56, "division"),
    _op("vector_inner_product", "v,v->s", "{out} = dot({in1}, {in2})", 4.29, commutative=True),
    _op("vector_outer_product", "v,v->m", "{out} = outer({in1}, {in2})", 9.83),
    _op("scalar_matrix_product", "s,m->m", "{out} = {in1} * {in2}", 5.99),
    _op("matrix_reciprocal", "m->m", "{out} = 1 / {in1}", 24.34, "reciprocal"),
    _op("matrix_vector_product", "m,v->v", "{out} = dot({in1}, {in2})", 9.31),
    _op("vector_column_broadcast", "v->m", "{out} = broadcast({in1}, (F, F), axis=0)", 10.99),
    _op("vector_row_broadcast", "v->m", "{out} = broadcast({in1}, (F, F), axis=1)", 11.09),
    _op("matrix_norm", "m->s", "{out} = norm({in1})", 6.42),
    _op("matrix_column_norm", "m->v", "{out} = norm({in1}, axis=0)", 6.68),
    _op("matrix_row_norm", "m->v", "{out} = norm({in1}, axis=1)", 13.35),
    _op("matrix_transpose", "m->m", "{out} = transpose({in1})", 9.39),
    _op("matrix_abs", "m->m", "{out} = abs({in1})", 4.63, "abs"),
    _op("matrix_sum", "m,m->m", "{out} = {in1} + {in2}", 5.58, "sum", commutative=True),
    _op("matrix_diff", "m,m->m", "{out} = {in1} - {in2}", 5.43, "diff"),
    _op("matrix_product", "m,m->m", "{out} = {in1} * {in2}", 5.48, "product", commutative=True),
    _op("matrix_division", "m,m->m", "{out} = {in1} / {in2}", 18.23, "division"),
    _op("matrix_matrix_product", "m,m->m", "{out} = matmul({in1}, {in2})", 14.52),
    _op("scalar_min", "s,s->s", "{out} = minimum({in1}, {in2})", 3.68, "min"),
    _op("vector_min", "v,v->v", "{out} = minimum({in1}, {in2})", 3.99, "min"),
    _op("matrix_min", "m,m->m", "{out} = minimum({in1}, {in2})", 5.46, "min"),
    _op("scalar_max", "s,s->s", "{out} = maximum({in1}, {in2})", 4.57, "max"),
    _op("vector_max", "v,v->v", "{out} = maximum({in1}, {in2})", 3.97, "max"),
    _op("matrix_max", "m,m->m", "{out} = maximum({in1}, {in2})", 5.84, "max"),
    _op("vector_mean", "v->s", "{out} = mean({in1})", 4.28),
    _op("matrix_mean", "m->s", "{out} = mean({in1})", 4.60),
    _op("matrix_row_mean", "m->v", "{out} = mean({in1}, axis=1)", 9.76),
    _op("matrix_row_st_dev", "m->v", "{out} = std({in1}, axis=1)", 16.77),
    _op("vector_st_dev", "v->s", "{out} = std({in1})", 5.59),
    _op("matrix_st_dev", "m->s", "{out} = std({in1})", 10.64),
    _op("scalar_const_set", "->s", "{out} = {c0}", 3.69, constants=(("value", _VALUE),)),
    _op(
        "vector_const_set",
        "->v",
        "{out}[{c0}] = {c1}",
        3.99,
        constants=(("index", _INDEX), ("value", _VALUE)),
        partial_write=True,
    ),
    _op(
        "matrix_const_set",
        "->m",
        "{out}[{c0}, {c1}] = {c2}",
        3.69,
        constants=(("row", _INDEX), ("column", _INDEX), ("value", _VALUE)),
        partial_write=True,
    ),
    _op("scalar_uniform_set", "->s", "{out} = uniform({c0}, {c1})", 26.61, constants=_UNIFORM, random=True),
    _op("vector_uniform_set", "->v", "{out} = uniform({c0}, {c1}, (F,))", 57.82, constants=_UNIFORM, random=True),
    _op("matrix_uniform_set", "->m", "{out} = uniform({c0}, {c1}, (F, F))", 208.34, constants=_UNIFORM, random=True),
    _op("scalar_gaussian_set", "->s", "{out} = gaussian({c0}, {c1})", 20.78, constants=_GAUSSIAN, random=True),
    _op("vector_gaussian_set", "->v", "{out} = gaussian({c0}, {c1}, (F,))", 77.48, constants=_GAUSSIAN, random=True),
    _op("matrix_gaussian_set", "->m", "{out} = gaussian({c0}, {c1}, (F, F))", 277.69, constants=_GAUSSIAN, random=True),
)

MAX_OPS = 256  # op ids are stored in one byte


@dataclass
class OpTable:
    """All known ops by id and by name, and the bodies that users registered for the interpreters."""

    ops: list[Op] = field(default_factory=list)
    bodies: dict[str, dict[str, Callable[..., Any]]] = field(default_factory=dict)
    _by_name: dict[str, Op] = field(default_factory=dict)

    def add(self, op: Op, bodies: Mapping[str, Callable[..., Any]] = MappingProxyType({})) -> Op:
        """Append an op and return it with its id; ValueError when its record is not usable."""
        if not re.fullmatch(r"[a-z][a-z0-9_]*", op.name):
            raise ValueError(f"op name {op.name!r}: expected lower-case letters, digits and underscores")
        if op.name in self._by_name:
            raise ValueError(f"op {op.name!r} exists already")
        if len(self.ops) >= MAX_OPS:
            raise ValueError(f"op {op.name!r}: the table is full ({MAX_OPS} ops)")
        if len(op.inputs) > 2 or len(op.constants) > 3:
            raise ValueError(f"op {op.name!r}: at most 2 inputs and 3 constants are possible")
        if op.inputs and op.constants:
            raise ValueError(f"op {op.name!r}: an op has either inputs or constants")
        added = Op(**{**op.__dict__, "id": len(self.ops)})
        self.ops.append(added)
        self._by_name[added.name] = added
        for backend, body in bodies.items():
            self.bodies.setdefault(backend, {})[added.name] = body
        return added

    def remove(self, name: str) -> None:
        """Remove the op that was added last (so that ids stay dense); ValueError for any other."""
        if not self.ops or self.ops[-1].name != name or self.ops[-1].source != "user":
            raise ValueError(f"op {name!r}: only the user op that was registered last can be removed")
        self.ops.pop()
        del self._by_name[name]
        for bodies in self.bodies.values():
            bodies.pop(name, None)

    def __getitem__(self, key: int | str) -> Op:
        if isinstance(key, str):
            try:
                return self._by_name[key]
            except KeyError:
                raise ValueError(f"unknown op {key!r}") from None
        return self.ops[key]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[Op]:
        return iter(self.ops)

    def __len__(self) -> int:
        return len(self.ops)


TABLE = OpTable()
for _record in _BUILT_IN:
    TABLE.add(_record)
NUM_BUILT_IN = len(_BUILT_IN)


def register(op: Op, **bodies: Callable[..., Any]) -> Op:
    """Add a user op to the table.

    Args:
        op: the record; its id is assigned here.
        **bodies: one body per interpreter, by backend name. ``numpy``: a function of the operand arrays (and, for
            ops with constants, of the constants) that returns the output. ``numba``: a function of a
            :class:`~automl_zero.interpreters.lanes.LaneCode` and the operand values, for an element-wise op.

    Returns:
        The record with its id.

    Raises:
        ValueError: the name is taken or malformed, or the record is not usable.
    """
    if op.source != "user":
        raise ValueError(f"op {op.name!r}: source must stay 'user'")
    if not bodies:
        raise ValueError(f"op {op.name!r}: no body given; expected numpy=... and numba=...")
    return TABLE.add(op, bodies)


def unregister(name: str) -> None:
    """Remove the op that was registered last; for tests and interactive work."""
    TABLE.remove(name)
