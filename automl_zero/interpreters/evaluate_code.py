"""The function ``evaluate`` of the CPU kernel, but for what depends on the kind of labels (label_code.py).

It clears the registers, trains, validates, stops early, counts train steps, takes fingerprints and computes fitness.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from automl_zero.interpreters import record
from automl_zero.interpreters.lanes import F64, I32, I64, POINTER, VOID, Count, LaneCode, Value, const

FINGERPRINT_PRIME = 0x9E3779B97F4A7C15
STOPPED = 0x5DEECE66D  # enters the fingerprint instead of a prediction once a task has stopped
NOT_A_NUMBER = 0x2545F491


class Evaluate(ABC):
    """Emits ``evaluate``. State that changes in loops lives in stack slots, which LLVM turns into registers.

    Subclasses emit what depends on the kind of labels: how a prediction is judged and what Learn finds.
    """

    def __init__(self, module: Any, lanes: int, features: int | None, dtype: str, name: str, run: Any) -> None:
        function = ir.Function(module, ir.FunctionType(I64, [POINTER]), name)
        self.b = b = ir.IRBuilder(function.append_basic_block("entry"))
        self.lanes, self.run = lanes, run
        self.mask_type = ir.IntType(lanes)
        self.full_mask = ir.Constant(self.mask_type, 2**lanes - 1)
        self.job = b.ptrtoint(function.args[0], I64)
        self.code = LaneCode(b, dtype, lanes, 0)
        self.code.features = features if features is not None else self.field(record.JOB_FEATURES)
        self.finish = function.append_basic_block("finish")
        self.double_rows = ir.VectorType(F64, lanes)
        self.words = ir.VectorType(I64, lanes)

        self.context = b.ptrtoint(b.alloca(ir.ArrayType(I64, record.CONTEXT_SIZE // 8)), I64)
        self.dead = b.alloca(self.mask_type)
        self.failed = b.alloca(self.mask_type)
        self.loss = b.alloca(self.double_rows)
        self.best = b.alloca(self.double_rows)
        self.steps = b.alloca(I64)
        self.row = b.alloca(I64)

        self.predict_at = b.add(self.field(record.JOB_PROGRAM), b.mul(self.field(record.JOB_SETUP), const(record.SIZE)))
        self.learn_at = b.add(self.predict_at, b.mul(self.field(record.JOB_PREDICT), const(record.SIZE)))
        self.end_at = b.add(self.learn_at, b.mul(self.field(record.JOB_LEARN), const(record.SIZE)))
        self.prediction_at = self.field(record.JOB_PREDICTION)
        self.labels_at = self.field(record.JOB_LABELS)
        self.feature_row_bytes = self._padded(self.code.times(self.code.features, self.code.row_bytes))
        self.label_row_bytes = self._padded(self.code.row_bytes)
        self.max_abs_error = b.bitcast(self.field(record.JOB_MAX_ABS_ERROR), F64)
        self.fingerprint_at = self.field(record.JOB_FINGERPRINT)
        self.takes_fingerprint = b.icmp_signed("!=", self.fingerprint_at, const(0))
        self.probes_errors = b.icmp_signed("!=", self.field(record.JOB_PROBE_ERRORS), const(0))
        self.bits_mask = self.field(record.JOB_BITS_MASK)

    def field(self, index: int) -> Value:
        """A field of the job."""
        return self.code.integer(self.job, 8 * index)

    def _padded(self, size: Count) -> Value:
        if isinstance(size, int):
            return const(-(-size // 64) * 64)
        return self.b.and_(self.b.add(size, const(63)), const(-64))

    def emit(self) -> None:
        """Emit the whole function."""
        b = self.b
        self._initialise()
        with self.code.loop(self.field(record.JOB_EPOCHS)) as epoch:
            self._train(epoch)
            self._validate(epoch)
        b.branch(self.finish)
        b.position_at_end(self.finish)
        target = b.inttoptr(self.field(record.JOB_FITNESS), POINTER)
        b.store(b.load(self.best, typ=self.double_rows), target, align=8)
        b.ret(b.load(self.steps, typ=I64))

    def _initialise(self) -> None:
        b = self.b
        memset = self.code.declare("llvm.memset.p0.i64", VOID, [POINTER, ir.IntType(8), I64, ir.IntType(1)])
        memory = b.inttoptr(self.field(record.JOB_MEMORY), POINTER)
        b.call(memset, [memory, ir.IntType(8)(0), self.field(record.JOB_MEMORY_BYTES), ir.IntType(1)(0)])
        used = self.field(record.JOB_LANES)
        wide = b.sub(b.shl(const(1), used), const(1))
        b.store(b.xor(b.trunc(wide, self.mask_type), self.full_mask), self.dead)
        b.store(const(0), self.steps)
        b.store(ir.Constant(self.double_rows, [0.0] * self.lanes), self.best)
        self._set_context(record.SEEDS, self.field(record.JOB_SEEDS))
        self._set_context(record.SCRATCH, self.field(record.JOB_SCRATCH))
        self._set_context(record.FEATURES, self.field(record.JOB_FEATURES))
        self._set_context(record.PHASE_WORD, const(0))
        self._set_context(record.EXAMPLE, const(0))
        self._run(self.field(record.JOB_PROGRAM), self.predict_at, const(0), const(0))

    def _set_context(self, field: int, value: Value) -> None:
        pointer = self.b.inttoptr(self.b.add(self.context, const(field)), POINTER)
        self.b.store(value, pointer, align=8)

    def _run(self, first: Value, end: Value, feature_offset: Value, label_offset: Value) -> None:
        self.b.call(self.run, [first, end, feature_offset, label_offset, self.context])

    def _set_phase(self, phase: int, component: int, epoch: Value) -> None:
        word = self.b.add(const(phase + 4 * component), self.b.shl(epoch, const(4)))
        self._set_context(record.PHASE_WORD, word)

    def _leave_if_all(self, mask_slot: Any, target: Any) -> None:
        b = self.b
        go_on = b.append_basic_block("go_on")
        everything = b.icmp_unsigned("==", b.load(mask_slot, typ=self.mask_type), self.full_mask)
        b.cbranch(everything, target, go_on)
        b.position_at_end(go_on)

    def _row_of(self, epoch: Value, index: Value) -> Value:
        """Row of the index-th training example: in order in the first epoch, then by the epoch's permutation."""
        b = self.b
        first = b.icmp_unsigned("==", epoch, const(0))
        slot = self.row
        b.store(index, slot)
        with b.if_then(b.not_(first)):
            skip = b.mul(b.sub(epoch, const(1)), self.field(record.JOB_NUM_TRAIN))
            at = b.add(self.field(record.JOB_ORDERS), b.shl(b.add(skip, index), const(3)))
            b.store(b.load(b.inttoptr(at, POINTER), align=8, typ=I64), slot)
        return b.load(slot, typ=I64)

    def _offsets(self, row: Value) -> tuple[Value, Value]:
        """Where the features and the labels of a row of this block are, from the address of the first."""
        b = self.b
        position = b.add(row, self.field(record.JOB_FIRST_ROW))
        return b.mul(position, self.feature_row_bytes), b.mul(position, self.label_row_bytes)

    def stop(self, slot: Any, error: Value) -> Value:
        """Add to a mask the lanes whose error is NaN or too large; returns the mask as it was."""
        b, code = self.b, self.code
        before = b.load(slot, typ=self.mask_type)
        limit = self.max_abs_error if code.element is F64 else b.fptrunc(self.max_abs_error, code.element)
        fine = b.fcmp_ordered("<=", code.abs(error), code.splat(limit))
        stopped = b.xor(b.bitcast(fine, self.mask_type), self.full_mask)
        b.store(b.or_(before, stopped), slot)
        return before

    @abstractmethod
    def judge_training(self, labels: Value) -> None:
        """Emit what follows Predict in training: activation, written back; stops; fingerprints.

        Args:
            labels: offset of the example's labels.
        """

    @abstractmethod
    def set_label(self, labels: Value) -> None:
        """Emit what shows Learn the label, beyond what records of instructions refer to."""

    @abstractmethod
    def judge_validation(self, labels: Value) -> None:
        """Emit what follows Predict in validation: add to the loss; stops; fingerprints."""

    @abstractmethod
    def fitness_of(self, mean_loss: Value) -> Value:
        """Fitness by the mean of an epoch's losses, rows of doubles."""

    def _train(self, epoch: Value) -> None:
        code = self.code
        with code.loop(self.field(record.JOB_NUM_TRAIN)) as index:
            row = self._row_of(epoch, index)
            features, labels = self._offsets(row)
            self._set_phase(0, 1, epoch)
            self._set_context(record.EXAMPLE, row)
            self._count_steps()
            self._run(self.predict_at, self.learn_at, features, const(0))
            self.judge_training(labels)
            self._leave_if_all(self.dead, self.finish)
            self._set_phase(0, 2, epoch)
            self.set_label(labels)
            self._run(self.learn_at, self.end_at, features, labels)

    def _count_steps(self) -> None:
        b = self.b
        alive = b.zext(b.xor(b.load(self.dead, typ=self.mask_type), self.full_mask), I64)
        count = self.code.declare("llvm.ctpop.i64", I64, [I64])
        b.store(b.add(b.load(self.steps, typ=I64), b.call(count, [alive])), self.steps)

    def _validate(self, epoch: Value) -> None:
        b, code = self.b, self.code
        b.store(b.load(self.dead, typ=self.mask_type), self.failed)
        b.store(ir.Constant(self.double_rows, [0.0] * self.lanes), self.loss)
        done = b.append_basic_block("validated")
        with code.loop(self.field(record.JOB_NUM_VALID)) as index:
            features, labels = self._offsets(b.add(index, self.field(record.JOB_VALID_OFFSET)))
            self._set_phase(1, 1, epoch)
            self._set_context(record.EXAMPLE, index)
            self._run(self.predict_at, self.learn_at, features, const(0))
            before = b.load(self.failed, typ=self.mask_type)
            self.judge_validation(labels)
            self._copy_registers(b.xor(b.load(self.failed, typ=self.mask_type), before), back=False)
            self._leave_if_all(self.failed, done)
        self._score()
        b.branch(done)
        b.position_at_end(done)
        self._copy_registers(b.load(self.failed, typ=self.mask_type), back=True)

    def _copy_registers(self, lanes: Value, back: bool) -> None:
        """Copy the registers of some lanes to the backup, or back.

        A task whose validation has failed stops there, and the next epoch goes on with the memory that it had then; its
        lane runs on as long as others do.
        """
        b, code = self.b, self.code
        memory, backup = self.field(record.JOB_MEMORY), self.field(record.JOB_BACKUP)
        any_lane = b.icmp_unsigned("!=", lanes, ir.Constant(self.mask_type, 0))
        with b.if_then(b.and_(any_lane, b.icmp_signed("!=", backup, const(0))), likely=False):
            source, target = (backup, memory) if back else (memory, backup)
            chosen = b.bitcast(lanes, ir.VectorType(ir.IntType(1), self.lanes))
            with code.loop(b.udiv(self.field(record.JOB_MEMORY_BYTES), const(code.row_bytes))) as row:
                at = b.mul(row, const(code.row_bytes))
                code.store(b.select(chosen, code.load(source, at), code.load(target, at)), target, at)

    def add_loss(self, value: Value) -> None:
        """Add to the epoch's loss, a row of doubles."""
        self.b.store(self.b.fadd(self.b.load(self.loss, typ=self.double_rows), value), self.loss)

    def _score(self) -> None:
        """Fitness of this epoch for the lanes that did not fail; the best epoch counts."""
        b = self.b
        count = b.uitofp(self.field(record.JOB_NUM_VALID), F64)
        fitness = self.fitness_of(b.fdiv(b.load(self.loss, typ=self.double_rows), self.code.splat(count)))
        valid = b.bitcast(
            b.xor(b.load(self.failed, typ=self.mask_type), self.full_mask), ir.VectorType(ir.IntType(1), self.lanes)
        )
        best = b.load(self.best, typ=self.double_rows)
        better = b.and_(valid, b.fcmp_ordered(">", fitness, best))
        b.store(b.select(better, fitness, best), self.best)

    def probe(self, slot: Any, before: Value, predict: Callable[[], None], error: Callable[[], Value]) -> None:
        """Emit the fingerprints of an example, of the predictions or of the absolute errors as the job asks.

        The fingerprint of a lane's errors ends where it stops, and so depends on its own task alone.

        Args:
            slot: mask of the lanes that have stopped.
            before: the lanes that had stopped before this example.
            predict: emits :meth:`mix` of every prediction.
            error: emits the absolute errors, a row.
        """
        b = self.b
        with b.if_then(self.takes_fingerprint), b.if_else(self.probes_errors) as (by_error, by_prediction):
            with by_error:
                self.mix(error(), slot, frozen=before)
            with by_prediction:
                predict()

    def mix(self, row: Value, stopped_slot: Any, frozen: Value | None = None) -> None:
        """Mix every lane's number, cut to the leading bits of its mantissa, into the lane's fingerprint.

        A lane that has stopped mixes the same each time, one in the mask `frozen` nothing.
        """
        b, code = self.b, self.code
        integer = ir.VectorType(I32 if code.dtype == "float32" else I64, self.lanes)
        bits = b.bitcast(row, integer)
        if code.dtype == "float32":
            bits = b.zext(bits, self.words)
        bits = b.and_(bits, code.splat(self.bits_mask))

        def repeat(value: int) -> Value:
            return ir.Constant(self.words, [value] * self.lanes)

        bits = b.select(b.fcmp_unordered("uno", row, row), repeat(NOT_A_NUMBER), bits)
        flags = ir.VectorType(ir.IntType(1), self.lanes)
        stopped = b.bitcast(b.load(stopped_slot, typ=self.mask_type), flags)
        bits = b.select(stopped, repeat(STOPPED), bits)
        pointer = b.inttoptr(self.fingerprint_at, POINTER)
        old = b.load(pointer, align=8, typ=self.words)
        value = b.mul(b.xor(old, bits), repeat(FINGERPRINT_PRIME))
        mixed = b.xor(value, b.lshr(value, repeat(32)))
        b.store(mixed if frozen is None else b.select(b.bitcast(frozen, flags), old, mixed), pointer, align=8)
