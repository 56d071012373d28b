from __future__ import annotations

import dataclasses
import mmap
import tracemalloc
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from automl_zero.tasks import TaskSet, task_seeds
from automl_zero.tasks.streams import purpose_seed, stream


def arrays(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    values: dict[str, Any] = {
        "name": "test",
        "evaluation": "rmse",
        "train_x": rng.normal(size=(3, 5, 2)),
        "train_y": rng.normal(size=(3, 5)),
        "valid_x": rng.normal(size=(3, 4, 2)),
        "valid_y": rng.normal(size=(3, 4)),
        "seeds": task_seeds(0, 3),
    }
    return values | changes


def test_sizes_are_read_from_the_arrays() -> None:
    tasks = TaskSet(**arrays())
    assert (tasks.num_tasks, tasks.num_train, tasks.num_valid, tasks.num_features) == (3, 5, 4, 2)


@pytest.mark.parametrize(
    "given",
    [np.ones((3, 5, 2), dtype=np.float32), np.ones((2, 5, 3)).T, np.ones((3, 5, 2), dtype=np.int64)],
    ids=["float32", "transposed", "integers"],
)
def test_arrays_become_contiguous_float64(given: np.ndarray[Any, Any]) -> None:
    train_x = TaskSet(**arrays(train_x=given)).train_x
    assert train_x.dtype == np.float64
    assert train_x.flags.c_contiguous
    assert np.array_equal(train_x, given)


@pytest.mark.parametrize("field", ["train_x", "train_y", "valid_x", "valid_y", "seeds"])
def test_arrays_cannot_be_written_to(field: str) -> None:
    tasks = TaskSet(**arrays())
    with pytest.raises(ValueError, match="read-only"):
        getattr(tasks, field)[:] = 0


def test_changing_the_callers_array_does_not_change_the_tasks() -> None:
    values = arrays()
    before = values["train_x"].copy()
    tasks = TaskSet(**values)
    values["train_x"][:] = 7
    assert np.array_equal(tasks.train_x, before)


def test_a_read_only_view_of_a_writeable_array_is_copied() -> None:
    owner = np.zeros((3, 5, 2))
    view = owner[:]
    view.flags.writeable = False
    tasks = TaskSet(**arrays(train_x=view))
    owner[:] = 7
    assert not tasks.train_x.any()


def test_the_fields_cannot_be_replaced() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TaskSet(**arrays()).epochs = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation": "mse"}, "evaluation must be one of rmse, accuracy, got 'mse'"),
        ({"epochs": 0}, "epochs must be an integer of at least 1, got 0"),
        ({"epochs": True}, "epochs must be an integer"),
        ({"max_abs_error": 0.0}, "max_abs_error must be a positive, finite number, got 0.0"),
        ({"max_abs_error": float("nan")}, "max_abs_error must be a positive, finite number, got nan"),
        ({"max_abs_error": "100"}, "max_abs_error must be a positive, finite number, got '100'"),
        ({"train_x": np.ones((3, 5))}, r"train_x must have 3 dimensions .*, got shape \(3, 5\)"),
        ({"train_x": np.ones((3, 0, 2)), "train_y": np.ones((3, 0))}, "train_x must not be empty"),
        ({"valid_x": np.ones((3, 4, 0))}, "valid_x must not be empty"),
        ({"train_y": np.ones((3, 6))}, "train_x and train_y must agree in tasks and examples"),
        ({"valid_x": np.ones((3, 4, 3))}, "as many features, got 2 and 3"),
        ({"valid_x": np.ones((2, 4, 2)), "valid_y": np.ones((2, 4))}, "as many tasks, got 3 and 2"),
        ({"seeds": task_seeds(0, 2)}, r"seeds must have shape \(3,\), one a task, got \(2,\)"),
        ({"seeds": np.array([0, 1, -1])}, "seeds must be an array of integers of at least 0"),
        ({"seeds": np.array([0.0, 1.0, 2.0])}, "seeds must be an array of integers of at least 0"),
        ({"train_x": np.full((3, 5, 2), "a")}, "train_x must be an array of real numbers"),
        ({"train_x": np.ones((3, 5, 2)) * 1j}, "train_x must be an array of real numbers"),
        ({"train_x": [[1.0], [1.0, 2.0]]}, "train_x must be a rectangular array of numbers"),
        ({"evaluation": "accuracy"}, r"train_y\[0, 0\] must be 0 or 1 where evaluation is accuracy"),
    ],
)
def test_unusable_arguments_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TaskSet(**arrays(**changes))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("field", ["train_x", "train_y", "valid_x", "valid_y"])
def test_a_value_that_is_not_finite_is_named(field: str, bad: float) -> None:
    values = arrays()
    place = (1, 3, 0)[: values[field].ndim]
    values[field][place] = bad
    index = ", ".join(map(str, place))
    with pytest.raises(ValueError, match=rf"{field}\[{index}\] must be finite, got {bad}"):
        TaskSet(**values)


