"""Where a program finds its label and leaves its prediction: in scalars, or in vectors with an element for each class.

Each kind works on a list of registers, scalars first, whose arrays may have axes for label sets and examples in front.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from automl_zero.memory import LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION, MemorySpec

Array = npt.NDArray[Any]


class LabelKind(Protocol):
    """What training and prediction do with labels and predictions."""

    def hide(self, registers: list[Array]) -> None:
        """Take the label away, as before Predict."""

    def show(self, registers: list[Array], label: Array) -> None:
        """Set the label, as before Learn."""

    def training_error(self, registers: list[Array], label: Array) -> Array:
        """Absolute error of the prediction, which in classification is made a probability where it stands."""

    def output(self, registers: list[Array]) -> Array:
        """The prediction as Predict has left it."""


class ScalarLabels:
    """Labels in s0, predictions in s1.

    Args:
        accuracy: whether predictions pass a sigmoid in training.
        dtype: of the registers.
    """

    def __init__(self, accuracy: bool, dtype: npt.DTypeLike) -> None:
        self._accuracy, self._zero = accuracy, np.zeros((), dtype)

    def hide(self, registers: list[Array]) -> None:
        """Take the label away, as before Predict."""
        registers[LABEL] = self._zero

    def show(self, registers: list[Array], label: Array) -> None:
        """Set the label, [K], as before Learn."""
        registers[LABEL] = label

    def training_error(self, registers: list[Array], label: Array) -> Array:
        """Absolute error of the prediction, [K]."""
        if self._accuracy:
            one = self._zero.dtype.type(1)
            registers[PREDICTION] = one / (one + np.exp(-registers[PREDICTION]))
        error: Array = np.abs(label - registers[PREDICTION])
        return error

    def output(self, registers: list[Array]) -> Array:
        """The contents of s1."""
        return registers[PREDICTION]


class VectorLabels:
    """One-hot labels in v1, predictions in the first elements of v2, one for each class.

    Args:
        memory: numbers of registers.
        num_features: F, at least the number of classes.
        num_classes: C.
        dtype: of the registers.
    """

    def __init__(self, memory: MemorySpec, num_features: int, num_classes: int, dtype: npt.DTypeLike) -> None:
        self._label, self._prediction = memory.scalars + VECTOR_LABEL, memory.scalars + VECTOR_PREDICTION
        self._classes, self._size = slice(num_classes), num_features
        self._zeros = np.zeros(num_features, dtype)

    def hide(self, registers: list[Array]) -> None:
        """Take the label away, as before Predict."""
        registers[self._label] = self._zeros

    def show(self, registers: list[Array], label: Array) -> None:
        """Set the label, [K, C], as before Learn."""
        registers[self._label] = self._padded(label)

    def training_error(self, registers: list[Array], label: Array) -> Array:
        """1 minus the probability of the label, [K]; the prediction is made probabilities, and 0 beyond the classes."""
        logits = self.output(registers)
        powers = np.exp(logits - np.max(logits, axis=-1, keepdims=True))
        probabilities = np.broadcast_to(powers / np.sum(powers, axis=-1, keepdims=True), label.shape)
        registers[self._prediction] = self._padded(probabilities)
        chosen = np.take_along_axis(probabilities, label.argmax(axis=-1)[..., None], axis=-1)[..., 0]
        error: Array = np.abs(self._zeros.dtype.type(1) - chosen)
        return error

    def output(self, registers: list[Array]) -> Array:
        """The first C elements of v2."""
        return registers[self._prediction][..., self._classes]

    def _padded(self, values: Array) -> Array:
        padded = np.zeros((*values.shape[:-1], self._size), self._zeros.dtype)
        padded[..., self._classes] = values
        return padded
