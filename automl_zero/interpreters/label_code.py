"""How the CPU kernel judges predictions: for labels that are numbers, and for labels that are classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from automl_zero.interpreters import record
from automl_zero.interpreters.evaluate_code import Evaluate
from automl_zero.interpreters.lanes import F64, Value, const


class ScalarLabels(Evaluate):
    """Labels are numbers, in s0; predictions are in s1. Scored by error or, for labels 0 and 1, by accuracy."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.accuracy = self.b.icmp_signed("!=", self.field(record.JOB_ACCURACY), const(0))

    def judge_training(self, labels: Value) -> None:
        """See :class:`Evaluate`."""
        code = self.code
        with self.b.if_then(self.accuracy):
            code.store(code.sigmoid(code.load(self.prediction_at)), self.prediction_at)
        prediction = code.load(self.prediction_at)
        error = code.sub(code.load(self.labels_at, labels), prediction)
        before = self.stop(self.dead, error)
        self.probe(self.dead, before, lambda: self.mix(prediction, self.dead), lambda: code.abs(error))

    def set_label(self, labels: Value) -> None:
        """Nothing: instructions that read s0 read the label where it is."""

    def judge_validation(self, labels: Value) -> None:
        """See :class:`Evaluate`."""
        b, code = self.b, self.code
        prediction = code.load(self.prediction_at)
        label = code.load(self.labels_at, labels)

        failed = b.load(self.failed, typ=self.mask_type)

        def mix() -> None:
            self.mix(prediction, self.failed)

        with b.if_else(self.accuracy) as (by_class, by_error):
            with by_class:
                half = code.full(0.5, label)
                wrong = b.xor(code.greater(label, half), code.greater(code.sigmoid(prediction), half))
                self.add_loss(b.uitofp(wrong, self.double_rows))
                self.probe(self.failed, failed, mix, lambda: b.uitofp(wrong, label.type))
            with by_error:
                error = code.sub(label, prediction)
                self.stop(self.failed, error)
                wide = error if code.element is F64 else b.fpext(error, self.double_rows)
                self.add_loss(b.fmul(wide, wide))
                self.probe(self.failed, failed, mix, lambda: code.abs(error))

    def fitness_of(self, mean_loss: Value) -> Value:
        """See :class:`Evaluate`."""
        b, code = self.b, self.code
        one = ir.Constant(self.double_rows, [1.0] * self.lanes)
        root = code.libm("atan", code.intrinsic("sqrt", mean_loss))
        by_error = b.fsub(one, b.fmul(ir.Constant(self.double_rows, [2 / math.pi] * self.lanes), root))
        return b.select(self.accuracy, b.fsub(one, mean_loss), by_error)


