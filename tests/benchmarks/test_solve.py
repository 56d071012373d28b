from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import processes, report, solve


def experiment(seconds: float) -> dict[str, Any]:
    return {"seconds": seconds, "select_tests": 1}


def finished(cpu_seconds: float, solved: bool) -> processes.Finished:
    result = {
        "solved": solved,
        "individuals": 3000,
        "evaluated": 600,
        "train_steps": 9000,
        "experiments": [experiment(1.0), experiment(0.5)],
        "search_fitness": 0.95,
        "select_fitness": 0.99995 if solved else 0.8,
        "final_fitness": 0.99996 if solved else 0.8,
    }
    return processes.Finished(result, cpu_seconds + 0.25, cpu_seconds, 100.0)


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Replaces the processes: seeds 0 and 2 are solved in 10 and 20 CPU seconds, the others not. Lists the commands."""
    called: list[list[str]] = []

    def evolve(arguments: list[str]) -> processes.Finished:
        called.append(arguments)
        if "--seed" not in arguments:
            return finished(1.0, solved=False)
        seed = int(arguments[arguments.index("--seed") + 1])
        return finished(10.0 * (seed // 2 + 1), solved=seed in (0, 2))

    monkeypatch.setattr(processes, "evolve", evolve)
    return called


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert solve.main([*arguments, "--json"]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def test_an_unsolved_seed_counts_as_the_limit(commands, capsys):
    record = run(capsys, "linear", "--seeds", "0-2", "--max-seconds", "50")
    assert [r["solved"] for r in record["runs"]] == [True, False, True]
    assert [r["counted_cpu_seconds"] for r in record["runs"]] == [10.0, 50.0, 20.0]
    assert record["summary"]["counted_cpu_seconds"] == {"median": 20.0, "min": 10.0, "max": 50.0}
    assert (record["summary"]["solved"], record["summary"]["seeds"]) == (2, 3)


def test_rates_are_over_the_time_of_the_searches(commands, capsys):
    record = run(capsys, "linear", "--seeds", "0")
    (only,) = record["runs"]
    assert only["individuals_per_second"] == pytest.approx(3000 / 1.5)
    assert only["evaluated_per_second"] == pytest.approx(600 / 1.5)
    assert (only["experiments"], only["select_tests"]) == (2, 2)


def test_a_first_run_warms_the_cache_up_and_is_not_counted(commands, capsys):
    record = run(capsys, "linear", "--seeds", "4,7", "--max-seconds", "30", "--set", "islands=2")
    assert commands[0] == ["linear", "--set", "islands=2", "--max-individuals", "1"]
    assert commands[1] == ["linear", "--set", "islands=2", "--seed", "4", "--max-seconds", "30.0"]
    assert [r["seed"] for r in record["runs"]] == [4, 7]
    assert record["settings"] == ["islands=2"]


def test_a_configuration_file_can_stand_for_the_preset(commands, capsys):
    run(capsys, "mine.toml", "--seeds", "0")
    assert commands[1][:2] == ["--config", "mine.toml"]


def test_the_report_is_written_to_the_file(commands, capsys, tmp_path: Path):
    path = tmp_path / "linear.json"
    record = run(capsys, "linear", "--seeds", "0-1", "--out", str(path))
    assert json.loads(path.read_text(encoding="utf-8")) == record


def test_the_text_has_a_line_a_seed_and_the_median(commands, capsys):
    assert solve.main(["linear", "--seeds", "0-1", "--max-seconds", "50"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[:2] for line in shown.splitlines()[5:8]] == [["0", "yes"], ["1", "no"], ["median", "1/2"]]
    assert shown.endswith("CPU seconds to solve: median 30.0 (10.0 to 50.0)\n")


@pytest.mark.parametrize("seeds", ["", "a", "3-1", "1-", "-1", "0,,1"])
def test_bad_seeds_are_refused(commands, capsys, seeds):
    assert solve.main(["linear", f"--seeds={seeds}"]) == 2
    assert "expected seeds like 0-9" in capsys.readouterr().err
    assert commands == []


def test_seeds_are_read_from_ranges_and_lists():
    assert report.parse_seeds("0-2, 5,7-7") == [0, 1, 2, 5, 7]


def test_a_limit_that_is_not_positive_is_refused(commands, capsys):
    assert solve.main(["linear", "--max-seconds", "0"]) == 2
    assert "expected more than 0" in capsys.readouterr().err


def test_what_a_process_used_is_its_own():
    found = processes.evolve(["linear", "--max-individuals", "2000"])
    assert found.result["individuals"] == 2000
    assert found.cpu_seconds > found.result["cpu_seconds"] > 0
    assert found.seconds > found.result["seconds"] > 0
    assert found.peak_memory_mib > 10


def test_a_process_that_fails_is_reported_with_its_message():
    with pytest.raises(RuntimeError, match=r"(?s)status 2.*unknown preset 'nowhere'"):
        processes.evolve(["nowhere"])
