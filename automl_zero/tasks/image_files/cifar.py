"""CIFAR-10 batches, in the binary version (records of a label and 3,072 bytes) and in the Python version (pickles)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from automl_zero.tasks.image_files.cifar_pickle import StoredArray, load_restricted
from automl_zero.tasks.image_files.labelled import Labelled, check_labels

PIXELS = 3072


def read_binary_batch(path: Path) -> Labelled:
    """Read a batch of the binary version.

    Raises:
        ValueError: if the file cannot be read, or does not consist of whole records with labels from 0 to 9.
    """
    content = _content(path)
    records, rest = divmod(len(content), 1 + PIXELS)
    if rest or not records:
        raise ValueError(
            f"{path}: is truncated or not a CIFAR-10 binary batch: "
            f"{len(content)} bytes are not a number of records of {1 + PIXELS} bytes"
        )
    values = np.frombuffer(content, dtype=np.uint8).reshape(records, 1 + PIXELS)
    labels = values[:, 0].astype(np.int64)
    check_labels(path, labels)
    return Labelled(values[:, 1:], labels)


def read_python_batch(path: Path) -> Labelled:
    """Read a batch of the Python version, without running anything that the file might ask for.

    Raises:
        ValueError: if the file cannot be read, or is not a pickled dictionary of pixels and labels.
    """
    batch = load_restricted(_content(path), path)
    if not isinstance(batch, dict):
        raise ValueError(f"{path}: is not a CIFAR-10 batch: it holds a {type(batch).__name__}, not a dictionary")
    data, labels = batch.get(b"data", batch.get("data")), batch.get(b"labels", batch.get("labels"))
    if not isinstance(data, StoredArray) or not isinstance(labels, list):
        raise ValueError(f"{path}: is not a CIFAR-10 batch: it lacks an array 'data' or a list 'labels'")
    pixels = data.to_bytes_array(path)
    if pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise ValueError(f"{path}: its data have shape {pixels.shape}, where (images, {PIXELS}) is expected")
    if len(labels) != pixels.shape[0]:
        raise ValueError(f"{path}: holds {len(labels)} labels, but {pixels.shape[0]} images")
    if not all(type(label) is int and abs(label) < 1 << 31 for label in labels):
        raise ValueError(f"{path}: its labels are not all integers")
    classes = np.array(labels, dtype=np.int64)
    check_labels(path, classes)
    return Labelled(pixels, classes)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