class VectorLabels(Evaluate):
    """Labels are one of C classes; predictions are the first C rows of v2.

    The label of an example is one row, the class's index in every lane. It becomes a one-hot v1 before Learn, and only
    for programs whose Learn reads v1; Setup and Predict read zeros elsewhere, so that v1 need not be cleared.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        b, code = self.b, self.code
        self.classes = self.field(record.JOB_CLASSES)
        features = code.features
        self.other_rows = b.sub(const(features) if isinstance(features, int) else features, self.classes)
        self.one_hot_at = self.field(record.JOB_ONE_HOT)
        self.row_type = code.vector_type(self.lanes)
        self.zero = ir.Constant(self.row_type, [0.0] * self.lanes)
        self.one = ir.Constant(self.row_type, [1.0] * self.lanes)
        self.no_lane = ir.Constant(ir.VectorType(ir.IntType(1), self.lanes), [0] * self.lanes)
        self.largest, self.total, self.chosen = (b.alloca(self.row_type) for _ in range(3))
        self.invalid = b.alloca(self.no_lane.type)

    @contextmanager
    def _class_rows(self, address: Value) -> Iterator[tuple[Value, Value]]:
        """A loop over the classes, with the class's index in a row and the address of its row of a vector."""
        b, code = self.b, self.code
        with code.loop(self.classes) as index:
            yield (
                code.splat(b.uitofp(index, code.element)),
                b.add(address, b.mul(index, const(code.row_bytes))),
            )

    def _row(self, slot: Any) -> Value:
        return self.b.load(slot, typ=self.row_type)

    def _softmax(self) -> None:
        """Replace v2 by its softmax, and by 0 beyond the classes."""
        b, code = self.b, self.code
        b.store(code.load(self.prediction_at), self.largest)
        with self._class_rows(self.prediction_at) as (_, at):
            # A NaN in the first row stays the largest, and one elsewhere makes the sum of the powers NaN.
            value, largest = code.load(at), self._row(self.largest)
            b.store(code.select(code.greater(value, largest), value, largest), self.largest)
        b.store(self.zero, self.total)
        with self._class_rows(self.prediction_at) as (_, at):
            power = code.exp(code.sub(code.load(at), self._row(self.largest)))
            code.store(power, at)
            b.store(code.add(self._row(self.total), power), self.total)
        with self._class_rows(self.prediction_at) as (_, at):
            code.store(code.div(code.load(at), self._row(self.total)), at)
        rest = b.add(self.prediction_at, b.mul(self.classes, const(code.row_bytes)))
        with code.loop(self.other_rows) as index:
            code.store(self.zero, b.add(rest, b.mul(index, const(code.row_bytes))))

    def judge_training(self, labels: Value) -> None:
        """See :class:`Evaluate`."""
        b, code = self.b, self.code
        self._softmax()
        label = code.load(self.labels_at, labels)
        b.store(self.zero, self.chosen)
        with self._class_rows(self.prediction_at) as (index, at):
            is_label = b.fcmp_ordered("==", index, label)
            b.store(code.select(is_label, code.load(at), self._row(self.chosen)), self.chosen)
        error = code.sub(self.one, self._row(self.chosen))
        before = self.stop(self.dead, error)
        self.probe(self.dead, before, lambda: self._mix_predictions(self.dead), lambda: error)

    def set_label(self, labels: Value) -> None:
        """See :class:`Evaluate`."""
        b, code = self.b, self.code
        with b.if_then(b.icmp_signed("!=", self.one_hot_at, const(0))):
            label = code.load(self.labels_at, labels)
            with self._class_rows(self.one_hot_at) as (index, at):
                code.store(code.select(b.fcmp_ordered("==", index, label), self.one, self.zero), at)

    def judge_validation(self, labels: Value) -> None:
        """See :class:`Evaluate`. The class of the largest number is predicted, the first of several.

        No class is where a softmax would be NaN: with a NaN or plus infinity, or with minus infinity alone.
        """
        b, code = self.b, self.code
        b.store(code.load(self.prediction_at), self.largest)
        b.store(self.zero, self.chosen)
        b.store(self.no_lane, self.invalid)
        with self._class_rows(self.prediction_at) as (index, at):
            value, largest = code.load(at), self._row(self.largest)
            is_larger = code.greater(value, largest)
            b.store(code.select(is_larger, value, largest), self.largest)
            b.store(code.select(is_larger, index, self._row(self.chosen)), self.chosen)
            self._add_invalid(value)
        largest = self._row(self.largest)
        self._add_invalid(code.sub(largest, largest))  # NaN for an infinity
        differs = b.fcmp_ordered("!=", self._row(self.chosen), code.load(self.labels_at, labels))
        wrong = b.or_(b.load(self.invalid, typ=self.no_lane.type), differs)
        self.add_loss(b.uitofp(wrong, self.double_rows))
        failed = b.load(self.failed, typ=self.mask_type)
        self.probe(
            self.failed, failed, lambda: self._mix_predictions(self.failed), lambda: b.uitofp(wrong, self.row_type)
        )

    def _add_invalid(self, value: Value) -> None:
        b = self.b
        invalid = b.load(self.invalid, typ=self.no_lane.type)
        b.store(b.or_(invalid, b.fcmp_unordered("uno", value, value)), self.invalid)

    def _mix_predictions(self, stopped_slot: Any) -> None:
        with self._class_rows(self.prediction_at) as (_, at):
            self.mix(self.code.load(at), stopped_slot)

    def fitness_of(self, mean_loss: Value) -> Value:
        """See :class:`Evaluate`."""
        return self.b.fsub(ir.Constant(self.double_rows, [1.0] * self.lanes), mean_loss)
