"""Commands in processes of their own, and what each of them took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EVOLVE_STATUS = (0, 1)  # done, and done without reaching the target fitness


_running: set[subprocess.Popen[bytes]] = set()


def stop_all() -> None:
    """Ask the commands that other threads wait for to end."""
    for process in list(_running):
        process.terminate()


@dataclass(frozen=True)
class Finished:
    """A process that has ended.

    Attributes:
        result: what it printed, as JSON.
        seconds: wall-clock time from its start to its end.
        cpu_seconds: user and system time of all its threads, the interpreter's start included.
        peak_memory_mib: largest resident size; on Linux at least what this process had when it started the other.
    """

    result: dict[str, Any]
    seconds: float
    cpu_seconds: float
    peak_memory_mib: float


def evolve(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Finished:
    """Run ``automl-zero evolve`` with one thread, in a run directory that is thrown away.

    Args:
        arguments: its arguments, the preset first.
        environment: variables to set besides those of this process.

    Raises:
        RuntimeError: it failed; the message ends with what it wrote to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "automl_zero", "evolve", *arguments, "--workers", "1", "--json"]
        return run([*command, "--out", os.path.join(folder, "run")], {**os.environ, **(environment or {})})


def run(command: Sequence[str], environment: Mapping[str, str]) -> Finished:
    """Run a command of automl-zero that prints the result of a run as JSON.

    Raises:
        RuntimeError: it failed; the message ends with what it wrote to stderr.
    """
    # Files instead of pipes, because wait4, which tells what this one process used, does not empty a pipe.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors, stdin=subprocess.DEVNULL)
        _running.add(process)
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            _running.discard(process)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode not in EVOLVE_STATUS:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}\n{errors.read()[-2000:]}")
        unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
        return Finished(
            result=json.loads(output.read()),
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_memory_mib=usage.ru_maxrss / unit,
        )
