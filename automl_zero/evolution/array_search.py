"""A search for a program that learns from the arrays at hand."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.evolution.config import ConfigError, load_config
from automl_zero.evolution.progress import Result
from automl_zero.evolution.search import evolve
from automl_zero.evolution.sources import data_config
from automl_zero.tasks import load_table
from automl_zero.tasks.taskset import Evaluation
from automl_zero.tasks.userdata import NUM_TASKS, default_sizes

MAX_TRAIN = 1000  # rows of a search task: with more, too few programs are tried in the time
NAME = "arrays"


def evolve_on_arrays(
    x: npt.NDArray[np.float64],
    targets: npt.NDArray[Any],
    evaluation: Evaluation,
    *,
    config: Mapping[str, Any],
    epochs: int,
    max_abs_error: float,
    seed: int,
    max_seconds: float | None,
    max_individuals: int | None,
    workers: int | None,
) -> Result:
    """Search as :func:`~automl_zero.evolution.sources.data_config` has it for a table.

    Tasks have at most 1000 training rows. With more than two classes, each class has tasks that tell it from the
    others.

    Args:
        x: [N, F], features.
        targets: [N], numbers, or for "accuracy" the number of the class, from 0.
        evaluation: "rmse" or "accuracy".
        config: keys that differ from the default configuration, as a nested dict.
        epochs: passes over the training rows of a task.
        max_abs_error: error at which training stops, in deviations of the target.
        seed: seed of the search.
        max_seconds: limit on the time.
        max_individuals: limit on the programs made.
        workers: threads.

    Raises:
        ConfigError: ``config`` or the data are not usable, or there is no limit.
        ValueError: the targets of a regression have two values alone.
    """
    if evaluation == "rmse" and np.unique(targets).size < 3:
        raise ValueError("y has fewer than three distinct values, which makes a classification for the search")
    own = config.get("tasks", {})
    for key in ("kind", "path", "target", "targets"):
        if isinstance(own, Mapping) and key in own:
            raise ConfigError(f"tasks.{key}: the tasks are made of X and y, leave it out")
    with tempfile.TemporaryDirectory(prefix="automl-zero-") as folder:
        path = Path(folder) / f"{NAME}.npz"
        columns = _columns(targets, evaluation)
        np.savez(path, allow_pickle=False, X=x, **columns)
        tasks: dict[str, Any] = {"kind": "file", "path": str(path), "targets": list(columns)}
        limits = {"max_seconds": max_seconds, "max_individuals": max_individuals}
        try:
            tasks |= {**_sizes(path, list(columns)), "epochs": epochs, "max_abs_error": max_abs_error}
            values = _merged({**data_config(path, next(iter(columns))), "tasks": tasks, **limits}, config)
            if all(values.get(key) is None for key in (*limits, "max_train_steps", "max_experiments")):
                raise ConfigError("max_seconds and max_individuals are None: the search needs a limit")
            return evolve(load_config(values), seed=seed, workers=workers)
        except ValueError as error:
            # The file is an expedient that the user knows nothing of.
            raise ConfigError(str(error).replace(f"{path}: ", "X and y: ")) from None


def _columns(targets: npt.NDArray[Any], evaluation: Evaluation) -> dict[str, npt.NDArray[Any]]:
    """Target arrays: the targets themselves, or for each of several classes whether a row is of it."""
    num_classes = int(targets.max()) + 1 if evaluation == "accuracy" else 0
    if num_classes <= 2:
        return {"y": targets}
    return {f"class {label}": (targets == label).astype(np.float64) for label in range(num_classes)}


def _sizes(path: Path, targets: list[str]) -> dict[str, Any]:
    """Sizes that suit every target, for tasks that together are about as many as those of a single one."""
    num_tasks = max(1, NUM_TASKS // len(targets))
    defaults = zip(*(default_sizes(load_table(path, target)) for target in targets), strict=True)
    sizes = {}
    for purpose, each in zip(("search", "select", "final"), defaults, strict=True):
        limit = None if purpose == "final" else MAX_TRAIN
        num_train, num_valid = min(s.num_train for s in each), min(s.num_valid for s in each)
        sizes[purpose] = {
            "num_tasks": num_tasks,
            "num_train": min(num_train, limit or num_train),
            "num_valid": min(num_valid, limit or num_valid),
        }
    return sizes


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dicts, the second over the first."""
    merged = dict(values)
    for key, change in changes.items():
        old = merged.get(key)
        merged[key] = _merged(old, change) if isinstance(old, Mapping) and isinstance(change, Mapping) else change
    return merged
