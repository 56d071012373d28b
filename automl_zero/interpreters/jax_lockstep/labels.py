"""Where programs find labels and predictions, and how predictions are judged; the twin of ../numpy_labels.py."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from automl_zero.interpreters.jax_lockstep.batch import Shape
from automl_zero.interpreters.jax_lockstep.registers import Registers
from automl_zero.memory import FEATURES, LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION


def show_features(files: Registers, features: jax.Array) -> Registers:
    """Set the features, [D, F], of every program."""
    return files._replace(vectors=_with_row(files.vectors, FEATURES, features.T[:, None]))


def show(files: Registers, label: jax.Array, shape: Shape) -> Registers:
    """Set the label, [D] or [D, C], of every program; 0 hides it."""
    if shape.num_classes:
        one_hot = _padded(label.T[:, None], shape)
        return files._replace(vectors=_with_row(files.vectors, VECTOR_LABEL, one_hot))
    return files._replace(scalars=_with_row(files.scalars, LABEL, label[None]))


def prediction(files: Registers, shape: Shape) -> jax.Array:
    """The prediction as Predict left it, [n, D] or with classes [C, n, D]."""
    if shape.num_classes:
        return files.vectors[VECTOR_PREDICTION, : shape.num_classes]
    return files.scalars[PREDICTION]


def training_error(files: Registers, label: jax.Array, applies: jax.Array, shape: Shape) -> tuple[Registers, jax.Array]:
    """Absolute error [n, D]; in classification of probabilities, which are left in place of the prediction.

    They are left there only where `applies`, a bool, says so.
    """
    predicted = prediction(files, shape)
    if shape.num_classes:
        probabilities = _softmax(predicted)
        contents = jnp.where(applies, _padded(probabilities, shape), files.vectors[VECTOR_PREDICTION])
        files = files._replace(vectors=_with_row(files.vectors, VECTOR_PREDICTION, contents))
        # One probability and zeros; a NaN anywhere is one everywhere.
        chosen = jnp.sum(jnp.where((label.T > 0)[:, None], probabilities, 0), axis=0)
        return files, 1 - chosen
    if shape.evaluation == "accuracy":
        probability = _sigmoid(predicted)
        contents = jnp.where(applies, probability, predicted)
        files = files._replace(scalars=_with_row(files.scalars, PREDICTION, contents))
        return files, jnp.abs(label - probability)
    return files, jnp.abs(label - predicted)


def validation_loss(files: Registers, label: jax.Array, shape: Shape) -> tuple[jax.Array, jax.Array]:
    """What an example adds to the loss, [n, D], and whether its error is not too large. The prediction stays."""
    predicted = prediction(files, shape)
    if shape.num_classes:
        # The largest number rather than the largest probability, for a softmax may round two of them to one.
        right = jnp.argmax(predicted, axis=0) == jnp.argmax(label, axis=-1)
        wrong = ~right | jnp.isnan(jnp.sum(_softmax(predicted), axis=0))
    elif shape.evaluation == "accuracy":  # a NaN predicts class 0
        wrong = (label > 0.5) != (_sigmoid(predicted) > 0.5)
    else:
        error = label - predicted
        return error * error, jnp.abs(error) <= jnp.asarray(shape.max_abs_error, shape.dtype)
    return wrong.astype(shape.dtype), jnp.ones(wrong.shape, bool)


def _with_row(file: jax.Array, row: int, contents: jax.Array) -> jax.Array:
    changed: jax.Array = lax.dynamic_update_index_in_dim(file, jnp.broadcast_to(contents, file.shape[1:]), row, 0)
    return changed


def _padded(of_classes: jax.Array, shape: Shape) -> jax.Array:
    """A vector with an element for each class, and 0 beyond them."""
    missing = shape.num_features - shape.num_classes
    return jnp.pad(of_classes, ((0, missing), *[(0, 0)] * (of_classes.ndim - 1)))


def _sigmoid(a: jax.Array) -> jax.Array:
    return 1 / (1 + jnp.exp(-a))


def _softmax(a: jax.Array) -> jax.Array:
    powers = jnp.exp(a - jnp.max(a, axis=0))
    return powers / jnp.sum(powers, axis=0)
