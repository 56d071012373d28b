"""Small data sets in the file formats of the published ones, which the tests write and the loaders read."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

OF_CLASS, TEST_OF_CLASS = 30, 8


@dataclass(frozen=True)
class Images:
    """Ten classes of images, as bytes; those of a class are brighter in pixels of its own."""

    train: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.int64]
    test: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.int64]


def make_images(shape: tuple[int, ...], of_class: int = OF_CLASS, test_of_class: int = TEST_OF_CLASS) -> Images:
    rng = np.random.default_rng(0)

    def part(each: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        labels = rng.permutation(np.repeat(np.arange(10), each))
        pixels = rng.integers(0, 130, size=(labels.size, int(np.prod(shape))), dtype=np.uint8)
        for label in range(10):
            pixels[labels == label, label::10] += 120
        return pixels.reshape(-1, *shape), labels

    return Images(*part(of_class), *part(test_of_class))


def idx_bytes(values: npt.NDArray[np.uint8]) -> bytes:
    header = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(np.uint8).tobytes()


def write_idx(folder: Path, images: Images, compressed: bool = True, dot: str = "-") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, values in (
        (f"train-images{dot}idx3-ubyte", images.train),
        (f"train-labels{dot}idx1-ubyte", images.train_labels),
        (f"t10k-images{dot}idx3-ubyte", images.test),
        (f"t10k-labels{dot}idx1-ubyte", images.test_labels),
    ):
        content = idx_bytes(values)
        if compressed:
            (folder / f"{stem}.gz").write_bytes(gzip.compress(content, compresslevel=1))
        else:
            (folder / stem).write_bytes(content)


def batches(images: Images) -> dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    """The five training batches and the test batch of CIFAR-10, rows of 3,072 bytes."""
    train = np.array_split(images.train.reshape(images.train.shape[0], -1), 5)
    labels = np.array_split(images.train_labels, 5)
    named = {f"data_batch_{number}": part for number, part in enumerate(zip(train, labels, strict=True), start=1)}
    return named | {"test_batch": (images.test.reshape(images.test.shape[0], -1), images.test_labels)}


def write_cifar_binary(folder: Path, images: Images) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (pixels, labels) in batches(images).items():
        records = np.column_stack([labels.astype(np.uint8), pixels])
        (folder / f"{name}.bin").write_bytes(records.tobytes())


def write_cifar_python(folder: Path, images: Images) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (pixels, labels) in batches(images).items():
        (folder / name).write_bytes(python2_pickle(pixels, labels.tolist()))


def python2_pickle(pixels: npt.NDArray[np.uint8], labels: list[int]) -> bytes:
    """A batch as Python 2 pickled the published ones: protocol 2, texts as byte strings."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    rows, columns = pixels.shape
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    kind = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R(K\x03" + text(b"|") + b"NNN" + 2 * b"J\xff\xff\xff\xff"
    content = b"T" + struct.pack("<I", pixels.size) + pixels.tobytes()
    shape = b"M" + struct.pack("<H", rows) + b"M" + struct.pack("<H", columns) + b"\x86"
    array = empty + b"(K\x01" + shape + kind + b"K\x00tb" + b"\x89" + content + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def write_svhn(folder: Path, images: Images) -> None:
    from scipy.io import savemat

    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels, labels in (
        ("train", images.train, images.train_labels),
        ("test", images.test, images.test_labels),
    ):
        digits = np.where(labels == 0, 10, labels).astype(np.uint8)
        content: dict[str, Any] = {"X": np.moveaxis(pixels, 0, -1), "y": digits[:, np.newaxis]}
        savemat(folder / f"{name}_32x32.mat", content, do_compression=True)


def write_npz(path: Path, images: Images, with_test: bool = True) -> None:
    test = {"test_x": images.test, "test_y": images.test_labels} if with_test else {}
    np.savez(path, x=images.train, y=images.train_labels, **test)


SHAPES = {"fashion-mnist": (28, 28), "mnist": (28, 28), "cifar10": (32, 32, 3), "svhn": (32, 32, 3)}


def write_kind(kind: str, folder: Path, images: Images | None = None) -> None:
    """The files of a published data set, small, as they are found in a data directory."""
    images = make_images(SHAPES[kind]) if images is None else images
    write = {"cifar10": write_cifar_python, "svhn": write_svhn}.get(kind, write_idx)
    write(folder / {"cifar10": "cifar-10-batches-py"}.get(kind, kind), images)
