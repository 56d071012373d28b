"""The files of a run. Whole files appear complete or not at all; logs hold whole lines."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl_zero import __version__
from automl_zero.program import Program

CONFIG, METRICS, BEST = "config.toml", "metrics.jsonl", "best.json"
HALL_OF_FAME, RESULT = "hall_of_fame.jsonl", "result.json"
OWN_FILES = (CONFIG, METRICS, BEST, HALL_OF_FAME, RESULT)
_MARK = "# Configuration of a run of automl-zero"


class RunError(OSError):
    """A run directory that cannot be used or written; the message is one sentence."""


class RunDirectory:
    """A directory that holds the files of one run, and perhaps files of others, which are left alone.

    Attributes:
        path: the directory.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def create(cls, path: str | Path, force: bool = False) -> RunDirectory:
        """Prepare a directory for a new run.

        Args:
            path: the directory; it is made if it does not exist.
            force: delete the files of a run that is there already, and only those.

        Raises:
            RunError: a run is there already, or the directory cannot be made or cleared.
        """
        run = cls(path)
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            present = [name for name in OWN_FILES if os.path.lexists(run.path / name)]
            if present and not force:
                raise RunError(f"{path} holds a run already ({', '.join(present)}); --force deletes that run's files")
            if CONFIG in present and not run._is_ours():
                raise RunError(f"{run.path / CONFIG} is not from a run of automl-zero; choose another directory")
            for name in present:
                (run.path / name).unlink()
        except (FileExistsError, NotADirectoryError):
            raise RunError(f"{path} cannot be a run directory: there is a file in its place") from None
        except RunError:
            raise
        except OSError as error:
            raise RunError(f"{path} cannot be a run directory: {error.strerror}") from None
        return run

    def write_config(self, text: str) -> None:
        """Write config.toml, from which the same run can be started again."""
        self._replace(CONFIG, f"{_MARK} {__version__}\n{text}")

    def write_best(self, program: Program) -> None:
        """Write best.json, a program file."""
        self._replace(BEST, program.to_json())

    def write_result(self, record: Mapping[str, Any]) -> None:
        """Write result.json."""
        self._replace(RESULT, json.dumps(record, indent=2, allow_nan=False) + "\n")

    def append_metrics(self, record: Mapping[str, Any]) -> None:
        """Add a line to metrics.jsonl."""
        self._append(METRICS, record)

    def append_hall_of_fame(self, record: Mapping[str, Any]) -> None:
        """Add a line to hall_of_fame.jsonl."""
        self._append(HALL_OF_FAME, record)

    def _is_ours(self) -> bool:
        return (self.path / CONFIG).read_text(encoding="utf-8", errors="replace").startswith(_MARK)

    def _replace(self, name: str, text: str) -> None:
        """Write a file under a temporary name, then rename it, so that a crash leaves the old file or the new one."""
        target, temporary = self.path / name, self.path / f".{name}.tmp"
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise RunError(f"{target} cannot be written: {error.strerror}") from None

    def _append(self, name: str, record: Mapping[str, Any]) -> None:
        """Add a line, or nothing at all: half a line would make the rest of the log unreadable."""
        target = self.path / name
        line = (json.dumps(record, allow_nan=False) + "\n").encode()
        try:
            with target.open("ab", buffering=0) as file:
                length = file.tell()
                try:
                    while line:
                        line = line[file.write(line) :]
                except OSError:
                    with contextlib.suppress(OSError):
                        file.truncate(length)
                    raise
        except OSError as error:
            raise RunError(f"{target} cannot be written: {error.strerror}") from None


def default_path(name: str, seed: int) -> Path:
    """The run directory of a run that was given none: runs/NAME-SEED-TIME."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    return Path("runs") / f"{safe}-{seed}-{time.strftime('%Y%m%d-%H%M%S')}"
