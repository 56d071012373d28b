from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from automl_zero.tasks.image_files.svhn import read_mat

IMAGES = np.random.default_rng(0).integers(0, 256, size=(3, 32, 32, 3), dtype=np.uint8)
CONTENT = {"X": np.moveaxis(IMAGES, 0, -1), "y": np.array([[1], [10], [9]], dtype=np.uint8)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    savemat(tmp_path / "train_32x32.mat", CONTENT, do_compression=True)
    return tmp_path / "train_32x32.mat"


def test_images_and_labels_are_read_and_the_label_10_is_the_digit_0(path: Path) -> None:
    read = read_mat(path)
    assert np.array_equal(read.pixels, IMAGES.reshape(3, 3072))
    assert read.labels.tolist() == [1, 0, 9]


@pytest.mark.parametrize("keep", [0, 100, 150, 1000, -10])
def test_a_truncated_file_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"train_32x32.mat: (is not a MATLAB 5 file, or is truncated|has no array)"):
        read_mat(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.mat: cannot be read: No such file or directory"):
        read_mat(tmp_path / "nowhere.mat")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": None}, "has no array 'X'"),
        ({"y": None}, "has no array 'y'"),
        (
            {"X": CONTENT["X"][:28, :28]},
            r"X holds uint8 \(28, 28, 3, 3\), where uint8 \(32, 32, 3, images\) is expected",
        ),
        ({"X": CONTENT["X"] / 255}, r"X holds float64 \(32, 32, 3, 3\)"),
        ({"y": CONTENT["y"][:2]}, "y holds 2 labels of type uint8, but X has 3 images"),
        ({"y": CONTENT["y"] + 1}, "the label of image 1 is 11, where 0 to 9 are expected"),
    ],
)
def test_other_content_is_refused(path: Path, changes: dict[str, Any], message: str) -> None:
    savemat(path, {name: array for name, array in {**CONTENT, **changes}.items() if array is not None})
    with pytest.raises(ValueError, match=message):
        read_mat(path)
