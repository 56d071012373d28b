"""Cropped digits of SVHN, in MATLAB files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from automl_zero.tasks.image_files.labelled import Labelled, check_labels

SHAPE = (32, 32, 3)


def read_mat(path: Path) -> Labelled:
    """Read a MATLAB 5 file with `X` (uint8[32, 32, 3, n]) and `y` ([n, 1], 1 to 10, where 10 stands for the digit 0).

    Raises:
        ValueError: if the file cannot be read or does not hold these arrays.
    """
    from scipy.io import loadmat

    try:
        file = path.open("rb")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    with file:
        try:
            arrays = loadmat(file, variable_names=("X", "y"))
        # scipy raises errors of many types for a file that is damaged.
        except Exception as error:
            raise ValueError(f"{path}: is not a MATLAB 5 file, or is truncated ({type(error).__name__})") from None
    missing = [name for name in ("X", "y") if name not in arrays]
    if missing:
        raise ValueError(f"{path}: has no array {missing[0]!r}; SVHN's cropped digits have X and y")
    x, y = arrays["X"], arrays["y"]
    if x.ndim != 4 or x.shape[:3] != SHAPE or x.dtype != np.uint8:
        raise ValueError(f"{path}: X holds {x.dtype} {x.shape}, where uint8 (32, 32, 3, images) is expected")
    if y.size != x.shape[3] or y.dtype.kind not in "iu":
        raise ValueError(f"{path}: y holds {y.size} labels of type {y.dtype}, but X has {x.shape[3]} images")
    labels = y.reshape(-1).astype(np.int64)
    labels[labels == 10] = 0
    check_labels(path, labels)
    return Labelled(np.moveaxis(x, -1, 0).reshape(x.shape[3], -1), labels)
