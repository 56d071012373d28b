"""Finished runs on disk: a file that grows by a line a run, so that an interrupted experiment goes on where it was."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Key = dict[str, Any]
"""What tells one run from another, such as {"variant": "full", "seed": 3}."""


class Ledger:
    """The finished runs of an experiment, as JSON lines; the first line holds the settings.

    Args:
        path: the file; it and its folder are made when they are missing.
        settings: everything that the results depend on, as JSON.

    Raises:
        ValueError: the file belongs to other settings, is in use, or is not such a file.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self.results: dict[str, dict[str, Any]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise ValueError(f"{path} is in use by another process") from None
        try:
            self._read(json.loads(json.dumps(settings)))
        except BaseException:
            self.close()
            raise

    def _read(self, settings: dict[str, Any]) -> None:
        with open(self._file, "rb", closefd=False) as stream:
            content = stream.read()
        whole = content[: content.rfind(b"\n") + 1]  # a process that was killed may have left part of a line
        try:
            lines = [json.loads(line) for line in whole.splitlines()]
            recorded = lines[0]["settings"] if lines else None
            self.results = {_name(line["key"]): line for line in lines[1:]}
        except (LookupError, TypeError, ValueError):
            raise ValueError(f"{self.path} is not a list of runs") from None
        if recorded is not None and recorded != settings:
            changed = [key for key in {**recorded, **settings} if recorded.get(key) != settings.get(key)]
            was, now = ([f"{key}={values.get(key)}" for key in changed] for values in (recorded, settings))
            raise ValueError(
                f"{self.path} has runs with other settings: {', '.join(was)} there, {', '.join(now)} now; "
                "choose another --out, or remove it"
            )
        os.ftruncate(self._file, len(whole))
        os.lseek(self._file, 0, os.SEEK_END)
        if recorded is None:
            self._write({"settings": settings})

    def __contains__(self, key: Key) -> bool:
        return _name(key) in self.results

    def runs(self, **chosen: Any) -> list[dict[str, Any]]:
        """The finished runs, {"key": ..., "result": ...}, whose keys have these values, in the order of their keys."""
        matching = [run for run in self.results.values() if chosen.items() <= run["key"].items()]
        return sorted(matching, key=lambda run: [(str(type(part)), part) for part in run["key"].values()])

    def append(self, key: Key, result: Mapping[str, Any]) -> None:
        """Record a finished run, on disk when this returns."""
        line = {"key": key, "result": result}
        self._write(line)
        self.results[_name(key)] = json.loads(json.dumps(line))

    def _write(self, line: Mapping[str, Any]) -> None:
        os.write(self._file, json.dumps(line, allow_nan=False).encode() + b"\n")
        os.fsync(self._file)

    def close(self) -> None:
        """Release the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _name(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
