"""The image data sets that are known by name: what they look like, what their files are called, how to get them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automl_zero.tasks.image_files.cifar import read_binary_batch, read_python_batch
from automl_zero.tasks.image_files.idx import read_idx_images
from automl_zero.tasks.image_files.labelled import Labelled
from automl_zero.tasks.image_files.npz import read_image_npz
from automl_zero.tasks.image_files.svhn import read_mat

#: Reads the files of a layout, given in its order, for images of a shape; training and test images.
Reader = Callable[[Sequence[Path], tuple[int, ...]], tuple[Labelled, Labelled]]


@dataclass(frozen=True)
class Layout:
    """One way in which a data set lies on disk.

    Attributes:
        files: for each file the names that it may have.
        read: reads them.
        md5: for each file the published checksum of its content, decompressed; empty if none is known.
    """

    files: tuple[tuple[str, ...], ...]
    read: Reader
    md5: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageKind:
    """A data set of ten classes with training and test images of its own.

    Attributes:
        name: what the configuration calls it.
        shape: of one image.
        layouts: how it may lie on disk, the first that is found is taken.
        folders: usual names of its folder.
        how: how to get it, to end a message with.
        openml: OpenML's number for it.
        num_test: test images of the published set.
        select_valid: images of a pair that selection validates on by default; every pair has as many.
        final_valid: test images of a pair that the final score uses by default; every pair has as many.
    """

    name: str
    shape: tuple[int, ...]
    layouts: tuple[Layout, ...]
    folders: tuple[str, ...]
    how: str
    openml: int
    num_test: int
    select_valid: int = 1000
    final_valid: int = 2000

    @property
    def num_pixels(self) -> int:
        """Values of one image."""
        return math.prod(self.shape)


def _read_idx(paths: Sequence[Path], shape: tuple[int, ...]) -> tuple[Labelled, Labelled]:
    return read_idx_images(paths[0], paths[1], shape), read_idx_images(paths[2], paths[3], shape)


def _read_batches(read: Callable[[Path], Labelled]) -> Reader:
    return lambda paths, shape: (Labelled.join([read(path) for path in paths[:-1]]), read(paths[-1]))


def _read_mat(paths: Sequence[Path], shape: tuple[int, ...]) -> tuple[Labelled, Labelled]:
    return read_mat(paths[0]), read_mat(paths[1])


def _read_npz(paths: Sequence[Path], shape: tuple[int, ...]) -> tuple[Labelled, Labelled]:
    (path,) = paths
    train, test, names = read_image_npz(path)
    if test is None:
        raise ValueError(f"{path}: has no test images; for {path.stem} it must have test_x and test_y")
    if train.pixels.shape[1] != math.prod(shape):
        size = train.pixels.shape[1]
        raise ValueError(f"{path}: holds images of {size} values, where {math.prod(shape)} are expected")
    if names != tuple(map(str, range(10))):
        raise ValueError(f"{path}: has the classes {', '.join(names)[:60]}, where 0 to 9 are expected")
    return train, test


def _idx(*md5: str) -> Layout:
    stems = (
        "train-images%sidx3-ubyte",
        "train-labels%sidx1-ubyte",
        "t10k-images%sidx3-ubyte",
        "t10k-labels%sidx1-ubyte",
    )
    files = tuple(tuple(stem % dot + end for dot in "-." for end in (".gz", "")) for stem in stems)
    return Layout(files, _read_idx, md5)


def _npz(name: str) -> Layout:
    return Layout(((f"{name}.npz",),), _read_npz)


_FASHION_MNIST = ImageKind(
    "fashion-mnist",
    (28, 28),
    (
        _idx(
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
        _npz("fashion-mnist"),
    ),
    ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "FashionMNIST"),
    "on Debian and Ubuntu `apt install dataset-fashion-mnist`, elsewhere the four files of "
    "https://github.com/zalandoresearch/fashion-mnist",
    openml=40996,
    num_test=10_000,
)
_MNIST = ImageKind(
    "mnist",
    (28, 28),
    (
        _idx(
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        _npz("mnist"),
    ),
    ("mnist", "MNIST/raw", "MNIST"),
    "the four files of https://ossci-datasets.s3.amazonaws.com/mnist/ (train-images-idx3-ubyte.gz and so on)",
    openml=554,
    num_test=10_000,
    final_valid=1800,  # classes 0 and 5 have 1,872 test images
)
_CIFAR10 = ImageKind(
    "cifar10",
    (32, 32, 3),
    (
        Layout(
            (*((f"data_batch_{number}",) for number in range(1, 6)), ("test_batch",)),
            _read_batches(read_python_batch),
            (
                "c99cafc152244af753f735de768cd75f",
                "d4bba439e000b95fd0a9bffe97cbabec",
                "54ebc095f3ab1f0389bbae665268c751",
                "634d18415352ddfa80567beed471001a",
                "482c414d41f54cd18b22e5b47cb7c3cb",
                "40351d587109b95175f43aff81a1287e",
            ),
        ),
        Layout(
            (*((f"data_batch_{number}.bin",) for number in range(1, 6)), ("test_batch.bin",)),
            _read_batches(read_binary_batch),
        ),
        _npz("cifar10"),
    ),
    ("cifar-10-batches-py", "cifar-10-batches-bin", "cifar10/cifar-10-batches-py", "cifar10", "cifar-10"),
    "the Python or the binary version of https://www.cs.toronto.edu/~kriz/cifar.html, unpacked",
    openml=40927,
    num_test=10_000,
)
_SVHN = ImageKind(
    "svhn",
    (32, 32, 3),
    (
        Layout(
            (("train_32x32.mat",), ("test_32x32.mat",)),
            _read_mat,
            ("e26dedcc434d2e4c54c9b2d4a06d8373", "eb5a983be6a315427106f1b164d9cef3"),
        ),
        _npz("svhn"),
    ),
    ("svhn", "SVHN", "svhn_cropped"),
    "train_32x32.mat and test_32x32.mat of http://ufldl.stanford.edu/housenumbers/",
    openml=41081,
    num_test=26_032,
    select_valid=900,  # a tenth of the smallest class are 466 images
)

#: Known data sets by name.
IMAGE_KINDS: dict[str, ImageKind] = {kind.name: kind for kind in (_FASHION_MNIST, _MNIST, _CIFAR10, _SVHN)}
