"""Changes of fitness, paired over tasks: every variant of a program meets the same tasks as the program itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automl_zero.program import Program
from automl_zero.tasks import TaskSet

Fitness = npt.NDArray[np.float64]

ERRORS = 2.0  # a change of fewer standard errors is taken for chance
ROUND_OFF = 1e-6  # as much may come of adding the same numbers in another order


@dataclass(frozen=True)
class Change:
    """Mean change of fitness over tasks.

    Attributes:
        mean: mean over the tasks of fitness after - fitness before.
        standard_error: of that mean, paired over the tasks; None for a single task.
    """

    mean: float
    standard_error: float | None

    def __str__(self) -> str:
        if self.standard_error is None:
            return f"{self.mean:+.6f}"
        return f"{self.mean:+.6f} ± {self.standard_error:.6f}"

    def is_loss(self, errors: float = ERRORS) -> bool:
        """Whether fitness fell by more than so many standard errors, and more than by rounding."""
        return self.mean < -max(ROUND_OFF, errors * (self.standard_error or 0.0))

    @property
    def within_error(self) -> bool:
        """Whether the change may be chance or rounding."""
        return abs(self.mean) <= max(ROUND_OFF, ERRORS * (self.standard_error or 0.0))

    def to_dict(self) -> dict[str, float | None]:
        """JSON object."""
        return {"change": self.mean, "standard_error": self.standard_error}


def paired_change(after: Fitness, before: Fitness) -> Change:
    """Change from one fitness to another, each float64[D] on the same D tasks."""
    difference = after - before
    error = float(difference.std(ddof=1) / np.sqrt(difference.size)) if difference.size > 1 else None
    return Change(float(difference.mean()), error)


class PairedScores:
    """Scores variants of a program on the tasks of the program itself.

    Args:
        program: the program.
        tasks: the tasks.
        dtype: "float32" or "float64".

    Attributes:
        before: fitness of the program on every task, float64[D].
    """

    def __init__(self, program: Program, tasks: TaskSet, dtype: str = "float32") -> None:
        from automl_zero.interpreters.numba_interpreter import Evaluator  # loads numba

        self._evaluator = Evaluator(tasks, dtype)
        self._known: dict[Program, Fitness] = {}
        self.before = self.fitness(program)

    def fitness(self, variant: Program) -> Fitness:
        """Fitness of a variant on every task, float64[D]."""
        if variant not in self._known:
            self._known[variant] = self._evaluator.evaluate(variant)[0]
        return self._known[variant]

    def change(self, variant: Program) -> Change:
        """Change of fitness from the program to a variant."""
        return paired_change(self.fitness(variant), self.before)
