from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.tasks.image_files.npz import read_image_npz

IMAGES = np.arange(6 * 4, dtype=np.uint8).reshape(6, 2, 2)
LABELS = np.array([5, 7, 7, 5, 9, 5])


def written(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mine.npz"


def test_images_labels_and_test_images_are_read(path: Path) -> None:
    train, test, names = read_image_npz(written(path, x=IMAGES, y=LABELS, test_x=IMAGES[:2], test_y=LABELS[:2]))
    assert np.array_equal(train.pixels, IMAGES.reshape(6, 4))
    assert train.labels.tolist() == [0, 1, 1, 0, 2, 0]
    assert test is not None
    assert test.labels.tolist() == [0, 1]
    assert names == ("5", "7", "9")


@pytest.mark.parametrize("names", [("images", "labels"), ("x_train", "y_train")])
def test_other_usual_names_of_the_arrays_are_taken(path: Path, names: tuple[str, str]) -> None:
    train, test, _ = read_image_npz(written(path, **dict(zip(names, (IMAGES, LABELS), strict=True))))
    assert train.labels.tolist() == [0, 1, 1, 0, 2, 0]
    assert test is None


def test_labels_may_be_text(path: Path) -> None:
    train, _, names = read_image_npz(written(path, x=IMAGES, y=np.array(["cat", "ant", "cat", "cat", "bee", "ant"])))
    assert names == ("ant", "bee", "cat")
    assert train.labels.tolist() == [2, 0, 2, 2, 1, 0]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": LABELS}, "has no array 'x' or 'images'; its arrays are y"),
        ({"x": IMAGES}, "has no array 'y' or 'labels'; its arrays are x"),
        ({"x": IMAGES, "y": LABELS[:5]}, "'y' holds 5 labels, but 'x' has 6 images"),
        ({"x": LABELS, "y": LABELS}, r"'x' must hold numbers, shape \[images, ...\], got int64 \(6,\)"),
        ({"x": IMAGES, "y": LABELS / 2}, r"'y' must hold integers or text, shape \[images\], got float64"),
        ({"x": IMAGES * np.nan, "y": LABELS}, "'x' holds values that are not finite"),
        ({"x": IMAGES, "y": LABELS, "test_x": IMAGES}, "has 'test_x', but no test labels; they must be given together"),
        ({"x": IMAGES, "y": LABELS, "test_y": LABELS}, "has 'test_y', but no test images"),
        (
            {"x": IMAGES, "y": LABELS, "test_x": IMAGES[:, :1], "test_y": LABELS},
            r"'test_x' has images of shape \(1, 2\), but 'x' of \(2, 2\)",
        ),
        ({"x": IMAGES, "y": LABELS, "test_x": IMAGES, "test_y": LABELS + 1}, "has the class 6, which 'y' has not"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"mine.npz: .*{message}"):
        read_image_npz(written(path, **arrays))


@pytest.mark.parametrize("keep", [0, 50, -30])
def test_a_truncated_file_is_refused(path: Path, keep: int) -> None:
    written(path, x=IMAGES, y=LABELS)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"mine\.npz: is not an npz file, or is truncated"):
        read_image_npz(path)


def test_a_damaged_array_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': (((    ")
    with pytest.raises(ValueError, match=r"mine\.npz: is damaged, or holds Python objects"):
        read_image_npz(path)


def test_python_objects_are_refused(path: Path) -> None:
    written(path, x=IMAGES, y=np.array([print] * 6))
    with pytest.raises(ValueError, match="is damaged, or holds Python objects"):
        read_image_npz(path)


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match=r"mine\.npz: there is no such file"):
        read_image_npz(path)