def one_hot(**changes: Any) -> dict[str, Any]:
    """Arguments of a set with vector labels of two classes."""
    train_y, valid_y = np.eye(2)[[[0, 1, 0, 1, 1]] * 3], np.eye(2)[[[0, 1, 1, 0]] * 3]
    return arrays(evaluation="accuracy", train_y=train_y, valid_y=valid_y) | changes


def test_scalar_labels_have_no_classes_and_vector_labels_do() -> None:
    assert TaskSet(**arrays()).num_classes == 0
    assert "classes" not in repr(TaskSet(**arrays()))
    tasks = TaskSet(**one_hot())
    assert tasks.num_classes == 2
    assert "accuracy, 2 classes, 3 tasks" in repr(tasks)
    assert tasks.take(1).train_y.shape == (1, 5, 2)


def bad_row(*row: float) -> np.ndarray[Any, Any]:
    labels: np.ndarray[Any, Any] = one_hot()["valid_y"]
    labels[2, 1] = row
    return labels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"evaluation": "rmse"}, "evaluation must be accuracy for vector labels, got 'rmse'"),
        ({"valid_y": bad_row(0, 0)}, r"valid_y\[2, 1\] must be one-hot, one 1 among zeros, got \[0. 0.\]"),
        ({"valid_y": bad_row(1, 1)}, r"valid_y\[2, 1\] must be one-hot, one 1 among zeros, got \[1. 1.\]"),
        ({"valid_y": bad_row(0.5, 0.5)}, r"valid_y\[2, 1\] must be one-hot"),
        ({"valid_y": bad_row(1, -1)}, r"valid_y\[2, 1\] must be one-hot"),
        ({"valid_y": bad_row(1, np.nan)}, r"valid_y\[2, 1, 1\] must be finite, got nan"),
        ({"valid_y": np.zeros((3, 4))}, r"labels of one kind, .* got shapes \(3, 5, 2\) and \(3, 4\)"),
        ({"valid_y": np.eye(3)[[[0] * 4] * 3]}, r"as many classes, got shapes \(3, 5, 2\) and \(3, 4, 3\)"),
        ({"valid_y": np.eye(2)[[[0] * 3] * 3]}, "valid_x and valid_y must agree in tasks and examples"),
        ({"train_y": np.ones((3, 5, 1)), "valid_y": np.ones((3, 4, 1))}, "must have 2 to 2 classes, .* got 1"),
        (
            {"train_y": np.eye(3)[[[0] * 5] * 3], "valid_y": np.eye(3)[[[0] * 4] * 3]},
            "vector labels must have 2 to 2 classes, as many as there are features at most, got 3",
        ),
        (
            {"train_y": np.zeros((3, 5, 2, 1))},
            r"train_y must have 2 dimensions \[tasks, examples\] or, for vector labels, 3 .*, got shape \(3, 5, 2, 1\)",
        ),
    ],
)
def test_unusable_vector_labels_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TaskSet(**one_hot(**changes))


def mapped(path: Path, values: np.ndarray[Any, Any], mode: Literal["r", "r+", "c"]) -> np.ndarray[Any, Any]:
    np.save(path, values)
    array: np.ndarray[Any, Any] = np.load(path, mmap_mode=mode)
    return array


def test_arrays_mapped_from_a_file_for_reading_are_not_copied(tmp_path: Path) -> None:
    x, y = (mapped(tmp_path / f"{name}.npy", one_hot()[name], "r") for name in ("train_x", "train_y"))
    tasks = TaskSet(**one_hot(train_x=x, train_y=y))
    assert np.shares_memory(tasks.train_x, x)
    assert np.shares_memory(tasks.take(2).train_y, y)


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_arrays_mapped_for_writing_are_copied(tmp_path: Path, mode: Literal["r+", "c"]) -> None:
    x = mapped(tmp_path / "x.npy", arrays()["train_x"], mode)
    before = x.copy()
    tasks = TaskSet(**arrays(train_x=x))
    x[:] = 7
    assert np.array_equal(tasks.train_x, before)


