"""Splits of rows into training, validation and set-aside parts, and scaling fitted on training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.tasks.taskset import Floats

Rows = npt.NDArray[np.int64]


def stratified_split(
    groups: npt.NDArray[Any], num_train: int, num_valid: int, rng: np.random.Generator
) -> tuple[Rows, Rows]:
    """Draw disjoint training and validation rows, each with the groups in nearly the proportions of the whole.

    The training rows do not depend on `num_valid`, nor the validation rows on `num_train`.

    Args:
        groups: [n], the class of each row (all equal: a plain random split).
        num_train: rows to train on.
        num_valid: rows to validate on; together with `num_train` at most n.
        rng: source of the draw.

    Returns:
        Indices of the training rows and of the validation rows, in random order.
    """
    size = groups.shape[0]
    position = np.empty(size)
    for group in np.unique(groups):
        members = rng.permutation(np.flatnonzero(groups == group))
        # Members are spread evenly over [0, 1): every prefix and every suffix then has its share of each group.
        position[members] = (np.arange(members.size) + rng.random(members.size)) / members.size
    spread = np.argsort(position, kind="stable")
    # The spread order nearly alternates between groups, which a program with memory could learn: shuffle each part.
    place = rng.permutation(size)
    train, valid = spread[:num_train], spread[size - num_valid :]
    return train[np.argsort(place[train])], valid[np.argsort(place[valid])]


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and deviation of each column; standardises other rows by them."""

    mean: Floats
    deviation: Floats

    @classmethod
    def fit(cls, rows: Floats) -> Scaling:
        """Scaling of `rows` ([N, F] or [N]); a column that does not vary keeps its scale, and is only centred."""
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        # Rounding gives a constant column a deviation near 1e-16 of its size; dividing by that would make noise of it.
        constant = deviation <= 1e-12 * np.abs(rows).max(axis=0)
        return cls(mean, np.where(constant, 1.0, deviation))

    def apply(self, rows: Floats) -> Floats:
        """Standardised rows."""
        scaled: Floats = (rows - self.mean) / self.deviation
        return scaled
