from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import ImageSet, Sizes, TaskSet, set_aside_rows, task_seeds
from automl_zero.tasks import projected_cache as cache
from automl_zero.tasks.images import selection_rows
from automl_zero.tasks.projected_cache import cached_arrays
from automl_zero.tasks.projection import Arrays, ProjectedTasks

SOURCE = [["file", 1, 2]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path))
    return tmp_path / "tasks"


@pytest.fixture
def tasks() -> ProjectedTasks:
    rng = np.random.default_rng(0)
    labels = np.tile([0, 1, 2], 30)
    set_aside = set_aside_rows(labels)
    images = rng.integers(0, 256, size=(90, 4, 4), dtype=np.uint8)
    data = ImageSet("small", images, labels, set_aside, selection_rows(labels, set_aside, 0.2))
    return ProjectedTasks(data, ((0, 1), (0, 2), (1, 2)), Sizes(5, 20, 8), 4, 7, "select")


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tasks that were built, by index."""
    built: list[int] = []
    task = ProjectedTasks.task

    def counted(self: ProjectedTasks, index: int) -> Arrays:
        built.append(index)
        return task(self, index)

    monkeypatch.setattr(ProjectedTasks, "task", counted)
    return built


def check(found: Arrays, tasks: ProjectedTasks) -> None:
    for array, expected in zip(found, tasks.build(), strict=True):
        assert np.array_equal(array, expected)
        assert not array.flags.writeable


@pytest.mark.parametrize("changes", [{}, {"one_hot": True, "choices": ((0, 1, 2),)}, {"num_features": None}])
def test_the_cached_arrays_are_those_built_in_memory(tasks: ProjectedTasks, changes: dict[str, Any]) -> None:
    tasks = replace(tasks, **changes)
    for _ in range(2):
        check(cached_arrays(tasks, SOURCE), tasks)


def test_a_set_is_built_once(tasks: ProjectedTasks, builds: list[int], folder: Path) -> None:
    for _ in range(3):
        cached_arrays(tasks, SOURCE)
    assert builds == list(range(5))
    assert [path.suffix for path in folder.iterdir()] == [".npy"]


def test_a_task_set_takes_the_mapped_arrays_without_a_copy(tasks: ProjectedTasks) -> None:
    arrays = cached_arrays(tasks, SOURCE)
    made = TaskSet("mapped", "accuracy", *arrays, seeds=task_seeds(0, 5))
    assert np.shares_memory(made.train_x, arrays[0])
    assert np.shares_memory(made.valid_y, arrays[3])


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 8},
        {"role": "search"},
        {"num_features": 5},
        {"sizes": Sizes(5, 20, 7)},
        {"choices": ((0, 1), (0, 2))},
        {"choices": ((1, 0), (0, 2), (1, 2))},
    ],
)
def test_other_tasks_have_a_file_of_their_own(tasks: ProjectedTasks, changes: dict[str, Any], folder: Path) -> None:
    cached_arrays(tasks, SOURCE)
    other = replace(tasks, **changes)
    check(cached_arrays(other, SOURCE), other)
    assert len(list(folder.iterdir())) == 2


def test_other_image_files_have_a_file_of_their_own(tasks: ProjectedTasks, builds: list[int], folder: Path) -> None:
    cached_arrays(tasks, SOURCE)
    cached_arrays(tasks, [["file", 1, 3]])
    assert builds == [*range(5), *range(5)]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("keep", [0, 5, 100, 2000, -8, -1])
def test_a_truncated_file_is_built_anew(tasks: ProjectedTasks, folder: Path, keep: int, builds: list[int]) -> None:
    cached_arrays(tasks, SOURCE)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    cached_arrays(tasks, SOURCE)
    assert builds == [*range(5), *range(5)]
    assert path.read_bytes() == whole


@pytest.mark.parametrize("place", [1, 20, 200, 3000, -2])
def test_a_file_with_a_wrong_bit_is_built_anew(tasks: ProjectedTasks, folder: Path, place: int) -> None:
    cached_arrays(tasks, SOURCE)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[place] ^= 0x10
    path.write_bytes(damaged)
    check(cached_arrays(tasks, SOURCE), tasks)
    assert path.read_bytes() == whole


def test_without_a_folder_that_can_be_written_sets_are_built_in_memory(
    tasks: ProjectedTasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "file"))
    check(cached_arrays(tasks, SOURCE), tasks)


def test_a_full_disk_is_not_filled_further(
    tasks: ProjectedTasks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    check(cached_arrays(tasks, SOURCE), tasks)
    assert list(folder.iterdir()) == []


def test_a_disk_that_fills_up_leaves_no_file(
    tasks: ProjectedTasks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(cache, "_write_tasks", no_space)
    check(cached_arrays(tasks, SOURCE), tasks)
    assert list(folder.iterdir()) == []


def test_an_interrupted_build_leaves_no_file(
    tasks: ProjectedTasks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "_write_tasks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cached_arrays(tasks, SOURCE)
    assert list(folder.iterdir()) == []


def used(path: Path, seconds_ago: float) -> None:
    now = path.stat().st_mtime
    os.utime(path, (now - seconds_ago, now - seconds_ago))


def test_the_sets_used_longest_ago_are_deleted_when_all_together_are_too_large(
    tasks: ProjectedTasks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[Path] = []
    for seed in range(4):
        cached_arrays(replace(tasks, seed=seed), SOURCE)
        (new,) = (path for path in folder.iterdir() if path not in paths)
        used(new, 1000 * (4 - seed))
        paths.append(new)
    cached_arrays(replace(tasks, seed=1), SOURCE)  # so that seed 0's and then seed 2's is the oldest
    monkeypatch.setattr(cache, "MAX_BYTES", 3 * paths[0].stat().st_size + 100)
    cached_arrays(replace(tasks, seed=4), SOURCE)
    kept = {path for path in folder.iterdir() if path in paths}
    assert kept == {paths[1], paths[3]}


def test_a_set_larger_than_the_limit_is_the_only_one_kept(
    tasks: ProjectedTasks, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached_arrays(tasks, SOURCE)
    monkeypatch.setattr(cache, "MAX_BYTES", 10)
    check(cached_arrays(replace(tasks, seed=9), SOURCE), replace(tasks, seed=9))
    assert len(list(folder.iterdir())) == 1


def test_unfinished_files_that_were_left_behind_are_deleted(tasks: ProjectedTasks, folder: Path) -> None:
    folder.mkdir()
    for name in ("old.new", "young.new"):
        (folder / name).write_bytes(b"unfinished")
    used(folder / "old.new", 5000)
    cached_arrays(tasks, SOURCE)
    assert {path.name for path in folder.iterdir() if path.suffix == ".new"} == {"young.new"}
