"""Static analysis for compiled code: liveness, canonical form and canonical hash of a program held in arrays.

A program is three arrays: code uint8[slots, 4] (op, in1, in2, out), constants float64[slots, 3] and sizes int64[3];
component c occupies the slots from starts[c]. :mod:`automl_zero.analysis.liveness` is the readable twin.

The canonical form is an exact, execution-free normal form: dead code removed, operands of exactly commutative ops
ordered, registers renamed in order of first use (s0, v0 and s1 keep their names; for vector labels s0, v0, v1 and
v2). Programs with equal forms have equal fitness on every task of that number of features and kind of labels, to the
bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.jit import jit
from automl_zero.memory import MAX_REGISTERS

_BITS = MAX_REGISTERS
_ONE = np.uint64(1)
_LABEL = np.uint64(1)
_PREDICTION = np.uint64(2)
_FEATURES = np.uint64(1 << _BITS)
_SET_BY_INTERPRETER = _LABEL | _FEATURES
_VECTOR_LABEL = np.uint64(1 << (_BITS + 1))
_VECTOR_PREDICTION = np.uint64(1 << (_BITS + 2))
_UNNAMED = np.uint8(255)


class Canonical(NamedTuple):
    """Canonical form of a program and the room needed to compute it.

    Attributes:
        code: uint8[slots, 4], the live instructions of Setup, Predict, Learn one after the other.
        constants: float64[slots, 3].
        elements: int64[slots], for a partial write the number of the element written, else 0.
        counts: int64[3], live instructions of each component.
        registers: int64[4], number of registers used, by type (reserved ones included).
        reads, writes, kills: uint64[slots], register masks of each instruction of the program analysed.
        live: uint8[slots], which of its instructions are live.
        names: uint8[64], new name of each register, by bit number.
    """

    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    elements: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    registers: npt.NDArray[np.int64]
    reads: npt.NDArray[np.uint64]
    writes: npt.NDArray[np.uint64]
    kills: npt.NDArray[np.uint64]
    live: npt.NDArray[np.uint8]
    names: npt.NDArray[np.uint8]


def new_canonical(slots: int) -> Canonical:
    """Room for the canonical form of programs of up to that many instructions."""
    slots = max(slots, 1)
    return Canonical(
        aligned_zeros((slots, 4), np.uint8),
        aligned_zeros((slots, 3)),
        aligned_zeros(slots, np.int64),
        aligned_zeros(3, np.int64),
        aligned_zeros(4, np.int64),
        aligned_zeros(slots, np.uint64),
        aligned_zeros(slots, np.uint64),
        aligned_zeros(slots, np.uint64),
        aligned_zeros(slots, np.uint8),
        aligned_zeros(64, np.uint8),
    )


@jit
def _mask(kind, address):  # type: ignore[no-untyped-def]
    if kind == 0:
        return np.uint64(0)
    return _ONE << np.uint64((kind - 1) * _BITS + address)


@jit
def find_live(code, sizes, starts, num_classes, ops, form):  # type: ignore[no-untyped-def]
    """Mark the live instructions of a program in form.live; num_classes is 0 for scalar labels."""
    set_by_interpreter = _SET_BY_INTERPRETER | (_VECTOR_LABEL if num_classes else np.uint64(0))
    prediction = _VECTOR_PREDICTION if num_classes else _PREDICTION
    for c in range(3):
        for i in range(starts[c], starts[c] + sizes[c]):
            op = code[i, 0]
            out = _mask(ops.output[op], code[i, 3])
            read = _mask(ops.inputs[op, 0], code[i, 1]) | _mask(ops.inputs[op, 1], code[i, 2])
            form.writes[i] = out
            form.reads[i] = read
            # A partial write keeps the other elements, so what was written before stays wanted.
            form.kills[i] = np.uint64(0) if ops.partial_write[op] else out
            form.live[i] = 0
    before_predict = np.uint64(0)
    before_learn = np.uint64(0)
    while True:
        # After Predict the prediction is read; then comes Learn, or in validation Predict again.
        wanted = (prediction | before_learn | before_predict) & ~set_by_interpreter
        predict = _backward(1, wanted, sizes, starts, form)
        learn = _backward(2, predict & ~set_by_interpreter, sizes, starts, form)
        if predict == before_predict and learn == before_learn:
            break
        before_predict |= predict
        before_learn |= learn
    _backward(0, before_predict & ~set_by_interpreter, sizes, starts, form)


@jit
def _backward(component, wanted, sizes, starts, form):  # type: ignore[no-untyped-def]
    """Mark what is live in a component, given the registers wanted after it; returns those wanted before it."""
    first = starts[component]
    for i in range(first + sizes[component] - 1, first - 1, -1):
        if form.writes[i] & wanted:
            form.live[i] = 1
            wanted = (wanted & ~form.kills[i]) | form.reads[i]
    return wanted


@jit
def _mix(value, word):  # type: ignore[no-untyped-def]
    value = (value ^ word) * np.uint64(0x9E3779B97F4A7C15)
    return value ^ (value >> np.uint64(29))


@jit
def _rename(kind, address, form):  # type: ignore[no-untyped-def]
    if kind == 0:
        return np.uint8(0)
    bit = (kind - 1) * _BITS + address
    if form.names[bit] == _UNNAMED:
        form.names[bit] = form.registers[kind]
        form.registers[kind] += 1
    return form.names[bit]


@jit
def canonicalise(code, constants, sizes, starts, num_features, num_classes, ops, form):  # type: ignore[no-untyped-def]
    """Fill `form` with the canonical form of a program and return its 64-bit hash (never 0)."""
    find_live(code, sizes, starts, num_classes, ops, form)
    for bit in range(form.names.size):
        form.names[bit] = _UNNAMED
    form.names[0], form.names[_BITS] = 0, 0
    if num_classes:
        form.names[_BITS + 1], form.names[_BITS + 2] = 1, 2
        form.registers[0], form.registers[1], form.registers[2], form.registers[3] = 0, 1, 3, 0
    else:
        form.names[1] = 1
        form.registers[0], form.registers[1], form.registers[2], form.registers[3] = 0, 2, 1, 0
    value = np.uint64(0x243F6A8885A308D3)
    n = 0
    for c in range(3):
        begin = n
        for i in range(starts[c], starts[c] + sizes[c]):
            if not form.live[i]:
                continue
            op = code[i, 0]
            kind1, kind2, kind_out = ops.inputs[op, 0], ops.inputs[op, 1], ops.output[op]
            a, b = code[i, 1], code[i, 2]
            if ops.commutative[op]:
                # In order of the new names; a register without one gets the next, so it comes last.
                at = (kind1 - 1) * _BITS
                if form.names[at + b] < form.names[at + a]:
                    a, b = b, a
            form.code[n, 0] = op
            form.code[n, 1] = _rename(kind1, a, form)
            form.code[n, 2] = _rename(kind2, b, form)
            form.code[n, 3] = _rename(kind_out, code[i, 3], form)
            word = np.uint64(op)
            for j in range(1, 4):
                word = (word << np.uint64(8)) | np.uint64(form.code[n, j])
            form.elements[n] = 0
            for j in range(ops.num_constants[op]):
                constant = constants[i, j]
                form.constants[n, j] = constant
                if ops.kinds[op, j] == 1:
                    form.elements[n] = form.elements[n] * num_features + np.int64(num_features * constant)
                else:
                    value = _mix(value, _bits(constant))
            value = _mix(value, word | (np.uint64(form.elements[n]) << np.uint64(32)))
            n += 1
        form.counts[c] = n - begin
        value = _mix(value, np.uint64(0xC0FFEE) + np.uint64(n - begin))
    value ^= value >> np.uint64(32)
    return value if value != np.uint64(0) else _ONE


@jit
def _bits(number):  # type: ignore[no-untyped-def]
    return np.float64(number).view(np.uint64)
