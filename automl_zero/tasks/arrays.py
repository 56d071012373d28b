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
        train_y: [D, N], or [N] for one task; their labels, 0 or 1 where evaluation is "accuracy". Or vector labels,
            which "accuracy" alone takes: [D, N, C], or [N, C] for one task, each row one 1 among zeros.
        valid_x: [D, M, F] or [M, F], features of the validation examples.
        valid_y: [D, M] or [M], their labels; [D, M, C] or [M, C] for vector labels.
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
        "train_x": _with_tasks("train_x", train_x, (x_dims,), x_dims),
        "train_y": _with_tasks("train_y", train_y, (x_dims - 1, x_dims), x_dims),
        "valid_x": _with_tasks("valid_x", valid_x, (x_dims,), x_dims),
        "valid_y": _with_tasks("valid_y", valid_y, (x_dims - 1, x_dims), x_dims),
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


def _with_tasks(name: str, value: Any, dims: tuple[int, ...], x_dims: int) -> np.ndarray[Any, np.dtype[Any]]:
    """The array with a leading axis of tasks; `dims` are the numbers of dimensions that it may have."""
    array = _as_array(name, value)
    if array.ndim not in dims:
        axes = ("tasks", "examples")[3 - x_dims :]
        last = "classes" if name.endswith("_y") else "features"
        layouts = [f"{n} dimensions [{', '.join((*axes, last)[:n])}]" for n in dims]
        also = "" if name == "train_x" else f" beside a train_x of {x_dims} dimensions"
        raise ValueError(f"{name} must have {' or '.join(layouts)}{also}, got shape {array.shape}")
    return array[np.newaxis] if x_dims == 2 else array
