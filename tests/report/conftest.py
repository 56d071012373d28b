"""A run directory, and the report of one with everything in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl_zero.report import make_report
from tests.report.run_dirs import WriteRun, lineage, write_run


@pytest.fixture(name="write_run")
def _write_run(tmp_path: Path) -> WriteRun:
    """Write a run directory named "demo" or otherwise."""

    def write(name: str = "demo", **contents: Any) -> Path:
        return write_run(tmp_path / name, **contents)

    return write


@pytest.fixture(scope="session")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a finished run with everything in it."""
    return make_report(write_run(tmp_path_factory.mktemp("report") / "demo", steps=lineage()))
