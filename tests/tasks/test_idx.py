from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from automl_zero.tasks.image_files.idx import read_idx_images
from tests.image_writers import idx_bytes

SHAPE = (5, 4)
PIXELS = np.arange(3 * 20, dtype=np.uint8).reshape(3, *SHAPE)
LABELS = np.array([7, 0, 9], dtype=np.uint8)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(idx_bytes(PIXELS))
    labels.write_bytes(idx_bytes(LABELS))
    return images, labels


def test_images_and_labels_are_read(files: tuple[Path, Path]) -> None:
    read = read_idx_images(*files, SHAPE)
    assert np.array_equal(read.pixels, PIXELS.reshape(3, 20))
    assert read.labels.tolist() == [7, 0, 9]


def test_compressed_files_are_known_by_their_content(files: tuple[Path, Path]) -> None:
    for path in files:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert np.array_equal(read_idx_images(*files, SHAPE).pixels, PIXELS.reshape(3, 20))


def test_a_wrong_magic_number_is_refused(files: tuple[Path, Path]) -> None:
    images, labels = files
    with pytest.raises(ValueError, match="labels: is not an IDX file of images: it begins with 00 00 08 01, where 00 "):
        read_idx_images(labels, images, SHAPE)
    images.write_bytes(b"\x89PNG" + bytes(100))
    with pytest.raises(ValueError, match="images: is not an IDX file of images: it begins with 89 50 4e 47, where"):
        read_idx_images(images, labels, SHAPE)
    images.write_bytes(b"")
    with pytest.raises(ValueError, match="images: is not an IDX file of images: it is empty"):
        read_idx_images(images, labels, SHAPE)


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (16 + 59, "images: is truncated: its header announces 60 bytes of images, 59 follow"),
        (16, "images: is truncated: its header announces 60 bytes of images, 0 follow"),
        (9, "images: is truncated: it ends within the header"),
    ],
)
def test_a_truncated_file_is_refused(files: tuple[Path, Path], length: int, message: str) -> None:
    images, labels = files
    images.write_bytes(images.read_bytes()[:length])
    with pytest.raises(ValueError, match=message):
        read_idx_images(images, labels, SHAPE)


@pytest.mark.parametrize("keep", [3, 12, 40, -9, -1])
def test_a_truncated_compressed_file_is_refused(files: tuple[Path, Path], keep: int) -> None:
    images, labels = files
    images.write_bytes(gzip.compress(images.read_bytes())[:keep])
    with pytest.raises(ValueError, match="images: is a truncated or damaged gzip file"):
        read_idx_images(images, labels, SHAPE)


def test_a_damaged_compressed_file_is_refused(files: tuple[Path, Path]) -> None:
    images, labels = files
    content = bytearray(gzip.compress(images.read_bytes()))
    content[-6] ^= 0xFF  # of the checksum
    images.write_bytes(content)
    with pytest.raises(ValueError, match="images: is a truncated or damaged gzip file"):
        read_idx_images(images, labels, SHAPE)


def test_a_file_longer_than_its_header_says_is_refused(files: tuple[Path, Path]) -> None:
    files[0].write_bytes(files[0].read_bytes() + b"x")
    with pytest.raises(ValueError, match="images: is longer than the 60 bytes of images that its header announces"):
        read_idx_images(*files, SHAPE)


def test_images_of_another_size_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="images: holds images of 5 x 4 pixels, where 28 x 28 are expected"):
        read_idx_images(*files, (28, 28))


def test_different_counts_of_images_and_labels_are_refused(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(idx_bytes(LABELS[:2]))
    with pytest.raises(ValueError, match="labels: holds 2 labels, but images has 3 images"):
        read_idx_images(*files, SHAPE)


def test_a_label_that_is_no_class_is_refused(files: tuple[Path, Path]) -> None:
    files[1].write_bytes(idx_bytes(np.array([1, 10, 2], dtype=np.uint8)))
    with pytest.raises(ValueError, match="labels: the label of image 1 is 10, where 0 to 9 are expected"):
        read_idx_images(*files, SHAPE)


def test_a_missing_file_is_refused(files: tuple[Path, Path]) -> None:
    files[0].unlink()
    with pytest.raises(ValueError, match="images: cannot be read: No such file or directory"):
        read_idx_images(*files, SHAPE)
