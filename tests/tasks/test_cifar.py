from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks.image_files.cifar import read_binary_batch, read_python_batch
from tests.image_writers import python2_pickle

PIXELS = np.random.default_rng(0).integers(0, 256, size=(4, 3072), dtype=np.uint8)
LABELS = [3, 9, 0, 5]


@pytest.fixture
def binary(tmp_path: Path) -> Path:
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(np.column_stack([np.array(LABELS, dtype=np.uint8), PIXELS]).tobytes())
    return path


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    path = tmp_path / "data_batch_1"
    path.write_bytes(python2_pickle(PIXELS, LABELS))
    return path


def test_a_binary_batch_is_read(binary: Path) -> None:
    read = read_binary_batch(binary)
    assert np.array_equal(read.pixels, PIXELS)
    assert read.labels.tolist() == LABELS


@pytest.mark.parametrize("length", [0, 1, 3072, 4 * 3073 - 1])
def test_a_truncated_binary_batch_is_refused(binary: Path, length: int) -> None:
    binary.write_bytes(binary.read_bytes()[:length])
    message = (
        f"data_batch_1.bin: is truncated or not a CIFAR-10 binary batch: {length} bytes are not a number of records"
    )
    with pytest.raises(ValueError, match=message):
        read_binary_batch(binary)


def test_a_label_that_is_no_class_is_refused(binary: Path, batch: Path) -> None:
    binary.write_bytes(b"\x0a" + binary.read_bytes()[1:])
    with pytest.raises(ValueError, match="the label of image 0 is 10, where 0 to 9 are expected"):
        read_binary_batch(binary)
    batch.write_bytes(python2_pickle(PIXELS, [1, 2, 3, 77]))
    with pytest.raises(ValueError, match="the label of image 3 is 77, where 0 to 9 are expected"):
        read_python_batch(batch)


def test_missing_batches_are_refused(tmp_path: Path) -> None:
    for read in (read_binary_batch, read_python_batch):
        with pytest.raises(ValueError, match="nowhere: cannot be read: No such file or directory"):
            read(tmp_path / "nowhere")


def test_a_batch_that_python_2_pickled_is_read(batch: Path) -> None:
    read = read_python_batch(batch)
    assert np.array_equal(read.pixels, PIXELS)
    assert read.labels.tolist() == LABELS


def test_the_pickles_of_these_tests_are_ones_that_pickle_reads(batch: Path) -> None:
    with batch.open("rb") as file:
        loaded = pickle.load(file, encoding="bytes")
    assert np.array_equal(loaded[b"data"], PIXELS)
    assert loaded[b"labels"] == LABELS


@pytest.mark.parametrize("protocol", [3, 4])
def test_a_batch_that_python_3_pickled_is_read(batch: Path, protocol: int) -> None:
    batch.write_bytes(pickle.dumps({"data": PIXELS, "labels": LABELS}, protocol))
    assert np.array_equal(read_python_batch(batch).pixels, PIXELS)


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_asks_for_a_function_is_refused_and_nothing_is_called(batch: Path, tmp_path: Path) -> None:
    made = tmp_path / "made"
    content = pickle.dumps({"data": PIXELS, "labels": LABELS, "more": Malicious(made)}, protocol=4)
    batch.write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a CIFAR-10 batch: it asks for posix\.mkdir, which no batch"):
        read_python_batch(batch)
    assert not made.exists()
    pickle.loads(content)
    assert made.exists()  # so it would have been called


@pytest.mark.parametrize("name", ["eval", "getattr", "__import__"])
def test_builtin_functions_are_refused(batch: Path, name: str) -> None:
    batch.write_bytes(f"\x80\x02cbuiltins\n{name}\n.".encode("latin-1"))
    with pytest.raises(ValueError, match=rf"it asks for builtins.{name}"):
        read_python_batch(batch)


@pytest.mark.parametrize("keep", [0, 1, 30, 200, 5000, -40, -1])
def test_a_truncated_pickle_is_refused(batch: Path, keep: int) -> None:
    batch.write_bytes(batch.read_bytes()[:keep])
    with pytest.raises(ValueError, match="data_batch_1: is not a CIFAR-10 batch"):
        read_python_batch(batch)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "is not a CIFAR-10 batch: it holds a list, not a dictionary"),
        ({"data": PIXELS}, "it lacks an array 'data' or a list 'labels'"),
        ({"data": b"abc", "labels": LABELS}, "it lacks an array 'data' or a list 'labels'"),
        ({"data": PIXELS, "labels": LABELS[:3]}, "holds 3 labels, but 4 images"),
        ({"data": PIXELS, "labels": [1, 2, 3, "4"]}, "its labels are not all integers"),
        ({"data": PIXELS, "labels": [1, 2, 3, 1 << 90]}, "its labels are not all integers"),
        ({"data": PIXELS[:, :784].copy(), "labels": LABELS}, r"have shape \(4, 784\), where \(images, 3072\) is"),
        ({"data": PIXELS.astype(np.float64), "labels": LABELS}, "its data are not an array of unsigned bytes"),
        ({"data": np.asfortranarray(PIXELS), "labels": LABELS}, "its data are not an array of unsigned bytes"),
    ],
)
def test_a_pickle_of_something_else_is_refused(batch: Path, content: Any, message: str) -> None:
    batch.write_bytes(pickle.dumps(content, protocol=4))
    with pytest.raises(ValueError, match=message):
        read_python_batch(batch)
