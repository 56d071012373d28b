"""Images as a file format's reader hands them over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

NUM_CLASSES = 10  # of every data set known by name


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images with their classes.

    Attributes:
        pixels: [n, pixels of an image], flattened.
        labels: int64[n].
    """

    pixels: npt.NDArray[Any]
    labels: npt.NDArray[np.int64]

    @classmethod
    def join(cls, parts: Sequence[Labelled]) -> Labelled:
        """Several files as one."""
        return cls(np.concatenate([part.pixels for part in parts]), np.concatenate([part.labels for part in parts]))


def check_labels(path: Path, labels: npt.NDArray[np.int64]) -> None:
    """Refuse labels that are not among 0 to 9."""
    bad = np.flatnonzero((labels < 0) | (labels >= NUM_CLASSES))
    if bad.size:
        last = NUM_CLASSES - 1
        raise ValueError(f"{path}: the label of image {bad[0]} is {labels[bad[0]]}, where 0 to {last} are expected")
