"""``automl-zero report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.report.run_dirs import lineage, write_run

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return write_run(tmp_path / "demo", steps=lineage())


def test_the_page_is_written_into_the_run_directory(run: Run, run_dir: Path) -> None:
    result = run("report", "demo", "--num-tasks", 2)
    assert result.exit_code == 0
    assert result.stdout == "demo/report.html\n"
    assert "Measuring on 2 tasks" in result.stderr
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "on 2 unseen tasks" in page


def test_assumptions_are_given_and_shown(run: Run, run_dir: Path) -> None:
    options = ["--watts-per-core", 50, "--pue", 1, "--carbon-intensity", 100, "--price-per-cpu-hour", 7.5]
    assert run("report", "demo", "--num-tasks", 0, "--out", "page.html", "--currency", "EUR", *options).exit_code == 0
    page = (run_dir.parent / "page.html").read_text(encoding="utf-8")
    assert "EUR 15.00" in page  # for two core-hours
    assert "100 Wh" in page  # and next to no memory
    assert '<td class="number">50 W</td><td>given</td>' in page
    assert not (run_dir / "report.html").exists()


def test_a_run_without_result_is_reported(run: Run, tmp_path: Path) -> None:
    write_run(tmp_path / "begun", finished=False)
    assert run("report", "begun").exit_code == 0
    assert "The run has no result.json" in (tmp_path / "begun/report.html").read_text(encoding="utf-8")


def test_one_task_is_spoken_of_as_one(run: Run, run_dir: Path) -> None:
    assert "Measuring on 1 task what" in run("report", "demo", "--num-tasks", 1).stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([".", "--num-tasks", 0], ". is not the directory of a run: it holds no config.toml of automl-zero"),
        (["none"], "none is not the directory of a run: there is no such directory"),
        (["demo/best.json"], "demo/best.json is not the directory of a run: it is a file"),
        (["demo", "--num-tasks", 4], "num_tasks must be at most 3"),
        (["demo", "--num-tasks", 0, "--out", "none/page.html"], "none/page.html cannot be written: No such file"),
        (["demo", "--country", "FRA", "--carbon-intensity", 3], "give one of them"),
        (["demo", "--pue", 0.5], "0.5 is not in the range x>=1"),
        ([], "Missing argument 'DIR'"),
    ],
)
def test_bad_input_is_one_sentence(run: Run, run_dir: Path, arguments: list[object], message: str) -> None:
    result = run("report", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
