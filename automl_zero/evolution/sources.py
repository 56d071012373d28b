"""Configurations and tasks from what a user names: a preset, a configuration file, or a table of data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from automl_zero.evolution.config import load_config
from automl_zero.presets import preset_text
from automl_zero.tasks import TaskSource, make_source

DATA_SUFFIXES = (".csv", ".tsv", ".npz")


def data_config(path: str | Path, target: str | None = None) -> dict[str, Any]:
    """The configuration for a search on a user's table, to be given to :func:`load_config`.

    The search space and the search are those of the preset ``digits``, that is, of the paper's baseline (Table S5):
    linear models and two-layer networks, for regression as well as for classification, are well inside it. But it
    starts from the hand-designed linear program, which at an equal budget found better programs on every table tried.

    Args:
        path: CSV or npz file.
        target: the column or array to predict; an npz file has the default "y".
    """
    config = tomllib.loads(preset_text("digits"))
    config["search_space"]["initial"] = "linear"
    return {**config, "name": Path(path).stem, "tasks": _file_tasks(path, target)}


def task_source(name: str, target: str | None = None) -> TaskSource:
    """The tasks of a preset, of a configuration file, or of a table.

    Args:
        name: name of a preset, or path of a TOML, CSV or npz file.
        target: the column or array to predict, for a table.

    Raises:
        ValueError: the name is not known, the file is not usable, or a target is given for something else.
    """
    if Path(name).suffix.lower() in DATA_SUFFIXES:
        return make_source(_file_tasks(name, target))
    if target is not None:
        raise ValueError(f"a target belongs to a table ({', '.join(DATA_SUFFIXES)}), but the tasks are {name}")
    return make_source(load_config(name).tasks)


def _file_tasks(path: str | Path, target: str | None) -> dict[str, Any]:
    tasks = {"kind": "file", "path": str(path)}
    return tasks if target is None else {**tasks, "target": target}
