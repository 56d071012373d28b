"""Image sets in npz files: the user's own, and those that were fetched from OpenML."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.image_files.labelled import Labelled

_IMAGES, _LABELS = ("x", "images", "x_train"), ("y", "labels", "y_train")
_TEST_IMAGES, _TEST_LABELS = ("test_x", "test_images", "x_test"), ("test_y", "test_labels", "y_test")


def read_image_npz(path: Path) -> tuple[Labelled, Labelled | None, tuple[str, ...]]:
    """Read images and labels, and test images where the file has them.

    Names of arrays: `x` or `images` ([n, ...], numbers), `y` or `labels` ([n], integers or text), and optionally
    `test_x` and `test_y`. Also taken are x_train, y_train, x_test and y_test. Classes are numbered in sorted order.

    Returns:
        Images, test images or None, and the names of the classes.

    Raises:
        ValueError: if the file cannot be read, lacks an array, or has one of a wrong shape or type.
    """
    arrays = _arrays(path)
    images, labels = _named(path, arrays, _IMAGES), _named(path, arrays, _LABELS)
    _check(path, arrays, images, labels)
    tests = [next((name for name in names if name in arrays), None) for names in (_TEST_IMAGES, _TEST_LABELS)]
    test_images, test_labels = tests
    if (test_images is None) != (test_labels is None):
        found, lacking = (test_images, "labels") if test_images else (test_labels, "images")
        raise ValueError(f"{path}: has {found!r}, but no test {lacking}; they must be given together")
    classes = np.unique(arrays[labels])
    names = tuple(str(label) for label in classes)
    train = Labelled(_flat(arrays[images]), np.searchsorted(classes, arrays[labels]).astype(np.int64))
    if test_images is None or test_labels is None:
        return train, None, names
    _check(path, arrays, test_images, test_labels)
    if arrays[test_images].shape[1:] != arrays[images].shape[1:]:
        shapes = [arrays[name].shape[1:] for name in (test_images, images)]
        raise ValueError(f"{path}: {test_images!r} has images of shape {shapes[0]}, but {images!r} of {shapes[1]}")
    unknown = np.setdiff1d(arrays[test_labels], classes)
    if unknown.size:
        raise ValueError(f"{path}: {test_labels!r} has the class {unknown[0]}, which {labels!r} has not")
    tested = Labelled(_flat(arrays[test_images]), np.searchsorted(classes, arrays[test_labels]).astype(np.int64))
    return train, tested, names


def write_image_npz(path: Path, train: Labelled, test: Labelled) -> None:
    """Write a file that :func:`read_image_npz` reads; raises OSError where that cannot be done."""
    with path.open("wb") as file:
        np.savez_compressed(file, x=train.pixels, y=train.labels, test_x=test.pixels, test_y=test.labels)


def _arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: is not an npz file, or is truncated")
    try:
        # Opened here, because numpy leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: np.asarray(archive[name]) for name in archive.files}
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    # A damaged file raises errors of many types; numpy's own message suggests allow_pickle=True, which would run code.
    except Exception:
        raise ValueError(f"{path}: is damaged, or holds Python objects; only numbers and text are read") from None


def _named(path: Path, arrays: dict[str, npt.NDArray[Any]], names: tuple[str, ...]) -> str:
    for name in names:
        if name in arrays:
            return name
    listed = ", ".join(arrays) or "none"
    raise ValueError(f"{path}: has no array {names[0]!r} or {names[1]!r}; its arrays are {listed}")


def _check(path: Path, arrays: dict[str, npt.NDArray[Any]], images: str, labels: str) -> None:
    x, y = arrays[images], arrays[labels]
    if x.ndim < 2 or x.dtype.kind not in "biuf" or 0 in x.shape:
        raise ValueError(f"{path}: {images!r} must hold numbers, shape [images, ...], got {x.dtype} {x.shape}")
    if y.ndim != 1 or y.dtype.kind not in "biuU":
        raise ValueError(f"{path}: {labels!r} must hold integers or text, shape [images], got {y.dtype} {y.shape}")
    if x.shape[0] != y.shape[0]:
        raise ValueError(f"{path}: {labels!r} holds {y.shape[0]} labels, but {images!r} has {x.shape[0]} images")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise ValueError(f"{path}: {images!r} holds values that are not finite")


def _flat(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return images.reshape(images.shape[0], -1)
