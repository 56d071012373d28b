"""Where compiled code is kept between runs: the only place outside a run directory that is ever written."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path


def cache_directory() -> Path:
    """The user cache directory: AUTOML_ZERO_CACHE, or automl-zero in the platform's usual place."""
    chosen = os.environ.get("AUTOML_ZERO_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "automl-zero"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a cache file by rename. Does nothing when the directory cannot be written: a cache is optional."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(name, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
