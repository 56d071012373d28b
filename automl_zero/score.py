"""Mean fitness over tasks, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Score:
    """Fitness over a set of tasks.

    Attributes:
        mean: mean over the tasks.
        standard_error: standard error of the mean; None for a single task.
        num_tasks: number of tasks.
    """

    mean: float
    standard_error: float | None
    num_tasks: int

    def __str__(self) -> str:
        if self.standard_error is None:
            return f"{self.mean:.6f}"
        return f"{self.mean:.6f} ± {self.standard_error:.6f}"


def summarize(fitness: npt.NDArray[np.float64]) -> Score:
    """Mean and standard error of the fitness on each task, float64[D]."""
    error = float(fitness.std(ddof=1) / np.sqrt(fitness.size)) if fitness.size > 1 else None
    return Score(float(fitness.mean()), error, fitness.size)
