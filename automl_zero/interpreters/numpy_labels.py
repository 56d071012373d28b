"""Where programs find labels and predictions, and how predictions are judged, for both kinds of labels, in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.memory import LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.tasks.taskset import Evaluation

Array = npt.NDArray[Any]


class ScalarLabels:
    """Labels are numbers, in s0; predictions are in s1.

    Args:
        scalars: the scalar registers of a task.
        evaluation: "rmse", or "accuracy" for labels 0 and 1.
    """

    def __init__(self, scalars: Array, evaluation: Evaluation) -> None:
        self.scalars, self.evaluation = scalars, evaluation
        self.one = scalars.dtype.type(1.0)

    def show(self, label: Array | float) -> None:
        """Set the label; 0.0 hides it."""
        self.scalars[LABEL] = label

    def training_error(self, label: Array) -> Any:
        """Absolute error; for accuracy, of a probability that is left in place of the prediction."""
        if self.evaluation == "accuracy":
            self.scalars[PREDICTION] = self._sigmoid()
        return np.abs(label - self.scalars[PREDICTION])

    def validation_error(self, label: Array) -> Any:
        """Absolute error; for accuracy, 0 for the right class and 1 for the wrong one. The prediction stays."""
        if self.evaluation == "accuracy":  # a NaN predicts class 0
            return 0.0 if (label > 0.5) == (self._sigmoid() > 0.5) else 1.0
        return np.abs(label - self.scalars[PREDICTION])

    def _sigmoid(self) -> Any:
        return self.one / (self.one + np.exp(-self.scalars[PREDICTION]))


class VectorLabels:
    """Labels are one-hot, in the first C elements of v1; predictions are in the first C elements of v2.

    Args:
        vectors: the vector registers of a task.
        num_classes: C.
    """

    def __init__(self, vectors: Array, num_classes: int) -> None:
        self.vectors, self.num_classes = vectors, num_classes

    def show(self, label: Array | float) -> None:
        """Set the label; 0.0 hides it."""
        self.vectors[VECTOR_LABEL, : self.num_classes] = label

    def training_error(self, label: Array) -> Any:
        """1 less the label's probability; the softmax is left in place of the prediction, with zeros beyond it."""
        probabilities = softmax(self._prediction())
        self.vectors[VECTOR_PREDICTION] = 0.0
        self.vectors[VECTOR_PREDICTION, : self.num_classes] = probabilities
        return probabilities.dtype.type(1.0) - probabilities[np.argmax(label)]

    def validation_error(self, label: Array) -> float:
        """0 for the right class; 1 for a wrong one or where the softmax is NaN. The prediction stays."""
        prediction = self._prediction()
        if np.isnan(softmax(prediction)).any():
            return 1.0
        # The largest number rather than the largest probability, for a softmax may round two of them to one.
        return 0.0 if np.argmax(prediction) == np.argmax(label) else 1.0

    def _prediction(self) -> Array:
        return self.vectors[VECTOR_PREDICTION, : self.num_classes]


def softmax(a: Array) -> Array:
    """e^(a - max a) / sum of e^(a - max a).

    All NaN where an element is NaN or plus infinity or all of them are minus infinity, else finite.
    """
    powers = np.exp(a - np.max(a))
    return np.asarray(powers / np.sum(powers))
