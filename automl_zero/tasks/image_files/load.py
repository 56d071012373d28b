"""Image sets from files, with the parts that search, selection and the final score read."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from automl_zero.tasks.image_files.checksums import refuse_another_kind
from automl_zero.tasks.image_files.find import FileIdentity, FoundFiles, file_identity
from automl_zero.tasks.image_files.kinds import IMAGE_KINDS, ImageKind, Layout
from automl_zero.tasks.image_files.labelled import NUM_CLASSES, Labelled
from automl_zero.tasks.image_files.npz import read_image_npz
from automl_zero.tasks.image_files.openml import fetch
from automl_zero.tasks.images import ImageSet, selection_rows, set_aside_rows

SELECTION_SHARE = 0.1  # of the smallest class: leaves CIFAR-10's pairs the 9,000 images that the paper's tasks take
MIN_OF_CLASS = 10  # so that each part has some of each class

_TEN = tuple(map(str, range(NUM_CLASSES)))


def load_files(name: str, files: FoundFiles) -> ImageSet:
    """The images of a known data set, the published test images set aside.

    Raises:
        ValueError: if a file is not usable, or a class has too few images.
    """
    return _load_files(name, files.layout, files.identity())


def load_npz(path: str) -> ImageSet:
    """The images of an npz file; its test images, or else a fifth of the smallest class of each, are set aside.

    Raises:
        ValueError: if the file is not usable, or a class has too few images.
    """
    return _load_npz(path, file_identity(Path(path)))


@functools.lru_cache(maxsize=2)
def fetch_files(kind: ImageKind) -> ImageSet:
    """The images of a known data set from OpenML.

    Raises:
        ValueError: if they cannot be fetched, or are not what they should be.
    """
    return image_set(kind.name, *fetch(kind.name, kind.openml, kind.num_test, kind.num_pixels), _TEN)


# Two sets at a time, for experiments on two: the largest takes 300 MB.
@functools.lru_cache(maxsize=2)
def _load_files(name: str, layout: Layout, identity: tuple[FileIdentity, ...]) -> ImageSet:
    paths = tuple(Path(file[0]) for file in identity)
    refuse_another_kind(name, FoundFiles(layout, paths))
    return image_set(name, *layout.read(paths, IMAGE_KINDS[name].shape), _TEN)


@functools.lru_cache(maxsize=2)
def _load_npz(path: str, identity: FileIdentity) -> ImageSet:
    return image_set(Path(path).name, *read_image_npz(Path(path)))


def image_set(name: str, train: Labelled, test: Labelled | None, classes: tuple[str, ...]) -> ImageSet:
    """Divide images into the three parts.

    Args:
        name: what to call the set.
        train: images for search and selection.
        test: images to set aside, or None to take some of each class from `train`.
        classes: names of the classes.

    Raises:
        ValueError: if there are fewer than two classes, or one has too few images.
    """
    if len(classes) < 2:
        raise ValueError(f"{name}: at least two classes are needed, there is {len(classes)}")
    sizes = np.bincount(train.labels, minlength=len(classes))
    smallest = int(sizes.argmin())
    if sizes[smallest] < MIN_OF_CLASS:
        found = f"class {classes[smallest]} has {sizes[smallest]} training images"
        raise ValueError(f"{name}: {found}; at least {MIN_OF_CLASS} are needed")
    everything = train
    if test is None:
        set_aside = set_aside_rows(train.labels)
    else:
        everything = Labelled.join([train, test])
        set_aside = np.arange(everything.labels.size) >= train.labels.size
        untested = np.setdiff1d(np.arange(len(classes)), test.labels)
        if untested.size:
            raise ValueError(f"{name}: class {classes[int(untested[0])]} has no test images")
    for_selection = selection_rows(everything.labels, set_aside, SELECTION_SHARE)
    for array in (everything.pixels, everything.labels, set_aside, for_selection):
        array.flags.writeable = False  # shared by every caller through the caches above
    return ImageSet(name, everything.pixels, everything.labels, set_aside, for_selection)
