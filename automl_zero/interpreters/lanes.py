"""Code on lanes: the little language in which the bodies of the CPU kernel are written.

One program runs on all tasks at once: a scalar register is a row of L lanes (one lane a task), a vector F rows and
a matrix F x F rows, lane index fastest. A body is a Python function that emits LLVM instructions through
:class:`LaneCode`; values are LLVM vectors of some width, so the same element-wise body serves scalar, vector and
matrix registers. Explicit vectors matter: LLVM does not vectorise the obvious loops, because operands may overlap.

Every register starts at a multiple of 64 bytes and is padded to one, so that element-wise code runs in whole
64-byte chunks without a tail. What the padding holds is never read by anything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir

CHUNK_BYTES = 64

I1, I32, I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)
F64 = ir.DoubleType()
POINTER = ir.PointerType()
VOID = ir.VoidType()

Value = Any  # llvmlite has no type stubs: an ir.Value
Count = int | Value  # a trip count known at compile time, or an i64


def const(value: int) -> Value:
    """A 64-bit integer constant."""
    return ir.Constant(I64, value)


class LaneCode:
    """Emits code for one kernel: a lane width, an element type and, when known, the number of features.

    Attributes:
        builder: the llvmlite builder; bodies may use it directly.
        element: LLVM type of an element (float or double).
        lanes: number of lanes L.
        features: F, an int when the kernel is specialised on it, else an i64 value.
    """

    #: longest loop that is unrolled when its length is known (in 64-byte chunks or rows)
    unroll_limit = 16

    def __init__(self, builder: Any, dtype: str, lanes: int, features: Count) -> None:
        self.builder = builder
        self.dtype = dtype
        self.element = ir.FloatType() if dtype == "float32" else F64
        self.element_bytes = 4 if dtype == "float32" else 8
        self.lanes = lanes
        self.features = features
        self.chunk = CHUNK_BYTES // self.element_bytes
        self.row_bytes = lanes * self.element_bytes

    # -- arithmetic on values of any width -------------------------------------------------------------------

    def add(self, x: Value, y: Value) -> Value:
        """x + y."""
        return self.builder.fadd(x, y)

    def sub(self, x: Value, y: Value) -> Value:
        """x - y."""
        return self.builder.fsub(x, y)

    def mul(self, x: Value, y: Value) -> Value:
        """x * y."""
        return self.builder.fmul(x, y)

    def div(self, x: Value, y: Value) -> Value:
        """x / y."""
        return self.builder.fdiv(x, y)

    def less(self, x: Value, y: Value) -> Value:
        """x < y, false when either is NaN."""
        return self.builder.fcmp_ordered("<", x, y)

    def greater(self, x: Value, y: Value) -> Value:
        """x > y, false when either is NaN."""
        return self.builder.fcmp_ordered(">", x, y)

    def greater_equal(self, x: Value, y: Value) -> Value:
        """x >= y, false when either is NaN."""
        return self.builder.fcmp_ordered(">=", x, y)

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        """x where the condition holds, else y."""
        return self.builder.select(condition, x, y)

    def full(self, value: float, like: Value) -> Value:
        """A constant in every element of a value shaped like another."""
        number = float(np.float32(value)) if self.dtype == "float32" else float(value)
        kind = like.type
        return ir.Constant(kind, [number] * kind.count if isinstance(kind, ir.VectorType) else number)

    def abs(self, x: Value) -> Value:
        """|x|."""
        return self.intrinsic("fabs", x)

    def sqrt(self, x: Value) -> Value:
        """Square root; NaN below zero."""
        return self.intrinsic("sqrt", x)

    def intrinsic(self, name: str, *operands: Value) -> Value:
        """Call an LLVM floating-point intrinsic on whole values."""
        kind = operands[0].type
        scalar = kind.element if isinstance(kind, ir.VectorType) else kind
        suffix = "f32" if isinstance(scalar, ir.FloatType) else "f64"
        full_name = f"llvm.{name}.v{kind.count}{suffix}" if isinstance(kind, ir.VectorType) else f"llvm.{name}.{suffix}"
        return self.builder.call(self.declare(full_name, kind, [kind] * len(operands)), operands)

    def libm(self, name: str, x: Value) -> Value:
        """Call a function of the C mathematics library on every element, such as ``libm("tanh", x)``."""
        kind = x.type
        scalar = kind.element if isinstance(kind, ir.VectorType) else kind
        function = self.declare(name + ("f" if isinstance(scalar, ir.FloatType) else ""), scalar, [scalar])
        if not isinstance(kind, ir.VectorType):
            return self.builder.call(function, [x])
        result = ir.Constant(kind, ir.Undefined)
        for i in range(kind.count):
            index = ir.Constant(I32, i)
            result = self.builder.insert_element(
                result, self.builder.call(function, [self.builder.extract_element(x, index)]), index
            )
        return result

    def declare(self, name: str, result: Any, operands: list[Any]) -> Any:
        """The external function of that name, declared once a module."""
        module = self.builder.module
        if name in module.globals:
            return module.globals[name]
        return ir.Function(module, ir.FunctionType(result, operands), name)

    def exp(self, x: Value) -> Value:
        """e^x on whole vectors, within 2 units in the last place, for every x: NaN, infinities and subnormal results.

        x = k ln 2 + r with |r| <= ln 2 / 2; the Taylor series of e^r needs 14 terms in double and 8 in single
        precision; 2^k is applied as two factors, so that the result may be subnormal or infinite.
        """
        b = self.builder
        double = self.dtype == "float64"
        low, high = (-746.0, 710.0) if double else (-104.5, 89.0)
        clipped = self.select(self.less(x, self.full(low, x)), self.full(low, x), x)
        clipped = self.select(self.greater(clipped, self.full(high, x)), self.full(high, x), clipped)
        number = b.fcmp_ordered("ord", x, x)
        clipped = self.select(number, clipped, self.full(0.0, x))
        k = self.intrinsic("rint", self.mul(clipped, self.full(1 / math.log(2), x)))
        # ln 2 in two parts: the product of k and the first is exact
        ln2_high = 0.6931471803691238 if double else 0.693359375
        ln2_low = 1.9082149292705877e-10 if double else -2.12194440054690583e-4
        r = self.sub(self.sub(clipped, self.mul(k, self.full(ln2_high, x))), self.mul(k, self.full(ln2_low, x)))
        terms = 14 if double else 8
        polynomial = self.full(1 / math.factorial(terms - 1), x)
        for n in range(terms - 2, -1, -1):
            polynomial = self.add(self.mul(polynomial, r), self.full(1 / math.factorial(n), x))
        width = x.type.count
        integer = ir.VectorType(I64 if double else I32, width)

        def repeat(value: int) -> Value:
            return ir.Constant(integer, [value] * width)

        exponent = b.fptosi(k, integer)
        half = b.ashr(exponent, repeat(1))
        bias, shift = (1023, 52) if double else (127, 23)
        for part in (half, b.sub(exponent, half)):
            polynomial = self.mul(polynomial, b.bitcast(b.shl(b.add(part, repeat(bias)), repeat(shift)), x.type))
        return self.select(number, polynomial, x)

    def sigmoid(self, x: Value) -> Value:
        """1 / (1 + e^-x)."""
        one = self.full(1.0, x)
        return self.div(one, self.add(one, self.exp(self.builder.fneg(x))))

    # -- memory ------------------------------------------------------------------------------------------------

    def vector_type(self, width: int) -> Any:
        """LLVM type of a value of some width."""
        return ir.VectorType(self.element, width)

    def offset(self, address: Value, bytes_: Count) -> Value:
        """An address moved by a number of bytes."""
        if isinstance(bytes_, int):
            return address if bytes_ == 0 else self.builder.add(address, const(bytes_))
        return self.builder.add(address, bytes_)

    def times(self, x: Count, y: Count) -> Count:
        """Product of two counts, folded when both are known."""
        if isinstance(x, int) and isinstance(y, int):
            return x * y
        return self.builder.mul(*(const(v) if isinstance(v, int) else v for v in (x, y)))

    def load(self, address: Value, bytes_: Count = 0, width: int | None = None) -> Value:
        """A value of some width (default: a row of lanes) at an address plus a number of bytes."""
        kind = self.vector_type(width or self.lanes)
        pointer = self.builder.inttoptr(self.offset(address, bytes_), POINTER)
        return self.builder.load(pointer, align=self._alignment(kind.count), typ=kind)

    def store(self, value: Value, address: Value, bytes_: Count = 0) -> None:
        """Write a value at an address plus a number of bytes."""
        pointer = self.builder.inttoptr(self.offset(address, bytes_), POINTER)
        self.builder.store(value, pointer, align=self._alignment(value.type.count))

    def _alignment(self, width: int) -> int:
        size = width * self.element_bytes
        return min(size & -size, CHUNK_BYTES)

    def integer(self, address: Value, bytes_: Count = 0) -> Value:
        """The 64-bit integer at an address plus a number of bytes."""
        return self.builder.load(self.builder.inttoptr(self.offset(address, bytes_), POINTER), align=8, typ=I64)

    def splat(self, scalar: Value, width: int | None = None) -> Value:
        """A scalar in every lane."""
        kind = ir.VectorType(scalar.type, width or self.lanes)
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
        mask = ir.Constant(ir.VectorType(I32, kind.count), [0] * kind.count)
        return self.builder.shuffle_vector(first, undefined, mask)

    # -- loops -------------------------------------------------------------------------------------------------

    def each(self, count: Count, body: Callable[[Count], None], unroll: int | None = None) -> None:
        """Emit body(i) for i in 0..count-1: unrolled when the count is known and small, else as a loop."""
        limit = self.unroll_limit if unroll is None else unroll
        if isinstance(count, int) and count <= limit:
            for i in range(count):
                body(i)
            return
        with self.loop(const(count) if isinstance(count, int) else count) as index:
            body(index)

    @contextmanager
    def loop(self, count: Value) -> Iterator[Value]:
        """A loop over 0..count-1 that yields the index; the body may not be left by a jump."""
        b = self.builder
        entry = b.block
        head, body, end = (b.append_basic_block(name) for name in ("loop", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        index = b.phi(I64)
        index.add_incoming(const(0), entry)
        b.cbranch(b.icmp_unsigned("<", index, count), body, end)
        b.position_at_end(body)
        yield index
        index.add_incoming(b.add(index, const(1)), b.block)
        b.branch(head)
        b.position_at_end(end)

    def accumulate(self, count: Count, term: Callable[[Count], Value], ways: int = 4) -> Value:
        """Sum of term(i) for i in 0..count-1; unrolled sums run in several chains, because an addition takes time."""
        if isinstance(count, int) and count <= self.unroll_limit:
            partial = [term(i) for i in range(min(ways, count) if count > ways else 1)]
            for i in range(len(partial), count):
                slot = i % len(partial)
                partial[slot] = self.add(partial[slot], term(i))
            while len(partial) > 1:
                partial = [self.add(*partial[i : i + 2]) for i in range(0, len(partial) - 1, 2)] + (
                    partial[-1:] if len(partial) % 2 else []
                )
            return partial[0]
        return self.sums(count, 1, lambda i, _: term(i))[0]

    def sums(self, count: Count, n: int, term: Callable[[Count, int], Value]) -> list[Value]:
        """Sums over i of term(i, r) for r in 0..n-1, side by side in n chains."""
        if isinstance(count, int) and count <= self.unroll_limit:
            totals = [term(0, r) for r in range(n)]
            for i in range(1, count):
                totals = [self.add(total, term(i, r)) for r, total in enumerate(totals)]
            return totals
        b = self.builder
        entry = b.block
        head, body, end = (b.append_basic_block(name) for name in ("sums", "sums_body", "sums_end"))
        zero = ir.Constant(self.vector_type(self.lanes), [0.0] * self.lanes)
        b.branch(head)
        b.position_at_end(head)
        index, totals = b.phi(I64), [b.phi(zero.type) for _ in range(n)]
        index.add_incoming(const(0), entry)
        b.cbranch(b.icmp_unsigned("<", index, const(count) if isinstance(count, int) else count), body, end)
        b.position_at_end(body)
        for r, total in enumerate(totals):
            total.add_incoming(zero, entry)
            total.add_incoming(self.add(total, term(index, r)), b.block)
        index.add_incoming(b.add(index, const(1)), b.block)
        b.branch(head)
        b.position_at_end(end)
        return totals
