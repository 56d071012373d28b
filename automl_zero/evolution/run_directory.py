"""The files of a run. Whole files appear complete or not at all; logs hold whole lines."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from automl_zero import __version__
from automl_zero.program import Program

CONFIG, METRICS, BEST = "config.toml", "metrics.jsonl", "best.json"
HALL_OF_FAME, LINEAGE, RESULT = "hall_of_fame.jsonl", "lineage.jsonl", "result.json"
EXPERIMENTS = "experiments.jsonl"
CHECKPOINT, CHECKPOINT_ARRAYS = "checkpoint.json", "checkpoint.npz"
PREVIOUS, PREVIOUS_ARRAYS = "checkpoint.previous.json", "checkpoint.previous.npz"
LOGS = (METRICS, HALL_OF_FAME, EXPERIMENTS)
OWN_FILES = (CONFIG, *LOGS, BEST, LINEAGE, RESULT, CHECKPOINT, CHECKPOINT_ARRAYS, PREVIOUS, PREVIOUS_ARRAYS)
MARK = "# Configuration of a run of automl-zero"  #: with which config.toml begins


class RunError(OSError):
    """A run directory that cannot be used or written; the message is one sentence."""


class RunDirectory:
    """A directory that holds the files of one run, and perhaps files of others, which are left alone.

    Attributes:
        path: the directory.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock: int | None = None

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
            run._take()
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
            run.release()
            raise
        except OSError as error:
            run.release()
            raise RunError(f"{path} cannot be a run directory: {error.strerror}") from None
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Take a directory in which a run has begun.

        Raises:
            RunError: there is no run, or another process is at work on it.
        """
        run = cls(path)
        if not (run.path / CONFIG).is_file() or not run._is_ours():
            raise RunError(f"{path} is not the directory of a run: it holds no {CONFIG} of automl-zero")
        run._take()
        return run

    def _take(self) -> None:
        """Keep other processes from working on the run; the lock goes when the process does, however it ends."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise RunError(f"{self.path}: another process is at work on this run") from None
        except OSError:  # a file system without locks
            os.close(descriptor)
            return
        self._lock = descriptor

    def release(self) -> None:
        """Let other processes work on the run."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write_config(self, text: str) -> None:
        """Write config.toml, from which the same run can be started again."""
        self._replace(CONFIG, f"{MARK} {__version__}\n{text}")

    def write_best(self, program: Program, lineage: Sequence[Mapping[str, Any]] = ()) -> None:
        """Write best.json, a program file, and lineage.jsonl, the way to that program."""
        self._replace(LINEAGE, "".join(json.dumps(record, allow_nan=False) + "\n" for record in lineage))
        self._replace(BEST, program.to_json())

    def write_result(self, record: Mapping[str, Any]) -> None:
        """Write result.json."""
        self._replace(RESULT, json.dumps(record, indent=2, allow_nan=False) + "\n")

    def discard_result(self) -> None:
        """Delete result.json, which is no longer true when the run goes on."""
        with self._reporting(self.path / RESULT):
            (self.path / RESULT).unlink(missing_ok=True)

    def append(self, log: str, record: Mapping[str, Any]) -> None:
        """Add a line to one of the LOGS, or nothing at all: half a line would make the rest of it unreadable."""
        target = self.path / log
        line = (json.dumps(record, allow_nan=False) + "\n").encode()
        with self._reporting(target), target.open("ab", buffering=0) as file:
            length = file.tell()
            try:
                while line:
                    line = line[file.write(line) :]
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(length)
                raise

    def log_lengths(self) -> dict[str, int]:
        """Bytes of the logs, which are on disk when this returns."""
        lengths = {}
        for name in LOGS:
            file = self.path / name
            lengths[name] = 0
            if file.exists():
                with self._reporting(file), file.open("rb+") as log:
                    os.fsync(log.fileno())
                    lengths[name] = log.seek(0, os.SEEK_END)
        return lengths

    def cut_logs(self, lengths: Mapping[str, int]) -> list[str]:
        """Cut the logs to what they were; returns sentences on logs that have become shorter."""
        notes = []
        for name, length in lengths.items():
            file = self.path / name
            present = file.stat().st_size if file.exists() else 0
            if present < length:
                notes.append(f"{file} is shorter than it was at the checkpoint; its missing lines are lost")
            elif present > length:
                with self._reporting(file):
                    os.truncate(file, length)
        return notes

    def read_log(self, log: str) -> list[dict[str, Any]]:
        """The lines of one of the LOGS, but for any that somebody has damaged."""
        found = []
        with contextlib.suppress(OSError):
            for line in (self.path / log).read_bytes().splitlines():
                with contextlib.suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def temporary(self, name: str, write: Callable[[Path], None]) -> Path:
        """Write a file under a temporary name; a failure leaves nothing behind."""
        path = self.path / f".{name}.tmp"
        try:
            with self._reporting(self.path / name):
                write(path)
        except RunError:
            with contextlib.suppress(OSError):
                path.unlink()
            raise
        return path

    def rename(self, source: Path, name: str) -> None:
        """Give a file another name, at once."""
        with self._reporting(self.path / name):
            os.replace(source, self.path / name)

    def sync(self) -> None:
        """Put the names of the files on disk."""
        with contextlib.suppress(OSError):  # not every file system can
            descriptor = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    @contextlib.contextmanager
    def _reporting(self, file: Path) -> Iterator[None]:
        """Turn the errors of writing a file into one sentence."""
        try:
            yield
        except OSError as error:
            raise RunError(f"{file} cannot be written: {error.strerror}") from None

    def _is_ours(self) -> bool:
        return (self.path / CONFIG).read_text(encoding="utf-8", errors="replace").startswith(MARK)

    def _replace(self, name: str, text: str) -> None:
        """Write a file under a temporary name, then rename it, so that a crash leaves the old file or the new one."""
        temporary = self.temporary(name, lambda path: write_synced(path, text))
        try:
            self.rename(temporary, name)
        except RunError:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise


def write_synced(path: Path, text: str) -> None:
    """Write a file, which is on disk when this returns."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def default_path(name: str, seed: int) -> Path:
    """The run directory of a run that was given none: runs/NAME-SEED-TIME."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name)
    return Path("runs") / f"{safe}-{seed}-{time.strftime('%Y%m%d-%H%M%S')}"
