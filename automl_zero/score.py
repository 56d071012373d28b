"""The fitness of a program beside that of well-known models, with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl_zero import programs
from automl_zero.evaluation import evaluate
from automl_zero.program import Program
from automl_zero.tasks import TaskSet, baseline_scores


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


def fitness_beside_baselines(
    program: Program, tasks: TaskSet, dtype: str, backend: str = "numba"
) -> dict[str, npt.NDArray[np.float64]]:
    """Fitness on each task, float64[D], of a program and of models trained on the same tasks.

    The models are the hand-designed programs for the tasks' kind of labels, trained like the program, and
    scikit-learn's.

    Raises:
        ValueError: the program cannot run on vector labels, and the tasks have them; or the backend's library is not
            installed.
    """
    linear, network = (
        (programs.softmax_linear(), programs.softmax_net())
        if tasks.num_classes
        else (programs.linear(), programs.neural_net())
    )
    own = {"program": program, "hand-designed linear program": linear, "hand-designed network program": network}
    fitness = evaluate(list(own.values()), tasks, backend, dtype)
    return {**dict(zip(own, fitness, strict=True)), **baseline_scores(tasks)}


def summarize(fitness: npt.NDArray[np.float64]) -> Score:
    """Mean and standard error of the fitness on each task, float64[D]."""
    error = float(fitness.std(ddof=1) / np.sqrt(fitness.size)) if fitness.size > 1 else None
    return Score(float(fitness.mean()), error, fitness.size)
