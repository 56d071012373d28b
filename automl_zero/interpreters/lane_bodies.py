"""What each op does on lanes: the CPU kernel's counterpart of the numpy interpreter's bodies.

Element-wise ops are a function of values, shared by scalars, vectors and matrices. The others are functions of an
:class:`Instruction`, the code of one instruction under construction. An output may be the same register as an
input, so ops that read an input after the first write go through the scratch registers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from automl_zero.interpreters import record
from automl_zero.interpreters.lanes import CHUNK_BYTES, F64, I32, POINTER, Count, LaneCode, Value, const
from automl_zero.interpreters.threefry_code import draw
from automl_zero.ops import TABLE, Op, RegisterType

_SCALAR, _VECTOR, _MATRIX = RegisterType.SCALAR, RegisterType.VECTOR, RegisterType.MATRIX

OUTER_PRODUCT = TABLE["vector_outer_product"]

ELEMENTWISE: dict[str, Callable[..., Value]] = {
    "sum": lambda c, x, y: c.add(x, y),
    "diff": lambda c, x, y: c.sub(x, y),
    "product": lambda c, x, y: c.mul(x, y),
    "division": lambda c, x, y: c.div(x, y),
    "abs": lambda c, x: c.abs(x),
    "reciprocal": lambda c, x: c.div(c.full(1.0, x), x),
    "sin": lambda c, x: c.libm("sin", x),
    "cos": lambda c, x: c.libm("cos", x),
    "tan": lambda c, x: c.libm("tan", x),
    "arcsin": lambda c, x: c.libm("asin", x),
    "arccos": lambda c, x: c.libm("acos", x),
    "arctan": lambda c, x: c.libm("atan", x),
    "exp": lambda c, x: c.exp(x),
    "log": lambda c, x: c.libm("log", x),
    "heaviside": lambda c, x: c.select(c.greater(x, c.full(0.0, x)), c.full(1.0, x), c.full(0.0, x)),
    "heaviside_one_at_zero": lambda c, x: c.select(c.greater_equal(x, c.full(0.0, x)), c.full(1.0, x), c.full(0.0, x)),
    "min": lambda c, x, y: c.select(c.less(y, x), y, x),
    "max": lambda c, x, y: c.select(c.greater(y, x), y, x),
}


class Instruction:
    """The instruction being executed: its operands' addresses, its constants and the sizes of registers.

    Operands are loaded when first asked for, so that a body pays for what it uses.
    """

    def __init__(self, code: LaneCode, op: Op, pc: Value, offsets: dict[RegisterType, Value], context: Value) -> None:
        self.code = code
        self.op = op
        self.pc = pc
        self.offsets = offsets
        self.context = context

    def operand(self, position: int) -> Value:
        """Address of in1 (0) or in2 (1); features and labels move with the example, which the record's mask says."""
        address = self.code.integer(self.pc, record.IN1 + 8 * position)
        offset = self.offsets.get(self.op.inputs[position])
        if offset is None:
            return address
        mask = self.code.integer(self.pc, record.MASK1 + 8 * position)
        return self.code.builder.add(address, self.code.builder.and_(offset, mask))

    def out(self) -> Value:
        """Address of the output; for a partial write, of the element."""
        return self.code.integer(self.pc, record.OUT)

    def ordinal(self) -> Value:
        """Number of this instruction among the random ones of its component."""
        return self.code.integer(self.pc, record.IN1)

    def constant(self, position: int, width: int | None = None) -> Value:
        """A constant in every lane, in the run's element type."""
        b = self.code.builder
        pointer = b.inttoptr(self.code.offset(self.pc, record.CONSTANTS + 8 * position), POINTER)
        number = b.load(pointer, align=8, typ=F64)
        return self.code.splat(number if self.code.element is F64 else b.fptrunc(number, self.code.element), width)

    def from_context(self, field: int) -> Value:
        """A field of the run's context."""
        return self.code.integer(self.context, field)

    def rows(self, kind: RegisterType) -> Count:
        """Number of rows of lanes in a register: 1, F or F x F."""
        features = self.code.features
        return 1 if kind == _SCALAR else features if kind == _VECTOR else self.code.times(features, features)

    def chunks(self, kind: RegisterType) -> Count:
        """Number of 64-byte chunks in a register, padding included."""
        size = self.code.times(self.rows(kind), self.code.row_bytes)
        if isinstance(size, int):
            return -(-size // CHUNK_BYTES)
        b = self.code.builder
        return b.lshr(b.add(size, const(CHUNK_BYTES - 1)), const(CHUNK_BYTES.bit_length() - 1))

    def row(self, address: Value, index: Count) -> Value:
        """Load row number index of a register."""
        return self.code.load(address, self.code.times(index, self.code.row_bytes))

    def set_row(self, value: Value, address: Value, index: Count) -> None:
        """Store row number index of a register."""
        self.code.store(value, address, self.code.times(index, self.code.row_bytes))

    def cell(self, i: Count, j: Count) -> Count:
        """Row number of the matrix element [i, j]."""
        size = self.code.times(i, self.code.features)
        if isinstance(size, int) and isinstance(j, int):
            return size + j
        return self.code.builder.add(*(const(v) if isinstance(v, int) else v for v in (size, j)))

    def copy(self, source: Value, target: Value, kind: RegisterType) -> None:
        """Copy a register."""

        def chunk(i: Count) -> None:
            at = self.code.times(i, CHUNK_BYTES)
            self.code.store(self.code.load(source, at, self.code.chunk), target, at)

        self.code.each(self.chunks(kind), chunk)


def emit(instruction: Instruction) -> None:
    """Emit the body of an instruction; ValueError when its op has none."""
    op = instruction.op
    user = TABLE.bodies.get("numba", {}).get(op.name)
    if user is not None:
        _elementwise(instruction, user)
    elif op.name in STRUCTURAL:
        STRUCTURAL[op.name](instruction)
    elif op.elementwise in ELEMENTWISE:
        _elementwise(instruction, ELEMENTWISE[op.elementwise])
    else:
        raise ValueError(f"op {op.name!r} has no body for the numba backend; expected register(op, numba=...)")


def _elementwise(k: Instruction, function: Callable[..., Value]) -> None:
    kinds = {*k.op.inputs, k.op.output}
    if len(kinds) != 1:
        raise ValueError(
            f"op {k.op.name!r}: an element-wise op has operands and output of one type, not {k.op.signature}"
        )
    kind = k.op.output
    code, operands, out = k.code, [k.operand(i) for i in range(len(k.op.inputs))], k.out()

    def chunk(i: Count) -> None:
        at = code.times(i, CHUNK_BYTES)
        code.store(function(code, *(code.load(a, at, code.chunk) for a in operands)), out, at)

    code.each(k.chunks(kind), chunk)


def _scale(k: Instruction) -> None:
    scalar, operand, out = k.code.load(k.operand(0)), k.operand(1), k.out()
    k.code.each(k.rows(k.op.output), lambda i: k.set_row(k.code.mul(scalar, k.row(operand, i)), out, i))


def _broadcast(k: Instruction) -> None:
    scalar, out = k.code.load(k.operand(0)), k.out()
    k.code.each(k.rows(_VECTOR), lambda i: k.set_row(scalar, out, i))


def _dot(k: Instruction) -> None:
    a, b = k.operand(0), k.operand(1)
    k.set_row(k.code.accumulate(k.rows(_VECTOR), lambda j: k.code.mul(k.row(a, j), k.row(b, j))), k.out(), 0)


def _outer(k: Instruction) -> None:
    a, b, out = k.operand(0), k.operand(1), k.out()

    def line(i: Count) -> None:
        left = k.row(a, i)
        k.code.each(k.code.features, lambda j: k.set_row(k.code.mul(left, k.row(b, j)), out, k.cell(i, j)))

    k.code.each(k.code.features, line, unroll=0)


def outer_and_sum(k: Instruction) -> None:
    """An outer product and the sum after it, without storing the product between the two: out = m + a b'."""
    a, b, m = k.operand(0), k.operand(1), k.code.integer(k.pc, record.CONSTANTS)
    out = k.code.integer(k.pc, record.SIZE + record.OUT)

    def line(i: Count) -> None:
        left = k.row(a, i)

        def element(j: Count) -> None:
            at = k.cell(i, j)
            k.set_row(k.code.add(k.row(m, at), k.code.mul(left, k.row(b, j))), out, at)

        k.code.each(k.code.features, element)

    k.code.each(k.code.features, line, unroll=0)


def _by_blocks(k: Instruction, body: Callable[[Count, int], None], size: int = 4) -> None:
    """body(first, n) for blocks of `size` rows out of F, and for the rows that remain one by one."""
    features = k.code.features
    if isinstance(features, int):
        whole, rest = divmod(features, size)
        k.code.each(whole, lambda i: body(k.code.times(i, size), size), unroll=1)
        for i in range(features - rest, features):
            body(i, 1)
        return
    b = k.code.builder
    blocks = b.udiv(features, const(size))
    k.code.each(blocks, lambda i: body(b.mul(i, const(size)), size))
    first = b.mul(blocks, const(size))
    k.code.each(b.sub(features, first), lambda i: body(b.add(first, i), 1))


def _shift(k: Instruction, first: Count, r: int) -> Count:
    return first + r if isinstance(first, int) else k.code.builder.add(first, const(r))


def _matrix_vector(k: Instruction) -> None:
    a, x, scratch = k.operand(0), k.operand(1), k.from_context(record.SCRATCH)

    def block(first: Count, n: int) -> None:
        loaded: dict[Any, Value] = {}

        def term(j: Count, r: int) -> Value:
            if j not in loaded:
                loaded[j] = k.row(x, j)
            return k.code.mul(k.row(a, k.cell(_shift(k, first, r), j)), loaded[j])

        for r, total in enumerate(k.code.sums(k.code.features, n, term)):
            k.set_row(total, scratch, _shift(k, first, r))

    _by_blocks(k, block)
    k.copy(scratch, k.out(), _VECTOR)


def _matrix_matrix(k: Instruction) -> None:
    a, x, scratch = k.operand(0), k.operand(1), k.from_context(record.SCRATCH)

    def line(i: Count) -> None:
        def block(first: Count, n: int) -> None:
            loaded: dict[Any, Value] = {}

            def term(j: Count, r: int) -> Value:
                if j not in loaded:
                    loaded[j] = k.row(a, k.cell(i, j))
                return k.code.mul(loaded[j], k.row(x, k.cell(j, _shift(k, first, r))))

            for r, total in enumerate(k.code.sums(k.code.features, n, term)):
                k.set_row(total, scratch, k.cell(i, _shift(k, first, r)))

        _by_blocks(k, block)

    k.code.each(k.code.features, line, unroll=0)
    k.copy(scratch, k.out(), _MATRIX)


def _transpose(k: Instruction) -> None:
    a, scratch = k.operand(0), k.from_context(record.SCRATCH)

    def line(i: Count) -> None:
        k.code.each(k.code.features, lambda j: k.set_row(k.row(a, k.cell(j, i)), scratch, k.cell(i, j)))

    k.code.each(k.code.features, line, unroll=0)
    k.copy(scratch, k.out(), _MATRIX)


def _column_broadcast(k: Instruction) -> None:
    a, out = k.operand(0), k.out()

    def line(i: Count) -> None:
        value = k.row(a, i)
        k.code.each(k.code.features, lambda j: k.set_row(value, out, k.cell(i, j)))

    k.code.each(k.code.features, line, unroll=0)


def _row_broadcast(k: Instruction) -> None:
    a, out = k.operand(0), k.out()
    k.code.each(
        k.code.features,
        lambda i: k.code.each(k.code.features, lambda j: k.set_row(k.row(a, j), out, k.cell(i, j))),
        unroll=0,
    )


def _size(k: Instruction, count: Count) -> Value:
    """A count as a floating-point row."""
    if isinstance(count, int):
        return ir.Constant(k.code.vector_type(k.code.lanes), [float(count)] * k.code.lanes)
    return k.code.splat(k.code.builder.uitofp(count, k.code.element))


def _norm_of(k: Instruction, count: Count, element: Callable[[Count], Value]) -> Value:
    def square(j: Count) -> Value:
        value = element(j)
        return k.code.mul(value, value)

    return k.code.sqrt(k.code.accumulate(count, square))


def _mean_of(k: Instruction, count: Count, element: Callable[[Count], Value]) -> Value:
    return k.code.div(k.code.accumulate(count, element), _size(k, count))


def _st_dev_of(k: Instruction, count: Count, element: Callable[[Count], Value]) -> Value:
    """sqrt(mean(a^2) - mean(a)^2); round-off may make the difference negative and the result NaN, as specified."""
    code = k.code

    def square(j: Count) -> Value:
        value = element(j)
        return code.mul(value, value)

    mean = _mean_of(k, count, element)
    return code.sqrt(code.sub(_mean_of(k, count, square), code.mul(mean, mean)))


_Statistic = Callable[[Instruction, Count, Callable[[Count], Value]], Value]


def _of_all(statistic: _Statistic) -> Callable[[Instruction], None]:
    def body(k: Instruction) -> None:
        a, count = k.operand(0), k.rows(k.op.inputs[0])
        k.set_row(statistic(k, count, lambda j: k.row(a, j)), k.out(), 0)

    return body


def _of_rows(statistic: _Statistic) -> Callable[[Instruction], None]:
    def body(k: Instruction) -> None:
        a, out, features = k.operand(0), k.out(), k.code.features
        k.code.each(
            features, lambda i: k.set_row(statistic(k, features, lambda j: k.row(a, k.cell(i, j))), out, i), unroll=0
        )

    return body


def _column_norm(k: Instruction) -> None:
    a, out, features = k.operand(0), k.out(), k.code.features

    def column(j: Count) -> None:
        k.set_row(_norm_of(k, features, lambda i: k.row(a, k.cell(i, j))), out, j)

    k.code.each(features, column, unroll=0)


def _const_set(position: int) -> Callable[[Instruction], None]:
    def body(k: Instruction) -> None:
        k.set_row(k.constant(position), k.out(), 0)

    return body


def _subkey(k: Instruction) -> tuple[Value, Value]:
    """Key of this component's draws, a lane a task: the first of the two stages of Threefry."""
    code = k.code
    words = ir.VectorType(I32, code.lanes)
    seeds = k.from_context(record.SEEDS)
    b = code.builder
    low, high = (
        b.load(b.inttoptr(code.offset(seeds, 4 * code.lanes * half), POINTER), align=4, typ=words) for half in (0, 1)
    )
    counter = (b.trunc(k.from_context(field), I32) for field in (record.PHASE_WORD, record.EXAMPLE))
    return draw(b, (low, high), tuple(code.splat(word) for word in counter))


def _random_set(shape: Callable[[Instruction, Value, Value], Value]) -> Callable[[Instruction], None]:
    def body(k: Instruction) -> None:
        code, b = k.code, k.code.builder
        key, out = _subkey(k), k.out()
        ordinal = code.splat(b.trunc(k.ordinal(), I32))

        def element(i: Value) -> None:
            word = code.splat(b.trunc(i, I32))
            k.set_row(shape(k, *draw(b, key, (ordinal, word))), out, i)

        rows = k.rows(k.op.output)
        with code.loop(const(rows) if isinstance(rows, int) else rows) as i:
            element(i)

    return body


def _unit(k: Instruction, word: Value) -> Value:
    """A number in (0, 1] from the top 24 bits of a random word, in the run's element type."""
    code, b = k.code, k.code.builder
    top = b.lshr(word, ir.Constant(word.type, [8] * code.lanes))
    number = b.uitofp(top, code.vector_type(code.lanes))
    return code.mul(code.add(number, code.full(0.5, number)), code.full(2.0**-24, number))


def _uniform(k: Instruction, first: Value, second: Value) -> Value:
    low, high = k.constant(0), k.constant(1)
    return k.code.add(low, k.code.mul(k.code.sub(high, low), _unit(k, first)))


def _gaussian(k: Instruction, first: Value, second: Value) -> Value:
    code = k.code
    u = _unit(k, first)
    radius = code.sqrt(code.mul(code.full(-2.0, u), code.libm("log", u)))
    angle = code.mul(code.full(2 * math.pi, u), _unit(k, second))
    return code.add(k.constant(0), code.mul(k.constant(1), code.mul(radius, code.libm("cos", angle))))


STRUCTURAL: dict[str, Callable[[Instruction], None]] = {
    "no_op": lambda k: None,
    "scalar_vector_product": _scale,
    "scalar_matrix_product": _scale,
    "scalar_broadcast": _broadcast,
    "vector_inner_product": _dot,
    "vector_outer_product": _outer,
    "matrix_vector_product": _matrix_vector,
    "matrix_matrix_product": _matrix_matrix,
    "matrix_transpose": _transpose,
    "vector_column_broadcast": _column_broadcast,
    "vector_row_broadcast": _row_broadcast,
    "vector_norm": _of_all(_norm_of),
    "matrix_norm": _of_all(_norm_of),
    "matrix_row_norm": _of_rows(_norm_of),
    "matrix_column_norm": _column_norm,
    "vector_mean": _of_all(_mean_of),
    "matrix_mean": _of_all(_mean_of),
    "matrix_row_mean": _of_rows(_mean_of),
    "vector_st_dev": _of_all(_st_dev_of),
    "matrix_st_dev": _of_all(_st_dev_of),
    "matrix_row_st_dev": _of_rows(_st_dev_of),
    "scalar_const_set": _const_set(0),
    "vector_const_set": _const_set(0),
    "matrix_const_set": _const_set(0),
    **{f"{kind}_uniform_set": _random_set(_uniform) for kind in ("scalar", "vector", "matrix")},
    **{f"{kind}_gaussian_set": _random_set(_gaussian) for kind in ("scalar", "vector", "matrix")},
}
