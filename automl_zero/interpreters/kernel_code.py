"""The CPU kernel as LLVM code: evaluates one program on one block of tasks in lockstep (SEMANTICS: evaluation).

The module has two functions. ``run`` executes a range of instructions: a loop around one switch over the op, which
becomes a jump table. ``evaluate`` does everything else (evaluate_code.py); it is called with the address of a job
(record.py). It is made for scalar labels or for vector labels, so that neither pays for the other.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from automl_zero.interpreters import lane_bodies, record
from automl_zero.interpreters.label_code import ScalarLabels, VectorLabels
from automl_zero.interpreters.lanes import I64, POINTER, VOID, LaneCode, const
from automl_zero.ops import TABLE, RegisterType


def kernel_module(lanes: int, features: int | None, dtype: str, name: str, vector_labels: bool = False) -> Any:
    """Build the LLVM module.

    Args:
        lanes: lane width L, at most 32.
        features: F to specialise on, or None for a kernel of any F.
        dtype: "float32" or "float64".
        name: name of the exported function ``int64 name(int64* job)``, which returns the train steps executed.
        vector_labels: whether labels are classes (one-hot vectors to programs) or numbers.
    """
    module = ir.Module(name)
    run = _emit_run(module, lanes, features, dtype)
    evaluate = VectorLabels if vector_labels else ScalarLabels
    evaluate(module, lanes, features, dtype, name, run).emit()
    return module


def _emit_run(module: Any, lanes: int, features: int | None, dtype: str) -> Any:
    function = ir.Function(module, ir.FunctionType(VOID, [I64] * 5), "run")
    function.linkage = "internal"
    function.attributes.add("noinline")
    first, end, feature_offset, label_offset, context = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    entry = b.block
    head, dispatch, step, leave, impossible = (
        function.append_basic_block(name) for name in ("head", "dispatch", "step", "leave", "impossible")
    )
    runtime_features = b.load(b.inttoptr(b.add(context, const(record.FEATURES)), POINTER), align=8, typ=I64)
    b.branch(head)
    b.position_at_end(head)
    pc = b.phi(I64)
    pc.add_incoming(first, entry)
    b.cbranch(b.icmp_unsigned("<", pc, end), dispatch, leave)
    b.position_at_end(dispatch)
    op_id = b.load(b.inttoptr(pc, POINTER), align=8, typ=I64)
    switch = b.switch(op_id, impossible)
    b.position_at_end(impossible)
    b.unreachable()
    code = LaneCode(b, dtype, lanes, runtime_features if features is None else features)
    offsets = {RegisterType.SCALAR: label_offset, RegisterType.VECTOR: feature_offset}
    for op in TABLE:
        block = function.append_basic_block(op.name)
        switch.add_case(const(op.id), block)
        b.position_at_end(block)
        lane_bodies.emit(lane_bodies.Instruction(code, op, pc, offsets, context))
        b.branch(step)
    b.position_at_end(step)
    pc.add_incoming(b.add(pc, const(record.SIZE)), step)
    b.branch(head)
    block = function.append_basic_block("outer_and_sum")
    switch.add_case(const(record.OUTER_AND_SUM), block)
    b.position_at_end(block)
    lane_bodies.outer_and_sum(lane_bodies.Instruction(code, lane_bodies.OUTER_PRODUCT, pc, offsets, context))
    pc.add_incoming(b.add(pc, const(2 * record.SIZE)), b.block)
    b.branch(head)
    b.position_at_end(leave)
    b.ret_void()
    return function
