"""The run that a program comes from: its tasks, its seed and its type of numbers, which program files do not hold."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl_zero.evaluation import DTYPES
from automl_zero.evolution.run_directory import BEST, CHECKPOINT, CONFIG, MARK, PREVIOUS, RESULT


@dataclass(frozen=True)
class Origin:
    """A run, as far as its best program is concerned.

    Attributes:
        directory: of the run.
        config: the tables of its config.toml.
    """

    directory: Path
    config: Mapping[str, Any]

    @property
    def tasks(self) -> dict[str, Any]:
        """The table of tasks, with an absolute path of their data; empty when there is none."""
        tasks = self.config.get("tasks")
        if not isinstance(tasks, dict):
            return {}
        if isinstance(path := tasks.get("path"), str):
            return {**tasks, "path": str(self.directory.absolute() / path)}
        return dict(tasks)

    def num_classes(self) -> int:
        """C of the labels that the program was evolved for: 0 for numbers, else that of vector labels.

        Raises:
            OSError, TypeError, ValueError: it cannot be known, for the tasks or their table cannot be read.
        """
        from automl_zero.tasks import make_source

        return make_source(self.tasks, need_data=False).num_classes

    @property
    def dtype(self) -> str:
        """Type of the numbers that the run computed in."""
        dtype = self.config.get("dtype")
        return dtype if dtype in DTYPES else DTYPES[0]

    @property
    def seed(self) -> int | None:
        """Seed of the run; None when neither its result nor a checkpoint tells."""
        for name in (RESULT, CHECKPOINT, PREVIOUS):
            record = _object(self.directory / name)
            if name != RESULT:
                record = record.get("state")
            seed = record.get("seed") if isinstance(record, dict) else None
            if isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0:
                return seed
        return None


def find_origin(path: str | Path) -> Origin | None:
    """The run of a program that is named by the run's directory, or by the best.json in it; else None.

    Raises:
        ValueError: the configuration of the run directory is damaged.
    """
    named = Path(path)
    is_directory = named.is_dir()
    if not is_directory and named.name != BEST:
        return None
    directory = named if is_directory else named.parent
    try:
        text = (directory / CONFIG).read_text(encoding="utf-8")
        is_run = is_directory or text.startswith(MARK)  # a file's neighbour may be something else's configuration
        return Origin(directory, tomllib.loads(text)) if is_run else None
    except OSError:
        return None
    except ValueError as error:  # TOML or UTF-8
        if not is_directory:
            return None  # the program itself can be used
        raise ValueError(f"{directory / CONFIG}: is not a TOML file: {error}") from None


def known_num_classes(path: str | Path) -> int | None:
    """C of the labels that a program was evolved for, see :meth:`Origin.num_classes`; None when that is not known.

    Raises:
        ValueError: the configuration of the run directory is damaged.
    """
    origin = find_origin(path)
    try:
        return None if origin is None else origin.num_classes()
    except (OSError, TypeError, ValueError):
        return None


def _object(path: Path) -> Any:
    """The object of a JSON file; empty when the file cannot be read or holds something else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
