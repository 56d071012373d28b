"""Tasks from the caller's own arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl_zero.tasks.taskset import EVALUATIONS, Evaluation, TaskSet, task_seeds


def from_arrays(
    train_x: Any,
    train_y: Any,
    valid_x: Any,
    valid_y: Any,
    evaluation: Evaluation = "rmse",
    epochs: int = 1,
    seed: int = 0,
    max_abs_error: float = 100.0,
) -> TaskSet:
    """Tasks from arrays, or anything that numpy turns into arrays of numbers.

    Args:
        train_x: [D, N, F], or [N, F] for one task; features of the training examples.
        train_y: [D, N], or [N] for one task; their labels, 0 or 1 where evaluation is "accuracy".
        valid_x: [D, M, F] or [M, F], features of the validation examples.
        valid_y: [D, M] or [M], their labels.
        evaluation: "rmse" or "accuracy".
        epochs: passes over the training examples.
        seed: seed of the random operations in programs; the data are used as they are.
        max_abs_error: error at which a run stops with fitness 0, in label units. Labels of a large scale should be
            standardised first, or no program stays below it.

    Raises:
        ValueError: if sizes disagree or are zero, or a value is not a finite number or not a legal label.
    """
    if evaluation not in EVALUATIONS:
        raise ValueError(f"evaluation must be one of {', '.join(EVALUATIONS)}, got {evaluation!r}")
    x_dims = 2 if _as_array("train_x", train_x).ndim == 2 else 3
    arrays = {
        "train_x": _with_tasks("train_x", train_x, x_dims, x_dims),
        "train_y": _with_tasks("train_y", train_y, x_dims - 1, x_dims),
        "valid_x": _with_tasks("valid_x", valid_x, x_dims, x_dims),
        "valid_y": _with_tasks("valid_y", valid_y, x_dims - 1, x_dims),
    }
    seeds = task_seeds(seed, max(1, arrays["train_x"].shape[0]))
    return TaskSet("arrays", evaluation, **arrays, seeds=seeds, epochs=epochs, max_abs_error=max_abs_error)


def _as_array(name: str, value: Any) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers ({error})") from None
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be an array of real numbers, got dtype {array.dtype}")
    return array


def _with_tasks(name: str, value: Any, dims: int, x_dims: int) -> np.ndarray[Any, np.dtype[Any]]:
    """The array with a leading axis of tasks."""
    array = _as_array(name, value)
    if name.endswith("_y") and array.ndim == dims + 1:
        raise ValueError(
            f"{name} has shape {array.shape}: vector labels (one-hot, multi-class) are not supported yet by this "
            f"version; give one number an example, so {dims} dimensions"
        )
    if array.ndim != dims:
        layout = {1: "[examples]", 2: "[tasks, examples]"} if name.endswith("_y") else {2: "[examples, features]"}
        wanted = layout.get(dims, "[tasks, examples, features]")
        also = "" if name == "train_x" else f" beside a train_x of {x_dims} dimensions"
        raise ValueError(f"{name} must have {dims} dimensions {wanted}{also}, got shape {array.shape}")
    return array[np.newaxis] if x_dims == 2 else array
