"""Run directories: never someone else's files, never half a file."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from automl_zero import programs
from automl_zero.evolution.config import load_config
from automl_zero.evolution.run_directory import OWN_FILES, RunDirectory, RunError, default_path
from automl_zero.program import Program


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "runs" / "first")


def full_disk(*args: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def contents(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}


def test_missing_directories_are_made(run: RunDirectory) -> None:
    assert contents(run.path) == {}


def test_the_configuration_can_be_run_again_as_it_is(run: RunDirectory) -> None:
    config = load_config("linear")
    run.write_config(config.to_toml())
    assert load_config(run.path / "config.toml") == config


def test_the_best_program_is_a_program_file(run: RunDirectory) -> None:
    run.write_best(programs.linear())
    assert Program.load(run.path / "best.json") == programs.linear()


def test_logs_grow_by_whole_lines(run: RunDirectory) -> None:
    run.append("metrics.jsonl", {"individuals": 1, "best": None})
    run.append("metrics.jsonl", {"individuals": 2, "best": 0.5})
    run.append("hall_of_fame.jsonl", {"fitness": 0.5})
    lines = (run.path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"individuals": 1, "best": None},
        {"individuals": 2, "best": 0.5},
    ]
    assert (run.path / "hall_of_fame.jsonl").read_text(encoding="utf-8") == '{"fitness": 0.5}\n'


@pytest.mark.parametrize("name", OWN_FILES)
def test_an_existing_run_is_refused(run: RunDirectory, name: str) -> None:
    (run.path / name).write_text("old", encoding="utf-8")
    run.release()
    with pytest.raises(RunError, match=rf"holds a run already \({name}\)"):
        RunDirectory.create(run.path)
    assert contents(run.path) == {name: "old"}


def test_force_deletes_the_files_of_the_run_and_no_others(run: RunDirectory) -> None:
    run.write_config('name = "old"\n')
    run.write_best(programs.linear())
    run.append("metrics.jsonl", {"individuals": 1})
    run.write_result({"solved": True})
    (run.path / "notes.txt").write_text("mine", encoding="utf-8")
    run.release()
    RunDirectory.create(run.path, force=True)
    assert contents(run.path) == {"notes.txt": "mine"}


def test_a_run_that_is_at_work_is_neither_replaced_nor_resumed(run: RunDirectory) -> None:
    run.write_config('name = "busy"\n')
    before = contents(run.path)
    for take in (RunDirectory.create, RunDirectory.open, lambda path: RunDirectory.create(path, force=True)):
        with pytest.raises(RunError, match="another process is at work on this run"):
            take(run.path)
    assert contents(run.path) == before
    run.release()
    RunDirectory.open(run.path).release()


def test_force_spares_a_config_that_is_not_of_a_run(run: RunDirectory) -> None:
    (run.path / "config.toml").write_text("[project]\n", encoding="utf-8")
    run.release()
    with pytest.raises(RunError, match="is not from a run of automl-zero"):
        RunDirectory.create(run.path, force=True)
    assert contents(run.path) == {"config.toml": "[project]\n"}


def test_other_files_do_not_make_a_run(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    RunDirectory.create(tmp_path).write_result({})
    assert contents(tmp_path) == {"notes.txt": "mine", "result.json": "{}\n"}


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    for path in (file, file / "below"):
        with pytest.raises(RunError, match="there is a file in its place"):
            RunDirectory.create(path)


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **settings: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match=r"new cannot be a run directory: Permission denied$"):
        RunDirectory.create(tmp_path / "new")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_on_a_full_disk_the_old_file_survives(run: RunDirectory, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    run.write_result({"solved": False})
    before = contents(run.path)
    monkeypatch.setattr(os, step, full_disk)
    with pytest.raises(RunError, match=r"result\.json cannot be written: No space left on device$"):
        run.write_result({"solved": True})
    assert contents(run.path) == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_logs_report_a_full_disk(run: RunDirectory) -> None:
    (run.path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(RunError, match=r"metrics\.jsonl cannot be written: No space left on device"):
        run.append("metrics.jsonl", {"individuals": 1})


def test_half_a_line_is_taken_back_when_the_disk_fills_up(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    run.append("metrics.jsonl", {"individuals": 1})
    before = contents(run.path)
    real_open = Path.open

    class FillingUp:
        """A file that takes five more bytes."""

        def __init__(self, file: Any) -> None:
            self.file, self.room = file, 5

        def __enter__(self) -> FillingUp:
            return self

        def __exit__(self, *error: Any) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            if not self.room:
                full_disk()
            written: int = self.file.write(data[: self.room])
            self.room -= written
            return written

        def tell(self) -> int:
            return int(self.file.tell())

        def truncate(self, length: int) -> None:
            self.file.truncate(length)

    monkeypatch.setattr(Path, "open", lambda path, *args, **settings: FillingUp(real_open(path, *args, **settings)))
    with pytest.raises(RunError, match="No space left on device"):
        run.append("metrics.jsonl", {"individuals": 2})
    monkeypatch.undo()
    assert contents(run.path) == before


def test_not_a_number_never_reaches_a_file(run: RunDirectory) -> None:
    with pytest.raises(ValueError, match="JSON"):
        run.write_result({"final_fitness": float("nan")})
    assert contents(run.path) == {}


def test_the_default_path_names_the_run_and_stays_below_runs() -> None:
    path = default_path("../my run", 3)
    assert path.parent == Path("runs")
    assert path.name.startswith("..-my-run-3-20")
