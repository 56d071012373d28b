"""Reading a run directory, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl_zero import programs
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


def write_checkpoint(path: Path, **state: object) -> None:
    (path / "checkpoint.json").write_text(json.dumps({"state": state}), encoding="utf-8")


def test_the_seed_of_a_run_without_result_is_that_of_its_checkpoint(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    write_checkpoint(path, seed=3, versions={"python": "3"})
    facts = read_run(path)
    assert (facts.seed, facts.versions, facts.experiments) == (3, {"python": "3"}, ())


def test_experiments_of_a_run_without_result_are_those_of_the_log(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    (path / "experiments.jsonl").write_text('{"individuals": 5}\n[]\n{"individuals": 7}\n', encoding="utf-8")
    facts = read_run(path)
    assert [experiment.individuals for experiment in facts.experiments] == [5, 7]
    assert "experiments.jsonl has 1 line that cannot be used." in facts.notes


def without_cpu_time(path: Path) -> None:
    """Let the log be that of a version that did not note the CPU time."""
    lines = [{key: value for key, value in record.items() if key != "cpu_seconds"} for record in METRICS]
    (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_time_and_cpu_time_of_a_run_without_result_are_of_one_moment(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    begun = {"experiment": {"number": 0}, "done": {"experiments": 0}}
    write_checkpoint(path, seconds=0.1, cpu_seconds=0.05, **begun)
    assert (read_run(path).figures.seconds, read_run(path).figures.cpu_seconds) == (4.0, 8.0)
    without_cpu_time(path)
    assert (read_run(path).figures.seconds, read_run(path).figures.cpu_seconds) == (4.0, None)
    write_checkpoint(path, seconds=60.0, cpu_seconds=100.0, **begun)
    assert (read_run(path).figures.seconds, read_run(path).figures.cpu_seconds) == (60.0, 100.0)


def test_the_checkpoint_before_the_search_says_nothing_about_its_cost(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    (path / "metrics.jsonl").unlink()
    write_checkpoint(path, seconds=0.01, cpu_seconds=0.004, experiment=None, done={"individuals": 0, "experiments": 0})
    figures = read_run(path).figures
    assert (figures.seconds, figures.cpu_seconds, figures.individuals) == (None, None, None)


# -- the best program ------------------------------------------------------------------------------------------------


def test_fitness_of_a_run_without_result_is_that_of_its_program(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    other, fitness = programs.linear(), {"search_fitness": 0.4, "select_fitness": 0.7}
    write_checkpoint(path, best={"program": other.to_dict(), **fitness})
    assert (read_run(path).figures.search_fitness, read_run(path).figures.select_fitness) == (0.99, None)
    other.save(path / "best.json")
    assert (read_run(path).figures.search_fitness, read_run(path).figures.select_fitness) == (0.4, 0.7)
    programs.neural_net().save(path / "best.json")  # of which no file tells
    assert (read_run(path).figures.search_fitness, read_run(path).figures.select_fitness) == (None, None)


def test_without_best_json_the_program_of_the_result_is_the_best(write_run: WriteRun) -> None:
    path = write_run()
    (path / "best.json").write_text("{", encoding="utf-8")
    facts = read_run(path)
    assert facts.program == evolved()
    assert facts.notes == (
        "best.json cannot be used: it is not JSON, so it was cut off or changed.",
        "In place of best.json, the program of result.json is shown.",
    )


def test_without_a_result_too_the_fittest_of_the_hall_of_fame_is(write_run: WriteRun) -> None:
    path = write_run(finished=False)
    entry = {"experiment": 1, "individuals": 1, "search_fitness": 0.3, "program": programs.linear().to_dict()}
    damaged = {**entry, "search_fitness": 2.0, "program": {"format": "other"}}
    with (path / "hall_of_fame.jsonl").open("a", encoding="utf-8") as log:
        log.writelines(json.dumps(line) + "\n" for line in (entry, damaged))
    (path / "best.json").unlink()
    facts = read_run(path)
    assert (facts.program, facts.figures.search_fitness) == (evolved(), 0.99)
    expected = "In place of best.json, the program with the highest search fitness of hall_of_fame.jsonl is shown."
    assert facts.notes == (expected,)


def test_when_nothing_else_is_left_the_lineage_ends_with_the_program(write_run: WriteRun) -> None:
    path = write_run(finished=False, steps=lineage())
    for name in ("best.json", "hall_of_fame.jsonl"):
        (path / name).unlink()
    facts = read_run(path)
    assert (facts.program, facts.figures.search_fitness) == (programs.linear(), 0.99)


@pytest.mark.parametrize(
    ("damaged", "sentence"),
    [
        ((), "No program can be shown: best.json, result.json and hall_of_fame.jsonl are missing."),
        (
            ("best.json", "result.json"),
            "No program can be shown: best.json and result.json cannot be used, and hall_of_fame.jsonl is missing.",
        ),
        (
            ("best.json", "result.json", "hall_of_fame.jsonl"),
            "No program can be shown: best.json, result.json and hall_of_fame.jsonl cannot be used.",
        ),
    ],
)
def test_the_files_to_blame_for_the_want_of_a_program_are_named(
    write_run: WriteRun, damaged: tuple[str, ...], sentence: str
) -> None:
    path = write_run()
    for name in ("best.json", "result.json", "hall_of_fame.jsonl"):
        (path / name).unlink()
    for name in damaged:
        (path / name).write_text("{", encoding="utf-8")
    facts = read_run(path)
    assert (facts.program, facts.no_program) == (None, sentence)
    assert facts.state == ("damaged" if "result.json" in damaged else "unfinished")
    assert facts.figures.search_fitness == 0.99  # the highest that was reported


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
        ("result.json", "{", "result.json cannot be used: it is not JSON, so it was cut off or changed."),
        ("result.json", "[1]", "result.json cannot be used: it holds no JSON object."),
        ("result.json", "[" * 100_000, "result.json cannot be used: it is nested too deeply."),
        ("result.json", "\xe9", "result.json cannot be used: it is not text in UTF-8."),
        ("metrics.jsonl", "\xe9", "metrics.jsonl cannot be used: it is not text in UTF-8."),
        ("metrics.jsonl", '{"individuals": "<b>"}\n{"indi', "metrics.jsonl has 2 lines that cannot be used."),
        ("lineage.jsonl", '{"fitness": 1}\n', "lineage.jsonl has 1 line that cannot be used."),
        ("config.toml", "# Configuration of a run of automl-zero\nnam = 1", "config.toml cannot be used"),
    ],
)
def test_a_damaged_file_is_a_note_and_the_rest_is_read(write_run: WriteRun, name: str, text: str, note: str) -> None:
    path = write_run()
    (path / name).write_text(text, encoding="latin-1")
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
