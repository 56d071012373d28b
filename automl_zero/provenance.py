"""Where a result comes from: versions, machine and cost, for result.json and ``automl-zero doctor``."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from automl_zero import __version__

_PACKAGES = ("numpy", "numba", "llvmlite", "jax", "pydantic", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of this package, of Python and of the libraries that results may depend on; imports none of them."""
    found = {"automl-zero": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def machine() -> dict[str, Any]:
    """Platform, processor model and number of cores: all of the machine's, and those that this process may use."""
    return {
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "usable_cores": usable_cores(),
    }


def accelerator() -> str | None:
    """The devices other than CPUs that JAX computes on, which it starts if need be; None for none."""
    from automl_zero.interpreters.jax_lockstep.devices import choose

    choice = choose()
    if choice.platform == "cpu":
        return None
    count = len(choice.device.client.devices())
    return f"{count} x {choice.device.device_kind}"


def usable_cores() -> int:
    """Number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cost(seconds: float, cpu_seconds: float) -> dict[str, float]:
    """What a run took.

    Args:
        seconds: wall-clock time of the run.
        cpu_seconds: CPU time of the run over all threads, a difference of ``time.process_time()``.

    Returns:
        The two, the average number of busy cores, and the peak memory of the process in MiB.
    """
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "busy_cores": round(cpu_seconds / seconds, 2) if seconds > 0 else 0.0,
        "peak_memory_mib": round(_peak_memory() / 2**20, 1),
    }


def _peak_memory() -> int:
    """Most memory that this process has had, in bytes."""
    try:
        # On Linux ru_maxrss starts at the peak of the process that launched this one.
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB elsewhere


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
