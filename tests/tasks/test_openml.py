"""Fetching from OpenML, with scikit-learn's part replaced: no test goes online."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import Sizes, image_source, make_source
from automl_zero.tasks.image_files import find, load, openml
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS

NUM_TEST = 40


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What scikit-learn is asked to fetch; it answers with 340 images."""
    monkeypatch.delenv("AUTOML_ZERO_DATA", raising=False)
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(find, "SYSTEM_FOLDER", tmp_path / "system")
    load.fetch_files.cache_clear()
    calls: list[dict[str, Any]] = []
    labels = np.tile(np.arange(10), 34)
    pixels = np.random.default_rng(0).integers(0, 256, size=(340, 784)).astype(np.float64)

    def fetch_openml(**arguments: Any) -> SimpleNamespace:
        calls.append(arguments)
        return SimpleNamespace(data=pixels, target=labels.astype(str).astype(object))

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    monkeypatch.setitem(IMAGE_KINDS, "mnist", replace(IMAGE_KINDS["mnist"], num_test=NUM_TEST))
    return calls


SIZES = dict.fromkeys(("search_sizes", "select_sizes", "final_sizes"), Sizes(3, 20, 4))


def test_data_are_fetched_when_they_are_absent_and_that_is_asked_for(asked: list[dict[str, Any]]) -> None:
    source = image_source("mnist", download=True, **SIZES)
    assert asked == []  # not before tasks are made
    tasks = source.search(0)
    assert (tasks.num_tasks, tasks.num_features) == (3, 16)
    assert [call["data_id"] for call in asked] == [554]
    data, _ = source.images.load()
    assert np.flatnonzero(data.set_aside).tolist() == list(range(300, 340))


def test_data_that_were_fetched_before_are_found_without_asking(asked: list[dict[str, Any]]) -> None:
    first = image_source("mnist", download=True, **SIZES).search(0)
    again = image_source("mnist", **SIZES).search(0)
    assert np.array_equal(first.train_x, again.train_x)
    assert len(asked) == 1


def test_nothing_is_fetched_unasked(asked: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="mnist: its files were not found"):
        make_source({"kind": "mnist"})
    assert asked == []


def test_a_failure_is_one_sentence(asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: Any) -> None:
        raise OSError("<urlopen error\n name resolution>")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", offline)
    with pytest.raises(
        ValueError, match=r"^mnist: could not be fetched from OpenML \(data set 554\): <urlopen error name"
    ):
        image_source("mnist", download=True, **SIZES).search(0)


@pytest.mark.parametrize(
    ("data", "target", "message"),
    [
        (
            np.zeros((50, 9)),
            np.zeros(50),
            r"mnist: OpenML's data have shape \(50, 9\), where \(images, 784\) is expected",
        ),
        (np.full((50, 784), 256.0), np.zeros(50), "mnist: OpenML's pixels are not bytes"),
        (np.zeros((50, 784)), np.array(["a"] * 50), "mnist: OpenML's labels are not numbers"),
        (np.zeros((40, 784)), np.zeros(40), "mnist: OpenML's data set 554 has 40 images, too few"),
    ],
)
def test_fetched_data_of_another_form_are_refused(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, data: Any, target: Any, message: str
) -> None:
    fetched = SimpleNamespace(data=data, target=target)
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda **_: fetched)
    with pytest.raises(ValueError, match=message):
        image_source("mnist", download=True, **SIZES).search(0)


def test_fetched_data_that_cannot_be_kept_are_used_all_the_same(
    asked: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("AUTOML_ZERO_CACHE", str(tmp_path / "file"))
    assert not openml.download_folder().exists()
    assert image_source("mnist", download=True, **SIZES).search(0).num_tasks == 3
