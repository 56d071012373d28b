from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl_zero import programs
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.origin import Origin, find_origin, known_num_classes

LINEAR = '[tasks]\nkind = "linear"\n'
TABLE = '[tasks]\nkind = "file"\npath = "../grades.csv"\ntarget = "grade"\n'


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    directory = RunDirectory.create(tmp_path / "run")
    directory.release()
    directory.write_config(TABLE)
    directory.write_best(programs.softmax_linear())
    rows = [f"{i % 7},{i % 5},{i % 3},{'abc'[i % 3]}\n" for i in range(60)]
    (tmp_path / "grades.csv").write_text("u,v,w,grade\n" + "".join(rows), encoding="utf-8")
    return directory.path


def origin_of(path: Path) -> Origin:
    origin = find_origin(path)
    assert origin is not None
    return origin


def test_a_run_directory_and_its_best_program_know_the_classes_of_the_run(run_dir: Path) -> None:
    assert known_num_classes(run_dir) == known_num_classes(str(run_dir / "best.json")) == 3
    RunDirectory(run_dir).write_config(LINEAR)
    assert known_num_classes(run_dir) == known_num_classes(run_dir / "best.json") == 0


def test_a_program_elsewhere_has_no_origin(run_dir: Path, tmp_path: Path) -> None:
    for path in (run_dir / "other.json", tmp_path / "best.json", tmp_path, tmp_path / "missing"):
        assert find_origin(path) is None
        assert known_num_classes(path) is None


def test_a_configuration_of_something_else_beside_a_program_is_none_of_a_run(run_dir: Path) -> None:
    (run_dir / "config.toml").write_text(LINEAR, encoding="utf-8")
    assert find_origin(run_dir / "best.json") is None


@pytest.mark.parametrize("tasks", ['[tasks]\nkind = "file"\npath = "gone.csv"\n', '[tasks]\nkind = "?"\n', ""])
def test_tasks_that_cannot_be_read_leave_the_classes_unknown(run_dir: Path, tasks: str) -> None:
    RunDirectory(run_dir).write_config(tasks)
    assert known_num_classes(run_dir) is None


def test_a_damaged_configuration_is_an_error_of_the_run_but_not_of_its_program(run_dir: Path) -> None:
    RunDirectory(run_dir).write_config("[tasks")
    with pytest.raises(ValueError, match=r"config\.toml: is not a TOML file: "):
        find_origin(run_dir)
    assert find_origin(run_dir / "best.json") is None


def test_the_seed_is_that_of_the_result_or_else_of_a_checkpoint(run_dir: Path) -> None:
    origin = origin_of(run_dir)
    assert origin.seed is None
    for name, record, seed in (
        ("checkpoint.previous.json", {"state": {"seed": 3}}, 3),
        ("checkpoint.json", {"state": {"seed": 4}}, 4),
        ("result.json", {"seed": 5}, 5),
        ("result.json", {"seed": -1}, 4),
        ("result.json", {"seed": True}, 4),
        ("result.json", [], 4),
    ):
        (run_dir / name).write_text(json.dumps(record), encoding="utf-8")
        assert origin.seed == seed
    (run_dir / "checkpoint.json").write_text('{"state": {"se', encoding="utf-8")
    assert origin.seed == 3


@pytest.mark.parametrize(
    ("line", "dtype"), [('dtype = "float64"', "float64"), ("", "float32"), ("dtype = 64", "float32")]
)
def test_the_type_of_numbers_is_that_of_the_configuration(run_dir: Path, line: str, dtype: str) -> None:
    RunDirectory(run_dir).write_config(f"{line}\n{LINEAR}")
    assert origin_of(run_dir).dtype == dtype
