from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks import TaskSource, make_source

X = np.random.default_rng(0).standard_normal((60, 2))
SIZES = {name: {"num_tasks": 3, "num_train": 20, "num_valid": 10} for name in ("search", "select", "final")}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    classes = np.arange(60) % 3
    targets: dict[str, Any] = {f"is {label}": (classes == label) * 1.0 for label in range(3)}
    np.savez(tmp_path / "data.npz", allow_pickle=False, X=X, number=X @ [1.0, 2.0], **targets)
    return tmp_path / "data.npz"


def source(path: Path, **settings: Any) -> TaskSource:
    return make_source({"kind": "file", "path": str(path), **SIZES, **settings})


def test_each_target_has_its_tasks(path: Path) -> None:
    together = source(path, targets=["is 0", "is 2"], epochs=2)
    assert (together.evaluation, together.num_features) == ("accuracy", 2)
    for purpose in ("search", "select", "final"):
        tasks = getattr(together, purpose)(5)
        alone = [getattr(source(path, target=target, epochs=2), purpose)(5) for target in ("is 0", "is 2")]
        assert (tasks.num_tasks, tasks.epochs) == (6, 2)
        np.testing.assert_array_equal(tasks.train_x, np.concatenate([one.train_x for one in alone]))
        np.testing.assert_array_equal(tasks.valid_y, np.concatenate([one.valid_y for one in alone]))
        assert len(set(tasks.seeds.tolist())) == 6
    assert together.describe().startswith("2 targets, each: data.npz, classification (0, 1), 60 rows, 2 features")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"targets": []}, "targets is empty: at least one target is needed"),
        ({"targets": ["is 0", "number"]}, "targets must be all of numbers or all of two classes each"),
        ({"targets": "is 0"}, "targets must be a list of texts, got 'is 0'"),
        ({"targets": ["is 0"], "target": "is 1"}, "target and targets exclude each other"),
        ({"targets": ["is 9"]}, "has no target array 'is 9'"),
    ],
)
def test_bad_targets_are_refused(path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        source(path, **settings)
