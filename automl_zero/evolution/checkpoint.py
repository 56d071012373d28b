"""Checkpoints: the whole state of a run in two files, which are replaced in an order that a crash cannot break.

checkpoint.json holds the state and the checksum of the arrays in checkpoint.npz. The pair before is kept as
checkpoint.previous.json and .npz. A pair belongs together by its checksums, not by its names: whenever a run is killed
while it renames the four files, one complete pair is among them.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.evolution.run_directory import (
    CHECKPOINT,
    CHECKPOINT_ARRAYS,
    PREVIOUS,
    PREVIOUS_ARRAYS,
    RunDirectory,
    RunError,
    write_synced,
)

FORMAT = "automl-zero-checkpoint/2"

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run.

    Attributes:
        state: everything but arrays, as JSON values.
        arrays: the arrays of the islands, by name.
        notes: sentences on what was found wrong with newer checkpoints.
    """

    state: dict[str, Any]
    arrays: dict[str, npt.NDArray[Any]]
    notes: list[str] = field(default_factory=list)


def save(directory: RunDirectory, state: Mapping[str, Any], arrays: Arrays) -> None:
    """Write a checkpoint.

    Raises:
        RunError: it cannot be written; the one before is still there.
    """

    def write_arrays(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
            file.flush()
            os.fsync(file.fileno())

    temporary = directory.temporary(CHECKPOINT_ARRAYS, write_arrays)
    record = {"format": FORMAT, "arrays_sha256": _file_digest(temporary), "sha256": _digest(state), "state": state}
    text = json.dumps(record, allow_nan=False) + "\n"
    state_file = directory.temporary(CHECKPOINT, lambda path: write_synced(path, text))
    for source, target in (
        (directory.path / CHECKPOINT, PREVIOUS),
        (directory.path / CHECKPOINT_ARRAYS, PREVIOUS_ARRAYS),
        (temporary, CHECKPOINT_ARRAYS),
        (state_file, CHECKPOINT),
    ):
        if source.exists():
            directory.rename(source, target)
    directory.sync()


def load(directory: RunDirectory) -> Checkpoint:
    """Read the newest checkpoint that is whole; it becomes the newest of all.

    Raises:
        RunError: there is none, or it was written by another format of checkpoints.
    """
    path, notes = directory.path, []
    for name in (CHECKPOINT, PREVIOUS):
        if not (path / name).exists():
            continue  # killed between two renames, or there is only one
        try:
            record = _read_state(path / name)
            file, arrays = _read_arrays(path, record["arrays_sha256"])
        except _NotWholeError as error:
            notes.append(f"{path / name} cannot be used: {error}")
            continue
        if notes:
            notes.append(f"going on from the checkpoint before, {path / name}")
        # The next checkpoint will put the newest in the place of the one before, which must not be lost for a bad one.
        if name == PREVIOUS:
            directory.rename(path / name, CHECKPOINT)
        if file.name == PREVIOUS_ARRAYS:
            directory.rename(file, CHECKPOINT_ARRAYS)
        return Checkpoint(record["state"], arrays, notes)
    if notes:
        raise RunError("; ".join(notes))
    raise RunError(f"{path} holds no checkpoint: the run ended before its first one, or is not one of automl-zero")


class _NotWholeError(Exception):
    """A checkpoint that is incomplete or was changed."""


def _read_state(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise _NotWholeError(error.strerror) from None
    except ValueError:
        raise _NotWholeError("it is not JSON, so it was cut off or changed") from None
    if not isinstance(record, dict) or not {"format", "arrays_sha256", "sha256", "state"} <= record.keys():
        raise _NotWholeError("it lacks keys of a checkpoint")
    if record["format"] != FORMAT:
        raise RunError(f"{file} has the format {record['format']!r}, but this version reads {FORMAT!r}")
    if _digest(record["state"]) != record["sha256"]:
        raise _NotWholeError("its checksum does not fit, so it was changed")
    return record


def _read_arrays(path: Path, digest: str) -> tuple[Path, dict[str, npt.NDArray[Any]]]:
    """The arrays with that checksum, and which of the two files they are in."""
    present = [path / name for name in (CHECKPOINT_ARRAYS, PREVIOUS_ARRAYS) if (path / name).exists()]
    for file in present:
        try:
            if _file_digest(file) != digest:
                continue
            with np.load(file, allow_pickle=False) as arrays:
                return file, dict(arrays)
        except (OSError, ValueError, zipfile.BadZipFile):
            continue
    raise _NotWholeError(
        f"its arrays are missing, cut off or changed ({', '.join(f.name for f in present) or 'no file'})"
    )


def _digest(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
