from __future__ import annotations

import os
from pathlib import Path

import pytest

from automl_zero.cache_directory import cache_directory, write_atomically


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTOML_ZERO_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("/home/someone"))


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", "/home/someone/.cache/automl-zero"),
        ("darwin", "/home/someone/Library/Caches/automl-zero"),
        ("win32", "/home/someone/AppData/Local/automl-zero"),
    ],
)
def test_the_directory_is_in_the_platforms_usual_place(monkeypatch, platform, expected):
    monkeypatch.setattr("sys.platform", platform)
    assert cache_directory() == Path(expected)


def test_the_environment_chooses_another(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_directory() == Path("/somewhere/automl-zero")
    monkeypatch.setenv("AUTOML_ZERO_CACHE", "/here")
    assert cache_directory() == Path("/here")


def test_a_file_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "new" / "folder" / "file.o"
    for content in (b"first", b"second, longer", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_not_an_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    write_atomically(tmp_path / "file" / "below", b"content")
    path = tmp_path / "kept"
    path.write_bytes(b"old")

    def no_space(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", no_space)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["file", "kept"]