def test_a_read_only_array_over_a_writeable_map_is_copied() -> None:
    owner = mmap.mmap(-1, 3 * 5 * 2 * 8)
    x = np.ndarray(30, np.float64, buffer=owner)
    x.flags.writeable = False
    assert isinstance(x.base, mmap.mmap)
    x = x.reshape(3, 5, 2)
    tasks = TaskSet(**arrays(train_x=x))
    owner[:8] = b"\1" * 8
    assert x.any()
    assert not tasks.train_x.any()


def test_checks_take_little_memory_beside_large_arrays() -> None:
    train_x, labels = np.zeros((1, 500_000, 4)), np.zeros((1, 500_000, 3))
    labels[..., 1] = 1
    for array in (train_x, labels):
        array.flags.writeable = False
    small = np.zeros((1, 1, 4)), np.eye(3)[None, :1]
    tracemalloc.start()
    TaskSet("large", "accuracy", train_x, labels, *small, task_seeds(0, 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6  # the arrays take 28 MB


def test_a_bad_value_far_into_a_large_array_is_named() -> None:
    x = np.zeros((2, 200_000, 2))
    x[1, 199_998, 1] = np.inf
    with pytest.raises(ValueError, match=r"train_x\[1, 199998, 1\] must be finite, got inf"):
        TaskSet("large", "rmse", x, np.zeros((2, 200_000)), x[:, :1], np.zeros((2, 1)), task_seeds(0, 2))
    labels = np.eye(2)[np.zeros((2, 200_000), int)]
    labels[1, 199_998] = 0
    x[...] = 0
    with pytest.raises(ValueError, match=r"train_y\[1, 199998\] must be one-hot"):
        TaskSet("large", "accuracy", x, labels, x[:, :1], labels[:, :1], task_seeds(0, 2))


def test_taking_tasks_keeps_the_first() -> None:
    tasks = TaskSet(**arrays(epochs=3, max_abs_error=7.0))
    taken = tasks.take(2)
    assert taken.num_tasks == 2
    for field in ("train_x", "train_y", "valid_x", "valid_y", "seeds"):
        assert np.array_equal(getattr(taken, field), getattr(tasks, field)[:2])
    assert (taken.name, taken.epochs, taken.max_abs_error) == ("test", 3, 7.0)


def test_taking_tasks_copies_no_data() -> None:
    tasks = TaskSet(**arrays())
    assert np.shares_memory(tasks.take(2).train_x, tasks.train_x)


@pytest.mark.parametrize("number", [0, 4, -1, 1.5])
def test_taking_an_impossible_number_of_tasks_is_refused(number: Any) -> None:
    with pytest.raises(ValueError, match="num_tasks must be"):
        TaskSet(**arrays()).take(number)


def test_more_tasks_keep_the_seeds_of_the_first() -> None:
    assert np.array_equal(task_seeds(5, 20)[:7], task_seeds(5, 7))


def test_seeds_differ_between_tasks_set_seeds_and_tags() -> None:
    seeds = np.concatenate([task_seeds(0, 100), task_seeds(1, 100), task_seeds(0, 100, "other")])
    assert seeds.dtype == np.uint64
    assert np.unique(seeds).size == 300


def test_seeds_do_not_depend_on_the_process() -> None:
    assert task_seeds(0, 2).tolist() == [8622815500317941990, 7497753354615684258]


@pytest.mark.parametrize("seed", [-1, 1.0, True, None, "0"])
def test_a_seed_that_is_no_natural_number_is_refused(seed: Any) -> None:
    with pytest.raises(ValueError, match="seed must be an integer of at least 0"):
        task_seeds(seed, 1)


def test_a_seed_beyond_64_bits_differs_from_its_low_bits() -> None:
    assert task_seeds(2**70 + 3, 1) != task_seeds(3, 1)


def test_streams_of_different_tags_tasks_and_seeds_are_unrelated() -> None:
    draws = [
        stream(seed, index, tag).random()
        for seed in (0, 1, 2**32, 2**32 + 1)
        for index in (0, 1)
        for tag in ("train", "valid")
    ]
    assert len(set(draws)) == len(draws)


def test_purposes_have_seeds_of_their_own() -> None:
    seeds = {purpose_seed(seed, purpose) for seed in range(50) for purpose in ("search", "select", "final")}
    assert len(seeds) == 150
