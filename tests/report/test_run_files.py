"""Reading a run directory, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl_zero.evolution.run_directory import RunDirectory, RunError
from automl_zero.report.run_files import read_run
from tests.report.run_dirs import METRICS, WriteRun, evolved, lineage


def test_a_finished_run_is_read(write_run: WriteRun) -> None:
    facts = read_run(write_run(steps=lineage()))
    assert facts.state == "finished"
    assert (facts.name, facts.seed, facts.program) == ("linear", 7, evolved())
    assert (facts.figures.final_fitness, facts.figures.cpu_seconds) == (0.97, 7200.0)
    assert facts.figures.peak_memory_mib == 1024.0
    assert [m.individuals for m in facts.metrics] == [m["individuals"] for m in METRICS]
    assert facts.experiments[0].select_fitness == 0.5
    assert facts.lineage is not None
    assert [step.mutation for step in facts.lineage] == ["start", "insert_instruction"]
    assert facts.notes == ()


def test_an_interrupted_run_says_so(write_run: WriteRun) -> None:
    assert read_run(write_run(outcome={"interrupted": True})).state == "interrupted"


def test_a_run_without_result_has_the_figures_of_its_reports(write_run: WriteRun) -> None:
    facts = read_run(write_run(finished=False))
    assert facts.state == "unfinished"
    assert facts.figures.search_fitness == 0.99
    assert facts.figures.individuals == 4000
    assert facts.figures.final_fitness is None
    assert facts.lineage is None


def test_seed_and_cpu_time_of_a_run_without_result_are_those_of_its_checkpoint(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    state = {"seed": 3, "cpu_seconds": 12.0, "done": {"records": [{"individuals": 5}]}, "versions": {"python": "3"}}
    (path / "checkpoint.json").write_text(json.dumps({"state": state}), encoding="utf-8")
    facts = read_run(path)
    assert (facts.seed, facts.figures.cpu_seconds, facts.versions) == (3, 12.0, {"python": "3"})
    assert facts.experiments[0].individuals == 5


def test_a_run_that_a_process_is_at_work_on_is_running(write_run: WriteRun) -> None:
    path = write_run()
    taken = RunDirectory.open(path)
    try:
        facts = read_run(path)
    finally:
        taken.release()
    assert facts.state == "running"
    assert facts.figures.final_fitness is None  # the result is of before
    assert read_run(path).state == "finished"


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("result.json", "{", "result.json cannot be used"),
        ("result.json", "[1]", "result.json cannot be used: it holds no JSON object."),
        ("result.json", "[" * 100_000, "result.json cannot be used"),
        ("best.json", '{"format": "other"}', "best.json cannot be used"),
        ("metrics.jsonl", '{"individuals": "<b>"}\n{"indi', "metrics.jsonl has 2 lines that cannot be used."),
        ("lineage.jsonl", '{"fitness": 1}\n', "lineage.jsonl has 1 line that cannot be used."),
        ("config.toml", "# Configuration of a run of automl-zero\nnam = 1", "config.toml cannot be used"),
    ],
)
def test_a_damaged_file_is_a_note_and_the_rest_is_read(write_run: WriteRun, name: str, text: str, note: str) -> None:
    path = write_run()
    (path / name).write_text(text, encoding="utf-8")
    facts = read_run(path)
    assert [note in found for found in facts.notes] == [True]


@pytest.mark.parametrize("value", ["<script>", True, None, [1]])
def test_what_should_be_a_number_and_is_not_is_not_known(write_run: WriteRun, value: object) -> None:
    path = write_run()
    record = json.loads((path / "result.json").read_text(encoding="utf-8"))
    record |= {"final_fitness": value, "seed": value if value is not True else 1.5, "experiments": value}
    (path / "result.json").write_text(json.dumps(record), encoding="utf-8")
    facts = read_run(path)
    assert (facts.figures.final_fitness, facts.seed, facts.experiments) == (None, None, ())


def test_a_number_that_is_not_finite_is_not_known(write_run: WriteRun) -> None:
    path = write_run()
    text = (path / "result.json").read_text(encoding="utf-8").replace('"final_fitness": 0.97', '"final_fitness": NaN')
    (path / "result.json").write_text(text, encoding="utf-8")
    assert read_run(path).figures.final_fitness is None


def test_a_directory_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is not the directory of a run: it holds no config\.toml of automl-zero"):
        read_run(tmp_path)
    (tmp_path / "config.toml").write_text("[tool]\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"it holds no config\.toml of automl-zero"):
        read_run(tmp_path)
    with pytest.raises(RunError, match="is not the directory of a run: there is no such directory"):
        read_run(tmp_path / "none")
    with pytest.raises(RunError, match="is not the directory of a run: it is a file"):
        read_run(tmp_path / "config.toml")
