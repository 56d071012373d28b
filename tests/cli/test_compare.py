"""``automl-zero compare``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.report.run_dirs import write_run

if TYPE_CHECKING:
    from tests.cli.conftest import Run


@pytest.fixture
def runs(tmp_path: Path) -> list[str]:
    """Two seeds of one configuration, and a run without result."""
    write_run(tmp_path / "a", outcome={"seed": 0, "solved": True, "final_fitness": 0.5})
    write_run(tmp_path / "b", outcome={"seed": 1, "final_fitness": 0.7})
    write_run(tmp_path / "c", finished=False)
    return ["a", "b", "c"]


def test_runs_are_listed_and_seeds_summarised(run: Run, runs: list[str]) -> None:
    result = run("compare", *runs[:2])
    assert result.exit_code == 0
    header, first, second, _, summary = result.stdout.splitlines()
    assert header.split()[:4] == ["run", "name", "seed", "state"]
    assert first.split()[:8] == ["a", "linear", "0", "finished", "0.990000", "0.980000", "0.500000", "yes"]
    assert second.split()[-5:] == ["4,000", "1,000", "7,200.0", "200,000", "7"]
    assert summary.startswith("linear, 2 seeds: 1 solved; mean search fitness 0.990000 ± 0.000000, ")
    assert summary.endswith("final fitness 0.600000 ± 0.100000.")


def test_a_run_without_result_is_listed_with_what_it_has(run: Run, runs: list[str]) -> None:
    line = run("compare", *runs).stdout.splitlines()[3]
    assert line.split()[:8] == ["c", "linear", "-", "unfinished", "0.990000", "-", "-", "no"]
    assert line.split()[-3] == "8.0"  # CPU seconds, of its last report


def test_a_summary_says_how_many_runs_it_is_of(run: Run, runs: list[str], tmp_path: Path) -> None:
    write_run(tmp_path / "d", outcome={"seed": 1, "final_fitness": None})
    summary = run("compare", *runs, "d").stdout.splitlines()[-1]
    assert summary.startswith("linear, 3 runs with 2 seeds: 1 solved; mean search fitness 0.990000 ± 0.000000, ")
    assert "final fitness 0.600000 ± 0.100000 (of 2). Not counted, as seed or fitness are not known: c." in summary
    (tmp_path / "c/checkpoint.json").write_text('{"state": {"seed": 2}}', encoding="utf-8")
    summary = run("compare", "a", "b", "c").stdout.splitlines()[-1]
    assert summary.startswith("linear, 3 seeds, 1 of them without result: 1 solved; ")
    assert "Not counted" not in summary


def test_the_comparison_as_json(run: Run, runs: list[str]) -> None:
    record = json.loads(run("compare", *runs, "--json").stdout)
    assert [row["run"] for row in record["runs"]] == runs
    assert record["runs"][2]["final_fitness"] is None


def test_a_plot_is_written(run: Run, runs: list[str], tmp_path: Path) -> None:
    assert run("compare", *runs, "--out", "plot.png").exit_code == 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_damaged_files_are_told_on_stderr(run: Run, runs: list[str], tmp_path: Path) -> None:
    (tmp_path / "b/best.json").write_text("{", encoding="utf-8")
    result = run("compare", *runs)
    assert result.exit_code == 0
    assert result.stderr.startswith("b: best.json cannot be used: it is not JSON, so it was cut off or changed.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name at least two run directories to compare, not 0"),
        (["a"], "name at least two run directories to compare, not 1"),
        (["a", "."], ". is not the directory of a run: it holds no config.toml of automl-zero"),
        (["a", "none"], "none is not the directory of a run: there is no such directory"),
        (["a", "b", "--out", "plot.gif"], "ends in .png, .svg, .pdf, not plot.gif"),
        (["a", "b", "--out", "none/plot.png"], "none/plot.png: No such file or directory"),
    ],
)
def test_bad_input_is_one_sentence(run: Run, runs: list[str], arguments: list[str], message: str) -> None:
    result = run("compare", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
