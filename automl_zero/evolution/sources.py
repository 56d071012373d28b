"""Configurations and tasks from what a user names: a preset, a configuration file, or a table of data."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automl_zero.evolution.config import ExperimentConfig, load_config
from automl_zero.presets import SMALL, preset_names, preset_text
from automl_zero.tasks import TaskSource, load_table, make_source

DATA_SUFFIXES = (".csv", ".tsv", ".npz")


def named_config(
    source: str | Path, overrides: Sequence[str] = (), scale: str | None = None, data_dir: str | Path | None = None
) -> ExperimentConfig:
    """The configuration of a preset or of a TOML file.

    Args:
        source: name of a preset, or path of a TOML file.
        overrides: as :func:`load_config` takes them.
        scale: version of a preset, "small" or "full" (default).
        data_dir: where the files of image data sets are.

    Raises:
        ValueError: the preset has no such version, or the configuration cannot be used.
    """
    if data_dir is not None:
        overrides = (*overrides, f"tasks.data_dir={Path(data_dir).absolute()}")
    if scale is None:
        return load_config(source, overrides)
    if source not in preset_names():
        raise ValueError(f"a scale belongs to a preset ({', '.join(preset_names())}), got {source}")
    return load_config(tomllib.loads(preset_text(str(source), scale)), overrides)


def data_config(path: str | Path, target: str | None = None) -> dict[str, Any]:
    """The configuration for a search on a user's table, to be given to :func:`load_config`.

    The search space and the search are those of the preset ``digits``, that is, of the paper's baseline (Table S5):
    linear models and two-layer networks, for regression as well as for classification, are well inside it. But it
    starts from the hand-designed linear program, which at an equal budget found better programs on every table tried.
    For more than two classes the search space is that of ``multi-class``, and the start its linear program.

    Args:
        path: CSV or npz file.
        target: the column or array to predict; an npz file has the default "y".

    Raises:
        ValueError: the table cannot be used.
    """
    config = tomllib.loads(preset_text("digits"))
    if len(load_table(path, target).class_names) > 2:
        config["search_space"] = tomllib.loads(preset_text("multi-class", SMALL))["search_space"]
        config["search_space"]["initial"] = "softmax_linear"
    else:
        config["search_space"]["initial"] = "linear"
    return {**config, "name": Path(path).stem, "tasks": _file_tasks(path, target)}


def task_source(
    name: str,
    target: str | None = None,
    scale: str | None = None,
    data_dir: str | Path | None = None,
    need_data: bool = True,
) -> TaskSource:
    """The tasks of a preset, of a configuration file, or of a table.

    Args:
        name: name of a preset, or path of a TOML, CSV or npz file.
        target: the column or array to predict, for a table.
        scale: version of a preset, "small" or "full" (default).
        data_dir: where the files of image data sets are, for a preset or a configuration file.
        need_data: refuse image data that are missing at once, rather than when tasks are made.

    Raises:
        ValueError: the name is not known, the file is not usable, or an argument is given for something else.
    """
    if Path(name).suffix.lower() in DATA_SUFFIXES:
        if scale is not None or data_dir is not None:
            raise ValueError(f"scale and data directory belong to a preset or configuration, but the tasks are {name}")
        return make_source(_file_tasks(name, target))
    if target is not None:
        raise ValueError(f"a target belongs to a table ({', '.join(DATA_SUFFIXES)}), but the tasks are {name}")
    return make_source(named_config(name, (), scale, data_dir).tasks, need_data)


def _file_tasks(path: str | Path, target: str | None) -> dict[str, Any]:
    tasks = {"kind": "file", "path": str(path)}
    return tasks if target is None else {**tasks, "target": target}
