"""Data sets from OpenML, for those who are online and ask for it: fetched by scikit-learn, kept as npz files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from automl_zero.cache_directory import cache_directory
from automl_zero.tasks.image_files.labelled import NUM_CLASSES, Labelled
from automl_zero.tasks.image_files.npz import write_image_npz


def download_folder() -> Path:
    """Where fetched data sets are kept."""
    return cache_directory() / "images"


def fetch(name: str, data_id: int, num_test: int, num_pixels: int) -> tuple[Labelled, Labelled]:
    """Fetch a data set; the last `num_test` images are its test images.

    The fetched set is written to :func:`download_folder` if that can be done. Reading OpenML's text format takes
    minutes, and gigabytes of memory for the coloured images.

    Raises:
        ValueError: if it cannot be fetched, or is not what it should be.
    """
    from sklearn.datasets import fetch_openml  # 2 s: only where it is used

    try:
        bunch = fetch_openml(
            data_id=data_id, as_frame=False, parser="auto", data_home=str(cache_directory() / "openml")
        )
    # Network, server, disk and parser fail in many ways, all of which mean that the data are not here.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{name}: could not be fetched from OpenML (data set {data_id}): {reason:.200}") from None
    images = _labelled(name, bunch, num_pixels)
    if images.labels.size <= num_test:
        raise ValueError(f"{name}: OpenML's data set {data_id} has {images.labels.size} images, too few")
    train = Labelled(images.pixels[:-num_test], images.labels[:-num_test])
    test = Labelled(images.pixels[-num_test:], images.labels[-num_test:])
    _keep(download_folder() / f"{name}.npz", train, test)
    return train, test


def _labelled(name: str, bunch: Any, num_pixels: int) -> Labelled:
    pixels = np.asarray(bunch.data)
    try:
        # SVHN counts its classes from 1 to 10, where 10 is the digit 0.
        labels = np.asarray(bunch.target).astype(np.float64).astype(np.int64) % NUM_CLASSES
    except ValueError:
        raise ValueError(f"{name}: OpenML's labels are not numbers") from None
    if pixels.ndim != 2 or pixels.shape[1] != num_pixels or pixels.shape[0] != labels.shape[0]:
        raise ValueError(f"{name}: OpenML's data have shape {pixels.shape}, where (images, {num_pixels}) is expected")
    if pixels.min() < 0 or pixels.max() > 255:
        raise ValueError(f"{name}: OpenML's pixels are not bytes")
    return Labelled(pixels.astype(np.uint8), labels)


def _keep(path: Path, train: Labelled, test: Labelled) -> None:
    """Write by rename; a cache is optional, so nothing is said where that cannot be done."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.stem}.{os.getpid()}.new")
        try:
            write_image_npz(unfinished, train, test)
            os.replace(unfinished, path)
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()
