"""The IDX format of MNIST and Fashion-MNIST: a big-endian header, then bytes; plain or compressed by gzip."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.image_files.labelled import Labelled, check_labels

_GZIP = b"\x1f\x8b"
_BYTES = 0x08  # the type code of unsigned bytes


def read_idx_images(images: Path, labels: Path, shape: tuple[int, ...]) -> Labelled:
    """Read a file of images and the file of their labels.

    Args:
        images: IDX file of three dimensions.
        labels: IDX file of one dimension.
        shape: rows and columns that the images must have.

    Raises:
        ValueError: if a file cannot be read, is not of this format, is truncated, has images of another shape, or the
            two have different counts.
    """
    pixels = read_idx(images, 3, "images", shape)
    classes = read_idx(labels, 1, "labels", ()).astype(np.int64)
    if pixels.shape[0] != classes.shape[0]:
        raise ValueError(f"{labels}: holds {classes.shape[0]} labels, but {images.name} has {pixels.shape[0]} images")
    check_labels(labels, classes)
    return Labelled(pixels.reshape(pixels.shape[0], -1), classes)


def read_idx(path: Path, dims: int, what: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Read one IDX file of bytes.

    Args:
        path: the file.
        dims: dimensions that it must have.
        what: what it holds, for messages.
        shape: sizes that all dimensions but the first must have.

    Raises:
        ValueError: as for :func:`read_idx_images`.
    """
    try:
        with path.open("rb") as raw:
            compressed = raw.read(len(_GZIP)) == _GZIP  # by content: files are often renamed
            raw.seek(0)
            return _read(cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if compressed else raw, path, dims, what, shape)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise ValueError(f"{path}: is a truncated or damaged gzip file") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None


def _read(file: BinaryIO, path: Path, dims: int, what: str, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    magic, expected = file.read(4), bytes([0, 0, _BYTES, dims])
    if magic != expected:
        found = f"begins with {magic.hex(' ')}" if magic else "is empty"
        raise ValueError(f"{path}: is not an IDX file of {what}: it {found}, where {expected.hex(' ')} is expected")
    header = file.read(4 * dims)
    if len(header) < 4 * dims:
        raise ValueError(f"{path}: is truncated: it ends within the header")
    sizes = tuple(int(size) for size in np.frombuffer(header, dtype=">u4"))
    if sizes[1:] != shape:
        found, wanted = (" x ".join(map(str, size)) for size in (sizes[1:], shape))
        raise ValueError(f"{path}: holds images of {found} pixels, where {wanted} are expected")
    length = math.prod(sizes)
    content = file.read(length + 1)
    if len(content) < length:
        raise ValueError(f"{path}: is truncated: its header announces {length} bytes of {what}, {len(content)} follow")
    if len(content) > length:
        raise ValueError(f"{path}: is longer than the {length} bytes of {what} that its header announces")
    return np.frombuffer(content, dtype=np.uint8).reshape(sizes)
