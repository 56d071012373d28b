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

_PACKAGES = ("numpy", "numba", "llvmlite", "pydantic", "scikit-learn")


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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, KiB on Linux
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_seconds, 3),
        "busy_cores": round(cpu_seconds / seconds, 2) if seconds > 0 else 0.0,
        "peak_memory_mib": round(peak / unit, 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())
