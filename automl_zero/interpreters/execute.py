"""Compiled steps between a program and the kernel: encode the program, fill in the job, call the kernel."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl_zero.interpreters import record
from automl_zero.jit import intrinsic, jit
from automl_zero.memory import VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.ops import TABLE

_OUTER, _SUM = TABLE["vector_outer_product"].id, TABLE["matrix_sum"].id
_PROBE_START = np.uint64(0x452821E638D01377)


@intrinsic
def _call_kernel(typing_context: Any, address: Any, job: Any) -> Any:
    """Call the kernel at an address with the address of a job."""
    from llvmlite import ir
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        function = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        return builder.call(builder.inttoptr(arguments[0], function.as_pointer()), [arguments[1]])

    return types.int64(types.int64, types.int64), generate


@jit
def _address(kind, number, component, form, data, arena):  # type: ignore[no-untyped-def]
    """Address and example mask of a register: scalar labels and features are read where the examples are."""
    if kind == 1:
        if number == 0:
            return (data.y, -1) if component == 2 and data.num_classes == 0 else (arena.zeros, 0)
        return arena.registers + number * data.scalar_bytes, 0
    vectors = arena.registers + form.registers[1] * data.scalar_bytes
    if kind == 2:
        if number == 0:
            return (arena.zeros, 0) if component == 0 else (data.x, -1)
        if number == VECTOR_LABEL and data.num_classes != 0 and component != 2:
            return arena.zeros, 0
        return vectors + number * data.vector_bytes, 0
    return vectors + form.registers[2] * data.vector_bytes + number * data.matrix_bytes, 0


@jit
def encode(form, data, ops, arena):  # type: ignore[no-untyped-def]
    """Write the records of a program in canonical form."""
    arena.job[record.JOB_ONE_HOT] = 0
    n = 0
    for component in range(3):
        ordinal, first = 0, n
        for _ in range(form.counts[component]):
            op = form.code[n, 0]
            arena.records[n, 0] = op
            for j in range(2):
                kind = np.int64(ops.inputs[op, j])
                if kind != 0:
                    address, mask = _address(kind, np.int64(form.code[n, 1 + j]), component, form, data, arena)
                    arena.records[n, 1 + j] = address
                    arena.records[n, 4 + j] = mask
                    if kind == 2 and form.code[n, 1 + j] == VECTOR_LABEL and data.num_classes != 0 and component == 2:
                        arena.job[record.JOB_ONE_HOT] = address
            if ops.random[op]:
                arena.records[n, 1] = ordinal
                ordinal += 1
            kind = np.int64(ops.output[op])
            if kind != 0:
                address, _ = _address(kind, np.int64(form.code[n, 3]), component, form, data, arena)
                arena.records[n, 3] = address + form.elements[n] * data.row_bytes
            if ops.partial_write[op]:  # the kernel gets the element's address and, as its only constant, the value
                arena.record_constants[n, 6] = form.constants[n, ops.num_constants[op] - 1]
            else:
                arena.record_constants[n, 6] = form.constants[n, 0]
                arena.record_constants[n, 7] = form.constants[n, 1]
            if op == _SUM and n > first and form.code[n - 1, 0] == _OUTER:
                _fuse(n - 1, form.code, form.counts, ops.inputs, arena.records)
            n += 1


@jit
def _fuse(n, code, counts, inputs, records):  # type: ignore[no-untyped-def]
    """Let an outer product be one with the sum that follows it, when the product by itself is not needed."""
    product = code[n, 3]
    one, other, out = code[n + 1, 1], code[n + 1, 2], code[n + 1, 3]
    if (one == product) == (other == product):
        return  # a sum of other matrices, or twice the product
    if out != product:
        reads = 0
        for m in range(counts[0] + counts[1] + counts[2]):
            for j in range(2):
                if inputs[code[m, 0], j] == 3 and code[m, 1 + j] == product:
                    reads += 1
        if reads > 1:
            return
    records[n, 0] = record.OUTER_AND_SUM
    records[n, 6] = records[n + 1, 2 if one == product else 1]


@jit
def run_kernel(form, data, arena, num_train, num_valid, epochs, probe_mask, probe_errors):  # type: ignore[no-untyped-def]
    """Run the encoded program on all blocks; fitness goes to arena.fitness.

    Args:
        num_train, num_valid, epochs: how much of the task set to use, from the first examples on.
        probe_mask: 0, or the bits of a prediction that enter the fingerprints.
        probe_errors: 1 to take the fingerprints of absolute errors instead of predictions.

    Returns:
        Train steps and the fingerprint over all tasks (0 without a probe mask). With a mask, the fingerprint on each
        task is left in arena.fingerprints.
    """
    job = arena.job
    job[record.JOB_PROGRAM] = arena.records_at
    job[record.JOB_SETUP] = form.counts[0]
    job[record.JOB_PREDICT] = form.counts[1]
    job[record.JOB_LEARN] = form.counts[2]
    job[record.JOB_MEMORY] = arena.registers
    job[record.JOB_MEMORY_BYTES] = (
        form.registers[1] * data.scalar_bytes
        + form.registers[2] * data.vector_bytes
        + form.registers[3] * data.matrix_bytes
    )
    if data.num_classes == 0:
        job[record.JOB_PREDICTION] = arena.registers + data.scalar_bytes
    else:
        vectors = arena.registers + form.registers[1] * data.scalar_bytes
        job[record.JOB_PREDICTION] = vectors + VECTOR_PREDICTION * data.vector_bytes
    job[record.JOB_CLASSES] = data.num_classes
    job[record.JOB_SCRATCH] = arena.scratch
    job[record.JOB_LABELS] = data.y
    job[record.JOB_FEATURES] = data.num_features
    job[record.JOB_NUM_TRAIN] = num_train
    job[record.JOB_NUM_VALID] = num_valid
    job[record.JOB_VALID_OFFSET] = data.num_train
    job[record.JOB_EPOCHS] = epochs
    job[record.JOB_BACKUP] = arena.backup if epochs > 1 else 0
    job[record.JOB_ORDERS] = data.orders_at
    job[record.JOB_ACCURACY] = data.accuracy
    arena.job_doubles[record.JOB_MAX_ABS_ERROR] = data.max_abs_error
    job[record.JOB_BITS_MASK] = probe_mask
    job[record.JOB_PROBE_ERRORS] = probe_errors
    job[record.JOB_FINGERPRINT] = 0
    steps = 0
    fingerprint = np.uint64(0)
    lanes = data.lanes
    for block in range(data.blocks):
        used = min(lanes, data.num_tasks - block * lanes)
        job[record.JOB_FIRST_ROW] = block * (data.num_train + data.num_valid)
        job[record.JOB_LANES] = used
        job[record.JOB_SEEDS] = data.seeds_at + block * 8 * lanes
        job[record.JOB_FITNESS] = arena.fitness_at + block * 8 * lanes
        if probe_mask != 0:
            job[record.JOB_FINGERPRINT] = arena.fingerprints_at + block * 8 * lanes
            for lane in range(lanes):
                arena.fingerprints[block, lane] = _PROBE_START
        steps += _call_kernel(data.kernel, arena.job_at)
        if probe_mask != 0:
            for lane in range(used):
                fingerprint = (fingerprint ^ arena.fingerprints[block, lane]) * np.uint64(0xD6E8FEB86659FD93)
                fingerprint ^= fingerprint >> np.uint64(32)
    return steps, fingerprint
