"""Multi-class tasks that are easy to make."""

from __future__ import annotations

from typing import Any

import numpy as np

from automl_zero.tasks import TaskSet, from_arrays


def clusters(D: int, C: int, F: int, N: int = 60, M: int = 40, seed: int = 0, **options: Any) -> TaskSet:
    """Overlapping clusters, one a class."""
    generator = np.random.default_rng([seed, D, C, F])
    centres = generator.normal(size=(D, C, F))
    classes, valid = (generator.integers(C, size=(D, n)) for n in (N, M))
    x, valid_x = (
        np.take_along_axis(centres, c[..., None], axis=1) + 0.7 * generator.normal(size=(*c.shape, F))
        for c in (classes, valid)
    )
    return from_arrays(x, np.eye(C)[classes], valid_x, np.eye(C)[valid], "accuracy", seed=seed, **options)
